//! The running process as commands see it: the site and the workers behind an [`Operator`].
//!
//! Figures are read from the site's atomics; orders change a server's health, seat or limits there
//! and mail the streams that a change concerns. What only a worker could tell (the list of its
//! streams, say) is asked of all of them by mail.

mod newcomer;
mod rows;
mod server;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Desk;
use super::command::Mode;
use super::figures::{self, Column, Pools};
use super::operator::{Operator, Order, RateLimit, ServerRow, SocketRow};
use super::session::level_name;
use crate::balance::persist::Computed;
use crate::dns::run::{NameserverFigures, Story};
use crate::id::{BackendId, FrontendId, ServerId, WorkerId};
use crate::log::{Level, Ring};
use crate::pattern::Library;
use crate::sample::Vars;
use crate::site::{Needed, Service, Site};
use crate::stats::{InfoView, Snapshot};
use crate::stick::Table;
use crate::stream::{Inquiry, Letter, Roundup};
use crate::time::date::Dates;
use crate::time::{Millis, Tick};
use crate::tls;
use crate::worker::{Mail, Office};

/// One look at the process.
pub(super) struct Face<'a> {
    desk: &'a Desk,
    office: &'a Office,
    now: Tick,
}

/// Whether `word` names something of this name and number: by the name, or by the number behind `#`, which no name may have.
fn means(word: &str, name: &str, number: u32) -> bool {
    match word.strip_prefix('#') {
        Some(digits) => digits.parse() == Ok(number),
        None => word == name,
    }
}

impl<'a> Face<'a> {
    pub(super) fn new(desk: &'a Desk, office: &'a Office, now: Tick) -> Face<'a> {
        Face { desk, office, now }
    }

    fn site(&self) -> &'a Arc<Site> {
        self.desk.site()
    }

    fn set_rate(&self, which: RateLimit, limit: u32) -> Result<Option<String>, String> {
        let paces = &self.site().paces;
        match which {
            RateLimit::Connections => paces.connections.set_limit(limit),
            RateLimit::Sessions => paces.sessions.set_limit(limit),
            RateLimit::TlsSessions => paces.tls.set_limit(limit),
            RateLimit::Compression => self.site().squeeze.set_limit(limit),
        }
        Ok(None)
    }

    fn compute_cookies(
        &self,
        backend: BackendId,
        change: impl FnOnce(&mut Computed),
    ) -> Result<Option<String>, String> {
        self.site().backend(backend).computed.update(|before| {
            let mut after = before.clone();
            change(&mut after);
            (after, ())
        });
        Ok(None)
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
        site.tls.forget_peaks();
        for activity in self.office.activities() {
            activity.clear();
        }
    }
}

