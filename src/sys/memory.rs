//! Copying and comparing memory: `memcpy`, `memmove`, `memcmp` and `bcmp`, in place of musl's.
//!
//! Compilers turn every copy of a length they do not know into a call of these, and a proxy copies little pieces all the time:
//! names, values, lines of a log. musl's copy aligns byte by byte and then has the processor repeat an instruction, which takes 15 ns to
//! start, and its comparison goes byte by byte; these take 2 ns for a hundred bytes. Only the optimised static program has them: other C
//! libraries' are as good, and code that is not optimised copies even registers by calling `memcpy`. There, tests alone
//! use what is here.
//!
//! A short piece is read whole before any of it is written, by two reads from its ends that may overlap in the middle: nothing loops,
//! and a move within one place is no different. SSE2 is part of every x86-64.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_storeu_si128,
};

const WIDE: usize = size_of::<Wide>();
const BLOCK: usize = size_of::<Block>();
/// From here on the processor's own repetition is quicker than a loop.
const LONG: usize = 2048;

/// The symbols that compiled code calls.
#[cfg(all(target_env = "musl", not(debug_assertions)))]
mod exported {
    /// C11 7.24.2.1.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise is the same.
        unsafe { super::copy(to, from, count) };
        to
    }

    /// C11 7.24.2.2.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise is the same.
        unsafe { super::shift(to, from, count) };
        to
    }

    /// C11 7.24.4.1.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
        // SAFETY: the caller's promise is the same.
        unsafe { super::compare(one, other, count) }
    }

    /// As `memcmp`, of which only equality is asked.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
        // SAFETY: the caller's promise is the same.
        unsafe { super::compare(one, other, count) }
    }
}

/// Copies between places that do not overlap.
///
/// # Safety
/// `count` bytes can be read at `from` and written at `to`.
#[inline]
unsafe fn copy(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: the same places and lengths; each arm is for the lengths that its function is for.
    unsafe {
        if count <= 2 * BLOCK {
            short(to, from, count);
        } else if count < LONG {
            forward(to, from, count);
        } else {
            repeat(to, from, count);
        }
    }
}

/// Copies between places that may overlap.
///
/// # Safety
/// As for [`copy`].
#[inline]
unsafe fn shift(to: *mut u8, from: *const u8, count: usize) {
    let ahead = (to as usize).wrapping_sub(from as usize);
    // SAFETY: the same places and lengths. Forward, a block is written no further than what has been read unless `to` lies within
    // `count` bytes ahead of `from`; then it goes backward.
    unsafe {
        if count <= 2 * BLOCK {
            short(to, from, count);
        } else if ahead < count {
            backward(to, from, count);
        } else {
            forward(to, from, count);
        }
    }
}

/// Up to two blocks, all of which is read before any is written.
#[inline]
unsafe fn short(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: each arm is taken for lengths from one to two times what it moves at each end.
    unsafe {
        match count {
            0 => {}
            1 => *to = *from,
            2..4 => ends::<u16>(to, from, count),
            4..8 => ends::<u32>(to, from, count),
            8..WIDE => ends::<u64>(to, from, count),
            WIDE..=32 => ends::<Wide>(to, from, count),
            33..=BLOCK => ends::<[Wide; 2]>(to, from, count),
            _ => ends::<Block>(to, from, count),
        }
    }
}

/// Two pieces from both ends, together `count` bytes or more.
#[inline]
unsafe fn ends<T: Piece>(to: *mut u8, from: *const u8, count: usize) {
    let last = count - size_of::<T>();
    // SAFETY: `count` is at least the size of a `T`.
    unsafe {
        let (first, second) = (T::read(from), T::read(from.add(last)));
        first.write(to);
        second.write(to.add(last));
    }
}

/// What is read and written by single instructions, however it lies.
trait Piece: Copy {
    unsafe fn read(from: *const u8) -> Self;
    unsafe fn write(self, to: *mut u8);
}

/// A register.
type Wide = __m128i;
/// What a turn of a loop moves.
type Block = [Wide; 4];

macro_rules! word {
    ($($word:ty),*) => {$(
        impl Piece for $word {
            #[inline]
            unsafe fn read(from: *const u8) -> Self {
                // SAFETY: the callers looked at the length.
                unsafe { from.cast::<Self>().read_unaligned() }
            }

            #[inline]
            unsafe fn write(self, to: *mut u8) {
                // SAFETY: as for `read`.
                unsafe { to.cast::<Self>().write_unaligned(self) }
            }
        }
    )*};
}

word!(u16, u32, u64);

impl Piece for Wide {
    #[inline]
    unsafe fn read(from: *const u8) -> Self {
        // SAFETY: the callers looked at the length.
        unsafe { _mm_loadu_si128(from.cast()) }
    }

    #[inline]
    unsafe fn write(self, to: *mut u8) {
        // SAFETY: as for `read`.
        unsafe { _mm_storeu_si128(to.cast(), self) }
    }
}

/// Registers in a row. They are named one by one: a loop of plain copies is what compilers make a call of `memcpy` of.
impl Piece for [Wide; 2] {
    #[inline]
    unsafe fn read(from: *const u8) -> Self {
        // SAFETY: the callers looked at the length.
        unsafe { [Wide::read(from), Wide::read(from.add(WIDE))] }
    }

    #[inline]
    unsafe fn write(self, to: *mut u8) {
        let [first, second] = self;
        // SAFETY: as for `read`.
        unsafe {
            first.write(to);
            second.write(to.add(WIDE));
        }
    }
}

