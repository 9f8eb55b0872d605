//! A stick table: a bounded store from keys to counters, shared by all workers.
//!
//! Here entries are found, made, kept and forgotten by their keys; [`data`] reads and changes what one stores,
//! [`event`] counts what happens, [`room`] has entries go to make room for others.

mod data;
mod event;
mod room;
mod standing;

pub use event::Event;
pub use standing::Standing;
pub(super) use standing::standing;

use super::datum::{Cell, Layout};
use super::journal::Journal;
use super::key::{Key, Kind};
use super::shard::{Entry, EntryRef, Hashed, Shard};
use crate::time::{Millis, Tick};
use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tables below this size have one shard, so that what is pushed out is the oldest of all.
const SMALL: u32 = 1024;
/// Shards of larger tables.
const SHARDS: usize = 16;

/// What `stick-table` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What keys are.
    pub kind: Kind,
    /// Most entries.
    pub size: u32,
    /// How long an entry lives after its last use; none: until it is pushed out.
    pub expire: Option<Millis>,
    /// Refuse new entries when full, instead of giving up old ones.
    pub no_purge: bool,
    /// What entries store.
    pub layout: Layout,
    /// `srvkey addr`: servers are remembered by address instead of by name.
    pub server_key_is_address: bool,
}

/// One table. Locks are per shard and held for one operation.
#[derive(Debug)]
pub struct Table {
    name: Arc<str>,
    settings: Settings,
    shards: Box<[Mutex<Shard>]>,
    used: AtomicU32,
    hasher: DefaultHashBuilder,
    /// What changed, where peers share the table.
    journal: Option<Box<Journal>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(name: Arc<str>, settings: Settings) -> Self {
        let shards = if settings.size < SMALL { 1 } else { SHARDS };
        Self {
            name,
            settings,
            shards: (0..shards).map(|_| Mutex::new(Shard::new())).collect(),
            used: AtomicU32::new(0),
            hasher: DefaultHashBuilder::default(),
            journal: None,
        }
    }

    /// An empty table that writes down what changes, for peers.
    #[must_use]
    pub fn shared(name: Arc<str>, settings: Settings) -> Self {
        Self {
            journal: Some(Box::default()),
            ..Self::new(name, settings)
        }
    }

    /// Has `bell` called when something changes that [`Table::news`] did not give yet; it must not block.
    pub fn ring_with(&self, bell: Box<dyn Fn() + Send + Sync>) {
        if let Some(journal) = &self.journal {
            journal.ring_with(bell);
        }
    }

    /// The number of the last change.
    #[must_use]
    pub fn last_news(&self) -> u32 {
        self.journal.as_ref().map_or(0, |journal| journal.last())
    }

    /// The next key that changed after the change of this number, and its number.
    #[must_use]
    pub fn news(&self, after: u32) -> Option<(u32, Key)> {
        self.journal.as_ref()?.after(after)
    }

    /// The cells of an entry.
    pub(super) fn cells(&self, entry: EntryRef) -> Option<Vec<Cell>> {
        self.with(entry, |entry| entry.cells.to_vec())
    }

    /// Changes the cells of an entry without telling peers.
    pub(super) fn change_cells(&self, entry: EntryRef, work: impl FnOnce(&mut [Cell])) {
        self.with(entry, |entry| work(&mut entry.cells));
    }

