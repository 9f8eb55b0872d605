//! What each worker has done and holds, for `show activity`, `show pools`, `show threads` and the figures of `show info`.
//!
//! A worker writes its own cells and nobody else's, once a turn; whoever shows them reads without disturbing it, so figures of
//! one worker may be a turn apart. Counters run on from the start of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::time::Tick;

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
    /// Streams begun.
    Begun,
    /// Bytes to clients.
    Sent,
    /// The second in which bytes last went to clients.
    SentAt,
    /// Bytes to clients in that second.
    SentThen,
    /// Bytes to clients in the second before that one.
    SentBefore,
}

/// Those that only grow, until operators clear them.
const COUNTERS: [Cell; 9] = [
    Cell::Turns,
    Cell::Events,
    Cell::Expired,
    Cell::Mail,
    Cell::Accepted,
    Cell::Pushed,
    Cell::Busy,
    Cell::Idle,
    Cell::Cpu,
];

/// How many figures there are.
const CELLS: usize = Cell::SentBefore as usize + 1;

/// The figures of one worker.
#[derive(Debug)]
pub struct Activity {
    cells: [AtomicU64; CELLS],
    /// What the counters were when an operator cleared them.
    cleared: [AtomicU64; COUNTERS.len()],
}

impl Default for Activity {
    fn default() -> Self {
        let activity = Self {
            cells: [const { AtomicU64::new(0) }; CELLS],
            cleared: [const { AtomicU64::new(0) }; COUNTERS.len()],
        };
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
        self.cells[cell as usize].store(to, Relaxed);
    }

    /// Reads either.
    pub fn read(&self, cell: Cell) -> u64 {
        self.cells[cell as usize].load(Relaxed)
    }

    /// The same, a counter since it was last cleared.
    pub fn since_cleared(&self, cell: Cell) -> u64 {
        let at = COUNTERS.iter().position(|counter| *counter == cell);
        let before = at.map_or(0, |at| self.cleared[at].load(Relaxed));
        self.read(cell).wrapping_sub(before)
    }

    /// Has counters begin anew for those who ask since when.
    pub fn clear(&self) {
        for (cell, cleared) in COUNTERS.iter().zip(&self.cleared) {
            cleared.store(self.read(*cell), Relaxed);
        }
    }

    /// So many bytes have gone to clients in all.
    pub(super) fn note_sent(&self, all: u64, now: Tick) {
        let more = all.wrapping_sub(self.read(Cell::Sent));
        if more == 0 {
            return;
        }
        self.set(Cell::Sent, all);
        let second = now.as_millis() / 1000;
        let was = self.read(Cell::SentAt);
        if second == was {
            self.add(Cell::SentThen, more);
            return;
        }
        let before = if second == was + 1 {
            self.read(Cell::SentThen)
        } else {
            0
        };
        self.set(Cell::SentBefore, before);
        self.set(Cell::SentThen, more);
        self.set(Cell::SentAt, second);
    }

    /// Bytes to clients in the last second.
    pub fn sent_rate(&self, now: Tick) -> u64 {
        let (second, past) = (now.as_millis() / 1000, now.as_millis() % 1000);
        let (at, then) = (self.read(Cell::SentAt), self.read(Cell::SentThen));
        let (current, before) = match second.saturating_sub(at) {
            0 => (then, self.read(Cell::SentBefore)),
            1 => (0, then),
            _ => (0, 0),
        };
        current.saturating_add(before.saturating_mul(1000 - past) / 1000)
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
        activity.clear();
        activity.add(Cell::Turns, 2);
        assert_eq!(activity.since_cleared(Cell::Turns), 2);
        assert_eq!(activity.read(Cell::Turns), 7);
        activity.set(Cell::Conns, 4);
        activity.clear();
        assert_eq!(activity.since_cleared(Cell::Conns), 4, "a gauge");
    }

    #[test]
    fn bytes_fade_with_the_second_they_went_in() {
        let activity = Activity::default();
        let at = Tick::from_millis;
        activity.note_sent(600, at(5_100));
        activity.note_sent(1_000, at(5_900));
        assert_eq!(activity.sent_rate(at(5_950)), 1_000);
        assert_eq!(activity.sent_rate(at(6_250)), 750);
        activity.note_sent(1_010, at(6_300));
        assert_eq!(activity.sent_rate(at(6_500)), 510);
        assert_eq!(activity.sent_rate(at(8_000)), 0);
        activity.note_sent(1_011, at(9_000));
        assert_eq!(activity.sent_rate(at(9_000)), 1);
    }
}
