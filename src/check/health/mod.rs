//! The seat of a server at the checks: how often it passed or failed, what the operator and its agent want of it.
//!
//! The engine notes outcomes ([`Health::note`]) and orders ([`Health::set_admin`], [`Health::set_agent`]); everybody else reads. The
//! rise and fall machine is HAProxy's: a counter from 0 to `rise + fall - 1`, up from `rise` on; failing below `rise` sends
//! it to 0, passing at `rise` or above to the top.
//!
//! Always true: whether the server may serve follows from the counter, the orders and the agent, and is kept nowhere else.

mod count;
mod figures;
mod label;
mod orders;
mod standing;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{Report, Status};
use crate::time::{Millis, Tick};
pub use count::{Noted, Thresholds};
pub use orders::{Admin, AgentState};
pub use standing::Standing;

/// `init-state`: how a server is believed to be before its first check, at the start and behind maintenance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginning {
    /// `fully-up`: as many failures as `fall` take it down.
    FullyUp,
    /// `up`: the first failure does.
    #[default]
    Up,
    /// `down`: the first pass brings it up.
    Down,
    /// `fully-down`: as many passes as `rise` do.
    FullyDown,
}

/// A change that an outcome made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// None.
    Same,
    /// It serves again.
    Up,
    /// It serves no more.
    Down,
    /// It finishes what it has, but gets nothing new (`NOLB`).
    Stopping,
    /// It gets new requests again.
    Resumed,
}

/// A server's health.
#[derive(Debug)]
pub struct Health {
    thresholds: Thresholds,
    /// Whether anything checks it; without checks it is always up.
    checked: AtomicBool,
    counter: AtomicU32,
    /// Where the counter begins.
    start: u32,
    stopping: AtomicBool,
    admin: AtomicU8,
    agent_down: AtomicBool,
    failed: AtomicU64,
    downs: AtomicU64,
    /// When the state last changed, and how long it had been down by then.
    changed_at: AtomicU64,
    down_millis: AtomicU64,
    last: Mutex<Last>,
    agent_last: Mutex<Option<Last>>,
    /// Whether the server's health is that of another one.
    follows: AtomicBool,
}

/// The outcome of the last check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// What was found.
    pub report: Report,
    /// How long it took.
    pub duration: Millis,
}

impl Health {
    /// The health of a server at the start: up, one failure from down, as HAProxy begins.
    pub fn new(thresholds: Thresholds, checked: bool, now: Tick) -> Health {
        let thresholds = Thresholds {
            rise: thresholds.rise.max(1),
            fall: thresholds.fall.max(1),
        };
        Health {
            thresholds,
            checked: AtomicBool::new(checked),
            counter: AtomicU32::new(thresholds.rise),
            start: thresholds.rise,
            stopping: AtomicBool::new(false),
            admin: AtomicU8::new(0),
            agent_down: AtomicBool::new(false),
            failed: AtomicU64::new(0),
            downs: AtomicU64::new(0),
            changed_at: AtomicU64::new(now.as_millis()),
            down_millis: AtomicU64::new(0),
            last: Mutex::new(Last {
                report: Report::of(Status::Initializing),
                duration: Millis::ZERO,
            }),
            agent_last: Mutex::new(None),
            follows: AtomicBool::new(false),
        }
    }

    /// The same, believed to be otherwise before its first check.
    #[must_use]
    pub fn beginning(mut self, beginning: Beginning) -> Health {
        self.start = match beginning {
            Beginning::FullyUp => self.top(),
            Beginning::Up => self.thresholds.rise,
            Beginning::Down => self.thresholds.rise - 1,
            Beginning::FullyDown => 0,
        };
        self.counter.store(self.start, Relaxed);
        self
    }

    /// Whether health checks are made.
    pub fn is_checked(&self) -> bool {
        self.checked.load(Relaxed)
    }

    /// Enables or disables health checks.
    pub fn set_checked(&self, checked: bool) {
        self.checked.store(checked, Relaxed);
    }

    /// Whether checks and agent find it alive and it is not in maintenance: it may serve those bound to it.
    pub fn is_alive(&self) -> bool {
        !self.is_in_maintenance() && !self.agent_down.load(Relaxed) && self.passes()
    }

    /// Whether balancing may give it new requests.
    pub fn is_usable(&self) -> bool {
        self.is_alive() && !self.is_stopping() && !self.is_draining()
    }

    /// What changed against before, booked.
    fn shift(&self, (was_alive, was_stopping): (bool, bool), now: Tick) -> Shift {
        let shift = match (was_alive, self.is_alive()) {
            (false, true) => Shift::Up,
            (true, false) => Shift::Down,
            (false, false) => return Shift::Same,
            (true, true) => match (was_stopping, self.is_stopping()) {
                (false, true) => Shift::Stopping,
                (true, false) => Shift::Resumed,
                (true, true) | (false, false) => return Shift::Same,
            },
        };
        let since = self.changed_at.swap(now.as_millis(), Relaxed);
        match shift {
            Shift::Up => {
                self.down_millis
                    .fetch_add(now.as_millis().saturating_sub(since), Relaxed);
            }
            Shift::Down => {
                self.downs.fetch_add(1, Relaxed);
            }
            Shift::Same | Shift::Stopping | Shift::Resumed => {}
        }
        shift
    }
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn health(rise: u32, fall: u32) -> Health {
        Health::new(Thresholds { rise, fall }, true, Tick::from_millis(0))
    }

    pub(super) fn note(health: &Health, status: Status, at: u64) -> Shift {
        health
            .note(Report::of(status), Millis::new(1), Tick::from_millis(at))
            .shift
    }

    #[test]
    fn servers_begin_as_they_are_believed_to_be() {
        let passes = |beginning| {
            let health = health(2, 3).beginning(beginning);
            let first = health.passes();
            note(&health, Status::L4Ok, 1);
            let well = health.passes();
            let health = health.beginning(beginning);
            note(&health, Status::L4Timeout, 2);
            (first, well, health.passes())
        };
        assert_eq!(passes(Beginning::FullyUp), (true, true, true));
        assert_eq!(passes(Beginning::Up), (true, true, false));
        assert_eq!(passes(Beginning::Down), (false, true, false));
        assert_eq!(passes(Beginning::FullyDown), (false, false, false));
        let health = health(2, 3).beginning(Beginning::FullyUp);
        health.set_admin(Admin::Maintenance, true, Tick::from_millis(3));
        health.set_admin(Admin::Maintenance, false, Tick::from_millis(4));
        assert_eq!(health.position(), (3, 3));
    }
}
