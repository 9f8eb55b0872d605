//! Text: case, trimming, joining, cutting.

use std::borrow::Cow;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::facts::Facts;
use crate::sample::row::{Checking, Conv};
use crate::sample::vars::VarName;
use crate::value::{Kind, Value};

use Kind::{Bin, Bool, Int, Str};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::looks(
        "add_item",
        Str,
        Str,
        add_item,
        "Adds an item to a delimited list.",
    )
    .with(Spec::from(2, &[Wants::Str, Wants::Str, Wants::Str]))
    .checked(check_add_item),
    Conv::looks(
        "bytes",
        Bin,
        Bin,
        bytes,
        "Bytes from an offset on, as many as asked for.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str]))
    .checked(check_bytes),
    Conv::looks(
        "concat",
        Str,
        Str,
        concat,
        "Appends a text, a variable and a text.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str, Wants::Str]))
    .checked(check_concat),
    Conv::pure(
        "cut_crlf",
        Str,
        Str,
        cut_crlf,
        "The text up to its first end of line.",
    ),
    Conv::pure(
        "field",
        Str,
        Str,
        field,
        "A field between delimiters; empty ones count.",
    )
    .with(Spec::from(2, &[Wants::Int, Wants::Str, Wants::Int]))
    .checked(check_delimiters),
    Conv::pure(
        "has_ctl",
        Bin,
        Bool,
        has_ctl,
        "Whether there is a control byte, but for those named.",
    )
    .with(Spec::opt(&[Wants::Str])),
    Conv::pure(
        "host_only",
        Str,
        Str,
        host_only,
        "The host of an authority, without its port.",
    ),
    Conv::pure("length", Str, Int, length, "The length in bytes."),
    Conv::pure("lower", Str, Str, lower, "Letters in lower case."),
    Conv::pure(
        "ltrim",
        Str,
        Str,
        ltrim,
        "Without the given bytes at the start.",
    )
    .with(Spec::all(&[Wants::Str])),
    Conv::pure(
        "port_only",
        Str,
        Int,
        port_only,
        "The port of an authority; 0 when there is none.",
    ),
    Conv::pure("reverse", Str, Str, reverse, "The bytes in reverse order."),
    Conv::pure(
        "reverse_dom",
        Str,
        Str,
        reverse_dom,
        "The labels of a host name in reverse order.",
    ),
    Conv::pure(
        "rtrim",
        Str,
        Str,
        rtrim,
        "Without the given bytes at the end.",
    )
    .with(Spec::all(&[Wants::Str])),
    Conv::looks(
        "strcmp",
        Str,
        Int,
        strcmp,
        "Compares with a variable: below, at or above zero.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_var),
    Conv::pure("upper", Str, Str, upper, "Letters in upper case."),
    Conv::pure(
        "word",
        Str,
        Str,
        word,
        "A word between delimiters; empty ones do not count.",
    )
    .with(Spec::from(2, &[Wants::Int, Wants::Str, Wants::Int]))
    .checked(check_delimiters),
];

/// Replaces the first argument, a variable's name, by the variable.
pub(super) fn check_var(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    args[0] = Arg::Var(VarName::parse(&text)?);
    Ok(())
}

/// A part of text, borrowed if the whole was.
pub(super) fn slice(text: Cow<'_, [u8]>, start: usize, end: usize) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(b) => Cow::Borrowed(&b[start..end]),
        Cow::Owned(mut b) => {
            b.truncate(end);
            b.drain(..start);
            Cow::Owned(b)
        }
    }
}

/// The text, changed by `change` only if `needs` finds a byte to change.
fn mapped<'a>(
    value: Value<'a>,
    needs: fn(&u8) -> bool,
    change: fn(&mut [u8]),
) -> Option<Value<'a>> {
    let text = value.into_text();
    if !text.iter().any(needs) {
        return Some(Value::Str(text));
    }
    let mut owned = text.into_owned();
    change(&mut owned);
    Some(Value::string(owned))
}

fn lower<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    mapped(value, u8::is_ascii_uppercase, <[u8]>::make_ascii_lowercase)
}

fn upper<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    mapped(value, u8::is_ascii_lowercase, <[u8]>::make_ascii_uppercase)
}

fn length<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    i64::try_from(value.as_bytes()?.len()).ok().map(Value::Int)
}

fn reverse<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let mut text = value.into_text().into_owned();
    text.reverse();
    Some(Value::string(text))
}

fn reverse_dom<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let mut labels: Vec<&[u8]> = text.split(|b| *b == b'.').collect();
    labels.reverse();
    Some(Value::string(labels.join(&b'.')))
}

