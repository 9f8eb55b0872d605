//! Mail between workers: a short queue and a waker.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

use crate::id::{FrontendId, ListenerId};
use crate::stream::{Letter, Peers};

/// What a worker is told.
#[derive(Debug)]
pub enum Mail {
    /// A client's connection to serve.
    Client(Client),
    /// News for a stream.
    Letter(Letter),
    /// Listeners that waited for room may accept again.
    Resume,
    /// Stop accepting until told to go on.
    Pause,
    /// Accept again.
    Unpause,
    /// An operator opens a frontend's listeners, or closes them.
    Frontend(FrontendId, bool),
    /// Stop accepting; leave when the last stream has ended.
    Drain,
    /// Say what keeps you from leaving.
    WhatHolds,
    /// Give pooled memory back to the system.
    Shrink,
    /// Leave at once.
    Stop,
}

/// A connection that was accepted and not yet served.
#[derive(Debug)]
pub struct Client {
    /// Its socket.
    pub fd: OwnedFd,
    /// Where it came in.
    pub listener: ListenerId,
    /// Its addresses.
    pub peers: Peers,
}

/// Where one worker receives mail.
#[derive(Clone, Debug)]
pub struct Mailbox {
    queue: Arc<Mutex<VecDeque<Mail>>>,
    waker: Arc<Waker>,
}

impl Mailbox {
    /// An empty box that rings `waker`.
    pub fn new(waker: Waker) -> Self {
        Self {
            queue: Arc::default(),
            waker: Arc::new(waker),
        }
    }

    /// Posts a piece of mail; the worker is woken for the first one only.
    pub fn post(&self, mail: Mail) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let first = queue.is_empty();
        queue.push_back(mail);
        drop(queue);
        if first {
            // A waker fails only when its descriptor is gone, and then so is the worker.
            let _ = self.waker.wake();
        }
    }

    /// Takes all mail into `into`.
    pub fn collect(&self, into: &mut VecDeque<Mail>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        into.append(&mut queue);
    }
}
