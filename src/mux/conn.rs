//! A connection: a wire, what it has read and not yet understood, and what it still has to write.
//!
//! Readiness is remembered here, as an edge-triggered poll demands: set by an event, cleared by a would-block or by a read that the
//! wire filled only in part. A connection without pending bytes holds no buffer.

use std::io;

use super::Mux;
use crate::buf::{Buf, Need, Output, Pool};
use crate::time::Tick;
use crate::wire::Wire;

/// Bytes of room that a read asks for at least.
const READ_MIN: usize = 1024;

/// Small reads after a large one that still take a large buffer: the end of that message, and the next one's beginning.
const HUNGER: u8 = 2;

/// Bytes of a message that is small beside the processor's caches, together with those of a whole turn of the poll.
const BRIEF_MAX: usize = 4 * 1024;

/// Bytes that wait in a connection before the lane behind it is no longer emptied.
pub(super) const OUTPUT_MAX: usize = 64 * 1024;

/// One end of the proxy.
#[derive(Debug)]
pub struct Conn {
    /// The carrier.
    pub wire: Wire,
    /// What makes parts of the bytes.
    pub mux: Mux,
    /// Bytes read and not yet understood.
    pub input: Option<Buf>,
    /// Bytes to write.
    pub output: Output,
    /// What the poll said and no call has contradicted yet.
    pub ready: Ready,
    /// Whether the poll tells of it.
    pub polled: bool,
    /// What cannot go on.
    pub shut: Shut,
    /// Whether the last read filled its buffer.
    pub bulk: bool,
    /// For how many more small reads the larger buffers are taken. A message a little larger than an ordinary buffer
    /// comes, and leaves, in one call then, and the short end of it does not make forget that the next one is like it.
    hunger: u8,
    /// Whether the last read brought little.
    brief: bool,
    /// What its reads are for.
    pub need: Need,
    /// When bytes last came or went.
    pub last_active: Tick,
    /// Bytes read in all.
    pub bytes_in: u64,
    /// Bytes written in all.
    pub bytes_out: u64,
}

/// Remembered readiness.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ready {
    /// A read may find bytes.
    pub readable: bool,
    /// A write may find room.
    pub writable: bool,
    /// The peer has ended its side: a short read is not the last one.
    pub hangup: bool,
    /// The connection failed, whatever may still be read.
    pub failed: bool,
}

impl std::ops::BitOrAssign for Ready {
    fn bitor_assign(&mut self, said: Self) {
        self.readable |= said.readable;
        self.writable |= said.writable;
        self.hangup |= said.hangup;
        self.failed |= said.failed;
    }
}

/// What is over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shut {
    /// The peer sent its end, and it was read.
    pub read: bool,
    /// Our end was sent.
    pub write: bool,
    /// The wire failed: reset, unreachable, broken.
    pub failed: bool,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Bytes.
    Got,
    /// Nothing at this moment.
    Blocked,
    /// The end of the stream.
    Ended,
    /// The wire failed.
    Failed,
    /// No buffer was to be had.
    Starved,
}

