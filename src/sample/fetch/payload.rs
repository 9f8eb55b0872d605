//! The bytes in front of content rules.

use crate::http::Head;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::{BodyView, Facts, Payload};
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value, parse_int};

use Source::{EitherHead, RequestBuffer, ResponseBuffer};

const RANGE: Spec = Spec::all(&[Wants::Int, Wants::Int]);
const LENGTH: Spec = Spec::from(2, &[Wants::Int, Wants::Int, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "payload",
        Kind::Bin,
        EitherHead,
        either,
        "Bytes of the stream, as many as asked for.",
    )
    .with(RANGE)
    .checked(check_range),
    Fetch::each(
        "payload_lv",
        Kind::Bin,
        EitherHead,
        either_lv,
        "Bytes of the stream, as many as its own length field says.",
    )
    .with(LENGTH)
    .checked(check_length),
    Fetch::each(
        "req.len",
        Kind::Int,
        RequestBuffer,
        request_len,
        "How many bytes the client has sent.",
    ),
    Fetch::each(
        "req_len",
        Kind::Int,
        RequestBuffer,
        request_len,
        "As `req.len`.",
    ),
    Fetch::each(
        "req.payload",
        Kind::Bin,
        RequestBuffer,
        request,
        "Bytes of the client's stream, as many as asked for.",
    )
    .with(RANGE)
    .checked(check_range),
    Fetch::each(
        "req.payload_lv",
        Kind::Bin,
        RequestBuffer,
        request_lv,
        "Bytes of the client's stream, as many as its own length field says.",
    )
    .with(LENGTH)
    .checked(check_length),
    Fetch::each(
        "res.len",
        Kind::Int,
        ResponseBuffer,
        response_len,
        "How many bytes the server has sent.",
    ),
    Fetch::each(
        "res.payload",
        Kind::Bin,
        ResponseBuffer,
        response,
        "Bytes of the server's stream, as many as asked for.",
    )
    .with(RANGE)
    .checked(check_range),
    Fetch::each(
        "res.payload_lv",
        Kind::Bin,
        ResponseBuffer,
        response_lv,
        "Bytes of the server's stream, as many as its own length field says.",
    )
    .with(LENGTH)
    .checked(check_length),
    Fetch::once(
        "wait_end",
        Kind::Bool,
        Source::Internal,
        wait_end,
        "True once nothing more is waited for.",
    ),
];

fn wait_end<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    if facts.last_call {
        Sampled::truth(true)
    } else {
        Sampled::NotYet
    }
}

fn check_range(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match (args.int_or(0, 0), args.int_or(1, 0)) {
        (0.., 0..) => Ok(()),
        _ => Err("payload offset and length must be positive".to_string()),
    }
}

fn check_length(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(0, 0) < 0 {
        return Err("payload offset1 must be positive".to_string());
    }
    if !(1..=8).contains(&args.int_or(1, 0)) {
        return Err("payload length must be > 0".to_string());
    }
    match args.text(2).map(second_offset) {
        Some(None) => Err("payload offset2 is not a number".to_string()),
        Some(Some(_)) | None => Ok(()),
    }
}

/// Where the payload begins, and whether that counts from the end of the length: `+n` and `-n` do.
fn second_offset(written: &[u8]) -> Option<(i64, bool)> {
    let relative = matches!(written.first(), Some(b'+' | b'-'));
    let number = parse_int(written.strip_prefix(b"+").unwrap_or(written))?;
    Some((number, relative))
}

pub(super) fn side<'a>(facts: &Facts<'a>, response: bool) -> Payload<'a> {
    if response {
        facts.response_payload
    } else {
        facts.payload
    }
}

/// The side whose rules run: the server's once it has sent something.
pub(super) fn response_runs(facts: &Facts<'_>) -> bool {
    facts.response.is_some() || !facts.response_payload.bytes.is_empty()
}

fn len<'a>(payload: Payload<'_>, walk: &mut Walk) -> Sampled<'a> {
    walk.open = !payload.complete;
    Sampled::int(i64::try_from(payload.bytes.len()).unwrap_or(i64::MAX))
}

/// `len` bytes from `start` on; with a length of 0 whatever is there.
fn range<'a>(payload: Payload<'a>, start: usize, len: usize, walk: &mut Walk) -> Sampled<'a> {
    let bytes = payload.bytes;
    let missing = || match payload.complete {
        true => Sampled::Absent,
        false => Sampled::NotYet,
    };
    if len == 0 {
        walk.open = !payload.complete;
        return bytes
            .get(start..)
            .map_or_else(missing, |b| Sampled::Got(Value::bin(b)));
    }
    let end = start.saturating_add(len);
    bytes
        .get(start..end)
        .map_or_else(missing, |b| Sampled::Got(Value::bin(b)))
}

