//! The few fields of an X.509 certificate (RFC 5280 section 4.1) that choosing one by name needs.
//!
//! Whether a certificate is sound is the verifier's business; here a malformed one just has no fields.

/// What a certificate says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// The last common name of the subject.
    pub(super) common_name: Option<String>,
    /// The names of the host it is for.
    pub(super) dns_names: Vec<String>,
    /// The last second it is valid, since the epoch.
    pub(super) not_after: i64,
}

/// Reads the fields of a certificate.
pub(super) fn fields(der: &[u8]) -> Option<Fields> {
    let certificate = Reader(der).open(SEQUENCE)?;
    let mut body = Reader(certificate).open(SEQUENCE).map(Reader)?;
    if body.peek() == Some(CONTEXT) {
        body.next()?;
    }
    for _ in ["serial", "algorithm", "issuer"] {
        body.next()?;
    }
    let mut validity = Reader(body.next()?.1);
    validity.next()?;
    let (kind, until) = validity.next()?;
    let mut fields = Fields {
        common_name: common_name(body.next()?.1),
        not_after: seconds(kind, until)?,
        ..Fields::default()
    };
    while let Some((kind, content)) = body.next() {
        if kind == CONTEXT | 3 {
            fields.dns_names = dns_names(content).unwrap_or_default();
        }
    }
    Some(fields)
}

fn common_name(subject: &[u8]) -> Option<String> {
    let mut found = None;
    let mut sets = Reader(subject);
    while let Some((_, set)) = sets.next() {
        let mut pair = Reader(Reader(set).open(SEQUENCE)?);
        let (_, kind) = pair.next()?;
        let (_, text) = pair.next()?;
        if kind == COMMON_NAME {
            found = std::str::from_utf8(text).ok().map(str::to_owned);
        }
    }
    found
}

fn dns_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut list = Reader(Reader(extensions).open(SEQUENCE)?);
    while let Some((_, extension)) = list.next() {
        let mut parts = Reader(extension);
        if parts.next()?.1 != ALTERNATIVE_NAMES {
            continue;
        }
        let mut value = parts.next()?;
        if value.0 == BOOLEAN {
            value = parts.next()?;
        }
        let mut general = Reader(Reader(value.1).open(SEQUENCE)?);
        while let Some((kind, name)) = general.next() {
            if kind == DNS_NAME
                && let Ok(name) = std::str::from_utf8(name)
            {
                names.push(name.to_owned());
            }
        }
    }
    Some(names)
}

/// A UTCTime or GeneralizedTime in seconds since the epoch.
fn seconds(kind: u8, text: &[u8]) -> Option<i64> {
    let digits = |at: usize, count: usize| -> Option<i64> {
        std::str::from_utf8(text.get(at..at + count)?)
            .ok()?
            .parse()
            .ok()
    };
    let (year, at) = match kind {
        UTC_TIME => {
            let short = digits(0, 2)?;
            (
                if short < 50 {
                    2000 + short
                } else {
                    1900 + short
                },
                2,
            )
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

/// Walks elements with definite lengths.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&kind, rest) = self.0.split_first()?;
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
        Some((kind, content))
    }

    fn open(mut self, wanted: u8) -> Option<&'a [u8]> {
        let (kind, content) = self.next()?;
        (kind == wanted).then_some(content)
    }
}

/// Bytes of a length that are believed: certificates are far below 16 MB.
const LENGTH_BYTES_MAX: usize = 3;

const BOOLEAN: u8 = 0x01;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const CONTEXT: u8 = 0xa0;
const DNS_NAME: u8 = 0x82;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds() {
        assert_eq!(seconds(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, b"240229120000Z"), Some(1_709_208_000));
        assert_eq!(seconds(0x18, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, b"2402"), None);
    }

    #[test]
    fn garbage_has_no_fields() {
        for cut in 0..64 {
            assert_eq!(fields(&vec![0x30; cut]), None);
        }
        assert_eq!(fields(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
