//! What the master does for clients of its command socket.

use std::fmt::Write as _;

use super::Master;
use super::help::{DEBUG_COMMANDS, help, unknown};
use super::workers::Worker;
use crate::boot::build_info;
use crate::boot::orders::{Order, Target};
use crate::boot::privileges::text;
use crate::boot::programs::Running;
use crate::boot::window::ClientKey;
use crate::cli;
use crate::site::{Holding, Level};
use crate::sys::{clock, process, socket};
use crate::time::{Tick, in_days};

const DENIED: &str = "Permission denied\n";

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
                            let born = worker.map_or(self.born, |worker| worker.born);
                            self.window.turned(client, pid, born);
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
            ["experimental-mode" | "expert-mode" | "mcli-debug-mode", ..]
                if level < Level::Admin =>
            {
                DENIED.to_owned()
            }
            ["mcli-debug-mode", rest @ ..] => self
                .window
                .debugs(client)
                .map_or_else(String::new, |on| switch("mcli-debug-mode", on, rest)),
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
            ["prompt", "timed"] => return self.window.toggle_timed(client, self.born),
            ["prompt", ..] => return self.window.toggle_prompt(client),
            ["operator"] => return self.lower(client, Level::Operator),
            ["user"] => return self.lower(client, Level::User),
            ["show", "proc", ..] => self.processes(),
            ["show", "drain"] => self.leaving_shown(),
            ["show", "version"] => format!("{}\n", build_info::LANGUAGE),
            ["show", "startup-logs"] => self.reloads.said.clone(),
            ["show", "cli", "level"] => format!("{}\n", level_name(level)),
            ["show", "cli", "sockets"] => self.sockets_shown(),
            ["help", about @ ..] => {
                let opened = self.window.debugs(client).is_some_and(|on| *on);
                help(level, about) + if opened { DEBUG_COMMANDS } else { "" }
            }
            [] => String::new(),
            words => self
                .inside(client, words)
                .unwrap_or_else(|| unknown(level, words)),
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
        switch(name, flag, words)
    }

    /// What a worker's commands tell of the master, in `mcli-debug-mode`.
    fn inside(&mut self, client: ClientKey, words: &[&str]) -> Option<String> {
        let opened = *self.window.debugs(client)? && self.window.level(client) >= Level::Operator;
        match words {
            _ if !opened => None,
            ["show", "fd", rest @ ..] => Some(cli::descriptors(rest)),
            ["show", "libs"] => Some(cli::libraries()),
            ["show", "env", rest @ ..] => Some(environment(rest.first().copied())),
            _ => None,
        }
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

/// Switches a mode, or tells its state.
fn switch(name: &str, flag: &mut bool, words: &[&str]) -> String {
    match words.first().copied() {
        Some("on") => *flag = true,
        Some("off") => *flag = false,
        Some(_) => {}
        None => return format!("{name} is {}\n", if *flag { "ON" } else { "OFF" }),
    }
    String::new()
}

/// `show env` of the master.
fn environment(wanted: Option<&str>) -> String {
    let all = std::env::vars_os();
    let text = all.filter(|(name, _)| wanted.is_none_or(|wanted| name == wanted));
    let text: String = text
        .map(|(name, value)| format!("{}={}\n", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    match text.is_empty() {
        true => "Variable not found\n".to_owned(),
        false => text,
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
}
