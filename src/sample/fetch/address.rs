//! Addresses of both ends, and what the client's connection began with.

use std::net::SocketAddr;

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, Wall};
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use Source::{ClientAddress, Listener, ServerConnection};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "accept_date",
        Kind::Int,
        ClientAddress,
        accept_date,
        "When the connection was accepted.",
    )
    .with(Spec::opt(&[Wants::Str]))
    .checked(check_unit),
    Fetch::once(
        "bc_dst",
        Kind::Addr,
        ServerConnection,
        bc_dst,
        "The server's address as it was reached.",
    ),
    Fetch::once(
        "bc_dst_port",
        Kind::Int,
        ServerConnection,
        bc_dst_port,
        "The server's port as it was reached.",
    ),
    Fetch::once(
        "bc_src",
        Kind::Addr,
        ServerConnection,
        bc_src,
        "This side's address towards the server.",
    ),
    Fetch::once(
        "bc_src_port",
        Kind::Int,
        ServerConnection,
        bc_src_port,
        "This side's port towards the server.",
    ),
    Fetch::once(
        "dst",
        Kind::Addr,
        ClientAddress,
        dst,
        "The address the client reached.",
    ),
    Fetch::once(
        "dst_is_local",
        Kind::Bool,
        ClientAddress,
        dst_is_local,
        "Whether the address the client reached belongs to this host.",
    ),
    Fetch::once(
        "dst_port",
        Kind::Int,
        ClientAddress,
        dst_port,
        "The port the client reached.",
    ),
    Fetch::once(
        "fc_dst",
        Kind::Addr,
        ClientAddress,
        fc_dst,
        "The destination of the client's connection, whatever the rules made of it.",
    ),
    Fetch::once(
        "fc_dst_is_local",
        Kind::Bool,
        ClientAddress,
        fc_dst_is_local,
        "Whether that destination belongs to this host.",
    ),
    Fetch::once(
        "fc_dst_port",
        Kind::Int,
        ClientAddress,
        fc_dst_port,
        "The port of that destination.",
    ),
    Fetch::once(
        "fc_src",
        Kind::Addr,
        ClientAddress,
        fc_src,
        "The source of the client's connection, whatever the rules made of it.",
    ),
    Fetch::once(
        "fc_src_is_local",
        Kind::Bool,
        ClientAddress,
        fc_src_is_local,
        "Whether that source belongs to this host.",
    ),
    Fetch::once(
        "fc_src_port",
        Kind::Int,
        ClientAddress,
        fc_src_port,
        "The port of that source.",
    ),
    Fetch::once(
        "fc_pp_authority",
        Kind::Str,
        ClientAddress,
        pp_authority,
        "The authority of the PROXY header.",
    ),
    Fetch::once(
        "fc_pp_tlv",
        Kind::Str,
        ClientAddress,
        pp_tlv,
        "A type-length-value of the PROXY header, by number or name.",
    )
    .with(Spec::all(&[Wants::Str]))
    .checked(check_tlv),
    Fetch::once(
        "fc_pp_unique_id",
        Kind::Str,
        ClientAddress,
        pp_unique_id,
        "The unique identifier of the PROXY header.",
    ),
    Fetch::once(
        "fc_rcvd_proxy",
        Kind::Bool,
        ClientAddress,
        rcvd_proxy,
        "Whether a PROXY header was received.",
    ),
    Fetch::once(
        "so_id",
        Kind::Int,
        Listener,
        so_id,
        "The number of the listening socket.",
    ),
    Fetch::once(
        "so_name",
        Kind::Str,
        Listener,
        so_name,
        "The name of the listening socket.",
    ),
    Fetch::once(
        "src",
        Kind::Addr,
        ClientAddress,
        src,
        "The client's address.",
    ),
    Fetch::once(
        "src_is_local",
        Kind::Bool,
        ClientAddress,
        src_is_local,
        "Whether the client's address belongs to this host.",
    ),
    Fetch::once(
        "src_port",
        Kind::Int,
        ClientAddress,
        src_port,
        "The client's port.",
    ),
];

fn ip<'a>(addr: Option<SocketAddr>) -> Sampled<'a> {
    Sampled::of(addr.map(|a| Value::ip(a.ip())))
}

fn port<'a>(addr: Option<SocketAddr>) -> Sampled<'a> {
    Sampled::maybe_int(addr.map(|a| i64::from(a.port())))
}

fn local<'a>(addr: Option<SocketAddr>, facts: &Facts<'_>) -> Sampled<'a> {
    match addr {
        Some(addr) => Sampled::truth(facts.census.is_local(addr.ip())),
        None => Sampled::Absent,
    }
}

fn src<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(facts.src)
}

fn src_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(facts.src)
}

fn src_is_local<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    local(facts.src, facts)
}

fn dst<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(facts.dst)
}

fn dst_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(facts.dst)
}

fn dst_is_local<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    local(facts.dst, facts)
}

fn fc_src<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(facts.client.and_then(|c| c.src))
}

fn fc_src_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(facts.client.and_then(|c| c.src))
}

fn fc_src_is_local<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    local(facts.client.and_then(|c| c.src), facts)
}

fn fc_dst<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(facts.client.and_then(|c| c.dst))
}

fn fc_dst_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(facts.client.and_then(|c| c.dst))
}

fn fc_dst_is_local<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    local(facts.client.and_then(|c| c.dst), facts)
}

fn bc_src<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(connecting(facts))
}

fn bc_src_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(connecting(facts))
}

fn connecting(facts: &Facts<'_>) -> Option<SocketAddr> {
    let upstream = facts.upstream?;
    upstream.src.or_else(|| facts.kernel.connecting())
}

