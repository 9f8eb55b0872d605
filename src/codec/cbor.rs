//! The pieces of CBOR (RFC 8949) that log formats write: `+cbor`.

/// Major types of section 3.1.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const MAP: u8 = 5 << 5;

/// Appends an integer.
pub fn integer(value: i64, out: &mut Vec<u8>) {
    match u64::try_from(value) {
        Ok(value) => head(UNSIGNED, value, out),
        Err(_) => head(NEGATIVE, !value.cast_unsigned(), out),
    }
}

/// Appends bytes.
pub fn bytes(value: &[u8], out: &mut Vec<u8>) {
    head(BYTES, value.len() as u64, out);
    out.extend_from_slice(value);
}

/// Appends a text; what is not UTF-8 is written as bytes, since a text may hold nothing else.
pub fn text(value: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(value).is_err() {
        return bytes(value, out);
    }
    head(TEXT, value.len() as u64, out);
    out.extend_from_slice(value);
}

/// Appends a truth value.
pub fn boolean(value: bool, out: &mut Vec<u8>) {
    out.push(if value { 0xf5 } else { 0xf4 });
}

/// Appends the value of what is absent.
pub fn null(out: &mut Vec<u8>) {
    out.push(0xf6);
}

/// Begins a map whose end is marked by [`end`]; keys and values follow in turn.
pub fn open_map(out: &mut Vec<u8>) {
    out.push(MAP | 31);
}

/// Ends what was begun without a length.
pub fn end(out: &mut Vec<u8>) {
    out.push(0xff);
}

fn head(major: u8, value: u64, out: &mut Vec<u8>) {
    let raw = value.to_be_bytes();
    match value {
        0..24 => out.push(major | raw[7]),
        24..0x100 => out.extend_from_slice(&[major | 24, raw[7]]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend_from_slice(&raw[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&raw[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    /// The figures are those of RFC 8949, appendix A.
    #[test]
    fn integers_take_the_shortest_form() {
        assert_eq!(of(|o| integer(23, o)), [0x17]);
        assert_eq!(of(|o| integer(24, o)), [0x18, 0x18]);
        assert_eq!(of(|o| integer(1000, o)), [0x19, 0x03, 0xe8]);
        assert_eq!(of(|o| integer(1_000_000, o)), [0x1a, 0, 0x0f, 0x42, 0x40]);
        assert_eq!(
            of(|o| integer(1_000_000_000_000, o)),
            [0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0]
        );
        assert_eq!(of(|o| integer(-1, o)), [0x20]);
        assert_eq!(of(|o| integer(-1000, o)), [0x39, 0x03, 0xe7]);
    }

    #[test]
    fn texts_maps_and_the_rest() {
        assert_eq!(of(|o| text(b"IETF", o)), b"\x64IETF");
        assert_eq!(of(|o| text(b"\xff", o)), b"\x41\xff");
        assert_eq!(of(|o| boolean(true, o)), [0xf5]);
        let map = of(|o| {
            open_map(o);
            text(b"a", o);
            null(o);
            end(o);
        });
        assert_eq!(map, [0xbf, 0x61, b'a', 0xf6, 0xff]);
    }
}
