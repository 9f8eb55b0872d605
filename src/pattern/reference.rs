//! References: named lists of lines that the stats socket and the rules may edit.
//!
//! The lines of the configuration stay where they are; an edit adds small lists after them and
//! notes which lines died. Lists are merged as they grow, each at least four times as long as the
//! next, so that an edit of a long list costs the logarithm of its length on average. Every view
//! is made ready before any of them shows the edit: a refused edit changes nothing.
//!
//! Versions work as in HAProxy: `prepare` names a version to fill, `commit` makes it the content.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::exact::Exact;
use super::library::Purpose;
use super::lines::Lines;
use super::method::Match;
use super::view::{Snapshot, View};

/// A named list of lines.
#[derive(Debug)]
pub struct Reference {
    /// Its number, as the stats socket shows it.
    pub id: u32,
    /// The file's name; empty for the words of an ACL.
    pub name: String,
    /// How the stats socket describes it.
    pub display: String,
    /// Whether its lines have values.
    pub purpose: Purpose,
    /// Counts the edits of all lists that are words of ACLs.
    word_edits: Option<Arc<AtomicU64>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lists: Vec<Keyed>,
    dead: Arc<HashSet<u32>>,
    next_id: u32,
    views: Vec<Weak<View>>,
    version: u32,
    next_version: u32,
    pending: BTreeMap<u32, Lines>,
}

/// A list, and its keys by hash once an edit asked for one.
#[derive(Debug, Clone)]
struct Keyed {
    lines: Arc<Lines>,
    keys: Option<Arc<Exact>>,
}

/// One line as the stats socket shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: u32,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; empty where there is none.
    pub value: Vec<u8>,
}

/// Why an edit was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditFault {
    /// No line has the key or number.
    NotFound,
    /// The version was not prepared.
    NoVersion,
    /// The key or value does not fit a view; its sentence.
    Unfit(String),
}

/// Up to how many lines the last list is rewritten whole with each edit.
const TAIL_LEN: usize = 64;
/// How many times longer than the next a list must be.
const GROWTH: usize = 4;
/// Up to how many lines an edit rewrites everything and so keeps the order of lines.
const WHOLE_LEN: usize = 256;
/// How many dead lines are kept before the lists are cleaned, beside a sixteenth of all lines.
const DEAD_LEN: usize = 1024;
/// How many versions may be prepared and uncommitted at a time.
const PENDING_LEN: usize = 64;

impl Reference {
    pub(super) fn new(
        id: u32,
        name: String,
        display: String,
        purpose: Purpose,
        lines: Lines,
    ) -> Reference {
        Reference {
            id,
            name,
            display,
            purpose,
            word_edits: None,
            state: Mutex::new(State {
                next_id: lines
                    .indices()
                    .last()
                    .map_or(0, |row| lines.row(row).id + 1),
                lists: vec![Keyed::new(lines)],
                dead: Arc::default(),
                views: Vec::new(),
                version: 0,
                next_version: 0,
                pending: BTreeMap::new(),
            }),
        }
    }

    /// The same, counting its edits.
    pub(super) fn counting(self, word_edits: Option<Arc<AtomicU64>>) -> Reference {
        Reference { word_edits, ..self }
    }

    /// The counter of edits of all lists that are words of ACLs, where this is one.
    #[must_use]
    pub fn word_edits(&self) -> Option<&Arc<AtomicU64>> {
        self.word_edits.as_ref()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, state: &mut State, draft: Draft) -> Result<(), EditFault> {
        self.noted(state.settle(draft))
    }

    /// Counts an edit that took place.
    fn noted(&self, outcome: Result<(), EditFault>) -> Result<(), EditFault> {
        if let (Ok(()), Some(edits)) = (&outcome, &self.word_edits) {
            edits.fetch_add(1, Ordering::Release);
        }
        outcome
    }

