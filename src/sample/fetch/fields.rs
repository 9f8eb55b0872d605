//! The fields of a head all together: their names, their lines, their bytes.

use crate::http::Head;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use Source::{RequestHead, ResponseHead};

const DELIMITER: Spec = Spec::opt(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "req.hdr_names",
        Kind::Str,
        RequestHead,
        request_names,
        "The names of the fields.",
    )
    .with(DELIMITER),
    Fetch::once(
        "res.hdr_names",
        Kind::Str,
        ResponseHead,
        response_names,
        "The names of the fields.",
    )
    .with(DELIMITER),
    Fetch::once(
        "req.hdrs",
        Kind::Str,
        RequestHead,
        request_all,
        "The fields as lines.",
    ),
    Fetch::once(
        "res.hdrs",
        Kind::Str,
        ResponseHead,
        response_all,
        "The fields as lines.",
    ),
    Fetch::once(
        "req.hdrs_bin",
        Kind::Bin,
        RequestHead,
        request_all_binary,
        "The fields with their lengths before them.",
    ),
    Fetch::once(
        "res.hdrs_bin",
        Kind::Bin,
        ResponseHead,
        response_all_binary,
        "The fields with their lengths before them.",
    ),
];

fn request_names<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    names(facts.request, args)
}

fn response_names<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    names(facts.response, args)
}

fn names<'a>(head: Option<&'a Head>, args: &'a [Arg]) -> Sampled<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    Sampled::of(head.map(|head| {
        let names: Vec<&[u8]> = head.fields().map(|(name, _)| name).collect();
        Value::string(names.join(delimiter))
    }))
}

fn request_all<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    all(facts.request)
}

fn response_all<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    all(facts.response)
}

fn all(head: Option<&Head>) -> Sampled<'_> {
    Sampled::of(head.map(|head| {
        let mut out = Vec::with_capacity(head.wire_len());
        for (name, value) in head.fields() {
            for piece in [name, b": ", value, b"\r\n"] {
                out.extend_from_slice(piece);
            }
        }
        out.extend_from_slice(b"\r\n");
        Value::string(out)
    }))
}

fn request_all_binary<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    all_binary(facts.request)
}

fn response_all_binary<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    all_binary(facts.response)
}

fn all_binary(head: Option<&Head>) -> Sampled<'_> {
    Sampled::of(head.map(|head| {
        let mut out = Vec::with_capacity(head.wire_len());
        for (name, value) in head.fields() {
            for text in [name, value] {
                varint(text.len() as u64, &mut out);
                out.extend_from_slice(text);
            }
        }
        out.extend_from_slice(&[0, 0]);
        Value::bytes(out)
    }))
}

/// HAProxy's integers of variable length (SPOE's encoding).
fn varint(number: u64, out: &mut Vec<u8>) {
    let byte = |n: u64| u8::try_from(n & 0xff).unwrap_or(0);
    if number < 240 {
        out.push(byte(number));
        return;
    }
    out.push(byte(number) | 240);
    let mut rest = (number - 240) >> 4;
    while rest >= 128 {
        out.push(byte(rest) | 128);
        rest = (rest - 128) >> 7;
    }
    out.push(byte(rest));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{request, yields_with};

    #[test]
    fn whole_heads() {
        let head = request("GET / HTTP/1.1\r\na: b\r\n");
        let many = request("GET / HTTP/1.1\r\nx: a\r\nhost: h\r\nx: e\r\n");
        let facts = Facts {
            request: Some(&many),
            response: Some(&head),
            ..Facts::none()
        };
        yields_with(&facts, "req.hdr_names", "x,host,x");
        yields_with(&facts, "req.hdr_names(|)", "x|host|x");
        yields_with(&facts, "res.hdrs", "a: b\r\n\r\n");
        yields_with(&facts, "res.hdrs_bin,hex", "016101620000");
        yields_with(&facts, "res.hdr_names", "a");
    }

    #[test]
    fn long_numbers() {
        let mut out = Vec::new();
        varint(239, &mut out);
        varint(240, &mut out);
        varint(2288, &mut out);
        assert_eq!(out, [239, 240, 0, 240, 128, 0]);
    }
}
