//! Dates in cookies: seconds of the calendar in five characters, four seconds apart.

/// A date, rounded up.
pub(super) fn written(seconds: u64) -> String {
    let quarter = seconds.saturating_add(3) >> 2;
    let digit = |shift: u32| char::from(DIGITS[((quarter >> shift) & 63) as usize]);
    [24, 18, 12, 6, 0].into_iter().map(digit).collect()
}

/// The seconds of a date; none if it is no date or the zero one.
pub(super) fn read(text: &[u8]) -> Option<u64> {
    let text = text.get(..5)?;
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let mut quarter = 0_u64;
    for byte in text {
        quarter = quarter << 6 | digit(byte)? as u64;
    }
    (quarter > 0).then_some(quarter << 2)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_haproxys() {
        assert_eq!(written(1_795_303_360), "awInw");
        assert_eq!(read(b"awInw|more"), Some(1_795_303_360));
        assert_eq!([read(b"AAAAA"), read(b"awIn"), read(b"awI?w")], [None; 3]);
    }
}
