//! TLS hellos in front of content rules: what a passing client asks for, without ending TLS here.
//!
//! The first record of the stream is looked at (RFC 8446 section 4.1.2, RFC 6066); nothing is
//! decrypted and nothing is verified.

use crate::sample::arg::Arg;
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::{Facts, Payload};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use Source::{RequestBuffer, ResponseBuffer};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "rep_ssl_hello_type",
        Kind::Int,
        ResponseBuffer,
        response_type,
        "As `res.ssl_hello_type`.",
    ),
    Fetch::each(
        "req.ssl_alpn",
        Kind::Str,
        RequestBuffer,
        alpn,
        "The first protocol the client offers by ALPN.",
    ),
    Fetch::each(
        "req.ssl_cipherlist",
        Kind::Bin,
        RequestBuffer,
        ciphers,
        "The cipher suites the client offers.",
    ),
    Fetch::each(
        "req.ssl_ec_ext",
        Kind::Bool,
        RequestBuffer,
        has_groups,
        "Whether the client offers elliptic curves.",
    ),
    Fetch::each(
        "req.ssl_hello_type",
        Kind::Int,
        RequestBuffer,
        request_type,
        "1 for a client's hello, 0 for none.",
    ),
    Fetch::each(
        "req.ssl_keyshare_groups",
        Kind::Bin,
        RequestBuffer,
        key_shares,
        "The groups the client sends key shares of.",
    ),
    Fetch::each(
        "req.ssl_sigalgs",
        Kind::Bin,
        RequestBuffer,
        signatures,
        "The signature algorithms the client offers.",
    ),
    Fetch::each(
        "req.ssl_sni",
        Kind::Str,
        RequestBuffer,
        sni,
        "The server name the client asks for.",
    ),
    Fetch::each(
        "req.ssl_st_ext",
        Kind::Int,
        RequestBuffer,
        ticket,
        "0 without session ticket extension, 1 when it is empty, 2 when it has a ticket.",
    ),
    Fetch::each(
        "req.ssl_supported_groups",
        Kind::Bin,
        RequestBuffer,
        groups,
        "The groups the client offers.",
    ),
    Fetch::each(
        "req.ssl_ver",
        Kind::Int,
        RequestBuffer,
        version,
        "The version of the client's hello: major times 65536 plus minor.",
    ),
    Fetch::each(
        "req_ssl_hello_type",
        Kind::Int,
        RequestBuffer,
        request_type,
        "As `req.ssl_hello_type`.",
    ),
    Fetch::each(
        "req_ssl_sni",
        Kind::Str,
        RequestBuffer,
        sni,
        "As `req.ssl_sni`.",
    ),
    Fetch::each(
        "req_ssl_ver",
        Kind::Int,
        RequestBuffer,
        version,
        "As `req.ssl_ver`.",
    ),
    Fetch::each(
        "res.ssl_hello_type",
        Kind::Int,
        ResponseBuffer,
        response_type,
        "2 for a server's hello, 0 for none.",
    ),
];

const RECORD_LEN: usize = 5;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const EXT_SERVER_NAME: u16 = 0;
const EXT_GROUPS: u16 = 10;
const EXT_SIGNATURES: u16 = 13;
const EXT_ALPN: u16 = 16;
const EXT_TICKET: u16 = 35;
const EXT_KEY_SHARE: u16 = 51;

/// What may be said of a stream's first bytes.
pub(super) enum Peek<T> {
    Is(T),
    IsNot,
    TooShort,
}

/// A client's hello, its parts as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientHello<'a> {
    pub(super) version: (u8, u8),
    pub(super) ciphers: &'a [u8],
    pub(super) extensions: &'a [u8],
}

/// Reads fields off the front of bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// A field with its length in one byte before it.
    fn field8(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.take(usize::from(len))
    }

    /// A field with its length in two bytes before it.
    fn field16(&mut self) -> Option<&'a [u8]> {
        let len = self.short()?;
        self.take(usize::from(len))
    }
}

