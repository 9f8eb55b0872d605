//! What expressions may ask about the rest of the site.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;

use super::{Lineup, Server, Service, Site, tables};
use crate::balance::Ask;
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::queue::Limit;
use crate::sample::{
    BackendGauge, Census, Change, Counter, Facts, FrontendGauge, Payload, ProcessGauge,
    ServerGauge, TableGauge,
};
use crate::stats::{Pace, Tally};
use crate::time::Tick;
use crate::value::{Kind, Value};

/// The site, asked at one moment by one worker.
#[derive(Clone, Copy, Debug)]
pub struct Survey<'a> {
    /// What runs.
    pub site: &'a Site,
    /// The moment.
    pub now: Tick,
    /// The worker that asks, from 0.
    pub worker: usize,
    /// Random bits for whoever asks for some.
    pub random: u64,
}

fn rate(tally: &Tally, pace: Pace, now: Tick) -> i64 {
    i64::from(tally.fold(now).rate(pace))
}

fn free_slots(server: &Server, load: u32) -> i64 {
    match server.limit(load) {
        Limit::None => -1,
        Limit::At(limit) => i64::from(limit.saturating_sub(server.slots.in_use())),
    }
}

impl Survey<'_> {
    fn servers(&self, id: BackendId) -> impl Iterator<Item = &Server> {
        self.site
            .backend(id)
            .servers
            .iter()
            .map(|&id| self.site.server(id))
    }

    fn usable(&self, id: BackendId) -> impl Iterator<Item = &Server> {
        self.servers(id).filter(|server| server.seat.is_electable())
    }

    /// The sum of `count` over usable servers; -1 as soon as one of them has no limit.
    fn sum(&self, id: BackendId, count: impl Fn(&Server) -> i64) -> i64 {
        let mut sum = 0;
        for server in self.usable(id) {
            match count(server) {
                -1 => return -1,
                number => sum += number,
            }
        }
        sum
    }

    fn queued(&self, id: BackendId) -> i64 {
        let own = i64::from(self.site.backend(id).line.len());
        own + self
            .servers(id)
            .map(|server| i64::from(server.line.len()))
            .sum::<i64>()
    }
}

