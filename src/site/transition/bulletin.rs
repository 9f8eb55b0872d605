//! What operators read when a server's state has changed, in HAProxy's sentences.
//!
//! The change is made already: what was is in [`Before`], what is stands with the server. Where the sentence goes (log, mail) is
//! not decided here.

use super::{Before, Change, DRAIN, MAINTENANCE, Server, Site};
use crate::check::{Admin, Standing};
use crate::log::Level;

/// A change of one server, to be told.
pub(super) struct Bulletin<'a> {
    pub(super) site: &'a Site,
    pub(super) server: &'a Server,
    pub(super) before: Before,
    /// How many in line it concerned.
    pub(super) requeued: usize,
}

impl Bulletin<'_> {
    /// What is said about the change, and how urgent it is; nothing where nobody would see a difference.
    pub(super) fn sentence(&self, change: &Change<'_>) -> Option<(Level, String)> {
        match change {
            Change::Ordered(..) => self.ordered(""),
            Change::Lost(cause) => self.ordered(&format!(" ({cause})")),
            Change::Checked(..)
            | Change::Agent(..)
            | Change::Said(..)
            | Change::AgentSaid(..)
            | Change::Followed(_) => {
                let moved = self.server.health.standing() != self.before.standing;
                moved.then(|| self.found(change))
            }
        }
    }

    /// What is said when checks, agents or operators find a server better or worse.
    fn found(&self, change: &Change<'_>) -> (Level, String) {
        let was_stopping = self.before.was_stopping();
        let (state, level) = match self.server.health.standing() {
            Standing::Stopped if was_stopping => ("DOWN", Level::Notice),
            Standing::Stopped => ("DOWN", Level::Alert),
            Standing::Stopping => ("stopping", Level::Notice),
            Standing::Running => ("UP", Level::Notice),
        };
        let mut text = format!("{} is {state}", self.subject());
        let told_already = self.site.backend(self.server.backend).log_health_checks;
        match change {
            Change::Checked(report, duration) | Change::Agent(report, duration, _) => {
                if !told_already {
                    report.write_reason(Some(*duration), &mut text);
                }
            }
            Change::Said(_, who) | Change::AgentSaid(_, who) => {
                text.push_str(", ");
                text.push_str(who);
            }
            Change::Ordered(..) | Change::Lost(_) | Change::Followed(_) => {}
        }
        text.push_str(&self.via());
        text.push_str(&self.balance_sheet());
        (level, text)
    }

    /// What is said about an order; nothing where it changes nothing visible.
    fn ordered(&self, cause: &str) -> Option<(Level, String)> {
        let orders = self.server.health.orders();
        let (was, is) = (self.before.orders & MAINTENANCE, orders & MAINTENANCE);
        match (was != 0, is != 0) {
            (false, true) => Some(self.entering(cause)),
            (true, false) => Some((Level::Notice, self.leaving())),
            (true, true) if was != is => Some((Level::Notice, self.remaining(was, is)?)),
            (true, true) => None,
            (false, false) => Some((Level::Notice, self.draining()?)),
        }
    }

    fn entering(&self, cause: &str) -> (Level, String) {
        let subject = self.subject();
        let forced = self.server.health.has_admin(Admin::Maintenance);
        let via = if forced { String::new() } else { self.via() };
        if self.before.standing == Standing::Stopped {
            return (
                Level::Notice,
                format!("{subject} was DOWN and now enters maintenance{via}{cause}."),
            );
        }
        let sheet = self.balance_sheet();
        let level = if self.before.was_stopping() {
            Level::Notice
        } else {
            Level::Alert
        };
        (
            level,
            format!("{subject} is going DOWN for maintenance{via}{cause}{sheet}"),
        )
    }

    fn leaving(&self) -> String {
        let subject = self.subject();
        let up = match self.server.health.standing() {
            Standing::Stopped => "DOWN",
            Standing::Stopping | Standing::Running => "UP",
        };
        let drain = if self.server.health.is_draining() {
            "DRAIN"
        } else {
            "READY"
        };
        if self.before.orders & Admin::Maintenance as u8 != 0 {
            return format!("{subject} is {up}/{drain} (leaving forced maintenance).");
        }
        if self.before.orders & Admin::Unresolved as u8 != 0 {
            let host = self.server.host.load();
            let host = host.as_deref().unwrap_or_default();
            return format!("{subject} ('{host}') is {up}/{drain} (resolves again).");
        }
        format!("{subject} is {up}/{drain} (leaving maintenance).")
    }

    fn remaining(&self, was: u8, is: u8) -> Option<String> {
        let subject = self.subject();
        let left = |order: Admin| was & !is & order as u8 != 0;
        if left(Admin::Maintenance) {
            let via = self.via();
            return Some(format!(
                "{subject} is leaving forced maintenance but remains in maintenance{via}."
            ));
        }
        if left(Admin::Unresolved) {
            let host = self.server.host.load();
            let host = host.as_deref().unwrap_or_default();
            let via = self.via();
            return Some(format!(
                "{subject} ('{host}') resolves again but remains in maintenance{via}."
            ));
        }
        left(Admin::TrackedMaintenance).then(|| format!("{subject} remains in forced maintenance."))
    }

    fn draining(&self) -> Option<String> {
        let subject = self.subject();
        let (was, is) = (
            self.before.orders & DRAIN,
            self.server.health.orders() & DRAIN,
        );
        let up = match self.server.health.standing() {
            Standing::Stopped => "DOWN",
            Standing::Stopping | Standing::Running => "UP",
        };
        let forced = |orders: u8| orders & Admin::Drain as u8 != 0;
        let via = self.via();
        Some(match (was != 0, is != 0) {
            (false, true) => {
                let via = if forced(is) { String::new() } else { via };
                let sheet = self.balance_sheet();
                format!("{subject} enters drain state{via}{sheet}")
            }
            (true, false) if forced(was) => format!("{subject} is {up} (leaving forced drain)."),
            (true, false) => format!("{subject} is {up} (leaving drain){via}."),
            (true, true) if was == is => return None,
            (true, true) if forced(is) => format!("{subject} remains in forced drain mode."),
            (true, true) => format!("{subject} remains in drain mode{via}."),
            (false, false) => return None,
        })
    }
    /// `Server b/s`, and what it is called self.before.
    fn subject(&self) -> String {
        let backup = if self.server.seat.is_backup() {
            "Backup "
        } else {
            ""
        };
        let backend = &self.site.backend(self.server.backend).name;
        format!("{backup}Server {backend}/{}", self.server.name)
    }

    /// ` via b/s`, for what a server owes to the one it tracks.
    fn via(&self) -> String {
        let Some(tracked) = self.server.watch.track else {
            return String::new();
        };
        let tracked = self.site.server(tracked);
        format!(
            " via {}/{}",
            self.site.backend(tracked.backend).name,
            tracked.name
        )
    }

    /// How the backend stands, and whom the change moved.
    fn balance_sheet(&self) -> String {
        let backend = self.site.backend(self.server.backend);
        let (active, backup) = backend.policy.electable();
        let on_backup = if backup > 0 && active == 0 {
            " Running on backup."
        } else {
            ""
        };
        let (queued, requeued) = (self.server.line.len(), self.requeued);
        if self.server.health.standing() == Standing::Stopped {
            let sessions = self.server.slots.in_use();
            return format!(
                ". {active} active and {backup} backup servers left.{on_backup} {sessions} sessions active, \
                 {requeued} requeued, {queued} remaining in queue."
            );
        }
        format!(
            ". {active} active and {backup} backup servers online.{on_backup} {requeued} sessions requeued, \
             {queued} total in queue."
        )
    }
}
