//! One shard of a table: entries by key, and in the order of their last use.
//!
//! All entries of a table live equally long after their last use, so the order of use is the order of expiry: a linked
//! list through the entries keeps it, touching moves an entry to its end, and no clock has to be looked at.

use super::datum::{Cell, Layout};
use super::key::Key;
use crate::time::Tick;
use hashbrown::HashTable;

/// Names an entry for as long as it stays: a later one in the same place is not found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef {
    pub(super) shard: u32,
    pub(super) index: u32,
    pub(super) generation: u32,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) cells: Box<[Cell]>,
    pub(super) expire: Tick,
    /// Streams that track it: it stays while there are any.
    pub(super) trackers: u32,
    generation: u32,
    used: bool,
    older: u32,
    newer: u32,
}

#[derive(Debug)]
pub(super) struct Shard {
    by_key: HashTable<u32>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// A key with its hash.
pub(super) struct Hashed<'a> {
    pub(super) hash: u64,
    pub(super) key: &'a [u8],
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            by_key: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
        }
    }

    pub(super) fn find(&self, wanted: &Hashed<'_>) -> Option<u32> {
        let same = |&at: &u32| self.entries[at as usize].key.as_slice() == wanted.key;
        self.by_key.find(wanted.hash, same).copied()
    }

    pub(super) fn entry(&mut self, at: u32) -> &mut Entry {
        &mut self.entries[at as usize]
    }

    /// The entry in this place, if it is the one that is meant.
    pub(super) fn named(&mut self, name: EntryRef) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(name.index as usize)?;
        (entry.used && entry.generation == name.generation).then_some(entry)
    }

    /// The first entry in use at this place or after it.
    pub(super) fn next_used(&self, from: u32) -> Option<u32> {
        let rest = self.entries.get(from as usize..)?;
        let step = rest.iter().position(|entry| entry.used)?;
        Some(from + u32::try_from(step).ok()?)
    }

    pub(super) fn generation(&self, at: u32) -> u32 {
        self.entries[at as usize].generation
    }

    /// Adds an entry at the new end of the order. The caller has made sure that there is room.
    pub(super) fn insert(
        &mut self,
        wanted: &Hashed<'_>,
        layout: &Layout,
        expire: Tick,
        hash_of: impl Fn(&[u8]) -> u64,
    ) -> u32 {
        let cells = layout.fresh_cells();
        let key = Key::from_slice(wanted.key);
        let at = match self.free.pop() {
            Some(at) => {
                let entry = &mut self.entries[at as usize];
                (entry.key, entry.cells, entry.expire) = (key, cells, expire);
                entry.used = true;
                at
            }
            None => {
                let at = u32::try_from(self.entries.len()).expect("sizes are 32 bits");
                self.entries.push(Entry {
                    key,
                    cells,
                    expire,
                    trackers: 0,
                    generation: 0,
                    used: true,
                    older: NONE,
                    newer: NONE,
                });
                at
            }
        };
        self.link_newest(at);
        let entries = &self.entries;
        let rehash = |&at: &u32| hash_of(&entries[at as usize].key);
        self.by_key.insert_unique(wanted.hash, at, rehash);
        at
    }

    /// Moves an entry to the new end of the order.
    pub(super) fn touch(&mut self, at: u32, expire: Tick) {
        self.entry(at).expire = expire;
        if self.newest != at {
            self.unlink(at);
            self.link_newest(at);
        }
    }

    pub(super) fn remove(&mut self, at: u32, hash: u64) {
        self.unlink(at);
        if let Ok(found) = self.by_key.find_entry(hash, |&other| other == at) {
            found.remove();
        }
        let entry = self.entry(at);
        entry.used = false;
        entry.generation = entry.generation.wrapping_add(1);
        entry.key = Key::new();
        entry.cells = Box::default();
        self.free.push(at);
    }

    /// The entry longest unused that nobody tracks, among the first few.
    pub(super) fn oldest_free(&self) -> Option<u32> {
        let mut at = self.oldest;
        for _ in 0..TRACKED_SKIP_MAX {
            let entry = self.entries.get(at as usize)?;
            if entry.trackers == 0 {
                return Some(at);
            }
            at = entry.newer;
        }
        None
    }

    /// The oldest entry, if its time has come. A tracked one is renewed instead, by `renew`.
    pub(super) fn expired(&mut self, now: Tick, renew: Tick) -> Option<u32> {
        for _ in 0..TRACKED_SKIP_MAX {
            let at = self.oldest;
            let entry = self.entries.get(at as usize)?;
            if !entry.expire.has_come(now) {
                return None;
            }
            if entry.trackers == 0 {
                return Some(at);
            }
            self.touch(at, renew);
        }
        None
    }

    fn link_newest(&mut self, at: u32) {
        let before = self.newest;
        let entry = self.entry(at);
        (entry.older, entry.newer) = (before, NONE);
        match before {
            NONE => self.oldest = at,
            before => self.entry(before).newer = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let (older, newer) = (self.entry(at).older, self.entry(at).newer);
        match older {
            NONE => self.oldest = newer,
            older => self.entry(older).newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.entry(newer).older = older,
        }
    }
}

/// How many tracked entries are stepped over in search of one to give up.
const TRACKED_SKIP_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(key: &[u8]) -> Hashed<'_> {
        Hashed {
            hash: u64::from(key[0] % 4),
            key,
        }
    }

    fn insert(shard: &mut Shard, key: &[u8], expire: u64) -> u32 {
        let expire = Tick::from_millis(expire);
        shard.insert(&hashed(key), &Layout::default(), expire, |key| {
            u64::from(key[0] % 4)
        })
    }

    #[test]
    fn entries_are_found_and_forgotten() {
        let mut shard = Shard::new();
        for key in 0..50_u8 {
            insert(&mut shard, &[key], 10);
        }
        for key in (0..50_u8).step_by(2) {
            let at = shard.find(&hashed(&[key])).expect("inserted");
            shard.remove(at, hashed(&[key]).hash);
        }
        for key in 0..50_u8 {
            assert_eq!(shard.find(&hashed(&[key])).is_some(), key % 2 == 1);
        }
        assert_eq!(insert(&mut shard, &[99], 10), 48, "places are used again");
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let mut shard = Shard::new();
        let (a, b, c) = (
            insert(&mut shard, b"a", 10),
            insert(&mut shard, b"b", 11),
            insert(&mut shard, b"c", 12),
        );
        shard.touch(a, Tick::from_millis(20));
        assert_eq!(shard.oldest_free(), Some(b));
        shard.entry(b).trackers = 1;
        assert_eq!(shard.oldest_free(), Some(c));
        let (now, renew) = (Tick::from_millis(15), Tick::from_millis(30));
        assert_eq!(shard.expired(now, renew), Some(c));
        shard.remove(c, hashed(b"c").hash);
        assert_eq!(shard.expired(now, renew), None);
        assert_eq!(shard.entry(b).expire, renew);
        assert_eq!(shard.expired(Tick::from_millis(25), renew), Some(a));
    }

    #[test]
    fn a_stale_name_finds_nothing() {
        let mut shard = Shard::new();
        let at = insert(&mut shard, b"a", 10);
        let name = EntryRef {
            shard: 0,
            index: at,
            generation: shard.generation(at),
        };
        assert!(shard.named(name).is_some());
        shard.remove(at, hashed(b"a").hash);
        assert!(shard.named(name).is_none());
        insert(&mut shard, b"b", 10);
        assert!(shard.named(name).is_none());
    }
}
