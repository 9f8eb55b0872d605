//! How a value is written: quoted, escaped, in hexadecimal, as JSON, as CBOR.
//!
//! A [`Style`] is what the braces of `%{+Q,+X}ci` leave behind. A [`Pen`] appends values to a line
//! in one style. Everything appends to one vector and allocates nothing beside it.

/// The decorations of one item; a set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style(u16);

impl Style {
    /// In double quotes.
    pub const QUOTE: Style = Style(1);
    /// Numbers and addresses in hexadecimal.
    pub const HEXA: Style = Style(1 << 1);
    /// `"`, `\` and `]` behind a backslash (RFC 5424, section 6.3.3).
    pub const ESCAPE: Style = Style(1 << 2);
    /// What is missing is a dash.
    pub const DASHED: Style = Style(1 << 3);
    /// Bytes that a header field cannot hold are percent-encoded in expressions.
    pub const HTTP: Style = Style(1 << 4);
    /// As a JSON value.
    pub const JSON: Style = Style(1 << 5);
    /// As a CBOR value.
    pub const CBOR: Style = Style(1 << 6);
    /// CBOR as bytes instead of hexadecimal digits.
    pub const BINARY: Style = Style(1 << 7);

    /// Both sets.
    #[must_use]
    pub const fn with(self, other: Style) -> Style {
        Style(self.0 | other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Style) -> Style {
        Style(self.0 & !other.0)
    }

    /// Whether the sets share a flag.
    #[must_use]
    pub const fn has(self, flag: Style) -> bool {
        self.0 & flag.0 != 0
    }

    /// Whether values are written in a data format instead of as text.
    #[must_use]
    pub const fn is_encoded(self) -> bool {
        self.has(Style(Style::JSON.0 | Style::CBOR.0))
    }
}

/// Which bytes of a text become `#` and two hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// None.
    Open,
    /// Control bytes, bytes above 126, `"` and `#`.
    Url,
    /// The same and `{`, `|`, `}`.
    Header,
}

impl Guard {
    /// Its bit in [`STOPS`].
    fn bit(self) -> u8 {
        match self {
            Guard::Open => 0,
            Guard::Url => URL,
            Guard::Header => HEADER,
        }
    }
}

const URL: u8 = 1;
const HEADER: u8 = 1 << 1;
/// Set for what [`Style::ESCAPE`] puts a backslash before.
const SLASH: u8 = 1 << 2;

/// Who stops which byte.
static STOPS: [u8; 256] = {
    let mut stops = [0; 256];
    let mut byte = 0_u8;
    loop {
        let unprintable = byte < 32 || byte >= 127;
        if unprintable || byte == b'"' || byte == b'#' {
            stops[byte as usize] |= URL | HEADER;
        }
        if matches!(byte, b'{' | b'|' | b'}') {
            stops[byte as usize] |= HEADER;
        }
        if matches!(byte, b'"' | b'\\' | b']') {
            stops[byte as usize] |= SLASH;
        }
        if byte == u8::MAX {
            break stops;
        }
        byte += 1;
    }
};

/// Appends values to a line in one style.
pub struct Pen<'o> {
    /// The line.
    pub out: &'o mut Vec<u8>,
    /// The style.
    pub style: Style,
}

