//! The worker's clock: read once a turn, so that all of a turn happens at one moment.

use std::time::SystemTime;

use crate::sys;
use crate::time::Tick;

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Monotonic.
    pub tick: Tick,
    /// Of the calendar.
    pub wall: SystemTime,
}

impl Moment {
    /// The present moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where workers read the clock"
    )]
    pub fn read() -> Self {
        Self {
            tick: Tick::from_millis(sys::clock::monotonic_ms()),
            wall: SystemTime::now(),
        }
    }
}
