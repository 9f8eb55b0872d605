//! What the master says of the commands on its own socket.

use std::fmt::Write as _;

use crate::site::Level;

/// Commands of the master: name, usage, what it does, who may.
const COMMANDS: &[(&str, &str, &str, Level)] = &[
    (
        "operator",
        "operator",
        "lower the level of the current CLI session to operator",
        Level::User,
    ),
    (
        "reload",
        "reload",
        "reload the configuration",
        Level::Operator,
    ),
    (
        "hard-reload",
        "hard-reload",
        "reload the configuration and end former workers at once",
        Level::Operator,
    ),
    (
        "show cli level",
        "show cli level",
        "display the level of the current CLI session",
        Level::User,
    ),
    (
        "show cli sockets",
        "show cli sockets",
        "dump list of cli sockets",
        Level::User,
    ),
    (
        "show drain",
        "show drain",
        "show what keeps former workers from leaving",
        Level::User,
    ),
    (
        "show proc",
        "show proc",
        "show processes status",
        Level::User,
    ),
    (
        "show startup-logs",
        "show startup-logs",
        "report what the last start said",
        Level::User,
    ),
    (
        "show version",
        "show version",
        "show version of the current process",
        Level::User,
    ),
    (
        "user",
        "user",
        "lower the level of the current CLI session to user",
        Level::User,
    ),
    (
        "help",
        "help [<command>]",
        "list matching or all commands",
        Level::User,
    ),
    (
        "prompt",
        "prompt",
        "toggle interactive mode with prompt",
        Level::User,
    ),
    ("quit", "quit", "disconnect", Level::User),
];

/// What `mcli-debug-mode` opens, as `help` shows it.
pub(super) const DEBUG_COMMANDS: &str = "  \
    show env [var]                          : dump environment variables known to the process\n  \
    show fd [-!plcfbsd]* [num]              : dump list of file descriptors in use or a specific one\n  \
    show libs                               : show loaded object files and libraries\n";

/// Targets, as `help` shows them.
const TARGETS: [(&str, &str); 3] = [
    ("@!<pid>", "send a command to the <pid> process"),
    (
        "@<relative pid>",
        "send a command to the <relative pid> process",
    ),
    ("@master", "send a command to the master process"),
];

pub(super) fn help(level: Level, about: &[&str]) -> String {
    let mut text = "The following commands are valid at this level:\n".to_owned();
    list(level, about, &mut text);
    text
}

pub(super) fn unknown(level: Level, words: &[&str]) -> String {
    let near: Vec<&str> = words.first().copied().into_iter().collect();
    let mut text =
        "Unknown command, but maybe one of the following ones is a better match:\n".to_owned();
    list(level, &near, &mut text);
    text
}

/// The commands that begin with these words, or all where there is none; with those that are always offered.
fn list(level: Level, about: &[&str], text: &mut String) {
    const ALWAYS: [&str; 3] = ["help", "prompt", "quit"];
    for (usage, does) in TARGETS {
        let _ = writeln!(text, "  {usage:<40}: {does}");
    }
    let fits = |name: &str| name.split(' ').zip(about).all(|(part, word)| part == *word);
    let some = COMMANDS.iter().any(|(name, ..)| fits(name));
    for (name, usage, does, needs) in COMMANDS {
        let shown = !some || fits(name) || ALWAYS.contains(name);
        if shown && level >= *needs {
            let _ = writeln!(text, "  {usage:<40}: {does}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_shows_what_the_level_allows() {
        assert!(help(Level::Admin, &[]).contains("  reload  "));
        assert!(!help(Level::User, &[]).contains("  reload  "));
        let about = help(Level::Admin, &["show", "proc"]);
        assert!(about.contains("show proc") && !about.contains("show version"));
        assert!(unknown(Level::Admin, &["foo"]).contains("show proc"));
    }
}