/// The body of the first handshake message, and its type.
fn handshake(bytes: &[u8]) -> Peek<(u8, &[u8])> {
    let head = [HANDSHAKE, 3];
    if bytes.iter().zip(head).any(|(have, want)| *have != want) {
        return Peek::IsNot;
    }
    let Some((record, rest)) = bytes.split_at_checked(RECORD_LEN) else {
        return Peek::TooShort;
    };
    let len = usize::from(u16::from_be_bytes([record[3], record[4]]));
    if len < 4 {
        return Peek::IsNot;
    }
    let Some(body) = rest.get(..len) else {
        return match rest.first() {
            Some(kind) if *kind > 2 => Peek::IsNot,
            _ => Peek::TooShort,
        };
    };
    let kind = body[0];
    let len = usize::from(body[1]) << 16 | usize::from(body[2]) << 8 | usize::from(body[3]);
    // A message longer than its record is looked at as far as the record goes.
    let message = &body[4..];
    Peek::Is((kind, message.get(..len).unwrap_or(message)))
}

/// The client's hello at the start of a stream.
pub(super) fn client_hello(bytes: &[u8]) -> Peek<ClientHello<'_>> {
    match handshake(bytes) {
        Peek::Is((CLIENT_HELLO, body)) => read(body).map_or(Peek::IsNot, Peek::Is),
        Peek::Is(_) | Peek::IsNot => Peek::IsNot,
        Peek::TooShort => Peek::TooShort,
    }
}

/// The parts of a client's hello without its handshake header.
pub(super) fn read(body: &[u8]) -> Option<ClientHello<'_>> {
    let mut bytes = Bytes(body);
    let version = (bytes.byte()?, bytes.byte()?);
    bytes.take(32)?;
    bytes.field8()?;
    let ciphers = bytes.field16()?;
    bytes.field8()?;
    Some(ClientHello {
        version,
        ciphers,
        extensions: bytes.field16().unwrap_or_default(),
    })
}

impl<'a> ClientHello<'a> {
    /// The extensions as type and content.
    pub(super) fn each(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut bytes = Bytes(self.extensions);
        std::iter::from_fn(move || Some((bytes.short()?, bytes.field16()?)))
    }

    pub(super) fn extension(self, wanted: u16) -> Option<&'a [u8]> {
        self.each()
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, content)| content)
    }

    /// The host name of the server name extension.
    fn server_name(self) -> Option<&'a [u8]> {
        let mut list = Bytes(Bytes(self.extension(EXT_SERVER_NAME)?).field16()?);
        loop {
            let kind = list.byte()?;
            let name = list.field16()?;
            if kind == 0 {
                return Some(name);
            }
        }
    }

    fn first_protocol(self) -> Option<&'a [u8]> {
        let list = Bytes(self.extension(EXT_ALPN)?).field16()?;
        Bytes(list).field8()
    }

    /// The content of an extension that is one list.
    pub(super) fn list(self, kind: u16) -> Option<&'a [u8]> {
        Bytes(self.extension(kind)?).field16()
    }

    fn key_share_groups(self) -> Option<Vec<u8>> {
        let mut shares = Bytes(self.list(EXT_KEY_SHARE)?);
        let mut groups = Vec::new();
        while let Some(group) = shares.take(2) {
            groups.extend_from_slice(group);
            shares.field16()?;
        }
        Some(groups)
    }
}

fn hello<'a>(
    facts: &'a Facts<'a>,
    look: impl FnOnce(ClientHello<'a>) -> Option<Value<'a>>,
) -> Sampled<'a> {
    match client_hello(facts.payload.bytes) {
        Peek::Is(hello) => Sampled::of(look(hello)),
        Peek::IsNot => Sampled::Absent,
        Peek::TooShort if facts.payload.complete => Sampled::Absent,
        Peek::TooShort => Sampled::NotYet,
    }
}

fn sni<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.server_name().map(Value::str))
}

fn alpn<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.first_protocol().map(Value::str))
}

fn ciphers<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| Some(Value::bin(h.ciphers)))
}

fn groups<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.list(EXT_GROUPS).map(Value::bin))
}

fn signatures<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.list(EXT_SIGNATURES).map(Value::bin))
}

fn key_shares<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.key_share_groups().map(Value::bytes))
}

fn has_groups<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        Some(Value::Bool(h.extension(EXT_GROUPS).is_some()))
    })
}

fn ticket<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        Some(Value::Int(match h.extension(EXT_TICKET) {
            None => 0,
            Some([]) => 1,
            Some(_) => 2,
        }))
    })
}

fn version<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        let (major, minor) = h.version;
        Some(Value::Int(i64::from(major) << 16 | i64::from(minor)))
    })
}

