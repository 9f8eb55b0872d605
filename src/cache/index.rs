//! What a store holds, by key and by age. No lock, no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::hints::{BLOCK, Hints, Remains};
use super::object::{Object, Shape};
use super::request::{Key, Variant};
use super::store::Found;
use crate::time::Tick;

/// Objects by key; the oldest leave first, and leave their hints behind where there is room for any.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_key: HashMap<Key, Vec<Entry>>,
    /// Keys with the number of their entry, in the order of arrival; numbers that are gone are passed over.
    arrivals: VecDeque<(Key, u64)>,
    /// The same for what is left of objects.
    remains: VecDeque<(Key, u64)>,
    bytes: usize,
    /// Blocks that hints without their answers take, and may take.
    hint_blocks: usize,
    hint_blocks_max: usize,
    numbers: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    held: Held,
}

/// What an entry has.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Whole(Arc<Object>),
    Hints(Arc<Remains>),
}

impl Held {
    /// Whom it is for.
    pub(super) fn shape(&self) -> &Shape {
        match self {
            Held::Whole(object) => &object.shape,
            Held::Hints(remains) => &remains.shape,
        }
    }

    /// How many bytes of the cache it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Held::Whole(object) => object.size(),
            Held::Hints(remains) => remains.hints.blocks() * BLOCK,
        }
    }

    fn is_stale(&self, now: Tick) -> bool {
        matches!(self, Held::Whole(object) if object.is_stale(now))
    }
}

impl Index {
    /// An empty one, with so many blocks for hints.
    pub(super) fn new(hint_blocks_max: usize) -> Index {
        Index {
            hint_blocks_max,
            ..Index::default()
        }
    }

    /// What may answer a request of this variant, else the hints for it. A stale answer makes way for its hints.
    pub(super) fn find(&mut self, key: Key, wanted: &Variant, now: Tick) -> Option<Found> {
        let fits = |entry: &&Entry| entry.held.shape().suits(wanted);
        let fresh = |entry: &Entry| match &entry.held {
            Held::Whole(object) if !object.is_stale(now) => Some(Arc::clone(object)),
            Held::Whole(_) | Held::Hints(_) => None,
        };
        let entries = self.by_key.get(&key)?;
        let mut fitting = entries.iter().rev().filter(fits);
        if let Some(object) = fitting.clone().find_map(fresh) {
            return Some(Found::Answer(object));
        }
        let number = fitting.next()?.number;
        match self.held(key, number)? {
            Held::Whole(_) if self.hint_blocks_max == 0 => return None,
            Held::Whole(_) => self.retire(key, number),
            Held::Hints(_) => {}
        }
        match self.held(key, number)? {
            Held::Hints(remains) => Some(Found::Hints(remains.hints.clone())),
            Held::Whole(_) => None,
        }
    }

    /// Takes an object in place of the one for the same variant; false where `variants_max` fresh ones are there.
    pub(super) fn insert(
        &mut self,
        key: Key,
        object: Object,
        variants_max: usize,
        now: Tick,
    ) -> bool {
        self.replace(key, &object.shape, now);
        let whole = |entry: &&Entry| matches!(entry.held, Held::Whole(_));
        let entries = self.by_key.entry(key).or_default();
        if entries.iter().filter(whole).count() >= variants_max {
            return false;
        }
        let number = self.put(key, Held::Whole(Arc::new(object)));
        self.arrivals.push_back((key, number));
        true
    }

    /// Takes the hints of an answer that itself is not kept.
    pub(super) fn insert_hints(&mut self, key: Key, remains: Remains, now: Tick) {
        self.replace(key, &remains.shape, now);
        if self.make_hint_room(remains.hints.blocks()) {
            self.put_hints(key, remains);
        }
    }

    /// Forgets what an answer of this shape takes the place of.
    fn replace(&mut self, key: Key, shape: &Shape, now: Tick) {
        let (signature, does_not_vary) = (shape.signature(), shape.varies == 0);
        self.remove_where(key, |held| {
            does_not_vary
                || held.shape().varies == 0
                || held.is_stale(now)
                || held.shape().signature() == signature
        });
    }

    fn put(&mut self, key: Key, held: Held) -> u64 {
        self.numbers += 1;
        let number = self.numbers;
        self.bytes += held.size();
        let entries = self.by_key.entry(key).or_default();
        entries.push(Entry { number, held });
        number
    }

