//! Commands about the session and the process.

use std::io::Write;

use super::{Call, Command, Outcome, list, rows};
use crate::site::Level;

/// The rows.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        usage: "[<command>]",
        doc: "list matching or all commands",
        level: Level::User,
        run: help,
    },
    Command {
        name: "prompt",
        usage: "",
        doc: "toggle interactive mode with prompt",
        level: Level::User,
        run: |_| Outcome::Prompt,
    },
    Command {
        name: "quit",
        usage: "",
        doc: "disconnect",
        level: Level::User,
        run: |_| Outcome::Quit,
    },
    Command {
        name: "user",
        usage: "",
        doc: "lower the level of the current CLI session to user",
        level: Level::User,
        run: |call| lower(call, Level::User),
    },
    Command {
        name: "operator",
        usage: "",
        doc: "lower the level of the current CLI session to operator",
        level: Level::Operator,
        run: |call| lower(call, Level::Operator),
    },
    Command {
        name: "show cli level",
        usage: "",
        doc: "display the level of the current CLI session",
        level: Level::User,
        run: show_level,
    },
    Command {
        name: "show version",
        usage: "",
        doc: "show version of the current process",
        level: Level::User,
        run: version,
    },
    Command {
        name: "show env",
        usage: "[var]",
        doc: "dump environment variables known to the process",
        level: Level::Operator,
        run: env,
    },
    Command {
        name: "show cli sockets",
        usage: "",
        doc: "dump list of cli sockets",
        level: Level::Operator,
        run: sockets,
    },
    Command {
        name: "clear counters",
        usage: "[all]",
        doc: "clear max statistics counters (or all counters)",
        level: Level::Admin,
        run: clear,
    },
    Command {
        name: "_getsocks",
        usage: "",
        doc: "pass the listening sockets to the process that asks",
        level: Level::Admin,
        run: |_| Outcome::Surrender,
    },
];

fn help(call: &mut Call<'_>) -> Outcome {
    let wanted = call.words.join(" ");
    call.say("The following commands are valid at this level:");
    list(
        call,
        rows().filter(|row| row.name.starts_with(&wanted)).collect(),
    );
    Outcome::Answered
}

fn lower(call: &mut Call<'_>, level: Level) -> Outcome {
    *call.level = level;
    Outcome::Answered
}

fn show_level(call: &mut Call<'_>) -> Outcome {
    let level = match *call.level {
        Level::User => "user",
        Level::Operator => "operator",
        Level::Admin => "admin",
    };
    call.say(level)
}

fn version(call: &mut Call<'_>) -> Outcome {
    let version = call.desk.version().to_owned();
    call.say(&version)
}

fn env(call: &mut Call<'_>) -> Outcome {
    let wanted = call.word(0).to_owned();
    if !wanted.is_empty() && std::env::var_os(&wanted).is_none() {
        return call.say("Variable not found");
    }
    for (name, value) in std::env::vars_os() {
        if wanted.is_empty() || name == wanted.as_str() {
            let _ = writeln!(
                call.out,
                "{}={}",
                name.to_string_lossy(),
                value.to_string_lossy()
            );
        }
    }
    Outcome::Answered
}

fn sockets(call: &mut Call<'_>) -> Outcome {
    call.say("# socket lvl processes");
    let site = call.desk.site().clone();
    for listener in site
        .listeners
        .iter()
        .filter(|listener| listener.service == crate::site::Service::Stats)
    {
        let level = match listener.level {
            Level::User => "user",
            Level::Operator => "operator",
            Level::Admin => "admin",
        };
        let _ = writeln!(call.out, "{} {level} all", listener.endpoint);
    }
    Outcome::Answered
}

fn clear(call: &mut Call<'_>) -> Outcome {
    let maxima_only = call.word(0) != "all";
    let site = call.desk.site();
    let fronts = site.frontends.iter().map(|frontend| &frontend.tally);
    let backs = site.backends.iter().map(|backend| &backend.tally);
    let servers = site.servers.iter().map(|server| &server.tally);
    let listeners = site.listeners.iter().map(|listener| &listener.tally);
    for tally in fronts
        .chain(backs)
        .chain(servers)
        .chain(listeners)
        .chain([&site.tally])
    {
        tally.clear(maxima_only);
    }
    Outcome::Answered
}
