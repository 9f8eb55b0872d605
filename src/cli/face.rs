//! The running process as commands see it: the site and the workers behind an [`Operator`].
//!
//! Figures are read from the site's atomics; orders change a server's health, seat or limits there
//! and mail the streams that a change concerns. What only a worker could tell (the list of its
//! streams, say) is refused with a sentence.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Desk;
use super::operator::{
    AdminState, FrontendChange, Gathered, HealthState, Operator, Order, ServerChange, ServerRow,
    SocketRow, WeightChange,
};
use super::session::level_name;
use crate::balance::Weight;
use crate::check::{Admin, AgentState};
use crate::id::{BackendId, FrontendId, ServerId, WorkerId};
use crate::log::{Level, Ring};
use crate::pattern::Library;
use crate::queue;
use crate::sample::{NoVars, Vars};
use crate::site::{Server, Service, Site};
use crate::stats::{InfoView, Snapshot};
use crate::stick::Table;
use crate::stream::Letter;
use crate::time::Tick;
use crate::time::date::Dates;
use crate::worker::{Mail, Office};

/// One look at the process.
pub(super) struct Face<'a> {
    desk: &'a Desk,
    office: &'a Office,
    now: Tick,
}

/// What is answered where a worker alone could tell or do it.
const NOT_HERE: &str = "This is not supported by sluice yet.";

