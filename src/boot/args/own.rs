//! The sub-commands of our own, each with its options; the words above a command and an option are what its help shows.

use argh::{ArgsInfo, FromArgs, SubCommandInfo};

use super::Command;

/// What is known of each: its name, its sentence, its options and arguments.
pub(in crate::boot) fn commands() -> Vec<SubCommandInfo> {
    Own::get_subcommands()
}

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
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
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

/// runs an embedded configuration with two small servers behind it
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "demo")]
pub struct Demo {
    /// prints the configuration instead of running it
    #[argh(switch)]
    pub print: bool,
}

/// reads configuration files, explains what is wrong with them and what is hardly meant
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "check")]
pub struct Check {
    /// writes each deprecated line as its successor, into the file
    #[argh(switch)]
    pub fix: bool,
    /// with --fix: prints the rewritten file instead
    #[argh(switch)]
    pub print: bool,
    /// text, or json: an object a line
    #[argh(option, default = "Shown::Text", arg_name = "text|json")]
    pub format: Shown,
    /// the files
    #[argh(positional, arg_name = "file")]
    pub files: Vec<String>,
}

/// prints every keyword and option, a line each, for programs that make manuals
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "manual")]
pub struct Manual {}

/// checks a haproxy.cfg, says what would differ, and writes the unit override that uses it
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "migrate")]
pub struct Migrate {
    /// writes the override; without it only says what it would be
    #[argh(switch)]
    pub write: bool,
    /// the directory of the override (/etc/systemd/system/sluice.service.d)
    #[argh(
        option,
        default = "crate::boot::migrate::DROP_INS.to_owned()",
        arg_name = "dir"
    )]
    pub drop_ins: String,
    /// the configuration (/etc/haproxy/haproxy.cfg)
    #[argh(
        positional,
        default = "crate::boot::migrate::USUAL.to_owned()",
        arg_name = "file"
    )]
    pub file: String,
}

/// says what a keyword means, or with -f what a configuration makes of a request
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "explain")]
pub struct Explain {
    /// the configuration: explain a request
    #[argh(option, short = 'f', long = "file", arg_name = "file")]
    pub files: Vec<String>,
    /// a header field of the request, 'Name: value'
    #[argh(option, short = 'H', long = "header", arg_name = "field")]
    pub headers: Vec<String>,
    /// the body of the request
    #[argh(option, arg_name = "text")]
    pub data: Option<String>,
    /// the client's address
    #[argh(option, arg_name = "address")]
    pub src: Option<String>,
    /// the frontend; without it the one whose port and protocol fit
    #[argh(option, arg_name = "name")]
    pub frontend: Option<String>,
    /// the status that servers answer with (200)
    #[argh(option, default = "200")]
    pub status: u16,
    /// text, or json
    #[argh(option, default = "Shown::Text", arg_name = "text|json")]
    pub format: Shown,
    /// a file of requests, one a line, its header fields behind tabs ('-': standard input)
    #[argh(option, arg_name = "file")]
    pub requests: Option<String>,
    /// the words of the keyword, or the request
    #[argh(positional, arg_name = "word")]
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

/// prints configuration files, or what comes on standard input, in one layout
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "fmt")]
pub struct Fmt {
    /// rewrites the files instead of printing them
    #[argh(switch)]
    pub write: bool,
    /// the files
    #[argh(positional, arg_name = "file")]
    pub files: Vec<String>,
}

/// resolves names the way servers' names are resolved
#[derive(Clone, Debug, PartialEq, Eq, FromArgs, ArgsInfo)]
#[argh(subcommand, name = "resolve")]
pub struct Resolve {
    /// the names
    #[argh(positional, arg_name = "name")]
    pub names: Vec<String>,
}

/// The line of one sub-command.
#[derive(FromArgs)]
/// sluice
struct OwnLine {
    #[argh(subcommand)]
    own: Own,
}
