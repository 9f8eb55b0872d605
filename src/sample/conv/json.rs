//! Queries into JSON, by a path such as `$.a.b[0]`.
//!
//! The text is scanned once along the path; nothing is built. Nesting and names are bounded.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value, parse_int};

use Kind::{Any, Str};

/// The family.
pub(super) const ROWS: &[Conv] = &[Conv::pure(
    "json_query",
    Str,
    Any,
    json_query,
    "The value at a path of a JSON text; numbers as such with 'int'.",
)
.with(Spec::from(1, &[Wants::Str, Wants::Str]))
.checked(check_path)];

/// How deep values may nest.
const DEPTH_MAX: usize = 64;

/// Refuses a path that is none; the second argument may be `int` only.
pub(super) fn check_path(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let path = args.text_or_empty(0);
    if path.is_empty() {
        return Err("json_path must not be empty".to_string());
    }
    if path[0] != b'$' {
        return Err(format!(
            "Unknown key '{}': a path begins with '$'",
            String::from_utf8_lossy(path)
        ));
    }
    match args.text_or_empty(1) {
        b"" | b"int" => Ok(()),
        _ => Err("output_type only supports \"int\" as argument".to_string()),
    }
}

fn json_query<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    query(value.as_bytes()?, args)
}

/// The value at the path of the first argument.
pub(super) fn query<'a>(text: &[u8], args: &[Arg]) -> Option<Value<'a>> {
    let found = find(text, args.text_or_empty(0))?;
    let as_int = args.text_or_empty(1) == b"int";
    match found.first()? {
        b'"' => unescape(found).map(Value::string),
        b'{' | b'[' => Some(Value::string(found)),
        b't' => Some(Value::Bool(true)),
        b'f' => Some(Value::Bool(false)),
        b'n' => None,
        _ if as_int => whole(found).map(Value::Int),
        _ => Some(Value::string(found)),
    }
}

/// A number as an integer: one with a fraction is cut.
fn whole(text: &[u8]) -> Option<i64> {
    let plain = text.iter().all(|b| b.is_ascii_digit() || *b == b'-');
    if plain {
        return parse_int(text);
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let inside = number.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    inside.then_some(number as i64)
}

/// The raw text of the value at `path`.
fn find<'t>(text: &'t [u8], path: &[u8]) -> Option<&'t [u8]> {
    let mut rest = path.strip_prefix(b"$")?;
    let mut at = blank(text, 0);
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'.' => {
                let (name, len) = name(tail);
                at = member(text, at, &name)?;
                rest = &tail[len..];
            }
            b'[' => {
                let len = tail.iter().position(|b| *b == b']')?;
                let index = usize::try_from(parse_int(&tail[..len])?).ok()?;
                at = element(text, at, index)?;
                rest = &tail[len + 1..];
            }
            _ => return None,
        }
    }
    let end = skip(text, at, 0)?;
    text.get(at..end)
}

/// The member name a path goes on with, and how long it is as written: a backslash takes the next byte as it is, so
/// that names with dots can be written.
fn name(path: &[u8]) -> (Vec<u8>, usize) {
    let mut name = Vec::new();
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        match (byte, path.get(at + 1)) {
            (b'.' | b'[', _) => break,
            (b'\\', Some(&next)) => {
                name.push(next);
                at += 1;
            }
            _ => name.push(byte),
        }
        at += 1;
    }
    (name, at)
}

