//! Message bodies, as far as they are buffered.

use crate::http::{Head, Known};
use crate::sample::arg::Arg;
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::{BodyView, Facts};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value, parse_int};

use Source::{RequestBody, ResponseBody};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "req.body",
        Kind::Bin,
        RequestBody,
        request,
        "The request's body as far as it is buffered.",
    ),
    Fetch::each(
        "req.body_len",
        Kind::Int,
        RequestBody,
        request_len,
        "How much of it is buffered.",
    ),
    Fetch::each(
        "req.body_size",
        Kind::Int,
        RequestBody,
        request_size,
        "The size it was announced with.",
    ),
    Fetch::each(
        "res.body",
        Kind::Bin,
        ResponseBody,
        response,
        "The response's body as far as it is buffered.",
    ),
    Fetch::each(
        "res.body_len",
        Kind::Int,
        ResponseBody,
        response_len,
        "How much of it is buffered.",
    ),
    Fetch::each(
        "res.body_size",
        Kind::Int,
        ResponseBody,
        response_size,
        "The size it was announced with.",
    ),
];

/// The bytes of a body; where somebody waits for it, only once they are all there.
fn bytes<'a>(view: &BodyView<'a>, facts: &Facts<'_>) -> Result<&'a [u8], Sampled<'a>> {
    if view.awaited && !view.complete && !facts.last_call {
        return Err(Sampled::NotYet);
    }
    Ok(view.bytes)
}

/// The bytes of the request's body.
pub(super) fn request_bytes<'a>(facts: &'a Facts<'a>) -> Result<&'a [u8], Sampled<'a>> {
    if facts.request.is_none() {
        return Err(Sampled::Absent);
    }
    bytes(&facts.request_body, facts)
}

fn response_bytes<'a>(facts: &'a Facts<'a>) -> Result<&'a [u8], Sampled<'a>> {
    if facts.response.is_none() {
        return Err(Sampled::Absent);
    }
    bytes(&facts.response_body, facts)
}

fn len<'a>(bytes: &[u8]) -> Sampled<'a> {
    Sampled::int(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

/// The announced size; where none was, what has arrived.
fn size<'a>(view: &BodyView<'_>, head: Option<&Head>) -> Sampled<'a> {
    let field = || parse_int(head?.get_known(Known::ContentLength)?);
    let announced = view.announced.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    match announced.or_else(field) {
        Some(size) => Sampled::int(size),
        None => len(view.bytes),
    }
}

fn request<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    request_bytes(facts).map_or_else(|missing| missing, |b| Sampled::Got(Value::bin(b)))
}

fn request_len<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    request_bytes(facts).map_or_else(|missing| missing, len)
}

fn request_size<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    request_bytes(facts).map_or_else(
        |missing| missing,
        |_| size(&facts.request_body, facts.request),
    )
}

fn response<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    response_bytes(facts).map_or_else(|missing| missing, |b| Sampled::Got(Value::bin(b)))
}

fn response_len<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    response_bytes(facts).map_or_else(|missing| missing, len)
}

fn response_size<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    response_bytes(facts).map_or_else(
        |missing| missing,
        |_| size(&facts.response_body, facts.response),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{self, absent, yields_with};

    #[test]
    fn bodies_and_their_sizes() {
        let request = rig::request("POST / HTTP/1.1\r\ncontent-length: 9\r\n");
        let response = rig::response(200, "");
        let view = BodyView {
            bytes: b"abc",
            complete: false,
            awaited: false,
            announced: None,
        };
        let mut facts = Facts {
            request: Some(&request),
            request_body: view,
            response: Some(&response),
            response_body: view,
            last_call: false,
            ..Facts::none()
        };
        for (text, want) in [
            ("req.body", "abc"),
            ("req.body_len", "3"),
            ("req.body_size", "9"),
            ("res.body", "abc"),
            ("res.body_len", "3"),
            ("res.body_size", "3"),
        ] {
            yields_with(&facts, text, want);
        }
        facts.request_body.awaited = true;
        yields_with(&facts, "req.body", "NOT YET");
        absent("req.body_len");
        absent("res.body_len");
    }
}
