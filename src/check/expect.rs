//! What a check expects of an answer.

use regex::bytes::Regex;

use super::Status;
use super::script::{Phrase, Text};
use crate::http::{Head, Values};
use crate::sample::Facts;
use std::sync::Arc;

/// An expectation.
#[derive(Clone, Debug)]
pub struct Expect {
    /// What is looked for.
    pub what: What,
    /// `!`: it must not be there.
    pub negated: bool,
    /// `min-recv`: judge once so many bytes have come.
    pub min_bytes: Option<usize>,
    /// `ok-status`.
    pub ok: Option<Status>,
    /// `error-status`.
    pub error: Option<Status>,
    /// `tout-status`.
    pub timeout: Option<Status>,
    /// `on-success`.
    pub on_success: Option<Arc<dyn Phrase>>,
    /// `on-error`.
    pub on_error: Option<Arc<dyn Phrase>>,
    /// `status-code`.
    pub code: Option<Arc<dyn Phrase>>,
}

impl Expect {
    /// A plain expectation.
    pub fn of(what: What) -> Expect {
        Expect {
            what,
            negated: false,
            min_bytes: None,
            ok: None,
            error: None,
            timeout: None,
            on_success: None,
            on_error: None,
            code: None,
        }
    }
}

/// What is looked for.
#[derive(Clone, Debug)]
pub enum What {
    /// `string`, `string-lf`: these bytes, anywhere.
    Bytes(Text),
    /// `binary`, `binary-lf`: bytes given in hexadecimal; a made text is hexadecimal too.
    Binary(Text),
    /// `rstring`: a match, anywhere.
    Pattern(Regex),
    /// `rbinary`: a match in the hexadecimal writing of the bytes.
    HexPattern(Regex),
    /// `status`: one of these ranges.
    Status(Vec<(u16, u16)>),
    /// `rstatus`.
    StatusPattern(Regex),
    /// `hdr`, `fhdr`.
    Field {
        /// Which names.
        name: Match,
        /// Which values; any when none is given.
        value: Option<Match>,
        /// `fhdr`, `full`: whole lines rather than comma-separated values.
        full: bool,
    },
}

/// A way to compare a text (`-m …`).
#[derive(Clone, Debug)]
pub enum Match {
    /// Equal.
    Exact(Text),
    /// At its beginning.
    Begins(Text),
    /// At its end.
    Ends(Text),
    /// Anywhere.
    Contains(Text),
    /// By pattern.
    Pattern(Regex),
}

impl Match {
    fn test(&self, text: &[u8], facts: &Facts<'_>) -> bool {
        match self {
            Match::Exact(want) => text == want.value(facts),
            Match::Begins(want) => text.starts_with(&want.value(facts)),
            Match::Ends(want) => text.ends_with(&want.value(facts)),
            Match::Contains(want) => memchr::memmem::find(text, &want.value(facts)).is_some(),
            Match::Pattern(pattern) => pattern.is_match(text),
        }
    }

