//! Scripted ends for tests and rehearsals: no descriptor, no clock, every fault on demand.
//!
//! The engine holds a [`Memory`]; whoever plays the peer holds the [`Script`] beside it. Bytes wait in between until the other
//! side takes them. The script can cut what is delivered into pieces, refuse to take more than so many bytes at once, end the stream or
//! reset it at any byte.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The engine's end.
#[derive(Debug)]
pub struct Memory {
    shared: Arc<Mutex<Shared>>,
    turn: RefCell<Turn>,
}

/// The peer's end.
#[derive(Clone, Debug)]
pub struct Script {
    shared: Arc<Mutex<Shared>>,
}

/// Every other call of a cut wire finds nothing, so that each piece is seen alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Give,
    Refuse,
}

#[derive(Debug, Default)]
struct Shared {
    to_engine: VecDeque<u8>,
    from_engine: Vec<u8>,
    /// Most bytes a single read delivers; zero means no cut.
    piece: usize,
    /// Bytes the engine may still write before the wire takes no more.
    window: Option<usize>,
    /// Bytes the engine may still read before the wire is reset.
    reset_after: Option<usize>,
    /// Whether the engine's next read panics.
    trapped: bool,
    ended: bool,
    refused: bool,
    engine_shut: bool,
    engine_reset: bool,
    engine_gone: bool,
    /// Calls that changed something.
    activity: u64,
}

impl Memory {
    /// The peer's end.
    pub fn script(&self) -> Script {
        Script {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Two ends of one stream.
    pub fn pair() -> (Self, Script) {
        let shared = Arc::new(Mutex::new(Shared::default()));
        (
            Self {
                shared: Arc::clone(&shared),
                turn: RefCell::new(Turn::Give),
            },
            Script { shared },
        )
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!shared.trapped, "a trap");
        if shared.reset_after == Some(0) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let mut turn = self.turn.borrow_mut();
        if shared.piece > 0 && *turn == Turn::Refuse && !shared.to_engine.is_empty() {
            *turn = Turn::Give;
            shared.activity += 1;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        *turn = Turn::Refuse;
        let room = into.capacity() - into.len();
        let piece = if shared.piece == 0 {
            usize::MAX
        } else {
            shared.piece
        };
        let count = shared
            .to_engine
            .len()
            .min(room)
            .min(piece)
            .min(shared.reset_after.unwrap_or(usize::MAX));
        if count == 0 {
            return if shared.ended {
                Ok(0)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
        }
        shared.activity += 1;
        into.extend(shared.to_engine.drain(..count));
        if let Some(left) = &mut shared.reset_after {
            *left -= count;
        }
        Ok(count)
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut shared = self.shared();
        if shared.reset_after == Some(0) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut written = 0;
        for slice in slices {
            let count = slice.len().min(shared.window.unwrap_or(usize::MAX));
            shared.from_engine.extend_from_slice(&slice[..count]);
            if let Some(window) = &mut shared.window {
                *window -= count;
            }
            written += count;
        }
        if written == 0 && slices.iter().any(|slice| !slice.is_empty()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        shared.activity += 1;
        Ok(written)
    }

    pub(super) fn shutdown(&mut self) {
        let mut shared = self.shared();
        shared.activity += 1;
        shared.engine_shut = true;
    }

    pub(super) fn connected(&mut self) -> io::Result<()> {
        if self.shared().refused {
            Err(io::ErrorKind::ConnectionRefused.into())
        } else {
            Ok(())
        }
    }

    pub(super) fn reset(&mut self) {
        self.shared().engine_reset = true;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut shared = self.shared();
        shared.activity += 1;
        shared.engine_gone = true;
    }
}

impl Script {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `bytes` to the engine.
    pub fn send(&self, bytes: &[u8]) {
        self.shared().to_engine.extend(bytes);
    }

    /// Ends the stream after what was sent.
    pub fn end(&self) {
        self.shared().ended = true;
    }

    /// Whether it plays the same peer.
    #[cfg(test)]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Delivers at most `bytes` a read, with a would-block between two.
    pub fn cut(&self, bytes: usize) {
        self.shared().piece = bytes;
    }

    /// Takes only `bytes` more from the engine.
    pub fn window(&self, bytes: usize) {
        self.shared().window = Some(bytes);
    }

    /// Resets the wire once the engine has read `bytes`.
    pub fn reset_after(&self, bytes: usize) {
        self.shared().reset_after = Some(bytes);
    }

    /// Has the engine's next read panic, as a mistake of its own would that the bytes have found.
    pub fn trap(&self) {
        self.shared().trapped = true;
    }

    /// Refuses the connection.
    pub fn refuse(&self) {
        self.shared().refused = true;
    }

    /// Takes what the engine has written since the last call.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.shared().from_engine)
    }

    /// How often anything happened on this wire.
    pub fn activity(&self) -> u64 {
        self.shared().activity
    }

    /// Whether the stream's end waits for the engine behind the last byte.
    pub fn is_ending(&self) -> bool {
        let shared = self.shared();
        shared.ended && shared.to_engine.is_empty()
    }

    /// Whether bytes wait for the engine.
    pub fn is_pending(&self) -> bool {
        let shared = self.shared();
        !shared.engine_gone && (!shared.to_engine.is_empty() || shared.reset_after == Some(0))
    }

    /// Whether the engine has shut its side, reset the wire or let it go.
    pub fn is_ended(&self) -> bool {
        let shared = self.shared();
        shared.engine_shut || shared.engine_gone || shared.engine_reset
    }

    /// Whether the engine has let the wire go.
    pub fn is_gone(&self) -> bool {
        self.shared().engine_gone
    }

    /// Whether the engine closed the wire by a reset.
    pub fn was_reset(&self) -> bool {
        self.shared().engine_reset
    }
}
