//! Captured packets: the headers of Ethernet, IP and TCP.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::codec::hash;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::Conv;
use crate::value::{Kind, Value};

use Kind::{Addr, Bin, Int};

/// The family.
pub(super) const ROWS: &[Conv] = &[
    Conv::pure(
        "eth.data",
        Bin,
        Bin,
        eth_data,
        "What follows the Ethernet header.",
    ),
    Conv::pure(
        "eth.dst",
        Bin,
        Bin,
        eth_dst,
        "The destination of an Ethernet frame.",
    ),
    Conv::pure("eth.hdr", Bin, Bin, eth_header, "The Ethernet header."),
    Conv::pure(
        "eth.proto",
        Bin,
        Int,
        eth_proto,
        "The protocol in an Ethernet frame.",
    ),
    Conv::pure(
        "eth.src",
        Bin,
        Bin,
        eth_src,
        "The source of an Ethernet frame.",
    ),
    Conv::pure(
        "eth.vlan",
        Bin,
        Int,
        eth_vlan,
        "The VLAN of an Ethernet frame.",
    ),
    Conv::pure("ip.data", Bin, Bin, ip_data, "What follows the IP header."),
    Conv::pure(
        "ip.df",
        Bin,
        Int,
        ip_df,
        "Whether an IP packet must not be fragmented.",
    ),
    Conv::pure(
        "ip.dst",
        Bin,
        Addr,
        ip_dst,
        "The destination of an IP packet.",
    ),
    Conv::pure(
        "ip.fp",
        Bin,
        Bin,
        ip_fp,
        "A fingerprint of the TCP packet that opened a connection.",
    )
    .with(Spec::opt(&[Wants::Int])),
    Conv::pure("ip.hdr", Bin, Bin, ip_header, "The IP header."),
    Conv::pure(
        "ip.proto",
        Bin,
        Int,
        ip_proto,
        "The protocol in an IP packet.",
    ),
    Conv::pure("ip.src", Bin, Addr, ip_src, "The source of an IP packet."),
    Conv::pure(
        "ip.tos",
        Bin,
        Int,
        ip_tos,
        "The type of service of an IP packet.",
    ),
    Conv::pure(
        "ip.ttl",
        Bin,
        Int,
        ip_ttl,
        "The time to live of an IP packet.",
    ),
    Conv::pure("ip.ver", Bin, Int, ip_ver, "The version of an IP packet."),
    Conv::pure(
        "tcp.dst",
        Bin,
        Int,
        tcp_dst,
        "The destination port of a TCP segment.",
    ),
    Conv::pure(
        "tcp.flags",
        Bin,
        Int,
        tcp_flags,
        "The flags of a TCP segment.",
    ),
    Conv::pure(
        "tcp.options.mss",
        Bin,
        Int,
        tcp_mss,
        "The maximum segment size in a TCP segment.",
    ),
    Conv::pure(
        "tcp.options.sack",
        Bin,
        Int,
        tcp_sack,
        "Whether selective acknowledgements are permitted.",
    ),
    Conv::pure(
        "tcp.options.tsopt",
        Bin,
        Int,
        tcp_has_timestamp,
        "Whether there are timestamps.",
    ),
    Conv::pure(
        "tcp.options.tsval",
        Bin,
        Int,
        tcp_timestamp,
        "The timestamp of a TCP segment.",
    ),
    Conv::pure(
        "tcp.options.wscale",
        Bin,
        Int,
        tcp_scale,
        "The window scale in a TCP segment.",
    ),
    Conv::pure(
        "tcp.options.wsopt",
        Bin,
        Int,
        tcp_has_scale,
        "Whether there is a window scale.",
    ),
    Conv::pure(
        "tcp.options_list",
        Bin,
        Bin,
        tcp_options,
        "The kinds of the TCP options.",
    ),
    Conv::pure(
        "tcp.seq",
        Bin,
        Int,
        tcp_seq,
        "The sequence number of a TCP segment.",
    ),
    Conv::pure(
        "tcp.src",
        Bin,
        Int,
        tcp_src,
        "The source port of a TCP segment.",
    ),
    Conv::pure("tcp.win", Bin, Int, tcp_win, "The window of a TCP segment."),
];

/// The number in two bytes at `at`.
fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let piece = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([piece[0], piece[1]]))
}

/// Where the Ethernet payload begins, its protocol and its VLAN.
fn ethernet(frame: &[u8]) -> Option<(usize, u16, Option<u16>)> {
    let mut at = 12;
    let mut vlan = None;
    loop {
        let kind = short(frame, at)?;
        at += 2;
        if !matches!(kind, 0x8100 | 0x88a8) {
            return Some((at, kind, vlan));
        }
        vlan = Some(short(frame, at)? & 0x0fff);
        at += 2;
    }
}

