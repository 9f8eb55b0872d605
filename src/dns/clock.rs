//! The resolver's clock: the process's ticks, and their place among the runtime's timers.

use std::time::Duration;

use tokio::time::Instant;

use crate::sys::clock::monotonic_ms;
use crate::time::Tick;

/// This moment.
pub(super) fn now() -> Tick {
    Tick::from_millis(monotonic_ms())
}

/// The moment of `tick` as timers count.
pub(super) fn timer(tick: Tick) -> Instant {
    let left = tick.as_millis().saturating_sub(monotonic_ms());
    Instant::now() + Duration::from_millis(left.min(FAR))
}

/// A year: later than any timer.
const FAR: u64 = 365 * 86_400_000;
