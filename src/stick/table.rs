//! A stick table: a bounded store from keys to counters, shared by all workers.

use super::datum::{Cell, Datum, Layout};
use super::journal::Journal;
use super::key::{Key, Kind};
use super::shard::{Entry, EntryRef, Hashed, Shard};
use crate::time::rate::Rate;
use crate::time::{Millis, Tick};
use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Something that happened to whoever an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection came; it stays until [`Event::ConnectionOver`].
    Connection,
    /// That connection is over.
    ConnectionOver,
    /// It became a session.
    Session,
    /// A request came.
    Request,
    /// A request was in error: malformed, or answered 4xx.
    RequestError,
    /// A response failed: 5xx, or none.
    ResponseFailure,
    /// So many bytes came from the client.
    BytesIn(u64),
    /// So many bytes went to the client.
    BytesOut(u64),
    /// The protocol was bent.
    Glitch,
}

/// What is known of an entry beside its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its key.
    pub key: Key,
    /// Streams that track it.
    pub trackers: u32,
    /// Until it expires; none: it does not.
    pub expires_in: Option<Millis>,
    /// Since its last use; none: not known without expiry.
    pub idle: Option<Millis>,
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

    /// Takes an entry out of its shard.
    fn take_out(&self, shard: &mut Shard, at: u32, hash: u64) {
        if let Some(journal) = &self.journal {
            journal.forget(&shard.entry(at).key);
        }
        shard.remove(at, hash);
        self.used.fetch_sub(1, Relaxed);
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
            self.expire_some(&mut shard, now, EXPIRE_WITH_INSERT);
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

    /// A number, or a rate at this moment. None: not stored, or the entry is gone.
    #[must_use]
    pub fn read(&self, entry: EntryRef, datum: Datum, element: u32, now: Tick) -> Option<u64> {
        let (cell, period) = self.settings.layout.cell(datum, element)?;
        let read = self.with(entry, |entry| match &entry.cells[cell] {
            Cell::Number(number) => Some(*number),
            Cell::Rate(rate) => Some(u64::from(rate.read(now, period))),
            Cell::Name(_) => None,
        });
        read.flatten()
    }

    /// A number that takes no notice of time. None: not stored, or the entry is gone.
    #[must_use]
    pub fn read_number(&self, entry: EntryRef, datum: Datum) -> Option<u64> {
        self.read(entry, datum, 0, Tick::default())
    }

    /// Adds to a number, or counts events of a rate; the new value. None: not stored, or the entry is gone.
    pub fn add(
        &self,
        entry: EntryRef,
        datum: Datum,
        element: u32,
        by: u64,
        now: Tick,
    ) -> Option<u64> {
        let (cell, period) = self.settings.layout.cell(datum, element)?;
        let add = self.change(entry, |entry| add(&mut entry.cells[cell], by, period, now));
        add.flatten()
    }

    /// Lets `work` count in a rate, told its period and how many track the entry, under one lock. None: not stored, or the
    /// entry is gone.
    pub fn count_in<R>(
        &self,
        entry: EntryRef,
        datum: Datum,
        work: impl FnOnce(&mut Rate, Millis, u32) -> R,
    ) -> Option<R> {
        let (cell, period) = self.settings.layout.cell(datum, 0)?;
        let counted = self.change(entry, |entry| match &mut entry.cells[cell] {
            Cell::Rate(rate) => Some(work(rate, period, entry.trackers)),
            Cell::Number(_) | Cell::Name(_) => None,
        });
        counted.flatten()
    }

    /// Gives a number or a rate a value. False: not stored, or the entry is gone.
    pub fn set(&self, entry: EntryRef, datum: Datum, element: u32, value: u64, now: Tick) -> bool {
        let Some((cell, period)) = self.settings.layout.cell(datum, element) else {
            return false;
        };
        let set = self.change(entry, |entry| match &mut entry.cells[cell] {
            Cell::Number(number) => *number = value,
            Cell::Rate(rate) => {
                *rate = Rate::default();
                rate.add(now, period, u32::try_from(value).unwrap_or(u32::MAX));
            }
            Cell::Name(_) => {}
        });
        set.is_some()
    }

    /// The name an entry stores (`server_key`).
    #[must_use]
    pub fn read_name(&self, entry: EntryRef, datum: Datum) -> Option<Arc<str>> {
        let (cell, _) = self.settings.layout.cell(datum, 0)?;
        let read = self.with(entry, |entry| match &entry.cells[cell] {
            Cell::Name(name) => name.clone(),
            Cell::Number(_) | Cell::Rate(_) => None,
        });
        read.flatten()
    }

    /// Stores a name.
    pub fn set_name(&self, entry: EntryRef, datum: Datum, name: Arc<str>) {
        if let Some((cell, _)) = self.settings.layout.cell(datum, 0) {
            self.change(entry, |entry| {
                if let Cell::Name(stored) = &mut entry.cells[cell] {
                    *stored = Some(name);
                }
            });
        }
    }

    /// Counts what happened in every datum that counts it, under one lock.
    pub fn note(&self, entry: EntryRef, event: Event, now: Tick) {
        let layout = &self.settings.layout;
        let (by, data) = counted(event);
        self.change(entry, |entry| {
            for &datum in data {
                if let Some((cell, period)) = layout.cell(datum, 0) {
                    add(&mut entry.cells[cell], by, period, now);
                }
            }
            let current = layout.cell(Datum::ConnCur, 0);
            let Some((cell, _)) = current else { return };
            if let Cell::Number(number) = &mut entry.cells[cell] {
                if event == Event::Connection {
                    *number += 1;
                } else if event == Event::ConnectionOver {
                    *number = number.saturating_sub(1);
                }
            }
        });
    }

    /// What is known of an entry beside its data.
    #[must_use]
    pub fn standing(&self, entry: EntryRef, now: Tick) -> Option<Standing> {
        let expire = self.settings.expire;
        self.with(entry, |entry| standing(entry, expire, now))
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

    /// Forgets entries whose time has come, a bounded number; true if there are more.
    pub fn sweep(&self, now: Tick) -> bool {
        let each = |shard: &Mutex<Shard>| {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            self.expire_some(&mut shard, now, EXPIRE_WITH_SWEEP) == EXPIRE_WITH_SWEEP
        };
        self.shards
            .iter()
            .map(each)
            .fold(false, |more, one| more | one)
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

    /// The entry, unless its time has come and nobody tracks it: then it is forgotten.
    fn live(&self, shard: &mut Shard, wanted: &Hashed<'_>, now: Tick) -> Option<u32> {
        let at = shard.find(wanted)?;
        let entry = shard.entry(at);
        if entry.expire.has_come(now) && entry.trackers == 0 {
            self.take_out(shard, at, wanted.hash);
            return None;
        }
        Some(at)
    }

    fn expire_some(&self, shard: &mut Shard, now: Tick, budget: usize) -> usize {
        let renew = self.expire_from(now);
        for done in 0..budget {
            let Some(at) = shard.expired(now, renew) else {
                return done;
            };
            self.remove(shard, at);
        }
        budget
    }

    fn remove(&self, shard: &mut Shard, at: u32) {
        let hash = self.hasher.hash_one(shard.entry(at).key.as_slice());
        self.take_out(shard, at, hash);
    }

    /// Makes room for one more entry and counts it in. Looks at its own shard first, then at the others, one lock at a
    /// time.
    fn reserve(&self, wanted: &Hashed<'_>) -> bool {
        for _ in 0..RESERVE_TRIES {
            let room = |used| (used < self.settings.size).then(|| used + 1);
            if self.used.fetch_update(Relaxed, Relaxed, room).is_ok() {
                return true;
            }
            if self.settings.no_purge || !self.push_one_out(wanted.hash) {
                return false;
            }
        }
        false
    }

    fn push_one_out(&self, hash: u64) -> bool {
        let count = self.shards.len() as u64;
        (0..count).any(|step| {
            let number = u32::try_from(((hash >> 40) + step) % count).unwrap_or(0);
            let mut shard = self.lock(number);
            let oldest = shard.oldest_free();
            if let Some(at) = oldest {
                self.remove(&mut shard, at);
            }
            oldest.is_some()
        })
    }
}

fn name(number: u32, shard: &Shard, at: u32) -> EntryRef {
    EntryRef {
        shard: number,
        index: at,
        generation: shard.generation(at),
    }
}

fn add(cell: &mut Cell, by: u64, period: Millis, now: Tick) -> Option<u64> {
    match cell {
        Cell::Number(number) => {
            *number = number.saturating_add(by);
            Some(*number)
        }
        Cell::Rate(rate) => {
            rate.add(now, period, u32::try_from(by).unwrap_or(u32::MAX));
            Some(u64::from(rate.read(now, period)))
        }
        Cell::Name(_) => None,
    }
}

pub(super) fn standing(entry: &Entry, expire: Option<Millis>, now: Tick) -> Standing {
    let expires_in = expire.map(|_| entry.expire.since(now));
    let idle = expire
        .zip(expires_in)
        .map(|(whole, left)| Millis::new(whole.get().saturating_sub(left.get())));
    Standing {
        key: entry.key.clone(),
        trackers: entry.trackers,
        expires_in,
        idle,
    }
}

/// The one table from an event to what it adds to.
fn counted(event: Event) -> (u64, &'static [Datum]) {
    match event {
        Event::Connection => (1, &[Datum::ConnCnt, Datum::ConnRate]),
        Event::ConnectionOver => (0, &[]),
        Event::Session => (1, &[Datum::SessCnt, Datum::SessRate]),
        Event::Request => (1, &[Datum::HttpReqCnt, Datum::HttpReqRate]),
        Event::RequestError => (1, &[Datum::HttpErrCnt, Datum::HttpErrRate]),
        Event::ResponseFailure => (1, &[Datum::HttpFailCnt, Datum::HttpFailRate]),
        Event::BytesIn(bytes) => (bytes, &[Datum::BytesInCnt, Datum::BytesInRate]),
        Event::BytesOut(bytes) => (bytes, &[Datum::BytesOutCnt, Datum::BytesOutRate]),
        Event::Glitch => (1, &[Datum::GlitchCnt, Datum::GlitchRate]),
    }
}

/// Tables below this size have one shard, so that what is pushed out is the oldest of all.
const SMALL: u32 = 1024;
/// Shards of larger tables.
const SHARDS: usize = 16;
/// Expired entries forgotten beside an insertion.
const EXPIRE_WITH_INSERT: usize = 4;
/// Expired entries forgotten per shard and sweep.
const EXPIRE_WITH_SWEEP: usize = 256;
/// How often room is looked for while other workers take what was made.
const RESERVE_TRIES: usize = 8;

#[cfg(test)]
pub(super) mod tests {
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

    fn at(ms: u64) -> Tick {
        Tick::from_millis(ms)
    }

    #[test]
    fn events_count_in_what_is_stored() {
        let data = [
            (Datum::ConnCur, 0),
            (Datum::HttpReqCnt, 0),
            (Datum::HttpReqRate, 10_000),
            (Datum::BytesInCnt, 0),
        ];
        let table = table(10, Some(1_000), &data);
        let entry = table.track(b"a", at(0)).expect("room");
        for event in [
            Event::Connection,
            Event::Request,
            Event::Request,
            Event::BytesIn(500),
            Event::RequestError,
        ] {
            table.note(entry, event, at(5));
        }
        let read = |datum| table.read(entry, datum, 0, at(6));
        assert_eq!(read(Datum::ConnCur), Some(1));
        assert_eq!(read(Datum::HttpReqCnt), Some(2));
        assert_eq!(read(Datum::HttpReqRate), Some(2));
        assert_eq!(read(Datum::BytesInCnt), Some(500));
        assert_eq!(read(Datum::HttpErrCnt), None);
        table.note(entry, Event::ConnectionOver, at(7));
        assert_eq!(table.read(entry, Datum::ConnCur, 0, at(7)), Some(0));
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

    #[test]
    fn a_full_table_pushes_the_longest_unused_out() {
        let table = table(2, None, &[]);
        let _ = table.enter(b"a", at(0));
        let _ = table.enter(b"b", at(1));
        let _ = table.enter(b"a", at(2));
        assert!(table.enter(b"c", at(3)).is_some());
        assert!(table.find(b"b", at(3)).is_none());
        assert_eq!(table.used(), 2);
        let kept = [table.track(b"a", at(4)), table.track(b"c", at(4))];
        assert!(kept.iter().all(Option::is_some));
        assert!(table.enter(b"d", at(5)).is_none(), "all are tracked");
        assert!(!table.forget(kept[0].expect("checked")));
    }

    #[test]
    fn a_table_that_must_not_purge_refuses() {
        let settings = Settings {
            no_purge: true,
            ..table(1, Some(50), &[]).settings
        };
        let table = Table::new("t".into(), settings);
        assert!(table.enter(b"a", at(0)).is_some());
        assert!(table.enter(b"b", at(1)).is_none());
        assert!(table.enter(b"b", at(60)).is_some(), "the first has expired");
    }

    #[test]
    fn workers_together_never_exceed_the_size() {
        let table = table(1_500, None, &[(Datum::Gpc0, 0)]);
        std::thread::scope(|scope| {
            for worker in 0..4_u32 {
                let table = &table;
                scope.spawn(move || {
                    for n in 0..5_000_u32 {
                        let key = (n.wrapping_mul(2_654_435_761) >> 8 ^ worker).to_be_bytes();
                        if let Some(entry) = table.enter(&key, at(u64::from(n))) {
                            table.add(entry, Datum::Gpc0, 0, 1, at(u64::from(n)));
                        }
                        assert!(table.used() <= 1_500);
                    }
                });
            }
        });
        let mut seen = 0;
        let mut from = Some((0, 0));
        while let Some(place) = from {
            from = table.visit(place, 100, |_, _| seen += 1);
        }
        assert_eq!(seen, table.used());
    }

    #[test]
    fn names_are_stored() {
        let table = table(10, None, &[(Datum::ServerKey, 0), (Datum::ServerId, 0)]);
        let entry = table.enter(b"k", at(0)).expect("room");
        assert_eq!(table.read_name(entry, Datum::ServerKey), None);
        table.set_name(entry, Datum::ServerKey, "s1".into());
        assert_eq!(
            table.read_name(entry, Datum::ServerKey).as_deref(),
            Some("s1")
        );
        assert!(table.set(entry, Datum::ServerId, 0, 3, at(0)));
        assert_eq!(table.read(entry, Datum::ServerId, 0, at(0)), Some(3));
    }
}