    /// Changes an entry, and tells peers.
    fn change<R>(&self, name: EntryRef, work: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.with(name, |entry| {
            let result = work(entry);
            if let Some(journal) = &self.journal {
                journal.note(&entry.key);
            }
            result
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it was configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Entries in use.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.used.load(Relaxed)
    }

    /// Finds an entry, without counting as its use.
    #[must_use]
    pub fn find(&self, key: &[u8], now: Tick) -> Option<EntryRef> {
        let wanted = self.hashed(key);
        let (number, mut shard) = self.shard_of(wanted.hash);
        let at = self.live(&mut shard, &wanted, now)?;
        Some(name(number, &shard, at))
    }

    /// Finds an entry, and counts as its use.
    #[must_use]
    pub fn look_up(&self, key: &[u8], now: Tick) -> Option<EntryRef> {
        let wanted = self.hashed(key);
        let (number, mut shard) = self.shard_of(wanted.hash);
        let at = self.live(&mut shard, &wanted, now)?;
        shard.touch(at, self.expire_from(now));
        Some(name(number, &shard, at))
    }

    /// Finds an entry or makes it, and counts as its use. None: the table is full of entries that must stay.
    #[must_use]
    pub fn enter(&self, key: &[u8], now: Tick) -> Option<EntryRef> {
        self.enter_until(key, self.expire_from(now), now)
    }

    /// Makes an entry that another process had, with the time it had left. To be called in the order of expiry, before any other
    /// use: the table relies on that order.
    #[must_use]
    pub fn adopt(&self, key: &[u8], left: Option<Millis>, now: Tick) -> Option<EntryRef> {
        let longest = self.expire_from(now);
        let expire = left.map_or(longest, |left| (now + left).min(longest));
        self.enter_until(key, expire, now)
    }

    fn enter_until(&self, key: &[u8], expire: Tick, now: Tick) -> Option<EntryRef> {
        let wanted = self.hashed(key);
        {
            let (number, mut shard) = self.shard_of(wanted.hash);
            if let Some(at) = self.live(&mut shard, &wanted, now) {
                shard.touch(at, expire);
                return Some(name(number, &shard, at));
            }
            self.expire_some(&mut shard, now, room::EXPIRE_WITH_INSERT);
        }
        if !self.reserve(&wanted) {
            return None;
        }
        let (number, mut shard) = self.shard_of(wanted.hash);
        if let Some(at) = shard.find(&wanted) {
            // Another worker made it while the lock was open.
            self.used.fetch_sub(1, Relaxed);
            return Some(name(number, &shard, at));
        }
        let at = shard.insert(&wanted, &self.settings.layout, expire, |key| {
            self.hasher.hash_one(key)
        });
        Some(name(number, &shard, at))
    }

    /// Like [`Table::enter`], and keeps the entry until [`Table::release`].
    #[must_use]
    pub fn track(&self, key: &[u8], now: Tick) -> Option<EntryRef> {
        // The entry may be pushed out between the two steps, once in a very long while per full table.
        for _ in 0..2 {
            let found = self.enter(key, now)?;
            if self.change(found, |entry| entry.trackers += 1).is_some() {
                return Some(found);
            }
        }
        None
    }

    /// Ends a tracking, and counts as a use.
    pub fn release(&self, entry: EntryRef, now: Tick) {
        let expire = self.expire_from(now);
        let mut shard = self.lock(entry.shard);
        if let Some(found) = shard.named(entry) {
            found.trackers = found.trackers.saturating_sub(1);
            if let Some(journal) = &self.journal {
                journal.note(&found.key);
            }
            shard.touch(entry.index, expire);
        }
    }

    /// Forgets an entry. False: it is tracked, or gone.
    pub fn forget(&self, entry: EntryRef) -> bool {
        let mut shard = self.lock(entry.shard);
        let Some(found) = shard.named(entry).filter(|found| found.trackers == 0) else {
            return false;
        };
        let hash = self.hasher.hash_one(found.key.as_slice());
        self.take_out(&mut shard, entry.index, hash);
        true
    }

    /// Collects entries from `from` on, at most `budget`; where to go on, none at the end.
    pub fn some_entries(
        &self,
        from: (u32, u32),
        budget: usize,
        into: &mut Vec<EntryRef>,
    ) -> Option<(u32, u32)> {
        self.visit(from, budget, |entry, _| into.push(entry))
    }

    /// Visits entries from `from` on, at most `budget`, each with its name; where to go on, none at the end.
    pub(super) fn visit(
        &self,
        from: (u32, u32),
        budget: usize,
        mut each: impl FnMut(EntryRef, &Entry),
    ) -> Option<(u32, u32)> {
        let (number, mut index) = from;
        if number as usize >= self.shards.len() {
            return None;
        }
        let mut shard = self.lock(number);
        for _ in 0..budget {
            let Some(at) = shard.next_used(index) else {
                return Some((number + 1, 0));
            };
            let name = name(number, &shard, at);
            each(name, shard.entry(at));
            index = at + 1;
        }
        Some((number, index))
    }

    fn hashed<'a>(&self, key: &'a [u8]) -> Hashed<'a> {
        Hashed {
            hash: self.hasher.hash_one(key),
            key,
        }
    }

    fn shard_of(&self, hash: u64) -> (u32, MutexGuard<'_, Shard>) {
        // The low bits choose the place in a shard's own table: take the shard from the middle.
        let number = u32::try_from((hash >> 40) % self.shards.len() as u64).unwrap_or(0);
        (number, self.lock(number))
    }

    fn lock(&self, number: u32) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[number as usize];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, name: EntryRef, work: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.lock(name.shard).named(name).map(work)
    }

    fn expire_from(&self, now: Tick) -> Tick {
        now.after(self.settings.expire)
    }
}

fn name(number: u32, shard: &Shard, at: u32) -> EntryRef {
    EntryRef {
        shard: number,
        index: at,
        generation: shard.generation(at),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::datum::Datum;
    use super::*;

    pub(crate) fn table(size: u32, expire: Option<u32>, data: &[(Datum, u32)]) -> Table {
        let mut layout = Layout::default();
        for &(datum, period) in data {
            layout.add(datum, 1, Millis::new(period));
        }
        let settings = Settings {
            kind: Kind::String(32),
            size,
            expire: expire.map(Millis::new),
            no_purge: false,
            layout,
            server_key_is_address: false,
        };
        Table::new("t".into(), settings)
    }

    pub(super) fn at(ms: u64) -> Tick {
        Tick::from_millis(ms)
    }

    #[test]
    fn entries_expire_unless_they_are_used_or_tracked() {
        let table = table(10, Some(100), &[]);
        let tracked = table.track(b"tracked", at(0)).expect("room");
        let _ = table.enter(b"used", at(0));
        let _ = table.enter(b"idle", at(0));
        let _ = table.enter(b"used", at(90));
        assert!(table.find(b"idle", at(99)).is_some());
        assert!(table.find(b"idle", at(100)).is_none());
        assert!(table.find(b"used", at(150)).is_some());
        assert!(table.find(b"tracked", at(5_000)).is_some());
        table.release(tracked, at(5_000));
        assert!(!table.sweep(at(9_000)));
        assert_eq!(table.used(), 0);
    }
}