    fn put_hints(&mut self, key: Key, remains: Remains) {
        self.hint_blocks += remains.hints.blocks();
        let number = self.put(key, Held::Hints(Arc::new(remains)));
        self.remains.push_back((key, number));
    }

    /// Lets old hints go until new ones have room; false where they are too large.
    fn make_hint_room(&mut self, blocks: usize) -> bool {
        while self.hint_blocks + blocks > self.hint_blocks_max {
            let Some((key, number)) = self.remains.pop_front() else {
                return false;
            };
            self.remove(key, number);
        }
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
            if let Some((key, number)) = self.arrivals.pop_front() {
                self.retire(key, number);
            } else if let Some((key, number)) = self.remains.pop_front() {
                self.remove(key, number);
            } else {
                return;
            }
        }
        self.pass_over();
    }

    /// Takes an answer out; its hints stay, under the same number, if there is room for them.
    fn retire(&mut self, key: Key, number: u64) {
        let Some(Held::Whole(object)) = self.held(key, number) else {
            return;
        };
        let hints = match self.hint_blocks_max {
            0 => None,
            _ => Hints::of(&object.head),
        };
        let kept = hints.filter(|hints| self.make_hint_room(hints.blocks()));
        let Some(hints) = kept else {
            return self.remove(key, number);
        };
        let blocks = hints.blocks();
        let shape = object.shape;
        let entries = self.by_key.get_mut(&key).into_iter().flatten();
        for entry in entries.filter(|entry| entry.number == number) {
            entry.held = Held::Hints(Arc::new(Remains {
                shape,
                hints: hints.clone(),
            }));
            self.bytes = self.bytes + blocks * BLOCK - object.size();
            self.hint_blocks += blocks;
            self.remains.push_back((key, number));
        }
    }

    /// Numbers that are gone would pile up where the same key is replaced again and again.
    fn pass_over(&mut self) {
        let by_key = &self.by_key;
        let lives = |key: &Key, number: u64| {
            let entries = by_key.get(key);
            entries.is_some_and(|list: &Vec<Entry>| list.iter().any(|e| e.number == number))
        };
        for queue in [&mut self.arrivals, &mut self.remains] {
            if queue.len() > 2 * by_key.len() + ARRIVALS_SLACK {
                queue.retain(|(key, number)| lives(key, *number));
            }
        }
    }

    fn remove(&mut self, key: Key, number: u64) {
        let Some(entries) = self.by_key.get_mut(&key) else {
            return;
        };
        if let Some(at) = entries.iter().position(|entry| entry.number == number) {
            let entry = entries.remove(at);
            self.release(&entry.held);
        }
        if self.by_key.get(&key).is_some_and(Vec::is_empty) {
            self.by_key.remove(&key);
        }
    }

    fn remove_where(&mut self, key: Key, goes: impl Fn(&Held) -> bool) {
        let Some(entries) = self.by_key.get_mut(&key) else {
            return;
        };
        let gone: Vec<Entry> = entries.extract_if(.., |entry| goes(&entry.held)).collect();
        for entry in gone {
            self.release(&entry.held);
        }
    }

    fn release(&mut self, held: &Held) {
        self.bytes -= held.size();
        if let Held::Hints(remains) = held {
            self.hint_blocks -= remains.hints.blocks();
        }
    }

    fn held(&self, key: Key, number: u64) -> Option<Held> {
        let entries = self.by_key.get(&key)?;
        let entry = entries.iter().find(|entry| entry.number == number)?;
        Some(entry.held.clone())
    }

    /// How many bytes its objects take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All it holds: what is left of old answers, then answers, the oldest first.
    pub(super) fn all(&self) -> Vec<(Key, Held)> {
        let entry = |(key, number): &(Key, u64)| Some((*key, self.held(*key, *number)?));
        let hints = |(_, held): &(Key, Held)| matches!(held, Held::Hints(_));
        let remains = self.remains.iter().filter_map(entry);
        let whole = self.arrivals.iter().filter_map(entry);
        remains.chain(whole.filter(|all| !hints(all))).collect()
    }
}

/// Numbers of departed objects that are tolerated.
const ARRIVALS_SLACK: usize = 1024;
