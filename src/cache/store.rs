//! One cache, shared by all workers.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::index::Index;
use super::object::Object;
use super::request::{Key, Request};
use crate::time::Tick;

/// A cache.
#[derive(Debug)]
pub struct Store {
    name: Arc<str>,
    limits: Limits,
    seed: u64,
    index: Mutex<Index>,
    /// Bytes of complete answers, as the index counts them.
    stored: AtomicUsize,
    /// Bytes of answers that are being gathered.
    gathering: AtomicUsize,
}

impl Store {
    /// An empty cache; `seed` makes its keys unpredictable.
    pub fn new(name: &str, limits: Limits, seed: u64) -> Store {
        Store {
            name: name.into(),
            limits,
            seed,
            index: Mutex::default(),
            stored: AtomicUsize::new(0),
            gathering: AtomicUsize::new(0),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What makes its keys.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What may answer the request.
    pub fn find(&self, request: &Request, now: Tick) -> Option<Arc<Object>> {
        self.index().find(request.key, &request.variant, now)
    }

    /// Forgets all that is kept at an address.
    pub fn forget(&self, key: Key) {
        let mut index = self.index();
        index.forget(key);
        self.stored.store(index.bytes(), Relaxed);
    }

    /// Takes a complete answer in.
    pub(super) fn keep(&self, key: Key, object: Object, now: Tick) {
        let variants = if self.limits.vary {
            self.limits.variants
        } else {
            1
        };
        let mut index = self.index();
        index.insert(key, object, variants, now);
        self.make_room(&mut index, self.gathering.load(Relaxed));
    }

    fn make_room(&self, index: &mut Index, gathering: usize) {
        index.shrink(self.limits.total.saturating_sub(gathering));
        self.stored.store(index.bytes(), Relaxed);
    }

    /// Takes room for an answer that is being gathered.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        // Objects give way to answers that come, up to a half: so many that never end cannot empty the cache.
        let gathering = self.gathering.fetch_add(bytes, Relaxed) + bytes;
        if gathering > self.limits.total / 2 {
            self.give_back(bytes);
            return false;
        }
        if self.stored.load(Relaxed) + gathering > self.limits.total {
            self.make_room(&mut self.index(), gathering);
        }
        true
    }

    /// Gives that room back.
    pub(super) fn give_back(&self, bytes: usize) {
        self.gathering.fetch_sub(bytes, Relaxed);
    }

    /// How many bytes are taken.
    pub fn used(&self) -> usize {
        self.stored.load(Relaxed) + self.gathering.load(Relaxed)
    }

    /// Every object, the oldest first.
    pub(super) fn all(&self) -> Vec<(Key, Arc<Object>)> {
        self.index().all()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::filling::tests::fill;
    use super::super::freshness::tests::LIMITS;
    use super::super::request::tests::request;
    use super::*;

    fn get(target: &str, fields: &[(&str, &str)]) -> Request {
        Request::read(&request("GET", target, fields), false, 1)
    }

    fn store() -> Arc<Store> {
        Arc::new(Store::new("c", LIMITS, 1))
    }

    const FRESH: (&str, &str) = ("cache-control", "max-age=5");

    #[test]
    fn answers_are_found_until_they_are_old() {
        let (store, page) = (store(), get("/", &[]));
        let now = Tick::from_millis;
        assert!(store.find(&page, now(0)).is_none());
        assert!(fill(&store, &page, &[FRESH, ("age", "2")], b"abc"));
        let found = store.find(&page, now(2_999)).expect("kept");
        let head = found.head(now(2_999));
        assert_eq!(head.get(b"age"), Some(&b"4"[..]));
        assert_eq!(found.body().concat(), b"abc");
        assert!(store.find(&page, now(3_000)).is_none());
        assert!(store.find(&get("/x", &[]), now(0)).is_none());
    }

    #[test]
    fn variants_are_told_apart_and_limited() {
        let store = store();
        let of = |origin| get("/", &[("origin", origin)]);
        let varies = [FRESH, ("vary", "origin")];
        for origin in ["a", "b", "c", "d"] {
            assert!(fill(&store, &of(origin), &varies, origin.as_bytes()));
        }
        let now = Tick::default();
        let body = |origin| {
            store
                .find(&of(origin), now)
                .map(|found| found.body().concat())
        };
        assert_eq!(body("a").as_deref(), Some(&b"a"[..]));
        assert_eq!(body("c").as_deref(), Some(&b"c"[..]));
        assert_eq!(body("d"), None);
        assert!(fill(&store, &of("b"), &varies, b"new"));
        assert_eq!(body("b").as_deref(), Some(&b"new"[..]));
        store.forget(of("x").key);
        assert_eq!((body("a"), store.used()), (None, 0));
    }

    #[test]
    fn the_oldest_give_way() {
        let store = store();
        let pages: Vec<Request> = (0..400).map(|n| get(&format!("/{n}"), &[])).collect();
        for page in &pages {
            assert!(fill(&store, page, &[FRESH], &[b'x'; 3000]));
            assert!(store.used() <= LIMITS.total);
        }
        let now = Tick::default();
        assert!(store.find(&pages[0], now).is_none());
        assert!(store.find(&pages[399], now).is_some());
        assert!(store.all().len() > 200);
    }
}