impl Pen<'_> {
    /// A text that may be missing, as is.
    pub fn text(&mut self, text: Option<&[u8]>) {
        self.guarded(Guard::Open, text);
    }

    /// A text that may be missing, bytes that `guard` stops encoded.
    pub fn guarded(&mut self, guard: Guard, text: Option<&[u8]>) {
        let text = text.filter(|t| !t.is_empty());
        if self.style.is_encoded() {
            return match text {
                Some(text) => self.encoded_text(text),
                None => self.null(),
            };
        }
        match (text, self.style.has(Style::QUOTE)) {
            (Some(text), true) => {
                self.out.push(b'"');
                self.plain(guard, text);
                self.out.push(b'"');
            }
            (Some(text), false) => self.plain(guard, text),
            (None, true) => self.out.extend_from_slice(b"\"\""),
            (None, false) => self.dash(),
        }
    }

    /// A text without quotes around it.
    pub fn plain(&mut self, guard: Guard, text: &[u8]) {
        let escapes = self.style.has(Style::ESCAPE);
        let stops = guard.bit() | if escapes { SLASH } else { 0 };
        let mut rest = text;
        while let Some(at) = rest
            .iter()
            .position(|&byte| STOPS[usize::from(byte)] & stops != 0)
        {
            let (good, stopped) = rest.split_at(at);
            self.out.extend_from_slice(good);
            let byte = stopped[0];
            if STOPS[usize::from(byte)] & guard.bit() != 0 {
                self.out.push(b'#');
                hex_byte(self.out, byte);
            } else {
                self.out.extend_from_slice(&[b'\\', byte]);
            }
            rest = &stopped[1..];
        }
        self.out.extend_from_slice(rest);
    }

    /// A text for a header field: control bytes are percent-encoded, and nothing is quoted.
    pub fn for_field(&mut self, text: &[u8]) {
        let escape = self.style.has(Style::ESCAPE);
        for &byte in text {
            if byte != b'\t' && (byte < 32 || byte == 127) {
                self.out.push(b'%');
                hex_byte(self.out, byte);
                continue;
            }
            if escape && matches!(byte, b'"' | b'\\' | b']') {
                self.out.push(b'\\');
            }
            self.out.push(byte);
        }
    }

    /// A number.
    pub fn number(&mut self, number: i64) {
        if self.style.has(Style::CBOR) {
            self.cbor_int(number);
        } else {
            decimal(self.out, number);
        }
    }

    /// A number that the hexadecimal flag turns into at least `digits` digits.
    pub fn hexable(&mut self, number: u32, digits: usize) {
        if self.style.has(Style::HEXA) && !self.style.is_encoded() {
            hex_padded(self.out, number, digits);
        } else {
            self.number(i64::from(number));
        }
    }

    /// A truth value.
    pub fn truth(&mut self, truth: bool) {
        if self.style.has(Style::JSON) {
            self.out
                .extend_from_slice(if truth { b"true" } else { b"false" });
        } else if self.style.has(Style::CBOR) {
            self.raw_cbor(if truth { 0xf5 } else { 0xf4 });
        } else {
            self.out.push(if truth { b'1' } else { b'0' });
        }
    }

    /// Nothing: a dash where one is due.
    pub fn null(&mut self) {
        if self.style.has(Style::JSON) {
            self.out.extend_from_slice(b"null");
        } else if self.style.has(Style::CBOR) {
            self.raw_cbor(0xf6);
        } else {
            self.dash();
        }
    }

    fn dash(&mut self) {
        if self.style.has(Style::DASHED) {
            self.out.push(b'-');
        }
    }

    /// A text in the data format in force.
    pub fn encoded_text(&mut self, text: &[u8]) {
        if self.style.has(Style::CBOR) {
            self.cbor_head(3, text.len() as u64);
            for &byte in text {
                self.raw_cbor(byte);
            }
            return;
        }
        self.out.push(b'"');
        for &byte in text {
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
                0..=31 => {
                    self.out.extend_from_slice(b"\\u00");
                    hex_byte(self.out, byte);
                }
                _ => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    /// One byte of CBOR, as it is or as two digits.
    pub fn raw_cbor(&mut self, byte: u8) {
        if self.style.has(Style::BINARY) {
            self.out.push(byte);
        } else {
            hex_byte(self.out, byte);
        }
    }

    fn cbor_int(&mut self, number: i64) {
        if number >= 0 {
            self.cbor_head(0, number.unsigned_abs());
        } else {
            self.cbor_head(1, number.unsigned_abs() - 1);
        }
    }

    /// The head of a CBOR item (RFC 8949, section 3).
    fn cbor_head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let bytes = value.to_be_bytes();
        let (info, tail) = match value {
            0..24 => return self.raw_cbor(major | bytes[7]),
            24..0x100 => (24, &bytes[7..]),
            0x100..0x1_0000 => (25, &bytes[6..]),
            0x1_0000..0x1_0000_0000 => (26, &bytes[4..]),
            _ => (27, &bytes[..]),
        };
        self.raw_cbor(major | info);
        for &byte in tail {
            self.raw_cbor(byte);
        }
    }
}

