//! How much the process compresses, and whether it may go on: `maxcomprate`, `maxcompcpuusage`.
//!
//! Workers count the bytes that go into and come out of their compressors; the counters belong to the process, so that the limit holds
//! for all workers together. What has begun to be compressed goes on; only what begins is refused.
// haproxy, `maxcomprate`: lowers the level of bodies under way; here: they keep it, because the next ones that are refused bring the rate down.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::time::rate::SharedRate;
use crate::time::{Millis, Tick};

const PERIOD: Millis = Millis::seconds(1);

/// The rates of a process and their limits.
#[derive(Debug, Default)]
pub struct Squeeze {
    input: SharedRate,
    output: SharedRate,
    limit: AtomicU32,
}

impl Squeeze {
    /// At most so many bytes a second; zero for any number.
    pub fn set_limit(&self, bytes: u32) {
        self.limit.store(bytes, Relaxed);
    }

    /// The limit at this moment.
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// Counts bytes that went in and that came out.
    pub fn count(&self, (input, output): (usize, usize), now: Tick) {
        let number = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.input.add(now, PERIOD, number(input));
        self.output.add(now, PERIOD, number(output));
    }

    /// Bytes in and out in the last second.
    pub fn rates(&self, now: Tick) -> (u32, u32) {
        let read = |rate: &SharedRate| rate.snapshot().read(now, PERIOD);
        (read(&self.input), read(&self.output))
    }

    /// Whether another body may be compressed by a worker that idled for so much of its time, where it has to for `idle_min`, in percent.
    pub fn has_room(&self, idle: u32, idle_min: u32, now: Tick) -> bool {
        let limit = self.limit();
        idle >= idle_min && (limit == 0 || self.rates(now).0 <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_ends_at_the_limits() {
        let (squeeze, now) = (Squeeze::default(), Tick::from_millis(5_000));
        squeeze.count((3_000, 1_000), now);
        assert_eq!(squeeze.rates(now), (3_000, 1_000));
        assert!(squeeze.has_room(0, 0, now));
        squeeze.set_limit(2_000);
        assert!(!squeeze.has_room(100, 0, now));
        assert!(squeeze.has_room(100, 0, Tick::from_millis(9_000)));
        squeeze.set_limit(4_000);
        assert!(squeeze.has_room(100, 50, now));
        assert!(!squeeze.has_room(49, 50, now));
    }
}
