//! The sub-commands of our own, each with its options; the words above a command and an option are what its help shows.

use argh::FromArgs;

use super::Command;

/// Their names.
pub(super) const NAMES: [&str; 7] = [
    "demo", "check", "explain", "fmt", "manual", "migrate", "resolve",
];

/// Reads a line that begins with one of them.
pub(super) fn read(args: &[String]) -> Command {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match OwnLine::from_args(&["sluice"], &words) {
        Ok(line) => Command::Own(line.own),
        Err(exit) if exit.status.is_ok() => Command::Help(Some(exit.output)),
        Err(exit) => Command::Usage {
            error: Some(exit.output),
        },
    }
}

/// The sub-commands of our own.
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand)]
pub enum Own {
    /// `demo`.
    Demo(Demo),
    /// `check`.
    Check(Check),
    /// `explain`.
    Explain(Explain),
    /// `fmt`.
    Fmt(Fmt),
    /// `manual`.
    Manual(Manual),
    /// `migrate`.
    Migrate(Migrate),
    /// `resolve`.
    Resolve(Resolve),
}

/// run an embedded configuration with two small servers behind it
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "demo")]
pub struct Demo {
    /// print the configuration instead of running it
    #[argh(switch)]
    pub print: bool,
}

/// read configuration files and explain what is wrong with them
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "check")]
pub struct Check {
    /// write each deprecated line as its successor, into the file
    #[argh(switch)]
    pub fix: bool,
    /// with --fix: print the rewritten file instead
    #[argh(switch)]
    pub print: bool,
    /// text, or json: an object a line
    #[argh(option, default = "Shown::Text")]
    pub format: Shown,
    /// the files
    #[argh(positional)]
    pub files: Vec<String>,
}

/// print every keyword and option, a line each, for programs that make manuals
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "manual")]
pub struct Manual {}

/// check a haproxy.cfg, say what would differ, and write the unit override that uses it
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "migrate")]
pub struct Migrate {
    /// write the override; without it only say what it would be
    #[argh(switch)]
    pub write: bool,
    /// the directory of the override (/etc/systemd/system/sluice.service.d)
    #[argh(option, default = "crate::boot::migrate::DROP_INS.to_owned()")]
    pub drop_ins: String,
    /// the configuration (/etc/haproxy/haproxy.cfg)
    #[argh(positional, default = "crate::boot::migrate::USUAL.to_owned()")]
    pub file: String,
}

/// say what a keyword means, or with -f what a configuration makes of a request
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "explain")]
pub struct Explain {
    /// the configuration: explain a request
    #[argh(option, short = 'f', long = "file")]
    pub files: Vec<String>,
    /// a header field of the request, 'Name: value'
    #[argh(option, short = 'H', long = "header")]
    pub headers: Vec<String>,
    /// the body of the request
    #[argh(option)]
    pub data: Option<String>,
    /// the client's address
    #[argh(option)]
    pub src: Option<String>,
    /// the frontend; without it the one whose port and protocol fit
    #[argh(option)]
    pub frontend: Option<String>,
    /// the status that servers answer with (200)
    #[argh(option, default = "200")]
    pub status: u16,
    /// text, or json
    #[argh(option, default = "Shown::Text")]
    pub format: Shown,
    /// a file of requests, one a line, its header fields behind tabs ('-': standard input)
    #[argh(option)]
    pub requests: Option<String>,
    /// the words of the keyword, or the request
    #[argh(positional)]
    pub words: Vec<String>,
}

impl Default for Explain {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            headers: Vec::new(),
            data: None,
            src: None,
            frontend: None,
            status: 200,
            requests: None,
            format: Shown::Text,
            words: Vec::new(),
        }
    }
}

/// For whom a sub-command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// People.
    Text,
    /// Programs.
    Json,
}

impl std::str::FromStr for Shown {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("'{other}' is neither text nor json")),
        }
    }
}

/// print configuration files, or what comes on standard input, in one layout
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "fmt")]
pub struct Fmt {
    /// rewrite the files instead of printing them
    #[argh(switch)]
    pub write: bool,
    /// the files
    #[argh(positional)]
    pub files: Vec<String>,
}

/// look names up in the way the proxy does
#[derive(Clone, Debug, PartialEq, Eq, FromArgs)]
#[argh(subcommand, name = "resolve")]
pub struct Resolve {
    /// the names
    #[argh(positional)]
    pub names: Vec<String>,
}

/// The line of one sub-command.
#[derive(FromArgs)]
/// sluice
struct OwnLine {
    #[argh(subcommand)]
    own: Own,
}
