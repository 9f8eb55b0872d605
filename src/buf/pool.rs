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
    reserve: usize,
    /// Whether somebody was refused since this was last asked.
    refused: bool,
    /// The fewest unused buffers since the last trim: those were not needed.
    spare_least: (usize, usize),
}

/// What a buffer is wanted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// Something begins: it waits its turn in a shortage.
    #[default]
    Beginning,
    /// Something that was begun goes on, and with it returns what it holds.
    GoingOn,
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
            reserve: 0,
            refused: false,
            spare_least: (0, 0),
        }
    }

    /// Keeps so many buffers beyond the limit for what was already begun (`tune.buffers.reserve`).
    #[must_use]
    pub fn with_reserve(mut self, reserve: usize) -> Self {
        self.reserve = reserve;
        self
    }

    /// Bytes a buffer holds.
    pub fn buffer_size(&self) -> usize {
        self.size
    }

    /// An empty buffer, unless all are lent.
    pub fn take(&mut self, need: Need) -> Option<Buf> {
        self.admits(need).then(|| self.take_reserve())
    }

    /// An empty buffer of the larger kind, unless all are lent.
    pub fn take_bulk(&mut self, need: Need) -> Option<Buf> {
        if !self.admits(need) {
            return None;
        }
        self.lent += 1;
        let bytes = self.free_bulk.pop();
        self.spare_least.1 = self.spare_least.1.min(self.free_bulk.len());
        Some(Buf {
            bytes: bytes.unwrap_or_else(|| Vec::with_capacity(self.size * BULK_FACTOR)),
            start: 0,
            lent: true,
        })
    }

    fn admits(&mut self, need: Need) -> bool {
        let limit = match need {
            Need::Beginning => self.limit,
            Need::GoingOn => self.limit.saturating_add(self.reserve),
        };
        let admits = self.lent < limit;
        self.refused |= !admits;
        admits
    }

    /// Whether somebody was refused a buffer since the last call.
    #[inline]
    pub fn was_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// Whether whoever waits gets one.
    #[inline]
    pub fn has_free(&self) -> bool {
        self.lent < self.limit
    }

    /// An empty buffer even past the limit: for what was already begun and must be finished.
    pub fn take_reserve(&mut self) -> Buf {
        self.lent += 1;
        let bytes = self.free.pop();
        self.spare_least.0 = self.spare_least.0.min(self.free.len());
        Buf {
            bytes: bytes.unwrap_or_else(|| Vec::with_capacity(self.size)),
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

    /// Lets go of half of the buffers that nobody has needed since the last call.
    pub fn trim(&mut self) {
        let (small, bulk) = self.spare_least;
        self.free.truncate(self.free.len() - small.div_ceil(2));
        self.free_bulk
            .truncate(self.free_bulk.len() - bulk.div_ceil(2));
        if self.free.is_empty() {
            self.free = Vec::new();
        }
        self.spare_least = (self.free.len(), self.free_bulk.len());
    }

    /// Gives unused memory back to the system.
    pub fn shrink(&mut self) {
        self.free = Vec::new();
        self.free_bulk = Vec::new();
        self.spare_least = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_lends_up_to_its_limit() {
        let mut pool = Pool::new(64, 1, 2);
        let need = Need::Beginning;
        let (first, second) = (pool.take(need).unwrap(), pool.take(need).unwrap());
        assert!(pool.take(need).is_none());
        assert!(pool.was_refused() && !pool.was_refused());
        pool.give_back(first);
        pool.give_back(second);
        assert_eq!((pool.lent(), pool.kept()), (0, 1));
    }

    #[test]
    fn what_was_begun_goes_on_in_a_shortage() {
        let mut pool = Pool::new(64, 4, 1).with_reserve(2);
        let lent = pool.take(Need::Beginning).unwrap();
        assert!(pool.take(Need::Beginning).is_none());
        let reserved: Vec<_> = (0..2).map(|_| pool.take(Need::GoingOn).unwrap()).collect();
        assert!(pool.take_bulk(Need::GoingOn).is_none() && !pool.has_free());
        reserved.into_iter().for_each(|buf| pool.give_back(buf));
        pool.give_back(lent);
        assert!(pool.has_free());
    }

    #[test]
    fn buffers_that_nobody_needs_are_let_go_by_and_by() {
        let mut pool = Pool::new(64, 100, 100);
        let lent: Vec<_> = (0..40).map(|_| pool.take_reserve()).collect();
        lent.into_iter().for_each(|buf| pool.give_back(buf));
        pool.trim();
        assert_eq!(pool.kept(), 40, "all were needed in this period");
        let (one, two) = (pool.take_reserve(), pool.take_reserve());
        pool.give_back(one);
        pool.give_back(two);
        for kept in [21, 10, 5] {
            pool.trim();
            assert_eq!(pool.kept(), kept);
        }
    }

    #[test]
    fn consumed_bytes_are_gone_and_room_comes_back() {
        let mut pool = Pool::new(8, 1, 1);
        let mut buf = pool.take(Need::Beginning).unwrap();
        buf.tail().extend_from_slice(b"abcdefgh");
        buf.consume(6);
        assert_eq!(&*buf, b"gh");
        assert_eq!(buf.room(), 0);
        buf.make_room(4);
        assert_eq!((&*buf, buf.room()), (&b"gh"[..], 6));
    }
}
