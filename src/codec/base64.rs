//! Base 64 in its two alphabets.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};

/// Appends the standard form, padded.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    append(&general_purpose::STANDARD, bytes, out);
}

/// Appends the form for URLs, without padding (`ub64enc`).
pub fn encode_url(bytes: &[u8], out: &mut Vec<u8>) {
    append(&general_purpose::URL_SAFE_NO_PAD, bytes, out);
}

/// Reads the standard form; padding is needed, bits after the last byte are ignored as HAProxy ignores them.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads the form for URLs (`ub64dec`); padding may stand or not.
pub fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    URL.decode(text).ok()
}

fn append(engine: &GeneralPurpose, bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let room = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    out.resize(start + room, 0);
    let written = engine
        .encode_slice(bytes, &mut out[start..])
        .expect("the room for padded text was made");
    out.truncate(start + written);
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_round_trip_and_append() {
        let mut out = b"x=".to_vec();
        encode(b"abcd", &mut out);
        assert_eq!(out, b"x=YWJjZA==");
        out.clear();
        encode_url(b"abcd\xff\xfe", &mut out);
        assert_eq!(decode_url(&out).as_deref(), Some(&b"abcd\xff\xfe"[..]));
        assert!(!out.contains(&b'=') && !out.contains(&b'/') && !out.contains(&b'+'));
    }

    #[test]
    fn only_what_haproxy_reads_is_read() {
        assert_eq!(decode(b"YWJjZA==").as_deref(), Some(&b"abcd"[..]));
        assert_eq!(decode(b"YWJjZA"), None);
        assert_eq!(decode(b"YWJ!ZA=="), None);
        assert_eq!(decode_url(b"YWJjZA").as_deref(), Some(&b"abcd"[..]));
        assert_eq!(decode(b"").as_deref(), Some(&b""[..]));
    }
}
