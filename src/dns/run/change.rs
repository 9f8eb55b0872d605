//! What a server's name has become, told to whoever owns the server.

use std::net::IpAddr;

use crate::id::ServerId;

/// Something that changes about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is somewhere else. A port comes with services only.
    Moved {
        /// The server.
        server: ServerId,
        /// Its address.
        ip: IpAddr,
        /// The port, if the answer says one.
        port: Option<u16>,
    },
    /// Its share, as SRV records give it.
    Weight {
        /// The server.
        server: ServerId,
        /// From 0 to 256.
        weight: u16,
    },
    /// It has an address and may be used again.
    Up {
        /// The server.
        server: ServerId,
    },
    /// It must not be used.
    Down {
        /// The server.
        server: ServerId,
        /// Why.
        cause: Cause,
    },
}

impl Change {
    /// The server it is about.
    pub fn server(&self) -> ServerId {
        match *self {
            Self::Moved { server, .. }
            | Self::Weight { server, .. }
            | Self::Up { server }
            | Self::Down { server, .. } => server,
        }
    }
}

/// Why a server is down for its name's sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No address is left for it.
    NoAddress,
    /// Its service is gone.
    NoService,
    /// The name does not exist.
    Nx,
    /// No nameserver answers.
    Timeout,
    /// The nameservers refuse.
    Refused,
    /// Anything else.
    Other,
}

impl Cause {
    /// HAProxy's words for the state change.
    pub fn text(self) -> &'static str {
        match self {
            // The blank at the end is HAProxy's.
            Self::NoAddress => "No IP for server ",
            Self::NoService => "entry removed from SRV record",
            Self::Nx => "DNS NX status",
            Self::Timeout => "DNS timeout status",
            Self::Refused => "DNS refused status",
            Self::Other => "unspecified DNS error",
        }
    }
}
