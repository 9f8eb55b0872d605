//! What a server may be given, and how it follows that of another.

use std::sync::atomic::Ordering::Relaxed;

use super::{Health, Shift};
use crate::time::Tick;

/// What a server may be given, whatever made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Stopped,
    /// What is bound to it.
    Stopping,
    /// Everything.
    Running,
}

impl Health {
    /// What it may be given, drains apart.
    pub fn standing(&self) -> Standing {
        match (self.is_alive(), self.is_stopping()) {
            (false, _) => Standing::Stopped,
            (true, true) => Standing::Stopping,
            (true, false) => Standing::Running,
        }
    }

    /// Says that the server's health is that of another one.
    pub fn follow(&self) {
        self.follows.store(true, Relaxed);
    }

    /// Takes over the standing of the server it follows.
    pub fn inherit_standing(&self, standing: Standing, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        let up = standing != Standing::Stopped;
        self.counter.store(if up { self.top() } else { 0 }, Relaxed);
        self.stopping.store(standing == Standing::Stopping, Relaxed);
        self.shift(was, now)
    }

    /// Passes, but wants no new clients, as an operator says.
    pub fn say_stopping(&self, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        self.counter.store(self.top(), Relaxed);
        self.stopping.store(true, Relaxed);
        self.shift(was, now)
    }

    /// Whether it passes conditionally: no new clients.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed) && self.passes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{health, note};
    use super::*;
    use crate::check::Status;

    #[test]
    fn conditional_passing_stops_new_clients() {
        let health = health(1, 1);
        assert_eq!(note(&health, Status::L7Conditional, 1), Shift::Stopping);
        assert_eq!(
            (
                health.label().as_str(),
                health.is_alive(),
                health.is_usable()
            ),
            ("NOLB", true, false)
        );
        assert_eq!(note(&health, Status::L7Ok, 2), Shift::Resumed);
        assert!(health.is_usable());
        note(&health, Status::L7Conditional, 3);
        assert_eq!(note(&health, Status::L7Status, 4), Shift::Down);
        assert_eq!(note(&health, Status::L7Ok, 5), Shift::Up);
        assert!(health.is_usable());
    }
}