/// Where the IP payload begins and its protocol; the packet may follow an Ethernet header.
fn ip(packet: &[u8]) -> Option<(usize, u8)> {
    match packet.first()? >> 4 {
        4 => {
            let len = usize::from(packet[0] & 0x0f) * 4;
            (packet.len() >= 20 && len >= 20).then_some((len, *packet.get(9)?))
        }
        6 => {
            let mut at = 40;
            let mut next = *packet.get(6)?;
            // Extension headers of RFC 8200: hop-by-hop, routing, fragment, destination.
            while matches!(next, 0 | 43 | 44 | 60) {
                let head = packet.get(at..at + 2)?;
                next = head[0];
                at += 8 + usize::from(head[1]) * 8;
            }
            (packet.len() >= 40).then_some((at, next))
        }
        _ => None,
    }
}

fn part<'a>(value: Value<'a>, start: usize, end: usize) -> Option<Value<'a>> {
    let Value::Bin(bytes) = value else {
        return None;
    };
    (start <= end && end <= bytes.len()).then_some(())?;
    Some(Value::Bin(super::text::slice(bytes, start, end)))
}

fn eth_data<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (start, _, _) = ethernet(value.as_bytes()?)?;
    let end = value.as_bytes()?.len();
    part(value, start, end)
}

fn eth_dst<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    part(value, 0, 6)
}

fn eth_src<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    part(value, 6, 12)
}

fn eth_header<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (end, _, _) = ethernet(value.as_bytes()?)?;
    part(value, 0, end)
}

fn eth_proto<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (_, kind, _) = ethernet(value.as_bytes()?)?;
    Some(Value::Int(i64::from(kind)))
}

fn eth_vlan<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (_, _, vlan) = ethernet(value.as_bytes()?)?;
    vlan.map(|v| Value::Int(i64::from(v)))
}

fn ip_data<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (start, _) = ip(value.as_bytes()?)?;
    let end = value.as_bytes()?.len();
    part(value, start, end)
}

fn ip_header<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (end, _) = ip(value.as_bytes()?)?;
    part(value, 0, end)
}

fn ip_proto<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let (_, protocol) = ip(value.as_bytes()?)?;
    Some(Value::Int(i64::from(protocol)))
}

fn ip_ver<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    Some(Value::Int(i64::from(value.as_bytes()?.first()? >> 4)))
}

fn ip_df<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let packet = value.as_bytes()?;
    Some(Value::Int(match packet.first()? >> 4 {
        4 => i64::from(packet.get(6)? >> 6 & 1),
        6 => 1,
        _ => return None,
    }))
}

fn ip_tos<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let packet = value.as_bytes()?;
    Some(Value::Int(match packet.first()? >> 4 {
        4 => i64::from(*packet.get(1)?),
        6 => i64::from(short(packet, 0)? >> 4 & 0xff),
        _ => return None,
    }))
}

fn ip_ttl<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let packet = value.as_bytes()?;
    let at = match packet.first()? >> 4 {
        4 => 8,
        6 => 7,
        _ => return None,
    };
    Some(Value::Int(i64::from(*packet.get(at)?)))
}

/// The address at the place that depends on the version.
fn address<'a>(packet: &[u8], v4: usize, v6: usize) -> Option<Value<'a>> {
    match packet.first()? >> 4 {
        4 => {
            let octets: [u8; 4] = packet.get(v4..v4 + 4)?.try_into().ok()?;
            Some(Value::Ip4(Ipv4Addr::from(octets)))
        }
        6 => {
            let octets: [u8; 16] = packet.get(v6..v6 + 16)?.try_into().ok()?;
            Some(Value::Ip6(Ipv6Addr::from(octets)))
        }
        _ => None,
    }
}

fn ip_src<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    address(value.as_bytes()?, 12, 8)
}

fn ip_dst<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    address(value.as_bytes()?, 16, 24)
}

/// The options of a TCP segment: kind and content.
fn options(segment: &[u8]) -> Option<impl Iterator<Item = (u8, &[u8])>> {
    let end = usize::from(segment.get(12)? >> 4) * 4;
    let mut rest = segment.get(20..end.min(segment.len()).max(20))?;
    Some(std::iter::from_fn(move || {
        let (kind, tail) = rest.split_first()?;
        match kind {
            0 => None,
            1 => {
                rest = tail;
                Some((1, &[][..]))
            }
            _ => {
                let len = usize::from(*tail.first()?);
                let content = rest.get(2..len)?;
                rest = &rest[len..];
                Some((*kind, content))
            }
        }
    }))
}

fn option(value: &Value<'_>, wanted: u8) -> Option<Vec<u8>> {
    let segment = value.as_bytes()?;
    let (_, content) = options(segment)?.find(|(kind, _)| *kind == wanted)?;
    Some(content.to_vec())
}

fn number<'a>(bytes: &[u8]) -> Option<Value<'a>> {
    let number = bytes.iter().fold(0i64, |n, b| n << 8 | i64::from(*b));
    (!bytes.is_empty()).then_some(Value::Int(number))
}

