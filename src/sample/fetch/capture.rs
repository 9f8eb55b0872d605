//! Captures: what was taken of the messages when it could be seen.

use std::borrow::Cow;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use Source::{RequestKept, ResponseKept};

const SLOT: Spec = Spec::all(&[Wants::Int]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "capture.req.hdr",
        Kind::Str,
        RequestKept,
        request,
        "The request's capture with this number.",
    )
    .with(SLOT)
    .checked(check),
    Fetch::once(
        "capture.req.method",
        Kind::Str,
        RequestKept,
        method,
        "The method, as the request came.",
    ),
    Fetch::once(
        "capture.req.uri",
        Kind::Str,
        RequestKept,
        target,
        "The target, as the request came.",
    ),
    Fetch::once(
        "capture.req.ver",
        Kind::Str,
        RequestKept,
        request_version,
        "The version of the request: `HTTP/1.0`, `HTTP/1.1`.",
    ),
    Fetch::once(
        "capture.res.hdr",
        Kind::Str,
        ResponseKept,
        response,
        "The response's capture with this number.",
    )
    .with(SLOT)
    .checked(check),
    Fetch::once(
        "capture.res.ver",
        Kind::Str,
        RequestKept,
        response_version,
        "The version of the response.",
    ),
];

fn check(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(0, 0) < 0 {
        return Err("a capture's number cannot be negative".to_string());
    }
    Ok(())
}

fn text(bytes: Option<Cow<'_, [u8]>>) -> Sampled<'_> {
    Sampled::of(bytes.map(Value::Str))
}

fn request<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let slot = usize::try_from(args.int_or(0, 0)).unwrap_or(usize::MAX);
    text(facts.captures.request(slot))
}

fn response<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let slot = usize::try_from(args.int_or(0, 0)).unwrap_or(usize::MAX);
    text(facts.captures.response(slot))
}

/// A word of the request line as it came; of the head where the line was not kept.
fn word<'a>(facts: &'a Facts<'a>, at: usize) -> Option<&'a [u8]> {
    let line = facts.request_line;
    if !line.is_empty() {
        return line.split(|b| *b == b' ').nth(at);
    }
    let head = facts.request?;
    Some(match at {
        0 => head.method_bytes(),
        1 => head.target(),
        _ => head.version().text().as_bytes(),
    })
}

fn method<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(word(facts, 0))
}

fn target<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(word(facts, 1).map(from_path))
}

/// What of a target begins with its path: all of `/p?q`, the end of `http://host/p?q`, nothing of `*`.
fn from_path(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let authority = memchr::memmem::find(target, b"://").map_or(target.len(), |at| at + 3);
    let path = memchr::memchr(b'/', &target[authority..]);
    path.map_or(&[], |at| &target[authority + at..])
}

fn request_version<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(word(facts, 2))
}

fn response_version<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.response.map(|head| head.version().text().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::Captures;
    use crate::sample::rig::{self, absent, refused, yields_with};

    struct One;

    impl Captures for One {
        fn request(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
            (slot == 1).then_some(Cow::Borrowed(b"req"))
        }
        fn response(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
            (slot == 0).then_some(Cow::Borrowed(b"res"))
        }
        fn store_request(&self, _: usize, _: &[u8]) {}
        fn store_response(&self, _: usize, _: &[u8]) {}
    }

    #[test]
    fn captures_outlive_edits() {
        let edited = rig::request("GET /new HTTP/1.1\r\n");
        let response = rig::response(200, "");
        let mut facts = Facts {
            request: Some(&edited),
            response: Some(&response),
            request_line: b"POST /old?x HTTP/1.0",
            captures: &One,
            ..Facts::none()
        };
        for (text, want) in [
            ("capture.req.hdr(1)", "req"),
            ("capture.res.hdr(0)", "res"),
            ("capture.req.method", "POST"),
            ("capture.req.uri", "/old?x"),
            ("capture.req.ver", "HTTP/1.0"),
            ("capture.res.ver", "HTTP/1.1"),
        ] {
            yields_with(&facts, text, want);
        }
        facts.request_line = b"GET http://h/p?q HTTP/1.1";
        yields_with(&facts, "capture.req.uri", "/p?q");
        facts.request_line = b"OPTIONS * HTTP/1.1";
        yields_with(&facts, "capture.req.uri", "");
        facts.request_line = b"";
        yields_with(&facts, "capture.req.uri", "/new");
        absent("capture.req.hdr(0)");
        refused("capture.req.hdr(-1)", "negative");
    }
}