impl<'a> Face<'a> {
    pub(super) fn new(desk: &'a Desk, office: &'a Office, now: Tick) -> Face<'a> {
        Face { desk, office, now }
    }

    fn site(&self) -> &'a Arc<Site> {
        self.desk.site()
    }

    fn change_server(
        &self,
        id: ServerId,
        change: &ServerChange<'_>,
    ) -> Result<Option<String>, String> {
        let server = self.site().server(id);
        let now = self.now;
        match change {
            ServerChange::State(state) => {
                let drain = *state == AdminState::Drain;
                let maintenance = *state == AdminState::Maintenance;
                server.health.set_admin(Admin::Drain, drain, now);
                server
                    .health
                    .set_admin(Admin::Maintenance, maintenance, now);
            }
            ServerChange::Enable(on) => {
                server.health.set_admin(Admin::Maintenance, !on, now);
            }
            ServerChange::Weight(weight) => return self.reweigh(server, *weight),
            ServerChange::Health(state) => {
                if server.checking.is_none() {
                    return Err("health checks are not enabled on this server.".to_owned());
                }
                server.health.force(*state != HealthState::Down, now);
                let stops = *state == HealthState::Stopping;
                server.health.set_admin(Admin::Drain, stops, now);
            }
            ServerChange::Agent(_) => {
                return Err("agent checks are not enabled on this server.".to_owned());
            }
            ServerChange::AgentChecks(true) => {
                return Err("Agent was not configured on this server, cannot enable.".to_owned());
            }
            ServerChange::AgentChecks(false) => {
                server.health.set_agent(AgentState::Up, now);
            }
            ServerChange::Checks(on) => {
                if server.checking.is_none() && *on {
                    let sentence = "Health check was not configured on this server, cannot enable.";
                    return Err(sentence.to_owned());
                }
                server.health.set_checked(*on);
            }
            ServerChange::Address(..)
            | ServerChange::CheckPort(_)
            | ServerChange::CheckAddress(..)
            | ServerChange::AgentAddress(..)
            | ServerChange::AgentPort(_)
            | ServerChange::AgentSend(_)
            | ServerChange::Name(_)
            | ServerChange::Tls(_)
            | ServerChange::MaxConn(_) => return Err(NOT_HERE.to_owned()),
        }
        self.settle(id);
        Ok(None)
    }

    fn reweigh(&self, server: &Server, change: WeightChange) -> Result<Option<String>, String> {
        let first = server.first_weight.units();
        let units = match change {
            WeightChange::Absolute(units) => units,
            WeightChange::Percent(percent) => (first * percent / 100).min(256),
        };
        let Some(weight) = Weight::new(units) else {
            return Err("Absolute weight can only be between 0 and 256 inclusive.".to_owned());
        };
        let backend = self.site().backend(server.backend);
        let partial = weight.units() != 0 && weight.units() != first;
        if partial && !backend.policy.weighs_at_run_time() {
            let sentence = "Backend is using a static LB algorithm and only accepts weights '0%' \
                            and '100%'.";
            return Err(sentence.to_owned());
        }
        server.seat.set_weight(weight, weight.full_share());
        backend.policy.settle(&self.site().lineup(server.backend));
        Ok(None)
    }

    /// Tells balancing whether a server may be chosen, and those in line what follows.
    fn settle(&self, id: ServerId) {
        let server = self.site().server(id);
        let backend = self.site().backend(server.backend);
        let usable = server.health.is_usable();
        server.seat.set_usable(usable);
        backend.policy.settle(&self.site().lineup(server.backend));
        if !usable {
            for ticket in server.line.dismiss() {
                let letter = Letter::Dismissed { stream: ticket.key };
                self.office.post(ticket.worker, Mail::Letter(letter));
            }
            return;
        }
        let limit = server.limit(backend.load());
        let shared = server.seat.is_electable().then_some(&backend.line);
        while let Some(called) = queue::call_next(&server.slots, limit, &server.line, shared) {
            let letter = Letter::Slot {
                stream: called.ticket.key,
                server: id,
                line: called.line,
                position: called.position,
            };
            self.office.post(called.ticket.worker, Mail::Letter(letter));
        }
    }

    fn change_frontend(
        &self,
        id: FrontendId,
        change: FrontendChange,
    ) -> Result<Option<String>, String> {
        let frontend = self.site().frontend(id);
        match change {
            FrontendChange::MaxConn(limit) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                frontend.maxconn_now.store(limit, Relaxed);
                Ok(None)
            }
            FrontendChange::Enable | FrontendChange::Disable | FrontendChange::Shutdown => {
                Err(NOT_HERE.to_owned())
            }
        }
    }

    fn clear_counters(&self, all: bool) {
        let site = self.site();
        let fronts = site.frontends.iter().map(|frontend| &frontend.tally);
        let backs = site.backends.iter().map(|backend| &backend.tally);
        let servers = site.servers.iter().map(|server| &server.tally);
        let listeners = site.listeners.iter().map(|listener| &listener.tally);
        let tallies = fronts.chain(backs).chain(servers).chain(listeners);
        tallies
            .chain([&site.tally])
            .for_each(|tally| tally.clear(!all));
    }

    fn row(&self, server: &Server) -> ServerRow {
        let site = self.site();
        let backend = site.backend(server.backend);
        let address = server.address();
        let health = &server.health;
        let last = health.last();
        let result = match (server.checking.is_some(), health.passes()) {
            (false, _) => 0,
            (true, true) => 3,
            (true, false) => 2,
        };
        let bits = |order, bit| u32::from(health.has_admin(order)) * bit;
        let idle = u32::try_from(server.idle.load(Relaxed)).unwrap_or(u32::MAX);
        ServerRow {
            backend: (backend.uuid, backend.name.to_string()),
            server: (server.uuid, server.name.to_string()),
            address: address.as_ref().map_or_else(
                || "-".to_owned(),
                |a| {
                    a.ip()
                        .map_or_else(|| "unix".to_owned(), |ip| ip.to_string())
                },
            ),
            port: address
                .as_ref()
                .and_then(crate::addr::SockAddr::port)
                .unwrap_or(0),
            operational: if health.is_alive() { 2 } else { 0 },
            administrative: bits(Admin::Maintenance, 1)
                + bits(Admin::TrackedMaintenance, 2)
                + bits(Admin::Unresolved, 32)
                + bits(Admin::Drain, 8)
                + bits(Admin::TrackedDrain, 16),
            weights: (server.seat.weight().units(), server.first_weight.units()),
            since_change: self.now.since(health.changed_at()).get() / 1000,
            check: [
                u32::from(last.report.status.number()),
                result,
                health.position().0,
                if server.checking.is_some() { 6 } else { 0 },
            ],
            fqdn: server.host.as_deref().map(str::to_owned),
            connections: [
                i64::from(server.slots.in_use()),
                i64::from(server.slots.in_use()),
                i64::from(idle),
                0,
                -1,
            ],
            idle: vec![idle],
            ..ServerRow::default()
        }
    }
}

