//! What a header says.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::tlv::{Tlv, Tlvs};

/// What a PROXY protocol header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) version: Version,
    pub(super) command: Command,
    pub(super) transport: Transport,
    pub(super) endpoints: Endpoints,
    /// The TLVs as on the wire, checked.
    pub(super) tlvs: Vec<u8>,
}

/// Which version a header was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary, with TLVs.
    V2,
}

/// On whose behalf the proxy connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Its own, as for a health check: the connection's own addresses are the true ones.
    Local,
    /// A client's.
    Proxy,
}

/// What the client connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Not said.
    Unspecified,
    /// TCP, or a stream socket.
    Stream,
    /// UDP, or a datagram socket.
    Datagram,
}

/// The two ends of the client's connection to the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoints {
    /// Not said.
    Unspecified,
    /// IPv4.
    Ip4 {
        /// The client.
        source: SocketAddrV4,
        /// Where it connected to.
        destination: SocketAddrV4,
    },
    /// IPv6.
    Ip6 {
        /// The client.
        source: SocketAddrV6,
        /// Where it connected to.
        destination: SocketAddrV6,
    },
    /// Unix sockets.
    Unix {
        /// The client's; usually empty.
        source: UnixPath,
        /// Where it connected to.
        destination: UnixPath,
    },
}

/// The 108 bytes of a unix socket's address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnixPath(pub(super) Box<[u8; UnixPath::LEN]>);

impl UnixPath {
    /// The size on the wire.
    pub const LEN: usize = 108;

    /// An address from a path, or from an abstract name that begins with a zero byte; none when it is too long.
    pub fn new(path: &[u8]) -> Option<UnixPath> {
        let mut bytes = Box::new([0; UnixPath::LEN]);
        bytes.get_mut(..path.len())?.copy_from_slice(path);
        Some(UnixPath(bytes))
    }

    /// The path, or the abstract name with its leading zero byte, without the padding.
    pub fn as_bytes(&self) -> &[u8] {
        let is_abstract = self.0[0] == 0;
        let end = if is_abstract {
            self.0
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |last| last + 1)
        } else {
            self.0
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(UnixPath::LEN)
        };
        &self.0[..end]
    }
}

impl std::fmt::Debug for UnixPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnixPath({})", self.as_bytes().escape_ascii())
    }
}

impl Endpoints {
    /// The endpoints of a connection; where one end is IPv4 and the other IPv6, both are written as IPv6.
    pub fn between(source: SocketAddr, destination: SocketAddr) -> Endpoints {
        let plain =
            |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        match (plain(source), plain(destination)) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => Endpoints::Ip4 {
                source,
                destination,
            },
            (source, destination) => Endpoints::Ip6 {
                source: mapped(source),
                destination: mapped(destination),
            },
        }
    }

    /// The client's address, where it has an internet address.
    pub fn source(&self) -> Option<SocketAddr> {
        match self {
            Endpoints::Ip4 { source, .. } => Some((*source).into()),
            Endpoints::Ip6 { source, .. } => Some((*source).into()),
            Endpoints::Unix { .. } | Endpoints::Unspecified => None,
        }
    }

    /// The address it connected to, where that is an internet address.
    pub fn destination(&self) -> Option<SocketAddr> {
        match self {
            Endpoints::Ip4 { destination, .. } => Some((*destination).into()),
            Endpoints::Ip6 { destination, .. } => Some((*destination).into()),
            Endpoints::Unix { .. } | Endpoints::Unspecified => None,
        }
    }
}

fn mapped(address: SocketAddr) -> SocketAddrV6 {
    match address.ip() {
        IpAddr::V4(ip) => SocketAddrV6::new(ip.to_ipv6_mapped(), address.port(), 0, 0),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, address.port(), 0, 0),
    }
}

impl Header {
    /// The header of a connection that the proxy makes for itself.
    pub fn local() -> Header {
        Header {
            version: Version::V2,
            command: Command::Local,
            transport: Transport::Unspecified,
            endpoints: Endpoints::Unspecified,
            tlvs: Vec::new(),
        }
    }

    /// The header of a stream that the proxy carries on for a client.
    pub fn proxied(endpoints: Endpoints) -> Header {
        let transport = match endpoints {
            Endpoints::Unspecified => Transport::Unspecified,
            Endpoints::Ip4 { .. } | Endpoints::Ip6 { .. } | Endpoints::Unix { .. } => {
                Transport::Stream
            }
        };
        Header {
            version: Version::V2,
            command: Command::Proxy,
            transport,
            endpoints,
            tlvs: Vec::new(),
        }
    }

    /// The version it was read from.
    pub fn version(&self) -> Version {
        self.version
    }

    /// On whose behalf the proxy connected.
    pub fn command(&self) -> Command {
        self.command
    }

    /// What the client connected with.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Both ends of the client's connection.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The client's internet address, if the header names one.
    pub fn source(&self) -> Option<SocketAddr> {
        self.endpoints.source()
    }

    /// The internet address the client connected to, if the header names one.
    pub fn destination(&self) -> Option<SocketAddr> {
        self.endpoints.destination()
    }

    /// The TLVs in order, unknown ones too.
    pub fn tlvs(&self) -> Tlvs<'_> {
        Tlvs::of(&self.tlvs)
    }

    /// The TLVs as they were on the wire.
    pub(crate) fn raw_tlvs(&self) -> &[u8] {
        &self.tlvs
    }

    /// The value of the first TLV of this kind.
    pub fn tlv(&self, kind: u8) -> Option<&[u8]> {
        Tlvs::raw(&self.tlvs)
            .find(|(found, _)| *found == kind)
            .map(|(_, value)| value)
    }

    /// The server name the client asked for (SNI, or the authority of its request).
    pub fn authority(&self) -> Option<&str> {
        self.tlvs().find_map(|tlv| {
            if let Tlv::Authority(name) = tlv {
                Some(name)
            } else {
                None
            }
        })
    }

    /// The connection's unique identity.
    pub fn unique_id(&self) -> Option<&[u8]> {
        self.tlv(super::kind::UNIQUE_ID)
    }
}
