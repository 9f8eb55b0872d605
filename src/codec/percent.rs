//! Percent-encoding of URLs, and the similar codes by which logs keep one record on one line.

use super::hex;

/// The bytes an encoder replaces.
#[derive(Clone, Copy, Debug)]
pub struct Map([bool; 256]);

impl Map {
    const fn new(kept_above_ascii: bool, replaced: &[u8]) -> Self {
        let mut map = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            map[byte] = byte < 32 || byte == 127 || (byte > 127 && !kept_above_ascii);
            byte += 1;
        }
        let mut at = 0;
        while at < replaced.len() {
            map[replaced[at] as usize] = true;
            at += 1;
        }
        Self(map)
    }

    const fn keeping(mut self, kept: u8) -> Self {
        self.0[kept as usize] = false;
        self
    }

    /// Whether the encoder replaces this byte.
    pub fn replaces(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// Captured headers in logs: control and high bytes, and what delimits captures.
pub const HEADER: Map = Map::new(false, b"{|}\"#");
/// Request lines in logs.
pub const URL: Map = Map::new(false, b"\"#");
/// Expressions in formats: control bytes only, tabs stay.
pub const CONTROL: Map = Map::new(true, b"").keeping(b'\t');

/// Appends `bytes` with those of `map` replaced by `mark` and two capital digits.
pub fn encode_by(map: &Map, mark: u8, bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if map.replaces(*byte) {
            out.push(mark);
            hex::encode(&[*byte], out);
        } else {
            out.push(*byte);
        }
    }
}

/// Appends the `url_enc` form: everything but letters, digits and `-._~` is replaced.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            out.push(b'%');
            hex::encode(&[*byte], out);
        }
    }
}

/// The `url_dec` form: `%XX` becomes the byte, `+` a space inside a form or behind the first `?`. `None` where a
/// percent sign is not followed by two digits.
pub fn decode(text: &[u8], in_form: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut spaces = in_form;
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'%' => hex::byte(*rest.next()?, *rest.next()?)?,
            b'+' if spaces => b' ',
            other => *other,
        });
        spaces |= *byte == b'?';
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(bytes, &mut out);
        out
    }

    #[test]
    fn urls_are_encoded_as_by_haproxy() {
        assert_eq!(
            encoded("a b&/?~-_.:*é".as_bytes()),
            b"a%20b%26%2F%3F~-_.%3A%2A%C3%A9"
        );
        assert_eq!(encoded(b"\x01\x7f"), b"%01%7F");
    }

    #[test]
    fn plus_is_a_space_in_forms_and_queries_only() {
        assert_eq!(
            decode(b"a%20b+c%41", false).as_deref(),
            Some(&b"a b+cA"[..])
        );
        assert_eq!(decode(b"a%20b+c%41", true).as_deref(), Some(&b"a b cA"[..]));
        assert_eq!(decode(b"+?a+b", false).as_deref(), Some(&b"+?a b"[..]));
    }

    #[test]
    fn broken_codes_are_refused() {
        assert_eq!(decode(b"a%zz", false), None);
        assert_eq!(decode(b"a%4", false), None);
    }

    #[test]
    fn any_bytes_survive_a_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encoded(&all), true).as_ref(), Some(&all));
    }

    #[test]
    fn log_maps_differ_in_what_they_replace() {
        let through = |map: &Map, mark| {
            let mut out = Vec::new();
            encode_by(map, mark, b"{a}\"\t\n\xe9", &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(through(&HEADER, b'#'), "#7Ba#7D#22#09#0A#E9");
        assert_eq!(through(&URL, b'#'), "{a}#22#09#0A#E9");
        assert_eq!(through(&CONTROL, b'%'), "{a}\"\t%0A\u{fffd}");
    }
}