impl Operator for Face<'_> {
    fn now(&self) -> Tick {
        self.now
    }

    fn version(&self) -> &str {
        self.desk.version()
    }

    fn info(&mut self) -> InfoView {
        self.desk.info(self.office)
    }

    fn snapshot(&mut self) -> Snapshot {
        self.site().snapshot(self.now)
    }

    fn patterns(&self) -> Arc<Library> {
        self.desk.patterns()
    }

    fn tables(&self) -> &[Table] {
        &self.site().tables
    }

    fn rings(&self) -> Vec<Arc<Ring>> {
        Vec::new()
    }

    fn variables(&self) -> &dyn Vars {
        &NoVars
    }

    fn environment(&self) -> Vec<(String, String)> {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        std::env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn startup_logs(&self) -> String {
        String::new()
    }

    fn sockets(&self) -> Vec<SocketRow> {
        let listeners = self.site().listeners.iter();
        listeners
            .filter(|listener| listener.service == Service::Stats)
            .map(|listener| SocketRow {
                address: listener.endpoint.to_string(),
                level: level_name(listener.level),
            })
            .collect()
    }

    fn backend(&self, name: &str) -> Option<BackendId> {
        self.site().backend_named(name)
    }

    fn frontend(&self, name: &str) -> Option<FrontendId> {
        let place = self
            .site()
            .frontends
            .iter()
            .position(|frontend| &*frontend.name == name);
        place.map(FrontendId::at)
    }

    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId> {
        let mut servers = self.site().backend(backend).servers.iter().copied();
        servers.find(|id| &*self.site().server(*id).name == name)
    }

    fn backend_names(&self) -> Vec<String> {
        self.site()
            .backends
            .iter()
            .map(|backend| backend.name.to_string())
            .collect()
    }

    fn servers(&self, backend: Option<BackendId>) -> Vec<ServerRow> {
        let servers = self.site().servers.iter();
        let wanted = |server: &&Server| backend.is_none_or(|id| server.backend == id);
        servers
            .filter(wanted)
            .map(|server| self.row(server))
            .collect()
    }

    fn streams(&mut self, _: Option<u64>, _: bool) -> Gathered<Vec<String>> {
        Gathered::Refused(NOT_HERE.to_owned())
    }

    fn errors(&mut self, proxy: &str) -> String {
        let site = self.site();
        let mut dates = Dates::new(site.zone.clone());
        let wall = crate::sys::clock::realtime();
        site.faults
            .show(proxy, &mut dates, (wall.secs, wall.nanos / 1_000_000))
    }

    fn activity(&mut self) -> Gathered<String> {
        Gathered::Refused(NOT_HERE.to_owned())
    }

    fn pools(&mut self) -> Gathered<String> {
        Gathered::Refused(NOT_HERE.to_owned())
    }

    fn resolvers(&mut self, section: Option<&str>) -> Result<String, String> {
        let shown = crate::dns::run::show(&self.site().resolvers, section);
        shown.ok_or_else(|| "Can't find that resolvers section".to_owned())
    }

    fn caches(&self) -> Vec<String> {
        let now = self.now();
        let caches = self.site().caches.iter();
        caches
            .map(|store| crate::cache::heading(store) + &crate::cache::describe(store, now))
            .collect()
    }

    fn carry_out(&mut self, order: &Order<'_>) -> Result<Option<String>, String> {
        match order {
            Order::Server(id, change) => self.change_server(*id, change),
            Order::Frontend(id, change) => self.change_frontend(*id, *change),
            Order::ClearCounters { all } => {
                self.clear_counters(*all);
                Ok(None)
            }
            Order::Log(text) => {
                let letter = Letter::Remark {
                    level: Level::Info,
                    text: (*text).to_owned(),
                };
                self.office.post(WorkerId::new(0), Mail::Letter(letter));
                Ok(None)
            }
            Order::MaxConn(_)
            | Order::Rate(..)
            | Order::KillStream(_)
            | Order::KillStreams(_)
            | Order::CookieKey(..)
            | Order::DynamicCookies(..)
            | Order::Publish(..)
            | Order::AddServer(..)
            | Order::DeleteServer(_) => Err(NOT_HERE.to_owned()),
        }
    }
}