impl Operator for Face<'_> {
    fn now(&self) -> Tick {
        self.now
    }

    fn uptime(&self) -> Millis {
        self.now.since(self.site().begun)
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

    fn stats_file(&self) -> String {
        self.site().write_stats_file(self.now)
    }

    fn patterns(&self) -> Arc<Library> {
        self.desk.patterns()
    }

    fn tls(&self) -> Arc<tls::Store> {
        Arc::clone(&self.site().tls)
    }

    fn tables(&self) -> &[Table] {
        &self.site().tables
    }

    fn rings(&self) -> Vec<Arc<Ring>> {
        let posts = self.site().rings.iter();
        posts.map(|post| Arc::clone(&post.ring)).collect()
    }

    fn variables(&self) -> &dyn Vars {
        &self.site().shelf
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.site().environment.clone()
    }

    fn startup_logs(&self) -> String {
        self.site().startup_logs.clone()
    }

    fn drains(&self) -> String {
        self.site().formers.text(self.now)
    }

    fn sandbox(&self) -> String {
        self.site().sandbox.clone()
    }

    fn sockets(&self) -> Vec<SocketRow> {
        let listeners = self.site().listeners.iter();
        listeners
            .filter(|listener| listener.service == Service::Stats)
            .map(|listener| SocketRow {
                address: listener.endpoint.with_family(),
                level: level_name(listener.level),
            })
            .collect()
    }

    fn backend(&self, name: &str) -> Option<BackendId> {
        let mut backends = self.site().backends.iter();
        let place = backends.position(|one| means(name, &one.name, one.uuid));
        place.map(BackendId::at)
    }

    fn frontend(&self, name: &str) -> Option<FrontendId> {
        let site = self.site();
        let mut frontends = site.frontends.iter();
        let place = frontends.position(|one| means(name, &one.name, one.uuid));
        // Whoever gives orders must not close the door behind which they are given.
        place
            .map(FrontendId::at)
            .filter(|id| site.operators != Some(*id))
    }

    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId> {
        let site = self.site();
        let mut servers = site.backend(backend).servers.iter().copied();
        servers.find(|id| {
            let server = site.server(*id);
            means(name, &server.name, server.uuid)
        })
    }

    fn proxy(&self, word: &str) -> Option<u32> {
        let site = self.site();
        let fronts = site.frontends.iter().map(|one| (&*one.name, one.uuid));
        let backs = site.backends.iter().map(|one| (&*one.name, one.uuid));
        let mut proxies = fronts.chain(backs);
        let number = word.parse();
        proxies
            .find(|(name, uuid)| word == *name || number == Ok(*uuid))
            .map(|(_, uuid)| uuid)
    }

    fn backend_names(&self) -> Vec<String> {
        self.site()
            .backends
            .iter()
            .map(|backend| backend.name.to_string())
            .collect()
    }

    fn servers(&self, backend: Option<BackendId>) -> Vec<ServerRow> {
        let site = self.site();
        let backends = (0..site.backends.len()).map(BackendId::at);
        backends
            .filter(|id| backend.is_none_or(|wanted| *id == wanted))
            .flat_map(|id| site.backend(id).servers.iter())
            .map(|id| self.row(site.server(*id)))
            .collect()
    }

    fn weights(&self, server: ServerId) -> (u32, u32) {
        let server = self.site().server(server);
        (server.seat.weight().units(), server.first_weight.units())
    }

    fn anon_key(&self) -> u32 {
        self.desk.anon_key.load(Relaxed)
    }

    fn random(&mut self) -> u32 {
        self.desk.random()
    }

    fn streams(&mut self, asked: Inquiry) -> Arc<Roundup> {
        let workers = self.office.workers();
        let roundup = Arc::new(Roundup::new(asked, workers));
        for worker in (0..workers).map(WorkerId::at) {
            let letter = Letter::Describe(Arc::clone(&roundup));
            self.office.post(worker, Mail::Letter(letter));
        }
        roundup
    }

    fn is_removable(&self, server: ServerId) -> Result<(), Needed> {
        self.site().is_removable(server)
    }

    fn errors(&mut self, proxy: Option<u32>, response: Option<bool>) -> String {
        let site = self.site();
        let mut dates = Dates::new(site.zone.clone());
        let wall = crate::sys::clock::realtime();
        site.faults.show(
            (proxy, response),
            &mut dates,
            (wall.secs, wall.nanos / 1_000_000),
        )
    }

    fn activity(&self, column: Column) -> String {
        figures::activity(self.office, column)
    }

    fn pools(&self, asked: &Pools) -> String {
        figures::pools(self.office, asked, self.site().global.tune.buffer_size)
    }

    fn threads(&self) -> String {
        figures::threads(self.office)
    }

    fn tasks(&self) -> String {
        figures::tasks(self.office)
    }

    fn resolvers(&mut self, section: Option<&str>) -> Result<String, String> {
        let shown = crate::dns::run::show(&self.site().resolvers, section);
        shown.ok_or_else(|| "Can't find that resolvers section".to_owned())
    }

    fn nameservers(&self) -> Vec<NameserverFigures> {
        crate::dns::run::tell(&self.site().resolvers)
    }

    fn explain(&mut self, name: &str) -> Result<Story, String> {
        let resolver = self.site().resolver.get();
        let resolver = resolver.ok_or_else(|| "There is no resolver thread".to_owned())?;
        let asked = resolver.explain(name);
        asked.map_err(|_| "Too many names are being looked up".to_owned())
    }

    fn peers(&self, section: &str) -> Option<String> {
        let (now, site) = (self.now(), self.site());
        let sections = site.peers.iter().map(|peers| &peers.section);
        let chosen = sections.filter(|one| section.is_empty() || one.name == section);
        let shown: Vec<String> = chosen
            .map(|one| crate::peer::show(one, &site.tables, now))
            .collect();
        (section.is_empty() || !shown.is_empty()).then(|| shown.concat())
    }

    fn caches(&self) -> Vec<String> {
        let now = self.now();
        let caches = self.site().caches.iter();
        caches
            .map(|store| crate::cache::heading(store) + &crate::cache::describe(store, now))
            .collect()
    }

    fn note_use(&mut self, mode: Mode) {
        self.desk.note_use(mode);
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
            Order::AnonKey(key) => {
                self.desk.anon_key.store(*key, Relaxed);
                Ok(None)
            }
            Order::MaxConn(limit) => self.limit_process(*limit),
            Order::KillStream(number) => self.kill_stream(*number),
            Order::KillStreams(server) => self.kill_streams(*server),
            Order::AddServer(backend, name, words) => self.add_server(*backend, name, words),
            Order::DeleteServer(server) => self.delete_server(*server),
            Order::Rate(which, limit) => self.set_rate(*which, *limit),
            Order::Publish(backend, on) => {
                let backend = self.site().backend(*backend);
                backend.unpublished.store(!on, Relaxed);
                Ok(None)
            }
            Order::CookieKey(backend, key) => {
                self.compute_cookies(*backend, |now| now.secret = Some(Arc::from(*key)))
            }
            Order::DynamicCookies(backend, on) => {
                self.compute_cookies(*backend, |now| now.on = *on)
            }
        }
    }
}