    /// As [`Match::test`] for field names, which know no case.
    fn test_name(&self, name: &[u8], facts: &Facts<'_>) -> bool {
        match self {
            Match::Exact(want) => name.eq_ignore_ascii_case(&want.value(facts)),
            Match::Begins(want) => name.starts_with(&want.value(facts).to_ascii_lowercase()),
            Match::Ends(want) => name.ends_with(&want.value(facts).to_ascii_lowercase()),
            Match::Contains(want) => {
                memchr::memmem::find(name, &want.value(facts).to_ascii_lowercase()).is_some()
            }
            Match::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

impl What {
    /// The expectation HAProxy adds to an `httpchk` without any.
    pub fn good_status() -> What {
        What::Status(vec![(200, 399)])
    }

    /// Whether the bytes of an answer have what is looked for; for expectations of heads there is nothing to find in them.
    pub fn found_in(&self, bytes: &[u8], facts: &Facts<'_>) -> bool {
        match self {
            What::Bytes(want) => memchr::memmem::find(bytes, &want.value(facts)).is_some(),
            What::Binary(Text::Plain(want)) => memchr::memmem::find(bytes, want).is_some(),
            What::Binary(made) => unhex(&made.value(facts))
                .is_some_and(|want| memchr::memmem::find(bytes, &want).is_some()),
            What::Pattern(pattern) => pattern.is_match(bytes),
            What::HexPattern(pattern) => pattern.is_match(&hex(bytes)),
            What::Status(_) | What::StatusPattern(_) | What::Field { .. } => false,
        }
    }

    /// Whether the head of a response has what is looked for; none when that is a matter of the body.
    pub fn found_in_head(&self, head: &Head, facts: &Facts<'_>) -> Option<bool> {
        match self {
            What::Status(ranges) => {
                let code = head.status().code();
                Some(
                    ranges
                        .iter()
                        .any(|&(first, last)| (first..=last).contains(&code)),
                )
            }
            What::StatusPattern(pattern) => Some(pattern.is_match(&head.status().digits())),
            What::Field { name, value, full } => Some(head.fields().any(|(found, line)| {
                name.test_name(found, facts)
                    && match value {
                        None => true,
                        Some(value) if *full => value.test(line, facts),
                        Some(value) => Values::of(line).any(|part| value.test(part, facts)),
                    }
            })),
            What::Bytes(_) | What::Binary(_) | What::Pattern(_) | What::HexPattern(_) => None,
        }
    }

    /// As reports name it: ` (expect string 'x')`.
    pub fn name(&self) -> String {
        match self {
            What::Bytes(Text::Plain(want)) => format!(" (expect string '{}')", shown(want)),
            What::Bytes(Text::Made(_)) => " (expect log-format string)".to_owned(),
            What::Binary(Text::Plain(want)) => format!(" (expect binary '{}')", shown(&hex(want))),
            What::Binary(Text::Made(_)) => " (expect log-format binary)".to_owned(),
            What::Pattern(_) => " (expect regex)".to_owned(),
            What::HexPattern(_) => " (expect binary regex)".to_owned(),
            What::Status(_) => " (expect HTTP status codes)".to_owned(),
            What::StatusPattern(_) => " (expect HTTP status regex)".to_owned(),
            What::Field { .. } => " (expect HTTP header pattern)".to_owned(),
        }
    }

    /// As a mismatch names it: ` 'x'`.
    pub fn mismatch(&self) -> String {
        match self {
            What::Bytes(Text::Plain(want)) => format!(" '{}'", shown(want)),
            What::Binary(Text::Plain(want)) => format!(" '{}'", shown(&hex(want))),
            What::Pattern(_) | What::HexPattern(_) => " (regex)".to_owned(),
            What::Bytes(_) | What::Binary(_) => " (log-format)".to_owned(),
            What::Status(_) | What::StatusPattern(_) | What::Field { .. } => String::new(),
        }
    }
}

/// Bytes for a report: one line, printable.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .collect()
}

/// Bytes from hexadecimal digits; none when they are none or not in pairs.
pub fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Status as Code, Version};

    fn plain(text: &str) -> Text {
        Text::Plain(text.into())
    }

    #[test]
    fn bytes_and_patterns() {
        let facts = Facts::none();
        let found = |what: What, bytes: &[u8]| what.found_in(bytes, &facts);
        assert!(found(What::Bytes(plain("b")), b"abc") && !found(What::Bytes(plain("d")), b"abc"));
        assert!(found(What::Binary(Text::Plain(vec![0, 1])), b"x\0\x01y"));
        assert!(found(
            What::Pattern(Regex::new("^a.c").expect("a pattern")),
            b"abc"
        ));
        assert!(found(
            What::HexPattern(Regex::new("^52000000").expect("a pattern")),
            b"R\0\0\0"
        ));
        assert_eq!(unhex(b"0aFf"), Some(vec![10, 255]));
        assert_eq!((unhex(b"0"), unhex(b"0g")), (None, None));
    }

    #[test]
    fn heads() {
        let facts = Facts::none();
        let mut head = Head::new();
        head.set_response(Version::Http11, Code::new(202), b"");
        head.push(b"X-Test1", b"true, next value");
        let found = |what: What| what.found_in_head(&head, &facts);
        assert_eq!(
            found(What::Status(vec![(200, 201), (203, 299)])),
            Some(false)
        );
        assert_eq!(found(What::Status(vec![(200, 399)])), Some(true));
        assert_eq!(
            found(What::StatusPattern(Regex::new("^[23]").expect("a pattern"))),
            Some(true)
        );
        assert_eq!(found(What::Bytes(plain("x"))), None);
        let field = |name: Match, value: Option<Match>, full| {
            found(What::Field { name, value, full }).expect("a head")
        };
        assert!(field(Match::Exact(plain("X-TEST1")), None, false));
        assert!(field(
            Match::Begins(plain("X-Te")),
            Some(Match::Exact(plain("true"))),
            false
        ));
        assert!(!field(
            Match::Ends(plain("1")),
            Some(Match::Exact(plain("true"))),
            true
        ));
        assert!(field(
            Match::Contains(plain("-T")),
            Some(Match::Exact(plain("true, next value"))),
            true
        ));
        assert!(!field(Match::Exact(plain("other")), None, false));
    }

    #[test]
    fn names_for_reports() {
        assert_eq!(
            What::Bytes(plain("+PONG\r\n")).name(),
            " (expect string '+PONG\\r\\n')"
        );
        assert_eq!(What::Binary(Text::Plain(vec![3, 4])).mismatch(), " '0304'");
    }
}