fn ltrim<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let set = args.text_or_empty(0);
    let text = value.into_text();
    let start = text.iter().take_while(|b| set.contains(b)).count();
    let end = text.len();
    Some(Value::Str(slice(text, start, end)))
}

fn rtrim<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let set = args.text_or_empty(0);
    let text = value.into_text();
    let cut = text.iter().rev().take_while(|b| set.contains(b)).count();
    let end = text.len() - cut;
    Some(Value::Str(slice(text, 0, end)))
}

fn cut_crlf<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let end = memchr::memchr2(b'\r', b'\n', &text).unwrap_or(text.len());
    Some(Value::Str(slice(text, 0, end)))
}

fn has_ctl<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let spared = args.text_or_empty(0);
    let bytes = value.as_bytes()?;
    let odd = |b: &u8| b.is_ascii_control() && !spared.contains(b);
    Some(Value::Bool(bytes.iter().any(odd)))
}

/// Where the host of an authority ends, and its port begins.
fn port_at(text: &[u8]) -> Option<usize> {
    let colon = text.iter().rposition(|b| *b == b':')?;
    let bracket = text.iter().rposition(|b| *b == b']');
    bracket.is_none_or(|b| b < colon).then_some(colon)
}

fn host_only<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let end = port_at(&text).unwrap_or(text.len());
    let host = slice(text, 0, end);
    Some(Value::Str(match host.iter().any(u8::is_ascii_uppercase) {
        true => host.to_ascii_lowercase().into(),
        false => host,
    }))
}

fn port_only<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let port = port_at(&text).and_then(|colon| crate::value::parse_int(&text[colon + 1..]));
    Some(Value::Int(port.unwrap_or(0)))
}

/// A number given as such or as a variable.
fn number_or_var(arg: &Arg, facts: &Facts<'_>) -> Option<i64> {
    match arg {
        Arg::Int(i) => Some(*i),
        Arg::Var(name) => facts.vars.read(name)?.integer(),
        _ => None,
    }
}

fn check_bytes(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    for arg in args.iter_mut() {
        let Arg::Str(text) = arg else { continue };
        let shown = String::from_utf8_lossy(text);
        *arg = match shown.parse::<i64>() {
            Ok(number) if number >= 0 => Arg::Int(number),
            Ok(_) => return Err("must be a positive number".to_string()),
            Err(_) => Arg::Var(VarName::parse(&shown)?),
        };
    }
    Ok(())
}

fn bytes<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let Value::Bin(text) = value else { return None };
    let start = usize::try_from(number_or_var(args.at(0), facts)?).ok()?;
    if start >= text.len() {
        return Some(Value::bin(b""));
    }
    let end = match args.at(1) {
        Arg::Absent => text.len(),
        other => {
            let len = usize::try_from(number_or_var(other, facts)?).ok()?;
            start.saturating_add(len).min(text.len())
        }
    };
    Some(Value::Bin(slice(text, start, end)))
}

fn check_concat(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(1))
        .trim()
        .to_string();
    if !text.is_empty() {
        args[1] = Arg::Var(
            VarName::parse(&text)
                .map_err(|_| format!("failed to register variable name '{text}'"))?,
        );
    }
    Ok(())
}

fn concat<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let mut text = value.into_text().into_owned();
    text.extend_from_slice(args.text_or_empty(0));
    if let Some(name) = args.var(1) {
        facts
            .vars
            .look(name, &mut |value| value.write_text(&mut text));
    }
    text.extend_from_slice(args.text_or_empty(2));
    Some(Value::string(text))
}

fn check_add_item(args: &mut [Arg], checking: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(1))
        .trim()
        .to_string();
    if text.is_empty() && args.text_or_empty(2).is_empty() {
        return Err("one of the optional arguments has to be nonempty".to_string());
    }
    check_concat(args, checking)
}

fn add_item<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let text = value.into_text();
    let mut item = Vec::new();
    let has_var = args.var(1).is_some_and(|name| {
        facts
            .vars
            .look(name, &mut |value| value.write_text(&mut item))
    });
    let suffix = args.text_or_empty(2);
    if !has_var && suffix.is_empty() {
        return Some(Value::Str(text));
    }
    let mut out = text.into_owned();
    if !out.is_empty() {
        out.extend_from_slice(args.text_or_empty(0));
    }
    out.extend_from_slice(&item);
    out.extend_from_slice(suffix);
    Some(Value::string(out))
}