fn plain<'a>(payload: Payload<'a>, args: &[Arg], walk: &mut Walk) -> Sampled<'a> {
    let number = |at| usize::try_from(args.int_or(at, 0)).unwrap_or(usize::MAX);
    range(payload, number(0), number(1), walk)
}

fn prefixed<'a>(payload: Payload<'a>, args: &[Arg], walk: &mut Walk) -> Sampled<'a> {
    let number = |at| usize::try_from(args.int_or(at, 0)).unwrap_or(usize::MAX);
    let (start, width) = (number(0), number(1));
    let end = start.saturating_add(width);
    let Some(field) = payload.bytes.get(start..end) else {
        return if payload.complete {
            Sampled::Absent
        } else {
            Sampled::NotYet
        };
    };
    let len = field.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
    let Ok(len) = usize::try_from(len) else {
        return Sampled::Absent;
    };
    if len == 0 {
        return Sampled::Absent;
    }
    let (offset, relative) = args.text(2).and_then(second_offset).unwrap_or((0, true));
    let from = if relative || offset == 0 {
        i64::try_from(end)
            .unwrap_or(i64::MAX)
            .saturating_add(offset)
    } else {
        offset
    };
    match usize::try_from(from) {
        Ok(from) => range(payload, from, len, walk),
        Err(_) => Sampled::Absent,
    }
}

macro_rules! sides {
    ($($name:ident = $of:ident($response:expr);)*) => {$(
        fn $name<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
            let response: fn(&Facts<'_>) -> bool = $response;
            $of(side(facts, response(facts)), args, walk)
        }
    )*};
}

sides! {
    either = plain(response_runs);
    either_lv = prefixed(response_runs);
    request = plain(|_| false);
    request_lv = prefixed(|_| false);
    response = plain(|_| true);
    response_lv = prefixed(|_| true);
}

fn request_len<'a>(_: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    match facts.request {
        Some(head) => message_len(head, &facts.request_body),
        None => len(facts.payload, walk),
    }
}

fn response_len<'a>(_: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    match facts.response {
        Some(head) => message_len(head, &facts.response_body),
        None => len(facts.response_payload, walk),
    }
}

/// What HAProxy keeps of a start line beside its words, in bytes.
const START: usize = 20;

/// A message's size as HAProxy keeps it: words and fields without what separates them on the wire, an end, and the body.
fn message_len<'a>(head: &Head, body: &BodyView<'_>) -> Sampled<'a> {
    let words = [head.method_bytes(), head.target(), head.reason()];
    let words: usize = words.iter().map(|word| word.len()).sum();
    let status = if head.method_bytes().is_empty() { 3 } else { 0 };
    let fields = head.fields().map(|(name, value)| name.len() + value.len());
    let start = START + words + status + head.version().text().len();
    let whole = start + fields.sum::<usize>() + 1 + body.bytes.len();
    Sampled::int(i64::try_from(whole).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent_with, refused, yields_with};

    fn facts(bytes: &[u8], complete: bool) -> Facts<'_> {
        Facts {
            payload: Payload { bytes, complete },
            response_payload: Payload {
                bytes: b"+OK",
                complete: true,
            },
            last_call: false,
            ..Facts::none()
        }
    }

    #[test]
    fn ranges_and_lengths() {
        let some = facts(b"\x02ABCDEF", false);
        for (text, want) in [
            ("req.len", "7"),
            ("req_len", "7"),
            ("req.payload(1,3)", "ABC"),
            ("req.payload(3,0)", "CDEF"),
            ("req.payload(1,9)", "NOT YET"),
            ("req.payload_lv(0,1)", "AB"),
            ("req.payload_lv(0,1,3)", "CD"),
            ("req.payload_lv(0,1,+1)", "BC"),
            ("res.len", "3"),
            ("res.payload(0,2)", "+O"),
            ("payload(1,2)", "OK"),
            ("wait_end", "NOT YET"),
        ] {
            yields_with(&some, text, want);
        }
        let all = facts(b"\x02ABCDEF", true);
        absent_with(&all, "req.payload(1,9)");
        absent_with(&all, "res.payload_lv(0,1)");
        absent_with(&all, "payload_lv(0,1)");
        refused("req.payload(-1,2)", "must be positive");
        refused("req.payload_lv(0,0)", "payload length must be > 0");
    }
}