/// The first byte at or after `at` that is no blank.
fn blank(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Where the value of a member of the object at `at` begins.
fn member(text: &[u8], at: usize, name: &[u8]) -> Option<usize> {
    (text.get(at) == Some(&b'{')).then_some(())?;
    let mut at = blank(text, at + 1);
    while text.get(at) == Some(&b'"') {
        let end = skip(text, at, 0)?;
        let colon = blank(text, end);
        (text.get(colon) == Some(&b':')).then_some(())?;
        let value = blank(text, colon + 1);
        if unescape(&text[at..end])?.as_slice() == name {
            return Some(value);
        }
        let after = blank(text, skip(text, value, 0)?);
        (text.get(after) == Some(&b',')).then_some(())?;
        at = blank(text, after + 1);
    }
    None
}

/// Where an element of the array at `at` begins.
fn element(text: &[u8], at: usize, index: usize) -> Option<usize> {
    (text.get(at) == Some(&b'[')).then_some(())?;
    let mut at = blank(text, at + 1);
    for _ in 0..index {
        at = blank(text, skip(text, at, 0)?);
        (text.get(at) == Some(&b',')).then_some(())?;
        at = blank(text, at + 1);
    }
    (text.get(at) != Some(&b']')).then_some(at)
}

/// Where the value at `at` ends.
fn skip(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    match text.get(at)? {
        b'"' => {
            let mut at = at + 1;
            loop {
                match text.get(at)? {
                    b'"' => return Some(at + 1),
                    b'\\' => at += 2,
                    _ => at += 1,
                }
            }
        }
        open @ (b'{' | b'[') => {
            let (close, named) = if *open == b'{' {
                (b'}', true)
            } else {
                (b']', false)
            };
            let mut at = blank(text, at + 1);
            while *text.get(at)? != close {
                if named {
                    at = blank(text, skip(text, at, depth + 1)?);
                    (text.get(at) == Some(&b':')).then_some(())?;
                    at = blank(text, at + 1);
                }
                at = blank(text, skip(text, at, depth + 1)?);
                match text.get(at)? {
                    b',' => at = blank(text, at + 1),
                    byte if *byte == close => {}
                    _ => return None,
                }
            }
            Some(at + 1)
        }
        _ => {
            let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
            let len = text[at..].iter().take_while(is_part).count();
            (len > 0).then_some(at + len)
        }
    }
}

/// The text of a quoted string.
fn unescape(quoted: &[u8]) -> Option<Vec<u8>> {
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let (escaped, tail) = rest.split_first()?;
        rest = tail;
        match escaped {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => {
                let (unit, tail) = rest.split_at_checked(4)?;
                rest = tail;
                let mut code = u32::from_str_radix(std::str::from_utf8(unit).ok()?, 16).ok()?;
                if (0xd800..0xdc00).contains(&code)
                    && let Some(low) = rest.strip_prefix(b"\\u").and_then(|r| r.get(..4))
                {
                    let low = u32::from_str_radix(std::str::from_utf8(low).ok()?, 16).ok()?;
                    code = 0x10000 + ((code - 0xd800) << 10) + (low.checked_sub(0xdc00)? & 0x3ff);
                    rest = &rest[6..];
                }
                let mut utf8 = [0; 4];
                out.extend(char::from_u32(code)?.encode_utf8(&mut utf8).bytes());
            }
            other => out.push(*other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{refused, yields};

    const TEXT: &[u8] = br#" {"a": {"b": [1, 2.5, "x\"\u00e9"], "c.d": {}}, "n": -12, "t": true, "f": false, "z": null, "big": 1e3} "#;

    fn at(path: &str, kind: &str) -> Option<Value<'static>> {
        let args = [
            Arg::Str(path.as_bytes().into()),
            Arg::Str(kind.as_bytes().into()),
        ];
        query(TEXT, &args)
    }

    #[test]
    fn paths() {
        assert_eq!(at("$.n", "int"), Some(Value::Int(-12)));
        assert_eq!(at("$.n", ""), Some(Value::str(b"-12")));
        assert_eq!(at("$.a.b[1]", ""), Some(Value::str(b"2.5")));
        assert_eq!(at("$.a.b[1]", "int"), Some(Value::Int(2)));
        assert_eq!(at("$.big", "int"), Some(Value::Int(1000)));
        assert_eq!(at("$.a.b[2]", ""), Some(Value::str("x\"é".as_bytes())));
        assert_eq!(
            at("$.a.b", ""),
            Some(Value::str(br#"[1, 2.5, "x\"\u00e9"]"#))
        );
        assert_eq!(at(r"$.a.c\.d", ""), Some(Value::str(b"{}")));
        assert_eq!(at("$.t", ""), Some(Value::Bool(true)));
        assert_eq!(at("$.f", ""), Some(Value::Bool(false)));
        for path in ["$.z", "$.no", "$.a.b[3]", "$.n.x", "$.a[0]"] {
            assert_eq!(at(path, ""), None, "{path}");
        }
    }

    #[test]
    fn nonsense_has_no_values() {
        let args = [Arg::Str(b"$.a[0]"[..].into()), Arg::Absent];
        for end in 0..TEXT.len() {
            let _ = query(&TEXT[..end], &args);
        }
        let deep = [&b"{\"a\":"[..], "[".repeat(1000).as_bytes()].concat();
        assert_eq!(query(&deep, &args), None);
    }

    #[test]
    fn the_converter() {
        yields(r#"str('{"n":7}'),json_query('$.n')"#, "7");
        refused("str(a),json_query(x)", "begins with '$'");
        refused("str(a),json_query()", "must not be empty");
        refused("str(a),json_query($.a,foo)", "only supports");
    }
}
