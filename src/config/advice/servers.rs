//! Servers that no request reaches.

use super::{Section, inherited};
use crate::lang::{Diag, Word};

/// Words by which a server can be found to be down.
const WATCHED: [&str; 4] = ["check", "agent-check", "track", "observe"];

pub(super) fn look(sections: &[Section<'_>], found: &mut Vec<Diag>) {
    for (at, section) in sections.iter().enumerate().filter(|(_, s)| s.is_back()) {
        let servers: Vec<Server<'_>> = servers(sections, at);
        for server in &servers {
            single(server, found);
        }
        backups(&servers, found);
        namesakes(&servers, found);
        let first = inherited(sections, at, &["balance"]);
        if first.is_some_and(|rest| rest.first().is_some_and(|word| word.is("first"))) {
            behind_first(&servers, found);
        }
        let _ = section;
    }
}

/// A server with what it was given, its defaults first.
struct Server<'a> {
    name: &'a Word,
    given: Vec<&'a Word>,
}

impl Server<'_> {
    fn has(&self, word: &str) -> bool {
        let no = format!("no-{word}");
        let last = self
            .given
            .iter()
            .rev()
            .find(|own| own.is(word) || own.is(&no));
        last.is_some_and(|own| own.is(word))
    }

    /// The value behind the last `word`.
    fn value(&self, word: &str) -> Option<&Word> {
        let at = self.given.iter().rposition(|own| own.is(word))?;
        self.given.get(at + 1).copied()
    }
}

fn servers<'a>(sections: &[Section<'a>], at: usize) -> Vec<Server<'a>> {
    let section = &sections[at];
    let mut defaults: Vec<&Word> = Vec::new();
    if let Some(base) = super::base(sections, at) {
        defaults.extend(base.of(&["default-server"]).flat_map(|(_, rest)| rest));
    }
    let mut servers = Vec::new();
    for line in &section.lines {
        match (line[0].str(), line) {
            ("default-server", [_, rest @ ..]) => defaults.extend(rest),
            ("server", [_, name, _, rest @ ..]) => servers.push(Server {
                name,
                given: defaults.iter().copied().chain(rest).collect(),
            }),
            _ => {}
        }
    }
    servers
}

fn never(server: &Server<'_>, why: &str) -> Diag {
    let text = format!("server '{}' is never used.", server.name.shown());
    Diag::notice(server.name.span, text).with_reason(why)
}

fn single(server: &Server<'_>, found: &mut Vec<Diag>) {
    if server.has("disabled") && !server.has("enabled") {
        found.push(never(
            server,
            "it is 'disabled' until an operator enables it",
        ));
    } else if server.value("weight").is_some_and(|weight| weight.is("0")) {
        let text = format!("server '{}' gets no new clients.", server.name.shown());
        let why = "with weight 0 it serves only those whom a cookie or a table leads to it";
        found.push(Diag::notice(server.name.span, text).with_reason(why));
    }
}

/// Servers that one cookie value stands for: the first of them gets all its clients.
fn namesakes(servers: &[Server<'_>], found: &mut Vec<Diag>) {
    for (at, server) in servers.iter().enumerate() {
        let Some(value) = server.value("cookie") else {
            continue;
        };
        let before = &servers[..at];
        let same = |other: &&Server<'_>| {
            other
                .value("cookie")
                .is_some_and(|own| own.bytes == value.bytes)
        };
        if let Some(other) = before.iter().find(same) {
            let text = format!(
                "servers '{}' and '{}' have the same cookie, '{}'.",
                other.name.shown(),
                server.name.shown(),
                value.shown()
            );
            let why = "who comes back with it is sent to the first of them";
            found.push(Diag::notice(value.span, text).with_reason(why));
        }
    }
}

/// Backups wait for the others to go down, which somebody has to find out.
fn backups(servers: &[Server<'_>], found: &mut Vec<Diag>) {
    let mut active = servers
        .iter()
        .filter(|server| !server.has("backup"))
        .peekable();
    if active.peek().is_none() {
        return;
    }
    let forever = active
        .any(|server| !WATCHED.iter().any(|word| server.has(word)) && !server.has("disabled"));
    if !forever {
        return;
    }
    for server in servers.iter().filter(|server| server.has("backup")) {
        found.push(never(
            server,
            "it is a backup, and a server without 'check' never goes down",
        ));
    }
}

/// `balance first` goes on to the next server when one is full, which takes a limit.
fn behind_first(servers: &[Server<'_>], found: &mut Vec<Diag>) {
    let mut full = servers.iter().filter(|server| !server.has("backup"));
    let limitless = full.find(|server| server.value("maxconn").is_none_or(|limit| limit.is("0")));
    let Some(limitless) = limitless else {
        return;
    };
    if WATCHED.iter().any(|word| limitless.has(word)) {
        return;
    }
    for server in full {
        found.push(never(
            server,
            "'balance first' fills the servers in turn, and one before it has no 'maxconn'",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    fn never(lines: &str) -> usize {
        let advice = advice_of(&format!("listen b\nbind :1\n{lines}"));
        advice
            .iter()
            .filter(|text| text.starts_with("server"))
            .count()
    }

    #[test]
    fn servers_that_get_nothing() {
        for lines in [
            "server a 1:1 disabled",
            "server a 1:1 weight 0",
            "server a 1:1\nserver b 1:1 backup",
            "default-server backup\nserver a 1:1 no-backup\nserver b 1:1",
            "balance first\nserver a 1:1\nserver b 1:1",
        ] {
            assert_eq!(never(lines), 1, "{lines}");
        }
    }

    #[test]
    fn servers_that_may_get_something() {
        for lines in [
            "server a 1:1 weight 1",
            "server a 1:1 check\nserver b 1:1 backup",
            "default-server check\nserver a 1:1\nserver b 1:1 backup",
            "server a 1:1 backup\nserver b 1:1 backup",
            "balance first\nserver a 1:1 maxconn 5\nserver b 1:1",
            "balance first\nserver a 1:1 check\nserver b 1:1",
        ] {
            assert_eq!(never(lines), 0, "{lines}");
        }
    }
}
