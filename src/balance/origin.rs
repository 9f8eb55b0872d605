//! `hash-key`: where the points of a server begin on the consistent ring.
//!
//! Points are numbers counted up from an origin and stirred. By default the origin follows from the number of the server,
//! so that it depends on the order of the lines; from its address, any number of proxies agree on the same ring whatever
//! order they know the servers in. The numbers are HAProxy's, so that it may be one of those proxies.

use super::seat::{SHARE_SCALE, WEIGHT_MAX};
use crate::codec::hash::{avalanche, xxh32};
use std::net::{IpAddr, SocketAddr};

/// Numbers one server may give its points; by number, the next server's begin after them.
const RANKS: u32 = WEIGHT_MAX as u32 * SHARE_SCALE;

/// What the points of a server depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashKey {
    /// Its number.
    #[default]
    Id,
    /// Its address; its number as long as it has none.
    Address,
    /// Its address and its port; its number as long as it has none.
    AddressAndPort,
}

impl HashKey {
    /// The number that the points of a server are counted from.
    pub(super) fn origin(self, id: u32, address: Option<SocketAddr>) -> u32 {
        let (address, seed) = match (self, address) {
            (Self::Address, Some(address)) => (address, 0),
            (Self::AddressAndPort, Some(address)) => {
                (address, avalanche(u32::from(address.port())))
            }
            (Self::Id, _) | (_, None) => return id.wrapping_mul(RANKS),
        };
        match address.ip() {
            IpAddr::V4(ip) => avalanche(seed.wrapping_add(u32::from_le_bytes(ip.octets()))),
            IpAddr::V6(ip) => xxh32(&ip.octets(), seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_what_was_asked_for() {
        let at = |text: &str| Some(text.parse().expect("an address"));
        for (one, other) in [
            ("10.0.0.1:80", "10.0.0.1:81"),
            ("[2001:db8::1]:80", "[2001:db8::1]:81"),
        ] {
            let by_address = |id, text| HashKey::Address.origin(id, at(text));
            let by_both = |id, text| HashKey::AddressAndPort.origin(id, at(text));
            assert_eq!(by_address(1, one), by_address(2, other));
            assert_eq!(by_both(1, one), by_both(2, one));
            assert_ne!(by_both(1, one), by_both(1, other));
            assert_eq!(HashKey::Id.origin(3, at(one)), 3 * RANKS);
        }
        assert_eq!(HashKey::AddressAndPort.origin(3, None), 3 * RANKS);
    }
}
