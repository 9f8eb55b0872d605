//! A list of regular expressions, tried in the order of the list.

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::lines::{Lines, narrow};
use super::regex::{Groups, Regex};
use super::translate::translate;

/// The expressions of a list.
#[derive(Debug)]
pub(super) struct Regexes {
    list: Vec<Regex>,
    /// All of them in one automaton, when there are enough for it to pay.
    set: Option<RegexSet>,
}

/// From how many expressions on one automaton pays.
const SET_LEN_MIN: usize = 6;
/// The largest such automaton.
const SET_BYTES_MAX: usize = 32 << 20;

impl Regexes {
    /// Every key of a list.
    ///
    /// # Errors
    /// HAProxy's sentence about a key that is no expression.
    pub(super) fn new(lines: &Lines, fold: bool) -> Result<Regexes, (u32, String)> {
        let list = lines
            .indices()
            .map(|row| Regex::new(lines.key(row), fold).map_err(|why| (row, why)))
            .collect::<Result<Vec<_>, _>>()?;
        let set = (list.len() >= SET_LEN_MIN).then(|| {
            let sources = lines
                .indices()
                .filter_map(|row| translate(lines.key(row)).ok());
            RegexSetBuilder::new(sources)
                .unicode(false)
                .case_insensitive(fold)
                .size_limit(SET_BYTES_MAX)
                .dfa_size_limit(SET_BYTES_MAX)
                .build()
                .ok()
        });
        Ok(Regexes {
            list,
            set: set.flatten(),
        })
    }

    /// The first living line whose expression finds something.
    pub(super) fn first(&self, text: &[u8], alive: impl Fn(u32) -> bool) -> Option<u32> {
        if let Some(set) = &self.set {
            return set.matches(text).iter().map(narrow).find(|row| alive(*row));
        }
        let hits = |(_, regex): &(usize, &Regex)| regex.is_match(text);
        let mut rows = self
            .list
            .iter()
            .enumerate()
            .filter(hits)
            .map(|(at, _)| narrow(at));
        rows.find(|row| alive(*row))
    }

    /// The groups of a line's expression in a text it matches.
    pub(super) fn groups(&self, row: u32, text: &[u8]) -> Option<Groups> {
        self.list.get(row as usize)?.groups(text, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_by_one_and_together() {
        let few = Lines::of_patterns(b"^b\na$\n".to_vec());
        let many = Lines::of_patterns(b"^b\na$\nq\nr\ns\nt\nu\n".to_vec());
        for lines in [few, many] {
            let set = Regexes::new(&lines, false).expect("legal");
            assert_eq!(set.first(b"ba", |_| true), Some(0));
            assert_eq!(set.first(b"ba", |row| row > 0), Some(1));
            assert_eq!(set.first(b"ab", |_| true), None);
        }
        let bad = Lines::of_patterns(b"a\n(\n".to_vec());
        assert_eq!(Regexes::new(&bad, false).expect_err("unclosed").0, 1);
    }
}
