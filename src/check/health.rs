//! The seat of a server at the checks: how often it passed or failed, what the operator and its agent want of it.
//!
//! The engine notes outcomes ([`Health::note`]) and orders ([`Health::set_admin`], [`Health::set_agent`]); everybody else reads. The
//! rise and fall machine is HAProxy's: a counter from 0 to `rise + fall - 1`, up from `rise` on; failing below `rise` sends
//! it to 0, passing at `rise` or above to the top.
//!
//! Always true: whether the server may serve follows from the counter, the orders and the agent, and is kept nowhere else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{Report, Status, Verdict};
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

const MAINTENANCE: u8 =
    Admin::Maintenance as u8 | Admin::TrackedMaintenance as u8 | Admin::Unresolved as u8;
const DRAIN: u8 = Admin::Drain as u8 | Admin::TrackedDrain as u8;

/// What the agent last said of the server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AgentState {
    /// Nothing that takes it down.
    Up,
    /// `down`, `failed`, `stopped`.
    Down,
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

/// What noting an outcome did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    /// How the server's state changed.
    pub shift: Shift,
    /// Whether `option log-health-checks` writes a line: the counter moved, or the status differs from the last.
    pub worth_a_line: bool,
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

    /// Begins to count from this moment, in the state it is in.
    pub fn begin(&self, now: Tick) {
        self.changed_at.store(now.as_millis(), Relaxed);
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

    /// What it may be given, drains apart.
    pub fn standing(&self) -> Standing {
        match (self.is_alive(), self.is_stopping()) {
            (false, _) => Standing::Stopped,
            (true, true) => Standing::Stopping,
            (true, false) => Standing::Running,
        }
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

    /// Passes, but wants no new clients, as an operator says.
    pub fn say_stopping(&self, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        self.counter.store(self.top(), Relaxed);
        self.stopping.store(true, Relaxed);
        self.shift(was, now)
    }

    /// So many failures away from down at most (`on-error`).
    pub fn weaken(&self, failures: u32) {
        let most = self.thresholds.rise.saturating_add(failures) - 1;
        self.counter.fetch_min(most, Relaxed);
    }

    /// Takes over from an earlier process since when the present state lasts, and how long it had been down before.
    pub fn inherit(&self, changed_at: Tick, down_millis: u64) {
        self.changed_at.store(changed_at.as_millis(), Relaxed);
        self.down_millis.store(down_millis, Relaxed);
    }

    /// Takes over from an earlier process what its last check found.
    pub fn recall(&self, report: Report, duration: Millis) {
        self.remember(Last { report, duration });
    }

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

    /// What the agent says.
    pub fn set_agent(&self, state: AgentState, now: Tick) -> Shift {
        let was = (self.is_alive(), self.is_stopping());
        self.agent_down.store(state == AgentState::Down, Relaxed);
        self.shift(was, now)
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

    /// Whether its checks pass, whatever else is ordered.
    pub fn passes(&self) -> bool {
        self.counter.load(Relaxed) >= self.thresholds.rise
    }

    /// Whether it passes conditionally: no new clients.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed) && self.passes()
    }

    /// Whether it is in maintenance for any reason.
    pub fn is_in_maintenance(&self) -> bool {
        self.admin.load(Relaxed) & MAINTENANCE != 0
    }

    /// Whether it is ordered to drain.
    pub fn is_draining(&self) -> bool {
        self.admin.load(Relaxed) & DRAIN != 0
    }

    /// Whether this order holds.
    pub fn has_admin(&self, order: Admin) -> bool {
        self.admin.load(Relaxed) & order as u8 != 0
    }

    /// Whether the agent took it down.
    pub fn is_down_by_agent(&self) -> bool {
        self.agent_down.load(Relaxed)
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

    /// Whether the counter is at one of its ends, where the plain interval holds; else `fastinter` does.
    pub fn is_settled(&self) -> bool {
        let counter = self.counter.load(Relaxed);
        counter == 0 || counter == self.top()
    }

    /// The configured thresholds.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// Checks that failed while the server was not down (`chkfail`).
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// How often it went down (`chkdown`).
    pub fn downs(&self) -> u64 {
        self.downs.load(Relaxed)
    }

    /// When its state last changed.
    pub fn changed_at(&self) -> Tick {
        Tick::from_millis(self.changed_at.load(Relaxed))
    }

    /// How long it has been down in all.
    pub fn downtime(&self, now: Tick) -> u64 {
        let so_far = self.down_millis.load(Relaxed);
        if self.is_alive() {
            so_far
        } else {
            so_far
                + now
                    .as_millis()
                    .saturating_sub(self.changed_at.load(Relaxed))
        }
    }

    /// The last outcome.
    pub fn last(&self) -> Last {
        lock(&self.last).clone()
    }

    /// Forgets counters of failures (`clear counters`).
    pub fn clear_counters(&self) {
        self.failed.store(0, Relaxed);
        self.downs.store(0, Relaxed);
    }

    /// The `status` column and `show servers`: `UP`, `DOWN 1/2`, `NOLB`, `DRAIN`, `MAINT`, `no check`.
    pub fn label(&self) -> String {
        let admin = self.admin.load(Relaxed);
        if admin & Admin::Unresolved as u8 != 0 {
            return "MAINT (resolution)".to_owned();
        }
        if admin & MAINTENANCE != 0 {
            return "MAINT".to_owned();
        }
        if self.is_down_by_agent() {
            return "DOWN (agent)".to_owned();
        }
        let (at, of) = self.position();
        let partly = if self.is_settled() {
            String::new()
        } else {
            format!(" {at}/{of}")
        };
        match (self.passes(), self.is_checked()) {
            (false, _) => format!("DOWN{partly}"),
            (true, _) if admin & DRAIN != 0 => "DRAIN".to_owned(),
            (true, false) if !self.follows.load(Relaxed) => "no check".to_owned(),
            (true, _) if self.is_stopping() => format!("NOLB{partly}"),
            (true, _) => format!("UP{partly}"),
        }
    }

    fn top(&self) -> u32 {
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

    fn health(rise: u32, fall: u32) -> Health {
        Health::new(Thresholds { rise, fall }, true, Tick::from_millis(0))
    }

    fn note(health: &Health, status: Status, at: u64) -> Shift {
        health
            .note(Report::of(status), Millis::new(1), Tick::from_millis(at))
            .shift
    }

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
