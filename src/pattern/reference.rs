//! References: named lists of lines that the stats socket and the rules may edit.
//!
//! The lines of the configuration stay where they are; an edit makes the [`Layers`] that come next. Every view is made ready
//! for them before any of them shows the edit: a refused edit changes nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::fault::EditFault;
use super::layers::Layers;
use super::library::Purpose;
use super::lines::Lines;
use super::method::Match;
use super::versions::Versions;
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

/// What an edit changes.
#[derive(Debug)]
struct State {
    layers: Layers,
    versions: Versions,
    views: Vec<Weak<View>>,
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
                layers: Layers::new(lines),
                versions: Versions::default(),
                views: Vec::new(),
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

    /// A view of the list; the same way of matching gives the same view.
    pub(super) fn view(self: &Arc<Self>, method: Match, fold: bool) -> Result<Arc<View>, String> {
        let mut state = self.state();
        let fits = |v: &Arc<View>| v.method() == method && v.folds() == fold;
        if let Some(view) = state.views.iter().filter_map(Weak::upgrade).find(fits) {
            return Ok(view);
        }
        let view = Arc::new(View::build(self, state.layers.first(), method, fold)?);
        state.views.push(Arc::downgrade(&view));
        Ok(view)
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().layers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version in force and the last one prepared.
    #[must_use]
    pub fn versions(&self) -> (u32, u32) {
        self.state().versions.numbers()
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
        Ok(match state.versions.prepared(version)? {
            Some(lines) => lines.iter().skip(skip).take(most).map(entry).collect(),
            None => {
                let living = state.layers.living();
                living.skip(skip).take(most).map(entry).collect()
            }
        })
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
        let state = &mut *self.state();
        if let Some(lines) = state.versions.prepared_mut(version)? {
            lines.push_numbered(key, value, state.layers.mint());
            return Ok(());
        }
        let next = state.layers.with(key, value);
        self.show(state, Some(next))
    }

    /// Gives every line with this key a new value.
    ///
    /// # Errors
    /// There is no such line, or the value fits no view.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<(), EditFault> {
        let state = &mut *self.state();
        let ids = state.layers.ids_of(key);
        let next = state.layers.with_value(&ids, value);
        self.show(state, next)
    }

    /// Gives the line with this number a new value.
    ///
    /// # Errors
    /// There is no such line, or the value fits no view.
    pub fn set_id(&self, id: u32, value: &[u8]) -> Result<(), EditFault> {
        let state = &mut *self.state();
        let next = state.layers.with_value(&[id], value);
        self.show(state, next)
    }

    /// Removes every line with this key.
    ///
    /// # Errors
    /// There is no such line.
    pub fn remove(&self, key: &[u8]) -> Result<(), EditFault> {
        let state = &mut *self.state();
        let ids = state.layers.ids_of(key);
        let next = state.layers.without(&ids);
        self.show(state, next)
    }

    /// Removes the line with this number.
    ///
    /// # Errors
    /// There is no such line.
    pub fn remove_id(&self, id: u32) -> Result<(), EditFault> {
        let state = &mut *self.state();
        let next = state.layers.without(&[id]);
        self.show(state, next)
    }

    /// Whether a line has this key.
    #[must_use]
    pub fn has_key(&self, key: &[u8]) -> bool {
        !self.state().layers.ids_of(key).is_empty()
    }

    /// Removes every line of the content or of a prepared version, which stays prepared.
    ///
    /// # Errors
    /// The version was not prepared.
    pub fn clear(&self, version: Option<u32>) -> Result<(), EditFault> {
        let state = &mut *self.state();
        if let Some(lines) = state.versions.prepared_mut(version)? {
            *lines = Lines::default();
            return Ok(());
        }
        let next = state.layers.replaced_by(Lines::default());
        self.show(state, Some(next))
    }

    /// Prepares a new version and names it.
    ///
    /// # Errors
    /// Too many versions are prepared.
    pub fn prepare(&self) -> Result<u32, EditFault> {
        self.state().versions.prepare()
    }

    /// Makes a prepared version the content; older ones are forgotten.
    ///
    /// # Errors
    /// The version was not prepared, or a line of it fits no view.
    pub fn commit(&self, version: u32) -> Result<(), EditFault> {
        let state = &mut *self.state();
        let lines = state.versions.committable(version)?.clone();
        let next = state.layers.replaced_by(lines);
        self.show(state, Some(next))?;
        state.versions.committed(version);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends an edit: shows what it made of the lines, if it found its line, and counts it.
    fn show(&self, state: &mut State, next: Option<Layers>) -> Result<(), EditFault> {
        state.show(next.ok_or(EditFault::NotFound)?)?;
        if let Some(edits) = &self.word_edits {
            edits.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }
}

impl State {
    /// Makes every view ready for what comes next, then shows it.
    fn show(&mut self, next: Layers) -> Result<(), EditFault> {
        let lists: Vec<Arc<Lines>> = next.lists().map(Arc::clone).collect();
        self.views.retain(|view| view.strong_count() > 0);
        let ready: Vec<(Arc<View>, Snapshot)> = self
            .views
            .iter()
            .filter_map(Weak::upgrade)
            .map(|view| {
                let snapshot = view
                    .prepare(&lists, next.dead())
                    .map_err(EditFault::Unfit)?;
                Ok((view, snapshot))
            })
            .collect::<Result<_, _>>()?;
        for (view, snapshot) in ready {
            view.show(snapshot);
        }
        self.layers = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        assert!(map.state().layers.lists().count() < 8);
    }
}
