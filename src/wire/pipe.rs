//! Pipes: where bytes wait that the kernel moves from one socket to another without showing them to the program.
//!
//! A [`Pipe`] belongs to a lane while something of its message is in it, and to a worker's [`Pipes`] otherwise. All workers
//! count in one [`PipeCount`], so that `maxpipes` holds for the process. A pipe that still holds bytes is never lent again.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Wire;
use crate::site::PipeCount;
use crate::sys::splice;

/// Unused pipes that a worker keeps.
const KEPT_MAX: usize = 64;

/// What one call moves at most; the pipe's own size is less, unless it was tuned.
const MOVE_MAX: usize = 1 << 20;

/// Two descriptors and what is between them.
#[derive(Debug)]
pub struct Pipe {
    outlet: OwnedFd,
    inlet: OwnedFd,
    held: usize,
    lent: bool,
    count: Arc<PipeCount>,
}

impl Pipe {
    /// How many bytes are in it.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes up to `limit` bytes from `wire`; zero is the end of the stream. The pipe must be empty, so that a would-block
    /// speaks of the wire.
    pub fn fill(&mut self, wire: &Wire, limit: u64) -> io::Result<usize> {
        debug_assert_eq!(self.held, 0, "only an empty pipe is filled");
        let fd = wire.fd().ok_or(io::ErrorKind::Unsupported)?;
        let most = usize::try_from(limit).unwrap_or(MOVE_MAX).min(MOVE_MAX);
        self.held = splice::splice(fd, &self.inlet, most, false)?;
        Ok(self.held)
    }

    /// Gives `wire` what it takes.
    pub fn drain(&mut self, wire: &Wire) -> io::Result<usize> {
        let fd = wire.fd().ok_or(io::ErrorKind::Unsupported)?;
        let count = splice::splice(&self.outlet, fd, self.held, false)?;
        self.held -= count.min(self.held);
        Ok(count)
    }
}

impl Pipe {
    fn give_up(&mut self) {
        if std::mem::replace(&mut self.lent, false) {
            self.count.used.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.count.open.fetch_sub(1, Relaxed);
        self.give_up();
    }
}

/// A worker's pipes.
#[derive(Debug)]
pub struct Pipes {
    spare: Vec<Pipe>,
    count: Arc<PipeCount>,
    /// Pipes of the process at most.
    limit: usize,
    /// Bytes to ask of the kernel for each; zero leaves it the choice.
    size: usize,
}

impl Pipes {
    /// No pipes yet, and at most `limit` in the process, of `size` bytes each (zero: as the kernel likes).
    pub fn new(count: Arc<PipeCount>, limit: usize, size: usize) -> Self {
        Self {
            spare: Vec::new(),
            count,
            limit,
            size,
        }
    }

    /// An empty pipe, unless all are in use or the system has none.
    pub fn take(&mut self) -> Option<Pipe> {
        let mut pipe = self.spare.pop().or_else(|| self.open())?;
        pipe.lent = true;
        self.count.used.fetch_add(1, Relaxed);
        Some(pipe)
    }

    fn open(&self) -> Option<Pipe> {
        if !try_count(&self.count.open, self.limit) {
            return None;
        }
        let Ok((outlet, inlet)) = splice::pipe() else {
            self.count.open.fetch_sub(1, Relaxed);
            return None;
        };
        if self.size > 0 {
            // A size that the kernel refuses leaves the pipe as it is, which works as well.
            let _ = splice::set_capacity(&inlet, self.size);
        }
        Some(Pipe {
            outlet,
            inlet,
            held: 0,
            lent: false,
            count: Arc::clone(&self.count),
        })
    }

    /// Takes a pipe back; one that still holds bytes of somebody is closed.
    pub fn give_back(&mut self, mut pipe: Pipe) {
        pipe.give_up();
        if pipe.held == 0 && self.spare.len() < KEPT_MAX {
            self.spare.push(pipe);
        }
    }

    /// Closes the unused ones.
    pub fn shrink(&mut self) {
        self.spare = Vec::new();
    }
}

fn try_count(count: &AtomicUsize, limit: usize) -> bool {
    count
        .fetch_update(Relaxed, Relaxed, |now| (now < limit).then_some(now + 1))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::io::{recv, send};
    use crate::sys::socket::{Kind, pair};
    use crate::wire::Socket;

    #[test]
    fn a_pipe_carries_bytes_and_is_lent_again() {
        let count = Arc::<PipeCount>::default();
        let mut pipes = Pipes::new(Arc::clone(&count), 1, 0);
        let (client, front) = pair(Kind::Stream).expect("a pair");
        let (back, server) = pair(Kind::Stream).expect("a pair");
        let (front, back) = (
            Wire::Socket(Socket::new(front)),
            Wire::Socket(Socket::new(back)),
        );
        let mut pipe = pipes.take().expect("the first pipe");
        assert!(pipes.take().is_none(), "one is the limit");
        send(&client, b"through", false).expect("room");
        assert_eq!(pipe.fill(&front, 4).ok(), Some(4));
        assert_eq!(pipe.drain(&back).ok(), Some(4));
        assert_eq!((pipe.held(), count.used.load(Relaxed)), (0, 1));
        let mut seen = Vec::with_capacity(16);
        recv(&server, &mut seen).expect("bytes");
        assert_eq!(seen, b"thro");
        pipes.give_back(pipe);
        assert_eq!(count.used.load(Relaxed), 0);
        let mut pipe = pipes.take().expect("the same pipe");
        assert_eq!(pipe.fill(&front, 100).ok(), Some(3));
        pipes.give_back(pipe);
        assert_eq!(count.open.load(Relaxed), 0, "a full pipe is closed");
    }
}
