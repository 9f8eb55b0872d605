//! What all workers share beside the site: mailboxes, loads, and the limits of the process.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use super::{Mail, Mailbox};
use crate::id::{ListenerId, WorkerId};
use crate::site::{Service, Site};

/// The workers of a process, as they see each other.
#[derive(Debug)]
pub struct Office {
    site: Arc<Site>,
    desks: Vec<Desk>,
    /// Clients of the whole process.
    clients: AtomicUsize,
    /// Whether a listener waits for a client to leave.
    waiting: AtomicBool,
    /// Workers that still accept clients.
    accepting: AtomicUsize,
}

#[derive(Debug)]
struct Desk {
    mailbox: Mailbox,
    clients: AtomicUsize,
}

/// Why a listener may not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Its own limit, or its frontend's.
    Listener,
    /// The limit of the process.
    Process,
}

/// How many more clients a worker may have than the idlest before it hands new ones over.
const IMBALANCE: usize = 1;

impl Office {
    /// An office with one desk a mailbox.
    pub fn new(site: Arc<Site>, mailboxes: Vec<Mailbox>) -> Self {
        let accepting = AtomicUsize::new(mailboxes.len());
        let desks = mailboxes
            .into_iter()
            .map(|mailbox| Desk {
                mailbox,
                clients: AtomicUsize::new(0),
            })
            .collect();
        Self {
            site,
            desks,
            clients: AtomicUsize::new(0),
            waiting: AtomicBool::new(false),
            accepting,
        }
    }

    /// Clients of the whole process at this moment.
    pub fn clients(&self) -> usize {
        self.clients.load(Relaxed)
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.desks.len()
    }

    /// A worker has stopped accepting for good. The last one wakes the others: no client can be posted to them any more.
    pub fn stop_accepting(&self) {
        if self.accepting.fetch_sub(1, AcqRel) == 1 {
            for desk in &self.desks {
                desk.mailbox.post(Mail::Resume);
            }
        }
    }

    /// Whether no worker accepts any more; what was posted before is then in the mailboxes.
    pub fn is_closed(&self) -> bool {
        self.accepting.load(Acquire) == 0
    }

    /// Posts mail to one worker.
    pub fn post(&self, to: WorkerId, mail: Mail) {
        self.desks[to.index()].mailbox.post(mail);
    }

    /// Counts a client in, or says which limit forbids it.
    pub fn admit(&self, listener: ListenerId) -> Result<(), Full> {
        if !take(&self.clients, self.site.global.maxconn) {
            return Err(Full::Process);
        }
        let configured = self.site.listener(listener);
        if !take(&configured.connections, configured.maxconn) {
            self.clients.fetch_sub(1, Relaxed);
            return Err(Full::Listener);
        }
        let Service::Frontend(frontend) = configured.service else {
            return Ok(());
        };
        let frontend = self.site.frontend(frontend);
        if !take(&frontend.connections, frontend.maxconn_now.load(Relaxed)) {
            configured.connections.fetch_sub(1, Relaxed);
            self.clients.fetch_sub(1, Relaxed);
            return Err(Full::Listener);
        }
        Ok(())
    }

    /// Counts a client out, and wakes the listeners that waited for one to leave.
    pub fn dismiss(&self, listener: ListenerId) {
        let configured = self.site.listener(listener);
        if let Service::Frontend(frontend) = configured.service {
            self.site
                .frontend(frontend)
                .connections
                .fetch_sub(1, Relaxed);
        }
        configured.connections.fetch_sub(1, Relaxed);
        self.clients.fetch_sub(1, Relaxed);
        if self.waiting.load(Relaxed) && self.waiting.swap(false, Relaxed) {
            for desk in &self.desks {
                desk.mailbox.post(Mail::Resume);
            }
        }
    }

    /// A listener waits for a client to leave.
    pub fn await_room(&self) {
        self.waiting.store(true, Relaxed);
    }

    /// The worker for a new client that `here` has accepted: itself, unless another is clearly less loaded.
    pub fn assign(&self, here: WorkerId) -> WorkerId {
        let mut best = here;
        let mut least = self.desks[here.index()]
            .clients
            .load(Relaxed)
            .saturating_sub(IMBALANCE);
        for (index, desk) in self.desks.iter().enumerate() {
            let clients = desk.clients.load(Relaxed);
            if clients < least {
                best = WorkerId::at(index);
                least = clients;
            }
        }
        self.desks[best.index()].clients.fetch_add(1, Relaxed);
        best
    }

    /// A client of `worker` has left it.
    pub fn unassign(&self, worker: WorkerId) {
        self.desks[worker.index()].clients.fetch_sub(1, Relaxed);
    }
}

/// Counts one more under `limit`; zero means there is none.
fn take(count: &AtomicUsize, limit: usize) -> bool {
    let before = count.fetch_add(1, Relaxed);
    if limit != 0 && before >= limit {
        count.fetch_sub(1, Relaxed);
        return false;
    }
    true
}
