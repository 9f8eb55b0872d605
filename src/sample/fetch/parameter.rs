//! Parameters of the query and of form bodies.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value, parse_int};

use super::body::request_bytes;
use super::request::from_head;

const NAME: Spec = Spec::opt(&[Wants::Str, Wants::Str, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "req.body_param",
        Kind::Bin,
        Source::RequestBody,
        body,
        "A parameter of a form body.",
    )
    .with(Spec::opt(&[Wants::Str, Wants::Str]))
    .checked(check_body),
    Fetch::each(
        "url_param",
        Kind::Str,
        Source::RequestHead,
        query,
        "A parameter of the query.",
    )
    .with(NAME)
    .checked(check),
    Fetch::each(
        "urlp",
        Kind::Str,
        Source::RequestHead,
        query,
        "As `url_param`.",
    )
    .with(NAME)
    .checked(check),
    Fetch::each(
        "urlp_val",
        Kind::Int,
        Source::RequestHead,
        query_number,
        "A parameter of the query as a number.",
    )
    .with(NAME)
    .checked(check),
];

/// The last argument of each row becomes whether letters of either case are equal.
fn fold(args: &mut [Arg], at: usize) -> Result<(), String> {
    args[at] = match args.text_or_empty(at) {
        b"i" => Arg::Int(1),
        b"" => Arg::Absent,
        other => {
            return Err(format!(
                "unsupported option '{}', only 'i' is known",
                String::from_utf8_lossy(other)
            ));
        }
    };
    Ok(())
}

fn check(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.text_or_empty(1).len() > 1 {
        return Err("delimiter should be a single character".to_string());
    }
    fold(args, 2)
}

fn check_body(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    fold(args, 1)
}

/// The next parameter with the name in `text` from the walk's place on.
fn next<'a>(
    text: &'a [u8],
    name: &[u8],
    fold: bool,
    delimiter: u8,
    walk: &mut Walk,
) -> Option<&'a [u8]> {
    let is_end = |b: &u8| matches!(b, b'&' | b';') || *b == delimiter;
    while let Some(rest) = text.get(walk.at.0..) {
        if rest.is_empty() {
            return None;
        }
        let len = rest.iter().position(is_end).unwrap_or(rest.len());
        walk.at.0 += len + 1;
        let piece = &rest[..len];
        let Some(equals) = memchr::memchr(b'=', piece) else {
            continue;
        };
        let (found, value) = (&piece[..equals], &piece[equals + 1..]);
        if name.is_empty() || found == name || fold && found.eq_ignore_ascii_case(name) {
            walk.more = walk.at.0 < text.len();
            return Some(value);
        }
    }
    None
}

fn query_value<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| {
        let delimiter = args.text_or_empty(1).first().copied().unwrap_or(b'?');
        let target = head.target();
        let Some(mark) = memchr::memchr(delimiter, target) else {
            return Sampled::Absent;
        };
        let fold = args.int(2).is_some();
        let text = &target[mark + 1..];
        Sampled::maybe_str(next(text, args.text_or_empty(0), fold, delimiter, walk))
    })
}

fn query<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    query_value(args, facts, walk)
}

fn query_number<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    match query_value(args, facts, walk) {
        Sampled::Got(Value::Str(text)) => Sampled::maybe_int(parse_int(&text)),
        other => other,
    }
}

fn body<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    match request_bytes(facts) {
        Ok(text) => {
            let fold = args.int(1).is_some();
            let value = next(text, args.text_or_empty(0), fold, b'&', walk);
            Sampled::of(value.map(Value::bin))
        }
        Err(missing) => missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::BodyView;
    use crate::sample::rig::{absent_with, refused, request, yields_with};

    #[test]
    fn parameters_of_query_and_body() {
        let head = request("GET /x?a=1&b=2&A=3&c&d=&a=5 HTTP/1.1\r\n");
        let facts = Facts {
            request: Some(&head),
            request_body: BodyView {
                bytes: b"p=1&q=2%203&p=9",
                complete: true,
                ..BodyView::NONE
            },
            ..Facts::none()
        };
        for (text, want) in [
            ("url_param(a)", "1"),
            ("urlp(A)", "3"),
            ("urlp(B,,i)", "2"),
            ("urlp(d)", ""),
            ("url_param", "1"),
            ("urlp_val(b)", "2"),
            ("req.body_param(p)", "1"),
            ("req.body_param(q)", "2%203"),
            ("req.body_param(Q,i)", "2%203"),
            ("req.body_param", "1"),
        ] {
            yields_with(&facts, text, want);
        }
        absent_with(&facts, "url_param(c)");
        absent_with(&facts, "url_param(a,;)");
        refused("urlp(a,xy)", "single character");
        refused("urlp(a,,x)", "only 'i'");
    }

    #[test]
    fn every_value_in_turn() {
        let head = request("GET /x?a=1&b=2&a=5 HTTP/1.1\r\n");
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        let args = [Arg::Str(b"a"[..].into()), Arg::Absent, Arg::Absent];
        let mut walk = Walk::every();
        assert_eq!(query(&args, &facts, &mut walk), Sampled::str(b"1"));
        assert!(walk.more);
        walk.more = false;
        assert_eq!(query(&args, &facts, &mut walk), Sampled::str(b"5"));
        assert!(!walk.more);
    }
}
