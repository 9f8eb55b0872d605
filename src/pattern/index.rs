//! One list of lines made ready for one way of matching.

use crate::codec::hex;
use crate::value::Value;

use super::exact::Exact;
use super::inside::{DIR, DOM, Inside};
use super::lines::Lines;
use super::method::Match;
use super::network::Networks;
use super::number::Ranges;
use super::regexes::Regexes;
use super::sorted::{Reading, Sorted};
use super::substring::Substring;

/// The structure that fits the way of matching.
#[derive(Debug)]
pub(super) enum Index {
    /// Patterns play no part.
    None,
    /// Texts and methods.
    Exact(Exact),
    /// Bytes, decoded from hexadecimal.
    Bytes(Lines, Exact),
    /// Beginnings.
    Prefix(Sorted),
    /// Ends.
    Suffix(Sorted),
    /// Whole words.
    Inside(Inside),
    /// Substrings.
    Substring(Substring),
    /// Regular expressions.
    Regexes(Regexes),
    /// Numbers and lengths.
    Ranges(Ranges),
    /// Networks.
    Networks(Networks),
}

/// A line that matched, and how closely: where the closest match counts rather than the first,
/// the greater weight is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// The line.
    pub(super) row: u32,
    /// How close; 0 where the first counts.
    pub(super) weight: u32,
}

impl Index {
    /// The index of a list.
    ///
    /// # Errors
    /// The line that cannot be such a pattern, and HAProxy's sentence about it.
    pub(super) fn new(lines: &Lines, method: Match, fold: bool) -> Result<Index, (u32, String)> {
        let reading = |backward| Reading { backward, fold };
        Ok(match method {
            Match::Found | Match::Bool => Index::None,
            Match::Str | Match::Method => Index::Exact(Exact::new(lines, fold)),
            Match::Bin => {
                let mut decoded = Lines::default();
                for row in lines.indices() {
                    let key = lines.key(row);
                    let odd = key.iter().find(|b| !b.is_ascii_hexdigit());
                    let bytes = hex::decode(key).ok_or_else(|| {
                        let why = match odd {
                            Some(b) => {
                                format!("an hex digit is expected (found '{}')", char::from(*b))
                            }
                            None => "an even number of hex digit is expected".to_string(),
                        };
                        (row, why)
                    })?;
                    decoded.push(&bytes, b"");
                }
                let exact = Exact::new(&decoded, false);
                Index::Bytes(decoded, exact)
            }
            Match::Beg => Index::Prefix(Sorted::new(lines, reading(false))),
            Match::End => Index::Suffix(Sorted::new(lines, reading(true))),
            Match::Dir => Index::Inside(Inside::new(lines, DIR, fold)),
            Match::Dom => Index::Inside(Inside::new(lines, DOM, fold)),
            Match::Sub => Index::Substring(Substring::new(lines, fold).map_err(|why| (0, why))?),
            Match::Reg => Index::Regexes(Regexes::new(lines, fold)?),
            Match::Int | Match::Len => Index::Ranges(Ranges::new(lines)?),
            Match::Ip => Index::Networks(Networks::new(lines)?),
        })
    }

    /// The living line that the value matches.
    pub(super) fn find(
        &self,
        lines: &Lines,
        value: &Value<'_>,
        alive: impl Fn(u32) -> bool,
    ) -> Option<Hit> {
        let first = |row: Option<u32>| row.map(|row| Hit { row, weight: 0 });
        match self {
            Index::None => None,
            Index::Ranges(ranges) => {
                let number = match value {
                    Value::Str(text) => i64::try_from(text.len()).ok()?,
                    other => other.integer()?,
                };
                first(ranges.first(number, alive))
            }
            Index::Networks(networks) => networks.find(value.address()?, alive).map(|row| Hit {
                row,
                weight: network_weight(lines.key(row)),
            }),
            Index::Exact(exact) => first(exact.find(lines, value.as_bytes()?, alive)),
            Index::Bytes(decoded, exact) => first(exact.find(decoded, value.as_bytes()?, alive)),
            Index::Prefix(sorted) => {
                let row = sorted.longest(lines, value.as_bytes()?, alive)?;
                let weight = super::lines::narrow(lines.key(row).len());
                Some(Hit { row, weight })
            }
            Index::Suffix(sorted) => first(sorted.first(lines, value.as_bytes()?, alive)),
            Index::Inside(inside) => first(inside.first(value.as_bytes()?, alive)),
            Index::Substring(set) => first(set.first(value.as_bytes()?, alive)),
            Index::Regexes(regexes) => first(regexes.first(value.as_bytes()?, alive)),
        }
    }

    /// The regular expressions, when the index is of those.
    pub(super) fn regexes(&self) -> Option<&Regexes> {
        match self {
            Index::Regexes(regexes) => Some(regexes),
            _ => None,
        }
    }
}

/// The length of a network's prefix; only compared where several lists are looked through.
fn network_weight(key: &[u8]) -> u32 {
    let Some(slash) = key.iter().position(|b| *b == b'/') else {
        return u32::from(u8::MAX);
    };
    std::str::from_utf8(&key[slash + 1..])
        .ok()
        .and_then(|len| len.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(method: Match, keys: &str, value: &Value<'_>) -> Option<u32> {
        let lines = Lines::of_patterns(keys.replace(' ', "\n").into_bytes());
        let index = Index::new(&lines, method, false).expect("patterns");
        index.find(&lines, value, |_| true).map(|hit| hit.row)
    }

    #[test]
    fn every_method_finds_its_line() {
        let text = Value::str(b"/img/a.png");
        assert_eq!(row(Match::Str, "x /img/a.png", &text), Some(1));
        assert_eq!(row(Match::Beg, "x /img", &text), Some(1));
        assert_eq!(row(Match::End, "x .png", &text), Some(1));
        assert_eq!(row(Match::Sub, "x g/a", &text), Some(1));
        assert_eq!(row(Match::Dir, "x img", &text), Some(1));
        assert_eq!(row(Match::Dom, "x png", &text), Some(1));
        assert_eq!(row(Match::Reg, "^x a.p", &text), Some(1));
        assert_eq!(row(Match::Len, "9 10", &text), Some(1));
        assert_eq!(row(Match::Int, "9 10", &Value::Int(10)), Some(1));
        assert_eq!(row(Match::Bin, "00 4142", &Value::bin(b"AB")), Some(1));
        let addr = Value::str(b"10.0.0.1")
            .cast(crate::value::Kind::Addr)
            .expect("address");
        assert_eq!(row(Match::Ip, "::1 10.0.0.0/8", &addr), Some(1));
        assert_eq!(row(Match::Found, "x", &text), None);
    }

    #[test]
    fn bad_patterns_are_named() {
        let lines = Lines::of_patterns(b"41\nxyz\n".to_vec());
        let (row, _) = Index::new(&lines, Match::Bin, false).expect_err("no hexadecimal");
        assert_eq!(row, 1);
    }
}
