//! Networks: sorted by address and length, each knowing the network around it.
//!
//! Of all networks that contain an address, the smallest is the last one that does not begin after
//! the address, or one of those around it. So a look-up is a binary search and a short climb.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lines::{Lines, narrow};

/// The networks of a list.
#[derive(Debug, Default)]
pub(super) struct Networks {
    v4: Tree<u32>,
    v6: Tree<u128>,
}

#[derive(Debug, Clone, Copy)]
struct Node<A> {
    addr: A,
    len: u8,
    parent: u32,
    row: u32,
}

#[derive(Debug)]
struct Tree<A> {
    nodes: Vec<Node<A>>,
    /// Networks whose mask is no prefix: address, mask, line.
    odd: Vec<(A, A, u32)>,
    /// For each value of an address' first two bytes, how many networks begin below it; empty
    /// while there are few networks.
    below: Vec<u32>,
}

/// From how many networks on the search begins with the first two bytes.
const MANY: usize = 4096;

impl<A> Default for Tree<A> {
    fn default() -> Tree<A> {
        Tree {
            nodes: Vec::new(),
            odd: Vec::new(),
            below: Vec::new(),
        }
    }
}

/// No network around.
const NONE: u32 = u32::MAX;

/// An address with its bits.
trait Bits: Copy + Ord + std::ops::BitAnd<Output = Self> {
    /// How many bits an address has.
    const LEN: u8;
    /// The mask of a prefix.
    fn mask(len: u8) -> Self;
    /// The length of the prefix that a mask is, if it is one.
    fn prefix(self) -> Option<u8>;
    /// The first two bytes.
    fn top(self) -> usize;
}

impl Bits for u32 {
    fn top(self) -> usize {
        (self >> 16) as usize
    }
    const LEN: u8 = 32;
    fn mask(len: u8) -> u32 {
        u32::MAX.checked_shl(u32::from(32 - len)).unwrap_or(0)
    }
    fn prefix(self) -> Option<u8> {
        let len = u8::try_from(self.leading_ones()).ok()?;
        (Self::mask(len) == self).then_some(len)
    }
}

impl Bits for u128 {
    fn top(self) -> usize {
        (self >> 112) as usize
    }
    const LEN: u8 = 128;
    fn mask(len: u8) -> u128 {
        u128::MAX.checked_shl(u32::from(128 - len)).unwrap_or(0)
    }
    fn prefix(self) -> Option<u8> {
        let len = u8::try_from(self.leading_ones()).ok()?;
        (Self::mask(len) == self).then_some(len)
    }
}

impl<A: Bits> Tree<A> {
    fn push(&mut self, addr: A, mask: A, row: u32) {
        let addr = addr & mask;
        match mask.prefix() {
            Some(len) => self.nodes.push(Node {
                addr,
                len,
                parent: NONE,
                row,
            }),
            None => self.odd.push((addr, mask, row)),
        }
    }

    fn finish(&mut self) {
        let key = |n: &Node<A>| (n.addr, n.len, n.row);
        if !self.nodes.is_sorted_by_key(key) {
            self.nodes.sort_unstable_by_key(key);
        }
        self.nodes.shrink_to_fit();
        let mut open: Vec<u32> = Vec::new();
        for place in 0..self.nodes.len() {
            let addr = self.nodes[place].addr;
            while let Some(last) = open.last()
                && !self.nodes[*last as usize].has(addr)
            {
                open.pop();
            }
            self.nodes[place].parent = open.last().copied().unwrap_or(NONE);
            open.push(narrow(place));
        }
        if self.nodes.len() >= MANY {
            self.below = vec![0; (1 << 16) + 1];
            for node in &self.nodes {
                self.below[node.addr.top() + 1] += 1;
            }
            for at in 1..self.below.len() {
                self.below[at] += self.below[at - 1];
            }
        }
    }

    /// How many networks begin at or before the address.
    fn begun(&self, addr: A) -> usize {
        let (from, to) = match self.below.get(addr.top()..addr.top() + 2) {
            Some([from, to]) => (*from as usize, *to as usize),
            _ => (0, self.nodes.len()),
        };
        from + self.nodes[from..to].partition_point(|n| n.addr <= addr)
    }

