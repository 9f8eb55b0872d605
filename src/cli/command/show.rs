//! Commands that show the process: version, environment, backends, sockets, rings, errors.

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row};
use crate::dns::run::Story;
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show version",
        "show version",
        "show version of the current process",
        Level::User,
        |call| Reply::Text(format!("{}\n", call.operator.version()).into_bytes()),
    ),
    row(
        "show env",
        "show env [var]",
        "dump environment variables known to the process",
        Level::Operator,
        environment,
    ),
    row(
        "show backend",
        "show backend",
        "list backends in the current running config",
        Level::User,
        |call| {
            let mask = call.settings.mask;
            let names = call.operator.backend_names();
            let names: Vec<_> = names.iter().map(|name| mask.name(name)).collect();
            Reply::long(format!("# name\n{}\n", names.join("\n")).into_bytes())
        },
    ),
    row(
        "show drain",
        "show drain",
        "show what keeps former processes from leaving",
        Level::User,
        |call| Reply::Text(call.operator.drains().into_bytes()),
    ),
    row(
        "show sandbox",
        "show sandbox",
        "show what the process has forbidden itself and what the kernel lacks",
        Level::User,
        |call| Reply::Text(call.operator.sandbox().into_bytes()),
    ),
    row(
        "show cli sockets",
        "show cli sockets",
        "dump list of cli sockets",
        Level::User,
        |call| {
            let mut text = String::from("# socket lvl processes\n");
            for socket in call.operator.sockets() {
                text.push_str(&format!("{} {} all\n", socket.address, socket.level));
            }
            Reply::Text(text.into_bytes())
        },
    ),
    row(
        "show startup-logs",
        "show startup-logs",
        "report logs emitted during HAProxy startup",
        Level::Operator,
        |call| {
            let text = call.operator.startup_logs();
            Reply::long(if text.is_empty() {
                b"\n".to_vec()
            } else {
                text.into_bytes()
            })
        },
    ),
    row(
        "show events",
        "show events [<sink>] [-w] [-n]",
        "show event sink state",
        Level::User,
        events,
    ),
    row(
        "show errors",
        "show errors [<px>] [request|response]",
        "report last request and/or response errors for each proxy",
        Level::Operator,
        errors,
    ),
    row(
        "show cache",
        "show cache",
        "show cache status",
        Level::Operator,
        |call| Reply::long(call.operator.caches().concat().into_bytes()),
    ),
    row(
        "show peers",
        "show peers [dict|-] [section]",
        "dump some information about all the peers or this peers section",
        Level::User,
        |call| {
            let has_option = matches!(call.word(2), "dict" | "-");
            let section = call.word(if has_option { 3 } else { 2 });
            match call.operator.peers(section) {
                Some(text) => Reply::long(text.into_bytes()),
                None => Reply::error("No such peers"),
            }
        },
    ),
    row(
        "show resolvers",
        "show resolvers [id]",
        "dumps counters from all resolvers section and associated name servers",
        Level::User,
        |call| {
            if call.word(2) == "explain" && !call.word(3).is_empty() {
                return match call.operator.explain(call.word(3)) {
                    Ok(story) => Reply::Dump(Box::new(Explained(story))),
                    Err(text) => Reply::error(text),
                };
            }
            let section = Some(call.word(2)).filter(|word| !word.is_empty());
            match call.operator.resolvers(section) {
                Ok(text) => Reply::long(text.into_bytes()),
                Err(text) => Reply::error(text),
            }
        },
    ),
];

/// `show resolvers explain`: waits for the end of the lookup, which takes no longer than the host's resolver may.
struct Explained(Story);

impl Dump for Explained {
    fn next(&mut self, _: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let Some(text) = self.0.get() else {
            return Piece::Wait;
        };
        out.extend_from_slice(text.as_bytes());
        Piece::Last
    }
}

