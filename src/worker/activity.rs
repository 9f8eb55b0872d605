//! What each worker has done and holds, for `show activity`, `show pools`, `show threads` and the figures of `show info`.
//!
//! A worker writes its own cells and nobody else's, once a turn; whoever shows them reads without disturbing it, so figures of
//! one worker may be a turn apart. Counters run on from the start of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One figure of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Turns of the loop.
    Turns,
    /// Events that the kernel reported.
    Events,
    /// Polls that ended without one.
    Expired,
    /// Pieces of mail from other threads.
    Mail,
    /// Connections accepted.
    Accepted,
    /// Connections given to other workers.
    Pushed,
    /// Microseconds at work.
    Busy,
    /// Microseconds of waiting.
    Idle,
    /// How much of the last half second was waited, in percent.
    IdlePercent,
    /// Nanoseconds of processor time.
    Cpu,
    /// Streams at this moment.
    Streams,
    /// Connections of both sides at this moment.
    Conns,
    /// Streams that have something to do.
    Runnable,
    /// Streams that wait for a buffer.
    Starved,
    /// Timers.
    Timers,
    /// Buffers in use.
    BuffersLent,
    /// Buffers that are kept for later.
    BuffersKept,
    /// States of compressors in use.
    Encoders,
}

/// How many figures there are.
const CELLS: usize = Cell::Encoders as usize + 1;

/// The figures of one worker.
#[derive(Debug)]
pub struct Activity([AtomicU64; CELLS]);

impl Default for Activity {
    fn default() -> Self {
        let activity = Self([const { AtomicU64::new(0) }; CELLS]);
        activity.set(Cell::IdlePercent, 100);
        activity
    }
}

impl Activity {
    /// Adds to a counter.
    pub fn add(&self, cell: Cell, by: u64) {
        self.set(cell, self.read(cell).wrapping_add(by));
    }

    /// Sets a gauge.
    pub fn set(&self, cell: Cell, to: u64) {
        self.0[cell as usize].store(to, Relaxed);
    }

    /// Reads either.
    pub fn read(&self, cell: Cell) -> u64 {
        self.0[cell as usize].load(Relaxed)
    }
}

/// The share of time that a worker waits, over the last half second or more.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// When the last wait ended, in microseconds.
    woke: u64,
    busy: u64,
    idle: u64,
}

/// Over how long the share is taken, in microseconds.
const WINDOW: u64 = 500_000;

impl Share {
    /// A wait from one moment to another has ended: how long was worked before it, and how long it took.
    pub(super) fn note(&mut self, slept: u64, woke: u64) -> (u64, u64) {
        let busy = if self.woke == 0 {
            0
        } else {
            slept.saturating_sub(self.woke)
        };
        let idle = woke.saturating_sub(slept);
        self.woke = woke;
        self.busy += busy;
        self.idle += idle;
        (busy, idle)
    }

    /// The share in percent, whenever a window is full.
    pub(super) fn percent(&mut self) -> Option<u32> {
        let all = self.busy + self.idle;
        if all < WINDOW {
            return None;
        }
        let percent = u32::try_from(self.idle * 100 / all).unwrap_or(100);
        (self.busy, self.idle) = (0, 0);
        Some(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_over_whole_windows() {
        let mut share = Share::default();
        assert_eq!(share.note(1_000, 101_000), (0, 100_000));
        assert_eq!(share.percent(), None);
        assert_eq!(share.note(401_000, 501_000), (300_000, 100_000));
        assert_eq!(share.percent(), Some(40));
        assert_eq!(share.percent(), None);
    }

    #[test]
    fn figures_begin_idle_and_add_up() {
        let activity = Activity::default();
        assert_eq!(activity.read(Cell::IdlePercent), 100);
        activity.add(Cell::Turns, 2);
        activity.add(Cell::Turns, 3);
        assert_eq!(activity.read(Cell::Turns), 5);
    }
}
