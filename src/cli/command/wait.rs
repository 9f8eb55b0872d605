//! `wait`: a pause, or until a server can be taken away.

use crate::id::ServerId;
use crate::lang::quantity::{self, Unit};
use crate::site::{Level, Needed};
use crate::time::{Millis, Tick};

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row, server};

pub(super) const ROWS: &[Row] = &[row(
    "wait",
    "wait {-h|<delay>} cond [args...]",
    "wait the specified delay or condition (-h to see list)",
    Level::User,
    wait,
)];

const HELP: &str = "Usage: wait {-h|<duration>} [condition [args...]]\n\
                    - '-h' displays this help\n\
                    - <duration> is the maximum wait time, optionally suffixed by the unit among\n  \
                    'us', 'ms', 's', 'm', 'h', and 'd'. ; the default unit is milliseconds.\n\
                    - <condition> indicates what to wait for, no longer than the specified duration.\n  \
                    Supported conditions are:\n    \
                    - <none> : by default, just sleep for the specified duration.\n    \
                    - srv-removable <px>/<sv> : wait for server to become removable.\n";

fn wait(call: &mut Call<'_>) -> Reply {
    if call.word(1) == "-h" {
        return Reply::Text(HELP.as_bytes().to_vec());
    }
    if call.word(1).is_empty() {
        return Reply::error("Expects a duration in milliseconds.");
    }
    let Ok(delay) = quantity::time(call.word(1).as_bytes(), Unit::Millis, Unit::Millis) else {
        return Reply::error("Invalid duration.");
    };
    let server = match call.word(2) {
        "" => None,
        "srv-removable" | "srv-unused" if call.word(3).is_empty() => {
            return Reply::error("Missing server name (<backend>/<server>).");
        }
        "srv-removable" | "srv-unused" => match server::find(call, 3) {
            Ok(id) => Some(id),
            Err(reply) => return reply,
        },
        other => return Reply::error(format!("Unknown condition '{other}', try 'wait -h'.")),
    };
    let until = call.operator.now() + Millis::new(delay.value);
    Reply::Dump(Box::new(Waiting { until, server }))
}

/// Somebody who waits.
struct Waiting {
    until: Tick,
    server: Option<ServerId>,
}

impl Dump for Waiting {
    fn next(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let over = self.until.has_come(operator.now());
        let said = match self.server.map(|id| operator.is_removable(id)) {
            Some(Ok(())) => "Done.",
            // What cannot change is not waited for.
            Some(Err(needed @ (Needed::Named | Needed::Serving))) => needed.sentence(),
            None if over => "Done.",
            Some(Err(Needed::InUse)) if over => "Wait delay expired.",
            Some(Err(Needed::InUse)) | None => return Piece::Wait,
        };
        out.extend_from_slice(said.as_bytes());
        out.push(b'\n');
        Piece::Last
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{Process, ask, ask_in};
    use super::*;

    fn asked(needed: Option<Needed>, line: &str) -> String {
        let mut process = Process::default();
        process.needed = needed;
        ask_in(&mut process, Level::Admin, line)
    }

    #[test]
    fn servers_are_waited_for() {
        let line = "wait 0 srv-removable b/s1\n";
        assert_eq!(asked(None, line), "Done.\n\n");
        assert_eq!(asked(Some(Needed::InUse), line), "Wait delay expired.\n\n");
        let sentence = format!("{}\n\n", Needed::Named.sentence());
        assert_eq!(asked(Some(Needed::Named), line), sentence);
        assert_eq!(ask(Level::User, "wait 0\n"), "Done.\n\n");
    }

    #[test]
    fn nonsense_is_refused() {
        for (line, said) in [
            ("wait", "Expects a duration in milliseconds."),
            ("wait x", "Invalid duration."),
            (
                "wait 1 srv-removable",
                "Missing server name (<backend>/<server>).",
            ),
            ("wait 1 moon", "Unknown condition 'moon', try 'wait -h'."),
            ("wait 1 srv-removable b/zz", "No such server."),
        ] {
            assert_eq!(
                ask(Level::User, &format!("{line}\n")),
                format!("{said}\n\n")
            );
        }
    }
}
