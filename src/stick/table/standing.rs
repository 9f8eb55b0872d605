//! What is known of an entry beside its data: who tracks it, and how long it lives.

use super::Table;
use crate::stick::key::Key;
use crate::stick::shard::{Entry, EntryRef};
use crate::time::{Millis, Tick};

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
    /// What is known of an entry beside its data.
    #[must_use]
    pub fn standing(&self, entry: EntryRef, now: Tick) -> Option<Standing> {
        let expire = self.settings.expire;
        self.with(entry, |entry| standing(entry, expire, now))
    }
}

/// The same of an entry in hand.
pub(in crate::stick) fn standing(entry: &Entry, expire: Option<Millis>, now: Tick) -> Standing {
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
