//! Arguments: what stands between the parentheses of a fetch or a converter.
//!
//! A row says which kinds of arguments it takes ([`Wants`]); this file cuts the text at commas,
//! undoes the second level of quoting and reads each piece as its kind. Names of proxies, servers
//! and tables stay open until the whole configuration is known: [`Name::settle`] closes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::pattern::{Regex, View};

use super::expr::Test;
use super::vars::VarName;

/// The kind of argument a row takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wants {
    /// A number.
    Int,
    /// Text.
    Str,
    /// An IPv4 address.
    Ip4,
    /// An IPv4 mask: address or length.
    Mask4,
    /// An IPv6 address.
    Ip6,
    /// An IPv6 mask: address or length.
    Mask6,
    /// A frontend's name, or the current proxy.
    Frontend,
    /// A backend's name, or the current proxy.
    Backend,
    /// A server, `backend/name` or one of the current proxy.
    Server,
    /// A table's name, or the current proxy's.
    Table,
    /// A user list's name.
    Users,
    /// A regular expression.
    Regex,
    /// A path of field numbers in a Protocol Buffers message.
    ProtobufPath,
}

impl Wants {
    /// HAProxy's name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Wants::Int => "integer",
            Wants::Str => "string",
            Wants::Ip4 => "IPv4 address",
            Wants::Mask4 => "IPv4 mask",
            Wants::Ip6 => "IPv6 address",
            Wants::Mask6 => "IPv6 mask",
            Wants::Frontend => "frontend",
            Wants::Backend => "backend",
            Wants::Server => "server",
            Wants::Table => "table",
            Wants::Users => "user list",
            Wants::Regex => "regex",
            Wants::ProtobufPath => "Protocol buffers field number",
        }
    }

    /// Whether a missing argument of this kind means the current proxy.
    fn defaults_to_proxy(self) -> bool {
        matches!(
            self,
            Wants::Frontend | Wants::Backend | Wants::Server | Wants::Table
        )
    }
}

/// What a row takes: how many arguments at least, and their kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// How many must be given.
    pub least: usize,
    /// The kinds, as many as may be given.
    pub kinds: &'static [Wants],
}

impl Spec {
    /// No arguments.
    pub const NONE: Spec = Spec::opt(&[]);

    /// All must be given.
    #[must_use]
    pub const fn all(kinds: &'static [Wants]) -> Spec {
        Spec {
            least: kinds.len(),
            kinds,
        }
    }

    /// None must be given.
    #[must_use]
    pub const fn opt(kinds: &'static [Wants]) -> Spec {
        Spec { least: 0, kinds }
    }

    /// The first `least` must be given.
    #[must_use]
    pub const fn from(least: usize, kinds: &'static [Wants]) -> Spec {
        Spec { least, kinds }
    }

    /// HAProxy's notation: `(string[,integer])`.
    #[must_use]
    pub fn usage(&self) -> String {
        if self.kinds.is_empty() {
            return String::new();
        }
        let mut out = String::from("(");
        for (at, kind) in self.kinds.iter().enumerate() {
            if at == self.least {
                out.push('[');
            }
            if at > 0 {
                out.push(',');
            }
            out.push_str(kind.name());
        }
        if self.least < self.kinds.len() {
            out.push(']');
        }
        out.push(')');
        out
    }
}

/// A name that becomes an identity when the whole configuration is known.
#[derive(Debug, Clone)]
pub struct Name<I> {
    /// The name as written; empty for the current proxy.
    pub text: String,
    id: OnceLock<I>,
}

impl<I: Copy> Name<I> {
    /// An open name.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Name<I> {
        Name {
            text: text.into(),
            id: OnceLock::new(),
        }
    }

    /// Closes the name. The first identity stays.
    pub fn settle(&self, id: I) {
        let _ = self.id.set(id);
    }

    /// The identity; `None` while the name is open.
    #[must_use]
    pub fn id(&self) -> Option<I> {
        self.id.get().copied()
    }
}