fn environment(call: &mut Call<'_>) -> Reply {
    let variables = call.operator.environment();
    let wanted = call.word(2);
    let mut text = String::new();
    for (name, value) in &variables {
        if wanted.is_empty() || name == wanted {
            text.push_str(&format!("{name}={value}\n"));
        }
    }
    match text.is_empty() && !wanted.is_empty() {
        true => Reply::error("Variable not found"),
        false => Reply::long(text.into_bytes()),
    }
}

fn events(call: &mut Call<'_>) -> Reply {
    let rings = call.operator.rings();
    let wanted = call.word(2);
    if wanted.is_empty() {
        let mut text = String::from(
            "Supported events sinks are listed below. Add -w(wait), -n(new). Any key to stop\n",
        );
        for ring in rings {
            let about = ring.description.as_deref().unwrap_or(&ring.name);
            text.push_str(&format!(
                "    {:<10} : type=buffer, 0 dropped, {about}\n",
                ring.name
            ));
        }
        return Reply::Text(text.into_bytes());
    }
    let Some(ring) = rings.into_iter().find(|ring| &*ring.name == wanted) else {
        return Reply::error("No such event sink");
    };
    let (mut wait, mut new) = (false, false);
    for word in &call.words[3..] {
        match word.as_str() {
            "-w" => wait = true,
            "-n" => new = true,
            "-wn" | "-nw" => (wait, new) = (true, true),
            _ => return Reply::error("unknown option"),
        }
    }
    let next = if new { ring.read(u64::MAX, 0).next } else { 0 };
    Reply::Dump(Box::new(Events { ring, next, wait }))
}

/// The lines of a ring, and those that come while somebody waits.
struct Events {
    ring: std::sync::Arc<crate::log::Ring>,
    next: u64,
    wait: bool,
}

/// How many lines are taken from a ring at once.
const EVENTS_AT_ONCE: usize = 64;

impl Dump for Events {
    fn next(&mut self, _: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let batch = self.ring.read(self.next, EVENTS_AT_ONCE);
        self.next = batch.next;
        for line in &batch.lines {
            out.extend_from_slice(line);
        }
        match (batch.lines.is_empty(), self.wait) {
            (false, _) => Piece::More,
            (true, true) => Piece::Wait,
            (true, false) => Piece::Last,
        }
    }
}

fn errors(call: &mut Call<'_>) -> Reply {
    let proxy = match call.word(2) {
        "" | "-1" => None,
        word => match call.operator.proxy(word) {
            Some(number) => Some(number),
            None => return Reply::error("No such proxy."),
        },
    };
    let response = match call.word(3) {
        "request" => Some(false),
        "response" => Some(true),
        _ => None,
    };
    Reply::long(call.operator.errors(proxy, response).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn the_process_is_shown() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        assert_eq!(asked("show backend"), "# name\nb\n\n");
        assert_eq!(asked("show env HOME"), "HOME=/root\n\n");
        assert_eq!(asked("show env NOPE"), "Variable not found\n\n");
        assert_eq!(
            asked("show cli sockets"),
            "# socket lvl processes\nunix@/s admin all\n\n"
        );
        assert_eq!(asked("show startup-logs"), "\n\n");
        assert_eq!(asked("show errors"), "Total events captured on [] : 0\n\n");
        assert_eq!(asked("show errors zz"), "No such proxy.\n\n");
        let counted = "Total events captured on [] : 0\n\n";
        assert_eq!(asked("show errors -1 response"), counted);
        assert_eq!(asked("show errors 3 request"), counted);
    }

    #[test]
    fn rings_are_read_to_their_end() {
        assert_eq!(ask(Level::Admin, "show events r\n"), "one\ntwo\n\n");
        assert_eq!(
            ask(Level::Admin, "show events zz\n"),
            "No such event sink\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "show events r -x\n"),
            "unknown option\n\n"
        );
        assert_eq!(ask(Level::Admin, "show events r -n\n"), "\n");
        assert_eq!(
            ask(Level::Admin, "show events -w\n"),
            "No such event sink\n\n"
        );
        let sinks = ask(Level::User, "show events\n");
        assert!(
            sinks.contains("    r          : type=buffer, 0 dropped, r\n"),
            "{sinks}"
        );
    }
}