/// Appends a number in decimal.
pub(super) fn decimal(out: &mut Vec<u8>, number: i64) {
    // Most of what a log line counts is nothing, or little.
    if let Ok(small @ 0..=9) = u8::try_from(number) {
        return out.push(b'0' + small);
    }
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    while left >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(pair(left % 100));
        left /= 100;
    }
    if left > 0 {
        at -= 1;
        digits[at] = pair(left)[1];
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// The two digits of a number below a hundred.
fn pair(number: u64) -> &'static [u8; 2] {
    static PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[0; 2]; 100];
        let mut number = 0_u8;
        while number < 100 {
            pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
            number += 1;
        }
        pairs
    };
    &PAIRS[usize::from(u8::try_from(number).unwrap_or(0))]
}

/// Appends two upper-case hexadecimal digits.
pub(super) fn hex_byte(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

fn hex_padded(out: &mut Vec<u8>, number: u32, digits: usize) {
    let significant = (32 - number.leading_zeros()).div_ceil(4) as usize;
    for place in (0..significant.max(digits)).rev() {
        let nibble = number
            .checked_shr(4 * u32::try_from(place).unwrap_or(0))
            .unwrap_or(0)
            & 15;
        out.push(b"0123456789ABCDEF"[nibble as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(style: Style, draw: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut out = Vec::new();
        draw(&mut Pen {
            out: &mut out,
            style,
        });
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn texts_are_quoted_escaped_and_guarded() {
        let raw: &[u8] = b"a\"b#{c|d}\\ \xe9]";
        let guarded = |style| pen(style, |p| p.guarded(Guard::Header, Some(raw)));
        assert_eq!(guarded(Style::default()), r"a#22b#23#7Bc#7Cd#7D\ #E9]");
        assert_eq!(guarded(Style::QUOTE), r#""a#22b#23#7Bc#7Cd#7D\ #E9]""#);
        assert_eq!(guarded(Style::ESCAPE), r"a#22b#23#7Bc#7Cd#7D\\ #E9\]");
        assert_eq!(
            pen(Style::ESCAPE, |p| p.text(Some(b"x\"]\\"))),
            r#"x\"\]\\"#
        );
    }

    #[test]
    fn what_is_missing_depends_on_the_style() {
        let missing = |style| pen(style, |p| p.text(None));
        assert_eq!(missing(Style::default()), "");
        assert_eq!(missing(Style::DASHED), "-");
        assert_eq!(missing(Style::DASHED.with(Style::QUOTE)), "\"\"");
        assert_eq!(missing(Style::JSON), "null");
        assert_eq!(missing(Style::CBOR), "F6");
    }

    #[test]
    fn numbers() {
        assert_eq!(
            pen(Style::default(), |p| p.number(i64::MIN)),
            i64::MIN.to_string()
        );
        for number in [0, 9, 10, 99, 100, 101, 12_345, 999_999, -1, -10, i64::MAX] {
            let written = pen(Style::default(), |p| p.number(number));
            assert_eq!(written, number.to_string());
        }
        assert_eq!(pen(Style::HEXA, |p| p.hexable(0x46b6, 4)), "46B6");
        assert_eq!(pen(Style::HEXA, |p| p.hexable(0x2_db, 2)), "2DB");
        assert_eq!(pen(Style::HEXA, |p| p.hexable(1, 4)), "0001");
        assert_eq!(pen(Style::HEXA, |p| p.hexable(u32::MAX, 4)), "FFFFFFFF");
    }

    #[test]
    fn data_formats() {
        assert_eq!(
            pen(Style::JSON, |p| p.text(Some(b"a\"\n"))),
            r#""a\"\u000A""#
        );
        assert_eq!(pen(Style::CBOR, |p| p.text(Some(b"IETF"))), "6449455446");
        for (number, bytes) in [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (1000, "1903E8"),
            (-1000, "3903E7"),
            (1_000_000, "1A000F4240"),
        ] {
            assert_eq!(pen(Style::CBOR, |p| p.number(number)), bytes);
        }
        assert_eq!(pen(Style::JSON, |p| p.truth(true)), "true");
    }

    #[test]
    fn fields_get_percent_signs() {
        let style = Style::HTTP.with(Style::QUOTE);
        assert_eq!(pen(style, |p| p.for_field(b"a\"\t\r\x7f")), "a\"\t%0D%7F");
    }
}
