//! Keys of a table: their kind, how a value becomes one, and how one is shown.

use crate::value::{self, Value};
use smallvec::SmallVec;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `type`: what a table is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    Ip,
    /// IPv6 addresses.
    Ipv6,
    /// Unsigned numbers of 32 bits.
    Integer,
    /// Texts, cut at so many bytes.
    String(u32),
    /// Bytes, cut or filled with zeros to so many.
    Binary(u32),
}

/// A key in the table's own form.
pub type Key = SmallVec<[u8; 16]>;

impl Kind {
    /// The name in the configuration and in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ipv6 => "ipv6",
            Self::Integer => "integer",
            Self::String(_) => "string",
            Self::Binary(_) => "binary",
        }
    }

    /// The key a value is, if it can be one of this kind. Empty texts are no keys.
    #[must_use]
    pub fn key(self, value: &Value<'_>) -> Option<Key> {
        let cast = |kind| value.borrowed().cast(kind);
        match self {
            Self::Ip => match cast(value::Kind::Ip4)?.as_ip()? {
                IpAddr::V4(ip) => Some(Key::from_slice(&ip.octets())),
                IpAddr::V6(_) => None,
            },
            Self::Ipv6 => match cast(value::Kind::Ip6)?.as_ip()? {
                IpAddr::V6(ip) => Some(Key::from_slice(&ip.octets())),
                IpAddr::V4(_) => None,
            },
            Self::Integer => {
                let number = cast(value::Kind::Int)?.integer()?;
                let low = u32::try_from(number & 0xffff_ffff).ok()?;
                Some(Key::from_slice(&low.to_be_bytes()))
            }
            Self::String(len) => {
                let value = cast(value::Kind::Str)?;
                let bytes = value.as_bytes().filter(|bytes| !bytes.is_empty())?;
                Some(Key::from_slice(&bytes[..bytes.len().min(len as usize)]))
            }
            Self::Binary(len) => {
                let value = cast(value::Kind::Bin)?;
                let bytes = value.as_bytes().filter(|bytes| !bytes.is_empty())?;
                let mut key = Key::from_slice(&bytes[..bytes.len().min(len as usize)]);
                key.resize(len as usize, 0);
                Some(key)
            }
        }
    }

    /// The value a key came from.
    #[must_use]
    pub fn value(self, key: &[u8]) -> Value<'_> {
        match self {
            Self::Ip | Self::Ipv6 => address(key).map_or(Value::bin(key), Value::ip),
            Self::Integer => Value::Int(i64::from(number(key))),
            Self::String(_) => Value::str(key),
            Self::Binary(_) => Value::bin(key),
        }
    }

    /// Writes a key as `show table` does: odd bytes escaped, so that a line stays a line.
    pub fn show(self, key: &[u8], out: &mut Vec<u8>) {
        // Writing to a vector cannot fail.
        let _ = match (self, address(key)) {
            (Self::Ip | Self::Ipv6, Some(ip)) => write!(out, "{ip}"),
            (Self::Integer, _) => write!(out, "{}", number(key)),
            _ => {
                escape(key, out);
                Ok(())
            }
        };
    }
}

fn address(key: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(key).ok();
    let sixteen = <[u8; 16]>::try_from(key).ok();
    four.map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
        .or_else(|| sixteen.map(|octets| IpAddr::V6(Ipv6Addr::from(octets))))
}

fn number(key: &[u8]) -> u32 {
    <[u8; 4]>::try_from(key).map_or(0, u32::from_be_bytes)
}

fn escape(key: &[u8], out: &mut Vec<u8>) {
    for &byte in key {
        // Writing to a vector cannot fail.
        let _ = match byte {
            b'\\' | b' ' | b'=' => write!(out, "\\{}", char::from(byte)),
            b'\t' => write!(out, "\\t"),
            b'\n' => write!(out, "\\n"),
            b'\r' => write!(out, "\\r"),
            27 => write!(out, "\\e"),
            b'!'..=b'~' => {
                out.push(byte);
                Ok(())
            }
            other => write!(out, "\\x{other:02x}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, value: &Value<'_>) -> Option<String> {
        let key = kind.key(value)?;
        let mut out = Vec::new();
        kind.show(&key, &mut out);
        String::from_utf8(out).ok()
    }

    #[test]
    fn values_become_keys_and_keys_are_shown() {
        let text = |text: &'static str| Value::str(text.as_bytes());
        assert_eq!(
            shown(Kind::Ip, &text("1.2.3.4")).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(shown(Kind::Ip, &text("nowhere")), None);
        assert_eq!(shown(Kind::Ipv6, &text("::1")).as_deref(), Some("::1"));
        assert_eq!(
            shown(Kind::Integer, &Value::Int(-1)).as_deref(),
            Some("4294967295")
        );
        let cut = shown(Kind::String(4), &text("a b=cd"));
        assert_eq!(cut.as_deref(), Some("a\\ b\\="));
        let filled = shown(Kind::Binary(3), &Value::bin(b"\x01z"));
        assert_eq!(filled.as_deref(), Some("\\x01z\\x00"));
        assert_eq!(shown(Kind::String(4), &text("")), None);
    }

    #[test]
    fn a_key_gives_its_value_back() {
        let ip = Value::ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
        let key = Kind::Ip.key(&ip).expect("an address");
        assert_eq!(Kind::Ip.value(&key), ip);
        let key = Kind::Integer.key(&Value::Int(7)).expect("a number");
        assert_eq!(Kind::Integer.value(&key), Value::Int(7));
    }
}
