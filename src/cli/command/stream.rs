//! Commands on streams.

use std::sync::Arc;

use super::super::operator::{Operator, Order};
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, outcome, row, server};
use crate::site::Level;
use crate::stream::Roundup;

pub(super) const ROWS: &[Row] = &[
    row(
        "show sess",
        "show sess [id]",
        "report the list of current sessions or dump this exact session",
        Level::Operator,
        show,
    ),
    row(
        "shutdown session",
        "shutdown session [id]",
        "kill a specific session",
        Level::Admin,
        |call| match number(call.word(2)) {
            Some(id) => outcome(call.operator.carry_out(&Order::KillStream(id))),
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
    let word = call.word(2);
    let (only, detailed) = match word {
        "" => (None, false),
        "all" => (None, true),
        _ => match number(word) {
            Some(id) => (Some(id), true),
            None => return Reply::error("Session not found."),
        },
    };
    Reply::Dump(Box::new(Streams {
        only,
        detailed,
        roundup: None,
        lines: None,
    }))
}

struct Streams {
    only: Option<u64>,
    detailed: bool,
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
            .get_or_insert_with(|| operator.streams(self.only, self.detailed));
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => match roundup.take() {
                None => return Piece::Wait,
                Some(lines) if lines.is_empty() && self.only.is_some() => {
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
        assert_eq!(
            ask(Level::Admin, "shutdown session\n"),
            "Session pointer expected (use 'show sess').\n\n"
        );
    }
}
