//! Number patterns: single numbers, ranges, and the operators of ACLs.

use crate::value::parse_int;

use super::lines::Lines;

/// Numbers from `min` to `max`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
}

/// What stands before a number in an ACL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
    /// Less or equal.
    Le,
    /// Less.
    Lt,
}

impl Operator {
    /// The operator of this word.
    #[must_use]
    pub fn named(word: &[u8]) -> Option<Operator> {
        match word {
            b"eq" => Some(Operator::Eq),
            b"ge" => Some(Operator::Ge),
            b"gt" => Some(Operator::Gt),
            b"le" => Some(Operator::Le),
            b"lt" => Some(Operator::Lt),
            _ => None,
        }
    }

    /// The numbers that stand in this relation to `range`.
    #[must_use]
    pub fn of(self, range: Range) -> Range {
        match self {
            Operator::Eq => range,
            Operator::Ge => Range {
                max: i64::MAX,
                ..range
            },
            Operator::Gt => Range {
                min: range.min.saturating_add(1),
                max: i64::MAX,
            },
            Operator::Le => Range {
                min: i64::MIN,
                ..range
            },
            Operator::Lt => Range {
                min: i64::MIN,
                max: range.max.saturating_sub(1),
            },
        }
    }
}

impl Range {
    /// Reads `5`, `1:9`, `1-9`, `:9` or `1:`. A sign before the first digit separates nothing.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Range> {
        let number = |text: &[u8]| {
            let digits = text.strip_prefix(b"-").unwrap_or(text);
            let sound = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            sound.then(|| parse_int(text)).flatten()
        };
        let separates = |(at, byte): (usize, &u8)| *byte == b':' || *byte == b'-' && at > 0;
        match text.iter().enumerate().position(separates) {
            None => number(text).map(|n| Range { min: n, max: n }),
            Some(_) if text.len() == 1 => None,
            Some(colon) => {
                let (low, high) = (&text[..colon], &text[colon + 1..]);
                let min = if low.is_empty() {
                    i64::MIN
                } else {
                    number(low)?
                };
                let max = if high.is_empty() {
                    i64::MAX
                } else {
                    number(high)?
                };
                Some(Range { min, max })
            }
        }
    }

    /// Whether the number is within.
    #[must_use]
    pub fn has(self, number: i64) -> bool {
        (self.min..=self.max).contains(&number)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.min == self.max {
            return write!(f, "{}", self.min);
        }
        if self.min != i64::MIN {
            write!(f, "{}", self.min)?;
        }
        f.write_str(":")?;
        if self.max != i64::MAX {
            write!(f, "{}", self.max)?;
        }
        Ok(())
    }
}

/// Number patterns of a list.
#[derive(Debug)]
pub(super) struct Ranges {
    /// Single numbers in order, with their lines.
    single: Vec<(i64, u32)>,
    /// True ranges in the order of the list.
    wide: Vec<(Range, u32)>,
}

impl Ranges {
    /// Every key of a list.
    ///
    /// # Errors
    /// HAProxy's sentence about a key that is no number.
    pub(super) fn new(lines: &Lines) -> Result<Ranges, (u32, String)> {
        let mut ranges = Ranges {
            single: Vec::new(),
            wide: Vec::new(),
        };
        for row in lines.indices() {
            let key = lines.key(row);
            match Range::parse(key) {
                Some(range) if range.min > range.max => {
                    let shown = String::from_utf8_lossy(key);
                    return Err((row, format!("'{shown}' is not a valid number range")));
                }
                Some(range) if range.min == range.max => ranges.single.push((range.min, row)),
                Some(range) => ranges.wide.push((range, row)),
                None => {
                    let shown = String::from_utf8_lossy(key);
                    return Err((row, format!("'{shown}' is not a number")));
                }
            }
        }
        ranges.single.sort_unstable();
        Ok(ranges)
    }

    /// The first living line that has the number.
    pub(super) fn first(&self, number: i64, alive: impl Fn(u32) -> bool) -> Option<u32> {
        let from = self.single.partition_point(|(n, _)| *n < number);
        let single = self.single[from..]
            .iter()
            .take_while(|(n, _)| *n == number)
            .map(|(_, row)| *row)
            .find(|row| alive(*row));
        let wide = self
            .wide
            .iter()
            .filter(|(range, row)| range.has(number) && alive(*row))
            .map(|(_, row)| *row)
            .next();
        match (single, wide) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_with_colons_or_dashes() {
        let read = |text: &str| Range::parse(text.as_bytes()).map(|range| (range.min, range.max));
        assert_eq!(read("10-20"), Some((10, 20)));
        assert_eq!(read("-20:-10"), Some((-20, -10)));
        assert_eq!(read("-20--10"), Some((-20, -10)));
        assert_eq!(read("-5"), Some((-5, -5)));
        assert_eq!(read("5-"), Some((5, i64::MAX)));
        assert_eq!(read("-"), None);
    }

    #[test]
    fn ranges_are_read_and_written() {
        for text in ["5", "-5", "1:9", ":9", "1:"] {
            let range = Range::parse(text.as_bytes()).expect("legal");
            assert_eq!(range.to_string(), text);
        }
        for text in ["", ":", "a", "1:a", "1.5", "-"] {
            assert_eq!(Range::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn operators() {
        let three = Range { min: 3, max: 3 };
        let has = |op: Operator| [2, 3, 4].map(|n| op.of(three).has(n));
        assert_eq!(has(Operator::Eq), [false, true, false]);
        assert_eq!(has(Operator::Ge), [false, true, true]);
        assert_eq!(has(Operator::Gt), [false, false, true]);
        assert_eq!(has(Operator::Le), [true, true, false]);
        assert_eq!(has(Operator::Lt), [true, false, false]);
    }

    #[test]
    fn the_first_line_wins() {
        let lines = Lines::of_patterns(b"5\n1:9\n5\n100:\n".to_vec());
        let ranges = Ranges::new(&lines).expect("numbers");
        assert_eq!(ranges.first(5, |_| true), Some(0));
        assert_eq!(ranges.first(5, |row| row != 0), Some(1));
        assert_eq!(ranges.first(5, |row| row > 1), Some(2));
        assert_eq!(ranges.first(7, |_| true), Some(1));
        assert_eq!(ranges.first(1000, |_| true), Some(3));
        assert_eq!(ranges.first(50, |_| true), None);
        let bad = Lines::of_patterns(b"x".to_vec());
        assert_eq!(
            Ranges::new(&bad).expect_err("no number").1,
            "'x' is not a number"
        );
    }
}
