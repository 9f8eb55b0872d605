//! Buffers that records pass through, lent by the thread to its connections.
//!
//! They come from the thread's store and go back to it as soon as they are empty, so that a connection without anything under way holds
//! none; asked of the allocator each time, buffers of this size would be mapped and unmapped by the kernel with every write.
//!
//! Always true: a thread keeps [`KEPT`] of each size at most, and a buffer that is lent is empty. It is the thread's own, so nobody waits
//! for it and no lock is taken.

use std::cell::RefCell;

/// Room of the small ones: what a request or a handshake message needs.
const SMALL: usize = 5 * 1024;

/// Room of the large ones: 64 KiB of plain text with what encryption adds.
const LARGE: usize = 68 * 1024;

/// As far as one may have grown to be kept among the small ones, and among the large.
const SMALL_MAX: usize = 2 * SMALL;
const LARGE_MAX: usize = 2 * LARGE;

/// Unused buffers of each size that a thread keeps.
const KEPT: usize = 4;

thread_local! {
    static STORE: RefCell<[Vec<Vec<u8>>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// An empty buffer with room for this many bytes.
pub(super) fn take(room: usize) -> Vec<u8> {
    let large = room > SMALL;
    let spare = STORE.with_borrow_mut(|store| store[usize::from(large)].pop());
    let mut buffer = spare.unwrap_or_else(|| Vec::with_capacity(if large { LARGE } else { SMALL }));
    buffer.reserve(room);
    buffer
}

/// Sees to it that so many more bytes fit into `buffer`.
pub(super) fn grow(buffer: &mut Vec<u8>, room: usize) {
    if buffer.capacity() - buffer.len() >= room {
        return;
    }
    let mut larger = take(buffer.len() + room);
    larger.extend_from_slice(buffer);
    give(buffer);
    *buffer = larger;
}

/// Takes back what is in `buffer`; bytes left there are forgotten.
pub(super) fn give(buffer: &mut Vec<u8>) {
    let mut buffer = std::mem::take(buffer);
    buffer.clear();
    let size = match buffer.capacity() {
        SMALL..=SMALL_MAX => 0,
        LARGE..=LARGE_MAX => 1,
        // Grown under way, to what nobody asks for.
        _ => return,
    };
    STORE.with_borrow_mut(|store| {
        if store[size].len() < KEPT {
            store[size].push(buffer);
        }
    });
}

/// Has what is left in `buffer` from `start` on wait in a place of its size, if it would hold up a much larger one.
pub(super) fn shrink(buffer: &mut Vec<u8>, start: &mut usize) {
    let left = buffer.len() - *start;
    if left > SMALL || buffer.capacity() < LARGE {
        return;
    }
    let mut waiting = take(left);
    waiting.extend_from_slice(&buffer[*start..]);
    give(buffer);
    *buffer = waiting;
    *start = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_only_so_many() {
        let mut lent: Vec<_> = (0..KEPT + 3).map(|_| take(SMALL + 1)).collect();
        assert!(lent.iter().all(|buffer| buffer.capacity() >= LARGE));
        for buffer in &mut lent {
            buffer.extend_from_slice(b"left");
            give(buffer);
            assert_eq!(buffer.capacity(), 0);
        }
        assert_eq!(STORE.with_borrow(|store| store[1].len()), KEPT);
        assert!(take(LARGE).is_empty());
        let mut tiny = vec![1; 10];
        give(&mut tiny);
        assert_eq!(STORE.with_borrow(|store| store[0].len()), 0);
    }

    #[test]
    fn little_that_waits_does_not_hold_up_much() {
        let mut buffer = take(LARGE);
        buffer.extend_from_slice(&[7; 900]);
        let mut start = 300;
        shrink(&mut buffer, &mut start);
        assert_eq!((start, &buffer[..]), (0, &[7; 600][..]));
        assert!(buffer.capacity() < LARGE);
        grow(&mut buffer, LARGE - 600);
        assert_eq!((&buffer[..], buffer.capacity()), (&[7; 600][..], LARGE));
        let mut full = take(LARGE);
        full.resize(LARGE, 1);
        let mut start = 10;
        shrink(&mut full, &mut start);
        assert_eq!((start, full.len()), (10, LARGE));
    }
}
