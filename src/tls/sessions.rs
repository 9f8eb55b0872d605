//! Sessions remembered for clients, where no tickets are given out: looked for by all workers, and counted.
//!
//! Always true: there are `tune.ssl.cachesize` of them at most; the oldest make room.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};

use super::places::Places;

/// The sessions of one line.
#[derive(Debug)]
pub(super) struct Sessions {
    known: Arc<ServerSessionMemoryCache>,
    places: Arc<Places>,
}

impl Sessions {
    /// None yet, and so many at most.
    pub(super) fn new(max: usize, places: &Arc<Places>) -> Arc<Self> {
        Arc::new(Self {
            known: ServerSessionMemoryCache::new(max),
            places: places.clone(),
        })
    }

    fn counted(&self, found: Option<Vec<u8>>) -> Option<Vec<u8>> {
        self.places.lookups.fetch_add(1, Relaxed);
        let missed = u32::from(found.is_none());
        self.places.misses.fetch_add(missed, Relaxed);
        found
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.known.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.counted(self.known.get(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.counted(self.known.take(key))
    }

    fn can_cache(&self) -> bool {
        self.known.can_cache()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Tick;

    #[test]
    fn looking_is_counted() {
        let places = Arc::default();
        let sessions = Sessions::new(8, &places);
        assert!(sessions.put(b"a".to_vec(), b"1".to_vec()));
        assert_eq!(sessions.get(b"a").as_deref(), Some(&b"1"[..]));
        assert_eq!(sessions.take(b"b"), None);
        let figures = places.figures(Tick::from_millis(0));
        assert_eq!((figures.lookups, figures.misses), (2, 1));
    }
}
