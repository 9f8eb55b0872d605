//! Connections as the engine holds them: with the role they play and their timer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::id::{ListenerId, ServerId};
use crate::mux::Conn;
use crate::sample::{Shelf, TlsFacts, Wall};
use crate::slab::Key;
use crate::time::{Millis, Tick};

use super::errand::Kind;
use super::own::Own;
use super::track::Tracks;
use super::{Asked, Greeting, Stream};
use crate::proto::proxy::Header;
use crate::queue::Occupied;

/// A connection and who it belongs to.
#[derive(Debug)]
pub struct Held {
    /// The connection itself.
    pub conn: Conn,
    /// What it is for.
    pub role: Role,
    /// For when its timer is set in the wheel.
    pub armed: Tick,
}

/// What a connection is for.
#[derive(Debug)]
pub enum Role {
    /// A client's.
    Front(Front),
    /// A server's.
    Back(Back),
    /// A health check's.
    Probe(Asked),
}

/// The two ends of a connection; absent where it has no internet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Who connected.
    pub src: Option<SocketAddr>,
    /// To what.
    pub dst: Option<SocketAddr>,
}

/// A client's connection, over all its exchanges.
#[derive(Debug)]
pub struct Front {
    /// Where it came in.
    pub listener: ListenerId,
    /// Its addresses.
    pub peers: Peers,
    /// The same as rules of the session, or a header before it, have set them, where they differ. Apart, because an idle
    /// connection is to be small.
    pub altered: Option<Box<Peers>>,
    /// What still has to come before the first byte.
    pub greeting: Greeting,
    /// What the PROXY header said.
    pub proxied: Option<Box<Header>>,
    /// What TLS settled.
    pub tls: Option<Arc<TlsFacts>>,
    /// When it was accepted.
    pub accepted: Tick,
    /// The same on the wall clock.
    pub accept_date: Wall,
    /// How long the handshakes took.
    pub handshake: Millis,
    /// When the exchange at hand, or the wait for it, began.
    pub waiting_since: Tick,
    /// The exchange at hand.
    pub stream: Option<Key<Box<Stream>>>,
    /// Variables of the connection.
    pub shelf: RefCell<Shelf>,
    /// What its stick counters track.
    pub tracks: Tracks,
    /// Exchanges so far.
    pub requests: u32,
    /// The connection is only drained so that the last response survives: until when.
    pub lingers_until: Tick,
    /// Server connections that belong to this client alone; apart, because few clients have some.
    pub own: Option<Box<Own>>,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Back {
    /// Which server.
    pub server: ServerId,
    /// The exchange it serves; none while it is idle.
    pub stream: Option<Key<Box<Stream>>>,
    /// Its addresses.
    pub peers: Peers,
    /// Requests it has carried.
    pub requests: u32,
    /// What it was made for.
    pub kind: Kind,
    /// Since when it is idle.
    pub idle_since: Tick,
    /// The version of the server's destination that it leads to; after the server has moved it serves nobody else.
    pub placed: u64,
    /// Whether it serves one client alone, whatever `http-reuse` says.
    pub private: bool,
    /// Whether the connection stands.
    pub connected: bool,
    /// What TLS settled.
    pub tls: Option<Arc<TlsFacts>>,
    /// Its place among the connections to the server, where those are counted.
    pub place: Option<Occupied>,
}

impl Front {
    /// Its addresses as its exchanges begin with them.
    #[inline]
    pub fn seen(&self) -> Peers {
        self.altered.as_deref().copied().unwrap_or(self.peers)
    }

    /// When the exchange at hand began, and how long the handshakes took that belong to it: the first one has them.
    pub(super) fn begun(&self) -> (Tick, Millis) {
        match self.requests {
            0 | 1 => (self.accepted, self.handshake),
            _ => (self.waiting_since, Millis::ZERO),
        }
    }

    /// Has exchanges begin with these addresses.
    pub(super) fn see(&mut self, seen: Peers) {
        self.altered = (seen != self.peers).then(|| Box::new(seen));
    }
}

impl Held {
    /// The client's side of it.
    pub fn front(&self) -> Option<&Front> {
        match &self.role {
            Role::Front(front) => Some(front),
            Role::Back(_) | Role::Probe(_) => None,
        }
    }

    /// The client's side of it, to change.
    pub fn front_mut(&mut self) -> Option<&mut Front> {
        match &mut self.role {
            Role::Front(front) => Some(front),
            Role::Back(_) | Role::Probe(_) => None,
        }
    }

    /// The server's side of it.
    pub fn back(&self) -> Option<&Back> {
        match &self.role {
            Role::Back(back) => Some(back),
            Role::Front(_) | Role::Probe(_) => None,
        }
    }

    /// The server's side of it, to change.
    pub fn back_mut(&mut self) -> Option<&mut Back> {
        match &mut self.role {
            Role::Back(back) => Some(back),
            Role::Front(_) | Role::Probe(_) => None,
        }
    }

    /// Whether it has to write before there is an exchange: a health check, or a handshake.
    pub fn writes_while_idle(&self) -> bool {
        match &self.role {
            Role::Probe(_) => true,
            Role::Front(front) => front.greeting == Greeting::Tls,
            Role::Back(_) => false,
        }
    }

    /// The exchange that uses it.
    pub fn stream(&self) -> Option<Key<Box<Stream>>> {
        match &self.role {
            Role::Front(front) => front.stream,
            Role::Back(back) => back.stream,
            Role::Probe(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of ten thousand idle connections is this figure: 64 of them with their generations share an allocation, which takes
    /// eight pages while it stays below them and nine from there on.
    #[test]
    fn an_idle_connection_is_small() {
        assert!(64 * (size_of::<Held>() + 8) + 16 < 8 * 4096);
    }
}
