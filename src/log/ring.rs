//! Rings: lines kept in memory, the oldest making room for new ones.
//!
//! A `ring` section, or the ring that `log tcp@…` makes for itself. Workers push under a short lock;
//! readers (`show events`, the forwarder of a ring with servers) take what came after the place they
//! know. Nothing waits: a push that does not fit displaces, and a reader that was too slow is told
//! how many lines it missed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Release},
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::line::Syntax;
use crate::addr::SockAddr;

/// What is called when a line came.
type Bell = Box<dyn Fn() + Send + Sync>;

/// Lines in memory.
pub struct Ring {
    /// The ring's name.
    pub name: Arc<str>,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// How lines look, where the target does not say.
    pub(super) syntax: Option<Syntax>,
    /// How long a line may be.
    pub(super) line_max: usize,
    /// The syslog server of a ring that `log tcp@…` made for itself.
    pub server: Option<SockAddr>,
    size: usize,
    state: Mutex<State>,
    rung: AtomicBool,
    bell: OnceLock<Bell>,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
    /// The number of the first line kept.
    first: u64,
}

/// What a reader got.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The lines, oldest first, each with its line feed.
    pub lines: Vec<Arc<[u8]>>,
    /// Where to go on.
    pub next: u64,
    /// How many lines were displaced before the reader came.
    pub missed: u64,
}

/// The size of a ring without `size`.
pub const SIZE_DEFAULT: usize = 32 * 1024;

impl Ring {
    /// An empty ring of `size` bytes.
    #[must_use]
    pub fn new(name: Arc<str>, description: Option<Arc<str>>, size: usize) -> Ring {
        Ring {
            name,
            description,
            syntax: None,
            line_max: usize::MAX,
            server: None,
            size,
            state: Mutex::default(),
            rung: AtomicBool::new(false),
            bell: OnceLock::new(),
        }
    }

    /// The same ring with a form and a length of lines.
    #[must_use]
    pub fn shaped(self, syntax: Option<Syntax>, line_max: usize) -> Ring {
        Ring {
            syntax,
            line_max,
            ..self
        }
    }

    /// The same ring with a server that gets its lines.
    #[must_use]
    pub fn sent_to(self, server: SockAddr) -> Ring {
        Ring {
            server: Some(server),
            ..self
        }
    }

    /// Has `bell` called when a line comes after [`Ring::hear`]; the first one counts.
    pub fn ring_with(&self, bell: Box<dyn Fn() + Send + Sync>) {
        let _ = self.bell.set(bell);
    }

    /// Whoever listens for the bell looks from here on.
    pub fn hear(&self) {
        self.rung.store(false, Release);
    }

    /// How many bytes of lines it holds at most.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds a line; false when it is larger than the whole ring.
    pub fn push(&self, line: &[u8]) -> bool {
        if line.len() > self.size {
            return false;
        }
        let line: Arc<[u8]> = line.into();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes += line.len();
        state.lines.push_back(line);
        while state.bytes > self.size {
            let Some(oldest) = state.lines.pop_front() else {
                break;
            };
            state.bytes -= oldest.len();
            state.first += 1;
        }
        drop(state);
        if let Some(bell) = self.bell.get()
            && !self.rung.swap(true, AcqRel)
        {
            bell();
        }
        true
    }

    /// Up to `count` lines from number `from` on.
    #[must_use]
    pub fn read(&self, from: u64, count: usize) -> Batch {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = from.max(state.first);
        let skip = usize::try_from(start - state.first).unwrap_or(usize::MAX);
        let lines: Vec<_> = state.lines.iter().skip(skip).take(count).cloned().collect();
        Batch {
            next: start + lines.len() as u64,
            missed: start - from,
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_make_room() {
        let ring = Ring::new("r".into(), None, 10);
        for line in ["aaaa\n", "bbbb\n", "cccc\n"] {
            assert!(ring.push(line.as_bytes()));
        }
        assert!(!ring.push(b"longer than it all\n"));
        let batch = ring.read(0, 9);
        assert_eq!((batch.missed, batch.next, batch.lines.len()), (1, 3, 2));
        assert_eq!(&*batch.lines[0], b"bbbb\n");
        assert_eq!(
            ring.read(batch.next, 9),
            Batch {
                next: 3,
                ..Batch::default()
            }
        );
    }

    #[test]
    fn a_reader_goes_on_where_it_stopped() {
        let ring = Ring::new("r".into(), None, 100);
        ring.push(b"1\n");
        ring.push(b"2\n");
        let first = ring.read(0, 1);
        assert_eq!((first.lines.len(), first.next), (1, 1));
        assert_eq!(&*ring.read(first.next, 1).lines[0], b"2\n");
    }
}
