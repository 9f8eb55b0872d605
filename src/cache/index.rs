//! What a store holds, by key and by age. No lock, no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::object::Object;
use super::request::{Key, Variant};
use crate::time::Tick;

/// Objects by key; the oldest leave first.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_key: HashMap<Key, Vec<Entry>>,
    /// Keys with the number of their entry, in the order of arrival; numbers that are gone are passed over.
    arrivals: VecDeque<(Key, u64)>,
    bytes: usize,
    numbers: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    object: Arc<Object>,
}

impl Index {
    /// What may answer a request of this variant.
    pub(super) fn find(&self, key: Key, wanted: &Variant, now: Tick) -> Option<Arc<Object>> {
        let entries = self.by_key.get(&key)?;
        let fit = |entry: &&Entry| !entry.object.is_stale(now) && entry.object.shape.suits(wanted);
        entries
            .iter()
            .rev()
            .find(fit)
            .map(|entry| Arc::clone(&entry.object))
    }

    /// Takes an object in place of the one for the same variant; false where `variants_max` fresh ones are there.
    pub(super) fn insert(
        &mut self,
        key: Key,
        object: Object,
        variants_max: usize,
        now: Tick,
    ) -> bool {
        let signature = object.shape.signature();
        let does_not_vary = object.shape.varies == 0;
        let replaced = |entry: &Entry| {
            does_not_vary
                || entry.object.shape.varies == 0
                || entry.object.is_stale(now)
                || entry.object.shape.signature() == signature
        };
        self.remove_where(key, replaced);
        let entries = self.by_key.entry(key).or_default();
        if entries.len() >= variants_max {
            return false;
        }
        self.numbers += 1;
        let number = self.numbers;
        self.bytes += object.size();
        entries.push(Entry {
            number,
            object: Arc::new(object),
        });
        self.arrivals.push_back((key, number));
        true
    }

    /// Forgets all that is kept under a key.
    pub(super) fn forget(&mut self, key: Key) {
        self.remove_where(key, |_| true);
        self.by_key.remove(&key);
    }

    /// Lets the oldest go until at most `bytes` are taken.
    pub(super) fn shrink(&mut self, bytes: usize) {
        while self.bytes > bytes {
            let Some((key, number)) = self.arrivals.pop_front() else {
                return;
            };
            self.remove_where(key, |entry| entry.number == number);
            if self.by_key.get(&key).is_some_and(Vec::is_empty) {
                self.by_key.remove(&key);
            }
        }
        // Numbers that are gone would pile up where the same key is replaced again and again.
        if self.arrivals.len() > 2 * self.by_key.len() + ARRIVALS_SLACK {
            let by_key = &self.by_key;
            let lives = |key: &Key, number: u64| {
                let entries = by_key.get(key);
                entries.is_some_and(|list: &Vec<Entry>| list.iter().any(|e| e.number == number))
            };
            self.arrivals.retain(|(key, number)| lives(key, *number));
        }
    }

    fn remove_where(&mut self, key: Key, goes: impl Fn(&Entry) -> bool) {
        let Some(entries) = self.by_key.get_mut(&key) else {
            return;
        };
        let freed = &mut self.bytes;
        entries.retain(|entry| {
            let stays = !goes(entry);
            if !stays {
                *freed -= entry.object.size();
            }
            stays
        });
    }

    /// How many bytes its objects take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Every object, the oldest first.
    pub(super) fn all(&self) -> Vec<(Key, Arc<Object>)> {
        let entry = |(key, number): &(Key, u64)| {
            let entries = self.by_key.get(key)?;
            let entry = entries.iter().find(|entry| entry.number == *number)?;
            Some((*key, Arc::clone(&entry.object)))
        };
        self.arrivals.iter().filter_map(entry).collect()
    }
}

/// Numbers of departed objects that are tolerated.
const ARRIVALS_SLACK: usize = 1024;
