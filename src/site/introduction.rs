//! How a connection to a server begins: what its PROXY protocol header tells, and where it seems to come from.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::log::Format;

/// Which PROXY protocol header a server is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendProxy {
    /// None.
    #[default]
    No,
    /// `send-proxy`.
    V1,
    /// `send-proxy-v2`.
    V2,
}

/// `proxy-v2-options`: what a header of version 2 tells beyond addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tells {
    /// `ssl`, or `send-proxy-v2-ssl`.
    pub tls: bool,
    /// `cert-cn`, or `send-proxy-v2-ssl-cn`.
    pub common_name: bool,
    /// `ssl-cipher`.
    pub cipher: bool,
    /// `cert-sig`.
    pub cert_signature: bool,
    /// `cert-key`.
    pub cert_key: bool,
    /// `authority`.
    pub authority: bool,
    /// `crc32c`.
    pub checksum: bool,
    /// `unique-id`.
    pub unique_id: bool,
}

/// `set-proxy-v2-tlv-fmt`: a TLV of one's own; without a text it is empty.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The kind.
    pub kind: u8,
    /// The value.
    pub text: Option<Arc<Format>>,
}

/// `source`: where connections to a server come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The address; none where the system chooses.
    pub ip: Option<IpAddr>,
    /// The ports, first and last; none where the system chooses.
    pub ports: Option<(u16, u16)>,
    /// `interface`.
    pub interface: Option<Box<str>>,
    /// `usesrc`.
    pub seems: Seems,
}

/// `source … usesrc`: whom the server sees in place of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seems {
    /// The proxy.
    #[default]
    Proxy,
    /// `clientip`: the client's address.
    ClientIp,
    /// `client`: the client's address and port.
    Client,
    /// A fixed address.
    At(SocketAddr),
    /// `hdr_ip(<name>,<occ>)`: an address that the request names.
    Field(Box<[u8]>, i32),
}
