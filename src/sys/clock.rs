//! Clock reads. Everything else receives the time as an argument; only the owners of a loop read it here.

use rustix::time::{ClockId, clock_gettime};

/// A moment of the calendar, as seconds and nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Realtime {
    /// Whole seconds since 1970-01-01T00:00:00Z; negative before.
    pub secs: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

/// Milliseconds of a clock that never goes back, counted from the machine's start.
pub fn monotonic_ms() -> u64 {
    monotonic_ns() / 1_000_000
}

/// Microseconds of the same clock (systemd's `MONOTONIC_USEC`).
pub fn monotonic_us() -> u64 {
    monotonic_ns() / 1_000
}

/// Nanoseconds of the same clock.
pub fn monotonic_ns() -> u64 {
    nanos(ClockId::Monotonic)
}

/// The calendar time.
pub fn realtime() -> Realtime {
    let now = clock_gettime(ClockId::Realtime);
    Realtime {
        secs: now.tv_sec,
        nanos: u32::try_from(now.tv_nsec).unwrap_or(0),
    }
}

/// Processor time used by the calling thread, in nanoseconds.
pub fn thread_cpu_ns() -> u64 {
    nanos(ClockId::ThreadCPUTime)
}

fn nanos(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let secs = u64::try_from(now.tv_sec).unwrap_or(0);
    secs * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_forward_and_agree_on_units() {
        let (a, b) = (monotonic_ns(), monotonic_ns());
        assert!(a <= b);
        assert!(monotonic_ms() >= a / 1_000_000);
        assert!(realtime().secs > 1_700_000_000);
        assert!(realtime().nanos < 1_000_000_000);
        let (a, b) = (thread_cpu_ns(), thread_cpu_ns());
        assert!(a <= b);
    }
}
