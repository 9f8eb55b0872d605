//! Replacing by regular expressions.

use std::sync::Arc;

use crate::pattern::Regex;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::Str;

/// The family.
pub(super) const ROWS: &[Conv] = &[Conv::pure(
    "regsub",
    Str,
    Str,
    regsub,
    "Replaces what an expression finds: flag g for all, i for letters in either case.",
)
.with(Spec::from(2, &[Wants::Regex, Wants::Str, Wants::Str]))
.checked(check)];

fn check(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let (mut all, mut fold) = (0, false);
    for flag in args.text_or_empty(2) {
        match flag {
            b'g' => all = 1,
            b'i' => fold = true,
            other => {
                return Err(format!(
                    "invalid regex flag '{}', only 'i' and 'g' are supported",
                    char::from(*other)
                ));
            }
        }
    }
    let regex = Regex::new(args.text_or_empty(0), fold)?;
    args[0] = Arg::Regex(Arc::new(regex));
    args[2] = Arg::Int(all);
    Ok(())
}

fn regsub<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let Arg::Regex(regex) = args.at(0) else {
        return None;
    };
    let text = value.as_bytes()?;
    if !regex.is_match(text) {
        return Some(value);
    }
    let template = args.text_or_empty(1);
    let all = args.int_or(2, 0) != 0;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(groups) = regex.groups(text, at) {
        let Some(Some((start, end))) = groups.first().copied() else {
            break;
        };
        out.extend_from_slice(&text[at..start]);
        Regex::expand(text, &groups, template, &mut out);
        let at_end = at >= text.len();
        at = end;
        if start == end {
            if at_end {
                break;
            }
            // Nothing was consumed: one byte is, so that the search goes on behind it.
            if let Some(byte) = text.get(at) {
                out.push(*byte);
                at += 1;
            }
        }
        if !all {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    Some(Value::string(out))
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{refused, yields};

    #[test]
    fn once_or_everywhere() {
        yields("str(/u/1/b),regsub(^/u,/v)", "/v/1/b");
        yields("str(axbxc),regsub(x,-)", "a-bxc");
        yields("str(aXbxc),regsub(x,-,gi)", "a-b-c");
        yields("str(aXbxc),regsub(x,-,g)", "aXb-c");
        yields("str(abc),regsub(\"(b)\",\"<\\1>\")", "a<b>c");
        yields("str(abc),regsub(z,-)", "abc");
        yields("str(abc),regsub(\"b*\",-,g)", "-a--c-");
        yields("str(abc),regsub(\"$\",-)", "abc-");
        yields("str(abc),regsub(\"c*\",-,g)", "-a-b--");
        refused("str(a),regsub(a,b,q)", "invalid regex flag 'q'");
        refused("str(a),regsub(\"(\",b)", "is invalid");
    }
}
