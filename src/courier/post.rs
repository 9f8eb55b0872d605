//! Where the courier connects to.

use std::io;
use std::sync::Arc;

use crate::addr::SockAddr;
use crate::sys::{self, socket::Family, socket::Kind};
use crate::time::Tick;
use crate::tls::{Connector, Session};
use crate::wire::{Socket, Tls, Wire};

/// Somebody to be connected to.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) address: SockAddr,
    pub(super) connector: Option<Arc<Connector>>,
    pub(super) errand: Errand,
    /// When the next try is due.
    pub(super) next: Tick,
    /// Whether it is connected, or being connected.
    pub(super) busy: bool,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A member of a `peers` section, by the places of both; with all that this process knows, for its successor.
    Peer {
        section: usize,
        member: usize,
        last_will: bool,
    },
    /// A server of a ring, by the ring's place, from this line on; each with its length, or with a line feed.
    Ring {
        ring: usize,
        next: u64,
        counted: bool,
    },
    /// A box of a backend, by the places of both, when it has letters.
    Mail { backend: usize, at: usize },
}

impl Post {
    /// Whether lines of a ring go there.
    pub(super) fn is_ring(&self) -> bool {
        matches!(self.errand, Errand::Ring { .. })
    }

    /// Whether a successor is told there.
    pub(super) fn is_will(&self) -> bool {
        matches!(
            self.errand,
            Errand::Peer {
                last_will: true,
                ..
            }
        )
    }

    /// Begins to connect.
    pub(super) fn dial(&self) -> io::Result<Wire> {
        let raw = self.address.to_raw()?;
        let family = Family::of(&raw).ok_or(io::ErrorKind::Unsupported)?;
        let fd = sys::socket::socket(family, Kind::Stream)?;
        if family != Family::Unix {
            sys::options::set_nodelay(&fd, true)?;
        }
        sys::socket::connect(&fd, &raw)?;
        let wire = Wire::Socket(Socket::new(fd));
        let Some(connector) = &self.connector else {
            return Ok(wire);
        };
        let session = Session::connect(connector, None).map_err(io::Error::other)?;
        Ok(Wire::Tls(Box::new(Tls::new(wire, session))))
    }
}
