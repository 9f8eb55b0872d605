//! Lines of one worker that wait for the end of its turn.

use std::os::fd::OwnedFd;

use super::ring::Ring;
use crate::sys::datagram::{self, BATCH_MAX};
use crate::sys::{RawAddr, io};

/// What a pipe takes in one piece (PIPE_BUF).
pub const PIPE_BYTES_MAX: usize = 4096;

/// Lines for one outlet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Where each line ends.
    pub(super) ends: Vec<usize>,
}

impl Batch {
    /// The lines with their ends.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }

    /// Sends each line as a message; tells how many were not taken.
    pub(super) fn send_to(&self, fd: &OwnedFd, to: &RawAddr) -> usize {
        let lines: Vec<&[u8]> = self.lines().collect();
        let mut sent = 0;
        while sent < lines.len() {
            let some = &lines[sent..lines.len().min(sent + BATCH_MAX)];
            match datagram::send_many(fd, some, Some(to)) {
                Ok(count) if count > 0 => sent += count,
                _ => return lines.len() - sent,
            }
        }
        0
    }

    /// Writes whole lines in pieces that a pipe takes at once; tells how many were not taken.
    pub(super) fn write_to(&self, fd: &OwnedFd) -> usize {
        let mut start = 0;
        let mut at = 0;
        while at < self.ends.len() {
            let fits = |end: &&usize| **end - start <= PIPE_BYTES_MAX;
            let count = self.ends[at..].iter().take_while(fits).count().max(1);
            let end = self.ends[at + count - 1];
            match io::write(fd, &self.bytes[start..end]) {
                Ok(written) if written == end - start => {}
                _ => return self.ends.len() - at,
            }
            start = end;
            at += count;
        }
        0
    }

    /// Pushes each line into a ring; tells how many were not taken.
    pub(super) fn push_to(&self, ring: &Ring) -> usize {
        self.lines().filter(|line| !ring.push(line)).count()
    }
}
