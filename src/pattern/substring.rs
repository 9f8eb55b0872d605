//! Substring look-ups: one searcher for one pattern, an automaton for many.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use memchr::memmem::Finder;

use super::lines::{Lines, narrow};

/// Texts to be found inside another.
#[derive(Debug)]
pub(super) enum Substring {
    /// A few case-sensitive ones, each with its searcher.
    Few(Vec<Finder<'static>>),
    /// Many, or any in either case, in one automaton.
    Many(Box<AhoCorasick>),
    /// None.
    Empty,
}

/// How many searchers run one after the other before an automaton pays.
const FEW: usize = 4;

impl Substring {
    /// Every key of a list.
    ///
    /// # Errors
    /// The automaton would be too large.
    pub(super) fn new(lines: &Lines, fold: bool) -> Result<Substring, String> {
        if lines.is_empty() {
            return Ok(Substring::Empty);
        }
        let keys = lines.indices().map(|row| lines.key(row));
        if lines.len() <= FEW && !fold {
            let owned = keys.map(|key| Finder::new(key).into_owned());
            return Ok(Substring::Few(owned.collect()));
        }
        AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(fold)
            .build(keys)
            .map(|automaton| Substring::Many(Box::new(automaton)))
            .map_err(|fault| fault.to_string())
    }

    /// The first living line whose key stands in `text`.
    pub(super) fn first(&self, text: &[u8], alive: impl Fn(u32) -> bool) -> Option<u32> {
        match self {
            Substring::Empty => None,
            Substring::Few(finders) => finders
                .iter()
                .position_of(|(row, finder)| alive(row) && finder.find(text).is_some()),
            Substring::Many(automaton) => automaton
                .find_overlapping_iter(text)
                .map(|hit| hit.pattern().as_u32())
                .filter(|row| alive(*row))
                .min(),
        }
    }
}

/// The index of the first item that passes, as a row.
trait PositionOf<T> {
    fn position_of(self, pass: impl Fn((u32, T)) -> bool) -> Option<u32>;
}

impl<T, I: Iterator<Item = T>> PositionOf<T> for I {
    fn position_of(self, pass: impl Fn((u32, T)) -> bool) -> Option<u32> {
        self.enumerate().find_map(|(at, item)| {
            let row = narrow(at);
            pass((row, item)).then_some(row)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(keys: &str, fold: bool, text: &str) -> Option<u32> {
        let lines = Lines::of_patterns(keys.replace(' ', "\n").into_bytes());
        Substring::new(&lines, fold)
            .expect("small")
            .first(text.as_bytes(), |_| true)
    }

    #[test]
    fn few_and_many_agree() {
        assert_eq!(first("b c", false, "xcxb"), Some(0));
        assert_eq!(first("b c d e f g", false, "xcxgb"), Some(0));
        assert_eq!(first("b c d e f g", false, "xgx"), Some(5));
        assert_eq!(first("B", true, "xb"), Some(0));
        assert_eq!(first("B", false, "xb"), None);
        assert_eq!(first("abc bc", false, "xabcx"), Some(0));
        assert_eq!(first("bc abc", false, "xabcx"), Some(0));
    }

    #[test]
    fn the_empty_text_is_everywhere() {
        let mut lines = Lines::default();
        lines.push(b"", b"");
        let set = Substring::new(&lines, false).expect("small");
        assert_eq!(set.first(b"", |_| true), Some(0));
        assert_eq!(set.first(b"x", |_| true), Some(0));
    }
}
