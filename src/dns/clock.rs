//! The resolver thread's clock: ticks since a moment that the caller chose, so that its ticks are the process's.

use tokio::time::Instant;

use crate::time::Tick;

/// A clock with an origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Ticks count from `origin`.
    pub fn since(origin: std::time::Instant) -> Self {
        Self(Instant::from_std(origin))
    }

    /// Ticks count from this call; for programs that end with their lookups.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// This moment.
    pub fn now(self) -> Tick {
        Tick::from_millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX - 1))
    }

    /// The moment of `tick` as the timers count.
    pub fn instant(self, tick: Tick) -> Instant {
        self.0 + std::time::Duration::from_millis(tick.as_millis().min(FAR))
    }
}

/// Thirty years: later than any timer.
const FAR: u64 = 30 * 365 * 86_400_000;
