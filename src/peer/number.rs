//! Numbers as the protocol writes them: one byte below 240, else four bits and then seven a byte.

/// The first value that takes more than one byte.
const SMALL: u64 = 240;
/// Bytes that a number takes at most.
const LEN_MAX: usize = 10;

/// Appends a number.
pub(super) fn put(mut value: u64, out: &mut Vec<u8>) {
    let low = |value: u64| u8::try_from(value & 0xff).unwrap_or(0);
    if value < SMALL {
        out.push(low(value));
        return;
    }
    out.push(low(value | SMALL));
    value = (value - SMALL) >> 4;
    while value >= 128 {
        out.push(low(value | 128));
        value = (value - 128) >> 7;
    }
    out.push(low(value));
}

/// Takes a number off the front; none: there is no whole one.
pub(super) fn take(input: &mut &[u8]) -> Option<u64> {
    let (&first, mut rest) = input.split_first()?;
    let mut value = u64::from(first);
    if value >= SMALL {
        let mut shift = 4;
        for _ in 1..LEN_MAX {
            let (&next, tail) = rest.split_first()?;
            rest = tail;
            value = value.checked_add(u64::from(next).checked_shl(shift)?)?;
            shift += 7;
            if next < 128 {
                *input = rest;
                return Some(value);
            }
        }
        return None;
    }
    *input = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_protocol() {
        for (value, len) in [
            (0, 1),
            (239, 1),
            (240, 2),
            (2287, 2),
            (2288, 3),
            (264_431, 3),
            (264_432, 4),
            (33_818_863, 4),
            (33_818_864, 5),
            (u64::from(u32::MAX), 5),
        ] {
            let mut out = Vec::new();
            put(value, &mut out);
            assert_eq!(out.len(), len, "{value}");
            let mut rest = &out[..];
            assert_eq!(take(&mut rest), Some(value));
            assert!(rest.is_empty());
            assert_eq!(take(&mut &out[..len - 1]), None);
        }
    }
}
