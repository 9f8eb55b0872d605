//! What the master does for clients of its command socket.

use std::fmt::Write as _;

use super::Master;
use super::workers::Worker;
use crate::boot::build_info;
use crate::boot::orders::{Order, Target};
use crate::boot::privileges::text;
use crate::boot::programs::Running;
use crate::boot::window::ClientKey;
use crate::site::{Holding, Level};
use crate::sys::{clock, process, socket};
use crate::time::{Tick, in_days};

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

const DENIED: &str = "Permission denied\n";

/// Targets, as `help` shows them.
const TARGETS: [(&str, &str); 3] = [
    ("@!<pid>", "send a command to the <pid> process"),
    (
        "@<relative pid>",
        "send a command to the <relative pid> process",
    ),
    ("@master", "send a command to the master process"),
];

impl Master<'_> {
    /// Serves the command socket until its clients want nothing that could be done at once.
    pub(super) fn serve_clients(&mut self) {
        loop {
            let orders = self.window.turn();
            if orders.is_empty() {
                return;
            }
            for (client, order) in orders {
                match order {
                    Order::Turn(target) => match self.find(target) {
                        Err(sentence) => self.window.dismiss(client, &sentence),
                        Ok(worker) => {
                            let pid = worker.map(|worker| worker.pid);
                            self.window.turned(client, pid);
                        }
                    },
                    Order::Forward(target, request) => self.connect(client, target, request),
                    Order::Own(words) => {
                        let words: Vec<&str> = words.iter().map(String::as_str).collect();
                        self.obey(client, &words);
                    }
                }
            }
        }
    }

    /// The worker that is meant; none for the master itself.
    fn find(&self, target: Target) -> Result<Option<&Worker>, String> {
        let found = match target {
            Target::Master => return Ok(None),
            Target::Current => self.workers.current(),
            Target::Nobody(_) => None,
            Target::Pid(pid) if pid == process::pid() => return Ok(None),
            Target::Pid(pid) => self.workers.iter().find(|worker| worker.pid == pid),
        };
        found
            .map(Some)
            .ok_or_else(|| nobody(&format!("@{}", target.name())))
    }

    fn connect(&mut self, client: ClientKey, target: Target, request: String) {
        let level = self.window.level(client);
        let modes = self.window.modes(client).copied().unwrap_or_default();
        let lent = match self.find(target) {
            Err(sentence) => return self.window.dismiss(client, &sentence),
            Ok(None) => return self.window.answer(client, "This is the master.\n"),
            Ok(Some(worker)) => {
                let pair = socket::pair(socket::Kind::Stream).and_then(|(mine, theirs)| {
                    socket::set_nonblocking(&mine, true)?;
                    worker.link.send_operator((level, modes), &theirs)?;
                    Ok(mine)
                });
                pair.map_err(|e| format!("Can't reach the worker: {}\n", text(&e)))
            }
        };
        match lent {
            Ok(connection) => self.window.lend(client, connection, request),
            Err(sentence) => self.window.dismiss(client, &sentence),
        }
    }

    fn obey(&mut self, client: ClientKey, words: &[&str]) {
        let level = self.window.level(client);
        let answer = match words {
            ["reload" | "hard-reload", ..] if level < Level::Operator => DENIED.to_owned(),
            ["experimental-mode" | "expert-mode", ..] if level < Level::Admin => DENIED.to_owned(),
            [mode @ ("experimental-mode" | "expert-mode"), rest @ ..] => {
                self.switch(client, mode, rest)
            }
            [how @ ("reload" | "hard-reload"), ..] => {
                return self.reloads.ask(client, *how == "hard-reload");
            }
            [target, ..] if target.starts_with('@') => {
                return self.window.dismiss(client, &nobody(target));
            }
            ["quit", ..] => return self.window.dismiss(client, ""),
            ["prompt", ..] => return self.window.toggle_prompt(client),
            ["operator"] => return self.lower(client, Level::Operator),
            ["user"] => return self.lower(client, Level::User),
            ["show", "proc", ..] => self.processes(),
            ["show", "drain"] => self.leaving_shown(),
            ["show", "version"] => format!("{}\n", build_info::LANGUAGE),
            ["show", "startup-logs"] => self.reloads.said.clone(),
            ["show", "cli", "level"] => format!("{}\n", level_name(level)),
            ["show", "cli", "sockets"] => self.sockets_shown(),
            ["help", about @ ..] => help(level, about),
            [] => String::new(),
            _ => unknown(level, words),
        };
        self.window.answer(client, &answer);
    }

    /// Switches a mode for all workers that the client asks, or tells its state.
    fn switch(&mut self, client: ClientKey, name: &str, words: &[&str]) -> String {
        let Some(modes) = self.window.modes(client) else {
            return String::new();
        };
        let flag = match name {
            "expert-mode" => &mut modes.expert,
            _ => &mut modes.experimental,
        };
        match words.first().copied() {
            Some("on") => *flag = true,
            Some("off") => *flag = false,
            Some(_) => {}
            None => return format!("{name} is {}\n", if *flag { "ON" } else { "OFF" }),
        }
        String::new()
    }

    fn lower(&mut self, client: ClientKey, level: Level) {
        self.window.lower(client, level);
        self.window.answer(client, "");
    }

    fn sockets_shown(&self) -> String {
        let mut text = "# socket lvl processes\n".to_owned();
        for (address, level) in self.window.doors() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{address} {} all", level_name(level));
        }
        text
    }

    /// `show drain`: former workers, and what keeps them.
    fn leaving_shown(&self) -> String {
        let now = Tick::from_millis(clock::monotonic_ms());
        self.workers
            .leaving()
            .fold(Holding::head(), |text, worker| {
                let pid = worker.pid.unsigned_abs();
                text + &match worker.held {
                    Some(held) => held.holding.line(pid, held.since, held.told, now),
                    None => format!("{pid:<15} -\n"),
                }
            })
    }

    /// `show proc`.
    fn processes(&self) -> String {
        let now = clock::monotonic_ms();
        let mut text = row("#<PID>", "<type>", "<reloads>", "<uptime>", "<version>");
        let reloads = format!("{} [failed: {}]", self.reloads.count, self.reloads.failures);
        text += &row(
            &process::pid().to_string(),
            "master",
            &reloads,
            &in_days(now.saturating_sub(self.born)),
            build_info::LANGUAGE,
        );
        let shown = |worker: &Worker| {
            row(
                &worker.pid.to_string(),
                "worker",
                &worker.reloads.to_string(),
                &in_days(now.saturating_sub(worker.born)),
                build_info::LANGUAGE,
            )
        };
        text += "# workers\n";
        let staying = self.workers.iter().filter(|worker| !worker.is_leaving());
        text.extend(staying.map(shown));
        if self.workers.leaving().next().is_some() {
            text += "# old workers\n";
            text.extend(self.workers.leaving().map(shown));
        }
        text += "# programs\n";
        let programs = self.programs.all();
        let shown = |running: &Running| {
            row(
                &running.pid.to_string(),
                &running.name,
                &running.reloads.to_string(),
                &in_days(now.saturating_sub(running.born)),
                "-",
            )
        };
        text.extend(programs.iter().filter(|p| !p.leaves).map(shown));
        if programs.iter().any(|program| program.leaves) {
            text += "# old programs\n";
            text.extend(programs.iter().filter(|p| p.leaves).map(shown));
        }
        text
    }
}