    /// A view of the list; the same way of matching gives the same view.
    pub(super) fn view(self: &Arc<Self>, method: Match, fold: bool) -> Result<Arc<View>, String> {
        let mut state = self.state();
        let fits = |v: &Arc<View>| v.method() == method && v.folds() == fold;
        if let Some(view) = state.views.iter().filter_map(Weak::upgrade).find(fits) {
            return Ok(view);
        }
        let first = Arc::clone(&state.lists[0].lines);
        let view = Arc::new(View::build(self, &first, method, fold)?);
        state.views.push(Arc::downgrade(&view));
        Ok(view)
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.state();
        state.total() - state.dead.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version in force and the last one prepared.
    #[must_use]
    pub fn versions(&self) -> (u32, u32) {
        let state = self.state();
        (state.version, state.next_version)
    }

    /// Up to `most` lines from the `skip`-th on, of the content or of a prepared version.
    ///
    /// # Errors
    /// The version was not prepared.
    pub fn entries(
        &self,
        version: Option<u32>,
        skip: usize,
        most: usize,
    ) -> Result<Vec<Entry>, EditFault> {
        let state = self.state();
        let entry = |(id, key, value): (u32, &[u8], &[u8])| Entry {
            id,
            key: key.to_vec(),
            value: value.to_vec(),
        };
        if let Some(version) = version.filter(|v| *v != state.version) {
            let lines = state.pending.get(&version).ok_or(EditFault::NoVersion)?;
            return Ok(lines.iter().skip(skip).take(most).map(entry).collect());
        }
        let lines = state.lists.iter().flat_map(|list| list.lines.iter());
        let living = lines.filter(|(id, _, _)| !state.dead.contains(id));
        Ok(living.skip(skip).take(most).map(entry).collect())
    }

    /// The views of the list, for `get acl` and `get map`.
    #[must_use]
    pub fn views(&self) -> Vec<Arc<View>> {
        self.state()
            .views
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    /// Adds a line, to the content or to a prepared version.
    ///
    /// # Errors
    /// The line fits no view, or the version was not prepared.
    pub fn add(&self, key: &[u8], value: &[u8], version: Option<u32>) -> Result<(), EditFault> {
        let mut state = self.state();
        if let Some(version) = version.filter(|v| *v != state.version) {
            let id = state.mint();
            let lines = state
                .pending
                .get_mut(&version)
                .ok_or(EditFault::NoVersion)?;
            lines.push_numbered(key, value, id);
            return Ok(());
        }
        let mut draft = state.draft();
        draft.append(key, value);
        self.settle(&mut state, draft)
    }

    /// Gives every line with this key a new value.
    ///
    /// # Errors
    /// There is no such line.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<(), EditFault> {
        let mut state = self.state();
        let ids = state.ids_of(key);
        self.noted(state.replace(&ids, value))
    }

    /// Gives the line with this number a new value.
    ///
    /// # Errors
    /// There is no such line.
    pub fn set_id(&self, id: u32, value: &[u8]) -> Result<(), EditFault> {
        let mut state = self.state();
        self.noted(state.replace(&[id], value))
    }

    /// Removes every line with this key.
    ///
    /// # Errors
    /// There is no such line.
    pub fn remove(&self, key: &[u8]) -> Result<(), EditFault> {
        let mut state = self.state();
        let ids = state.ids_of(key);
        self.noted(state.remove(&ids))
    }

    /// Removes the line with this number.
    ///
    /// # Errors
    /// There is no such line.
    pub fn remove_id(&self, id: u32) -> Result<(), EditFault> {
        let outcome = self.state().remove(&[id]);
        self.noted(outcome)
    }

    /// Whether a line has this key.
    #[must_use]
    pub fn has_key(&self, key: &[u8]) -> bool {
        !self.state().ids_of(key).is_empty()
    }

    /// Removes every line of the content or of a prepared version, which stays prepared.
    ///
    /// # Errors
    /// The version was not prepared.
    pub fn clear(&self, version: Option<u32>) -> Result<(), EditFault> {
        let mut state = self.state();
        if let Some(version) = version.filter(|v| *v != state.version) {
            let lines = state.pending.get_mut(&version);
            *lines.ok_or(EditFault::NoVersion)? = Lines::default();
            return Ok(());
        }
        let draft = Draft::of(Lines::default(), state.next_id);
        self.settle(&mut state, draft)
    }

    /// Prepares a new version and names it.
    ///
    /// # Errors
    /// Too many versions are prepared.
    pub fn prepare(&self) -> Result<u32, EditFault> {
        let mut state = self.state();
        if state.pending.len() >= PENDING_LEN {
            return Err(EditFault::Unfit(
                "too many versions are prepared".to_string(),
            ));
        }
        state.next_version = state.next_version.wrapping_add(1);
        let version = state.next_version;
        state.pending.insert(version, Lines::default());
        Ok(version)
    }

    /// Makes a prepared version the content; older ones are forgotten.
    ///
    /// # Errors
    /// The version was not prepared, or a line of it fits no view.
    pub fn commit(&self, version: u32) -> Result<(), EditFault> {
        let mut state = self.state();
        let lines = state
            .pending
            .get(&version)
            .ok_or(EditFault::NoVersion)?
            .clone();
        let draft = Draft::of(lines, state.next_id);
        self.settle(&mut state, draft)?;
        state.version = version;
        state.pending.retain(|v, _| *v > version);
        Ok(())
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

/// The lists as an edit would leave them.
struct Draft {
    lists: Vec<Keyed>,
    dead: HashSet<u32>,
    next_id: u32,
}

impl Draft {
    fn of(lines: Lines, next_id: u32) -> Draft {
        Draft {
            lists: vec![Keyed::new(lines)],
            dead: HashSet::new(),
            next_id,
        }
    }

    fn total(&self) -> usize {
        self.lists.iter().map(|list| list.lines.len()).sum()
    }

    /// Adds a line at the end.
    fn append(&mut self, key: &[u8], value: &[u8]) {
        let id = self.next_id;
        self.next_id += 1;
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

    /// The living lines of the lists from `from` on, as one.
    fn merged(&mut self, from: usize) -> Lines {
        let mut merged = Lines::default();
        for list in &self.lists[from..] {
            for (id, key, value) in list.lines.iter() {
                if !self.dead.remove(&id) {
                    merged.push_numbered(key, value, id);
                }
            }
        }
        merged
    }

    /// Rewrites everything with one line changed by `change`.
    fn rewrite(&mut self, change: impl Fn(u32, &[u8], &[u8], &mut Lines)) {
        let old = self.merged(0);
        let mut new = Lines::default();
        for (id, key, value) in old.iter() {
            change(id, key, value, &mut new);
        }
        self.lists = vec![Keyed::new(new)];
        self.dead.clear();
    }
}

impl State {
    fn total(&self) -> usize {
        self.lists.iter().map(|list| list.lines.len()).sum()
    }

    fn mint(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }

    fn draft(&self) -> Draft {
        Draft {
            lists: self.lists.clone(),
            dead: (*self.dead).clone(),
            next_id: self.next_id,
        }
    }

    /// The numbers of the living lines with this key.
    fn ids_of(&mut self, key: &[u8]) -> Vec<u32> {
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

    /// The line with a number: numbers grow along every list.
    fn find_id(&self, wanted: u32) -> Option<(&[u8], &[u8])> {
        if self.dead.contains(&wanted) {
            return None;
        }
        self.lists.iter().find_map(|list| {
            let row = list.lines.position(wanted)?;
            Some((list.lines.key(row), list.lines.value(row)))
        })
    }

    fn replace(&mut self, ids: &[u32], value: &[u8]) -> Result<(), EditFault> {
        let mut draft = self.draft();
        if ids.is_empty() {
            return Err(EditFault::NotFound);
        }
        for id in ids {
            let (key, _) = self.find_id(*id).ok_or(EditFault::NotFound)?;
            if draft.total() <= WHOLE_LEN {
                draft.rewrite(|line, key, old, new| {
                    new.push_numbered(key, if line == *id { value } else { old }, line);
                });
            } else {
                draft.dead.insert(*id);
                draft.append(key, value);
            }
        }
        self.settle(draft)
    }

    fn remove(&mut self, ids: &[u32]) -> Result<(), EditFault> {
        if ids.is_empty() || ids.iter().any(|id| self.find_id(*id).is_none()) {
            return Err(EditFault::NotFound);
        }
        let mut draft = self.draft();
        if draft.total() <= WHOLE_LEN {
            draft.rewrite(|line, key, value, new| {
                if !ids.contains(&line) {
                    new.push_numbered(key, value, line);
                }
            });
        } else {
            draft.dead.extend(ids);
            if draft.dead.len() > DEAD_LEN + draft.total() / 16 {
                draft.rewrite(|line, key, value, new| new.push_numbered(key, value, line));
            }
        }
        self.settle(draft)
    }

    /// Makes every view ready for the draft, then shows it.
    fn settle(&mut self, draft: Draft) -> Result<(), EditFault> {
        let lists: Vec<Arc<Lines>> = draft.lists.iter().map(|l| Arc::clone(&l.lines)).collect();
        let dead = Arc::new(draft.dead);
        self.views.retain(|view| view.strong_count() > 0);
        let ready: Vec<(Arc<View>, Snapshot)> = self
            .views
            .iter()
            .filter_map(Weak::upgrade)
            .map(|view| {
                let snapshot = view.prepare(&lists, &dead).map_err(EditFault::Unfit)?;
                Ok((view, snapshot))
            })
            .collect::<Result<_, _>>()?;
        for (view, snapshot) in ready {
            view.show(snapshot);
        }
        self.lists = draft.lists;
        self.dead = dead;
        self.next_id = draft.next_id;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn map(text: &str) -> Arc<Reference> {
        let lines = Lines::of_map(text.as_bytes().to_vec());
        Arc::new(Reference::new(
            0,
            "m".to_string(),
            String::new(),
            Purpose::Map,
            lines,
        ))
    }

    fn value(view: &View, key: &str) -> Option<String> {
        let found = view.find(&Value::str(key.as_bytes()))?;
        Some(String::from_utf8_lossy(found.value()).into_owned())
    }

    #[test]
    fn edits_show_in_every_view() {
        let map = map("a 1\nb 2\n");
        let exact = map.view(Match::Str, false).expect("texts");
        let prefix = map.view(Match::Beg, false).expect("texts");
        map.add(b"c", b"3", None).expect("fits");
        map.set(b"a", b"9").expect("there");
        assert_eq!(value(&exact, "a").as_deref(), Some("9"));
        assert_eq!(value(&exact, "c").as_deref(), Some("3"));
        assert_eq!(value(&prefix, "cx").as_deref(), Some("3"));
        map.remove(b"b").expect("there");
        assert_eq!(value(&exact, "b"), None);
        assert_eq!(map.remove(b"b"), Err(EditFault::NotFound));
        assert_eq!(map.len(), 2);
        map.clear(None).expect("content");
        assert!(map.is_empty());
        assert_eq!(value(&prefix, "a"), None);
    }

    #[test]
    fn a_refused_edit_changes_nothing() {
        let map = map("1.2.3.4 x\n");
        let view = map.view(Match::Ip, false).expect("addresses");
        assert!(matches!(
            map.add(b"nonsense", b"y", None),
            Err(EditFault::Unfit(_))
        ));
        assert_eq!(map.len(), 1);
        assert_eq!(value(&view, "1.2.3.4").as_deref(), Some("x"));
    }

    #[test]
    fn versions_are_filled_and_committed() {
        let map = map("a 1\n");
        let view = map.view(Match::Str, false).expect("texts");
        let version = map.prepare().expect("room");
        map.add(b"b", b"2", Some(version)).expect("prepared");
        assert_eq!(value(&view, "b"), None);
        assert_eq!(map.add(b"b", b"2", Some(77)), Err(EditFault::NoVersion));
        map.commit(version).expect("prepared");
        assert_eq!(value(&view, "b").as_deref(), Some("2"));
        assert_eq!(value(&view, "a"), None);
        assert_eq!(map.versions(), (1, 1));
    }

    #[test]
    fn many_edits_agree_with_a_plain_map() {
        let text: String = (0..500).map(|n| format!("k{n} v\n")).collect();
        let map = map(&text);
        let view = map.view(Match::Str, false).expect("texts");
        let mut plain: BTreeMap<String, String> = (0..500)
            .map(|n| (format!("k{n}"), "v".to_string()))
            .collect();
        let mut state = 1u32;
        for step in 0..3000u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = format!("k{}", (state >> 16) % 900);
            let new = step.to_string();
            if state.is_multiple_of(3) {
                assert_eq!(
                    map.remove(key.as_bytes()).is_ok(),
                    plain.remove(&key).is_some()
                );
            } else {
                let known = plain.insert(key.clone(), new.clone()).is_some();
                if known {
                    map.set(key.as_bytes(), new.as_bytes()).expect("there");
                } else {
                    map.add(key.as_bytes(), new.as_bytes(), None).expect("fits");
                }
            }
        }
        assert_eq!(map.len(), plain.len());
        for n in 0..900 {
            let key = format!("k{n}");
            assert_eq!(value(&view, &key), plain.get(&key).cloned(), "{key}");
        }
        assert!(map.state().lists.len() < 8);
    }
}
