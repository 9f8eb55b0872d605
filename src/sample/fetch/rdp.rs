//! The cookie in a connection request of the remote desktop protocol.

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::{Facts, Payload};
use crate::sample::place::Source::RequestBuffer;
use crate::sample::row::Fetch;
use crate::value::Kind;

const NAME: Spec = Spec::opt(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "rdp_cookie",
        Kind::Str,
        RequestBuffer,
        rdp_cookie,
        "As `req.rdp_cookie`.",
    )
    .with(NAME),
    Fetch::each(
        "rdp_cookie_cnt",
        Kind::Int,
        RequestBuffer,
        rdp_cookie_count,
        "As `req.rdp_cookie_cnt`.",
    )
    .with(NAME),
    Fetch::each(
        "req.rdp_cookie",
        Kind::Str,
        RequestBuffer,
        rdp_cookie,
        "The cookie of a remote desktop request.",
    )
    .with(NAME),
    Fetch::each(
        "req.rdp_cookie_cnt",
        Kind::Int,
        RequestBuffer,
        rdp_cookie_count,
        "Whether there is one: 0 or 1.",
    )
    .with(NAME),
];

/// The cookie of a connection request of the remote desktop protocol: a TPKT header, an X.224
/// connection request, then `Cookie: name=value`.
fn rdp<'a>(payload: Payload<'a>, name: &[u8]) -> Sampled<'a> {
    let bytes = payload.bytes;
    let missing = || match payload.complete {
        true => Sampled::Absent,
        false => Sampled::NotYet,
    };
    if bytes.len() < RDP_HEAD_LEN {
        return match b"\x03\x00".iter().zip(bytes).all(|(a, b)| a == b) {
            true => missing(),
            false => Sampled::Absent,
        };
    }
    if bytes[0] != 3 || bytes[1] != 0 || bytes[5] != 0xe0 {
        return Sampled::Absent;
    }
    let total = 5 + usize::from(bytes[4]);
    let Some(packet) = bytes.get(RDP_HEAD_LEN..total) else {
        return missing();
    };
    let Some(text) = packet.strip_prefix(b"Cookie: ") else {
        return Sampled::Absent;
    };
    let end = memchr::memchr(b'\r', text).unwrap_or(text.len());
    let Some(equals) = memchr::memchr(b'=', &text[..end]) else {
        return Sampled::Absent;
    };
    if !name.is_empty() && !text[..equals].eq_ignore_ascii_case(name) {
        return Sampled::Absent;
    }
    Sampled::str(&text[equals + 1..end])
}

const RDP_HEAD_LEN: usize = 11;

fn rdp_cookie<'a>(args: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    rdp(facts.payload, args.text_or_empty(0))
}

fn rdp_cookie_count<'a>(args: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    match rdp(facts.payload, args.text_or_empty(0)) {
        Sampled::Got(_) => Sampled::int(1),
        Sampled::Absent => Sampled::int(0),
        Sampled::NotYet => Sampled::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::yields_with;

    fn facts(bytes: &[u8]) -> Facts<'_> {
        Facts {
            payload: Payload {
                bytes,
                complete: false,
            },
            last_call: false,
            ..Facts::none()
        }
    }

    #[test]
    fn remote_desktops() {
        let packet =
            b"\x03\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=user\r\n\x01\0\x08\0\x03\0\0\0";
        let mut packet = packet.to_vec();
        packet[4] = u8::try_from(packet.len() - 5).expect("short");
        let all = facts(&packet);
        yields_with(&all, "req.rdp_cookie(mstshash)", "user");
        yields_with(&all, "rdp_cookie", "user");
        yields_with(&all, "req.rdp_cookie_cnt", "1");
        yields_with(&all, "rdp_cookie_cnt(other)", "0");
        yields_with(&facts(&packet[..20]), "req.rdp_cookie", "NOT YET");
        yields_with(&facts(b"GET / HTTP/1.1"), "req.rdp_cookie_cnt", "0");
    }
}