impl Census for Survey<'_> {
    fn log_server(&self, id: BackendId, line: &[u8]) -> Option<usize> {
        let backend = self.site.backend(id);
        let lineup = Lineup {
            servers: &self.site.servers,
            ids: &backend.servers,
            load: 0,
        };
        let facts = Facts {
            payload: Payload {
                bytes: line,
                complete: true,
            },
            last_call: true,
            ..Facts::none()
        };
        let key = backend.key_expression.as_ref();
        let key = key.and_then(|key| key.eval_as(&facts, Kind::Str).value());
        let ask = Ask {
            key: key.as_ref().and_then(Value::as_bytes),
            avoid: None,
        };
        let mut chance = self.random;
        backend.policy.pick(&lineup, ask, &mut || {
            // Each half is drawn in turn.
            chance = chance.rotate_left(32);
            (chance & 0xffff_ffff) as u32
        })
    }

    fn opens(&self, algorithm: &str, encryption: &str) -> bool {
        let global = &self.site.global;
        let lists = |list: &Option<Vec<&str>>, name: &str| {
            list.as_ref().is_none_or(|list| list.contains(&name))
        };
        lists(&global.token_algorithms, algorithm) && lists(&global.token_encryptions, encryption)
    }

    fn frontend(&self, id: FrontendId, what: FrontendGauge) -> i64 {
        let frontend = self.site.frontend(id);
        match what {
            FrontendGauge::Conns => frontend.connections.load(Relaxed) as i64,
            FrontendGauge::SessRate => rate(&frontend.tally, Pace::Sessions, self.now),
            FrontendGauge::ReqRate => rate(&frontend.tally, Pace::Requests, self.now),
        }
    }

    fn backend(&self, id: BackendId, what: BackendGauge) -> i64 {
        let backend = self.site.backend(id);
        let load = backend.load();
        match what {
            BackendGauge::Conns => i64::from(load),
            BackendGauge::ConnsFree => self.sum(id, |server| free_slots(server, load)),
            BackendGauge::ConnSlots => self.sum(id, |server| {
                match (free_slots(server, load), server.line_max) {
                    (-1, _) | (_, Limit::None) => -1,
                    (free, Limit::At(max)) => {
                        free + i64::from(max.saturating_sub(server.line.len()))
                    }
                }
            }),
            BackendGauge::Queued => self.queued(id),
            BackendGauge::QueuedOwn => i64::from(backend.line.len()),
            BackendGauge::QueuedAverage => {
                let usable = self.usable(id).count() as i64;
                let queued = self.queued(id);
                if usable == 0 {
                    queued
                } else {
                    (queued + usable - 1) / usable
                }
            }
            BackendGauge::SessRate => rate(&backend.tally, Pace::Sessions, self.now),
            BackendGauge::Usable => self.usable(id).count() as i64,
        }
    }

    fn server(&self, id: ServerId, what: ServerGauge) -> i64 {
        let server = self.site.server(id);
        match what {
            ServerGauge::Up => i64::from(server.health.is_alive()),
            ServerGauge::Conns => i64::from(server.slots.in_use()),
            ServerGauge::ConnsFree => free_slots(server, self.site.backend(server.backend).load()),
            ServerGauge::Queued => i64::from(server.line.len()),
            ServerGauge::SessRate => rate(&server.tally, Pace::Sessions, self.now),
            ServerGauge::Weight => i64::from(server.seat.share().shown()),
            ServerGauge::InitialWeight => i64::from(server.first_weight.units()),
            ServerGauge::UserWeight => i64::from(server.seat.weight().units()),
        }
    }

    fn process(&self, what: ProcessGauge) -> i64 {
        match what {
            ProcessGauge::Pid => i64::from(crate::sys::process::pid()),
            ProcessGauge::Threads => self.site.global.threads as i64,
            ProcessGauge::Thread => self.worker as i64,
            ProcessGauge::Stopping => i64::from(self.site.stopping.load(Relaxed)),
            ProcessGauge::Conns => self
                .site
                .frontends
                .iter()
                .map(|frontend| frontend.connections.load(Relaxed) as i64)
                .sum(),
            ProcessGauge::Uptime => i64::from(self.now.since(self.site.begun).get() / 1000),
            ProcessGauge::BusyPercent => 0,
        }
    }

    fn listener_conns(&self, id: FrontendId, number: u32) -> i64 {
        let of_frontend = |listener: &&super::Listener| listener.service == Service::Frontend(id);
        let mut listeners = self.site.listeners.iter().filter(of_frontend);
        let found = listeners.find(|listener| listener.uuid == number);
        found.map_or(0, |listener| listener.connections.load(Relaxed) as i64)
    }

    fn backend_named(&self, name: &[u8]) -> Option<BackendId> {
        self.site
            .backends
            .iter()
            .position(|backend| backend.name.as_bytes() == name)
            .map(BackendId::at)
    }

    fn frontend_named(&self, name: &[u8]) -> Option<FrontendId> {
        self.site
            .frontends
            .iter()
            .position(|frontend| frontend.name.as_bytes() == name)
            .map(FrontendId::at)
    }

    fn server_named(&self, backend: BackendId, name: &[u8]) -> Option<ServerId> {
        let mut servers = self.site.backend(backend).servers.iter().copied();
        servers.find(|&id| self.site.server(id).name.as_bytes() == name)
    }

    fn table(&self, id: TableId, what: TableGauge) -> i64 {
        let table = self.site.table(id);
        let used = table.used();
        match what {
            TableGauge::Used => i64::from(used),
            TableGauge::Available => i64::from(table.settings().size.saturating_sub(used)),
        }
    }

    fn entry(&self, id: TableId, key: &Value<'_>, what: Counter, now: Tick) -> Option<i64> {
        let table = self.site.table(id);
        let key = table.settings().kind.key(key)?;
        tables::read(table, table.find(&key, now)?, what, now)
    }

    fn has_entry(&self, id: TableId, key: &Value<'_>) -> bool {
        let table = self.site.table(id);
        let key = table.settings().kind.key(key);
        key.is_some_and(|key| table.find(&key, self.now).is_some())
    }

    fn change(
        &self,
        id: TableId,
        key: &Value<'_>,
        what: Counter,
        how: Change,
        now: Tick,
    ) -> Option<i64> {
        let table = self.site.table(id);
        let key = table.settings().kind.key(key)?;
        tables::change(table, table.enter(&key, now)?, what, how, now)
    }

    fn authenticates(&self, list: &str, user: &[u8], password: &[u8]) -> bool {
        let list = self.site.userlist(list);
        list.is_some_and(|list| list.admits(user, password))
    }

    fn in_group(&self, list: &str, user: &[u8], group: &[u8]) -> bool {
        let list = self.site.userlist(list);
        list.is_some_and(|list| list.has_member(user, group))
    }

    fn random(&self) -> u64 {
        self.random
    }

    fn hostname(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.site.hostname)
    }

    fn utc_offset(&self, secs: i64) -> i32 {
        self.site.zone.offset(secs)
    }

    fn is_local(&self, addr: IpAddr) -> bool {
        addr.is_loopback()
    }
}
