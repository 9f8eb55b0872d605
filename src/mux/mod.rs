//! Bytes to parts and back.
//!
//! A [`Mux`] stands between a connection and a [`Lane`]: it receives by reading the wire and putting parts into a lane,
//! and sends by taking parts from a lane and writing them. A stream joins two of them and never asks which
//! protocol either speaks; `mode tcp` is the mux that finds nothing but data. Framing is understood here once and written anew.

mod conn;
mod h1;
mod inner;
mod lane;
mod raw;
mod splice;

pub use crate::proto::h1::{Body, Close, Policy, Role as H1Role};
pub use conn::{Conn, Fill, Ready, Shut};
pub use h1::H1;
pub use inner::{Inner, Said};
pub use lane::{End, Lane};
pub use splice::{Eager, Spliced};

use crate::buf::Pool;
use crate::http::Head;
use crate::proto::h1::Fault;
use crate::time::Tick;
use crate::wire::Pipes;

/// What a mux needs for one call.
#[derive(Debug)]
pub struct Lent<'a> {
    /// The worker's buffers.
    pub pool: &'a mut Pool,
    /// The moment.
    pub now: Tick,
    /// Heads to fill.
    pub heads: &'a mut Heads,
    /// Its pipes.
    pub pipes: &'a mut Pipes,
}

/// Heads that have served, kept for their memory.
#[derive(Debug, Default)]
#[expect(
    clippy::vec_box,
    reason = "heads travel boxed; taking one out must not allocate"
)]
pub struct Heads {
    spare: Vec<Box<Head>>,
}

/// Spare heads that a worker keeps.
const HEADS_KEPT: usize = 256;

impl Heads {
    /// An empty head.
    pub fn take(&mut self) -> Box<Head> {
        self.spare.pop().unwrap_or_default()
    }

    /// Lets go of half of the spare heads beyond two for each of `users`.
    pub fn trim(&mut self, users: usize) {
        let kept = 2 * users;
        if self.spare.len() > kept {
            self.spare.truncate(kept + (self.spare.len() - kept) / 2);
        }
    }

    /// Takes a head back.
    pub fn give_back(&mut self, mut head: Box<Head>) {
        if self.spare.len() < HEADS_KEPT {
            head.clear();
            self.spare.push(head);
        }
    }
}

/// How a receive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Something was put into the lane.
    Progress,
    /// Nothing came.
    Blocked,
    /// The lane wants to be emptied first, or the message is complete.
    Full,
    /// The peer ended or failed where it must not: the lane is aborted if a message had begun.
    Closed,
    /// What came is not a message.
    Broken(Fault),
    /// No buffer was to be had.
    Starved,
}

/// The protocols.
#[derive(Debug)]
pub enum Mux {
    /// Bytes and nothing else.
    Raw,
    /// HTTP/1.0 and 1.1.
    H1(H1),
}

impl Conn {
    /// Reads and understands until the lane has something new, is full, or nothing more comes.
    pub fn receive(&mut self, lane: &mut Lane, lent: &mut Lent<'_>) -> Received {
        match &mut self.mux {
            Mux::Raw => raw::receive(self, lane, lent),
            Mux::H1(_) => h1::receive(self, lane, lent),
        }
    }

    /// Takes what the lane holds into the output, as far as there is room, and writes it.
    pub fn send(&mut self, lane: &mut Lane, lent: &mut Lent<'_>) {
        self.send_buffers(lane, lent);
        if lane.piped() > 0 {
            self.send_spliced(lane, lent);
            if lane.piped() == 0 {
                // What ends the message comes behind the pipe's bytes.
                self.send_buffers(lane, lent);
            }
        }
    }

    fn send_buffers(&mut self, lane: &mut Lane, lent: &mut Lent<'_>) {
        match &mut self.mux {
            Mux::Raw => raw::send(self, lane, lent),
            Mux::H1(_) => h1::send(self, lane, lent),
        }
        self.flush(lent.pool, lent.now);
    }
}
