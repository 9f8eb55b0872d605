//! TLS hellos in front of content rules: what a passing client asks for, without ending TLS here.
//!
//! The stream's first bytes are read by [`crate::proto::hello`]; nothing is decrypted and nothing is verified.

use std::borrow::Cow;

use crate::proto::hello::{self, Hello, Peek};
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
        "1 for a client's hello; nothing where the stream begins otherwise.",
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
        "2 for a server's hello; nothing where the stream begins otherwise.",
    ),
];

/// What the client's hello at the start of the stream says.
fn hello<'a>(
    facts: &'a Facts<'a>,
    look: impl for<'b> FnOnce(Hello<'b>) -> Option<Value<'b>>,
) -> Sampled<'a> {
    match hello::peek(facts.payload.bytes) {
        Peek::Message(message) if message.kind == hello::CLIENT_HELLO => {
            Sampled::of(match &message.body {
                Cow::Borrowed(body) => Hello::read(body).and_then(look),
                // haproxy: reads on over the next record's head; here: several records are put together, because a
                // client that cuts its hello would hide whom it asks for. The whole is gone after the question.
                Cow::Owned(body) => Hello::read(body).and_then(look).map(Value::into_owned),
            })
        }
        Peek::More if !facts.payload.complete => Sampled::NotYet,
        Peek::Message(_) | Peek::More | Peek::Other => Sampled::Absent,
    }
}

fn sni<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.server_name().map(Value::str))
}

fn alpn<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.protocols().next().map(Value::str))
}

fn ciphers<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| Some(Value::bin(h.suites())))
}

fn groups<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.groups().map(Value::bin))
}

fn signatures<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| h.signatures().map(Value::bin))
}

fn key_shares<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        let groups = h.key_share_groups()?.flatten();
        Some(Value::bytes(groups.collect::<Vec<u8>>()))
    })
}

fn has_groups<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| Some(Value::Bool(h.has_groups())))
}

fn ticket<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        Some(Value::Int(match h.ticket() {
            None => 0,
            Some([]) => 1,
            Some(_) => 2,
        }))
    })
}

fn version<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    hello(facts, |h| {
        let [major, minor] = h.version().to_be_bytes();
        Some(Value::Int(i64::from(major) << 16 | i64::from(minor)))
    })
}

/// The type of the hello the stream begins with.
fn first_type<'a>(payload: Payload<'_>) -> Sampled<'a> {
    match hello::peek(payload.bytes) {
        Peek::Message(message) => Sampled::int(i64::from(message.kind)),
        Peek::More if !payload.complete => Sampled::NotYet,
        Peek::More | Peek::Other => Sampled::Absent,
    }
}

fn request_type<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    first_type(facts.payload)
}

fn response_type<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    first_type(facts.response_payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::hello::example;
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

    const WHOLE: usize = 1000;

    #[test]
    fn what_a_client_asks_for() {
        for size in [WHOLE, 60] {
            let hello = example::hello_in(size);
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
    }

    #[test]
    fn every_cut_is_waited_for() {
        let hello = example::hello_in(WHOLE);
        for end in 0..hello.len() {
            yields_with(&facts(&hello[..end], false), "req.ssl_sni", "NOT YET");
            absent_with(&facts(&hello[..end], true), "req.ssl_sni");
        }
        for fetch in ["req.ssl_hello_type", "req.ssl_sni"] {
            absent_with(&facts(b"GET / ", false), fetch);
        }
    }
}
