//! TLS over another carrier: plain text to the engine, records to the peer.
//!
//! Reading drives the handshake, and so does [`Tls::handshake`] for who must wait for it. A write that was sealed and did not wholly leave
//! is a would-block: the engine comes back with the same bytes, which then count as written once their records have left. So the engine
//! never believes bytes gone that are still here, and needs to know nothing of records.
//!
//! Always true: buffers exist only while there is something in them; a close_notify goes before the end of our side.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

use super::{Wire, spare};
use crate::tls::{Acceptor, Buffers, Opened, Progress, Session};

/// Plain text sealed in one write.
const SEAL_MAX: usize = 64 * 1024;

/// Bytes read at once while little comes.
const READ_SMALL: usize = 4 * 1024;

/// Bytes read at once while reads are filled.
const READ_LARGE: usize = 48 * 1024;

/// What encryption adds to the plain text of one write, and what may be sent with it.
const SEAL_SPARE: usize = 2 * 1024;

/// Bytes of unfinished messages that are kept: more than the longest handshake message.
const INPUT_MAX: usize = 96 * 1024;

/// A carrier with TLS on it.
#[derive(Debug)]
pub struct Tls {
    carrier: Wire,
    phase: Phase,
    /// Records received, from `start` on.
    input: Vec<u8>,
    start: usize,
    /// Plain text that found no room.
    spill: Vec<u8>,
    /// Records to send, from `sent` on.
    output: Vec<u8>,
    sent: usize,
    /// Plain text whose records are in `output` and that the engine was not yet told is written.
    sealed: usize,
    /// Our end was said.
    closed: bool,
    flow: Flow,
}

#[derive(Debug)]
enum Phase {
    /// Something in the clear comes first.
    Clear,
    /// Records.
    Secured(Box<Session>),
}

/// What is known of the carrier and of what was read.
#[derive(Debug, Default)]
struct Flow {
    /// The last read of the carrier took all there was.
    drained: bool,
    /// Whole records may be left in `input`.
    unopened: bool,
    /// The last read filled its buffer.
    bulk: bool,
    /// The carrier's end was read.
    ended: bool,
}

impl Tls {
    /// A carrier on which records begin at once.
    pub fn new(carrier: Wire, session: Session) -> Self {
        Self::with(carrier, Phase::Secured(Box::new(session)))
    }

    /// A carrier that begins in the clear, until [`Tls::begin`].
    pub fn later(carrier: Wire) -> Self {
        Self::with(carrier, Phase::Clear)
    }

    fn with(carrier: Wire, phase: Phase) -> Self {
        Self {
            carrier,
            phase,
            input: Vec::new(),
            start: 0,
            spill: Vec::new(),
            output: Vec::new(),
            sent: 0,
            sealed: 0,
            closed: false,
            flow: Flow::default(),
        }
    }

    /// Records begin later than was thought, at [`Tls::begin`]; nothing was read yet.
    pub fn put_off(&mut self) {
        self.phase = Phase::Clear;
    }

    /// Records begin, of which `received` was read already.
    pub fn begin(&mut self, acceptor: Arc<Acceptor>, received: &[u8]) {
        self.phase = Phase::Secured(Box::new(Session::accept(acceptor)));
        self.input.extend_from_slice(received);
    }

