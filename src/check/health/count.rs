//! Outcomes of checks, and the counter that they move.

use std::sync::atomic::Ordering::Relaxed;

use super::{Health, Last, Shift, lock};
use crate::check::{Report, Verdict};
use crate::time::{Millis, Tick};

/// How many outcomes in a row change a server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// `rise`: passes that bring it up; at least 1.
    pub rise: u32,
    /// `fall`: failures that bring it down; at least 1.
    pub fall: u32,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds { rise: 2, fall: 3 }
    }
}

/// What noting an outcome did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// How the server's state changed.
    pub shift: Shift,
    /// Whether `option log-health-checks` writes a line: the counter moved, or the status differs from the last.
    pub worth_a_line: bool,
}

impl Health {
    /// Notes the outcome of a check. Only one worker checks a server, so read and write need not be one step.
    pub fn note(&self, report: Report, duration: Millis, now: Tick) -> Noted {
        let was = (self.is_alive(), self.is_stopping());
        let moved = self.count(report.status.verdict());
        if let Some(stops) = match report.status.verdict() {
            Verdict::Conditional => Some(true),
            Verdict::Passed => Some(false),
            Verdict::Failed | Verdict::Neutral => None,
        } {
            self.stopping.store(stops, Relaxed);
        }
        let differs = self.remember(Last { report, duration });
        Noted {
            shift: self.shift(was, now),
            worth_a_line: moved || differs,
        }
    }

    /// Sets the counter as the command line and `on-error` do: at the top, or at the bottom.
    pub fn force(&self, up: bool, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        self.counter.store(if up { self.top() } else { 0 }, Relaxed);
        self.stopping.store(false, Relaxed);
        self.shift(was, now)
    }

    /// So many failures away from down at most (`on-error`).
    pub fn weaken(&self, failures: u32) {
        let most = self.thresholds.rise.saturating_add(failures) - 1;
        self.counter.fetch_min(most, Relaxed);
    }

    /// Takes over from an earlier process what its last check found.
    pub fn recall(&self, report: Report, duration: Millis) {
        self.remember(Last { report, duration });
    }

    /// Whether its checks pass, whatever else is ordered.
    pub fn passes(&self) -> bool {
        self.counter.load(Relaxed) >= self.thresholds.rise
    }

    /// Whether the counter is at one of its ends, where the plain interval holds; else `fastinter` does.
    pub fn is_settled(&self) -> bool {
        let counter = self.counter.load(Relaxed);
        counter == 0 || counter == self.top()
    }

    /// How far up (`1/fall` to `fall/fall`) or on the way up (`0/rise` and more).
    pub fn position(&self) -> (u32, u32) {
        let counter = self.counter.load(Relaxed);
        let Thresholds { rise, fall } = self.thresholds;
        if counter >= rise {
            (counter - rise + 1, fall)
        } else {
            (counter, rise)
        }
    }

    /// Where its checks stand, counted from zero to `rise + fall - 1`.
    pub fn level(&self) -> u32 {
        self.counter.load(Relaxed)
    }

    /// The configured thresholds.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The last outcome.
    pub fn last(&self) -> Last {
        lock(&self.last).clone()
    }

    pub(super) fn top(&self) -> u32 {
        self.thresholds.rise.saturating_add(self.thresholds.fall) - 1
    }

    /// Moves the counter; tells whether it moved.
    fn count(&self, verdict: Verdict) -> bool {
        let counter = self.counter.load(Relaxed);
        let rise = self.thresholds.rise;
        let next = match verdict {
            Verdict::Neutral => return false,
            Verdict::Failed if counter == 0 => return false,
            Verdict::Failed if counter <= rise => 0,
            Verdict::Failed => counter - 1,
            Verdict::Passed | Verdict::Conditional if counter >= self.top() => return false,
            Verdict::Passed | Verdict::Conditional if counter + 1 >= rise => self.top(),
            Verdict::Passed | Verdict::Conditional => counter + 1,
        };
        if verdict == Verdict::Failed {
            self.failed.fetch_add(1, Relaxed);
        }
        self.counter.store(next, Relaxed);
        true
    }

    /// Keeps the outcome; tells whether its status differs from the last one's.
    fn remember(&self, last: Last) -> bool {
        let mut held = lock(&self.last);
        let differs = held.report.status != last.report.status;
        *held = last;
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{health, note};
    use super::*;
    use crate::check::Status;

    #[test]
    fn the_first_failure_takes_a_fresh_server_down() {
        let health = health(2, 3);
        assert!(health.is_usable());
        assert_eq!(health.label(), "UP 1/3");
        assert_eq!(note(&health, Status::L4Connection, 1), Shift::Down);
        assert_eq!(health.label(), "DOWN");
        assert_eq!(note(&health, Status::L4Connection, 2), Shift::Same);
        assert_eq!((health.failed(), health.downs()), (1, 1));
    }

    #[test]
    fn rise_and_fall() {
        let health = health(2, 3);
        assert_eq!(note(&health, Status::L4Ok, 1), Shift::Same);
        assert_eq!(health.label(), "UP");
        assert_eq!(note(&health, Status::L4Timeout, 2), Shift::Same);
        assert_eq!(health.label(), "UP 2/3");
        assert_eq!(note(&health, Status::L4Timeout, 3), Shift::Same);
        assert!(!health.is_settled());
        assert_eq!(note(&health, Status::L4Timeout, 10), Shift::Down);
        assert_eq!(note(&health, Status::L4Ok, 20), Shift::Same);
        assert_eq!(health.label(), "DOWN 1/2");
        assert_eq!(note(&health, Status::L4Timeout, 30), Shift::Same);
        assert_eq!(health.label(), "DOWN");
        assert_eq!(note(&health, Status::L4Ok, 40), Shift::Same);
        assert_eq!(note(&health, Status::L4Ok, 50), Shift::Up);
        assert_eq!(health.label(), "UP");
        assert_eq!(
            (
                health.failed(),
                health.downs(),
                health.downtime(Tick::from_millis(99))
            ),
            (4, 1, 40)
        );
        assert_eq!(health.changed_at(), Tick::from_millis(50));
    }

    #[test]
    fn lines_are_worth_it_when_something_moved_or_differs() {
        let health = health(1, 2);
        let line = |status| {
            health
                .note(Report::of(status), Millis::ZERO, Tick::from_millis(0))
                .worth_a_line
        };
        assert!(line(Status::L4Ok));
        assert!(!line(Status::L4Ok));
        assert!(line(Status::L7Ok));
        assert!(line(Status::L4Timeout));
        assert!(line(Status::L4Timeout));
        assert!(!line(Status::L4Timeout));
        assert_eq!(health.last().report.status, Status::L4Timeout);
    }

    #[test]
    fn forcing_and_weakening() {
        let health = health(2, 3);
        health.force(true, Tick::from_millis(0));
        assert_eq!(health.position(), (3, 3));
        health.weaken(1);
        assert_eq!(health.position(), (1, 3));
        assert_eq!(health.force(false, Tick::from_millis(0)), Shift::Down);
        assert_eq!(health.position(), (0, 2));
    }
}
