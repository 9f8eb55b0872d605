//! Look-ups of whole words: `dir` between slashes, `dom` between the delimiters of host names.
//!
//! HAProxy drops delimiters at both ends of the pattern and looks for it where it begins the text
//! or follows a delimiter, and ends the text or is followed by one. Here each such start is one
//! prefix look-up.

use super::lines::Lines;
use super::sorted::{Reading, Sorted};

/// Words to be found between delimiters.
#[derive(Debug)]
pub(super) struct Inside {
    /// The patterns without delimiters at their ends, in the order of the list.
    words: Lines,
    sorted: Sorted,
    delimiters: &'static [u8],
}

/// What separates the words of a path.
pub(super) const DIR: &[u8] = b"/?";
/// What separates the words of a host name.
pub(super) const DOM: &[u8] = b"/?.:";

impl Inside {
    /// Every key of a list between `delimiters`.
    pub(super) fn new(lines: &Lines, delimiters: &'static [u8], fold: bool) -> Inside {
        let mut words = Lines::default();
        for row in lines.indices() {
            words.push(strip(lines.key(row), delimiters), b"");
        }
        let reading = Reading {
            backward: false,
            fold,
        };
        Inside {
            sorted: Sorted::new(&words, reading),
            words,
            delimiters,
        }
    }

    /// The first living line whose word stands in `text`.
    pub(super) fn first(&self, text: &[u8], alive: impl Fn(u32) -> bool) -> Option<u32> {
        let is_edge = |at: usize| text.get(at).is_none_or(|b| self.delimiters.contains(b));
        let starts = (0..text.len())
            .filter(|at| !self.delimiters.contains(&text[*at]) && (*at == 0 || is_edge(at - 1)));
        starts
            .flat_map(|at| {
                let rest = &text[at..];
                let words = &self.words;
                self.sorted.matching(words, rest).filter(move |row| {
                    let word = words.key(*row);
                    !word.is_empty() && is_edge(at + word.len())
                })
            })
            .filter(|row| alive(*row))
            .min()
    }
}

fn strip<'a>(mut word: &'a [u8], delimiters: &[u8]) -> &'a [u8] {
    while let [first, rest @ ..] = word
        && delimiters.contains(first)
    {
        word = rest;
    }
    while let [rest @ .., last] = word
        && delimiters.contains(last)
    {
        word = rest;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(delimiters: &'static [u8], words: &str, text: &str) -> Option<u32> {
        let lines = Lines::of_patterns(words.replace(' ', "\n").into_bytes());
        Inside::new(&lines, delimiters, false).first(text.as_bytes(), |_| true)
    }

    #[test]
    fn directories() {
        assert_eq!(finds(DIR, "/img", "/a/img/x"), Some(0));
        assert_eq!(finds(DIR, "img/", "/a/img?x"), Some(0));
        assert_eq!(finds(DIR, "img", "/a/imgs/x"), None);
        assert_eq!(finds(DIR, "a/img", "/a/img"), Some(0));
        assert_eq!(finds(DIR, "x img", "/img/x"), Some(0));
        assert_eq!(finds(DIR, "example.com", "/www.example.com/"), None);
    }

    #[test]
    fn domains() {
        assert_eq!(finds(DOM, "example.com", "www.example.com:80"), Some(0));
        assert_eq!(finds(DOM, ".com", "www.example.com"), Some(0));
        assert_eq!(finds(DOM, "ample.com", "www.example.com"), None);
        assert_eq!(finds(DOM, "www", "www.example.com"), Some(0));
    }
}