/// What is said where a target is no process.
fn nobody(target: &str) -> String {
    format!("Can't find the target PID matching the prefix '{target}'\n")
}

/// A row of `show proc`.
fn row(pid: &str, kind: &str, reloads: &str, uptime: &str, version: &str) -> String {
    format!("{pid:<15} {kind:<15} {reloads:<15} {uptime:<15} {version:<15}\n")
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::User => "user",
        Level::Operator => "operator",
        Level::Admin => "admin",
    }
}

fn help(level: Level, about: &[&str]) -> String {
    let mut text = "The following commands are valid at this level:\n".to_owned();
    list(level, about, &mut text);
    text
}

fn unknown(level: Level, words: &[&str]) -> String {
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
    fn rows_have_the_columns_that_readers_expect() {
        assert_eq!(
            row("#<PID>", "<type>", "<reloads>", "<uptime>", "<version>"),
            "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
        );
        assert_eq!(in_days(90_061_000), "1d01h01m01s");
    }

    #[test]
    fn help_shows_what_the_level_allows() {
        assert!(help(Level::Admin, &[]).contains("  reload  "));
        assert!(!help(Level::User, &[]).contains("  reload  "));
        let about = help(Level::Admin, &["show", "proc"]);
        assert!(about.contains("show proc") && !about.contains("show version"));
        assert!(unknown(Level::Admin, &["foo"]).contains("show proc"));
    }
}
