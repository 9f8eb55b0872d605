//! What the manual pages, the completions and the README's table are made of: every row, as text.
//!
//! The rows come from the catalogue of keywords, from [`OPTIONS`] and from what the sub-commands parse their lines by;
//! `sluice manual` prints them, and the packages' generator reads them. A line is a row; its fields, between tabs, are kind, name, places, usage and one sentence.
//! Nothing here is for people's eyes, and nothing is decided here.

use std::fmt::Write as _;

use argh::{FlagInfoKind, Optionality, SubCommandInfo};

use super::args;
use crate::cli::command;
use crate::config::catalog::{self, Effect, SECTIONS};
use crate::lang::Sections;
use crate::rule;
use crate::sample;

/// The command line: name, arguments, one sentence.
pub const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "-f",
        "<file|dir>",
        "Reads this configuration, or all `.cfg` files of this directory; may be repeated.",
    ),
    (
        "-c",
        "",
        "Checks the configuration and ends; with -V says that it is valid.",
    ),
    (
        "-cc",
        "<condition>",
        "Evaluates a condition and ends: 0 true, 1 false, 2 not understood.",
    ),
    ("-v", "", "Prints the version."),
    (
        "-vv",
        "",
        "Prints the version and how the program was built.",
    ),
    ("-V", "", "Says more, whatever the configuration says."),
    ("-q", "", "Says nothing."),
    ("-d", "", "Stays in the foreground and prints what happens."),
    ("-db", "", "Stays in the foreground."),
    ("-D", "", "Goes to the background."),
    (
        "-W",
        "",
        "Runs a master process that starts the working one.",
    ),
    (
        "-Ws",
        "",
        "Like -W, and tells the service manager when ready.",
    ),
    (
        "-C",
        "<dir>",
        "Changes to this directory before files are read.",
    ),
    (
        "-p",
        "<file>",
        "Writes the number of the process to this file.",
    ),
    ("-n", "<number>", "Sets the number of connections at once."),
    (
        "-N",
        "<number>",
        "Sets the number of connections at once for a proxy that names none.",
    ),
    (
        "-m",
        "<megabytes>",
        "Sets the number of connections at once so that they fit into this memory.",
    ),
    (
        "-L",
        "<name>",
        "Sets the name among peers; the host's name otherwise.",
    ),
    ("-S", "<address>", "Adds a command socket of the master."),
    (
        "-x",
        "<socket>",
        "Takes the listening sockets from the process behind this command socket.",
    ),
    (
        "-sf",
        "<pid>...",
        "Asks these processes to finish their connections and end.",
    ),
    ("-st", "<pid>...", "Asks these processes to end at once."),
    ("-dW", "", "Refuses to start when there are warnings."),
    ("-dD", "", "Also says what is merely suspicious."),
    ("-dK", "<classes>", "Lists keywords."),
    (
        "-dC",
        "[key]",
        "Prints the configuration as it is read; under a key other than 0, with names and addresses as hashes and without what may be secret.",
    ),
    (
        "-dr",
        "",
        "Starts although names of servers do not resolve.",
    ),
    ("-dV", "", "Does not verify certificates of servers."),
    ("-dS", "", "Does not splice."),
    ("-dF", "", "Does not hand whole buffers on."),
    ("-dR", "", "Does not share ports between processes."),
    (
        "--leave-others",
        "",
        "With -sf: spares older processes that were not named.",
    ),
];

/// Parameters stand on lines of these names.
const LINES: &[(&str, Sections)] = &[("bind", Sections::BIND), ("server", Sections::SERVER)];

/// Every row.
pub fn rows() -> String {
    let mut out = String::new();
    for (name, usage, doc) in OPTIONS {
        row(&mut out, ["option", name, "", usage, doc]);
    }
    subcommands(&mut out);
    for found in catalog::rows() {
        let kind = match found.effect {
            Effect::Works => "keyword",
            Effect::None => "harmless",
            Effect::Refused => "refused",
        };
        let entry = found.entry;
        let places = places(entry.sections);
        row(
            &mut out,
            [kind, entry.name, &places, entry.usage, entry.doc],
        );
    }
    expressions(&mut out);
    for action in rule::rows() {
        let phases = rule::Phase::ALL
            .iter()
            .filter(|phase| action.phases.has(**phase));
        let phases: Vec<&str> = phases.map(|phase| phase.keyword()).collect();
        row(
            &mut out,
            [
                "action",
                action.name,
                &phases.join(","),
                action.usage,
                action.doc,
            ],
        );
    }
    for command in command::rows() {
        let usage = command
            .usage
            .strip_prefix(command.name)
            .unwrap_or(command.usage);
        let doc = sentence(command.help);
        row(&mut out, ["command", command.name, "", usage.trim(), &doc]);
    }
    out
}