fn bc_dst<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    ip(facts.upstream.and_then(|u| u.dst))
}

fn bc_dst_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    port(facts.upstream.and_then(|u| u.dst))
}

fn rcvd_proxy<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    facts
        .client
        .map_or(Sampled::Absent, |c| Sampled::truth(c.proxied))
}

/// The value of the type-length-value of this type (PROXY protocol v2, section 2.2).
fn tlv<'a>(facts: &'a Facts<'a>, kind: u8) -> Sampled<'a> {
    let mut rest: &[u8] = facts.client.map_or(&[], |c| c.tlvs);
    while let [found, high, low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(value) = tail.get(..len) else { break };
        if *found == kind {
            return Sampled::str(value);
        }
        rest = &tail[len..];
    }
    Sampled::Absent
}

const PP2_AUTHORITY: u8 = 0x02;
const PP2_UNIQUE_ID: u8 = 0x05;

fn pp_authority<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    text_tlv(facts, PP2_AUTHORITY)
}

fn pp_unique_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    text_tlv(facts, PP2_UNIQUE_ID)
}

/// A value that is to be text: with a zero byte it is none.
fn text_tlv<'a>(facts: &'a Facts<'a>, kind: u8) -> Sampled<'a> {
    match tlv(facts, kind) {
        Sampled::Got(Value::Str(bytes) | Value::Bin(bytes)) if bytes.contains(&0) => {
            Sampled::Absent
        }
        other => other,
    }
}

fn pp_tlv<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    tlv(facts, u8::try_from(args.int_or(0, 0)).unwrap_or(0))
}

fn check_tlv(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let text = String::from_utf8_lossy(args.text_or_empty(0)).into_owned();
    let number = match text.as_str() {
        "ALPN" => Some(0x01),
        "AUTHORITY" => Some(PP2_AUTHORITY),
        "CRC32C" => Some(0x03),
        "NOOP" => Some(0x04),
        "UNIQUE_ID" => Some(PP2_UNIQUE_ID),
        "SSL" => Some(0x20),
        "NETNS" => Some(0x30),
        other => match other.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => other.parse().ok(),
        },
    };
    let number = number.ok_or_else(|| format!("invalid TLV type '{text}'"))?;
    args[0] = Arg::Int(i64::from(number));
    Ok(())
}

fn so_id<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|c| i64::from(c.listener_id)))
}

fn so_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let name = facts.client.and_then(|c| c.listener_name);
    Sampled::maybe_str(name.map(|n| n.as_bytes()))
}

fn accept_date<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(
        facts
            .client
            .map(|c| in_unit(c.accept_date, args.int_or(0, 1))),
    )
}

/// A moment in seconds, milliseconds or microseconds: the unit is how many make a second.
pub(super) fn in_unit(wall: Wall, per_second: i64) -> i64 {
    match per_second {
        1_000 => wall.as_millis(),
        1_000_000 => wall.as_micros(),
        _ => wall.secs,
    }
}

/// Reads the unit `s`, `ms` or `us` in the first argument as how many make a second.
pub(super) fn check_unit(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    let last = args.len() - 1;
    let unit = match args.at(last) {
        Arg::Str(text) => match &**text {
            b"" | b"s" => 1,
            b"ms" => 1_000,
            b"us" => 1_000_000,
            other => {
                return Err(format!(
                    "unsupported time unit '{}', only s, ms and us are known",
                    String::from_utf8_lossy(other)
                ));
            }
        },
        _ => return Ok(()),
    };
    args[last] = Arg::Int(unit);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, UpstreamFacts};
    use crate::sample::rig::{absent, refused, yields_with};

    #[test]
    fn addresses_of_both_ends() {
        let addr = |text: &str| Some(text.parse().expect("address"));
        let client = ClientFacts {
            src: addr("192.0.2.1:1000"),
            dst: addr("[2001:db8::1]:443"),
            listener_id: 7,
            listener_name: Some("https"),
            proxied: true,
            tlvs: b"\x02\0\x03a.b\x05\0\x01u",
            accept_date: Wall {
                secs: 10,
                micros: 5_000,
            },
            ..ClientFacts::default()
        };
        let upstream = UpstreamFacts {
            src: addr("127.0.0.1:5"),
            dst: addr("127.0.0.2:80"),
            ..UpstreamFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            src: addr("10.0.0.1:1"),
            dst: client.dst,
            upstream: Some(&upstream),
            ..Facts::none()
        };
        for (text, want) in [
            ("src", "10.0.0.1"),
            ("src_port", "1"),
            ("src_is_local", "0"),
            ("dst", "2001:db8::1"),
            ("dst_port", "443"),
            ("dst_is_local", "0"),
            ("fc_src", "192.0.2.1"),
            ("fc_src_port", "1000"),
            ("fc_src_is_local", "0"),
            ("fc_dst", "2001:db8::1"),
            ("fc_dst_port", "443"),
            ("fc_dst_is_local", "0"),
            ("bc_src", "127.0.0.1"),
            ("bc_src_port", "5"),
            ("bc_dst", "127.0.0.2"),
            ("bc_dst_port", "80"),
            ("fc_rcvd_proxy", "1"),
            ("fc_pp_authority", "a.b"),
            ("fc_pp_unique_id", "u"),
            ("fc_pp_tlv(0x02)", "a.b"),
            ("fc_pp_tlv(UNIQUE_ID)", "u"),
            ("so_id", "7"),
            ("so_name", "https"),
            ("accept_date", "10"),
            ("accept_date(ms)", "10005"),
            ("accept_date(us)", "10005000"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("src");
        refused("accept_date(h)", "unsupported time unit");
    }
}
