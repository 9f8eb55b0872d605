//! Commands on streams.

use std::sync::Arc;

use crate::lang::quantity::{self, Unit};
use crate::time::Millis;

use super::super::operator::{Operator, Order};
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, outcome, row, server};
use crate::site::Level;
use crate::stream::{Inquiry, Roundup, Wanted};

pub(super) const ROWS: &[Row] = &[
    row(
        "show sess",
        "show sess [<id>|older <age>|susp|all]",
        "report the list of current streams or dump this exact stream",
        Level::Operator,
        show,
    ),
    row(
        "shutdown session",
        "shutdown session [id]",
        "kill a specific session",
        Level::Admin,
        |call| match number(call.word(2)) {
            Some(id) => Reply::Dump(Box::new(Kill { id, roundup: None })),
            None => Reply::error("Session pointer expected (use 'show sess')."),
        },
    ),
    row(
        "shutdown sessions server",
        "shutdown sessions server <bk>/<srv>",
        "kill sessions on a server",
        Level::Admin,
        |call| match server::find(call, 3) {
            Ok(id) => outcome(call.operator.carry_out(&Order::KillStreams(id))),
            Err(reply) => reply,
        },
    ),
];

/// A stream's number, as `show sess` shows it.
fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn show(call: &mut Call<'_>) -> Reply {
    let (wanted, detailed) = match call.word(2) {
        "" => (Wanted::All, false),
        "all" => (Wanted::All, true),
        "susp" => (Wanted::Endless, true),
        "older" => match age(call.word(3)) {
            Ok(age) => (Wanted::Older(age), true),
            Err(reply) => return reply,
        },
        word => match number(word) {
            Some(id) => (Wanted::One(id), true),
            None => return Reply::error("Session not found."),
        },
    };
    Reply::Dump(Box::new(Streams {
        asked: Inquiry {
            wanted,
            detailed,
            mask: call.settings.mask,
        },
        roundup: None,
        lines: None,
    }))
}

fn age(text: &str) -> Result<Millis, Reply> {
    if text.is_empty() {
        return Err(Reply::error(
            "Expects a minimum age (in seconds by default).",
        ));
    }
    let age = quantity::time(text.as_bytes(), Unit::Seconds, Unit::Millis);
    age.map(|age| Millis::new(age.value))
        .map_err(|_| Reply::error("Invalid age."))
}

/// `shutdown session`: asks whether there is such a stream, then has it end.
struct Kill {
    id: u64,
    roundup: Option<Arc<Roundup>>,
}

impl Dump for Kill {
    fn next(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let asked = Inquiry {
            wanted: Wanted::One(self.id),
            ..Inquiry::default()
        };
        let asked = self.roundup.get_or_insert_with(|| operator.streams(asked));
        match asked.take() {
            None => return Piece::Wait,
            Some(lines) if lines.is_empty() => {
                out.extend_from_slice(b"No such session (use 'show sess').\n");
            }
            // What can be refused was asked before.
            Some(_) => drop(operator.carry_out(&Order::KillStream(self.id))),
        }
        Piece::Last
    }
}

struct Streams {
    asked: Inquiry,
    /// The question that was asked.
    roundup: Option<Arc<Roundup>>,
    /// What was gathered and is not written yet.
    lines: Option<std::vec::IntoIter<String>>,
}

/// How many streams are written at once.
const STREAMS_AT_ONCE: usize = 64;

impl Dump for Streams {
    fn next(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let roundup = self
            .roundup
            .get_or_insert_with(|| operator.streams(self.asked));
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => match roundup.take() {
                None => return Piece::Wait,
                Some(lines) if lines.is_empty() && matches!(self.asked.wanted, Wanted::One(_)) => {
                    out.extend_from_slice(b"Session not found.\n");
                    return Piece::Last;
                }
                Some(lines) => self.lines.insert(lines.into_iter()),
            },
        };
        for line in lines.by_ref().take(STREAMS_AT_ONCE) {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        if lines.len() > 0 {
            Piece::More
        } else {
            Piece::Last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{ask, orders};
    use super::*;

    #[test]
    fn streams_are_listed_and_killed() {
        assert_eq!(
            ask(Level::Admin, "show sess\n"),
            "0x1: proto=tcpv4\n0x2: proto=tcpv4\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "show sess 0x9\n"),
            "Session not found.\n\n"
        );
        assert_eq!(
            orders("shutdown session 0x2;shutdown sessions server b/s1"),
            "KillStream(2)|KillStreams(ServerId(0))"
        );
        for (line, said) in [
            ("show sess older 59", "0x1: proto=tcpv4\n"),
            ("show sess older 1m", ""),
            ("show sess susp", ""),
            (
                "show sess older",
                "Expects a minimum age (in seconds by default).\n",
            ),
            ("show sess older x", "Invalid age.\n"),
            (
                "shutdown session 0x9",
                "No such session (use 'show sess').\n",
            ),
        ] {
            assert_eq!(
                ask(Level::Admin, &format!("{line}\n")),
                format!("{said}\n"),
                "{line}"
            );
        }
        assert_eq!(
            ask(Level::Admin, "shutdown session\n"),
            "Session pointer expected (use 'show sess').\n\n"
        );
    }
}
