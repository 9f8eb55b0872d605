//! Paces that may not be exceeded: `maxconnrate`, `maxsessrate`, `maxsslrate` and `rate-limit sessions`.
//!
//! Workers ask before they accept and count after; the counters belong to the process, so that the limits hold for all workers
//! together. A limit of zero is none, and then nothing is counted. Whoever may not accept is told how long to
//! wait; the clients wait in the socket's queue meanwhile.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::time::rate::SharedRate;
use crate::time::{Millis, Tick};

const PERIOD: Millis = Millis::seconds(1);

/// A pace with a limit that operators may change.
#[derive(Debug, Default)]
pub struct Paced {
    limit: AtomicU32,
    rate: SharedRate,
}

impl From<u32> for Paced {
    fn from(limit: u32) -> Self {
        let pace = Self::default();
        pace.set_limit(limit);
        pace
    }
}

impl Paced {
    /// At most so many a second; zero for as many as come.
    pub fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Relaxed);
    }

    /// The limit at this moment.
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// How long the next one has to wait.
    #[inline]
    pub fn wait(&self, now: Tick) -> Millis {
        match self.limit() {
            0 => Millis::ZERO,
            limit => wait(&self.rate, limit, now),
        }
    }

    /// Counts one.
    #[inline]
    pub fn count(&self, now: Tick) {
        if self.limit() > 0 {
            self.rate.add(now, PERIOD, 1);
        }
    }
}

/// How long the next event has to wait for its place under `limit` a second.
fn wait(rate: &SharedRate, limit: u32, now: Tick) -> Millis {
    let rate = rate.snapshot();
    if rate.remaining(now, PERIOD, limit, 0) > 0 {
        return Millis::ZERO;
    }
    rate.wait(now, PERIOD, limit, 1).max(Millis::new(1))
}

/// The paces of a process.
#[derive(Debug, Default)]
pub struct Paces {
    /// `maxconnrate`.
    pub connections: Paced,
    /// `maxsessrate`.
    pub sessions: Paced,
    /// `maxsslrate`.
    pub tls: Paced,
}

impl Paces {
    /// How long the next client of a listener has to wait.
    pub fn wait(&self, tls: bool, frontend: Option<&Paced>, now: Tick) -> Millis {
        let own = frontend.map_or(Millis::ZERO, |pace| pace.wait(now));
        let secured = if tls {
            self.tls.wait(now)
        } else {
            Millis::ZERO
        };
        self.connections
            .wait(now)
            .max(self.sessions.wait(now))
            .max(secured)
            .max(own)
    }

    /// Counts a client.
    pub fn count(&self, tls: bool, frontend: Option<&Paced>, now: Tick) {
        self.connections.count(now);
        self.sessions.count(now);
        if tls {
            self.tls.count(now);
        }
        if let Some(pace) = frontend {
            pace.count(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pass in `ms` milliseconds that each take as many as they may.
    fn passing(pace: &Paced, from: u64, ms: u64) -> u32 {
        let mut passed = 0;
        for at in from..from + ms {
            let now = Tick::from_millis(at);
            while pace.wait(now) == Millis::ZERO && passed < 100_000 {
                pace.count(now);
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn a_limit_holds_over_any_second() {
        let pace = Paced::default();
        pace.set_limit(50);
        let first = passing(&pace, 10_000, 1000);
        let second = passing(&pace, 11_000, 1000);
        assert_eq!(first, 50);
        assert!((45..=51).contains(&second), "{second}");
    }

    #[test]
    fn without_a_limit_nobody_waits_and_nothing_is_counted() {
        let pace = Paced::default();
        assert_eq!(passing(&pace, 0, 1), 100_000);
        assert_eq!(pace.rate.read(Tick::from_millis(1), PERIOD), 0);
    }
}
