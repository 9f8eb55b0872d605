//! A list of arguments, from its text: cut at commas, the second level of quoting undone, each piece read as its kind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Arg, Name, Spec, Wants};

/// Arguments as read, and where the text after them begins.
#[derive(Debug)]
pub(in crate::sample) struct List {
    /// One for each kind of the spec.
    pub(in crate::sample) args: Vec<Arg>,
    /// The first byte after the closing parenthesis.
    pub(in crate::sample) end: usize,
}

/// Reads the argument list that begins at `at`, on its opening parenthesis or where there is none.
/// The error is HAProxy's sentence about the list and the position (from 1) of the culprit.
///
/// # Errors
/// A parenthesis is missing, there are too many or too few arguments, or one is not of its kind.
pub(in crate::sample) fn parse(
    text: &[u8],
    at: usize,
    spec: Spec,
) -> Result<List, (usize, String)> {
    let opened = text.get(at) == Some(&b'(');
    let start = at + usize::from(opened);
    let (mut args, end) = if opened && text.get(start) != Some(&b')') {
        pieces(text, start, spec)?
    } else if spec.least > 0 {
        let first = read(spec.kinds[0], b"", 1, spec).map_err(|why| (1, why))?;
        (vec![first], start)
    } else {
        (Vec::new(), start)
    };
    if let Some(kind) = spec.kinds.get(args.len())
        && args.len() < spec.least
        && !kind.defaults_to_proxy()
    {
        let why = format!(
            "missing arguments (got {}/{}), type '{}' expected",
            args.len(),
            spec.least,
            kind.name()
        );
        return Err((args.len() + 1, why));
    }
    if opened && text.get(end) != Some(&b')') {
        return Err((args.len().max(1), expected_paren(&text[end..])));
    }
    while let Some(kind) = spec.kinds.get(args.len()) {
        args.push(implied(*kind, args.len() < spec.least));
    }
    Ok(List {
        args,
        end: end + usize::from(opened),
    })
}

/// The arguments from `start` on, up to the first that does not belong to the list.
fn pieces(text: &[u8], start: usize, spec: Spec) -> Result<(Vec<Arg>, usize), (usize, String)> {
    let mut args = Vec::with_capacity(spec.kinds.len());
    let mut end = start;
    while let Some(kind) = spec.kinds.get(args.len()) {
        let position = args.len() + 1;
        let (piece, next) = cut(text, end).map_err(|why| (position, why))?;
        let optional = position > spec.least && *kind != Wants::Str;
        if piece.is_empty() && optional && !kind.defaults_to_proxy() {
            break;
        }
        args.push(read(*kind, &piece, position, spec).map_err(|why| (position, why))?);
        end = next;
        if text.get(end) != Some(&b',') || args.len() == spec.kinds.len() {
            break;
        }
        end += 1;
    }
    Ok((args, end))
}

/// What a missing argument stands for.
fn implied(kind: Wants, required: bool) -> Arg {
    match kind {
        Wants::Frontend if required => Arg::Frontend(Name::new("")),
        Wants::Backend if required => Arg::Backend(Name::new("")),
        Wants::Server if required => Arg::Server(Name::new("")),
        Wants::Table if required => Arg::Table(Name::new("")),
        _ => Arg::Absent,
    }
}

/// One piece of the list as its kind.
fn read(kind: Wants, piece: &[u8], position: usize, spec: Spec) -> Result<Arg, String> {
    let shown = String::from_utf8_lossy(piece);
    let refuse = || {
        Err(format!(
            "failed to parse '{shown}' as type '{}' at position {position}",
            kind.name()
        ))
    };
    if piece.is_empty() {
        return match kind {
            Wants::Str => Ok(Arg::Str(Box::default())),
            _ if position > spec.least || kind.defaults_to_proxy() => {
                Ok(implied(kind, position <= spec.least))
            }
            _ => Err(format!(
                "expected type '{}' at position {position}, but got nothing",
                kind.name()
            )),
        };
    }
    let name = || shown.to_string();
    let address = || shown.parse::<IpAddr>().ok();
    let arg = match kind {
        Wants::Int => shown.parse().ok().map(Arg::Int),
        Wants::Str => Some(Arg::Str(piece.into())),
        Wants::Ip4 => match address() {
            Some(IpAddr::V4(a)) => Some(Arg::Ip4(a)),
            Some(IpAddr::V6(_)) | None => None,
        },
        Wants::Ip6 => match address() {
            Some(IpAddr::V6(a)) => Some(Arg::Ip6(a)),
            Some(IpAddr::V4(_)) | None => None,
        },
        Wants::Mask4 => mask4(&shown).map(Arg::Ip4),
        Wants::Mask6 => mask6(&shown).map(Arg::Ip6),
        Wants::Frontend => Some(Arg::Frontend(Name::new(name()))),
        Wants::Backend => Some(Arg::Backend(Name::new(name()))),
        Wants::Server => Some(Arg::Server(Name::new(name()))),
        Wants::Table => Some(Arg::Table(Name::new(name()))),
        Wants::Users => Some(Arg::Users(Arc::from(name()))),
        // Compiled by the row's check, which knows the flags.
        Wants::Regex => Some(Arg::Str(piece.into())),
        Wants::ProtobufPath => shown
            .split('.')
            .map(|n| n.parse().ok())
            .collect::<Option<Box<[u64]>>>()
            .map(Arg::Path),
    };
    arg.map_or_else(refuse, Ok)
}

