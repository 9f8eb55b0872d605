//! The Forwarded field (RFC 7239) and lists of preferences.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::http::Values;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::{Checking, Conv};
use crate::value::{Kind, Value};

use Kind::{Any, Bool, Str};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "language",
        Str,
        Str,
        language,
        "The language the client prefers of those given, or the default.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str])),
    Conv::pure(
        "param",
        Str,
        Str,
        param,
        "The value of a parameter in a list like a query's.",
    )
    .with(Spec::from(1, &[Wants::Str, Wants::Str])),
    Conv::pure(
        "rfc7239_field",
        Str,
        Str,
        field,
        "A parameter of a Forwarded field: proto, host, for, by.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_field),
    Conv::pure(
        "rfc7239_is_valid",
        Str,
        Bool,
        is_valid,
        "Whether the text is a Forwarded field.",
    ),
    Conv::pure(
        "rfc7239_n2nn",
        Str,
        Any,
        node_name,
        "The name of a node: an address or an identifier.",
    ),
    Conv::pure(
        "rfc7239_n2np",
        Str,
        Any,
        node_port,
        "The port of a node: a number or an identifier.",
    ),
    Conv::pure("rfc7239_nn", Str, Any, node_name, "As `rfc7239_n2nn`."),
    Conv::pure("rfc7239_np", Str, Any, node_port, "As `rfc7239_n2np`."),
];

/// How many languages of a field are looked at.
const LANGUAGES_MAX: usize = 256;

fn language<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.as_bytes()?;
    let known = || {
        args.text_or_empty(0)
            .split(|b| *b == b';')
            .filter(|l| !l.is_empty())
    };
    let mut best: Option<(u32, &'a [u8])> = None;
    for item in Values::of(text).take(LANGUAGES_MAX) {
        let (name, weight) = weighted(item);
        let found = known().find(|l| *l == name).or_else(|| {
            let stem = memchr::memchr(b'-', name).map(|dash| &name[..dash])?;
            known().find(|l| *l == stem)
        });
        let Some(found) = found.filter(|_| weight > 0) else {
            continue;
        };
        if best.is_none_or(|(w, _)| weight > w) {
            best = Some((weight, found));
        }
    }
    match best {
        Some((_, found)) => Some(Value::str(found)),
        None => args.text(1).map(Value::str),
    }
}

/// A name and its quality in thousandths (RFC 9110 section 12.4.2).
fn weighted(item: &[u8]) -> (&[u8], u32) {
    let mut parts = item.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let quality = parts.find_map(|p| p.strip_prefix(b"q="));
    let weight = quality.map_or(1000, |text| {
        let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
            Some(dot) => (&text[..dot], &text[dot + 1..]),
            None => (text, &[][..]),
        };
        let digit = |at: usize| {
            fraction
                .get(at)
                .filter(|d| d.is_ascii_digit())
                .map_or(0, |d| u32::from(d - b'0'))
        };
        match whole {
            b"1" => 1000,
            _ => digit(0) * 100 + digit(1) * 10 + digit(2),
        }
    });
    (name, weight)
}

fn param<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let text = value.into_text();
    let name = args.text_or_empty(0);
    let delimiter = args
        .text(1)
        .and_then(|d| d.first())
        .copied()
        .unwrap_or(b'&');
    let mut start = 0;
    for piece in text.split(|b| *b == delimiter) {
        let end = start + piece.len();
        let rest = piece.strip_prefix(name);
        match rest.and_then(<[u8]>::split_first) {
            Some((b'=', value)) => {
                let from = end - value.len();
                return Some(Value::Str(super::text::slice(text, from, end)));
            }
            None if rest.is_some() => return Some(Value::str(b"")),
            Some(_) | None => {}
        }
        start = end + 1;
    }
    None
}

/// The parameters of one element: name and value without quotes; `None` where it is malformed.
/// A name and its value.
type Parameter = (Vec<u8>, Vec<u8>);

fn parameters(element: &[u8]) -> Option<Vec<Parameter>> {
    let mut out: Vec<Parameter> = Vec::new();
    let mut rest = element.trim_ascii();
    loop {
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest[..equals].to_ascii_lowercase();
        if !matches!(name.as_slice(), b"proto" | b"host" | b"for" | b"by")
            || out.iter().any(|(n, _)| *n == name)
        {
            return None;
        }
        rest = &rest[equals + 1..];
        let (value, len) = word(rest)?;
        out.push((name, value));
        rest = &rest[len..];
        match rest.split_first() {
            None => return Some(out),
            Some((b';', tail)) => rest = tail,
            Some(_) => return None,
        }
    }
}

/// A token or a quoted string at the start of `text`, and how long it is.
fn word(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    if text.first() != Some(&b'"') {
        let len = text
            .iter()
            .take_while(|b| crate::http::is_token_byte(**b))
            .count();
        return (len > 0).then(|| (text[..len].to_vec(), len));
    }
    let mut out = Vec::new();
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some((out, at + 1)),
            b'\\' => {
                out.push(*text.get(at + 1)?);
                at += 2;
            }
            byte => {
                out.push(*byte);
                at += 1;
            }
        }
    }
}

