//! Addresses as HAProxy spells them, and networks.
//!
//! [`Written`] is what stands in the configuration: a place, ports or an offset, a transport. [`SockAddr`] is what the kernel
//! gets and gives: an internet address with its port, a path, an abstract name. [`Network`] is a set of internet
//! addresses under a mask.
//!
//! Texts come from `config`, `cli` and `dns`; kernel addresses from `sys`. Names are kept as names: nothing here resolves,
//! opens or binds. Errors are HAProxy's sentences without the keyword in front, which the caller knows.

mod network;
mod sock_addr;
mod written;

pub use network::Network;
pub use sock_addr::SockAddr;
use std::net::IpAddr;

pub use written::{Accepts, IpFamily, Place, PortRule, Ports, Transport, Written, expand, items};

/// Appends an address as a text. Four octets are written by hand: the formatting machinery costs ten times as much, and most
/// requests write one.
pub fn write_ip(out: &mut Vec<u8>, ip: IpAddr) {
    use std::io::Write as _;
    let octets = match ip {
        IpAddr::V4(v4) => v4.octets(),
        // Writing to a vector cannot fail.
        IpAddr::V6(v6) => return drop(write!(out, "{v6}")),
    };
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everybody_writes_them() {
        for text in [
            "0.0.0.0",
            "127.0.10.255",
            "10.9.100.255",
            "192.0.2.17",
            "2001:db8::1",
            "::",
        ] {
            let mut out = Vec::new();
            write_ip(&mut out, text.parse().expect("an address"));
            assert_eq!(out, text.as_bytes());
        }
    }
}
