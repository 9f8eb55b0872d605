//! Sliding event counters: how many events fell into the last period.
//!
//! HAProxy's method: events of the running period are counted, those of the one before are weighted by the part of it that
//! still lies within one period of now. It costs three words and no timer, never jumps at a period's edge, and
//! gives HAProxy's figures for the same events.
//!
//! [`Rate`] has one owner; [`SharedRate`] is written and read by all threads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{Millis, Tick};

/// A counter with one owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    began: u64,
    current: u32,
    previous: u32,
}

impl Rate {
    /// How long ago the running period began, its events, and those of the period before: what another clock needs to know.
    pub fn parts(&self, now: Tick) -> (u32, u32, u32) {
        let elapsed = now.as_millis().saturating_sub(self.began);
        let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
        (elapsed, self.current, self.previous)
    }

    /// The counter that has these [`parts`](Rate::parts) at this moment.
    pub fn from_parts((elapsed, current, previous): (u32, u32, u32), now: Tick) -> Self {
        Self {
            began: now.as_millis().saturating_sub(u64::from(elapsed)),
            current,
            previous,
        }
    }

    /// Counts `events` at `now`; answers how many the running period has.
    pub fn add(&mut self, now: Tick, period: Millis, events: u32) -> u32 {
        let period = u64::from(period.get());
        let elapsed = now.as_millis().saturating_sub(self.began);
        if elapsed >= period {
            (self.began, self.previous) = if elapsed < 2 * period {
                (self.began + period, self.current)
            } else {
                (now.as_millis(), 0)
            };
            self.current = 0;
        }
        self.current = self.current.saturating_add(events);
        self.current
    }

    /// Events in the last period.
    pub fn read(&self, now: Tick, period: Millis) -> u32 {
        per_period(self.total(now, period, None), period)
    }

    /// How many more events fit under `limit` a period, `pending` ones counted in.
    pub fn remaining(&self, now: Tick, period: Millis, limit: u32, pending: u32) -> u32 {
        limit.saturating_sub(per_period(self.total(now, period, Some(pending)), period))
    }

    /// How long to wait until the next event fits under `limit` a period; zero when it fits already.
    pub fn wait(&self, now: Tick, period: Millis, limit: u32, pending: u32) -> Millis {
        let events = per_period(self.total(now, period, Some(pending)), period);
        let Some(excess) = events.checked_sub(limit) else {
            return Millis::ZERO;
        };
        // The time in which so many events pass at the allowed pace, and at least one tick.
        let wait = u64::from(excess) * u64::from(period.get()) / u64::from(limit.max(1));
        Millis::new(u32::try_from(wait).unwrap_or(u32::MAX).max(1))
    }

    /// Events of the last period times the period's length. Without `pending`, a counter that saw a single event long ago
    /// does not flap between 0 and 1.
    fn total(&self, now: Tick, period: Millis, pending: Option<u32>) -> u64 {
        let period = u64::from(period.get());
        let end = self.began + period;
        let (mut previous, mut current) = (self.previous, self.current);
        let remain = match end.checked_sub(now.as_millis()) {
            Some(remain) => remain.min(period),
            None => match (end + period).checked_sub(now.as_millis()) {
                Some(remain) => {
                    (previous, current) = (current, 0);
                    remain
                }
                None => {
                    (previous, current) = (0, 0);
                    0
                }
            },
        };
        if pending.is_none() && current == 0 && previous <= 1 {
            return u64::from(previous) * period;
        }
        let counted = u64::from(current) + u64::from(pending.unwrap_or(0));
        u64::from(previous) * remain + counted * period
    }
}

fn per_period(total: u64, period: Millis) -> u32 {
    u32::try_from(total / u64::from(period.get().max(1))).unwrap_or(u32::MAX)
}

/// A counter that all threads share.
///
/// The three words are separate atomics: who first finds the period over moves it on. A reading that meets this moment may
/// miss the period before for an instant; none is ever counted twice, and no event is lost.
#[derive(Debug, Default)]
pub struct SharedRate {
    began: AtomicU64,
    current: AtomicU32,
    previous: AtomicU32,
}