    /// The line of the smallest living network with the address, of equal ones the first.
    fn smallest(&self, addr: A, alive: &impl Fn(u32) -> bool) -> Option<u32> {
        let mut place = self.begun(addr).checked_sub(1).map_or(NONE, narrow);
        let mut best: Option<(u8, u32)> = None;
        while place != NONE {
            let node = &self.nodes[place as usize];
            place = node.parent;
            if best.is_some_and(|(len, _)| node.len < len) {
                break;
            }
            if node.has(addr) && alive(node.row) {
                let row = best.map_or(node.row, |(_, row)| row.min(node.row));
                best = Some((node.len, row));
            }
        }
        let odd = || {
            let hit = |(net, mask, _): &&(A, A, u32)| addr & *mask == *net;
            let mut hits = self.odd.iter().filter(hit).map(|(_, _, row)| *row);
            hits.find(|row| alive(*row))
        };
        best.map(|(_, row)| row).or_else(odd)
    }
}

impl<A: Bits> Node<A> {
    fn has(&self, addr: A) -> bool {
        addr & A::mask(self.len) == self.addr
    }
}

impl Networks {
    /// Every key of a list.
    ///
    /// # Errors
    /// HAProxy's sentence about a key that is no network.
    pub(super) fn new(lines: &Lines) -> Result<Networks, (u32, String)> {
        let mut networks = Networks::default();
        for row in lines.indices() {
            let key = lines.key(row);
            match parse_network(key) {
                Some((IpAddr::V4(addr), IpAddr::V4(mask))) => {
                    networks.v4.push(addr.into(), mask.into(), row);
                }
                Some((IpAddr::V6(addr), IpAddr::V6(mask))) => {
                    networks.v6.push(addr.into(), mask.into(), row);
                }
                Some(_) | None => {
                    let shown = String::from_utf8_lossy(key);
                    return Err((
                        row,
                        format!("'{shown}' is not a valid IPv4 or IPv6 address"),
                    ));
                }
            }
        }
        networks.v4.finish();
        networks.v6.finish();
        Ok(networks)
    }

    /// The line of the smallest living network with the address. An IPv4 address is also looked
    /// for as a mapped one, and a mapped, compatible or 6to4 address as the one it carries.
    pub(super) fn find(&self, addr: IpAddr, alive: impl Fn(u32) -> bool) -> Option<u32> {
        match addr {
            IpAddr::V4(v4) => self.v4.smallest(v4.into(), &alive).or_else(|| {
                let mapped = u128::from(v4.to_ipv6_mapped());
                self.v6.smallest(mapped, &alive)
            }),
            IpAddr::V6(v6) => self.v6.smallest(v6.into(), &alive).or_else(|| {
                let carried = carried(v6)?;
                self.v4.smallest(carried.into(), &alive)
            }),
        }
    }
}

/// The IPv4 address an IPv6 one carries.
fn carried(addr: Ipv6Addr) -> Option<Ipv4Addr> {
    let value = crate::value::Value::Ip6(addr).cast(crate::value::Kind::Ip4)?;
    match value.as_ip()? {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    }
}

/// Reads `address`, `address/length` or `address/mask` as address and mask.
#[must_use]
pub fn parse_network(text: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let (addr, mask) = match text.iter().position(|b| *b == b'/') {
        Some(slash) => (&text[..slash], Some(&text[slash + 1..])),
        None => (text, None),
    };
    if let Some(v4) = quad(addr) {
        let mask = match mask {
            None => Ipv4Addr::BROADCAST,
            Some(mask) => match small(mask) {
                Some(len) if len <= u32::LEN => Ipv4Addr::from(u32::mask(len)),
                Some(_) => return None,
                None => quad(mask)?,
            },
        };
        return Some((IpAddr::V4(v4), IpAddr::V4(mask)));
    }
    let v6: Ipv6Addr = std::str::from_utf8(addr).ok()?.parse().ok()?;
    let mask = match mask {
        None => u128::MAX,
        Some(mask) => u128::mask(small(mask).filter(|len| *len <= u128::LEN)?),
    };
    Some((IpAddr::V6(v6), IpAddr::V6(mask.into())))
}

