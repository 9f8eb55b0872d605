//! The values of the expression language: their kinds, their order, and the casts between them.
//!
//! A [`Value`] is what a sample fetch yields, what a converter turns into another, and what a
//! pattern is matched against. Its bytes are borrowed wherever the message or the configuration
//! already holds them; only a converter that makes new bytes owns them.
//!
//! Kinds and casts follow HAProxy's matrix: [`Kind::casts_to`] answers while the configuration is
//! read, [`Value::cast`] does the work while traffic flows. A cast that the matrix allows may
//! still fail on a given value (the text `abc` is no address); then the sample is absent.
//!
//! Nothing here knows where a value came from.

mod cast;
mod kind;

pub use cast::parse_int;
pub use kind::Kind;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::addr;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// True or false.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// An IPv4 address.
    Ip4(Ipv4Addr),
    /// An IPv6 address.
    Ip6(Ipv6Addr),
    /// Text in no particular encoding.
    Str(Cow<'a, [u8]>),
    /// Bytes that are no text.
    Bin(Cow<'a, [u8]>),
    /// The method of a request, by its name.
    Method(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    #[must_use]
    pub fn str(bytes: &'a [u8]) -> Value<'a> {
        Value::Str(Cow::Borrowed(bytes))
    }

    /// Text of its own.
    #[must_use]
    pub fn string(bytes: impl Into<Vec<u8>>) -> Value<'a> {
        Value::Str(Cow::Owned(bytes.into()))
    }

    /// Borrowed bytes.
    #[must_use]
    pub fn bin(bytes: &'a [u8]) -> Value<'a> {
        Value::Bin(Cow::Borrowed(bytes))
    }

    /// Bytes of its own.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Value<'a> {
        Value::Bin(Cow::Owned(bytes.into()))
    }

    /// An address of either family.
    #[must_use]
    pub fn ip(addr: IpAddr) -> Value<'a> {
        match addr {
            IpAddr::V4(v4) => Value::Ip4(v4),
            IpAddr::V6(v6) => Value::Ip6(v6),
        }
    }

    /// The kind of this value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Ip4(_) => Kind::Ip4,
            Value::Ip6(_) => Kind::Ip6,
            Value::Str(_) => Kind::Str,
            Value::Bin(_) => Kind::Bin,
            Value::Method(_) => Kind::Method,
        }
    }

    /// The bytes of text, binary data or a method.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Str(b) | Value::Bin(b) | Value::Method(b) => Some(b),
            Value::Bool(_) | Value::Int(_) | Value::Ip4(_) | Value::Ip6(_) => None,
        }
    }

    /// The address, when it is one.
    #[must_use]
    pub fn as_ip(&self) -> Option<IpAddr> {
        match self {
            Value::Ip4(a) => Some(IpAddr::V4(*a)),
            Value::Ip6(a) => Some(IpAddr::V6(*a)),
            Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Bin(_) | Value::Method(_) => {
                None
            }
        }
    }

    /// The same value owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Bool(b) => Value::Bool(b),
            Value::Int(i) => Value::Int(i),
            Value::Ip4(a) => Value::Ip4(a),
            Value::Ip6(a) => Value::Ip6(a),
            Value::Str(b) => Value::Str(Cow::Owned(b.into_owned())),
            Value::Bin(b) => Value::Bin(Cow::Owned(b.into_owned())),
            Value::Method(b) => Value::Method(Cow::Owned(b.into_owned())),
        }
    }

    /// A borrow of this value.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Bool(b) => Value::Bool(*b),
            Value::Int(i) => Value::Int(*i),
            Value::Ip4(a) => Value::Ip4(*a),
            Value::Ip6(a) => Value::Ip6(*a),
            Value::Str(b) => Value::Str(Cow::Borrowed(b)),
            Value::Bin(b) => Value::Bin(Cow::Borrowed(b)),
            Value::Method(b) => Value::Method(Cow::Borrowed(b)),
        }
    }

    /// Appends the value as text, as the cast to text would make it.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        match self {
            Value::Bool(b) => out.push(if *b { b'1' } else { b'0' }),
            // Writing to a vector cannot fail.
            Value::Int(i) => drop(write!(out, "{i}")),
            Value::Ip4(a) => addr::write_ip(out, (*a).into()),
            Value::Ip6(a) => addr::write_ip(out, (*a).into()),
            Value::Str(b) | Value::Bin(b) | Value::Method(b) => out.extend_from_slice(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_kind() {
        let text = |v: Value<'_>| {
            let mut out = Vec::new();
            v.write_text(&mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(text(Value::Bool(true)), "1");
        assert_eq!(text(Value::Int(-7)), "-7");
        assert_eq!(text(Value::Ip4(Ipv4Addr::LOCALHOST)), "127.0.0.1");
        assert_eq!(text(Value::Ip6(Ipv6Addr::LOCALHOST)), "::1");
        assert_eq!(text(Value::str(b"x")), "x");
        assert_eq!(text(Value::Method(Cow::Borrowed(b"GET"))), "GET");
    }

    #[test]
    fn owning_changes_nothing() {
        let v = Value::bin(b"\0\x01");
        assert_eq!(v.clone().into_owned(), v);
        assert_eq!(v.borrowed(), v);
        assert_eq!(v.kind(), Kind::Bin);
    }
}
