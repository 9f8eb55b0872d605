//! Text as the inside of a JSON string, by the rules of the `json` converter.

use std::io::Write;

/// How bytes above ASCII are read, and what becomes of those that make no sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Each byte is a character of its own; nothing can fail.
    #[default]
    Ascii,
    /// UTF-8; a wrong sequence fails.
    Utf8,
    /// UTF-8; wrong sequences vanish.
    Utf8Skip,
    /// UTF-8 with overlong forms; other wrong sequences fail.
    Utf8Permissive,
    /// UTF-8 with overlong forms; other wrong sequences vanish.
    Utf8PermissiveSkip,
}

impl Input {
    /// The name the converter's argument has for it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ascii" => Self::Ascii,
            "utf8" => Self::Utf8,
            "utf8s" => Self::Utf8Skip,
            "utf8p" => Self::Utf8Permissive,
            "utf8ps" => Self::Utf8PermissiveSkip,
            _ => return None,
        })
    }

    fn skips(self) -> bool {
        matches!(self, Self::Utf8Skip | Self::Utf8PermissiveSkip)
    }

    fn takes_overlong(self) -> bool {
        matches!(self, Self::Utf8Permissive | Self::Utf8PermissiveSkip)
    }
}

/// Appends the escaped text; `None` (with a partial text appended) where the input is wrong and `input` does not skip.
pub fn escape(bytes: &[u8], input: Input, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if input == Input::Ascii || first.is_ascii() {
            push(u32::from(*first), out);
            rest = after;
            continue;
        }
        let (read, len) = sequence(rest);
        rest = &rest[len..];
        match read {
            Sequence::Character(c) => push(c, out),
            Sequence::Overlong(c) if input.takes_overlong() => push(c, out),
            Sequence::Overlong(_) | Sequence::Wrong if input.skips() => {}
            Sequence::Overlong(_) | Sequence::Wrong => return None,
        }
    }
    Some(())
}

/// Appends a JSON string with its quotes; UTF-8 is kept as it is and wrong bytes become the replacement character.
pub fn string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            ' '..='~' => out.push(c as u8),
            '\0'..='\u{9f}' => push(u32::from(c), out),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn push(c: u32, out: &mut Vec<u8>) {
    let short = match c {
        0x22 => b'"',
        0x5c => b'\\',
        0x2f => b'/',
        0x08 => b'b',
        0x0c => b'f',
        0x0a => b'n',
        0x0d => b'r',
        0x09 => b't',
        0x20..=0x7e => {
            out.extend(u8::try_from(c));
            return;
        }
        _ => {
            let _ = write!(out, "\\u{c:04x}");
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[derive(Debug, PartialEq, Eq)]
enum Sequence {
    Character(u32),
    Overlong(u32),
    Wrong,
}

/// Reads one multi-byte sequence and says how long it is. A sequence that breaks off ends before the byte that breaks it.
fn sequence(bytes: &[u8]) -> (Sequence, usize) {
    let (wanted, first) = match bytes[0] {
        b @ 0xc0..=0xdf => (2, b & 0x1f),
        b @ 0xe0..=0xef => (3, b & 0x0f),
        b @ 0xf0..=0xf7 => (4, b & 0x07),
        b @ 0xf8..=0xfb => (5, b & 0x03),
        b @ 0xfc..=0xfd => (6, b & 0x01),
        _ => return (Sequence::Wrong, 1),
    };
    let mut c = u32::from(first);
    for at in 1..wanted {
        match bytes.get(at) {
            Some(b @ 0x80..=0xbf) => c = c << 6 | u32::from(b & 0x3f),
            _ => return (Sequence::Wrong, at),
        }
    }
    let shortest = match wanted {
        2 => 0x80,
        3 => 0x800,
        4 => 0x1_0000,
        5 => 0x20_0000,
        _ => 0x400_0000,
    };
    // haproxy: characters beyond the first plane count as out of range, as the four digits of \u cannot hold them; the same here.
    let read = match c {
        c if c < shortest => Sequence::Overlong(c),
        0xd800..=0xdfff | 0xfffe..=u32::MAX => Sequence::Wrong,
        c => Sequence::Character(c),
    };
    (read, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> [Option<String>; 5] {
        ["ascii", "utf8", "utf8s", "utf8p", "utf8ps"].map(|name| {
            let mut out = Vec::new();
            escape(bytes, Input::named(name)?, &mut out)?;
            String::from_utf8(out).ok()
        })
    }

    fn some(texts: [&str; 5]) -> [Option<String>; 5] {
        // An empty text stands for a refusal: none of the inputs below becomes one otherwise.
        texts.map(|t| (!t.is_empty()).then(|| t.to_owned()))
    }

    #[test]
    fn ascii_is_escaped_alike_in_all_modes() {
        let expected = r#"a\"]\\\/\b\f\r\n\t\u0001\u001f\u007f"#;
        assert_eq!(
            all(b"a\"]\\/\x08\x0c\r\n\t\x01\x1f\x7f"),
            some([expected; 5])
        );
    }

    #[test]
    fn wrong_sequences_as_haproxy_treats_them() {
        for (bytes, expected) in [
            (
                &b"a\xc2\x80b"[..],
                [
                    r"a\u00c2\u0080b",
                    r"a\u0080b",
                    r"a\u0080b",
                    r"a\u0080b",
                    r"a\u0080b",
                ],
            ),
            (
                b"a\xc0\x80b",
                [r"a\u00c0\u0080b", "", "ab", r"a\u0000b", r"a\u0000b"],
            ),
            (b"a\xe2\x82zb", [r"a\u00e2\u0082zb", "", "azb", "", "azb"]),
            (
                b"a\xe2\xc3\xa9b",
                [r"a\u00e2\u00c3\u00a9b", "", r"a\u00e9b", "", r"a\u00e9b"],
            ),
            (
                b"a\xed\xa0\x80b",
                [r"a\u00ed\u00a0\u0080b", "", "ab", "", "ab"],
            ),
            (
                b"a\xf0\x9f\x98\x80b",
                [r"a\u00f0\u009f\u0098\u0080b", "", "ab", "", "ab"],
            ),
            (b"a\xfeb", [r"a\u00feb", "", "ab", "", "ab"]),
            (b"a\xc3", [r"a\u00c3", "", "a", "", "a"]),
        ] {
            assert_eq!(all(bytes), some(expected), "{bytes:x?}");
        }
    }

    #[test]
    fn whole_strings_keep_their_characters() {
        let mut out = Vec::new();
        string("é\"\\/\n😀".as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "\"é\\\"\\\\/\\n😀\"");
    }
}
