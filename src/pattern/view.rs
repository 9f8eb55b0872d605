//! Views: a reference made ready for one way of matching.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use crate::live::Live;
use crate::value::Value;

use super::found::Found;
use super::index::{Hit, Index};
use super::lines::Lines;
use super::method::Match;
use super::reference::Reference;
use super::regex::Groups;

/// A reference seen through one way of matching. Edits of the reference show here at once.
#[derive(Debug)]
pub struct View {
    method: Match,
    fold: bool,
    /// The lines the configuration gave.
    first: Arc<Segment>,
    /// What replaces `first` from the first edit on.
    live: OnceLock<Live<Snapshot>>,
    reference: Arc<Reference>,
}

/// Lines and their index.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) lines: Arc<Lines>,
    index: Index,
}

/// What a view is after edits: lists in the order of their making, without the lines that died.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    segments: Vec<Arc<Segment>>,
    dead: Arc<HashSet<u32>>,
}

impl View {
    /// A view of a reference.
    ///
    /// # Errors
    /// HAProxy's sentence about a line that is no such pattern.
    pub fn new(reference: &Arc<Reference>, method: Match, fold: bool) -> Result<Arc<View>, String> {
        reference.view(method, fold)
    }

    pub(super) fn build(
        reference: &Arc<Reference>,
        lines: &Arc<Lines>,
        method: Match,
        fold: bool,
    ) -> Result<View, String> {
        let index = Index::new(lines, method, fold).map_err(|(_, why)| why)?;
        Ok(View {
            method,
            fold,
            first: Arc::new(Segment {
                lines: Arc::clone(lines),
                index,
            }),
            live: OnceLock::new(),
            reference: Arc::clone(reference),
        })
    }

    /// The way of matching.
    #[must_use]
    pub fn method(&self) -> Match {
        self.method
    }

    /// Whether letters in either case are equal.
    #[must_use]
    pub fn folds(&self) -> bool {
        self.fold
    }

    /// The reference it shows.
    #[must_use]
    pub fn reference(&self) -> &Arc<Reference> {
        &self.reference
    }

    /// The line a value matches: the closest for beginnings and networks, else the first.
    #[must_use]
    pub fn find(&self, value: &Value<'_>) -> Option<Found<'_>> {
        let Some(live) = self.live.get() else {
            let hit = self.first.index.find(&self.first.lines, value, |_| true)?;
            return Some(Found::Kept(&self.first.lines, hit.row));
        };
        let snapshot = live.load();
        let (segment, hit) = snapshot.find(value)?;
        Some(Found::Edited(Arc::clone(&segment.lines), hit.row))
    }

    /// Whether a value matches any line.
    #[must_use]
    pub fn has(&self, value: &Value<'_>) -> bool {
        match self.method {
            Match::Found => true,
            Match::Bool => value.truth().unwrap_or(false),
            _ => self.find(value).is_some(),
        }
    }

    /// The line a text matches, and the groups of its regular expression.
    #[must_use]
    pub fn find_groups(&self, text: &[u8]) -> Option<(Found<'_>, Groups)> {
        let value = Value::str(text);
        let Some(live) = self.live.get() else {
            let hit = self.first.index.find(&self.first.lines, &value, |_| true)?;
            let groups = self.first.index.regexes()?.groups(hit.row, text)?;
            return Some((Found::Kept(&self.first.lines, hit.row), groups));
        };
        let snapshot = live.load();
        let (segment, hit) = snapshot.find(&value)?;
        let groups = segment.index.regexes()?.groups(hit.row, text)?;
        Some((Found::Edited(Arc::clone(&segment.lines), hit.row), groups))
    }

    /// The lines the configuration gave and nobody has edited, for indexes over many views.
    #[must_use]
    pub fn unedited(&self) -> Option<&Lines> {
        self.live.get().is_none().then(|| &*self.first.lines)
    }

    /// What the view is to become once its reference has these lists; the indexes of lists it
    /// already has are kept.
    pub(super) fn prepare(
        &self,
        lists: &[Arc<Lines>],
        dead: &Arc<HashSet<u32>>,
    ) -> Result<Snapshot, String> {
        let old = self.live.get().map(Live::load);
        let known = |list: &Arc<Lines>| {
            let old = old.iter().flat_map(|snapshot| &snapshot.segments);
            let all = std::iter::once(&self.first).chain(old);
            all.into_iter()
                .find(|s| Arc::ptr_eq(&s.lines, list))
                .map(Arc::clone)
        };
        let segment = |list: &Arc<Lines>| match known(list) {
            Some(segment) => Ok(segment),
            None => Index::new(list, self.method, self.fold)
                .map(|index| {
                    let lines = Arc::clone(list);
                    Arc::new(Segment { lines, index })
                })
                .map_err(|(_, why)| why),
        };
        Ok(Snapshot {
            segments: lists.iter().map(segment).collect::<Result<_, _>>()?,
            dead: Arc::clone(dead),
        })
    }

    /// Shows the snapshot from here on.
    pub(super) fn show(&self, snapshot: Snapshot) {
        let mut first = Some(snapshot);
        let live = self
            .live
            .get_or_init(|| Live::new(first.take().unwrap_or_default()));
        if let Some(next) = first {
            live.publish(next);
        }
    }
}

impl Snapshot {
    fn find(&self, value: &Value<'_>) -> Option<(&Arc<Segment>, Hit)> {
        let mut best: Option<(&Arc<Segment>, Hit)> = None;
        for segment in &self.segments {
            let lines = &segment.lines;
            let alive = |row| self.dead.is_empty() || !self.dead.contains(&lines.row(row).id);
            let Some(hit) = segment.index.find(lines, value, alive) else {
                continue;
            };
            if hit.weight == 0 {
                return Some((segment, hit));
            }
            if best.is_none_or(|(_, b)| hit.weight > b.weight) {
                best = Some((segment, hit));
            }
        }
        best
    }
}