/// Each sub-command, followed by its options, whose two spellings stand between a comma, and what else it is given.
fn subcommands(out: &mut String) {
    for SubCommandInfo { name, command } in args::commands() {
        row(
            out,
            ["subcommand", name, "", "", &sentence(command.description)],
        );
        for flag in command.flags {
            let usage = match flag.kind {
                FlagInfoKind::Switch => String::new(),
                FlagInfoKind::Option { arg_name } => format!("<{arg_name}>"),
            };
            let short = flag.short.map(|letter| format!("-{letter},"));
            let spelled = short.unwrap_or_default() + flag.long;
            let doc = sentence(flag.description);
            row(out, ["suboption", &spelled, name, &usage, &doc]);
        }
        for argument in command.positionals {
            let more = match argument.optionality {
                Optionality::Repeating | Optionality::Greedy => "...",
                Optionality::Required | Optionality::Optional => "",
            };
            let usage = format!("<{}>{more}", argument.name);
            let doc = sentence(argument.description);
            row(out, ["argument", argument.name, name, &usage, &doc]);
        }
    }
}

fn expressions(out: &mut String) {
    let arguments = |usage: String| match usage.is_empty() {
        true => usage,
        false => format!("({usage})"),
    };
    for fetch in sample::all_fetches() {
        let usage = arguments(fetch.args.usage());
        row(
            out,
            ["fetch", fetch.name, fetch.out.name(), &usage, fetch.doc],
        );
    }
    for conv in sample::all_convs() {
        let usage = arguments(conv.args.usage());
        let kinds = format!("{} to {}", conv.input.name(), conv.out.name());
        row(out, ["converter", conv.name, &kinds, &usage, conv.doc]);
    }
}

/// The help of a command or an option as the manual's sentence.
fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    format!("{}.", text.trim_end_matches('.').replace(['\t', '\n'], " "))
}

fn row(out: &mut String, fields: [&str; 5]) {
    let _ = writeln!(out, "{}", fields.join("\t"));
}

fn places(sections: Sections) -> String {
    let kinds = SECTIONS.iter().map(|kind| (kind.keyword, kind.sections));
    // `listen` is a frontend and a backend: it has what either has.
    let names = kinds
        .filter(|(name, _)| *name != "listen")
        .chain(LINES.iter().copied())
        .filter(|(_, place)| sections.meets(*place))
        .map(|(name, _)| name);
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_five_fields_and_a_place() {
        let text = rows();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 5, "{line}");
            assert!(fields[4].ends_with('.'), "{line}");
            let has_place = !fields[2].is_empty();
            assert_eq!(
                has_place,
                !matches!(fields[0], "option" | "subcommand" | "command"),
                "{line}"
            );
        }
        let timeout = "keyword\ttimeout connect\tdefaults,backend\t";
        for known in [
            timeout,
            "fetch\tsrc\t",
            "converter\tlower\t",
            "action\tdeny\t",
            "command\tshow info\t",
        ] {
            assert!(text.lines().any(|line| line.starts_with(known)), "{known}");
        }
    }

    #[test]
    fn subcommands_tell_their_options_and_arguments() {
        let text = rows();
        for known in [
            "subcommand\tcheck\t\t\tReads configuration files, ",
            "suboption\t--fix\tcheck\t\tWrites each ",
            "suboption\t--format\tcheck\t<text|json>\t",
            "suboption\t-f,--file\texplain\t<file>\t",
            "suboption\t--help\tmanual\t\t",
            "argument\tfile\tmigrate\t<file>\t",
            "argument\tname\tresolve\t<name>...\t",
        ] {
            assert!(text.lines().any(|line| line.starts_with(known)), "{known}");
        }
    }

    #[test]
    fn options_are_those_of_the_command_line() {
        let known: Vec<&str> = args::spellings().collect();
        let told: Vec<&str> = OPTIONS.iter().map(|(name, _, _)| *name).collect();
        assert_eq!(told, known, "add a row where the command line has one");
    }
}
