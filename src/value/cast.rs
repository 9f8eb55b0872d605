//! The casts: one value of one kind as a value of another.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Kind, Value};

impl<'a> Value<'a> {
    /// The value as one of kind `to`; `None` when the matrix has no such cast or this value does
    /// not allow it.
    #[must_use]
    pub fn cast(self, to: Kind) -> Option<Value<'a>> {
        if to == self.kind() {
            return Some(self);
        }
        match to {
            Kind::Any | Kind::Same => Some(self),
            Kind::Bool => self.truth().map(Value::Bool),
            Kind::Int => self.integer().map(Value::Int),
            Kind::Addr => self.address().map(Value::ip),
            Kind::Ip4 => match self.address()? {
                IpAddr::V4(a) => Some(Value::Ip4(a)),
                IpAddr::V6(a) => embedded(a).map(Value::Ip4),
            },
            Kind::Ip6 => match self.address()? {
                IpAddr::V4(a) => Some(Value::Ip6(a.to_ipv6_mapped())),
                IpAddr::V6(a) => Some(Value::Ip6(a)),
            },
            Kind::Str => Some(Value::Str(self.into_text())),
            Kind::Bin => self.into_bin().map(Value::Bin),
            Kind::Method => match self {
                Value::Str(b) | Value::Bin(b) => Some(Value::Method(b)),
                Value::Bool(_)
                | Value::Int(_)
                | Value::Ip4(_)
                | Value::Ip6(_)
                | Value::Method(_) => None,
            },
        }
    }

    /// The value as a truth: numbers are true unless zero.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Int(i) => Some(*i != 0),
            Value::Str(b) => parse_int(b).map(|i| i != 0),
            Value::Ip4(_) | Value::Ip6(_) | Value::Bin(_) | Value::Method(_) => None,
        }
    }

    /// The value as an integer.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(i) => Some(*i),
            Value::Ip4(a) => Some(i64::from(u32::from(*a))),
            Value::Str(b) => parse_int(b),
            Value::Bin(_) | Value::Ip6(_) | Value::Method(_) => None,
        }
    }

    /// The value as an address of whichever family it has.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Value::Ip4(a) => Some(IpAddr::V4(*a)),
            Value::Ip6(a) => Some(IpAddr::V6(*a)),
            // haproxy: the low 32 bits of the number; so here.
            Value::Int(i) => Some(IpAddr::V4(Ipv4Addr::from((*i & 0xffff_ffff) as u32))),
            Value::Str(b) => parse_ip(b),
            Value::Bool(_) | Value::Bin(_) | Value::Method(_) => None,
        }
    }

    /// The bytes of the value as text. Binary data ends at its first NUL, as in HAProxy.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, [u8]> {
        match self {
            Value::Str(b) | Value::Method(b) => b,
            Value::Bin(b) => match memchr::memchr(0, &b) {
                None => b,
                Some(end) => match b {
                    Cow::Borrowed(b) => Cow::Borrowed(&b[..end]),
                    Cow::Owned(mut b) => {
                        b.truncate(end);
                        Cow::Owned(b)
                    }
                },
            },
            Value::Bool(b) => Cow::Borrowed(if b { b"1" } else { b"0" }),
            Value::Int(_) | Value::Ip4(_) | Value::Ip6(_) => {
                let mut out = Vec::with_capacity(TEXT_LEN);
                self.write_text(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// The value as bytes: numbers and addresses in network order, eight bytes a number.
    fn into_bin(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Value::Int(i) => Some(Cow::Owned(i.to_be_bytes().to_vec())),
            Value::Ip4(a) => Some(Cow::Owned(a.octets().to_vec())),
            Value::Ip6(a) => Some(Cow::Owned(a.octets().to_vec())),
            Value::Str(b) | Value::Bin(b) | Value::Method(b) => Some(b),
            Value::Bool(_) => None,
        }
    }
}

/// Room for the text of any number or address.
const TEXT_LEN: usize = 40;

/// The integer at the start of `text`: an optional sign and digits, the rest ignored, the ends of
/// the range as limits. `None` for an empty text only.
#[must_use]
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let (&first, rest) = text.split_first()?;
    let (negative, digits) = match first {
        b'-' => (true, rest),
        b'+' => (false, rest),
        _ => (false, text),
    };
    let mut total: i64 = 0;
    for digit in digits.iter().take_while(|b| b.is_ascii_digit()) {
        let digit = i64::from(digit - b'0');
        total = total.saturating_mul(10);
        total = if negative {
            total.saturating_sub(digit)
        } else {
            total.saturating_add(digit)
        };
    }
    Some(total)
}

