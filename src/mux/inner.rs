//! Inner endpoints: what answers in place of a server.
//!
//! The stats socket, the statistics page and services take the request lane's parts and produce the response lane's. They are polled
//! by the stream that they serve, keep their own place in what they have to say, and stop at [`Lane::room`].

use std::fmt;

use super::{Lane, Lent};

/// Whether an inner endpoint has more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The lane is full; call again when it has room.
    More,
    /// The endpoint waits for its client.
    Listening,
    /// The endpoint waits for somebody else; call again in a little while.
    Later,
    /// The response is complete.
    Done,
    /// The connection itself is wanted: it leaves the engine.
    Surrender,
}

/// Takes a request's parts, makes a response's.
pub trait Inner: Send {
    /// Goes on as far as both lanes allow.
    fn step(&mut self, request: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said;
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}
