//! What an operator, a name or an agent want of a server, whatever its checks find.

use std::sync::atomic::Ordering::Relaxed;

use super::{Health, Last, Noted, Shift, lock};
use crate::check::Report;
use crate::time::{Millis, Tick};

/// What an operator, a cookie or a name can order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Admin {
    /// `set server … state maint`, `disabled`.
    Maintenance = 1,
    /// Maintenance inherited from a tracked server.
    TrackedMaintenance = 2,
    /// Its name resolves to nothing.
    Unresolved = 4,
    /// `set server … state drain`.
    Drain = 8,
    /// Drain inherited from a tracked server.
    TrackedDrain = 16,
}

pub(super) const MAINTENANCE: u8 =
    Admin::Maintenance as u8 | Admin::TrackedMaintenance as u8 | Admin::Unresolved as u8;
pub(super) const DRAIN: u8 = Admin::Drain as u8 | Admin::TrackedDrain as u8;

/// What the agent last said of the server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AgentState {
    /// Nothing that takes it down.
    Up,
    /// `down`, `failed`, `stopped`.
    Down,
}

impl Health {
    /// Gives or takes back an order.
    pub fn set_admin(&self, order: Admin, on: bool, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        let before = self.is_in_maintenance();
        if on {
            self.admin.fetch_or(order as u8, Relaxed);
        } else {
            self.admin.fetch_and(!(order as u8), Relaxed);
        }
        // Checks pause in maintenance; behind it the server is believed well until the next one.
        if self.is_checked() {
            match (before, self.is_in_maintenance()) {
                (false, true) => self.counter.store(0, Relaxed),
                (true, false) => self.counter.store(self.start, Relaxed),
                (true, true) | (false, false) => {}
            }
        }
        self.shift(was, now)
    }

    /// The orders that hold, one bit each ([`Admin`]).
    pub fn orders(&self) -> u8 {
        self.admin.load(Relaxed)
    }

    /// Whether this order holds.
    pub fn has_admin(&self, order: Admin) -> bool {
        self.admin.load(Relaxed) & order as u8 != 0
    }

    /// Whether it is in maintenance for any reason.
    pub fn is_in_maintenance(&self) -> bool {
        self.admin.load(Relaxed) & MAINTENANCE != 0
    }

    /// Whether it is ordered to drain.
    pub fn is_draining(&self) -> bool {
        self.admin.load(Relaxed) & DRAIN != 0
    }

    /// What the agent says.
    pub fn set_agent(&self, state: AgentState, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        self.agent_down.store(state == AgentState::Down, Relaxed);
        self.shift(was, now)
    }

    /// Notes what the agent answered, and whether that takes the server down or lets it serve; none where it says nothing
    /// of that.
    pub fn note_agent(
        &self,
        report: Report,
        duration: Millis,
        state: Option<AgentState>,
        now: Tick,
    ) -> Noted {
        let was = (self.is_alive(), self.is_stopping());
        let down = state.map(|state| state == AgentState::Down);
        let moved = down.is_some_and(|down| self.agent_down.swap(down, Relaxed) != down);
        if moved && down == Some(true) {
            self.failed.fetch_add(1, Relaxed);
        }
        let mut held = lock(&self.agent_last);
        let before = held.as_ref().map(|last| last.report.status);
        let differs = before != Some(report.status);
        *held = Some(Last { report, duration });
        drop(held);
        Noted {
            shift: self.shift(was, now),
            worth_a_line: moved || differs,
        }
    }

    /// What the agent was last found to say.
    pub fn agent_last(&self) -> Option<Last> {
        lock(&self.agent_last).clone()
    }

    /// Whether the agent took it down.
    pub fn is_down_by_agent(&self) -> bool {
        self.agent_down.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::health;
    use super::*;

    #[test]
    fn orders_and_agents() {
        let health = health(1, 1);
        let now = Tick::from_millis(1);
        assert_eq!(health.set_admin(Admin::Maintenance, true, now), Shift::Down);
        assert_eq!(health.label(), "MAINT");
        assert_eq!(health.set_agent(AgentState::Down, now), Shift::Same);
        assert_eq!(
            health.set_admin(Admin::Maintenance, false, now),
            Shift::Same
        );
        assert_eq!(health.label(), "DOWN (agent)");
        assert_eq!(health.set_agent(AgentState::Up, now), Shift::Up);
        health.set_admin(Admin::Drain, true, now);
        assert_eq!(
            (
                health.label().as_str(),
                health.is_alive(),
                health.is_usable()
            ),
            ("DRAIN", true, false)
        );
        health.set_admin(Admin::Unresolved, true, now);
        assert_eq!(health.label(), "MAINT (resolution)");
    }
}
