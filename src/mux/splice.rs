//! Bytes that pass through a pipe of the kernel instead of the program.
//!
//! A connection whose next bytes are nothing but body moves them from its socket into the lane's pipe; the connection behind the
//! lane moves them on. Framing stays with the muxes: the receiving one takes note of what went by, the sending one puts
//! chunk heads around it. Data in buffers always leaves before data in the pipe, and while the pipe holds something
//! nothing else enters the lane, so the order of bytes is kept.

use std::io;

use super::{Conn, Lane, Lent, Mux, Received, h1};

/// Bytes that must be left of a body for a pipe to pay.
const WORTH_MIN: u64 = 4096;
/// The same where nobody asked for splicing outright (`option splice-auto`).
const WORTH_MIN_AUTO: u64 = 64 * 1024;

/// How much a proxy wants of splicing in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eager {
    /// Nothing.
    #[default]
    Never,
    /// Large bodies, and streams that fill their buffers.
    Auto,
    /// Whatever can be.
    Always,
}

/// What a spliced receive came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spliced {
    /// It is not worth it or not possible at this point: read as usual.
    No,
    /// So many bytes are in the pipe.
    Moved(usize),
    /// As in an ordinary receive.
    Else(Received),
}

impl Conn {
    /// Moves what comes next into the pipe of `lane`.
    pub fn receive_spliced(
        &mut self,
        lane: &mut Lane,
        eager: Eager,
        lent: &mut Lent<'_>,
    ) -> Spliced {
        if eager == Eager::Never || !lane.is_clear() || !self.may_splice_in() {
            return Spliced::No;
        }
        let left = self.left_unframed();
        let worth = match eager {
            Eager::Never => false,
            Eager::Always => left >= WORTH_MIN,
            // A body of unknown length shows its rate by filling the buffers it is read into.
            Eager::Auto if left == u64::MAX => self.bulk,
            Eager::Auto => left >= WORTH_MIN_AUTO,
        };
        if !worth || !lane.takes_pipe(lent.pipes) {
            return Spliced::No;
        }
        match lane.fill_pipe(&self.wire, left) {
            Ok(0) => {
                self.shut.read = true;
                Spliced::Else(self.after_end(lane))
            }
            Ok(count) => {
                self.bytes_in += count as u64;
                self.last_active = lent.now;
                self.note_passed(count as u64, lane);
                Spliced::Moved(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready.readable = false;
                Spliced::Else(Received::Blocked)
            }
            Err(_) => {
                self.shut.failed = true;
                lane.abort();
                Spliced::Else(Received::Closed)
            }
        }
    }

    fn may_splice_in(&self) -> bool {
        let quiet = self.input.is_none() && self.ready.readable;
        quiet && self.wire.is_plain() && !self.shut.read && !self.shut.failed
    }

    /// Whether what it is given may come in a pipe.
    pub fn may_splice_out(&self) -> bool {
        let takes = match &self.mux {
            Mux::Raw => true,
            Mux::H1(h1) => h1.sends_body(),
        };
        takes && self.wire.is_plain() && !self.shut.failed
    }

    /// How many bytes come that are nothing but body; `u64::MAX` for all there will ever be.
    fn left_unframed(&self) -> u64 {
        match &self.mux {
            Mux::Raw => u64::MAX,
            Mux::H1(h1) => h1.left_unframed(),
        }
    }

    fn note_passed(&mut self, count: u64, lane: &mut Lane) {
        if let Mux::H1(h1) = &mut self.mux {
            h1.note_passed(count, lane);
        }
    }

    fn after_end(&mut self, lane: &mut Lane) -> Received {
        match &self.mux {
            Mux::Raw => {
                lane.complete(None);
                Received::Full
            }
            Mux::H1(_) => h1::ended(self, lane),
        }
    }

    /// Moves the lane's pipe on, behind what waits in buffers.
    pub(super) fn send_spliced(&mut self, lane: &mut Lane, lent: &mut Lent<'_>) {
        let (sends, chunks) = match &self.mux {
            Mux::Raw => (true, false),
            Mux::H1(h1) => (h1.sends_body(), h1.sends_chunks()),
        };
        if !sends {
            lane.drop_pipe();
            return;
        }
        if chunks && let Some(len) = lane.pipe_to_announce() {
            h1::push_chunk_head(&mut self.output, len, lent);
            self.flush(lent.pool, lent.now);
        }
        while self.output.is_empty() && self.ready.writable && lane.piped() > 0 {
            match lane.drain_pipe(&self.wire) {
                Ok(count) => {
                    self.bytes_out += count as u64;
                    self.last_active = lent.now;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready.writable = false;
                }
                Err(_) => {
                    self.shut.failed = true;
                    lane.drop_pipe();
                    return;
                }
            }
        }
        if chunks && lane.piped() == 0 {
            self.output
                .write_with(lent.pool, 2, |tail| tail.extend_from_slice(b"\r\n"));
        }
    }
}
