//! Passing the listening sockets, and the state after them, to a process that asks for them on a stats socket.
//!
//! A thread of its own serves each asker, one at a time: the exchange blocks, and no worker may. The copies live as long
//! as the process; they are never shut down, since others accept from them.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::handover::{self, Given};
use super::heritage::Heirs;
use crate::cli::Desk;
use crate::id::ListenerId;
use crate::site::{Holding, Site};
use crate::sys::socket;

/// Copies of the listening sockets, to be passed on.
#[derive(Debug)]
pub(super) struct Copies {
    site: Arc<Site>,
    /// Locked while one asker is served.
    sockets: Mutex<Vec<(ListenerId, OwnedFd)>>,
    heirs: Heirs,
}

impl Copies {
    /// Copies of `site`'s sockets.
    pub(super) fn new(site: Arc<Site>, sockets: Vec<(ListenerId, OwnedFd)>) -> Arc<Self> {
        Arc::new(Self {
            site,
            sockets: Mutex::new(sockets),
            heirs: Heirs::default(),
        })
    }

    /// Serves whoever asks at `desk`.
    pub(super) fn serve(self: &Arc<Self>, desk: &Desk) {
        let copies = Arc::clone(self);
        desk.export_with(move |connection| {
            let copies = Arc::clone(&copies);
            // Without a thread the asker sees its connection end, and goes on without the sockets.
            let _ = thread::Builder::new()
                .name("handover".to_owned())
                .spawn(move || copies.give(connection));
        });
    }

    fn give(&self, connection: OwnedFd) {
        // An asker that leaves in the middle goes on without the sockets; nothing of ours depends on it.
        let _ = socket::set_nonblocking(&connection, false)
            .and_then(|()| self.lend(|given| handover::give(&connection, given)))
            .and_then(|()| self.heirs.welcome(&self.site, connection));
    }

    /// Serves somebody whom the master sent for our state.
    pub(super) fn welcome(self: &Arc<Self>, connection: OwnedFd) {
        let copies = Arc::clone(self);
        // Without a thread the other side begins at zero.
        let _ = thread::Builder::new()
            .name("handover".to_owned())
            .spawn(move || copies.heirs.welcome(&copies.site, connection));
    }

    /// Tells those who inherit what was counted since, and what keeps this process.
    pub(super) fn tell_heirs(&self, holding: Holding) {
        self.heirs.tell(&self.site, holding);
    }

    /// Lets `use_them` see the sockets.
    pub(super) fn lend<R>(&self, use_them: impl FnOnce(&[Given<'_>]) -> R) -> R {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let given: Vec<Given<'_>> = sockets
            .iter()
            .map(|(id, socket)| self.given(*id, socket))
            .collect();
        use_them(&given)
    }

    /// Closes the copies: nobody shall take over from a process that leaves.
    pub(super) fn drop_all(&self) {
        self.sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn given<'a>(&'a self, id: ListenerId, socket: &'a OwnedFd) -> Given<'a> {
        let listener = self.site.listener(id);
        Given {
            socket: socket.as_fd(),
            interface: listener.interface.as_deref().unwrap_or_default(),
            namespace: listener.carriage.namespace_name(),
        }
    }
}
