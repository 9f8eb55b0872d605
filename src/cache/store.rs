//! One cache, shared by all workers.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::hints::{BLOCK, Hints, Remains};
use super::index::{Held, Index};
use super::object::{Object, Shape};
use super::request::{Key, Request};
use crate::http::Head;
use crate::time::Tick;

/// What a search came to.
#[derive(Clone, Debug)]
pub enum Found {
    /// An answer.
    Answer(Arc<Object>),
    /// No answer, but what its client may be told meanwhile.
    Hints(Hints),
}

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
        let hint_blocks = limits.total / BLOCK * limits.hints.percent / 100;
        Store {
            name: name.into(),
            limits,
            seed,
            index: Mutex::new(Index::new(hint_blocks)),
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

    /// What may answer the request, else what its client may be told.
    pub fn find(&self, request: &Request, now: Tick) -> Option<Found> {
        let mut index = self.index();
        let found = index.find(request.key, &request.variant, now);
        self.stored.store(index.bytes(), Relaxed);
        found
    }

    /// Takes the hints of an answer in, which itself is not kept.
    pub fn keep_hints(&self, key: Key, shape: Shape, head: &Head, now: Tick) {
        if let Some(hints) = Hints::of(head) {
            let mut index = self.index();
            index.insert_hints(key, Remains { shape, hints }, now);
            self.make_room(&mut index, self.gathering.load(Relaxed));
        }
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

    /// All it holds, the oldest first.
    pub(super) fn all(&self) -> Vec<(Key, Held)> {
        self.index().all()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::EarlyHints;
    use super::super::filling::tests::fill;
    use super::super::freshness::Verdict;
    use super::super::freshness::tests::{LIMITS, response};
    use super::super::request::tests::request;
    use super::*;

    fn get(target: &str, fields: &[(&str, &str)]) -> Request {
        Request::read(&request("GET", target, fields), false, 1)
    }

    fn store() -> Arc<Store> {
        Arc::new(Store::new("c", LIMITS, 1))
    }

    /// What answers a request.
    fn answer(store: &Store, request: &Request, now: Tick) -> Option<Arc<Object>> {
        store.find(request, now).and_then(|found| match found {
            Found::Answer(object) => Some(object),
            Found::Hints(_) => None,
        })
    }

    const FRESH: (&str, &str) = ("cache-control", "max-age=5");

    #[test]
    fn answers_are_found_until_they_are_old() {
        let (store, page) = (store(), get("/", &[]));
        let now = Tick::from_millis;
        assert!(answer(&store, &page, now(0)).is_none());
        assert!(fill(&store, &page, &[FRESH, ("age", "2")], b"abc"));
        let found = answer(&store, &page, now(2_999)).expect("kept");
        let head = found.head(now(2_999));
        assert_eq!(head.get(b"age"), Some(&b"4"[..]));
        assert_eq!(found.body().concat(), b"abc");
        assert!(answer(&store, &page, now(3_000)).is_none());
        assert!(answer(&store, &get("/x", &[]), now(0)).is_none());
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
        let body = |origin| answer(&store, &of(origin), now).map(|found| found.body().concat());
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
        assert!(answer(&store, &pages[0], now).is_none());
        assert!(answer(&store, &pages[399], now).is_some());
        assert!(store.all().len() > 200);
    }

    fn hinting(percent: usize) -> Arc<Store> {
        let limits = Limits {
            hints: EarlyHints {
                percent,
                only: false,
            },
            ..LIMITS
        };
        Arc::new(Store::new("c", limits, 1))
    }

    const HINT: (&str, &str) = ("link", "</a.css>; rel=preload");

    fn has_hints(store: &Store, page: &Request, at: u64) -> bool {
        let found = store.find(page, Tick::from_millis(at));
        matches!(found, Some(Found::Hints(hints)) if hints.clone().into_lines().concat() == HINT.1.as_bytes())
    }

    #[test]
    fn what_is_too_old_leaves_its_hints() {
        let page = get("/", &[]);
        for (percent, left) in [(0, false), (1, true)] {
            let store = hinting(percent);
            assert!(fill(&store, &page, &[FRESH, HINT], b"abc"));
            assert!(answer(&store, &page, Tick::default()).is_some());
            assert_eq!(has_hints(&store, &page, 5_000), left);
            assert_eq!(has_hints(&store, &page, 9_000), left);
        }
        let store = hinting(1);
        assert!(fill(&store, &page, &[FRESH, HINT], b"abc"));
        assert!(has_hints(&store, &page, 5_000));
        assert_eq!(store.used(), BLOCK);
        assert!(fill(&store, &page, &[FRESH, HINT], b"new"));
        assert_eq!(store.all().len(), 1);
        store.forget(page.key);
        assert_eq!(store.used(), 0);
    }

    #[test]
    fn what_gives_way_leaves_its_hints_as_long_as_there_is_room() {
        let store = hinting(1);
        let pages: Vec<Request> = (0..400).map(|n| get(&format!("/{n}"), &[])).collect();
        for page in &pages {
            assert!(fill(&store, page, &[FRESH, HINT], &[b'x'; 3000]));
            assert!(store.used() <= LIMITS.total);
        }
        let all = store.all();
        let hints = all
            .iter()
            .filter(|(_, held)| matches!(held, Held::Hints(_)));
        assert_eq!(hints.count(), LIMITS.total / BLOCK / 100);
        assert!(!has_hints(&store, &pages[0], 0));
        let left = pages.iter().filter(|page| has_hints(&store, page, 0));
        assert_eq!(left.count(), LIMITS.total / BLOCK / 100);
    }

    #[test]
    fn hints_are_kept_without_their_answers() {
        let store = hinting(100);
        let page = get("/", &[]);
        let head = |fields: &[(&str, &str)]| response(fields);
        let Verdict::Keep(shape) = Verdict::of(&page, &head(&[FRESH]), None, &LIMITS, 0) else {
            panic!("to be kept")
        };
        let now = Tick::default();
        store.keep_hints(page.key, shape, &head(&[FRESH]), now);
        assert!(store.find(&page, now).is_none());
        store.keep_hints(page.key, shape, &head(&[FRESH, HINT]), now);
        assert!(has_hints(&store, &page, 0));
        assert_eq!(store.all().len(), 1);
    }
}