/// The IPv4 address that an IPv6 one carries: mapped, compatible (RFC 4291), or 6to4 (RFC 3056).
fn embedded(addr: Ipv6Addr) -> Option<Ipv4Addr> {
    let o = addr.octets();
    if o[..10] == [0; 10] && (o[10..12] == [0, 0] || o[10..12] == [0xff, 0xff]) {
        return Some(Ipv4Addr::new(o[12], o[13], o[14], o[15]));
    }
    if o[..2] == [0x20, 0x02] {
        return Some(Ipv4Addr::new(o[2], o[3], o[4], o[5]));
    }
    None
}

/// An address written as text. An IPv4 address may be followed by `:` or `/` and anything.
fn parse_ip(text: &[u8]) -> Option<IpAddr> {
    let head = text
        .iter()
        .position(|b| matches!(b, b':' | b'/'))
        .map_or(text, |end| &text[..end]);
    if let Some(v4) = parse_ip4(head) {
        return Some(IpAddr::V4(v4));
    }
    std::str::from_utf8(text)
        .ok()?
        .parse::<Ipv6Addr>()
        .ok()
        .map(IpAddr::V6)
}

/// A dotted quad whose parts may have leading zeros.
fn parse_ip4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split(|b| *b == b'.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 3 || !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = part
            .iter()
            .fold(0u32, |n, digit| n * 10 + u32::from(digit - b'0'));
        *octet = u8::try_from(number).ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_numbers_reads_what_is_there() {
        assert_eq!(parse_int(b"12abc"), Some(12));
        assert_eq!(parse_int(b"-5"), Some(-5));
        assert_eq!(parse_int(b"+5"), Some(5));
        assert_eq!(parse_int(b" 7"), Some(0));
        assert_eq!(parse_int(b""), None);
        assert_eq!(parse_int(b"99999999999999999999"), Some(i64::MAX));
        assert_eq!(parse_int(b"-99999999999999999999"), Some(i64::MIN));
    }

    #[test]
    fn addresses() {
        let v4 = |s: &'static [u8]| Value::str(s).cast(Kind::Ip4);
        assert_eq!(v4(b"1.2.3.4"), Some(Value::Ip4(Ipv4Addr::new(1, 2, 3, 4))));
        assert_eq!(v4(b"1.2.3.4/24"), v4(b"1.2.3.4:80"));
        assert_eq!(v4(b"1.2.3.4.5"), None);
        assert_eq!(v4(b"1.2.3"), None);
        assert_eq!(v4(b"localhost"), None);
        assert_eq!(v4(b"::ffff:1.2.3.4"), v4(b"1.2.3.4"));
        assert_eq!(v4(b"2002:102:304::"), v4(b"1.2.3.4"));
        assert_eq!(Value::Int(0x0102_0304).cast(Kind::Addr), v4(b"1.2.3.4"));
        let v6 = Value::str(b"1.2.3.4")
            .cast(Kind::Ip6)
            .and_then(|v| v.as_ip());
        assert_eq!(v6.map(|a| a.to_string()).as_deref(), Some("::ffff:1.2.3.4"));
    }

    #[test]
    fn binary_data_as_text_ends_at_nul() {
        assert_eq!(Value::bin(b"A\0BC").cast(Kind::Str), Some(Value::str(b"A")));
        assert_eq!(
            Value::bytes(*b"A\0BC").cast(Kind::Str),
            Some(Value::str(b"A"))
        );
        assert_eq!(Value::bin(b"AB").cast(Kind::Str), Some(Value::str(b"AB")));
    }

    #[test]
    fn numbers_as_bytes() {
        assert_eq!(
            Value::Int(258).cast(Kind::Bin),
            Some(Value::bin(&[0, 0, 0, 0, 0, 0, 1, 2]))
        );
        assert_eq!(
            Value::Ip4(Ipv4Addr::LOCALHOST).cast(Kind::Bin),
            Some(Value::bin(&[127, 0, 0, 1]))
        );
        assert_eq!(Value::Bool(true).cast(Kind::Bin), None);
        assert_eq!(Value::Bool(true).cast(Kind::Int), Some(Value::Int(1)));
        assert_eq!(Value::str(b"12").cast(Kind::Bool), Some(Value::Bool(true)));
        assert_eq!(
            Value::str(b"true").cast(Kind::Bool),
            Some(Value::Bool(false))
        );
    }
}
