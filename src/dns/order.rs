//! The order in which addresses of one name are tried: RFC 3484 as glibc applies it, so that "the first address" is the
//! one the host would use.
//!
//! Pure: which local address the kernel would use towards each destination comes in as data ([`sources`] asks it).
//! Not done: `/etc/gai.conf`, deprecated and home addresses, and glibc's prefix rule for IPv4 on one subnet.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Puts `addresses` in order; `sources` are the local addresses towards each, `None` where no route leads.
pub(super) fn by_preference(addresses: &[IpAddr], sources: &[Option<IpAddr>]) -> Vec<IpAddr> {
    let mut routes: Vec<(IpAddr, Option<IpAddr>)> = addresses
        .iter()
        .copied()
        .zip(sources.iter().copied())
        .collect();
    routes.sort_by(compare);
    routes.into_iter().map(|(address, _)| address).collect()
}

/// The local address that the kernel would use towards each of `addresses`. Nothing is sent.
pub(super) fn sources(addresses: &[IpAddr]) -> Vec<Option<IpAddr>> {
    addresses.iter().map(|address| source(*address)).collect()
}

/// Whether this host has a way to addresses of IPv6 beyond its own network. Nothing is sent to find out.
pub fn reaches_v6() -> bool {
    /// An address for documentation (RFC 3849): nobody is there, and only a default route leads there.
    const ANYWHERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    source(IpAddr::V6(ANYWHERE)).is_some()
}

fn source(address: IpAddr) -> Option<IpAddr> {
    let any = match address {
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((address, PROBE_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// RFC 3484 §6, the rules that glibc applies, in order; equal means "as they came".
fn compare(left: &(IpAddr, Option<IpAddr>), right: &(IpAddr, Option<IpAddr>)) -> Ordering {
    let prefer = |left: bool, right: bool| right.cmp(&left);
    let (left_to, right_to) = (six(left.0), six(right.0));
    let by_source = match (left.1, right.1) {
        (Some(left_source), Some(right_source)) => {
            let (left_from, right_from) = (six(left_source), six(right_source));
            prefer(
                scope(&left_to) == scope(&left_from),
                scope(&right_to) == scope(&right_from),
            )
            .then_with(|| {
                prefer(
                    label(&left_to) == label(&left_from),
                    label(&right_to) == label(&right_from),
                )
            })
        }
        (left_source, right_source) => prefer(left_source.is_some(), right_source.is_some()),
    };
    by_source
        .then_with(|| precedence(&right_to).cmp(&precedence(&left_to)))
        .then_with(|| scope(&left_to).cmp(&scope(&right_to)))
        .then_with(|| shared(right).cmp(&shared(left)))
}

/// The bits that an IPv6 destination shares with its source; IPv4 has no such preference.
fn shared((to, from): &(IpAddr, Option<IpAddr>)) -> u32 {
    match (to, from) {
        (IpAddr::V6(to), Some(IpAddr::V6(from))) => common(to, from),
        _ => 0,
    }
}

fn six(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

/// The scope value of an address (RFC 3484 §3.1 and §3.2).
fn scope(address: &Ipv6Addr) -> u8 {
    if let Some(four) = address.to_ipv4_mapped() {
        return if four.is_link_local() || four.is_loopback() {
            SCOPE_LINK
        } else {
            SCOPE_GLOBAL
        };
    }
    match address.segments()[0] {
        multicast if multicast & 0xff00 == 0xff00 => (multicast & 0xf) as u8,
        _ if address.is_loopback() => SCOPE_LINK,
        local if local & 0xffc0 == 0xfe80 => SCOPE_LINK,
        site if site & 0xffc0 == 0xfec0 => SCOPE_SITE,
        _ => SCOPE_GLOBAL,
    }
}

fn label(address: &Ipv6Addr) -> u8 {
    best(LABELS, address)
}

fn precedence(address: &Ipv6Addr) -> u8 {
    best(PRECEDENCES, address)
}

/// The value of the first prefix that holds `address`; the tables go from long to short prefixes.
fn best(table: &[(Ipv6Addr, u32, u8)], address: &Ipv6Addr) -> u8 {
    let matches = |prefix: &Ipv6Addr, bits: u32| common(prefix, address) >= bits;
    table
        .iter()
        .find(|(prefix, bits, _)| matches(prefix, *bits))
        .map_or(0, |(_, _, value)| *value)
}

/// How many leading bits two addresses share.
fn common(left: &Ipv6Addr, right: &Ipv6Addr) -> u32 {
    (u128::from(*left) ^ u128::from(*right)).leading_zeros()
}

const fn prefix(first: u16, second: u16) -> Ipv6Addr {
    Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)
}

const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);

/// glibc's default labels.
const LABELS: &[(Ipv6Addr, u32, u8)] = &[
    (Ipv6Addr::LOCALHOST, 128, 0),
    (MAPPED, 96, 4),
    (Ipv6Addr::UNSPECIFIED, 96, 3),
    (prefix(0x2001, 0), 32, 7),
    (prefix(0x2002, 0), 16, 2),
    (prefix(0xfec0, 0), 10, 5),
    (prefix(0xfc00, 0), 7, 6),
    (Ipv6Addr::UNSPECIFIED, 0, 1),
];
/// glibc's default precedences.
const PRECEDENCES: &[(Ipv6Addr, u32, u8)] = &[
    (Ipv6Addr::LOCALHOST, 128, 50),
    (MAPPED, 96, 10),
    (Ipv6Addr::UNSPECIFIED, 96, 20),
    (prefix(0x2002, 0), 16, 30),
    (Ipv6Addr::UNSPECIFIED, 0, 40),
];
const SCOPE_LINK: u8 = 2;
const SCOPE_SITE: u8 = 5;
const SCOPE_GLOBAL: u8 = 14;
/// Any port does: connecting a datagram socket only looks up the route.
const PROBE_PORT: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(routes: &[(&str, &str)]) -> Vec<String> {
        let addresses: Vec<IpAddr> = routes.iter().map(|(to, _)| to.parse().unwrap()).collect();
        let sources: Vec<Option<IpAddr>> =
            routes.iter().map(|(_, from)| from.parse().ok()).collect();
        by_preference(&addresses, &sources)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn unreachable_last_then_labels_then_precedence() {
        assert_eq!(
            ordered(&[("2001:db8::1", ""), ("192.0.2.1", "192.0.2.9")]),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(
            ordered(&[("192.0.2.1", "192.0.2.9"), ("2001:db8::1", "2001:db8::9")]),
            ["2001:db8::1", "192.0.2.1"]
        );
        assert_eq!(
            ordered(&[("192.0.2.1", ""), ("2001:db8::1", "")]),
            ["2001:db8::1", "192.0.2.1"]
        );
        assert_eq!(
            ordered(&[("2001:db8::1", "fe80::9"), ("192.0.2.1", "192.0.2.9")]),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(
            ordered(&[("127.0.0.1", "127.0.0.1"), ("::1", "::1")]),
            ["::1", "127.0.0.1"]
        );
        assert_eq!(
            ordered(&[("10.0.0.2", ""), ("10.0.0.1", "")]),
            ["10.0.0.2", "10.0.0.1"]
        );
        assert_eq!(
            ordered(&[
                ("2001:db8:1::1", "2001:db8:2::9"),
                ("2001:db8:2::1", "2001:db8:2::9")
            ])[0],
            "2001:db8:2::1"
        );
    }
}