    /// Puts bytes in the clear before everything else.
    pub fn preface(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// The carrier below.
    pub fn carrier(&self) -> &Wire {
        &self.carrier
    }

    pub(super) fn carrier_mut(&mut self) -> &mut Wire {
        &mut self.carrier
    }

    /// What the handshake settled, or failed by. `now` is in seconds since the epoch.
    pub fn opened(&self, now: i64) -> Option<Opened> {
        match &self.phase {
            Phase::Clear => None,
            Phase::Secured(session) => Some(session.opened(now)),
        }
    }

    /// Goes on with the handshake; true once it is done.
    ///
    /// # Errors
    /// It failed, or the peer left.
    pub fn handshake(&mut self) -> io::Result<bool> {
        loop {
            let progress = self.open(None, 1)?;
            self.flush()?;
            let Phase::Secured(session) = &self.phase else {
                return Ok(true);
            };
            if !session.is_handshaking() {
                return Ok(self.output.is_empty());
            }
            if progress == Progress::Ended {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            match self.pull() {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a read may find something though the last one was short.
    pub fn has_more(&self) -> bool {
        match self.phase {
            Phase::Clear => false,
            Phase::Secured(_) => !self.spill.is_empty() || self.flow.unopened || !self.flow.drained,
        }
    }

    /// Reads plain text into the spare capacity of `into`; zero is the end.
    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        if matches!(self.phase, Phase::Clear) {
            return self.carrier.read(into);
        }
        let before = into.len();
        let room = into.capacity() - before;
        loop {
            if !self.spill.is_empty() {
                let count = room.min(self.spill.len());
                into.extend_from_slice(&self.spill[..count]);
                self.spill.drain(..count);
                if self.spill.is_empty() {
                    spare::give(&mut self.spill);
                }
                return Ok(count);
            }
            let progress = self.open(Some(into), room)?;
            // What cannot leave here leaves with the next write; a broken carrier shows at the next read.
            let _ = self.flush();
            if into.len() > before {
                return Ok(into.len() - before);
            }
            if !self.spill.is_empty() {
                continue;
            }
            if progress == Progress::Ended || self.flow.ended {
                return Ok(0);
            }
            self.pull()?;
        }
    }

    /// Opens records, straight into `into` where a whole record has room there.
    fn open(&mut self, into: Option<&mut Vec<u8>>, limit: usize) -> io::Result<Progress> {
        let Phase::Secured(session) = &mut self.phase else {
            return Ok(Progress::More);
        };
        let received = self.input.len() - self.start;
        // Straight into the engine's buffer while one more record fits whole: plain text is never longer than its records.
        let (plain, limit) = match into {
            Some(into) if received <= limit => (into, usize::MAX),
            Some(into) if limit > RECORD_MAX => {
                let limit = into.len() + limit - RECORD_MAX;
                (into, limit)
            }
            Some(_) | None => (&mut self.spill, 1),
        };
        let mut io = Buffers {
            input: &mut self.input[self.start..],
            used: 0,
            plain,
            wire: &mut self.output,
        };
        let progress = session.open(&mut io, limit);
        let used = io.used;
        self.forget(used);
        self.flow.unopened = progress == Progress::Full && !self.input.is_empty();
        if progress == Progress::Failed {
            // The alert is a courtesy: the connection ends whether it leaves or not.
            let _ = self.flush();
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(progress)
    }

    /// Forgets records that were opened.
    fn forget(&mut self, used: usize) {
        self.start += used;
        if self.start == self.input.len() {
            spare::give(&mut self.input);
            self.start = 0;
        }
    }

    /// Reads records from the carrier.
    fn pull(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        if self.input.len() >= INPUT_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        let room = match self.flow.bulk {
            true => READ_LARGE,
            false => READ_SMALL,
        };
        spare::grow(&mut self.input, room);
        let room = self.input.capacity() - self.input.len();
        let outcome = self.carrier.read(&mut self.input);
        match &outcome {
            Ok(0) => self.flow.ended = true,
            Ok(count) => {
                self.flow.bulk = *count == room;
                self.flow.drained = *count < room;
            }
            Err(_) => self.flow.drained = true,
        }
        if self.input.is_empty() {
            spare::give(&mut self.input);
        } else {
            spare::shrink(&mut self.input, &mut self.start);
        }
        outcome
    }

    /// Writes plain text; a count is told once the records of those bytes have left.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Phase::Secured(session) = &mut self.phase else {
            return self.carrier.write(slices);
        };
        if self.sealed == 0 {
            if session.is_handshaking() {
                self.flush()?;
                return Err(ErrorKind::WouldBlock.into());
            }
            if self.output.capacity() == 0 {
                let plain: usize = slices.iter().map(|slice| slice.len()).sum();
                self.output = spare::take(plain.min(SEAL_MAX) + SEAL_SPARE);
            }
            let mut io = Buffers {
                input: &mut self.input[self.start..],
                used: 0,
                plain: &mut self.spill,
                wire: &mut self.output,
            };
            let sealed = session.seal(slices, SEAL_MAX, &mut io);
            let used = io.used;
            self.forget(used);
            self.sealed = sealed.map_err(|_failed| io::Error::from(ErrorKind::BrokenPipe))?;
        }
        self.flush()?;
        if !self.output.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(std::mem::take(&mut self.sealed))
    }

    /// Sends records as far as the carrier takes them.
    fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.output.len() {
            match self
                .carrier
                .write(&[IoSlice::new(&self.output[self.sent..])])
            {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    spare::shrink(&mut self.output, &mut self.sent);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        spare::give(&mut self.output);
        self.sent = 0;
        Ok(())
    }

    /// Says the end of our side, then ends the carrier's.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        self.say_end()?;
        self.carrier.shutdown()
    }

    fn say_end(&mut self) -> io::Result<()> {
        let Phase::Secured(session) = &mut self.phase else {
            return Ok(());
        };
        if self.closed || session.is_handshaking() {
            return Ok(());
        }
        self.closed = true;
        let mut io = Buffers {
            input: &mut self.input[self.start..],
            used: 0,
            plain: &mut self.spill,
            wire: &mut self.output,
        };
        // A session that cannot say its end any more ends by the carrier alone.
        let _ = session.close(&mut io);
        let used = io.used;
        self.forget(used);
        self.flush()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        // An idle connection that is let go still tells its peer that nothing was cut off.
        if self.output.is_empty() {
            let _ = self.say_end();
        }
        for buffer in [&mut self.input, &mut self.spill, &mut self.output] {
            spare::give(buffer);
        }
    }
}

/// Plain text of one record at most.
const RECORD_MAX: usize = 16 * 1024;
