//! The command line: HAProxy's spelling, and sub-commands of our own.
//!
//! HAProxy writes several letters behind one dash (`-db`, `-vv`), lists of numbers behind an option (`-sf 12 13`) and
//! values glued to it (`-dM5a`). One table, [`SPELLINGS`], turns each of these into a long option that an ordinary
//! parser reads into [`Written`]; [`Command`] is what the program then does. A word that begins with no dash and is a
//! sub-command's name in first place leads to that sub-command instead.

use argh::FromArgs;

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run, or with [`Options::check`] only read the configuration.
    Run(Box<Options>),
    /// Print the version (`-v`).
    Version,
    /// Print how the program was built (`-vv`).
    Build,
    /// Evaluate a condition (`-cc`).
    Condition {
        /// The expression.
        text: String,
        /// What was given beside it.
        options: Box<Options>,
    },
    /// List the keywords of some classes (`-dK`).
    Keywords(String),
    /// Print the manual page of the command line, or that of a sub-command, because it was asked for.
    Help(Option<String>),
    /// Print the manual page of the command line: something was wrong, or nothing was asked for.
    Usage {
        /// An error to print first.
        error: Option<String>,
    },
    /// A sub-command of our own.
    Own(Own),
}

/// Options of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Configuration files and directories, in order (`-f`, `--`).
    pub files: Vec<String>,
    /// Read the configuration and exit (`-c`).
    pub check: bool,
    /// Say more (`-V`).
    pub verbose: bool,
    /// Say nothing (`-q`).
    pub quiet: bool,
    /// Stay in the foreground and print what happens (`-d`).
    pub debug: bool,
    /// Stay in the foreground (`-db`, `-d`).
    pub foreground: bool,
    /// Go to the background (`-D`).
    pub daemon: bool,
    /// A master and a worker process (`-W`).
    pub master: bool,
    /// Tell the service manager when ready (`-Ws`).
    pub notify: bool,
    /// Change to this directory first (`-C`).
    pub directory: Option<String>,
    /// Write the process's number there (`-p`).
    pub pidfile: Option<String>,
    /// Connections at once (`-n`).
    pub maxconn: Option<u32>,
    /// Connections at once for a proxy (`-N`).
    pub proxy_maxconn: Option<u32>,
    /// Memory in megabytes (`-m`).
    pub memory: Option<u64>,
    /// The name among peers (`-L`).
    pub peer: Option<String>,
    /// Addresses of the master's own command socket (`-S`).
    pub master_sockets: Vec<String>,
    /// What becomes of earlier processes (`-sf`, `-st`).
    pub old: Option<Old>,
    /// Take the listening sockets from the process behind this socket (`-x`).
    pub takeover: Option<String>,
    /// A warning is an error (`-dW`).
    pub zero_warning: bool,
    /// Also say what is merely suspicious (`-dD`).
    pub diagnostics: bool,
    /// Start although server names do not resolve (`-dr`).
    pub ignore_resolution: bool,
    /// Do not verify servers' certificates (`-dV`).
    pub no_verify: bool,
    /// No splicing (`-dS`).
    pub no_splice: bool,
    /// No fast forwarding of whole buffers (`-dF`).
    pub no_fast_forward: bool,
    /// No shared listening addresses (`-dR`).
    pub no_reuseport: bool,
    /// Leave earlier processes alone that no `-sf` named (`--leave-others`).
    pub leave_others: bool,
}

/// Earlier processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Whether they end at once (`-st`) instead of when their work is done (`-sf`).
    pub at_once: bool,
    /// Their numbers as the caller knew them.
    pub pids: Vec<i32>,
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
    #[argh(option, default = "super::migrate::DROP_INS.to_owned()")]
    pub drop_ins: String,
    /// the configuration (/etc/haproxy/haproxy.cfg)
    #[argh(positional, default = "super::migrate::USUAL.to_owned()")]
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

