//! The command line: HAProxy's spelling, and sub-commands of our own.
//!
//! HAProxy writes several letters behind one dash (`-db`, `-vv`), lists of numbers behind an option (`-sf 12 13`) and
//! values glued to it (`-dM5a`). One table in `spelling` turns each of these into a long option that an ordinary
//! parser reads as `written`; [`Command`] is what the program then does. A word that begins with no dash and is a
//! sub-command's name in first place leads to that sub-command instead (`own`).

mod options;
mod own;
mod spelling;
mod written;

pub use options::{Old, Options};
pub(super) use own::commands;
pub use own::{Check, Demo, Explain, Fmt, Manual, Migrate, Own, Resolve, Shown};
#[cfg(test)]
pub(super) use spelling::spellings;

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

/// Reads the arguments behind the program's name.
pub fn parse(args: &[String]) -> Command {
    if let Some(first) = args.first() {
        if commands().iter().any(|own| own.name == first) {
            return own::read(args);
        }
        if ["-h", "--help", "help"].contains(&first.as_str()) {
            return Command::Help(None);
        }
    }
    let long = match spelling::rewrite(args) {
        Ok(long) => long,
        Err(error) => return Command::Usage { error },
    };
    let words: Vec<&str> = long.iter().map(String::as_str).collect();
    written::read(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Command {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args)
    }

    fn run(line: &str) -> Options {
        let command = of(line);
        let Command::Run(options) = command else {
            panic!("{line}: {command:?}")
        };
        *options
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
        assert_eq!(of("-version"), Command::Version);
        assert_eq!(of("-vv -dM"), Command::Build);
        assert_eq!(of("demo"), Command::Own(Own::Demo(Demo { print: false })));
        let Command::Own(Own::Check(check)) = of("check a.cfg b.cfg") else {
            panic!("a check")
        };
        assert_eq!(check.files, ["a.cfg", "b.cfg"]);
    }
}
