//! What is wanted: an address to listen on, and what is set on its sockets.
//!
//! Made from the configuration's listeners (and the master's own), read by [`super::bind_all`]; nothing here opens anything.

use crate::addr::SockAddr;
use crate::id::ListenerId;
use crate::site::Carriage;

/// One address to listen on.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which listener it is for.
    pub listener: ListenerId,
    /// Who wants it, for messages: `frontend web`, `proxy GLOBAL`.
    pub owner: String,
    /// Where it was written, for messages: `file:line`.
    pub written: String,
    /// The address.
    pub endpoint: SockAddr,
    /// The number of an inherited descriptor to use instead of binding.
    pub inherited: Option<i32>,
    /// How many sockets share the address.
    pub shards: usize,
    /// Connections that may wait.
    pub backlog: i32,
    /// Options of the socket.
    pub settings: Settings,
}

/// What is set on a listening socket.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether an IPv6 socket refuses IPv4; the system's choice when unsaid.
    pub v6only: Option<bool>,
    /// Addresses that are not the machine's.
    pub transparent: bool,
    /// The interface.
    pub interface: Option<String>,
    /// How the kernel carries its connections.
    pub carriage: Carriage,
    /// The largest segment.
    pub mss: Option<u16>,
    /// Wait for data before waking up.
    pub defer_accept: bool,
    /// Accept data in the first packet.
    pub fast_open: bool,
    /// Bytes of the kernel's buffers, for receiving and for sending, which accepted connections inherit.
    pub buffers: (Option<usize>, Option<usize>),
    /// How many bytes may wait unsent, likewise.
    pub unsent: Option<usize>,
    /// How long sent data may stay unacknowledged, in milliseconds.
    pub user_timeout: Option<u32>,
    /// How much of each connection's first packet is kept; 0: nothing.
    pub save_syn: u8,
    /// Share the address with other processes.
    pub reuseport: bool,
    /// Owner of a unix path.
    pub uid: Option<u32>,
    /// Group of a unix path.
    pub gid: Option<u32>,
    /// Permissions of a unix path.
    pub mode: Option<u32>,
}