/// The type of the first handshake message; 0 where the stream begins otherwise.
fn first_type<'a>(payload: Payload<'_>) -> Sampled<'a> {
    match handshake(payload.bytes) {
        Peek::Is((kind, _)) => Sampled::int(i64::from(kind)),
        Peek::TooShort if !payload.complete => Sampled::NotYet,
        Peek::IsNot | Peek::TooShort => Sampled::int(0),
    }
}

fn request_type<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    first_type(facts.payload)
}

fn response_type<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    first_type(facts.response_payload)
}

/// A client's hello for tests, with some extensions.
#[cfg(test)]
pub(super) fn example() -> Vec<u8> {
    let sized16 = |content: &[u8]| {
        let len = u16::try_from(content.len()).expect("short");
        [&len.to_be_bytes(), content].concat()
    };
    let extension =
        |kind: u16, content: &[u8]| [&kind.to_be_bytes()[..], &sized16(content)].concat();
    let name = sized16(&[&[0][..], &sized16(b"a.example")].concat());
    let extensions = [
        extension(EXT_SERVER_NAME, &name),
        extension(EXT_GROUPS, &sized16(&[0, 29, 0, 23])),
        extension(EXT_SIGNATURES, &sized16(&[4, 3])),
        extension(EXT_ALPN, &sized16(b"\x02h2\x08http/1.1")),
        extension(EXT_TICKET, b""),
        extension(EXT_KEY_SHARE, &sized16(&[0, 29, 0, 1, 7])),
        extension(43, &[4, 3, 4, 3, 3]),
    ]
    .concat();
    let body = [
        &[3, 3][..],
        &[9; 32],
        &[0],
        &sized16(&[0x13, 0x01, 0xc0, 0x2f]),
        &[1, 0],
        &sized16(&extensions),
    ]
    .concat();
    let len = u32::try_from(body.len()).expect("short").to_be_bytes();
    let message = [&[CLIENT_HELLO][..], &len[1..], &body].concat();
    [&[HANDSHAKE, 3, 1][..], &sized16(&message)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent_with, bytes_of, yields_with};

    fn facts(bytes: &[u8], complete: bool) -> Facts<'_> {
        Facts {
            payload: Payload { bytes, complete },
            response_payload: Payload {
                bytes: b"\x16\x03\x03\0\x04\x02\0\0\0",
                complete: false,
            },
            last_call: false,
            ..Facts::none()
        }
    }

    #[test]
    fn what_a_client_asks_for() {
        let hello = example();
        let all = facts(&hello, false);
        for (text, want) in [
            ("req.ssl_sni", "a.example"),
            ("req_ssl_sni", "a.example"),
            ("req.ssl_alpn", "h2"),
            ("req.ssl_hello_type", "1"),
            ("req_ssl_hello_type", "1"),
            ("req.ssl_ec_ext", "1"),
            ("req.ssl_st_ext", "1"),
            ("req.ssl_ver", "196611"),
            ("req_ssl_ver", "196611"),
            ("res.ssl_hello_type", "2"),
            ("rep_ssl_hello_type", "2"),
        ] {
            yields_with(&all, text, want);
        }
        assert_eq!(bytes_of(&all, "req.ssl_cipherlist"), [0x13, 1, 0xc0, 0x2f]);
        assert_eq!(bytes_of(&all, "req.ssl_supported_groups"), [0, 29, 0, 23]);
        assert_eq!(bytes_of(&all, "req.ssl_sigalgs"), [4, 3]);
        assert_eq!(bytes_of(&all, "req.ssl_keyshare_groups"), [0, 29]);
    }

    #[test]
    fn every_cut_is_waited_for() {
        let hello = example();
        for end in 0..hello.len() {
            yields_with(&facts(&hello[..end], false), "req.ssl_sni", "NOT YET");
            absent_with(&facts(&hello[..end], true), "req.ssl_sni");
        }
        yields_with(&facts(b"GET / ", false), "req.ssl_hello_type", "0");
        absent_with(&facts(b"GET / ", false), "req.ssl_sni");
    }

    #[test]
    fn nonsense_is_no_hello() {
        let hello = example();
        for at in 0..hello.len() {
            let mut bent = hello.clone();
            bent[at] ^= 0xff;
            let _ = client_hello(&bent);
        }
    }
}