fn strcmp<'a>(value: Value<'a>, args: &'a [Arg], facts: &'a Facts<'a>) -> Option<Value<'a>> {
    let text = value.into_text();
    let other = facts.vars.read(args.var(0)?)?.cast(Str)?.into_text();
    let common = text.iter().zip(other.iter()).find(|(a, b)| a != b);
    let difference = match common {
        Some((a, b)) => i64::from(*a) - i64::from(*b),
        None => i64::try_from(text.len()).ok()? - i64::try_from(other.len()).ok()?,
    };
    Some(Value::Int(difference))
}

fn check_delimiters(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(0, 0) == 0 {
        return Err("invalid value 0, the first field is 1".to_string());
    }
    Ok(())
}

fn field<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let set = args.text_or_empty(1);
    let delimiters = |at: &usize| set.contains(&text[*at]);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for at in (0..text.len()).filter(delimiters) {
        edges.push((start, at));
        start = at + 1;
    }
    edges.push((start, text.len()));
    span_of(text, &edges, args).map(Value::Str)
}

fn word<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let set = args.text_or_empty(1);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for at in 0..=text.len() {
        if at == text.len() || set.contains(&text[at]) {
            if at > start {
                edges.push((start, at));
            }
            start = at + 1;
        }
    }
    span_of(text, &edges, args).map(Value::Str)
}

/// The stretch of fields the arguments ask for: its number, from the end when negative, and how
/// many; 0 for all that follow (or precede). None when there are not so many.
fn span_of<'a>(
    text: Cow<'a, [u8]>,
    edges: &[(usize, usize)],
    args: &[Arg],
) -> Option<Cow<'a, [u8]>> {
    let number = args.int_or(0, 1);
    let count = args.int_or(2, 1);
    let len = edges.len();
    let wanted = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    if wanted == 0 || wanted > len {
        return None;
    }
    let take = match usize::try_from(count) {
        Ok(0) | Err(_) => len,
        Ok(count) => count,
    };
    let (first, last) = if number > 0 {
        (
            wanted - 1,
            (wanted - 1).saturating_add(take - 1).min(len - 1),
        )
    } else {
        let last = len - wanted;
        (last.saturating_sub(take - 1), last)
    };
    Some(slice(text, edges[first].0, edges[last].1))
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn case_and_trimming() {
        yields("str(AbC),lower", "abc");
        yields("str(AbC),upper", "ABC");
        yields("str(abc),length", "3");
        yields("str(abc),reverse", "cba");
        yields("str(www.example.com),reverse_dom", "com.example.www");
        yields("str(xxaxx),ltrim(x)", "axx");
        yields("str(xxaxx),rtrim(x)", "xxa");
        yields("str(\"ab\\r\\nc\"),cut_crlf", "ab");
        yields("str(abc),has_ctl", "0");
        yields("bin(0a41),has_ctl", "1");
    }

    #[test]
    fn authorities() {
        yields("str(a.b:80),host_only", "a.b");
        yields("str([::1]:80),host_only", "[::1]");
        yields("str([::1]),host_only", "[::1]");
        yields("str(WWW.A.b:80),host_only", "www.a.b");
        yields("str(a:81),port_only", "81");
        yields("str([::1]),port_only", "0");
    }

    #[test]
    fn joining() {
        yields("str(a),concat(b)", "ab");
        yields("str(a),concat(<,txn.none,>)", "a<>");
        yields("str(a),add_item(-,,b)", "a-b");
        yields("str(),add_item(-,,b)", "b");
        refused("str(a),add_item(-,,)", "has to be nonempty");
        refused(
            "str(a),concat(a,none)",
            "failed to register variable name 'none'",
        );
        yields("bin(41424344),bytes(1,2),hex", "4243");
        yields("bin(41424344),bytes(2),hex", "4344");
        yields("bin(41),bytes(5),length", "0");
    }

    #[test]
    fn fields_and_words() {
        yields("str(a_b__c),field(2,_)", "b");
        yields("str(a_b__c),field(3,_)", "");
        yields("str(a_b__c),field(-1,_)", "c");
        yields("str(a_b__c),field(2,_,0)", "b__c");
        yields("str(a_b__c),field(-2,_,2)", "b_");
        yields("str(f1_f2_f3__f5),word(4,_)", "f5");
        yields("str(f1_f2_f3__f5),word(2,_,0)", "f2_f3__f5");
        yields("str(f1_f2_f3__f5),word(3,_,2)", "f3__f5");
        yields("str(f1_f2_f3__f5),word(-2,_,3)", "f1_f2_f3");
        yields("str(/f1/f2/f3/f4),word(1,/)", "f1");
        absent("str(/f1/f2/f3/f4),word(9,/)");
        absent("str(/foo),field(3,/)");
    }
}
