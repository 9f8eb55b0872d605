//! How many connections speak TLS, at both ends, and how they began: the limit of `maxsslconn`, and figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::time::rate::SharedRate;
use crate::time::{Millis, Tick};

/// Counts of the process.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// 0 is no limit.
    max: AtomicU32,
    used: AtomicU32,
    total: AtomicU32,
    /// By [`Happening`].
    paces: [Pace; 3],
    /// Sessions looked for by clients that name one, where sessions are remembered here.
    pub(super) lookups: AtomicU32,
    /// Those that are not known.
    pub(super) misses: AtomicU32,
}

/// What is shown as a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A client connected that is to speak TLS.
    Client,
    /// A handshake with a client that goes on with no earlier session.
    ClientKeys,
    /// The same with a server.
    ServerKeys,
}

/// How many in a second, and at most.
#[derive(Debug, Default)]
struct Pace {
    rate: SharedRate,
    peak: AtomicU32,
}

const PERIOD: Millis = Millis::seconds(1);

/// Figures of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// `maxsslconn`; 0 is none.
    pub max: u32,
    /// Connections at this moment.
    pub current: u32,
    /// Connections since the start.
    pub total: u32,
    /// Of the last second, by [`Happening`].
    pub rates: [u32; 3],
    /// The most in a second, by [`Happening`].
    pub peaks: [u32; 3],
    /// How many of a hundred clients of the last second went on with an earlier session.
    pub resumed_percent: u32,
    /// Sessions looked for where they are remembered.
    pub lookups: u32,
    /// Those that were not found.
    pub misses: u32,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Relaxed);
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

    /// Counts what has just happened.
    pub(super) fn count(&self, what: Happening, now: Tick) {
        let pace = &self.paces[what as usize];
        pace.rate.add(now, PERIOD, 1);
        pace.peak.fetch_max(pace.rate.read(now, PERIOD), Relaxed);
    }

    /// Forgets how many there were at most.
    pub(super) fn forget_peaks(&self) {
        for pace in &self.paces {
            pace.peak.store(0, Relaxed);
        }
    }

    pub(super) fn figures(&self, now: Tick) -> Figures {
        let rates = self
            .paces
            .each_ref()
            .map(|pace| pace.rate.read(now, PERIOD));
        let [clients, keys, _] = rates.map(u64::from);
        let full = (keys * 100 + clients / 2).checked_div(clients);
        let percent = full.map_or(0, |full| 100_u64.saturating_sub(full));
        Figures {
            max: self.max.load(Relaxed),
            current: self.used.load(Relaxed),
            total: self.total.load(Relaxed),
            rates,
            peaks: self.paces.each_ref().map(|pace| pace.peak.load(Relaxed)),
            resumed_percent: u32::try_from(percent).unwrap_or(100),
            lookups: self.lookups.load(Relaxed),
            misses: self.misses.load(Relaxed),
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
        drop(place);
        assert!(places.take().is_some());
        drop(second);
        let figures = places.figures(Tick::from_millis(1));
        assert_eq!((figures.current, figures.total), (0, 3));
    }

    #[test]
    fn the_last_second_and_the_worst_one() {
        let (places, at) = (Places::default(), Tick::from_millis);
        for nth in 0..6 {
            places.count(Happening::Client, at(10_000 + nth));
            if nth < 2 {
                places.count(Happening::ClientKeys, at(10_000 + nth));
            }
        }
        let figures = places.figures(at(10_900));
        assert_eq!((figures.rates, figures.resumed_percent), ([6, 2, 0], 67));
        places.count(Happening::ServerKeys, at(20_000));
        let later = places.figures(at(20_000));
        assert_eq!((later.rates, later.peaks), ([0, 0, 1], [6, 2, 1]));
        assert_eq!(later.resumed_percent, 0);
        places.forget_peaks();
        assert_eq!(places.figures(at(30_000)).peaks, [0; 3]);
    }
}
