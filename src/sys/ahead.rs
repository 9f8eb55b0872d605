//! Fetching ahead: what will be looked at soon comes into the processor's caches while something else is done.
//!
//! A fetch is a hint: it waits for nothing, changes nothing, and of a value that turns out not to be needed costs a few cycles.

/// Bytes that the processor fetches at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Has the processor fetch all of a value.
#[inline]
pub fn fetch<T: ?Sized>(value: &T) {
    fetch_front(value, usize::MAX);
}

/// Has the processor fetch the first `bytes` of a value.
#[inline]
#[cfg(target_arch = "x86_64")]
pub fn fetch_front<T: ?Sized>(value: &T, bytes: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let start = std::ptr::from_ref(value).cast::<i8>();
    for at in (0..size_of_val(value).min(bytes)).step_by(LINE) {
        // SAFETY: the place lies within the value; and where nothing can be read, nothing is fetched.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(at)) };
    }
}

/// The same on processors whose hints are not known here.
#[inline]
#[cfg(not(target_arch = "x86_64"))]
pub fn fetch_front<T: ?Sized>(_value: &T, _bytes: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_change_nothing_whatever_their_place_and_length() {
        let values = [1_u64; 100];
        fetch(&values);
        fetch(&values[100..]);
        fetch(&());
        fetch_front(&values, 65);
        assert_eq!(values, [1; 100]);
    }
}
