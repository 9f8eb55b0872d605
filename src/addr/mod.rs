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
pub use written::{Accepts, IpFamily, Place, PortRule, Ports, Transport, Written, expand, items};
