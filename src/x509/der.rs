//! The elements of DER (X.690), walked without judging what they mean.
//!
//! Lengths are definite and within the bytes; nothing is copied. What OpenSSL tolerates in old certificates, a wrapped negative serial
//! say, is tolerated here too: signatures are checked over the bytes as they came.

use crate::time::date::Civil;

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(/** The bytes ahead. */ pub &'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Its kind.
    pub tag: u8,
    /// What is inside.
    pub content: &'a [u8],
    /// The whole, with its head.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn inner(self) -> Reader<'a> {
        Reader(self.content)
    }
}

impl<'a> Reader<'a> {
    /// The kind of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element, if it is of this kind; another one stays.
    pub fn one(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.peek() == Some(tag) {
            self.next()
        } else {
            None
        }
    }

    /// The elements inside of the next, which has to be a sequence.
    pub fn sequence(&mut self) -> Option<Reader<'a>> {
        self.one(SEQUENCE).map(Element::inner)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let start = self.0;
        let (&tag, rest) = start.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut len = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > LENGTH_BYTES_MAX {
                return None;
            }
            let (bytes, behind) = rest.split_at_checked(count)?;
            len = bytes
                .iter()
                .fold(0, |len, &byte| len << 8 | usize::from(byte));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(len)?;
        self.0 = behind;
        Some(Element {
            tag,
            content,
            whole: &start[..start.len() - behind.len()],
        })
    }
}

/// The bits of a BIT STRING that has none left over.
pub fn bits(content: &[u8]) -> Option<&[u8]> {
    match content.split_first() {
        Some((0, bits)) => Some(bits),
        _ => None,
    }
}

/// The bytes of a whole number without the one that only keeps it positive.
pub fn unsigned(content: &[u8]) -> &[u8] {
    match content {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => content,
    }
}

/// A small whole number.
pub fn small(content: &[u8]) -> Option<u32> {
    match content {
        [first, ..] if *first < 0x80 && content.len() <= 4 => Some(
            content
                .iter()
                .fold(0, |number, &byte| number << 8 | u32::from(byte)),
        ),
        _ => None,
    }
}

/// A UTCTime or GeneralizedTime in seconds since the epoch.
pub fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let digits = |at: usize, count: usize| -> Option<i64> {
        std::str::from_utf8(text.get(at..at + count)?)
            .ok()?
            .parse()
            .ok()
    };
    let (year, at) = match tag {
        UTC_TIME => {
            let short = digits(0, 2)?;
            let century = if short < 50 { 2000 } else { 1900 };
            (century + short, 2)
        }
        _ => (digits(0, 4)?, 4),
    };
    let (month, day) = (digits(at, 2)?, digits(at + 2, 2)?);
    let clock =
        digits(at + 4, 2)? * 3600 + digits(at + 6, 2)? * 60 + digits(at + 8, 2).unwrap_or(0);
    // Days since the epoch with years that begin in March, so that leap days come last.
    let (shifted, march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some(days * 86_400 + clock)
}

/// A moment, in seconds since the epoch, as the element that RFC 5280 asks for: with two digits for years before 2050.
pub fn time(seconds: i64) -> Vec<u8> {
    let at = Civil::at(seconds, 0);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        at.month, at.day, at.hour, at.minute, at.second
    );
    let year = at.year;
    match year {
        1950..2050 => element(UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes()),
        _ => element(GENERAL_TIME, format!("{year:04}{rest}").as_bytes()),
    }
}

/// An element of this kind with this content, as bytes.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let len = content.len().to_be_bytes();
    let short = &len[len.iter().take_while(|byte| **byte == 0).count()..];
    match content.len() {
        0..=0x7f => out.push(short.first().copied().unwrap_or(0)),
        _ => {
            out.push(0x80 | u8::try_from(short.len()).unwrap_or(0));
            out.extend_from_slice(short);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Bytes of a length that are believed: what is read here is far below 16 MB.
const LENGTH_BYTES_MAX: usize = 3;

/// Yes or no.
pub const BOOLEAN: u8 = 0x01;
/// A whole number.
pub const INTEGER: u8 = 0x02;
/// Bits.
pub const BIT_STRING: u8 = 0x03;
/// Bytes.
pub const OCTETS: u8 = 0x04;
/// An object's identifier.
pub const OBJECT: u8 = 0x06;
/// One of a few.
pub const ENUMERATED: u8 = 0x0a;
/// A text.
pub const UTF8_STRING: u8 = 0x0c;
/// A moment, the year in two digits.
pub const UTC_TIME: u8 = 0x17;
/// A moment, the year in four digits.
pub const GENERAL_TIME: u8 = 0x18;
/// A text in two bytes a letter.
pub const BMP_STRING: u8 = 0x1e;
/// Elements in order.
pub const SEQUENCE: u8 = 0x30;
/// Elements in no order.
pub const SET: u8 = 0x31;
/// A constructed, context-specific element; the number is added.
pub const CONTEXT: u8 = 0xa0;
/// A primitive, context-specific element; the number is added.
pub const PLAIN: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds() {
        assert_eq!(seconds(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, b"240229120000Z"), Some(1_709_208_000));
        assert_eq!(
            seconds(GENERAL_TIME, b"20500101000000Z"),
            Some(2_524_608_000)
        );
        assert_eq!(seconds(UTC_TIME, b"2402"), None);
    }

    #[test]
    fn times_are_read_as_they_were_made() {
        for moment in [
            0,
            951_782_400,
            1_709_208_000,
            2_524_607_999,
            2_524_608_000,
            4_107_542_399,
        ] {
            let made = time(moment);
            let read = Reader(&made).next().expect("an element");
            assert_eq!(seconds(read.tag, read.content), Some(moment));
        }
        assert_eq!(time(1_709_208_000), element(UTC_TIME, b"240229120000Z"));
    }

    #[test]
    fn elements_are_read_as_they_were_made() {
        for len in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; len];
            let made = element(OCTETS, &content);
            let read = Reader(&made).next().expect("an element");
            assert_eq!((read.tag, read.content), (OCTETS, &content[..]));
            assert_eq!(read.whole, &made[..]);
            assert!(Reader(&made[..made.len() - 1]).next().is_none());
        }
        assert!(
            Reader(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])
                .next()
                .is_none()
        );
    }
}
