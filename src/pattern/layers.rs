//! The lines of a reference as edits leave them: lists one after the other, and the lines in them that died.
//!
//! The first list is what the configuration or a version brought. An edit makes the next [`Layers`] of these and leaves these
//! as they are: [`super::reference`] shows the next ones once every view can. Added lines make short lists at the end, which are
//! merged as they grow, each at least [`GROWTH`] times as long as the next, so that an edit of a long list costs the
//! logarithm of its length on average.
//!
//! Always true: numbers grow along every list and from list to list, and no number is given twice. Nothing here knows views,
//! versions or locks.

use std::collections::HashSet;
use std::sync::Arc;

use super::exact::Exact;
use super::lines::Lines;

/// Lists, the numbers of their dead lines, and the next number.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    lists: Vec<Keyed>,
    dead: Arc<HashSet<u32>>,
    next_id: u32,
}

/// A list, and its keys by hash once an edit asked for one.
#[derive(Debug, Clone)]
struct Keyed {
    lines: Arc<Lines>,
    keys: Option<Arc<Exact>>,
}

/// Up to how many lines the last list is rewritten whole with each edit.
const TAIL_LEN: usize = 64;
/// How many times longer than the next a list must be.
const GROWTH: usize = 4;
/// Up to how many lines an edit rewrites everything and so keeps the order of lines.
const WHOLE_LEN: usize = 256;
/// How many dead lines are kept before the lists are cleaned, beside a sixteenth of all lines.
const DEAD_LEN: usize = 1024;

impl Layers {
    /// These lines alone, numbered on from their last.
    pub(super) fn new(lines: Lines) -> Layers {
        let last = lines.indices().last();
        Layers {
            next_id: last.map_or(0, |row| lines.row(row).id + 1),
            lists: vec![Keyed::new(lines)],
            dead: Arc::default(),
        }
    }

    /// The list that the views read without a lock until the first edit.
    pub(super) fn first(&self) -> &Arc<Lines> {
        &self.lists[0].lines
    }

    /// Every list, in order.
    pub(super) fn lists(&self) -> impl Iterator<Item = &Arc<Lines>> {
        self.lists.iter().map(|list| &list.lines)
    }

    /// The numbers of the lines that died.
    pub(super) fn dead(&self) -> &Arc<HashSet<u32>> {
        &self.dead
    }

    /// How many lines live.
    pub(super) fn len(&self) -> usize {
        self.total() - self.dead.len()
    }