impl Piece for Block {
    #[inline]
    unsafe fn read(from: *const u8) -> Self {
        // SAFETY: the callers looked at the length.
        unsafe {
            let [a, b] = <[Wide; 2]>::read(from);
            let [c, d] = <[Wide; 2]>::read(from.add(2 * WIDE));
            [a, b, c, d]
        }
    }

    #[inline]
    unsafe fn write(self, to: *mut u8) {
        let [a, b, c, d] = self;
        // SAFETY: as for `read`.
        unsafe {
            [a, b].write(to);
            [c, d].write(to.add(2 * WIDE));
        }
    }
}

/// More than a block, from its beginning.
#[inline]
unsafe fn forward(to: *mut u8, from: *const u8, count: usize) {
    let last = count - BLOCK;
    // SAFETY: the loop stays below `last`, from where on there is a block more. That block is read first, since the loop may write
    // over it.
    unsafe {
        let tail = Block::read(from.add(last));
        let mut at = 0;
        while at < last {
            Block::read(from.add(at)).write(to.add(at));
            at += BLOCK;
        }
        tail.write(to.add(last));
    }
}

/// More than a block, from its end.
#[inline]
unsafe fn backward(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: as for `forward`, the other way round.
    unsafe {
        let head = Block::read(from);
        let mut left = count;
        while left > BLOCK {
            left -= BLOCK;
            Block::read(from.add(left)).write(to.add(left));
        }
        head.write(to);
    }
}

/// Eight bytes or more, by the processor's own repetition.
#[inline]
unsafe fn repeat(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: as many words as fit are moved, and the last eight bytes apart; the instruction touches nothing else, and the direction
    // flag is clear by the calling convention.
    unsafe {
        let tail = u64::read(from.add(count - 8));
        asm!(
            "rep movsq",
            inout("rcx") count / 8 => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
        tail.write(to.add(count - 8));
    }
}

/// Below, at or above zero as the first byte that differs is lower, there is none, or it is higher.
///
/// # Safety
/// `count` bytes can be read at both places.
#[inline]
unsafe fn compare(one: *const u8, other: *const u8, count: usize) -> i32 {
    let mut at = 0;
    // SAFETY: every read ends at or before `count`.
    unsafe {
        while at + WIDE <= count {
            let differ = differences(one.add(at), other.add(at));
            if differ != 0 {
                at += differ.trailing_zeros() as usize;
                return i32::from(*one.add(at)) - i32::from(*other.add(at));
            }
            at += WIDE;
        }
        while at + 4 <= count {
            let (mine, yours) = (u32::read(one.add(at)), u32::read(other.add(at)));
            if mine != yours {
                let (mine, yours) = (u32::from_be(mine), u32::from_be(yours));
                return if mine < yours { -1 } else { 1 };
            }
            at += 4;
        }
        while at < count {
            let (mine, yours) = (*one.add(at), *other.add(at));
            if mine != yours {
                return i32::from(mine) - i32::from(yours);
            }
            at += 1;
        }
    }
    0
}

/// A bit for each of sixteen bytes that differs.
#[inline]
unsafe fn differences(one: *const u8, other: *const u8) -> u32 {
    // SAFETY: the callers see to it that sixteen bytes are there.
    unsafe {
        let equal = _mm_cmpeq_epi8(Wide::read(one), Wide::read(other));
        _mm_movemask_epi8(equal).cast_unsigned() ^ 0xffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of which no two that are near each other are equal.
    fn text(len: usize) -> Vec<u8> {
        (0..=250).cycle().take(len).collect()
    }

    #[test]
    fn every_length_is_copied_and_nothing_beside_it() {
        for count in (0..300).chain([2047, 2048, 2049, 5000]) {
            let from = text(count + 3);
            let mut to = vec![0xff; count + 5];
            // SAFETY: both hold `count` bytes and more.
            unsafe { copy(to.as_mut_ptr().add(1), from.as_ptr().add(3), count) };
            assert_eq!(to[1..=count], from[3..], "{count}");
            assert_eq!((to[0], &to[count + 1..]), (0xff, &[0xff; 4][..]), "{count}");
        }
    }

    #[test]
    fn places_that_overlap_are_moved_either_way() {
        for count in (0..300).chain([2047, 2048, 2049, 5000]) {
            for (from, to) in [(0, 1), (1, 0), (0, 63), (63, 0), (0, 200), (200, 0), (5, 5)] {
                let mut place = text(count + 200);
                let expected = place[from..from + count].to_vec();
                let at = place.as_mut_ptr();
                // SAFETY: both ends lie within `place`.
                unsafe { shift(at.add(to), at.add(from), count) };
                assert_eq!(
                    place[to..to + count],
                    expected,
                    "{count} from {from} to {to}"
                );
                let outside = |at: usize| at < to || at >= to + count;
                let fresh = text(count + 200);
                let kept = (0..place.len()).filter(|at| outside(*at));
                assert!(kept.into_iter().all(|at| place[at] == fresh[at]), "{count}");
            }
        }
    }

    #[test]
    fn the_first_difference_decides() {
        for count in 0..100 {
            let one = text(count);
            // SAFETY: both hold `count` bytes.
            let order = |other: &[u8]| unsafe { compare(one.as_ptr(), other.as_ptr(), count) };
            assert_eq!(order(&one), 0);
            for at in 0..count {
                let mut other = one.clone();
                other[at] ^= 0x80;
                other[at + 1..].fill(0);
                let expected = one.cmp(&other);
                assert_eq!(order(&other).cmp(&0), expected, "{count}, {at}");
            }
        }
    }
}