/// The long options behind HAProxy's spellings.
#[derive(Default, FromArgs)]
/// sluice
struct Written {
    /// configuration files
    #[argh(option)]
    file: Vec<String>,
    /// for -c
    #[argh(switch)]
    check: bool,
    /// for -cc
    #[argh(option)]
    condition: Option<String>,
    /// for -v
    #[argh(switch)]
    version: bool,
    /// for -vv
    #[argh(switch)]
    build: bool,
    /// for -V
    #[argh(switch)]
    verbose: bool,
    /// for -q
    #[argh(switch)]
    quiet: bool,
    /// for -d
    #[argh(switch)]
    debug: bool,
    /// for -db
    #[argh(switch)]
    foreground: bool,
    /// for -D
    #[argh(switch)]
    daemon: bool,
    /// for -W
    #[argh(switch)]
    master: bool,
    /// for -Ws
    #[argh(switch)]
    notify: bool,
    /// for -C
    #[argh(option)]
    directory: Option<String>,
    /// for -p
    #[argh(option)]
    pidfile: Option<String>,
    /// for -n
    #[argh(option)]
    maxconn: Option<String>,
    /// for -N
    #[argh(option)]
    proxy_maxconn: Option<String>,
    /// for -m
    #[argh(option)]
    memory: Option<String>,
    /// for -L
    #[argh(option)]
    peer: Option<String>,
    /// for -S
    #[argh(option)]
    master_socket: Vec<String>,
    /// for -x
    #[argh(option)]
    takeover: Option<String>,
    /// for -dW
    #[argh(switch)]
    zero_warning: bool,
    /// for -dD
    #[argh(switch)]
    diagnostics: bool,
    /// for -dK
    #[argh(option)]
    keywords: Option<String>,
    /// for -dr
    #[argh(switch)]
    ignore_resolution: bool,
    /// for -dV
    #[argh(switch)]
    no_verify: bool,
    /// for -dS
    #[argh(switch)]
    no_splice: bool,
    /// for -dF
    #[argh(switch)]
    no_fast_forward: bool,
    /// for -dR
    #[argh(switch)]
    no_reuseport: bool,
    /// for --leave-others
    #[argh(switch)]
    leave_others: bool,
    /// for -sf
    #[argh(switch)]
    finish_old: bool,
    /// for -st
    #[argh(switch)]
    terminate_old: bool,
    /// pids of -sf and -st
    #[argh(option)]
    old: Vec<i32>,
}

/// What follows an option's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Nothing,
    /// A value in the next argument.
    Value,
    /// A value glued to the letters, perhaps empty.
    Glued,
    /// Letters glued on that change nothing here.
    Ignored,
    /// All arguments up to the next dash, as numbers.
    Pids,
}

/// HAProxy's spelling, the long option it becomes (none: accepted without an effect), what follows. The longest
/// spelling that fits wins.
const SPELLINGS: &[(&str, Option<&str>, Tail)] = &[
    ("-f", Some("--file"), Tail::Value),
    ("-c", Some("--check"), Tail::Nothing),
    ("-cc", Some("--condition"), Tail::Value),
    ("-v", Some("--version"), Tail::Nothing),
    ("-vv", Some("--build"), Tail::Nothing),
    ("-V", Some("--verbose"), Tail::Nothing),
    ("-q", Some("--quiet"), Tail::Nothing),
    ("-d", Some("--debug"), Tail::Nothing),
    ("-db", Some("--foreground"), Tail::Nothing),
    ("-D", Some("--daemon"), Tail::Nothing),
    ("-W", Some("--master"), Tail::Nothing),
    ("-Ws", Some("--notify"), Tail::Nothing),
    ("-C", Some("--directory"), Tail::Value),
    ("-p", Some("--pidfile"), Tail::Value),
    ("-n", Some("--maxconn"), Tail::Value),
    ("-N", Some("--proxy-maxconn"), Tail::Value),
    ("-m", Some("--memory"), Tail::Value),
    ("-L", Some("--peer"), Tail::Value),
    ("-S", Some("--master-socket"), Tail::Value),
    ("-x", Some("--takeover"), Tail::Value),
    ("-sf", Some("--finish-old"), Tail::Pids),
    ("-st", Some("--terminate-old"), Tail::Pids),
    ("-dW", Some("--zero-warning"), Tail::Nothing),
    ("-dD", Some("--diagnostics"), Tail::Nothing),
    ("-dK", Some("--keywords"), Tail::Glued),
    ("-dr", Some("--ignore-resolution"), Tail::Nothing),
    ("-dV", Some("--no-verify"), Tail::Nothing),
    ("-dS", Some("--no-splice"), Tail::Nothing),
    ("-dF", Some("--no-fast-forward"), Tail::Nothing),
    ("-dR", Some("--no-reuseport"), Tail::Nothing),
    ("--leave-others", Some("--leave-others"), Tail::Nothing),
    // Choices of HAProxy's own build that have no counterpart here: its pollers, its allocator's debugging, its resolver library,
    // its copies of loaded objects, processors and profiles.
    ("-dM", None, Tail::Ignored),
    ("-dI", None, Tail::Nothing),
    ("-de", None, Tail::Nothing),
    ("-dp", None, Tail::Nothing),
    ("-dk", None, Tail::Nothing),
    ("-dv", None, Tail::Nothing),
    ("-dG", None, Tail::Nothing),
    ("-dL", None, Tail::Nothing),
    ("-dZ", None, Tail::Nothing),
    ("-dA", None, Tail::Ignored),
    ("-dC", None, Tail::Ignored),
    ("-dP", None, Tail::Ignored),
    ("-dt", None, Tail::Ignored),
];

