//! Hexadecimal text.

const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LOWER: &[u8; 16] = b"0123456789abcdef";

/// Appends two capital digits a byte (the `hex` converter).
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    append(bytes, UPPER, out);
}

/// Appends two small digits a byte.
pub fn encode_lower(bytes: &[u8], out: &mut Vec<u8>) {
    append(bytes, LOWER, out);
}

/// Reads pairs of digits of either case; an odd number of them or anything else is refused.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| byte(pair[0], pair[1]))
        .collect()
}

/// The byte that two digits spell.
pub fn byte(high: u8, low: u8) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// The value of one digit of either case.
pub fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn append(bytes: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(digits[usize::from(byte >> 4)]);
        out.push(digits[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_round_trips_in_both_cases() {
        let all: Vec<u8> = (0..=255).collect();
        for write in [encode, encode_lower] {
            let mut text = Vec::new();
            write(&all, &mut text);
            assert_eq!(decode(&text).as_ref(), Some(&all));
        }
    }

    #[test]
    fn odd_or_foreign_digits_are_refused() {
        assert_eq!(decode(b"abc"), None);
        assert_eq!(decode(b"0g"), None);
        assert_eq!(decode(b""), Some(Vec::new()));
    }
}
