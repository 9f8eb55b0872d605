//! Where the courier connects to.

use std::io;
use std::sync::Arc;

use crate::addr::SockAddr;
use crate::site::{Carriage, Postbox, Site};
use crate::sys::{self, socket::Family, socket::Kind};
use crate::time::{Millis, Tick};
use crate::tls::{Connector, Session};
use crate::wire::{Socket, Tls, Wire};

/// How long to wait before somebody who was not reached is tried again.
const RETRY: Millis = Millis::seconds(5);
/// How long a server of a ring is left alone after it was lost.
const RING_RETRY: Millis = Millis::seconds(1);

/// Somebody to be connected to.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) address: SockAddr,
    pub(super) connector: Option<Arc<Connector>>,
    pub(super) carriage: Option<Arc<Carriage>>,
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
    fn new(
        address: SockAddr,
        connector: Option<Arc<Connector>>,
        errand: Errand,
        next: Tick,
    ) -> Self {
        Self {
            address,
            connector,
            carriage: None,
            errand,
            next,
            busy: false,
        }
    }

    /// Whether a try is due.
    pub(super) fn is_due(&self, now: Tick) -> bool {
        !self.busy && self.next.has_come(now)
    }

    /// A try begins: when the next is due if it fails. A box that has letters is due again by them.
    pub(super) fn tried(&mut self, now: Tick) {
        self.next = match self.errand {
            Errand::Mail { .. } => Tick::NEVER,
            Errand::Ring { .. } | Errand::Peer { .. } => now + RETRY,
        };
    }

    /// The connection is over, at this place of the conversation; `pause` is how long a lost one waits.
    pub(super) fn lost(&mut self, place: u64, pause: Option<Millis>, now: Tick) {
        self.busy = false;
        self.next = match &mut self.errand {
            Errand::Ring { next, .. } => {
                *next = place;
                now + RING_RETRY
            }
            Errand::Mail { .. } => Tick::NEVER,
            Errand::Peer { .. } => now.after(pause),
        };
    }

    /// The connection is over, and nobody knows how far it came: it is tried again later, from where it began.
    pub(super) fn given_up(&mut self, now: Tick) {
        self.busy = false;
        self.tried(now);
    }

    /// A box with letters is due.
    pub(super) fn collect(&mut self, site: &Site, now: Tick) {
        let Errand::Mail { backend, at } = self.errand else {
            return;
        };
        let mail = site.backends[backend].mail.as_ref();
        let own = mail.and_then(|mail| mail.boxes.get(at));
        if !self.busy && !self.next.is_set() && own.is_some_and(Postbox::has_letters) {
            self.next = now;
        }
    }

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
        let open = || sys::socket::socket(family, Kind::Stream);
        let fd = match self.carriage.as_deref() {
            Some(carriage) if family != Family::Unix => {
                let fd = carriage.place(open)?;
                carriage.set(&fd)?;
                fd
            }
            Some(_) | None => open()?,
        };
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

/// Everybody who is to be connected to.
pub(super) fn all(site: &Site, now: Tick) -> Vec<Post> {
    let peers = peers(site, now);
    peers.chain(rings(site, now)).chain(boxes(site)).collect()
}

fn peers(site: &Site, now: Tick) -> impl Iterator<Item = Post> {
    let members = site.peers.iter().enumerate().flat_map(|(section, peers)| {
        let count = peers.section.members.len();
        (0..count).map(move |member| (section, member))
    });
    let others = members.filter(|(section, member)| site.peers[*section].section.local != *member);
    others.filter_map(move |(section, member)| peer(site, section, member, false, now))
}

/// To whom a process that leaves tells what it knows: to whoever listens in its place.
pub(super) fn last_wills(site: &Site, now: Tick) -> impl Iterator<Item = Post> {
    let sections = site.peers.iter().enumerate();
    sections.filter_map(move |(section, peers)| peer(site, section, peers.section.local, true, now))
}

fn peer(site: &Site, section: usize, member: usize, last_will: bool, now: Tick) -> Option<Post> {
    let peers = site.peers.get(section)?;
    let address = peers.section.members.get(member)?.address.clone()?;
    let connector = peers.connectors.get(member).cloned().flatten();
    let errand = Errand::Peer {
        section,
        member,
        last_will,
    };
    Some(Post {
        carriage: peers.carriages.get(member).cloned().flatten(),
        ..Post::new(address, connector, errand, now)
    })
}

fn rings(site: &Site, now: Tick) -> impl Iterator<Item = Post> {
    let rings = site.rings.iter().enumerate();
    rings.flat_map(move |(ring, post)| {
        post.servers.iter().map(move |server| {
            let errand = Errand::Ring {
                ring,
                next: 0,
                counted: server.counted,
            };
            let connector = server.connector.clone();
            Post {
                carriage: server.carriage.clone(),
                ..Post::new(server.address.clone(), connector, errand, now)
            }
        })
    })
}

fn boxes(site: &Site) -> impl Iterator<Item = Post> {
    let backends = site.backends.iter().enumerate();
    backends.flat_map(|(backend, one)| {
        let boxes = one.mail.iter().flat_map(|mail| &mail.boxes);
        boxes.enumerate().map(move |(at, own)| {
            let errand = Errand::Mail { backend, at };
            Post::new(own.address.clone(), None, errand, Tick::NEVER)
        })
    })
}
