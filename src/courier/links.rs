//! The courier's connections, each in a place that its events name.

use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Interest, Registry};

use super::link::Link;
use super::token::About;

/// Connections at once.
const LINKS_MAX: usize = 4096;

/// Connections and empty places.
#[derive(Debug)]
pub(super) struct Links {
    registry: Registry,
    slots: Vec<Option<Link>>,
}

impl Links {
    /// None yet; the poll of `registry` tells of those to come.
    pub(super) fn new(registry: &Registry) -> io::Result<Self> {
        Ok(Self {
            registry: registry.try_clone()?,
            slots: Vec::new(),
        })
    }

    /// All places, whether a connection is there or not.
    pub(super) fn places(&self) -> Range<usize> {
        0..self.slots.len()
    }

    /// The connection in a place.
    pub(super) fn get(&self, at: usize) -> Option<&Link> {
        self.slots.get(at)?.as_ref()
    }

    /// The connection in a place.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Link> {
        self.slots.get_mut(at)?.as_mut()
    }

    /// Every connection.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().flatten()
    }

    /// Where conversations with a peer are.
    pub(super) fn with_peer(&self, peer: (usize, usize)) -> impl Iterator<Item = usize> {
        self.places().filter(move |at| {
            let link = self.get(*at);
            link.is_some_and(|link| link.talk.peer() == Some(peer))
        })
    }

    /// Takes a connection in; one more than fit is dropped.
    pub(super) fn add(&mut self, link: Link) -> bool {
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or(self.slots.len());
        let Some(fd) = link.wire.fd().filter(|_| at < LINKS_MAX) else {
            return false;
        };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let mut source = SourceFd(&fd.as_raw_fd());
        let token = About::Link(at).token();
        if self
            .registry
            .register(&mut source, token, interest)
            .is_err()
        {
            return false;
        }
        if at == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[at] = Some(link);
        true
    }

    /// Takes a connection out.
    pub(super) fn remove(&mut self, at: usize) -> Option<Link> {
        let link = self.slots.get_mut(at)?.take()?;
        if let Some(fd) = link.wire.fd() {
            // Closing the descriptor would end the registration too.
            let _ = self.registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
        }
        Some(link)
    }
}
