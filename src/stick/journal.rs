//! The journal of a table that is shared with peers: which keys changed since when.
//!
//! A change moves its key to the end under the next number, so that a key stands here once however often it changes. Readers
//! ask for what came after the number they know. Whoever changes an empty journal rings the bell once, and again only after somebody looked.
//!
//! Always true: a key whose entry is gone is not here, so the journal is no larger than its table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Release},
};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use hashbrown::HashMap;

use super::key::Key;

/// What is called when there is something new.
type Bell = Box<dyn Fn() + Send + Sync>;

/// Changed keys in the order of their last change.
#[derive(Default)]
pub(super) struct Journal {
    pages: Mutex<Pages>,
    rung: AtomicBool,
    bell: OnceLock<Bell>,
}

#[derive(Default)]
struct Pages {
    last: u32,
    by_number: BTreeMap<u32, Key>,
    by_key: HashMap<Key, u32>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("last", &self.pages().last)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Has `bell` called when there is something new; the first one counts.
    pub(super) fn ring_with(&self, bell: Bell) {
        let _ = self.bell.set(bell);
    }

    /// A key's entry changed.
    pub(super) fn note(&self, key: &Key) {
        {
            let mut pages = self.pages();
            pages.last = pages.last.wrapping_add(1);
            let number = pages.last;
            match pages.by_key.insert(key.clone(), number) {
                Some(before) => {
                    let key = pages.by_number.remove(&before);
                    pages.by_number.extend(key.map(|key| (number, key)));
                }
                None => {
                    pages.by_number.insert(number, key.clone());
                }
            }
        }
        if !self.rung.swap(true, AcqRel)
            && let Some(bell) = self.bell.get()
        {
            bell();
        }
    }

    /// A key's entry is gone.
    pub(super) fn forget(&self, key: &Key) {
        let mut pages = self.pages();
        if let Some(number) = pages.by_key.remove(key) {
            pages.by_number.remove(&number);
        }
    }

    /// The number of the last change.
    pub(super) fn last(&self) -> u32 {
        self.pages().last
    }

    /// The next change after this number.
    pub(super) fn after(&self, number: u32) -> Option<(u32, Key)> {
        self.rung.store(false, Release);
        let pages = self.pages();
        let mut rest = pages.by_number.range(number.saturating_add(1)..);
        rest.next().map(|(number, key)| (*number, key.clone()))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Acquire};

    #[test]
    fn a_key_stands_once_at_its_last_change() {
        let (journal, rings) = (Journal::default(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&rings);
        journal.ring_with(Box::new(move || {
            counted.fetch_add(1, AcqRel);
        }));
        let key = |text: &[u8]| Key::from_slice(text);
        journal.note(&key(b"a"));
        journal.note(&key(b"b"));
        journal.note(&key(b"a"));
        assert_eq!(rings.load(Acquire), 1);
        assert_eq!(journal.after(0), Some((2, key(b"b"))));
        assert_eq!(journal.after(2), Some((3, key(b"a"))));
        assert_eq!((journal.after(3), journal.last()), (None, 3));
        journal.forget(&key(b"b"));
        assert_eq!(journal.after(0), Some((3, key(b"a"))));
        journal.note(&key(b"c"));
        assert_eq!(rings.load(Acquire), 2);
    }
}