const OWN: [&str; 7] = [
    "demo", "check", "explain", "fmt", "manual", "migrate", "resolve",
];

/// The options that have an effect, in the order of the table.
#[cfg(test)]
pub(super) fn spellings() -> impl Iterator<Item = &'static str> {
    let known = SPELLINGS.iter().filter(|(_, long, _)| long.is_some());
    known.map(|(spelling, _, _)| *spelling)
}

/// Reads the arguments behind the program's name.
pub fn parse(args: &[String]) -> Command {
    if let Some(first) = args.first() {
        if OWN.contains(&first.as_str()) {
            return own(args);
        }
        if ["-h", "--help", "help"].contains(&first.as_str()) {
            return Command::Help(None);
        }
    }
    let long = match rewrite(args) {
        Ok(long) => long,
        Err(error) => return Command::Usage { error },
    };
    let words: Vec<&str> = long.iter().map(String::as_str).collect();
    match Written::from_args(&["sluice"], &words) {
        Ok(written) => command(written),
        Err(exit) => Command::Usage {
            error: Some(exit.output),
        },
    }
}

fn own(args: &[String]) -> Command {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match OwnLine::from_args(&["sluice"], &words) {
        Ok(line) => Command::Own(line.own),
        Err(exit) if exit.status.is_ok() => Command::Help(Some(exit.output)),
        Err(exit) => Command::Usage {
            error: Some(exit.output),
        },
    }
}

/// Turns HAProxy's spelling into long options. An error without a text means that only the usage is shown.
fn rewrite(args: &[String]) -> Result<Vec<String>, Option<String>> {
    let mut long = Vec::with_capacity(args.len() * 2);
    let mut rest = args.iter().peekable();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            for file in rest.by_ref() {
                long.extend(["--file".to_owned(), file.clone()]);
            }
            break;
        }
        let (option, tail, glued) = spelled(arg).ok_or(None)?;
        match tail {
            Tail::Nothing | Tail::Ignored => long.extend(option.map(str::to_owned)),
            Tail::Glued => long.extend([option.unwrap_or_default().to_owned(), glued.to_owned()]),
            Tail::Value => {
                let value = rest.next().ok_or(None)?;
                long.extend([option.unwrap_or_default().to_owned(), value.clone()]);
            }
            Tail::Pids => {
                long.extend(option.map(str::to_owned));
                while let Some(list) = rest.next_if(|next| !next.starts_with('-')) {
                    for pid in pids(arg, list).map_err(Some)? {
                        long.extend(["--old".to_owned(), pid.to_string()]);
                    }
                }
            }
        }
    }
    Ok(long)
}

fn spelled(arg: &str) -> Option<(Option<&'static str>, Tail, &str)> {
    let fits = |(spelling, _, tail): &&(&str, Option<&str>, Tail)| match tail {
        Tail::Glued | Tail::Ignored => arg.starts_with(spelling),
        Tail::Nothing | Tail::Value | Tail::Pids => arg == *spelling,
    };
    let (spelling, option, tail) = SPELLINGS
        .iter()
        .filter(fits)
        .max_by_key(|(spelling, _, _)| spelling.len())?;
    Some((*option, *tail, &arg[spelling.len()..]))
}

/// One argument may hold several numbers: a script may quote the content of a pid file.
fn pids(option: &str, list: &str) -> Result<Vec<i32>, String> {
    list.split_whitespace()
        .map(|word| {
            let digits = word.bytes().take_while(u8::is_ascii_digit).count();
            if digits < word.len() {
                let left = &word[digits..];
                return Err(format!(
                    "{option} option: some bytes unconsumed in PID list {{{left}}}"
                ));
            }
            word.parse()
                .map_err(|_| format!("{option} option: failed to parse {{{word}}}: out of range"))
        })
        .collect()
}