impl Conn {
    /// A connection that has neither read nor written.
    pub fn new(wire: Wire, mux: Mux, now: Tick) -> Self {
        Self {
            wire,
            mux,
            input: None,
            output: Output::default(),
            ready: Ready::default(),
            polled: false,
            shut: Shut::default(),
            bulk: false,
            hunger: 0,
            brief: true,
            need: Need::Beginning,
            last_active: now,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// The outcome of a connection attempt once the wire is writable.
    ///
    /// # Errors
    /// Why it failed.
    pub fn connected(&mut self) -> io::Result<()> {
        // What is writable and was neither refused nor closed stands; asking would cost a system call.
        if matches!(self.wire, Wire::Socket(_)) && !self.ready.hangup {
            return Ok(());
        }
        self.wire.connected()
    }

    /// The bytes that wait to be understood.
    pub fn pending(&self) -> &[u8] {
        self.input.as_deref().unwrap_or_default()
    }

    /// Reads once, behind what is pending.
    pub fn fill(&mut self, pool: &mut Pool, now: Tick) -> Fill {
        if self.shut.failed {
            return Fill::Failed;
        }
        if self.shut.read {
            return Fill::Ended;
        }
        if !self.ready.readable {
            return Fill::Blocked;
        }
        if self.input.is_none() {
            self.input = if self.hunger > 0 {
                pool.take_bulk(self.need)
            } else {
                pool.take(self.need)
            };
        }
        let Some(input) = self.input.as_mut() else {
            return Fill::Starved;
        };
        input.make_room(READ_MIN);
        let room = input.room();
        if room == 0 {
            return Fill::Blocked;
        }
        let outcome = self.wire.read(input.tail());
        if let Ok(count @ 1..) = outcome {
            self.bytes_in += count as u64;
            self.last_active = now;
            let large = count >= pool.buffer_size();
            self.bulk = large && count == room;
            self.brief = count <= BRIEF_MAX;
            self.hunger = if large {
                HUNGER
            } else {
                self.hunger.saturating_sub(1)
            };
            self.ready.readable = count == room || self.ready.hangup || self.wire.has_more();
            return Fill::Got;
        }
        let fill = self.note_end(outcome.err());
        self.release_input(pool);
        fill
    }

    /// Reads the beginning of an answer as soon as the poll says that it is there. Reads of many connections in a row, and then their
    /// writes in a row, cost the kernel less than the two by turns. Where large messages come it is the other way round: what many
    /// of them bring together would have left the processor's caches before it is written.
    pub fn read_early(&mut self, pool: &mut Pool, now: Tick) {
        let awaits = matches!(&self.mux, Mux::H1(h1) if h1.awaits_head());
        if awaits && self.brief && self.hunger == 0 && self.input.is_none() && self.bytes_out > 0 {
            // Who runs the stream finds the bytes, or asks again and learns what went wrong.
            let _ = self.fill(pool, now);
        }
    }

    fn note_end(&mut self, error: Option<io::Error>) -> Fill {
        match error {
            None => {
                self.shut.read = true;
                Fill::Ended
            }
            Some(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready.readable = false;
                Fill::Blocked
            }
            Some(_) => {
                self.shut.failed = true;
                Fill::Failed
            }
        }
    }

    /// Forgets `count` pending bytes, and the buffer with the last of them.
    pub fn consume(&mut self, pool: &mut Pool, count: usize) {
        if let Some(input) = self.input.as_mut() {
            input.consume(count);
        }
        self.release_input(pool);
    }

    /// Takes the pending bytes away in their buffer, at most `limit` of them.
    pub fn take_pending(&mut self, pool: &mut Pool, limit: u64) -> Option<Buf> {
        let input = self.input.take()?;
        if input.is_empty() {
            pool.give_back(input);
            return None;
        }
        if input.len() as u64 <= limit {
            return Some(input);
        }
        let count = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut part = pool.take_reserve();
        part.tail().extend_from_slice(&input[..count]);
        self.input = Some(input);
        self.consume(pool, count);
        Some(part)
    }

    fn release_input(&mut self, pool: &mut Pool) {
        if self.input.as_ref().is_some_and(|input| input.is_empty())
            && let Some(empty) = self.input.take()
        {
            pool.give_back(empty);
        }
    }

    /// Whether more may be put into the output.
    pub fn has_room(&self) -> bool {
        self.output.len() < OUTPUT_MAX
    }

    /// Writes what waits, as far as the wire takes it.
    pub fn flush(&mut self, pool: &mut Pool, now: Tick) {
        while !self.output.is_empty() && self.ready.writable && !self.shut.failed {
            match self.output.gather(|slices| self.wire.write(slices)) {
                Ok(count) => {
                    self.bytes_out += count as u64;
                    self.last_active = now;
                    self.output.consume(pool, count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready.writable = false
                }
                Err(_) => self.shut.failed = true,
            }
        }
        // Writing in TLS may open what has come.
        self.ready.readable |= self.wire.has_more();
        if self.shut.failed {
            self.output.clear(pool);
        }
    }

    /// Sends our end once everything before it is written.
    pub fn shutdown_write(&mut self) {
        if !self.shut.write && self.output.is_empty() {
            self.shut.write = true;
            if self.wire.shutdown().is_err() {
                self.shut.failed = true;
            }
        }
    }

    /// Gives all buffers back, before the connection is let go.
    pub fn release(&mut self, pool: &mut Pool) {
        self.output.clear(pool);
        if let Some(input) = self.input.take() {
            pool.give_back(input);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mux::H1;
    use crate::proto::h1::{Manners, Role};
    use crate::site::Tune;
    use crate::wire::Memory;

    /// How many bytes each read brings of messages of these lengths, each read to its end.
    fn reads(messages: &[usize]) -> Vec<usize> {
        let mut pool = Pool::new(2048, 8, 8);
        let (memory, script) = Memory::pair();
        let mut conn = Conn::new(Wire::Memory(memory), Mux::Raw, Tick::default());
        let mut brought = Vec::new();
        for &len in messages {
            script.send(&vec![b'x'; len]);
            conn.ready.readable = true;
            let mut left = len;
            while left > 0 {
                assert_eq!(conn.fill(&mut pool, Tick::default()), Fill::Got);
                let count = conn.pending().len();
                conn.consume(&mut pool, count);
                brought.push(count);
                left -= count;
            }
        }
        assert_eq!(pool.lent(), 0);
        brought
    }

    #[test]
    fn messages_larger_than_a_buffer_come_in_one_read_from_the_second_on() {
        assert_eq!(reads(&[2100, 2100, 2100]), [2048, 52, 2100, 2100]);
    }

    #[test]
    fn what_may_be_large_is_not_read_early() {
        let mut pool = Pool::new(16_384, 8, 8);
        let (memory, script) = Memory::pair();
        let h1 = H1::new(Role::Back, &Tune::default(), Manners::default());
        let mut conn = Conn::new(Wire::Memory(memory), Mux::H1(h1), Tick::default());
        conn.bytes_out = 1;
        for (len, next_is_early) in [(100, true), (8_000, false), (100, true), (16_384, false)] {
            script.send(&vec![b'x'; len]);
            conn.ready.readable = true;
            conn.fill(&mut pool, Tick::default());
            conn.consume(&mut pool, len);
            script.send(b"y");
            conn.ready.readable = true;
            conn.read_early(&mut pool, Tick::default());
            assert_eq!(!conn.pending().is_empty(), next_is_early, "{len}");
            conn.fill(&mut pool, Tick::default());
            conn.consume(&mut pool, 1);
        }
    }

    #[test]
    fn small_messages_go_back_to_ordinary_buffers() {
        assert_eq!(reads(&[2100, 10, 10, 2100]), [2048, 52, 10, 10, 2048, 52]);
    }
}
