//! Bandwidth limitation: how many bytes of a body may pass at this moment.
//!
//! A [`Bandwidth`] is a `filter bwlim-…` line; `set-bandwidth-limit` starts a [`Limiter`] from it
//! for one stream and direction. The engine asks [`Limiter::budget`] before it forwards and says
//! afterwards what it took. Time is an argument; nothing is changed in the bytes.

use std::sync::Arc;

use crate::time::{Millis, Tick};

/// A `filter bwlim-in` or `bwlim-out` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bandwidth {
    /// Its name, by which `set-bandwidth-limit` starts it.
    pub name: Arc<str>,
    /// Whether it limits what comes from the client (`bwlim-in`).
    pub upload: bool,
    /// `default-limit`: bytes a period.
    pub limit: u64,
    /// `default-period`.
    pub period: Millis,
    /// `min-size`: no fewer bytes are forwarded at a time, so that a low limit makes no crumbs.
    pub size_min: u64,
}

/// The limitation of one direction of one stream.
#[derive(Debug, Clone, Copy)]
pub struct Limiter {
    limit: u64,
    period: Millis,
    size_min: u64,
    /// When the period in force began, and what passed in it.
    since: Tick,
    passed: u64,
}

/// What may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Up to so many bytes.
    Bytes(u64),
    /// Nothing before this moment.
    Until(Tick),
}

impl Limiter {
    /// A limitation that begins at this moment.
    #[must_use]
    pub fn new(line: &Bandwidth, limit: Option<u64>, period: Option<Millis>, now: Tick) -> Limiter {
        Limiter {
            limit: limit.unwrap_or(line.limit).max(1),
            period: period
                .filter(|period| !period.is_zero())
                .unwrap_or(line.period),
            size_min: line.size_min,
            since: now,
            passed: 0,
        }
    }

    /// How many of `waiting` bytes may pass at this moment.
    pub fn budget(&mut self, waiting: u64, now: Tick) -> Budget {
        let end = self.since + self.period;
        if now >= end {
            self.since = now;
            self.passed = 0;
        }
        // A share of the period's bytes is free as time goes by, so that they do not pass in one
        // burst at its beginning.
        let elapsed = u64::from(now.since(self.since).get()).saturating_add(1);
        let period = u64::from(self.period.get()).max(1);
        let share = (self.limit.saturating_mul(elapsed) / period).min(self.limit);
        let free = share.saturating_sub(self.passed);
        let least = self.size_min.min(waiting).max(1);
        if free >= least {
            return Budget::Bytes(free.min(waiting));
        }
        let wanted = (self.passed + least).min(self.limit);
        if wanted <= self.passed {
            return Budget::Until(self.since + self.period);
        }
        let at = wanted.saturating_mul(period).div_ceil(self.limit);
        let at = Millis::new(u32::try_from(at).unwrap_or(u32::MAX));
        Budget::Until((self.since + at).min(self.since + self.period))
    }

    /// So many bytes passed.
    pub fn took(&mut self, bytes: u64) {
        self.passed = self.passed.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(limit: u64, period: u32, size_min: u64) -> Bandwidth {
        Bandwidth {
            name: "l".into(),
            upload: false,
            limit,
            period: Millis::new(period),
            size_min,
        }
    }

    /// How many bytes pass in `time` milliseconds when there is always more.
    fn passed(line: &Bandwidth, time: u32) -> u64 {
        let start = Tick::from_millis(1000);
        let end = start + Millis::new(time);
        let mut limiter = Limiter::new(line, None, None, start);
        let (mut now, mut sum) = (start, 0);
        for _ in 0..1_000_000 {
            match limiter.budget(1 << 20, now) {
                Budget::Bytes(bytes) => {
                    limiter.took(bytes);
                    sum += bytes;
                }
                Budget::Until(next) => {
                    assert!(next > now, "time goes on");
                    now = next;
                }
            }
            if now >= end {
                return sum;
            }
        }
        panic!("the limiter never let time pass");
    }

    #[test]
    fn a_limit_holds_over_many_periods() {
        for (limit, period, size_min) in [
            (10_000, 1000, 0),
            (10_000, 1000, 1460),
            (500, 250, 0),
            (7, 1000, 0),
        ] {
            let line = line(limit, period, size_min);
            let expected = limit * 10_000 / u64::from(period);
            let sum = passed(&line, 10_000);
            assert!(
                sum <= expected + limit && sum + 2 * limit + size_min >= expected * 9 / 10,
                "{limit}: {sum} of {expected}"
            );
        }
    }

    #[test]
    fn crumbs_are_saved_up() {
        let start = Tick::from_millis(0);
        let mut limiter = Limiter::new(&line(1000, 1000, 100), None, None, start);
        let Budget::Until(next) = limiter.budget(5000, start) else {
            panic!("too early")
        };
        let Budget::Bytes(bytes) = limiter.budget(5000, next) else {
            panic!("late enough")
        };
        assert!(bytes >= 100, "{bytes}");
        // What is waiting may be less than that.
        let mut limiter = Limiter::new(&line(1000, 1000, 100), None, None, start);
        assert_eq!(limiter.budget(1, start), Budget::Bytes(1));
    }
}
