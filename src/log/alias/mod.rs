//! The aliases of log formats: `%ci`, `%Ta`, `%tsc` and the rest, their names and what they show.
//!
//! One row an alias: its name, and where in the [`Record`] it looks. [`Row::write`] reads the record (and, for captures, the
//! facts) and appends to the line; it computes nothing that the record does not already say.

mod capture;
mod endpoint;
mod request;

pub(super) use endpoint::{ip, port};

use crate::sample::{Census, Facts, Wall};

use super::dates::Dates;
use super::record::{Endpoint, Record};
use super::style::{Pen, Style};
use Alias::{
    Captured, Date, Hexable, Ip, Letters, Millis, Number, Part, Plus, Port, Text, Transport,
};

/// One alias.
#[derive(Debug)]
pub(super) struct Row {
    /// The name after the percent sign.
    pub(super) name: &'static str,
    alias: Alias,
    /// Whether it needs `mode http`.
    pub(super) http_only: bool,
    /// Whether it shows a total, which is known at the end.
    pub(super) at_end: bool,
}

/// What an alias shows of a record.
#[derive(Debug)]
enum Alias {
    /// The address of an endpoint.
    Ip(Of<Option<Endpoint>>),
    /// Its port.
    Port(Of<Option<Endpoint>>),
    /// A moment in a spelling.
    Date(Spelling, Of<Wall>),
    /// The milliseconds of acceptance.
    Millis,
    /// A number.
    Number(Of<i64>),
    /// A number, with `+` before it where it is larger in truth.
    Plus(Of<i64>, Of<bool>),
    /// A number that may be asked for in hexadecimal.
    Hexable(Of<u32>),
    /// A text that may be missing.
    Text(for<'a> fn(&Record<'a>) -> Option<&'a [u8]>),
    /// The frontend, with `~` when the connection is encrypted.
    Transport,
    /// A part of the request line.
    Part(fn(&[u8]) -> Option<&[u8]>),
    /// Captured fields.
    Captured {
        /// Of the response instead of the request.
        response: bool,
        /// As a list in the style of the common log format.
        list: bool,
    },
    /// The termination letters: two or four.
    Letters(u8),
}

type Of<T> = fn(&Record<'_>) -> T;
type Spelling = fn(&mut Dates, &mut Vec<u8>, Wall, &dyn Census);

const fn row(name: &'static str, alias: Alias) -> Row {
    Row {
        name,
        alias,
        http_only: false,
        at_end: false,
    }
}

impl Row {
    const fn http(mut self) -> Self {
        self.http_only = true;
        self
    }

    const fn at_end(mut self) -> Self {
        self.at_end = true;
        self
    }
}

/// Every alias.
#[rustfmt::skip]
pub(super) const ALIASES: &[Row] = &[
    row("B", Plus(|r| long(r.bytes_down), goes_on)).at_end(),
    row("CC", Text(|r| r.http?.request_cookie)).http(),
    row("CS", Text(|r| r.http?.response_cookie)).http(),
    row("H", Text(|r| Some(r.process.hostname.as_bytes()))),
    row("HM", Part(request::method)).http(),
    row("HP", Part(request::target_path)).http(),
    row("HPO", Part(request::path)).http(),
    row("HQ", Part(request::query)).http(),
    row("HU", Part(request::target)).http(),
    row("HV", Part(request::version)).http(),
    row("ID", Text(|r| r.unique_id)),
    row("OG", Text(|r| Some(r.origin.word().as_bytes()))),
    row("ST", Number(status)),
    row("T", Date(Dates::universal, accepted)),
    row("TR", Number(|r| r.timers.t_request())).http(),
    row("Ta", Plus(|r| r.timers.ta(), goes_on)).at_end().http(),
    row("Tc", Number(|r| r.timers.tc())),
    row("Td", Number(|r| r.timers.td(r.http_mode))).at_end(),
    row("Th", Number(|r| r.timers.handshake.into())),
    row("Ti", Number(|r| r.timers.ti())).http(),
    row("Tl", Date(Dates::local, accepted)),
    row("Tq", Number(|r| r.timers.tq())).http(),
    row("Tr", Number(|r| r.timers.t_response())).http(),
    row("Ts", Hexable(|r| u32::try_from(r.accepted.secs).unwrap_or(0))),
    row("Tt", Plus(|r| r.timers.tt(), goes_on)).at_end(),
    row("Tu", Plus(|r| r.timers.tu(), goes_on)).at_end(),
    row("Tw", Number(|r| r.timers.tw())),
    row("U", Number(|r| long(r.bytes_up))).at_end(),
    row("ac", Number(|r| r.counts.actconn.into())),
    row("b", Text(|r| Some(r.backend.as_bytes()))),
    row("bc", Number(|r| r.counts.beconn.into())),
    row("bi", Ip(connecting)),
    row("bp", Port(connecting)),
    row("bq", Number(|r| r.queues.backend.into())),
    row("ci", Ip(|r| r.client)),
    row("cp", Port(|r| r.client)),
    row("f", Text(|r| Some(r.frontend.as_bytes()))),
    row("fc", Number(|r| r.counts.feconn.into())),
    row("fi", Ip(|r| r.accepting)),
    row("fp", Port(|r| r.accepting)),
    row("ft", Transport),
    row("hr", Captured { response: false, list: false }),
    row("hrl", Captured { response: false, list: true }),
    row("hs", Captured { response: true, list: false }),
    row("hsl", Captured { response: true, list: true }),
    row("lc", Hexable(|r| r.log_counter)),
    row("ms", Millis),
    row("pid", Hexable(|r| r.process.pid)),
    row("r", Part(request::line)).http(),
    row("rc", Plus(|r| r.counts.retries.into(), |r| r.counts.redispatched)),
    row("rt", Hexable(|r| r.request_counter)),
    row("s", Text(|r| Some(r.server.unwrap_or("<NOSRV>").as_bytes()))),
    row("sc", Number(|r| r.counts.srv_conn.into())),
    row("si", Ip(|r| r.target)),
    row("sp", Port(|r| r.target)),
    row("sq", Number(|r| r.queues.server.into())),
    row("sslc", Text(|r| Some(r.tls?.cipher.as_bytes()))),
    row("sslv", Text(|r| Some(r.tls?.version.as_bytes()))),
    row("t", Date(Dates::with_millis, accepted)),
    row("tr", Date(Dates::with_millis, requested)).http(),
    row("trg", Date(Dates::universal, requested)).http(),
    row("trl", Date(Dates::local, requested)).http(),
    row("ts", Letters(2)).at_end(),
    // haproxy: the manual keeps it for HTTP mode, the program does not; here: as the program.
    row("tsc", Letters(4)).at_end(),
];

/// Names that early 1.5 releases used, and their successors.
pub(super) const OLD_NAMES: &[(&str, &str)] = &[
    ("Bi", "bi"),
    ("Bp", "bp"),
    ("Ci", "ci"),
    ("Cp", "cp"),
    ("Fi", "fi"),
    ("Fp", "fp"),
    ("Si", "si"),
    ("Sp", "sp"),
    ("cc", "CC"),
    ("cs", "CS"),
    ("st", "ST"),
];

fn connecting(record: &Record<'_>) -> Option<Endpoint> {
    record.kernel.connecting().map(Endpoint::Inet)
}

fn accepted(record: &Record<'_>) -> Wall {
    record.accepted
}

fn requested(record: &Record<'_>) -> Wall {
    record.requested()
}

fn goes_on(record: &Record<'_>) -> bool {
    !record.finished
}

fn long(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// haproxy: an HTTP session that never got an answer logs -1, a TCP session 0.
fn status(record: &Record<'_>) -> i64 {
    match record.http {
        Some(http) => http.status.map_or(-1, i64::from),
        None => 0,
    }
}

/// What an alias may look at while it is written.
pub(super) struct Source<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) facts: &'a Facts<'a>,
}