fn field<'a>(value: &Value<'_>, start: usize, len: usize) -> Option<Value<'a>> {
    number(value.as_bytes()?.get(start..start + len)?)
}

fn tcp_src<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    field(&value, 0, 2)
}

fn tcp_dst<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    field(&value, 2, 2)
}

fn tcp_seq<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    field(&value, 4, 4)
}

fn tcp_flags<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    field(&value, 13, 1)
}

fn tcp_win<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    field(&value, 14, 2)
}

fn tcp_mss<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    number(&option(&value, 2)?)
}

fn tcp_scale<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    number(&option(&value, 3)?)
}

fn tcp_timestamp<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    number(option(&value, 8)?.get(..4)?)
}

fn has<'a>(value: &Value<'_>, wanted: u8) -> Option<Value<'a>> {
    let found = options(value.as_bytes()?)?.any(|(kind, _)| kind == wanted);
    Some(Value::Int(i64::from(found)))
}

fn tcp_sack<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    has(&value, 4)
}

fn tcp_has_timestamp<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    has(&value, 8)
}

fn tcp_has_scale<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    has(&value, 3)
}

fn tcp_options<'a>(value: Value<'a>, _: &'a [Arg]) -> Option<Value<'a>> {
    let kinds: Vec<u8> = options(value.as_bytes()?)?.map(|(kind, _)| kind).collect();
    Some(Value::bytes(kinds))
}

/// What does not change between connections of one client: type of service, rounded time to live,
/// fragmentation, options; with mode bits the time to live, the address.
fn ip_fp<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    let packet = value.as_bytes()?;
    let mode = args.int_or(0, 0);
    let (start, protocol) = ip(packet)?;
    (protocol == 6).then_some(())?;
    let segment = packet.get(start..)?;
    let ttl = u8::try_from(ip_ttl(Value::bin(packet), &[])?.integer()?).ok()?;
    let mut out = vec![packet[0] >> 4];
    out.push(u8::try_from(ip_tos(Value::bin(packet), &[])?.integer()?).ok()?);
    out.push(match ttl {
        0..=32 => 1,
        33..=64 => 2,
        65..=128 => 3,
        129..=255 => 4,
    });
    out.extend_from_slice(segment.get(13..16)?);
    let kinds: Vec<u8> = options(segment)?.map(|(kind, _)| kind).collect();
    out.extend(hash::xxh32(&kinds, 0).to_be_bytes());
    if mode & 1 != 0 {
        out.push(ttl);
    }
    if mode & 2 != 0 {
        let source = address(packet, 12, 8)?.cast(Bin)?;
        out.extend_from_slice(source.as_bytes()?);
    }
    Some(Value::bytes(out))
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, yields};

    const TCP: &str =
        "04d200500000000100000000a0022000000000000204 05b40402080a0000000500000000010303 07";
    const IP: &str = "450000 3c00014000400600000a000001 0a000002";
    const ETH: &str = "0102030405060a0b0c0d0e0f810000070800";

    fn bytes(parts: &[&str]) -> String {
        format!("bin({})", parts.concat().replace(' ', ""))
    }

    #[test]
    fn headers_of_every_layer() {
        let frame = bytes(&[ETH, IP, TCP]);
        let packet = bytes(&[IP, TCP]);
        for (text, want) in [
            ("eth.dst,hex", "010203040506"),
            ("eth.src,hex", "0A0B0C0D0E0F"),
            ("eth.proto", "2048"),
            ("eth.vlan", "7"),
            ("eth.hdr,hex,length", "36"),
            ("eth.data,ip.src", "10.0.0.1"),
        ] {
            yields(&format!("{frame},{text}"), want);
        }
        for (text, want) in [
            ("ip.ver", "4"),
            ("ip.dst", "10.0.0.2"),
            ("ip.src", "10.0.0.1"),
            ("ip.df", "1"),
            ("ip.ttl", "64"),
            ("ip.tos", "0"),
            ("ip.proto", "6"),
            ("ip.hdr,hex,length", "40"),
            ("ip.data,tcp.src", "1234"),
            ("ip.data,tcp.dst", "80"),
            ("ip.data,tcp.seq", "1"),
            ("ip.data,tcp.flags", "2"),
            ("ip.data,tcp.win", "8192"),
            ("ip.data,tcp.options.mss", "1460"),
            ("ip.data,tcp.options.sack", "1"),
            ("ip.data,tcp.options.tsopt", "1"),
            ("ip.data,tcp.options.tsval", "5"),
            ("ip.data,tcp.options.wsopt", "1"),
            ("ip.data,tcp.options.wscale", "7"),
            ("ip.data,tcp.options_list,hex", "0204080103"),
            ("ip.fp,hex,length", "20"),
            ("ip.fp(3),hex,length", "30"),
        ] {
            yields(&format!("{packet},{text}"), want);
        }
        absent("bin(45),ip.src");
        absent("bin(00),tcp.options.mss");
    }
}
