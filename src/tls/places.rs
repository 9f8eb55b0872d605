//! How many connections speak TLS, at both ends, and how they began: the limit of `maxsslconn`, and figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Counts of the process.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// 0 is no limit.
    max: AtomicU32,
    used: AtomicU32,
    total: AtomicU32,
    /// Sessions with clients.
    opened: AtomicU32,
    /// Those that went on with an earlier one.
    resumed: AtomicU32,
}

/// Figures of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// `maxsslconn`; 0 is none.
    pub max: u32,
    /// Connections at this moment.
    pub current: u32,
    /// Connections since the start.
    pub total: u32,
    /// How many of a hundred sessions with clients went on with an earlier one.
    pub resumed_percent: u32,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Relaxed);
    }
}

impl Place {
    /// Counts a session with a client.
    pub(super) fn opened(&self, resumed: bool) {
        self.0.opened.fetch_add(1, Relaxed);
        self.0.resumed.fetch_add(u32::from(resumed), Relaxed);
    }
}

impl Places {
    pub(super) fn limit(&self, max: u32) {
        self.max.store(max, Relaxed);
    }

    /// A place, unless all are taken.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let place = Place(self.clone());
        let before = self.used.fetch_add(1, Relaxed);
        let max = self.max.load(Relaxed);
        if max > 0 && before >= max {
            return None;
        }
        self.total.fetch_add(1, Relaxed);
        Some(place)
    }

    pub(super) fn figures(&self) -> Figures {
        let opened = self.opened.load(Relaxed);
        let resumed = u64::from(self.resumed.load(Relaxed)) * 100;
        let percent = resumed.checked_div(u64::from(opened)).unwrap_or(0);
        Figures {
            max: self.max.load(Relaxed),
            current: self.used.load(Relaxed),
            total: self.total.load(Relaxed),
            resumed_percent: u32::try_from(percent).unwrap_or(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let places = Arc::new(Places::default());
        places.limit(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        let place = first.expect("taken");
        (0..3).for_each(|at| place.opened(at > 0));
        drop(place);
        assert!(places.take().is_some());
        drop(second);
        let figures = places.figures();
        assert_eq!((figures.current, figures.total), (0, 3));
        assert_eq!(figures.resumed_percent, 66);
    }
}
