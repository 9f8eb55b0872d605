//! Prefix and suffix look-ups: sorted keys, each knowing the longest other key it begins with.
//!
//! Of all keys that a text begins with, the longest is the rightmost sorted key that is not greater
//! than the text, or one of that key's own prefixes; the others are prefixes of it in turn. So a
//! look-up is one binary search and a walk along the chain.

use std::cmp::Ordering;

use super::lines::{Lines, narrow};

/// Keys in order.
#[derive(Debug)]
pub(super) struct Sorted {
    order: Vec<Place>,
    /// What every key begins with: it is compared once, not with every key.
    common_len: usize,
    reading: Reading,
}

/// One key in its place.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The first bytes after what all keys begin with: most comparisons end here, without looking
    /// at the text of the list.
    start: u128,
    row: u32,
    /// The place of the longest key that this one begins with.
    parent: u32,
}

/// How bytes are read when they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// From the last to the first: suffixes instead of prefixes.
    pub(super) backward: bool,
    /// Letters in either case are equal.
    pub(super) fold: bool,
}

/// No parent.
const NONE: u32 = u32::MAX;

impl Reading {
    fn byte(self, byte: u8) -> u8 {
        if self.fold {
            byte.to_ascii_lowercase()
        } else {
            byte
        }
    }

    fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match (self.backward, self.fold) {
            (false, false) => a.cmp(b),
            (false, true) => {
                let fold = |x: &[u8]| x.iter().map(|c| c.to_ascii_lowercase()).collect::<Folded>();
                fold(a).cmp(&fold(b))
            }
            (true, _) => {
                let a = a.iter().rev().map(|c| self.byte(*c));
                a.cmp(b.iter().rev().map(|c| self.byte(*c)))
            }
        }
    }

    /// The sixteen bytes after the first `skip`, as a number that sorts as they do.
    fn start(self, text: &[u8], skip: usize) -> u128 {
        let mut bytes = [0u8; 16];
        let rest = text.len().saturating_sub(skip).min(16);
        for (at, byte) in bytes.iter_mut().take(rest).enumerate() {
            let place = match self.backward {
                true => text.len() - 1 - skip - at,
                false => skip + at,
            };
            *byte = self.byte(text[place]);
        }
        u128::from_be_bytes(bytes)
    }

    /// How many bytes both begin with.
    fn common_len(self, a: &[u8], b: &[u8]) -> usize {
        let same = |(x, y): &(&u8, &u8)| self.byte(**x) == self.byte(**y);
        match self.backward {
            true => a.iter().rev().zip(b.iter().rev()).take_while(same).count(),
            false => a.iter().zip(b).take_while(same).count(),
        }
    }

    /// Whether `text` begins (or ends) with `part`.
    pub(super) fn begins(self, text: &[u8], part: &[u8]) -> bool {
        if part.len() > text.len() {
            return false;
        }
        let piece = if self.backward {
            &text[text.len() - part.len()..]
        } else {
            &text[..part.len()]
        };
        if self.fold {
            piece.eq_ignore_ascii_case(part)
        } else {
            piece == part
        }
    }
}

/// A folded key, on the stack unless it is long.
type Folded = smallvec::SmallVec<[u8; 64]>;

impl Sorted {
    /// Every key of a list, read in one way.
    pub(super) fn new(lines: &Lines, reading: Reading) -> Sorted {
        let common_len = lines
            .indices()
            .map(|row| reading.common_len(lines.key(0), lines.key(row)))
            .min()
            .unwrap_or(0);
        let mut order: Vec<Place> = lines
            .indices()
            .map(|row| Place {
                start: reading.start(lines.key(row), common_len),
                row,
                parent: NONE,
            })
            .collect();
        let compare = |a: &Place, b: &Place| {
            let texts = || reading.compare(lines.key(a.row), lines.key(b.row));
            let rows = || a.row.cmp(&b.row);
            a.start.cmp(&b.start).then_with(texts).then_with(rows)
        };
        if !order.is_sorted_by(|a, b| compare(a, b) != Ordering::Greater) {
            order.sort_unstable_by(compare);
        }
        let mut open: Vec<u32> = Vec::new();
        for place in 0..order.len() {
            let key = lines.key(order[place].row);
            while let Some(last) = open.last()
                && !reading.begins(key, lines.key(order[*last as usize].row))
            {
                open.pop();
            }
            order[place].parent = open.last().copied().unwrap_or(NONE);
            open.push(narrow(place));
        }
        Sorted {
            order,
            common_len,
            reading,
        }
    }