impl Row {
    /// Appends what the alias shows; false when it shows nothing at all, not even a dash.
    pub(super) fn write(&self, from: &Source<'_>, dates: &mut Dates, pen: &mut Pen<'_>) -> bool {
        let record = from.record;
        match self.alias {
            Ip(of) => ip(of(record), pen),
            Port(of) => port(of(record), pen),
            Date(spell, of) => {
                let spell = |out: &mut Vec<u8>| spell(dates, out, of(record), from.facts.census);
                spelled(spell, pen);
            }
            Millis => millis(record.accepted.micros / 1000, pen),
            Number(of) => pen.number(of(record)),
            Plus(of, is_larger) => {
                if is_larger(record) && !pen.style.is_encoded() {
                    pen.out.push(b'+');
                }
                pen.number(of(record));
            }
            Hexable(of) => pen.hexable(of(record), 4),
            Text(of) => pen.text(of(record)),
            Transport if record.secure => encrypted(record.frontend, pen),
            Transport => pen.text(Some(record.frontend.as_bytes())),
            Part(of) => request::write(of, record, pen),
            Captured { response, list } => return capture::captured(from, response, list, pen),
            Letters(len) => {
                let letters = &record.letters[..usize::from(len)];
                if pen.style.is_encoded() {
                    pen.encoded_text(letters);
                } else {
                    pen.out.extend_from_slice(letters);
                }
            }
        }
        true
    }
}

fn spelled(spell: impl FnOnce(&mut Vec<u8>), pen: &mut Pen<'_>) {
    let start = pen.out.len();
    spell(pen.out);
    if pen.style.is_encoded() {
        let text: smallvec::SmallVec<[u8; 40]> = pen.out.drain(start..).collect();
        pen.encoded_text(&text);
    }
}

fn millis(millis: u32, pen: &mut Pen<'_>) {
    if !pen.style.has(Style::HEXA) && !pen.style.is_encoded() {
        for limit in [100, 10] {
            if millis < limit {
                pen.out.push(b'0');
            }
        }
    }
    pen.hexable(millis, 2);
}

fn encrypted(frontend: &str, pen: &mut Pen<'_>) {
    let mut text = smallvec::SmallVec::<[u8; 64]>::from_slice(frontend.as_bytes());
    text.push(b'~');
    pen.text(Some(&text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_old_names_lead_somewhere() {
        for (at, row) in ALIASES.iter().enumerate() {
            assert!(
                ALIASES[..at].iter().all(|r| r.name != row.name),
                "{}",
                row.name
            );
        }
        for (old, new) in OLD_NAMES {
            assert!(ALIASES.iter().all(|r| r.name != *old), "{old}");
            assert!(ALIASES.iter().any(|r| r.name == *new), "{new}");
        }
    }
}