fn command(w: Written) -> Command {
    if w.version {
        return Command::Version;
    }
    if w.build {
        return Command::Build;
    }
    if let Some(classes) = w.keywords {
        return Command::Keywords(classes);
    }
    let old = (w.finish_old || w.terminate_old).then_some(Old {
        at_once: w.terminate_old,
        pids: w.old,
    });
    let options = Box::new(Options {
        files: w.file,
        check: w.check,
        verbose: w.verbose,
        quiet: w.quiet,
        debug: w.debug,
        foreground: w.foreground || w.debug,
        daemon: w.daemon,
        master: w.master || w.notify,
        notify: w.notify,
        directory: w.directory,
        pidfile: w.pidfile,
        maxconn: w.maxconn.map(|n| leading(&n)),
        proxy_maxconn: w.proxy_maxconn.map(|n| leading(&n)),
        memory: w.memory.map(|n| u64::from(leading(&n))),
        peer: w.peer,
        master_sockets: w.master_socket,
        old,
        takeover: w.takeover,
        zero_warning: w.zero_warning,
        diagnostics: w.diagnostics,
        ignore_resolution: w.ignore_resolution,
        no_verify: w.no_verify,
        no_splice: w.no_splice,
        no_fast_forward: w.no_fast_forward,
        no_reuseport: w.no_reuseport,
        leave_others: w.leave_others,
    });
    match w.condition {
        Some(text) => Command::Condition { text, options },
        None if options.files.is_empty() => Command::Usage { error: None },
        None => Command::Run(options),
    }
}

/// The number a text begins with, as C's `atol` reads it: 0 without one.
fn leading(text: &str) -> u32 {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Command {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args)
    }

    fn run(line: &str) -> Options {
        match of(line) {
            Command::Run(options) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_lines_of_units_and_test_drivers() {
        let unit = run("-Ws -f /etc/h.cfg -p /run/h.pid -S /run/master.sock");
        assert!(unit.master && unit.notify && !unit.foreground);
        assert_eq!(unit.files, ["/etc/h.cfg"]);
        assert_eq!(unit.pidfile.as_deref(), Some("/run/h.pid"));
        assert_eq!(unit.master_sockets, ["/run/master.sock"]);
        let driver = run("-d -dM -dI -dW -L A -f x");
        assert!(driver.debug && driver.foreground && driver.zero_warning);
        assert_eq!(driver.peer.as_deref(), Some("A"));
        let check = run("-c -q -V -f a -f b -- c d");
        assert!(check.check && check.quiet && check.verbose);
        assert_eq!(check.files, ["a", "b", "c", "d"]);
    }

    #[test]
    fn old_pids_in_all_shapes() {
        let old = |line| run(line).old;
        let some = |at_once, pids: &[i32]| {
            Some(Old {
                at_once,
                pids: pids.to_vec(),
            })
        };
        assert_eq!(old("-f x -sf 12 13"), some(false, &[12, 13]));
        assert_eq!(old("-st 7 -f x"), some(true, &[7]));
        assert_eq!(old("-f x -sf"), some(false, &[]));
        let quoted: Vec<String> = ["-f", "x", "-sf", "12\n13\n"].map(str::to_owned).to_vec();
        let Command::Run(options) = parse(&quoted) else {
            panic!("a quoted list")
        };
        assert_eq!(options.old, some(false, &[12, 13]));
        let error = "-sf option: some bytes unconsumed in PID list {a}".to_owned();
        assert_eq!(of("-f x -sf 1a"), Command::Usage { error: Some(error) });
    }

    #[test]
    fn glued_and_ignored_letters() {
        assert_eq!(run("-dM5a -dtany -f x").files, ["x"]);
        assert_eq!(of("-dKall,acl"), Command::Keywords("all,acl".into()));
        assert_eq!(of("-dK"), Command::Keywords(String::new()));
        assert_eq!(run("-f x -n 10x -m 50").maxconn, Some(10));
    }

    #[test]
    fn conditions_see_what_was_given() {
        let args = ["-dS", "-cc", "1 && 0"].map(str::to_owned);
        let Command::Condition { text, options } = parse(&args) else {
            panic!("a condition")
        };
        assert_eq!(text, "1 && 0");
        assert!(options.no_splice);
    }

    #[test]
    fn what_cannot_be_read_shows_the_usage() {
        for line in ["", "-foo", "-f", "-f x extra", "-c", "-cc", "--nope"] {
            assert_eq!(of(line), Command::Usage { error: None }, "{line}");
        }
    }

    #[test]
    fn help_is_no_mistake() {
        for line in ["-h", "--help", "help"] {
            assert_eq!(of(line), Command::Help(None), "{line}");
        }
        let Command::Help(Some(text)) = of("check --help") else {
            panic!("the help of a sub-command")
        };
        assert!(text.contains("--fix"), "{text}");
        assert!(matches!(
            of("check --nope"),
            Command::Usage { error: Some(_) }
        ));
    }

    #[test]
    fn versions_and_own_commands() {
        assert_eq!(of("-v"), Command::Version);
        assert_eq!(of("-vv -dM"), Command::Build);
        assert_eq!(of("demo"), Command::Own(Own::Demo(Demo { print: false })));
        let Command::Own(Own::Check(check)) = of("check a.cfg b.cfg") else {
            panic!("a check")
        };
        assert_eq!(check.files, ["a.cfg", "b.cfg"]);
    }
}
