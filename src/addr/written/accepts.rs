//! What each keyword takes as an address.

/// What a keyword says about ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRule {
    /// There must be one, and it is not 0.
    Mandatory,
    /// There may be one.
    Optional,
}

/// What a keyword accepts.
#[derive(Clone, Copy, Debug)]
pub struct Accepts {
    /// Whether a port is needed.
    pub port: PortRule,
    /// Port ranges.
    pub range: bool,
    /// Port offsets.
    pub offset: bool,
    /// Names that are not addresses.
    pub names: bool,
    /// Inherited descriptors (`fd@`).
    pub descriptors: bool,
    /// Streams.
    pub stream: bool,
    /// Datagrams.
    pub datagram: bool,
}

impl Accepts {
    /// `bind`.
    pub const BIND: Self = Self {
        port: PortRule::Mandatory,
        range: true,
        offset: false,
        names: true,
        descriptors: true,
        stream: true,
        datagram: false,
    };
    /// `server`.
    pub const SERVER: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: true,
        names: true,
        descriptors: false,
        stream: true,
        datagram: false,
    };
    /// `server`, which is told only later whether it takes log lines.
    pub const ANY_SERVER: Self = Self {
        datagram: true,
        ..Self::SERVER
    };
    /// `source` and a server's `addr`.
    pub const SOURCE: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: false,
        names: true,
        descriptors: false,
        stream: true,
        datagram: false,
    };
    /// A server's own `source`, where a range of ports is allowed.
    pub const SERVER_SOURCE: Self = Self {
        range: true,
        ..Self::SOURCE
    };
    /// `log`.
    pub const LOG: Self = Self {
        port: PortRule::Optional,
        range: false,
        offset: false,
        names: true,
        descriptors: true,
        stream: true,
        datagram: true,
    };
    /// `nameserver`.
    pub const NAMESERVER: Self = Self {
        port: PortRule::Mandatory,
        range: false,
        offset: false,
        names: true,
        descriptors: false,
        stream: true,
        datagram: true,
    };
}
