//! `Buf` and the `Pool` it comes from.

use std::ops::Deref;

/// Bytes of a connection: a vector with a start that moves as they are consumed.
#[derive(Debug, Default)]
pub struct Buf {
    bytes: Vec<u8>,
    start: usize,
    lent: bool,
}

impl Buf {
    /// Bytes that were not read from a peer, such as a prepared reply.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            start: 0,
            lent: false,
        }
    }

    /// Forgets the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.bytes.len());
    }

    /// Forgets all but the first `count` bytes.
    pub fn truncate(&mut self, count: usize) {
        self.bytes.truncate(self.start + count);
    }

    /// How many bytes can be appended without moving the others.
    pub fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// Moves the bytes to the front when the room behind them is less than `wanted`.
    pub fn make_room(&mut self, wanted: usize) {
        if self.start > 0 && self.room() < wanted {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// The vector, to append to; what lies before the start must stay.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Deref for Buf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// How many times larger than the others the buffers for bulk data are: one system call moves as much as four.
const BULK_FACTOR: usize = 4;

/// Unused buffers for bulk data that are kept.
const BULK_KEPT: usize = 16;

/// A worker's buffers (`tune.bufsize`), and a few larger ones for streams in full flow.
#[derive(Debug)]
pub struct Pool {
    free: Vec<Vec<u8>>,
    free_bulk: Vec<Vec<u8>>,
    size: usize,
    keep: usize,
    lent: usize,
    limit: usize,
}

impl Pool {
    /// A pool of buffers of `size` bytes that keeps at most `keep` unused ones and lends at most `limit` at once.
    pub fn new(size: usize, keep: usize, limit: usize) -> Self {
        Self {
            free: Vec::new(),
            free_bulk: Vec::new(),
            size,
            keep,
            lent: 0,
            limit,
        }
    }

    /// Bytes a buffer holds.
    pub fn buffer_size(&self) -> usize {
        self.size
    }

    /// An empty buffer, unless all are lent.
    pub fn take(&mut self) -> Option<Buf> {
        if self.lent >= self.limit {
            return None;
        }
        self.lent += 1;
        Some(Buf {
            bytes: self
                .free
                .pop()
                .unwrap_or_else(|| Vec::with_capacity(self.size)),
            start: 0,
            lent: true,
        })
    }

    /// An empty buffer of the larger kind, unless all are lent.
    pub fn take_bulk(&mut self) -> Option<Buf> {
        if self.lent >= self.limit {
            return None;
        }
        self.lent += 1;
        let bytes = self
            .free_bulk
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(self.size * BULK_FACTOR));
        Some(Buf {
            bytes,
            start: 0,
            lent: true,
        })
    }

    /// An empty buffer even past the limit: for what was already begun and must be finished.
    pub fn take_reserve(&mut self) -> Buf {
        self.lent += 1;
        Buf {
            bytes: self
                .free
                .pop()
                .unwrap_or_else(|| Vec::with_capacity(self.size)),
            start: 0,
            lent: true,
        }
    }

    /// Takes a buffer back.
    pub fn give_back(&mut self, buf: Buf) {
        if !buf.lent {
            return;
        }
        self.lent -= 1;
        let mut bytes = buf.bytes;
        bytes.clear();
        if bytes.capacity() == self.size && self.free.len() < self.keep {
            self.free.push(bytes);
        } else if bytes.capacity() == self.size * BULK_FACTOR && self.free_bulk.len() < BULK_KEPT {
            self.free_bulk.push(bytes);
        }
    }

    /// How many buffers are out.
    pub fn lent(&self) -> usize {
        self.lent
    }

    /// How many unused buffers are kept.
    pub fn kept(&self) -> usize {
        self.free.len()
    }

    /// Gives unused memory back to the system.
    pub fn shrink(&mut self) {
        self.free = Vec::new();
        self.free_bulk = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_lends_up_to_its_limit() {
        let mut pool = Pool::new(64, 1, 2);
        let (first, second) = (pool.take().unwrap(), pool.take().unwrap());
        assert!(pool.take().is_none());
        pool.give_back(first);
        pool.give_back(second);
        assert_eq!((pool.lent(), pool.kept()), (0, 1));
    }

    #[test]
    fn consumed_bytes_are_gone_and_room_comes_back() {
        let mut pool = Pool::new(8, 1, 1);
        let mut buf = pool.take().unwrap();
        buf.tail().extend_from_slice(b"abcdefgh");
        buf.consume(6);
        assert_eq!(&*buf, b"gh");
        assert_eq!(buf.room(), 0);
        buf.make_room(4);
        assert_eq!((&*buf, buf.room()), (&b"gh"[..], 6));
    }
}
