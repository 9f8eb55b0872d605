//! Networks: an internet address under a mask.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A set of addresses. IPv4 masks may have holes, as HAProxy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// IPv4.
    V4 {
        /// The address with the bits outside the mask cleared.
        base: u32,
        /// Which bits count.
        mask: u32,
    },
    /// IPv6.
    V6 {
        /// The address with the bits outside the mask cleared.
        base: u128,
        /// Which bits count.
        mask: u128,
    },
}

impl Network {
    /// The network of one address.
    pub fn host(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::v4(v4, u32::MAX),
            IpAddr::V6(v6) => Self::v6(v6, u128::MAX),
        }
    }

    /// An IPv4 network.
    pub fn v4(ip: Ipv4Addr, mask: u32) -> Self {
        Self::V4 {
            base: u32::from(ip) & mask,
            mask,
        }
    }

    /// An IPv6 network.
    pub fn v6(ip: Ipv6Addr, mask: u128) -> Self {
        Self::V6 {
            base: u128::from(ip) & mask,
            mask,
        }
    }

    /// Whether the address lies in it. Families meet as in HAProxy: an IPv4 address matches an IPv6 network in its mapped
    /// form, and an IPv6 address an IPv4 network when it carries an IPv4 one (mapped, compatible or 6to4).
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::V4 { base, mask }, IpAddr::V4(v4)) => u32::from(v4) & mask == *base,
            (Self::V6 { base, mask }, IpAddr::V6(v6)) => u128::from(v6) & mask == *base,
            (Self::V6 { base, mask }, IpAddr::V4(v4)) => {
                u128::from(v4.to_ipv6_mapped()) & mask == *base
            }
            (Self::V4 { base, mask }, IpAddr::V6(v6)) => {
                carried_v4(v6).is_some_and(|v4| v4 & mask == *base)
            }
        }
    }

    /// The length of the prefix, unless the mask has holes.
    pub fn prefix_len(&self) -> Option<u8> {
        let (ones, holes) = match self {
            Self::V4 { mask, .. } => (
                mask.leading_ones(),
                mask.count_ones() != mask.leading_ones(),
            ),
            Self::V6 { mask, .. } => (
                mask.leading_ones(),
                mask.count_ones() != mask.leading_ones(),
            ),
        };
        if holes { None } else { u8::try_from(ones).ok() }
    }
}

fn carried_v4(v6: Ipv6Addr) -> Option<u32> {
    let bits = u128::from(v6);
    let low = (bits & 0xffff_ffff) as u32;
    match bits >> 32 {
        0xffff | 0 => Some(low),
        _ if bits >> 112 == 0x2002 => Some(((bits >> 80) & 0xffff_ffff) as u32),
        _ => None,
    }
}

/// What is wrong with a network's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address, nor an address and a mask")
    }
}

/// `a.b.c.d`, `a.b.c.d/len`, `a.b.c.d/m.a.s.k`, `v6`, `v6/len`.
impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (ip, mask) = match text.split_once('/') {
            Some((ip, mask)) => (ip, Some(mask)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| NotANetwork)?;
        match (ip, mask) {
            (ip, None) => Ok(Self::host(ip)),
            (IpAddr::V4(v4), Some(mask)) => Ok(Self::v4(v4, v4_mask(mask).ok_or(NotANetwork)?)),
            (IpAddr::V6(v6), Some(mask)) => {
                let len = prefix(mask, 128).ok_or(NotANetwork)?;
                let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
                Ok(Self::v6(v6, mask))
            }
        }
    }
}

fn v4_mask(text: &str) -> Option<u32> {
    if text.contains('.') {
        return text.parse::<Ipv4Addr>().ok().map(u32::from);
    }
    Some(u32::MAX.checked_shl(32 - prefix(text, 32)?).unwrap_or(0))
}

fn prefix(text: &str, max: u32) -> Option<u32> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|len| *len <= max)
}

/// HAProxy's form: the mask is left out for single addresses, and dotted only when it has holes.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, full) = match *self {
            Self::V4 { base, .. } => (IpAddr::from(Ipv4Addr::from(base)), 32),
            Self::V6 { base, .. } => (IpAddr::from(Ipv6Addr::from(base)), 128),
        };
        match (self.prefix_len(), self) {
            (Some(len), _) if len == full => write!(f, "{base}"),
            (Some(len), _) => write!(f, "{base}/{len}"),
            (None, Self::V4 { mask, .. }) => write!(f, "{base}/{}", Ipv4Addr::from(*mask)),
            (None, Self::V6 { mask, .. }) => write!(f, "{base}/{}", Ipv6Addr::from(*mask)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Network {
        text.parse().expect("a network")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn masks_of_both_spellings_mean_the_same() {
        assert_eq!(net("10.1.2.3/8"), net("10.0.0.0/255.0.0.0"));
        assert_eq!(net("10.1.2.3"), net("10.1.2.3/32"));
        assert!(net("0.0.0.0/0").contains(ip("203.0.113.9")));
        assert!(!net("10.0.0.0/9").contains(ip("10.128.0.0")));
        assert!(net("10.0.0.7/255.0.0.255").contains(ip("10.9.9.7")));
    }

    #[test]
    fn families_meet_as_in_haproxy() {
        assert!(net("10.0.0.0/8").contains(ip("::ffff:10.1.2.3")));
        assert!(net("10.0.0.0/8").contains(ip("2002:0a01:0203::1")));
        assert!(!net("10.0.0.0/8").contains(ip("2001:db8::1")));
        assert!(net("::ffff:0:0/96").contains(ip("10.1.2.3")));
        assert!(net("::/0").contains(ip("10.1.2.3")));
        assert!(net("2001:db8::/32").contains(ip("2001:db8:1::5")));
    }

    #[test]
    fn what_is_not_a_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10/8",
            "::1/129",
            "::1/ff::",
            "a",
            "1.2.3.4/+8",
            "1.2.3.4/",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn display_is_short() {
        assert_eq!(net("10.1.2.3/8").to_string(), "10.0.0.0/8");
        assert_eq!(net("10.1.2.3").to_string(), "10.1.2.3");
        assert_eq!(
            net("10.0.0.7/255.0.0.255").to_string(),
            "10.0.0.7/255.0.0.255"
        );
        assert_eq!(net("2001:db8::/32").to_string(), "2001:db8::/32");
    }
}