/// A dotted address of up to four parts; as in `inet_aton`, the last of fewer parts fills what is
/// left, so that `192.168` is 192.0.0.168.
fn quad(text: &[u8]) -> Option<Ipv4Addr> {
    let mut bits = 0u32;
    let count = text.iter().filter(|b| **b == b'.').count();
    for (at, part) in text.split(|b| *b == b'.').enumerate() {
        if at == count {
            let room = 32u32.checked_sub(8 * u32::try_from(at).ok()?)?;
            let number: u64 = match part.len() {
                1..=10 if part.iter().all(u8::is_ascii_digit) => {
                    part.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'))
                }
                _ => return None,
            };
            let number = (number >> room == 0).then_some(number)?;
            return Some(Ipv4Addr::from(bits | u32::try_from(number).ok()?));
        }
        bits |= u32::from(small(part)?).checked_shl(24 - 8 * u32::try_from(at.min(3)).ok()?)?;
    }
    None
}

/// A number of one byte.
fn small(text: &[u8]) -> Option<u8> {
    if text.is_empty() || text.len() > 3 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = text.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(networks: &str, addr: &str) -> Option<u32> {
        let lines = Lines::of_patterns(networks.replace(' ', "\n").into_bytes());
        let set = Networks::new(&lines).expect("networks");
        set.find(addr.parse().expect("address"), |_| true)
    }

    #[test]
    fn the_smallest_network_wins() {
        let nets = "0.0.0.0/0 10.0.0.0/8 10.1.0.0/16 10.1.2.3 10.1.0.0/255.255.0.0";
        assert_eq!(find(nets, "10.1.2.3"), Some(3));
        assert_eq!(find(nets, "10.1.2.4"), Some(2));
        assert_eq!(find(nets, "10.200.0.1"), Some(1));
        assert_eq!(find(nets, "192.0.2.1"), Some(0));
        assert_eq!(find("10.0.0.0/8", "11.0.0.0"), None);
    }

    #[test]
    fn both_families_meet() {
        assert_eq!(find("::ffff:10.0.0.0/104", "10.2.3.4"), Some(0));
        assert_eq!(find("10.0.0.0/8", "::ffff:10.2.3.4"), Some(0));
        assert_eq!(find("10.0.0.0/8", "2002:a01:203::1"), Some(0));
        assert_eq!(find("2001:db8::/32 ::1", "2001:db8::5"), Some(0));
        assert_eq!(find("2001:db8::/32 ::1", "::1"), Some(1));
    }

    #[test]
    fn many_networks_are_found_as_few_are() {
        let net = |n: u32| n.wrapping_mul(2_654_435_761) & 0xffff_ff00;
        let text: String = (0..5000)
            .map(|n| format!("{}/24\n", Ipv4Addr::from(net(n))))
            .collect();
        let lines = Lines::of_patterns(text.into_bytes());
        let set = Networks::new(&lines).expect("networks");
        let find = |addr: u32| set.find(IpAddr::V4(addr.into()), |_| true);
        for n in 0..5000 {
            let row = find(net(n) | 7).expect("there");
            assert_eq!(net(row), net(n));
            let other = net(n).wrapping_add(0x100);
            assert_eq!(find(other).is_some(), (0..5000).any(|m| net(m) == other));
        }
    }

    #[test]
    fn masks_with_holes() {
        assert_eq!(find("10.0.0.1/255.0.0.255", "10.9.9.1"), Some(0));
        assert_eq!(find("10.0.0.1/255.0.0.255", "10.9.9.2"), None);
    }

    #[test]
    fn short_forms_fill_from_the_right() {
        assert_eq!(find("192.168/16", "192.0.5.6"), Some(0));
        assert_eq!(find("10", "0.0.0.10"), Some(0));
        assert_eq!(find("10/8", "10.1.1.1"), None);
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "1.2.3.4.5",
            "1.2.3.4/33",
            "1.2.3.256",
            "x",
            "::/129",
            "1.2.3.4/",
        ] {
            assert_eq!(parse_network(text.as_bytes()), None, "{text}");
        }
    }
}
