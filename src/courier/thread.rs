//! The courier's thread, as the rest of the process sees it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire, Release},
};
use std::thread::{self, JoinHandle};

use mio::{Poll, Waker};

use super::rounds::Rounds;
use super::token::About;
use crate::id::ListenerId;
use crate::site::Site;

/// The thread and its bell.
#[derive(Debug)]
pub struct Courier {
    orders: Arc<Orders>,
    bell: Arc<Waker>,
    thread: JoinHandle<()>,
}

/// What it is told, none of it taken back.
#[derive(Debug, Default)]
pub(super) struct Orders {
    drain: AtomicBool,
    finish: AtomicBool,
    stop: AtomicBool,
}

impl Courier {
    /// Starts the thread on these listening sockets; none where the site has nothing for it.
    ///
    /// # Errors
    /// If the system has no descriptors or threads left.
    pub fn start(
        site: &Arc<Site>,
        sockets: Vec<(ListenerId, OwnedFd)>,
        datagrams: Vec<(usize, OwnedFd)>,
    ) -> io::Result<Option<Courier>> {
        if !is_needed(site) {
            return Ok(None);
        }
        let poll = Poll::new()?;
        let bell = Arc::new(Waker::new(poll.registry(), About::Bell.token())?);
        hang(&bell, site);
        let orders = Arc::<Orders>::default();
        let mut rounds = Rounds::new(site, poll, Arc::clone(&orders))?;
        for (id, fd) in sockets {
            rounds.listen(id, fd)?;
        }
        for (forward, fd) in datagrams {
            rounds.hear(forward, fd)?;
        }
        let thread = thread::Builder::new()
            .name("courier".to_owned())
            .spawn(move || rounds.run())?;
        Ok(Some(Courier {
            orders,
            bell,
            thread,
        }))
    }

    /// Has it tell a successor what this process knows, and go on with nothing but the lines of rings.
    pub fn drain(&self) {
        self.orders.drain.store(true, Release);
        let _ = self.bell.wake();
    }

    /// Has it leave once the last line is on its way: nobody is left to write another.
    pub fn finish(&self) {
        if !self.orders.finish.swap(true, AcqRel) {
            let _ = self.bell.wake();
        }
    }

    /// Has it leave at once.
    pub fn stop(&self) {
        self.orders.stop.store(true, Release);
        let _ = self.bell.wake();
    }

    /// Whether it has left.
    pub fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }
}

fn is_needed(site: &Site) -> bool {
    let sends = site.rings.iter().any(|post| !post.servers.is_empty());
    let mails = site.backends.iter().any(|backend| backend.mail.is_some());
    !site.peers.is_empty() || !site.forwards.is_empty() || sends || mails
}

/// Gives the bell to all who have something to tell.
fn hang(bell: &Arc<Waker>, site: &Site) {
    let cord = || -> Box<dyn Fn() + Send + Sync> {
        let bell = Arc::clone(bell);
        // A bell that cannot be rung is heard at the next heartbeat.
        Box::new(move || drop(bell.wake()))
    };
    for table in &site.tables {
        table.ring_with(cord());
    }
    for post in &site.rings {
        post.ring.ring_with(cord());
    }
    let mails = site.backends.iter().filter_map(|one| one.mail.as_ref());
    for own in mails.flat_map(|mail| &mail.boxes) {
        own.ring_with(cord());
    }
}

impl Orders {
    pub(super) fn is_to_drain(&self) -> bool {
        self.drain.load(Acquire)
    }

    pub(super) fn is_to_finish(&self) -> bool {
        self.finish.load(Acquire)
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.load(Acquire)
    }
}