    /// The living lines, in order: number, key and value.
    pub(super) fn living(&self) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
        let lines = self.lists.iter().flat_map(|list| list.lines.iter());
        lines.filter(|(id, _, _)| !self.dead.contains(id))
    }

    /// The numbers of the living lines with this key.
    pub(super) fn ids_of(&mut self, key: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        for list in &mut self.lists {
            let lines = &list.lines;
            let keys = list
                .keys
                .get_or_insert_with(|| Arc::new(Exact::new(lines, false)));
            let mut found: Vec<u32> = Vec::new();
            while let Some(row) = keys.find(lines, key, |row| {
                !found.contains(&row) && !self.dead.contains(&lines.row(row).id)
            }) {
                found.push(row);
            }
            ids.extend(found.iter().map(|row| lines.row(*row).id));
        }
        ids
    }

    /// A number for a line that stands elsewhere until it is committed.
    pub(super) fn mint(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Other lines in place of all of these.
    pub(super) fn replaced_by(&self, lines: Lines) -> Layers {
        Layers {
            lists: vec![Keyed::new(lines)],
            dead: Arc::default(),
            next_id: self.next_id,
        }
    }

    /// These and one more line at the end.
    pub(super) fn with(&self, key: &[u8], value: &[u8]) -> Layers {
        let mut next = self.clone();
        next.append(key, value);
        next
    }

    /// These with another value in the lines of these numbers; none if a line is not there, or there is no number.
    pub(super) fn with_value(&self, ids: &[u32], value: &[u8]) -> Option<Layers> {
        if ids.is_empty() {
            return None;
        }
        let mut next = self.clone();
        for id in ids {
            let key = self.key_of(*id)?;
            if next.total() <= WHOLE_LEN {
                next.rewrite(|line, key, old, new| {
                    new.push_numbered(key, if line == *id { value } else { old }, line);
                });
            } else {
                Arc::make_mut(&mut next.dead).insert(*id);
                next.append(key, value);
            }
        }
        Some(next)
    }

    /// These without the lines of these numbers; none if a line is not there, or there is no number.
    pub(super) fn without(&self, ids: &[u32]) -> Option<Layers> {
        if ids.is_empty() || ids.iter().any(|id| self.key_of(*id).is_none()) {
            return None;
        }
        let mut next = self.clone();
        if next.total() <= WHOLE_LEN {
            next.rewrite(|line, key, value, new| {
                if !ids.contains(&line) {
                    new.push_numbered(key, value, line);
                }
            });
        } else {
            Arc::make_mut(&mut next.dead).extend(ids);
            if next.dead.len() > DEAD_LEN + next.total() / 16 {
                next.rewrite(|line, key, value, new| new.push_numbered(key, value, line));
            }
        }
        Some(next)
    }

    /// How many lines there are, dead ones among them.
    fn total(&self) -> usize {
        self.lists.iter().map(|list| list.lines.len()).sum()
    }

    /// The key of the living line with a number.
    fn key_of(&self, wanted: u32) -> Option<&[u8]> {
        if self.dead.contains(&wanted) {
            return None;
        }
        self.lists.iter().find_map(|list| {
            let row = list.lines.position(wanted)?;
            Some(list.lines.key(row))
        })
    }

    fn append(&mut self, key: &[u8], value: &[u8]) {
        let id = self.mint();
        // The first list is kept as it is: the views read it without a lock until the first edit.
        let mut tail = match self.lists.last() {
            Some(last) if self.lists.len() > 1 && last.lines.len() < TAIL_LEN => {
                let lines = (*last.lines).clone();
                self.lists.pop();
                lines
            }
            _ => Lines::default(),
        };
        tail.push_numbered(key, value, id);
        self.lists.push(Keyed::new(tail));
        while let [.., before, last] = self.lists.as_slice()
            && last.lines.len() * GROWTH >= before.lines.len()
            && last.lines.len() >= TAIL_LEN
        {
            let merged = self.merged(self.lists.len() - 2);
            self.lists.truncate(self.lists.len() - 2);
            self.lists.push(Keyed::new(merged));
        }
    }

    /// The living lines of the lists from `from` on, as one; their dead ones are forgotten.
    fn merged(&mut self, from: usize) -> Lines {
        let mut merged = Lines::default();
        for list in &self.lists[from..] {
            for (id, key, value) in list.lines.iter() {
                if self.dead.contains(&id) {
                    Arc::make_mut(&mut self.dead).remove(&id);
                } else {
                    merged.push_numbered(key, value, id);
                }
            }
        }
        merged
    }

    /// Makes one list of what `change` makes of each living line.
    fn rewrite(&mut self, change: impl Fn(u32, &[u8], &[u8], &mut Lines)) {
        let mut new = Lines::default();
        for (id, key, value) in self.living() {
            change(id, key, value, &mut new);
        }
        *self = self.replaced_by(new);
    }
}

impl Keyed {
    fn new(lines: Lines) -> Keyed {
        Keyed {
            lines: Arc::new(lines),
            keys: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(lines: usize) -> Layers {
        let text: String = (0..lines).map(|n| format!("k{n} v\n")).collect();
        Layers::new(Lines::of_map(text.into_bytes()))
    }

    fn keys(layers: &Layers) -> Vec<String> {
        let keys = layers.living().map(|(_, key, _)| key);
        keys.map(|key| String::from_utf8_lossy(key).into_owned())
            .collect()
    }

    #[test]
    fn an_edit_leaves_what_it_began_with() {
        let before = layers(2);
        let after = before.with(b"k2", b"v").without(&[0]).expect("there");
        assert_eq!(keys(&before), ["k0", "k1"]);
        assert_eq!(keys(&after), ["k1", "k2"]);
        assert_eq!((before.len(), after.len()), (2, 2));
        assert!(before.without(&[2]).is_none() && before.without(&[]).is_none());
        assert!(after.with_value(&[0], b"w").is_none());
    }

    #[test]
    fn short_lists_keep_their_order() {
        let edited = layers(3).with_value(&[1], b"w").expect("there");
        assert_eq!(keys(&edited), ["k0", "k1", "k2"]);
        let value = edited.living().find(|(_, key, _)| *key == b"k1");
        assert_eq!(
            value.map(|(id, _, value)| (id, value)),
            Some((1, &b"w"[..]))
        );
    }

    #[test]
    fn long_lists_are_added_to_and_merged() {
        let mut grown = layers(300);
        for n in 300..2300 {
            grown = grown.with(format!("k{n}").as_bytes(), b"v");
        }
        assert_eq!(grown.len(), 2300);
        assert!(grown.lists().count() < 8);
        assert_eq!(grown.ids_of(b"k2299"), [2299]);
    }
}
