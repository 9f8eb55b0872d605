//! The character classes of HTTP (RFC 9110 section 5.6, RFC 9112 sections 2 to 5) as tables, and scans built on them.
//!
//! Every parser and every edit of a head asks here, so that what is accepted from the wire and what may be written to it are
//! one definition.

/// For each byte: its lower-case form when it may stand in a token, 0 when it may not.
pub(crate) static TOKEN_LOWER: [u8; 256] = token_table();

const fn token_table() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut byte = 0u8;
    loop {
        table[byte as usize] = match byte {
            b'0'..=b'9' | b'a'..=b'z' => byte,
            b'A'..=b'Z' => byte | 0x20,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
            | b'`' | b'|' | b'~' => byte,
            _ => 0,
        };
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

/// Whether `byte` may stand in a token (a method, a field name).
#[inline]
pub fn is_token_byte(byte: u8) -> bool {
    TOKEN_LOWER[byte as usize] != 0
}

/// How many bytes at the beginning of `text` are token bytes.
#[inline]
pub(crate) fn token_len(text: &[u8]) -> usize {
    text.iter()
        .position(|&byte| TOKEN_LOWER[byte as usize] == 0)
        .unwrap_or(text.len())
}

/// Makes the letters of a token lower-case, eight bytes a step; what is left over is looked at together with bytes before it.
#[inline]
pub(crate) fn lower_token(token: &mut [u8]) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let lower = |bytes: &mut [u8; 8]| {
        let word = u64::from_le_bytes(*bytes);
        let from_a = word.wrapping_add(ONES * u64::from(0x80 - b'A'));
        let beyond_z = word.wrapping_add(ONES * u64::from(0x7f - b'Z'));
        // 0x80, moved to where the case of a letter is.
        let capitals = (from_a & !beyond_z & TOPS) >> 2;
        *bytes = (word | capitals).to_le_bytes();
    };
    debug_assert!(token.is_ascii(), "no sum reaches into the next byte");
    token.as_chunks_mut::<8>().0.iter_mut().for_each(lower);
    match token.last_chunk_mut::<8>() {
        Some(last) => lower(last),
        None => token.make_ascii_lowercase(),
    }
}

/// Whether `text` is a token: not empty, token bytes only.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

/// Whether `byte` may stand in a field value: visible, blank, or above ASCII.
#[inline]
pub(crate) fn is_value_byte(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || byte == b'\t'
}

/// Whether `byte` is a blank between words of a field (RFC 9110 section 5.6.3).
#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether `byte` may stand in a request target as RFC 3986 spells URIs loosely: visible ASCII but the fragment's mark.
#[inline]
pub(crate) fn is_target_byte(byte: u8) -> bool {
    byte > 0x20 && byte < 0x7f && byte != b'#'
}

/// The first position at or after `from` that holds a control byte (below 0x20, or 0x7f), or the length of `text`.
///
/// Eight bytes a step: subtracting borrows into the top bit of each byte that was below the bound.
#[inline]
pub(crate) fn find_control(text: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let Some(rest) = text.get(from..) else {
        return text.len();
    };
    let mut at = from;
    for chunk in rest.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let delete = word ^ (ONES * 0x7f);
        let hits = (below | (delete.wrapping_sub(ONES) & !delete)) & TOPS;
        if hits != 0 {
            // Borrows only travel upward, so the lowest hit is exact.
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < text.len() && text[at] >= 0x20 && text[at] != 0x7f {
        at += 1;
    }
    at
}

/// `text` without the blanks (space, tab) around it.
#[inline]
pub fn trim(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_control_agrees_with_the_plain_definition() {
        for len in 0..40usize {
            for at in 0..len {
                for byte in 0..=255u8 {
                    let mut text = vec![b'~'; len];
                    text[at] = byte;
                    let plain = text
                        .iter()
                        .position(|&b| b < 0x20 || b == 0x7f)
                        .unwrap_or(len);
                    assert_eq!(
                        find_control(&text, 0),
                        plain,
                        "byte {byte} at {at} of {len}"
                    );
                }
            }
        }
        assert_eq!(find_control(b"\r\nabc\n", 2), 5);
        assert_eq!(find_control(b"ab", 9), 2);
    }

    #[test]
    fn two_hits_in_one_word_yield_the_first() {
        for first in 0..8usize {
            for second in first + 1..8 {
                let mut text = [0xffu8; 8];
                text[first] = 0x1f;
                text[second] = 0x20;
                assert_eq!(find_control(&text, 0), first);
                text[second] = 0;
                assert_eq!(find_control(&text, 0), first);
            }
        }
    }

    #[test]
    fn tokens_of_every_length_become_lower_case() {
        let letters = *b"AZaz@[`{09-_MmNn";
        for len in 0..letters.len() {
            for from in 0..letters.len() - len {
                let mut token = letters[from..from + len].to_vec();
                let expected = token.to_ascii_lowercase();
                lower_token(&mut token);
                assert_eq!(token, expected);
            }
        }
    }

    #[test]
    fn tokens_are_rfc_9110_tokens() {
        let tokens = (0..=255u8).filter(|&b| is_token_byte(b)).count();
        assert_eq!(tokens, 10 + 26 + 26 + 15);
        assert!(
            is_token(b"X-Forwarded-For") && !is_token(b"") && !is_token(b"a b") && !is_token(b"a:")
        );
    }

    #[test]
    fn trim_takes_blanks_only() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba"), b"\x0ba");
    }
}
