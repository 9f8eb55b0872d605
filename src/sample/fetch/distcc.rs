//! The tokens of the distcc protocol.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::{Facts, Payload};
use crate::sample::place::Source::EitherHead;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use super::payload::{response_runs, side};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "distcc_body",
        Kind::Bin,
        EitherHead,
        distcc_body,
        "The body of a distcc token.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Int]))
    .checked(check_distcc),
    Fetch::each(
        "distcc_param",
        Kind::Int,
        EitherHead,
        distcc_param,
        "The parameter of a distcc token.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Int]))
    .checked(check_distcc),
];

fn check_distcc(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.text_or_empty(0).len() != 4 {
        return Err("a 4-letter token is expected".to_string());
    }
    Ok(())
}

/// How many distcc tokens are looked through.
const DISTCC_TOKENS_MAX: usize = 256;

/// Finds a token of the distcc protocol: four letters and eight hexadecimal digits, some followed
/// by as many bytes.
fn distcc<'a>(payload: Payload<'a>, args: &[Arg]) -> Sampled<'a> {
    let wanted = args.text_or_empty(0);
    let mut count = args.int_or(1, 0).max(1);
    let mut at = 0;
    for _ in 0..DISTCC_TOKENS_MAX {
        let Some(token) = payload.bytes.get(at..at + 12) else {
            return if payload.complete {
                Sampled::Absent
            } else {
                Sampled::NotYet
            };
        };
        let digits = std::str::from_utf8(&token[4..]).ok();
        let Some(number) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            return Sampled::Absent;
        };
        at += 12;
        let has_body = matches!(&token[..4], b"ARGV" | b"DOTI" | b"DOTO" | b"SERR" | b"SOUT");
        if token[..4] == *wanted {
            count -= 1;
            if count == 0 {
                let len = usize::try_from(number).unwrap_or(usize::MAX);
                let body = payload.bytes.get(at..at.saturating_add(len));
                return Sampled::Got(match (has_body, body) {
                    (true, Some(body)) => Value::bin(body),
                    _ => Value::Int(i64::from(number)),
                });
            }
        }
        if has_body {
            at = at.saturating_add(usize::try_from(number).unwrap_or(usize::MAX));
        }
    }
    Sampled::Absent
}

fn distcc_body<'a>(args: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    match distcc(side(facts, response_runs(facts)), args) {
        Sampled::Got(Value::Bin(body)) => Sampled::Got(Value::Bin(body)),
        Sampled::Got(_) => Sampled::Absent,
        other => other,
    }
}

fn distcc_param<'a>(args: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    match distcc(side(facts, response_runs(facts)), args) {
        Sampled::Got(Value::Bin(body)) => Sampled::int(i64::try_from(body.len()).unwrap_or(0)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent_with, refused, yields_with};

    #[test]
    fn distcc_tokens() {
        let some = Facts {
            payload: Payload {
                bytes: b"DIST00000003ARGV00000002ccARGV00000001x",
                complete: true,
            },
            last_call: false,
            ..Facts::none()
        };
        yields_with(&some, "distcc_param(DIST)", "3");
        yields_with(&some, "distcc_body(ARGV)", "cc");
        yields_with(&some, "distcc_body(ARGV,2)", "x");
        absent_with(&some, "distcc_body(DOTI)");
        refused("distcc_body(ARG)", "4-letter");
    }
}
