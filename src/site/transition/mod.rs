//! How a server's state changes at run time, and what follows: balancing is told, those in line are called or sent to choose
//! again, servers that track it follow, and operators read of it.
//!
//! Checks, agents, operators and the resolver say what happened ([`Change`]); whoever asked carries out the [`Aftermath`], for
//! only the engine reaches streams and logs. What is said about it is in [`bulletin`].

mod bulletin;

use std::sync::atomic::Ordering::Relaxed;

use self::bulletin::Bulletin;
use super::{Server, Site};
use crate::check::{Admin, AgentState, Noted, Report, Standing, Status};
use crate::id::{BackendId, ServerId};
use crate::log::Level;
use crate::queue::{self, Called, Ticket};
use crate::stats::Count;
use crate::time::{Millis, Tick};

/// What happened to a server.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// A health check ended.
    Checked(&'a Report, Millis),
    /// An agent answered; the state, if it said one.
    Agent(&'a Report, Millis, Option<AgentState>),
    /// Somebody gave or took back an order.
    Ordered(Admin, bool),
    /// Its name has no address any more, and why.
    Lost(&'static str),
    /// Somebody says what it is worth.
    Said(Standing, &'static str),
    /// Somebody says what its agent would say.
    AgentSaid(AgentState, &'static str),
    /// The server that it tracks is worth this.
    Followed(Standing),
}

/// A sentence for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it is logged.
    pub backend: BackendId,
    /// How urgent it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

/// What has to be done once a server's state has changed.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Sentences, in order.
    pub notices: Vec<Notice>,
    /// Those who waited for a server that cannot be had any more.
    pub dismissed: Vec<Ticket>,
    /// Those whose turn it is at a server.
    pub called: Vec<(ServerId, Called)>,
    /// Servers whose streams end because they are down.
    pub shut: Vec<ServerId>,
    /// Servers whose streams end because another is up.
    pub relieved: Vec<ServerId>,
    /// Servers whose idle connections are closed.
    pub idle_closed: Vec<ServerId>,
    /// Servers whose slow start begins.
    pub warming: Vec<ServerId>,
}

/// A server's state before a change.
#[derive(Clone, Copy)]
struct Before {
    standing: Standing,
    orders: u8,
    electable: u32,
}

impl Before {
    /// Whether its streams were already being led elsewhere.
    fn was_stopping(self) -> bool {
        self.standing == Standing::Stopping || self.orders & DRAIN != 0
    }
}

/// The orders that keep a server from all traffic.
const MAINTENANCE: u8 =
    Admin::Maintenance as u8 | Admin::TrackedMaintenance as u8 | Admin::Unresolved as u8;
/// The orders that keep new traffic from it.
const DRAIN: u8 = Admin::Drain as u8 | Admin::TrackedDrain as u8;

/// How far servers that track servers that track … are followed.
const TRACKS_MAX: u32 = 64;

impl Site {
    /// Notes what happened to a server and all that follows from it.
    pub fn change_server(&self, id: ServerId, change: &Change<'_>, now: Tick) -> Aftermath {
        let mut aftermath = Aftermath::default();
        self.change(id, change, now, (&mut aftermath, TRACKS_MAX));
        aftermath
    }

    fn change(
        &self,
        id: ServerId,
        change: &Change<'_>,
        now: Tick,
        (out, depth): (&mut Aftermath, u32),
    ) {
        let server = self.server(id);
        let before = Before {
            standing: server.health.standing(),
            orders: server.health.orders(),
            electable: self.electable(server.backend),
        };
        self.note(server, change, now, out);
        let standing = server.health.standing();
        let orders = server.health.orders();
        if (standing, orders) == (before.standing, before.orders) {
            return;
        }
        if self.temper(server, before.standing) {
            out.warming.push(id);
        }
        let requeued = self.settle(id, out);
        let bulletin = Bulletin {
            site: self,
            server,
            before,
            requeued,
        };
        if let Some((level, text)) = bulletin.sentence(change) {
            if let Some(mail) = &self.backend(server.backend).mail {
                mail.post(level, &text);
            }
            out.notices.push(Notice {
                backend: server.backend,
                level,
                text,
            });
        }
        self.spread_connections(id, before, out);
        let electable = self.electable(server.backend);
        if (before.electable > 0) != (electable > 0) {
            let backend = self.backend(server.backend);
            backend.record.turn(electable > 0, now);
            let downs = u64::from(electable == 0);
            backend.tally.inherit(Count::WentDown, downs);
        }
        if before.electable > 0 && electable == 0 {
            out.notices.push(self.abandoned(server.backend));
        }
        if depth > 0 {
            self.followers(id, before, now, (out, depth - 1));
        }
    }

    /// Books the change with the server's health.
    fn note(&self, server: &Server, change: &Change<'_>, now: Tick, out: &mut Aftermath) {
        let health = &server.health;
        let (failed, downs) = (health.failed(), health.downs());
        let noted = match change {
            Change::Checked(report, duration) => {
                let noted = health.note((*report).clone(), *duration, now);
                Some((noted, *report, *duration, false))
            }
            Change::Agent(report, duration, state) => {
                let noted = health.note_agent((*report).clone(), *duration, *state, now);
                Some((noted, *report, *duration, true))
            }
            Change::Ordered(order, on) => {
                health.set_admin(*order, *on, now);
                None
            }
            Change::Lost(_) => {
                health.set_admin(Admin::Unresolved, true, now);
                None
            }
            Change::Said(Standing::Stopping, _) => {
                health.say_stopping(now);
                None
            }
            Change::Said(standing, _) => {
                health.force(*standing == Standing::Running, now);
                None
            }
            Change::AgentSaid(state, _) => {
                health.set_agent(*state, now);
                None
            }
            Change::Followed(standing) => {
                health.inherit_standing(*standing, now);
                None
            }
        };
        let books = &server.tally;
        books.inherit(Count::FailedChecks, health.failed() - failed);
        books.inherit(Count::WentDown, health.downs() - downs);
        if let Some((noted, report, duration, agent)) = noted {
            let line = self.check_line(server, noted, (report, duration), agent);
            out.notices.extend(line);
        }
    }

    /// The line of `option log-health-checks`.
    fn check_line(
        &self,
        server: &Server,
        noted: Noted,
        (report, duration): (&Report, Millis),
        agent: bool,
    ) -> Option<Notice> {
        let backend = self.backend(server.backend);
        // A check that could not be made changes nothing that another line would tell.
        let is_told = backend.log_health_checks || report.status == Status::SocketError;
        if !noted.worth_a_line || !is_told {
            return None;
        }
        let health = &server.health;
        let (fine, position) = match agent {
            false => (health.passes(), health.position()),
            // An agent's word counts at once, both ways.
            true => (
                !health.is_down_by_agent(),
                (u32::from(!health.is_down_by_agent()), 1),
            ),
        };
        let state = match (fine, server.seat.weight().units()) {
            (false, _) => "DOWN",
            (true, 0) => "DRAIN",
            (true, _) => "UP",
        };
        let sentence = crate::check::Sentence {
            backend: &backend.name,
            server: &server.name,
            backup: server.seat.is_backup(),
            agent,
            report,
            duration,
            position,
            state,
        };
        let text = sentence.to_string();
        if let Some(mail) = &backend.mail {
            mail.post(Level::Info, &text);
        }
        Some(Notice {
            backend: server.backend,
            level: Level::Notice,
            text,
        })
    }

    /// Has balancing take over what has changed in the seats of a backend.
    pub fn rebalance(&self, backend: BackendId) {
        self.backend(backend).policy.settle(&self.lineup(backend));
    }

    /// Tells balancing whether a server may be chosen, and those in line what follows; says how many it concerned.
    pub fn settle(&self, id: ServerId, out: &mut Aftermath) -> usize {
        let server = self.server(id);
        let backend = self.backend(server.backend);
        let usable = server.health.is_usable();
        server.seat.set_usable(usable);
        backend.policy.settle(&self.lineup(server.backend));
        if !usable {
            let dismissed = server.line.dismiss();
            let count = dismissed.len();
            out.dismissed.extend(dismissed);
            return count;
        }
        let before = out.called.len();
        let limit = server.limit(backend.load());
        let shared = server.seat.is_electable().then_some(&backend.line);
        while let Some(called) = queue::call_next(&server.slots, limit, &server.line, shared) {
            out.called.push((id, called));
        }
        out.called.len() - before
    }

    /// Which connections a change ends.
    fn spread_connections(&self, id: ServerId, before: Before, out: &mut Aftermath) {
        let server = self.server(id);
        let standing = server.health.standing();
        if standing == Standing::Stopped && before.standing != Standing::Stopped {
            if server.watch.shut_when_down {
                out.shut.push(id);
            }
            if server.health.is_in_maintenance() {
                out.idle_closed.push(id);
            }
        }
        let revives = before.standing == Standing::Stopped && standing == Standing::Running;
        if revives && server.watch.shut_backups_when_up && !server.seat.is_backup() {
            let members = self.backend(server.backend).servers.iter();
            out.relieved
                .extend(members.filter(|id| self.server(**id).seat.is_backup()));
        }
    }

    /// Servers that track this one follow.
    fn followers(
        &self,
        id: ServerId,
        before: Before,
        now: Tick,
        (out, depth): (&mut Aftermath, u32),
    ) {
        let health = &self.server(id).health;
        let (orders, standing) = (health.orders(), health.standing());
        let mut changes = Vec::new();
        for (bits, inherited) in [
            (MAINTENANCE, Admin::TrackedMaintenance),
            (DRAIN, Admin::TrackedDrain),
        ] {
            let (was, is) = (before.orders & bits != 0, orders & bits != 0);
            if was != is {
                changes.push(Change::Ordered(inherited, is));
            }
        }
        let in_maintenance = (before.orders | orders) & MAINTENANCE != 0;
        if standing != before.standing && !in_maintenance {
            changes.push(Change::Followed(standing));
        }
        if changes.is_empty() {
            return;
        }
        // haproxy: who began to track last is told first; here too.
        let followers = (0..self.servers.len()).rev();
        let followers = followers.map(|at| (at, self.server(ServerId::at(at))));
        let followers = followers
            .filter(|(_, server)| server.watch.track == Some(id) && !server.gone.load(Relaxed));
        for (at, _) in followers {
            for change in &changes {
                self.change(ServerId::at(at), change, now, (out, depth));
            }
        }
    }

    fn electable(&self, id: BackendId) -> u32 {
        let (active, backup) = self.backend(id).policy.electable();
        active + backup
    }

    fn abandoned(&self, id: BackendId) -> Notice {
        let backend = self.backend(id);
        let kind = if backend.twin.is_some() {
            "listen"
        } else {
            "backend"
        };
        Notice {
            backend: id,
            level: Level::Emerg,
            text: format!("{kind} {} has no server available!", backend.name),
        }
    }
}

#[cfg(test)]
mod tests;
