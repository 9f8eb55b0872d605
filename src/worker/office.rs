//! What all workers share beside the site: mailboxes, loads, and the limits of the process.

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Activity, Mail, Mailbox};
use crate::id::{ListenerId, WorkerId};
use crate::site::{Frontend, Holding, Listener, Service, Site};
use crate::time::{Millis, Tick};

/// The workers of a process, as they see each other.
#[derive(Debug)]
pub struct Office {
    site: Arc<Site>,
    desks: Vec<Desk>,
    /// Clients of the whole process.
    clients: AtomicUsize,
    /// Those of them that came in by TLS.
    secured: AtomicUsize,
    /// How often the process has become full.
    filled: AtomicU32,
    /// Whether a listener waits for a client to leave.
    waiting: AtomicBool,
    /// Workers that still accept clients.
    accepting: AtomicUsize,
}

#[derive(Debug)]
struct Desk {
    mailbox: Mailbox,
    clients: AtomicUsize,
    activity: Activity,
    /// What the worker last said of what keeps it from leaving.
    holding: Mutex<Holding>,
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
                activity: Activity::default(),
                holding: Mutex::default(),
            })
            .collect();
        Self {
            site,
            desks,
            clients: AtomicUsize::new(0),
            secured: AtomicUsize::new(0),
            filled: AtomicU32::new(0),
            waiting: AtomicBool::new(false),
            accepting,
        }
    }

    /// Clients of the whole process at this moment, operators apart.
    pub fn clients(&self) -> usize {
        self.clients.load(Relaxed)
    }

    /// How often a client has made the process full.
    pub fn filled(&self) -> u32 {
        self.filled.load(Relaxed)
    }

    /// Asks every worker what keeps it from leaving.
    pub fn ask_what_holds(&self) {
        for desk in &self.desks {
            desk.mailbox.post(Mail::WhatHolds);
        }
    }

    /// A worker answers that.
    pub fn note_holding(&self, worker: WorkerId, holding: Holding) {
        let desk = &self.desks[worker.index()];
        *desk.holding.lock().unwrap_or_else(PoisonError::into_inner) = holding;
    }

    /// What all of them answered last; the number of clients is that of this moment.
    pub fn holding(&self) -> Holding {
        let said = |desk: &Desk| *desk.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self
            .desks
            .iter()
            .map(said)
            .fold(Holding::default(), Holding::and);
        Holding {
            clients: self.clients() as u64,
            ..all
        }
    }

    /// What a worker has done.
    pub fn activity(&self, worker: WorkerId) -> &Activity {
        &self.desks[worker.index()].activity
    }

    /// What each of them has done, in their order.
    pub fn activities(&self) -> Vec<&Activity> {
        self.desks.iter().map(|desk| &desk.activity).collect()
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

    /// Has listeners that were held back by a limit try again.
    pub fn resume(&self) {
        for desk in &self.desks {
            desk.mailbox.post(Mail::Resume);
        }
    }

    /// Posts mail to one worker.
    pub fn post(&self, to: WorkerId, mail: Mail) {
        self.desks[to.index()].mailbox.post(mail);
    }

    /// Counts a client in, unless a limit of the process, of the listener or of its frontend forbids it.
    pub fn admit(&self, listener: ListenerId) -> bool {
        let configured = self.site.listener(listener);
        let secured_max = self.site.global.max_ssl_conn.unwrap_or(0) as usize;
        let limits = [
            is_counted(configured).then(|| (&self.clients, self.site.maxconn())),
            Some((&configured.connections, configured.maxconn)),
            self.frontend(configured).map(|frontend| {
                let limit = frontend.maxconn_now.load(Relaxed);
                (&frontend.connections, limit)
            }),
            configured
                .tls
                .is_some()
                .then_some((&self.secured, secured_max)),
        ];
        for (at, limit) in limits.iter().enumerate() {
            if let Some((count, most)) = limit
                && !take(count, *most)
            {
                for (count, _) in limits[..at].iter().flatten() {
                    count.fetch_sub(1, Relaxed);
                }
                return false;
            }
        }
        if is_counted(configured) && self.clients() == self.site.maxconn() {
            self.filled.fetch_add(1, Relaxed);
        }
        true
    }

    /// As [`Office::admit`] for a client that is refused at first: after a refusal the listener waits for somebody to
    /// leave, and whoever left in between is noticed by this second look.
    pub fn admit_or_await_room(&self, listener: ListenerId) -> bool {
        if self.admit(listener) {
            return true;
        }
        self.waiting.store(true, SeqCst);
        self.admit(listener)
    }

    fn frontend(&self, listener: &Listener) -> Option<&Frontend> {
        match listener.service {
            Service::Frontend(frontend) => Some(self.site.frontend(frontend)),
            Service::Stats | Service::Peers(_) | Service::LogForward(_) => None,
        }
    }

    /// How long the paces of the process and of the frontend have the next client of `listener` wait.
    pub fn wait(&self, listener: ListenerId, now: Tick) -> Millis {
        let configured = self.site.listener(listener);
        if !is_counted(configured) {
            return Millis::ZERO;
        }
        let own = self.frontend(configured).map(|frontend| &frontend.pace);
        self.site.paces.wait(configured.tls.is_some(), own, now)
    }

    /// Counts a client of `listener` in these paces.
    pub fn count_pace(&self, listener: ListenerId, now: Tick) {
        let configured = self.site.listener(listener);
        if !is_counted(configured) {
            return;
        }
        let own = self.frontend(configured).map(|frontend| &frontend.pace);
        self.site.paces.count(configured.tls.is_some(), own, now);
    }

    /// Counts a client out, and wakes the listeners that waited for one to leave.
    pub fn dismiss(&self, listener: ListenerId) {
        let configured = self.site.listener(listener);
        if let Some(frontend) = self.frontend(configured) {
            frontend.connections.fetch_sub(1, Relaxed);
        }
        if configured.tls.is_some() {
            self.secured.fetch_sub(1, Relaxed);
        }
        configured.connections.fetch_sub(1, Relaxed);
        if is_counted(configured) {
            self.clients.fetch_sub(1, SeqCst);
        }
        if self.waiting.load(SeqCst) && self.waiting.swap(false, SeqCst) {
            for desk in &self.desks {
                desk.mailbox.post(Mail::Resume);
            }
        }
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

/// Whether the limits and paces of the process hold for clients of a listener: an operator comes in where it is full, since
/// that is when one is needed. Their own number is limited by the listener (`stats maxconn`).
fn is_counted(listener: &Listener) -> bool {
    !matches!(listener.service, Service::Stats)
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