/// Every element of the field; `None` where any is malformed.
fn elements(text: &[u8]) -> Option<Vec<Vec<Parameter>>> {
    Values::of(text).map(parameters).collect()
}

fn sound(parameters: &[Parameter]) -> bool {
    parameters
        .iter()
        .all(|(name, value)| match name.as_slice() {
            b"for" | b"by" => split_node(value).is_some(),
            b"proto" => matches!(value.as_slice(), b"http" | b"https"),
            _ => !value.is_empty(),
        })
}

fn is_valid<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let all = elements(value.as_bytes()?);
    Some(Value::Bool(
        all.is_some_and(|all| all.iter().all(|e| sound(e))),
    ))
}

fn check_field(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.text_or_empty(0) {
        b"proto" | b"host" | b"for" | b"by" => Ok(()),
        other => Err(format!(
            "rfc7239_field does not support '{}', only 'proto', 'host', 'for' and 'by'",
            String::from_utf8_lossy(other)
        )),
    }
}

fn field<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let wanted = args.text_or_empty(0);
    let all = elements(value.as_bytes()?)?;
    let first = all.into_iter().next()?;
    let (_, value) = first.into_iter().find(|(name, _)| name == wanted)?;
    Some(Value::string(value))
}

/// A node's name and port.
enum Name<'n> {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Word(&'n [u8]),
}

fn is_identifier(text: &[u8]) -> bool {
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    text.len() > 1 && text[0] == b'_' && text.iter().all(legal)
}

fn split_node(node: &[u8]) -> Option<(Name<'_>, Option<&[u8]>)> {
    let text = std::str::from_utf8(node).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (addr, rest) = rest.split_once(']')?;
        let port = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':')?.as_bytes()),
        };
        return Some((Name::V6(addr.parse().ok()?), checked_port(port)?));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port.as_bytes())),
        None => (text, None),
    };
    let port = checked_port(port)?;
    if let Ok(addr) = name.parse() {
        return Some((Name::V4(addr), port));
    }
    let word = name == "unknown" || is_identifier(name.as_bytes());
    word.then_some((Name::Word(name.as_bytes()), port))
}

/// The port, if it is a number of 16 bits or an identifier.
#[expect(
    clippy::option_option,
    reason = "a missing port is sound, a malformed one is not"
)]
fn checked_port(port: Option<&[u8]>) -> Option<Option<&[u8]>> {
    let Some(text) = port else { return Some(None) };
    let number = std::str::from_utf8(text).ok()?.parse::<u16>().is_ok();
    (number || is_identifier(text)).then_some(Some(text))
}

fn node_name<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (name, _) = split_node(value.as_bytes()?)?;
    Some(match name {
        Name::V4(addr) => Value::Ip4(addr),
        Name::V6(addr) => Value::Ip6(addr),
        Name::Word(word) => Value::string(word),
    })
}

fn node_port<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (_, port) = split_node(value.as_bytes()?)?;
    let port = port?;
    Some(match std::str::from_utf8(port).ok()?.parse() {
        Ok(number) => Value::Int(number),
        Err(_) => Value::string(port),
    })
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn preferences() {
        yields(
            "str(\"da, en-gb;q=0.8, fr;q=0.9\"),language(en-gb;fr)",
            "fr",
        );
        yields("str(\"de;q=0\"),language(de,en)", "en");
        absent("str(de),language(fr)");
        yields("str(en-US),language(fr;en)", "en");
        absent("str(EN),language(en)");
        yields("str(a=1&b=2),param(b)", "2");
        yields("str(a=1;b),param(b,;)", "");
        absent("str(a=1),param(b)");
    }

    #[test]
    fn forwarded_fields() {
        let text = "for=\\\"[2001:db8::1]:80\\\";proto=https;host=h,for=unknown";
        yields(&format!("str(\"{text}\"),rfc7239_is_valid"), "1");
        yields(
            &format!("str(\"{text}\"),rfc7239_field(for)"),
            "[2001:db8::1]:80",
        );
        yields(
            &format!("str(\"{text}\"),rfc7239_field(for),rfc7239_n2nn"),
            "2001:db8::1",
        );
        yields(
            &format!("str(\"{text}\"),rfc7239_field(for),rfc7239_n2np"),
            "80",
        );
        yields(&format!("str(\"{text}\"),rfc7239_field(proto)"), "https");
        yields("str(10.0.0.1:_port),rfc7239_nn", "10.0.0.1");
        yields("str(10.0.0.1:_port),rfc7239_np", "_port");
        yields("str(_hidden),rfc7239_n2nn", "_hidden");
        yields("str(for=1.2.3.4:99999),rfc7239_is_valid", "0");
        yields("str(foo=bar),rfc7239_is_valid", "0");
        absent("str(a b),rfc7239_n2nn");
        refused("str(a),rfc7239_field(x)", "does not support 'x'");
    }
}