    /// Every line whose key `text` begins with, the longest keys first, of equal ones the last
    /// first.
    pub(super) fn matching<'s>(
        &'s self,
        lines: &'s Lines,
        text: &'s [u8],
    ) -> impl Iterator<Item = u32> + 's {
        let mut place = match self.order.len() {
            // There is nothing to search for, and the key is compared anyway.
            1 => 0,
            _ => self.last_before(lines, text),
        };
        std::iter::from_fn(move || {
            while place != NONE {
                let Place { row, parent, .. } = self.order[place as usize];
                place = parent;
                if self.reading.begins(text, lines.key(row)) {
                    return Some(row);
                }
            }
            None
        })
    }

    /// The place of the last key that is not greater than `text`, where it begins like all keys.
    fn last_before(&self, lines: &Lines, text: &[u8]) -> u32 {
        let Some(first) = self.order.first() else {
            return NONE;
        };
        let common = self.reading.common_len(text, lines.key(first.row));
        if common < self.common_len {
            return NONE;
        }
        let start = self.reading.start(text, self.common_len);
        let after = self
            .order
            .partition_point(|place| match place.start.cmp(&start) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => {
                    self.reading.compare(lines.key(place.row), text) != Ordering::Greater
                }
            });
        after.checked_sub(1).map_or(NONE, narrow)
    }

    /// The living line with the longest key that `text` begins with, of equal keys the first.
    pub(super) fn longest(
        &self,
        lines: &Lines,
        text: &[u8],
        alive: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let mut best: Option<u32> = None;
        for row in self.matching(lines, text) {
            if best.is_some_and(|b| lines.key(row).len() < lines.key(b).len()) {
                break;
            }
            if alive(row) {
                best = Some(best.map_or(row, |b| b.min(row)));
            }
        }
        best
    }

    /// The first living line whose key `text` begins with.
    pub(super) fn first(
        &self,
        lines: &Lines,
        text: &[u8],
        alive: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        self.matching(lines, text).filter(|row| alive(*row)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARD: Reading = Reading {
        backward: false,
        fold: false,
    };

    fn set(keys: &str, reading: Reading) -> (Lines, Sorted) {
        let lines = Lines::of_patterns(keys.replace(' ', "\n").into_bytes());
        let sorted = Sorted::new(&lines, reading);
        (lines, sorted)
    }

    #[test]
    fn longest_and_first() {
        let (lines, set) = set("/ /api/v1 /api /app /b /api", FORWARD);
        let key = |text: &str| {
            set.longest(&lines, text.as_bytes(), |_| true)
                .map(|r| r.to_string())
        };
        assert_eq!(key("/api/v1/x").as_deref(), Some("1"));
        assert_eq!(key("/api/v2").as_deref(), Some("2"));
        assert_eq!(key("/c").as_deref(), Some("0"));
        assert_eq!(key("x"), None);
        assert_eq!(set.first(&lines, b"/api/v1", |_| true), Some(0));
        assert_eq!(set.longest(&lines, b"/api", |r| r != 2), Some(5));
        assert_eq!(set.longest(&lines, b"/api", |r| r != 2 && r != 5), Some(0));
    }

    #[test]
    fn suffixes_and_case() {
        let reading = Reading {
            backward: true,
            fold: true,
        };
        let (lines, set) = set(".PNG .jpg g", reading);
        assert_eq!(set.longest(&lines, b"a.png", |_| true), Some(0));
        assert_eq!(set.longest(&lines, b"a.gif.JPG", |_| true), Some(1));
        assert_eq!(set.longest(&lines, b"a.bmg", |_| true), Some(2));
        assert_eq!(set.longest(&lines, b"a.bmp", |_| true), None);
    }

    #[test]
    fn agrees_with_a_plain_search() {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let word = |next: &mut dyn FnMut() -> u32| -> String {
            let len = 1 + next() % 5;
            (0..len)
                .map(|_| if next().is_multiple_of(2) { 'a' } else { 'b' })
                .collect()
        };
        for _ in 0..50 {
            let keys: Vec<String> = (0..20).map(|_| word(&mut next)).collect();
            let (lines, set) = set(&keys.join(" "), FORWARD);
            for _ in 0..50 {
                let text = word(&mut next);
                let hits = keys
                    .iter()
                    .enumerate()
                    .filter(|(_, k)| text.starts_with(*k));
                let longest = hits
                    .clone()
                    .max_by_key(|(at, k)| (k.len(), std::cmp::Reverse(*at)))
                    .map(|(at, _)| narrow(at));
                assert_eq!(set.longest(&lines, text.as_bytes(), |_| true), longest);
                let first = hits.map(|(at, _)| narrow(at)).next();
                assert_eq!(set.first(&lines, text.as_bytes(), |_| true), first);
            }
        }
    }
}