impl SharedRate {
    /// Counts `events` at `now`; answers how many the running period has.
    pub fn add(&self, now: Tick, period: Millis, events: u32) -> u32 {
        let length = u64::from(period.get());
        let began = self.began.load(Relaxed);
        let elapsed = now.as_millis().saturating_sub(began);
        if elapsed >= length {
            let recent = elapsed < 2 * length;
            let next = if recent {
                began + length
            } else {
                now.as_millis()
            };
            let moved = self.began.compare_exchange(began, next, Relaxed, Relaxed);
            if moved.is_ok() {
                let last = self.current.swap(0, Relaxed);
                self.previous.store(if recent { last } else { 0 }, Relaxed);
            }
        }
        let before = self.current.fetch_add(events, Relaxed);
        before.saturating_add(events)
    }

    /// The counter as it stands, for the questions of [`Rate`].
    pub fn snapshot(&self) -> Rate {
        Rate {
            began: self.began.load(Relaxed),
            current: self.current.load(Relaxed),
            previous: self.previous.load(Relaxed),
        }
    }

    /// Events in the last period.
    pub fn read(&self, now: Tick, period: Millis) -> u32 {
        self.snapshot().read(now, period)
    }

    /// Starts from what another process counted, so that a reload does not forget the pace.
    pub fn restore(&self, rate: Rate) {
        self.current.store(rate.current, Relaxed);
        self.previous.store(rate.previous, Relaxed);
        self.began.store(rate.began, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Millis = Millis::seconds(1);

    fn at(ms: u64) -> Tick {
        Tick::from_millis(ms)
    }

    #[test]
    fn the_previous_period_fades_linearly() {
        let mut rate = Rate::default();
        for ms in 10_000..10_100 {
            rate.add(at(ms), SECOND, 1);
        }
        assert_eq!(rate.read(at(10_500), SECOND), 100);
        assert_eq!(rate.read(at(11_000), SECOND), 100);
        assert_eq!(rate.read(at(11_250), SECOND), 75);
        assert_eq!(rate.read(at(11_990), SECOND), 1);
        assert_eq!(rate.read(at(12_100), SECOND), 0);
    }

    #[test]
    fn old_periods_are_forgotten() {
        let mut rate = Rate::default();
        rate.add(at(5_000), SECOND, 50);
        assert_eq!(rate.add(at(9_000), SECOND, 1), 1);
        assert_eq!(rate.read(at(9_000), SECOND), 1);
    }

    #[test]
    fn limits_say_how_many_fit_and_how_long_to_wait() {
        let mut rate = Rate::default();
        rate.add(at(1_000), SECOND, 8);
        assert_eq!(rate.remaining(at(1_000), SECOND, 10, 0), 2);
        assert_eq!(rate.remaining(at(1_000), SECOND, 10, 2), 0);
        assert_eq!(rate.wait(at(1_000), SECOND, 10, 0), Millis::ZERO);
        rate.add(at(1_001), SECOND, 4);
        assert_eq!(rate.wait(at(1_001), SECOND, 10, 0), Millis::new(200));
        assert_eq!(rate.remaining(at(1_001), SECOND, 10, 0), 0);
    }

    #[test]
    fn a_clock_that_stands_still_or_steps_back_is_survived() {
        let mut rate = Rate::default();
        rate.add(at(5_000), SECOND, 3);
        rate.add(at(4_000), SECOND, 3);
        assert_eq!(rate.read(at(4_000), SECOND), 6);
    }

    #[test]
    fn the_shared_counter_agrees_with_the_owned_one() {
        let (shared, mut owned) = (SharedRate::default(), Rate::default());
        let mut now = 1;
        for step in [0, 3, 400, 599, 1, 999, 1_000, 1_001, 2_500, 7, 30_000] {
            now += step;
            assert_eq!(
                shared.add(at(now), SECOND, 5),
                owned.add(at(now), SECOND, 5)
            );
            for later in [0, 250, 999, 1_500, 2_200] {
                let then = at(now + later);
                assert_eq!(shared.read(then, SECOND), owned.read(then, SECOND));
            }
        }
    }

    #[test]
    fn threads_lose_no_event() {
        let shared = SharedRate::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..10_000).for_each(|_| {
                        shared.add(at(500), Millis::seconds(10), 1);
                    })
                });
            }
        });
        assert_eq!(shared.read(at(500), Millis::seconds(10)), 40_000);
    }
}
