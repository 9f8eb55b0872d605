//! Arguments: what stands between the parentheses of a fetch or a converter.
//!
//! A row says which kinds of arguments it takes ([`Wants`]); [`list`] reads them from the text, and
//! the row's function gets them by position ([`Args`]). Names of proxies, servers
//! and tables stay open until the whole configuration is known: [`Name::settle`] closes them.

mod list;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::pattern::{Regex, View};

use super::expr::Test;
use super::vars::VarName;

pub(super) use list::parse;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_in_haproxys_notation() {
        const USUAL: Spec = Spec::from(1, &[Wants::Int, Wants::Str]);
        assert_eq!(USUAL.usage(), "(integer[,string])");
        assert_eq!(Spec::NONE.usage(), "");
    }
}
