//! What a connection still has to write: buffers in order, gathered into one system call.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::{Buf, Pool};

/// Buffers that one system call gathers at most.
const GATHER_MAX: usize = 16;

/// Data shorter than this is copied behind what waits already instead of being queued as a buffer of its own.
const COPY_MAX: usize = 2048;

/// Bytes on their way out, oldest first.
#[derive(Debug, Default)]
pub struct Output {
    first: Option<Buf>,
    /// What waits behind the oldest while one buffer does not suffice: in most connections never, so that the queue itself is apart.
    #[expect(
        clippy::box_collection,
        reason = "every idle connection pays for the size of this type"
    )]
    rest: Option<Box<VecDeque<Buf>>>,
    len: usize,
}

impl Output {
    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends what `write` produces, expected to be about `hint` bytes.
    pub fn write_with(&mut self, pool: &mut Pool, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.last().is_none_or(|last| last.room() < hint) {
            self.append(pool.take_reserve());
        }
        let behind = self.rest.as_mut().and_then(|rest| rest.back_mut());
        let Some(last) = behind.or(self.first.as_mut()) else {
            return;
        };
        let tail = last.tail();
        let before = tail.len();
        write(tail);
        self.len += tail.len() - before;
    }

    fn last(&self) -> Option<&Buf> {
        let behind = self.rest.as_ref().and_then(|rest| rest.back());
        behind.or(self.first.as_ref())
    }

    fn append(&mut self, data: Buf) {
        if self.first.is_none() {
            self.first = Some(data);
        } else {
            self.rest.get_or_insert_default().push_back(data);
        }
    }

    /// Appends `data`, by handing its buffer over or by copying where that is cheaper.
    pub fn push(&mut self, pool: &mut Pool, data: Buf) {
        let short =
            data.len() <= COPY_MAX && self.last().is_some_and(|last| last.room() >= data.len());
        if !short {
            self.len += data.len();
            self.append(data);
            return;
        }
        self.write_with(pool, data.len(), |tail| tail.extend_from_slice(&data));
        pool.give_back(data);
    }

    /// The oldest bytes as one gathering write wants them.
    pub fn gather<R>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let Some(first) = &self.first else {
            return write(&[]);
        };
        let Some(rest) = &self.rest else {
            return write(&[IoSlice::new(first)]);
        };
        let mut slices = [IoSlice::new(&[]); GATHER_MAX];
        let mut used = 0;
        let all = std::iter::once(first).chain(&**rest);
        for (slice, buf) in slices.iter_mut().zip(all) {
            *slice = IoSlice::new(buf);
            used += 1;
        }
        write(&slices[..used])
    }

    /// Forgets `count` bytes that were written.
    pub fn consume(&mut self, pool: &mut Pool, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while let Some(first) = &mut self.first {
            if left < first.len() {
                first.consume(left);
                return;
            }
            left -= first.len();
            let next = self.rest.as_mut().and_then(|rest| rest.pop_front());
            if let Some(done) = std::mem::replace(&mut self.first, next) {
                pool.give_back(done);
            }
            if left == 0 && self.len > 0 {
                return;
            }
        }
        self.rest = None;
    }

    /// Forgets everything.
    pub fn clear(&mut self, pool: &mut Pool) {
        self.len = 0;
        let rest = self.rest.take().into_iter().flat_map(|rest| *rest);
        for buf in self.first.take().into_iter().chain(rest) {
            pool.give_back(buf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(output: &Output) -> Vec<u8> {
        output.gather(|slices| slices.iter().flat_map(|slice| slice.to_vec()).collect())
    }

    #[test]
    fn small_data_joins_the_head_and_large_data_keeps_its_buffer() {
        let mut pool = Pool::new(4096, 8, 8);
        let mut output = Output::default();
        output.write_with(&mut pool, 16, |tail| tail.extend_from_slice(b"head "));
        let mut small = pool.take_reserve();
        small.tail().extend_from_slice(b"small ");
        output.push(&mut pool, small);
        assert_eq!(pool.lent(), 1);
        let mut large = pool.take_reserve();
        large.tail().extend_from_slice(&[b'x'; 3000]);
        output.push(&mut pool, large);
        assert_eq!(pool.lent(), 2);
        assert_eq!(output.len(), 3011);
        assert!(all(&output).starts_with(b"head small xxx"));
    }

    #[test]
    fn consuming_returns_buffers() {
        let mut pool = Pool::new(4096, 8, 8);
        let mut output = Output::default();
        for _ in 0..3 {
            let mut data = pool.take_reserve();
            data.tail().extend_from_slice(&[b'y'; 4096]);
            output.push(&mut pool, data);
        }
        output.consume(&mut pool, 4096 + 10);
        assert_eq!((output.len(), pool.lent()), (2 * 4096 - 10, 2));
        output.consume(&mut pool, usize::MAX);
        assert_eq!((output.len(), pool.lent()), (0, 0));
    }
}
