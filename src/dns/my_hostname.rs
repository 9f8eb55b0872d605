//! The `myhostname` source: names that the host knows about itself without asking anyone.
//!
//! The host's own name is every address it has, `localhost` and what lies below it is the loopback, `_gateway` is where the
//! default route leads. Read from `/proc` below the root; a host without it falls back to loopback addresses of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::hosts::Family;
use super::root::Root;

/// The addresses of `name`, if it is one of these names.
pub(super) fn find(root: &Root, hostname: &str, name: &str, family: Family) -> Option<Vec<IpAddr>> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let found = if is_localhost(&name) {
        vec![
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V4(Ipv4Addr::LOCALHOST),
        ]
    } else if !hostname.is_empty() && name == hostname.to_ascii_lowercase() {
        own_addresses(root)
    } else if name == "_gateway" {
        gateways(root)
    } else {
        return None;
    };
    let found: Vec<IpAddr> = found
        .into_iter()
        .filter(|address| family.has(address))
        .collect();
    (!found.is_empty()).then_some(found)
}

fn is_localhost(name: &str) -> bool {
    ["localhost", "localhost.localdomain"].iter().any(|local| {
        name.strip_suffix(local)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// All addresses of the host but the loopback ones; those that stand for them when there are none.
fn own_addresses(root: &Root) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for (scope_is_host, address) in six_addresses(root) {
        if !scope_is_host && !address.is_unicast_link_local() {
            found.push(IpAddr::V6(address));
        }
    }
    found.extend(
        four_addresses(root)
            .into_iter()
            .filter(|address| !address.is_loopback())
            .map(IpAddr::V4),
    );
    if found.is_empty() {
        found = vec![IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(OWN_LOOPBACK)];
    }
    found.truncate(ADDRESSES_MAX);
    found
}

/// `/proc/net/if_inet6`: address, interface, prefix, scope, flags, name.
fn six_addresses(root: &Root) -> Vec<(bool, Ipv6Addr)> {
    let text = read(root, "proc/net/if_inet6");
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let bits = u128::from_str_radix(words.next()?, 16).ok()?;
        Some((words.nth(2)? == "10", Ipv6Addr::from(bits)))
    });
    lines.take(ADDRESSES_MAX).collect()
}

/// `/proc/net/fib_trie`: an address line, then below it `/32 host LOCAL`.
fn four_addresses(root: &Root) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = Vec::new();
    let mut last = None;
    for line in read(root, "proc/net/fib_trie").lines() {
        match line.trim_start().strip_prefix("|-- ") {
            Some(address) => last = address.trim().parse().ok(),
            None if line.contains("host LOCAL") => {
                found.extend(last.filter(|address| !found.contains(address)));
            }
            None => {}
        }
        if found.len() == ADDRESSES_MAX {
            break;
        }
    }
    found
}

/// `/proc/net/route`: interface, destination, gateway in the host's byte order.
fn gateways(root: &Root) -> Vec<IpAddr> {
    let text = read(root, "proc/net/route");
    let lines = text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let to = u32::from_str_radix(words.next()?, 16).ok()?;
        let through = u32::from_str_radix(words.next()?, 16).ok()?;
        (to == 0 && through != 0).then(|| IpAddr::V4(Ipv4Addr::from(through.to_ne_bytes())))
    });
    lines.take(ADDRESSES_MAX).collect()
}

fn read(root: &Root, file: &str) -> String {
    let bytes = root
        .read(file, PROC_BYTES_MAX)
        .ok()
        .flatten()
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What stands for a host's own name when it has no address (systemd's choice).
const OWN_LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Addresses given for one name.
const ADDRESSES_MAX: usize = 256;
/// The most that is read of a table of the kernel.
const PROC_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::scratch::Scratch;

    fn texts(root: &Root, name: &str, family: Family) -> Vec<String> {
        find(root, "Web1", name, family)
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn its_own_name_localhost_and_the_gateway() {
        let dir = Scratch::new("myhostname");
        let root = dir.root();
        assert_eq!(texts(&root, "web1", Family::Any), ["::1", "127.0.0.2"]);
        dir.write("proc/net/if_inet6", b"20010db8000000000000000000000007 02 40 00 80 eth0\n00000000000000000000000000000001 01 80 10 80 lo\n");
        dir.write("proc/net/fib_trie", b"Local:\n  +-- 0.0.0.0/0\n     |-- 10.0.0.7\n        /32 host LOCAL\n     |-- 10.0.0.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n");
        dir.write("proc/net/route", b"Iface\tDestination\tGateway\neth0\t00000000\t0100000A\t0003\neth0\t0000000A\t00000000\n");
        assert_eq!(
            texts(&root, "WEB1.", Family::Any),
            ["2001:db8::7", "10.0.0.7"]
        );
        assert_eq!(texts(&root, "web1", Family::V4), ["10.0.0.7"]);
        assert_eq!(texts(&root, "a.localhost", Family::V4), ["127.0.0.1"]);
        assert_eq!(texts(&root, "_gateway", Family::Any), ["10.0.0.1"]);
        for name in ["web2", "xlocalhost", ""] {
            assert!(find(&root, "Web1", name, Family::Any).is_none(), "{name}");
        }
    }
}
