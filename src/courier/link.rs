//! One connection of the courier: bytes between a wire and a conversation.

use std::io::{ErrorKind, IoSlice};

use mio::event::Event;

use super::{Around, Outcome, Said, Talk};
use crate::time::{Millis, Tick};
use crate::wire::Wire;

/// Bytes read at once.
const READ: usize = 16 * 1024;
/// Reads of one turn.
const READS_MAX: usize = 8;
/// Bytes that a conversation may leave unread.
const INPUT_MAX: usize = 128 * 1024;
/// How long connecting may take.
const CONNECT_TIME: Millis = Millis::seconds(5);

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) wire: Wire,
    pub(super) talk: Box<dyn Talk>,
    /// The post that it was dialed for.
    pub(super) post: Option<usize>,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
    connected: bool,
    connect_until: Tick,
    /// Whether the wire may have something to read, or room to write, that was not tried yet.
    readable: bool,
    writable: bool,
    ended: bool,
    over: bool,
}

/// What became of a link in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits.
    Waits,
    /// It has more to do at once.
    Again,
    /// It is over.
    Over,
}

impl Link {
    /// A link that connects, or whose peer has connected.
    pub(super) fn new(wire: Wire, talk: Box<dyn Talk>, post: Option<usize>, now: Tick) -> Link {
        let dialed = post.is_some();
        Link {
            wire,
            talk,
            post,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            connected: !dialed,
            connect_until: if dialed {
                now + CONNECT_TIME
            } else {
                Tick::NEVER
            },
            readable: !dialed,
            writable: !dialed,
            ended: false,
            over: false,
        }
    }

    /// Something happened to its wire.
    pub(super) fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_error();
    }

    /// When it wants a turn at the latest.
    pub(super) fn deadline(&self) -> Tick {
        if self.connected {
            self.talk.deadline()
        } else {
            self.connect_until
        }
    }

    /// Whether all that was said is sent.
    pub(super) fn is_written(&self) -> bool {
        self.sent >= self.output.len()
    }

    /// Moves what can be moved.
    pub(super) fn turn(&mut self, around: Around<'_>) -> Turn {
        if !self.connected {
            if self.connect_until.has_come(around.now) {
                return Turn::Over;
            }
            if !self.writable {
                return Turn::Waits;
            }
            if self.wire.connected().is_err() {
                return Turn::Over;
            }
            self.connected = true;
            self.readable = true;
        }
        let Some(more) = self.read() else {
            return Turn::Over;
        };
        if !self.over {
            let said = Said {
                input: &mut self.input,
                output: &mut self.output,
                ended: self.ended,
            };
            self.over = self.talk.advance(said, around) == Outcome::Over;
        }
        if !self.write() {
            return Turn::Over;
        }
        let finished = self.over && self.output.is_empty();
        match (finished || self.ended && self.input.is_empty(), more) {
            (true, _) => Turn::Over,
            (false, true) => Turn::Again,
            (false, false) => Turn::Waits,
        }
    }

    /// Reads; whether there may be more at once; none: the connection failed.
    fn read(&mut self) -> Option<bool> {
        for _ in 0..READS_MAX {
            if !(self.readable || self.wire.has_more()) || self.ended {
                return Some(false);
            }
            if self.input.len() >= INPUT_MAX {
                return Some(true);
            }
            self.input.reserve(READ);
            match self.wire.read(&mut self.input) {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(_) => return None,
            }
        }
        Some(true)
    }

    fn write(&mut self) -> bool {
        while self.sent < self.output.len() {
            match self.wire.write(&[IoSlice::new(&self.output[self.sent..])]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.writable = false;
                    return true;
                }
                Err(_) => return false,
            }
        }
        self.output.clear();
        self.sent = 0;
        true
    }
}
