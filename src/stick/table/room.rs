//! Room in a table: what has expired goes, and of a full table what was unused for longest.
//!
//! One lock is held at a time. Room is counted in before the entry is made, so that the workers together never
//! exceed the size.

use super::Table;
use crate::stick::shard::{Hashed, Shard};
use crate::time::Tick;
use std::hash::BuildHasher as _;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

/// Expired entries forgotten beside an insertion.
pub(super) const EXPIRE_WITH_INSERT: usize = 4;
/// Expired entries forgotten per shard and sweep.
const EXPIRE_WITH_SWEEP: usize = 256;
/// How often room is looked for while other workers take what was made.
const RESERVE_TRIES: usize = 8;

impl Table {
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

    /// The entry, unless its time has come and nobody tracks it: then it is forgotten.
    pub(super) fn live(&self, shard: &mut Shard, wanted: &Hashed<'_>, now: Tick) -> Option<u32> {
        let at = shard.find(wanted)?;
        let entry = shard.entry(at);
        if entry.expire.has_come(now) && entry.trackers == 0 {
            self.take_out(shard, at, wanted.hash);
            return None;
        }
        Some(at)
    }

    pub(super) fn expire_some(&self, shard: &mut Shard, now: Tick, budget: usize) -> usize {
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
    pub(super) fn reserve(&self, wanted: &Hashed<'_>) -> bool {
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

    /// Takes an entry out of its shard.
    pub(super) fn take_out(&self, shard: &mut Shard, at: u32, hash: u64) {
        if let Some(journal) = &self.journal {
            journal.forget(&shard.entry(at).key);
        }
        shard.remove(at, hash);
        self.used.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::tests::{at, table};
    use super::*;
    use crate::stick::datum::Datum;

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
}