fn mask4(text: &str) -> Option<Ipv4Addr> {
    if let Ok(len) = text.parse::<u32>() {
        let bits = u32::MAX.checked_shl(32 - len.min(32)).unwrap_or(0);
        return (len <= 32).then(|| Ipv4Addr::from(bits));
    }
    text.parse().ok()
}

fn mask6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(len) = text.parse::<u32>() {
        let bits = u128::MAX.checked_shl(128 - len.min(128)).unwrap_or(0);
        return (len <= 128).then(|| Ipv6Addr::from(bits));
    }
    text.parse().ok()
}

fn expected_paren(rest: &[u8]) -> String {
    if rest.is_empty() {
        return "expected ')'".to_string();
    }
    format!("expected ')' before '{}'", String::from_utf8_lossy(rest))
}

/// One argument's bytes, second-level quotes and escapes undone, and where it ends: at a comma, a
/// closing parenthesis, or the end of the text.
fn cut(text: &[u8], start: usize) -> Result<(Vec<u8>, usize), String> {
    let mut out = Vec::new();
    let mut at = start;
    let mut quote: Option<u8> = None;
    while let Some(&byte) = text.get(at) {
        match (quote, byte) {
            (None, b',' | b')') => break,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), b'"' | b'\'') if open == byte => quote = None,
            (None | Some(b'"'), b'\\') => {
                if let Some(plain) = text.get(at + 1).and_then(|b| unescape(*b)) {
                    out.push(plain);
                    at += 1;
                } else {
                    out.push(byte);
                }
            }
            _ => out.push(byte),
        }
        at += 1;
    }
    if quote.is_some() {
        return Err("expected ')'".to_string());
    }
    Ok((out, at))
}

fn unescape(byte: u8) -> Option<u8> {
    match byte {
        b'\\' | b' ' | b'"' | b'\'' => Some(byte),
        b'r' => Some(b'\r'),
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Args;
    use super::*;

    const TWO: Spec = Spec::from(1, &[Wants::Int, Wants::Str]);

    fn error(text: &str, spec: Spec) -> String {
        parse(text.as_bytes(), 0, spec).expect_err("refused").1
    }

    #[test]
    fn lists_are_cut_and_read() {
        let list = parse(br#"(3,"a,b\n")x"#, 0, TWO).expect("legal");
        assert_eq!(list.args.as_slice().int(0), Some(3));
        assert_eq!(list.args.as_slice().text(1), Some(&b"a,b\n"[..]));
        assert_eq!(list.end, 11);
        let list = parse(b",lower", 0, Spec::NONE).expect("no list");
        assert_eq!(list.end, 0);
    }

    #[test]
    fn sentences_are_haproxys() {
        assert_eq!(
            error("(x)", TWO),
            "failed to parse 'x' as type 'integer' at position 1"
        );
        assert_eq!(error("(1,a,b)", TWO), "expected ')' before ',b)'");
        assert_eq!(error("(a)", Spec::NONE), "expected ')' before 'a)'");
        assert_eq!(error("(1", TWO), "expected ')'");
        assert_eq!(
            error("(1)", Spec::all(&[Wants::Int, Wants::Str])),
            "missing arguments (got 1/2), type 'string' expected"
        );
    }

    #[test]
    fn masks_are_lengths_or_addresses() {
        assert_eq!(mask4("24"), Some(Ipv4Addr::new(255, 255, 255, 0)));
        assert_eq!(mask4("0"), Some(Ipv4Addr::UNSPECIFIED));
        assert_eq!(mask4("33"), None);
        assert_eq!(mask6("64"), "ffff:ffff:ffff:ffff::".parse().ok());
    }
}