/// One argument.
#[derive(Clone)]
pub enum Arg {
    /// Not given.
    Absent,
    /// A number.
    Int(i64),
    /// Text.
    Str(Box<[u8]>),
    /// An IPv4 address or mask.
    Ip4(Ipv4Addr),
    /// An IPv6 address or mask.
    Ip6(Ipv6Addr),
    /// A frontend.
    Frontend(Name<FrontendId>),
    /// A backend.
    Backend(Name<BackendId>),
    /// A server.
    Server(Name<ServerId>),
    /// A table.
    Table(Name<TableId>),
    /// A user list.
    Users(Arc<str>),
    /// A compiled regular expression.
    Regex(Arc<Regex>),
    /// A variable.
    Var(VarName),
    /// A map to look into.
    Map(Arc<View>),
    /// Named conditions.
    Tests(Vec<(bool, Arc<dyn Test>)>),
    /// Numbers: field paths, tables made from text.
    Path(Box<[u64]>),
}

impl std::fmt::Debug for Arg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Arg::Absent => f.write_str("Absent"),
            Arg::Int(i) => write!(f, "Int({i})"),
            Arg::Str(s) => write!(f, "Str({})", s.escape_ascii()),
            Arg::Ip4(a) => write!(f, "{a}"),
            Arg::Ip6(a) => write!(f, "{a}"),
            Arg::Frontend(n) => write!(f, "Frontend({})", n.text),
            Arg::Backend(n) => write!(f, "Backend({})", n.text),
            Arg::Server(n) => write!(f, "Server({})", n.text),
            Arg::Table(n) => write!(f, "Table({})", n.text),
            Arg::Users(n) => write!(f, "Users({n})"),
            Arg::Regex(r) => write!(f, "Regex({})", r.source()),
            Arg::Var(v) => write!(f, "Var({v})"),
            Arg::Map(_) => f.write_str("Map"),
            Arg::Tests(t) => write!(f, "Tests({})", t.len()),
            Arg::Path(p) => write!(f, "Path({p:?})"),
        }
    }
}

/// Reads of an argument list by position. A row's [`Spec`] promises what stands where; what was
/// not given reads as nothing.
pub trait Args {
    /// The argument at `at`.
    fn at(&self, at: usize) -> &Arg;

    /// The number at `at`.
    fn int(&self, at: usize) -> Option<i64> {
        match self.at(at) {
            Arg::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The number at `at`, or `otherwise`.
    fn int_or(&self, at: usize, otherwise: i64) -> i64 {
        self.int(at).unwrap_or(otherwise)
    }

    /// The text at `at`.
    fn text(&self, at: usize) -> Option<&[u8]> {
        match self.at(at) {
            Arg::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The text at `at`, empty when not given.
    fn text_or_empty(&self, at: usize) -> &[u8] {
        self.text(at).unwrap_or_default()
    }

    /// The variable at `at`.
    fn var(&self, at: usize) -> Option<&VarName> {
        match self.at(at) {
            Arg::Var(v) => Some(v),
            _ => None,
        }
    }
}

impl Args for [Arg] {
    fn at(&self, at: usize) -> &Arg {
        self.get(at).unwrap_or(&Arg::Absent)
    }
}

/// Arguments as read, and where the text after them begins.
#[derive(Debug)]
pub(super) struct List {
    /// One for each kind of the spec.
    pub(super) args: Vec<Arg>,
    /// The first byte after the closing parenthesis.
    pub(super) end: usize,
}

/// Reads the argument list that begins at `at`, on its opening parenthesis or where there is none.
/// The error is HAProxy's sentence about the list and the position (from 1) of the culprit.
///
/// # Errors
/// A parenthesis is missing, there are too many or too few arguments, or one is not of its kind.
pub(super) fn parse(text: &[u8], at: usize, spec: Spec) -> Result<List, (usize, String)> {
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

    #[test]
    fn usage_is_in_haproxys_notation() {
        assert_eq!(TWO.usage(), "(integer[,string])");
        assert_eq!(Spec::NONE.usage(), "");
    }
}
