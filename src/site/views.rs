//! What readers of the statistics are given, gathered from the site at one moment.

mod server;

use std::sync::atomic::Ordering::Relaxed;

use server::{count, server_row};

use super::{Backend, Frontend, Listener, Mode, Service, Site};
use crate::balance::{Algorithm, KeySource};
use crate::id::{BackendId, FrontendId};
use crate::stats::{BackView, Folded, Kind, ObjectView, ProxyView, ServerCensus, Snapshot};
use crate::time::Tick;

/// The name and number of a proxy whose rows are made.
struct Heading<'a> {
    name: &'a str,
    uuid: u32,
    http: bool,
    now: Tick,
}

impl Site {
    /// The statistics of every proxy, in order of their numbers.
    pub fn snapshot(&self, now: Tick) -> Snapshot {
        let mut proxies: Vec<(u32, ProxyView)> = Vec::new();
        let shown = |(_, frontend): &(usize, &Frontend)| !(frontend.hidden || frontend.disabled);
        for (index, frontend) in self.frontends.iter().enumerate().filter(shown) {
            let view = self.frontend_view(FrontendId::at(index), frontend, now);
            proxies.push((frontend.uuid, view));
        }
        for (index, backend) in self.backends.iter().enumerate() {
            if backend.twin.is_none() && !backend.disabled {
                proxies.push((
                    backend.uuid,
                    self.backend_view(BackendId::at(index), backend, now),
                ));
            }
        }
        proxies.sort_by_key(|(uuid, _)| *uuid);
        Snapshot {
            proxies: proxies.into_iter().map(|(_, view)| view).collect(),
        }
    }

    fn frontend_view(&self, id: FrontendId, frontend: &Frontend, now: Tick) -> ProxyView {
        let http = frontend.mode == Mode::Http;
        let heading = Heading {
            name: &frontend.name,
            uuid: frontend.uuid,
            http,
            now,
        };
        let mut rows = vec![frontend_row(&heading, frontend, self.global.maxconn)];
        let of_frontend = |listener: &&Listener| listener.service == Service::Frontend(id);
        if frontend.socket_stats {
            rows.extend(
                self.listeners
                    .iter()
                    .filter(of_frontend)
                    .map(|listener| listener_row(&heading, listener)),
            );
        }
        if let Some(twin) = frontend.twin {
            self.backend_rows(&heading, twin, &mut rows);
        }
        let description = frontend.description.as_deref().map(str::to_owned);
        ProxyView {
            name: frontend.name.to_string(),
            description,
            rows,
        }
    }

    fn backend_view(&self, id: BackendId, backend: &Backend, now: Tick) -> ProxyView {
        let http = backend.mode == Mode::Http;
        let heading = Heading {
            name: &backend.name,
            uuid: backend.uuid,
            http,
            now,
        };
        let mut rows = Vec::new();
        self.backend_rows(&heading, id, &mut rows);
        let description = backend.description.as_deref().map(str::to_owned);
        ProxyView {
            name: backend.name.to_string(),
            description,
            rows,
        }
    }

    fn backend_rows(&self, heading: &Heading<'_>, id: BackendId, rows: &mut Vec<ObjectView>) {
        let backend = self.backend(id);
        for &server in backend.servers.iter() {
            rows.push(server_row(self, heading, self.server(server), backend));
        }
        rows.push(self.backend_row(heading, backend));
    }

    fn backend_row(&self, heading: &Heading<'_>, backend: &Backend) -> ObjectView {
        let mut census = ServerCensus::default();
        let mut back = BackView::default();
        for server in backend.servers.iter().map(|&id| self.server(id)) {
            let electable = server.seat.is_electable();
            count(&mut census, server);
            back.weight += if electable {
                server.seat.share().shown()
            } else {
                0
            };
            back.user_weight += server.seat.weight().units();
            back.active += u32::from(electable && !server.seat.is_backup());
            back.backup += u32::from(electable && server.seat.is_backup());
            back.queued += server.line.len();
            back.connections += server.slots.in_use() + number(server.idle.load(Relaxed));
        }
        back.queued += backend.line.len();
        back.census = Some(census);
        back.algorithm = Some(algorithm(backend).to_owned());
        back.cookie = backend.persist.as_ref().map(|cookie| cookie.name.clone());
        let usable = back.active + back.backup > 0 || backend.servers.is_empty();
        let status = if usable { "UP" } else { "DOWN" };
        let record = &backend.record;
        let has_servers = !backend.servers.is_empty();
        let downtime = record.downtime(has_servers && !usable, heading.now) / 1000;
        back.downtime = has_servers.then(|| u32::try_from(downtime).unwrap_or(u32::MAX));
        let since = heading.now.since(record.changed_at()).get() / 1000;
        ObjectView {
            last_change: Some(since),
            current: backend.load(),
            limit: Some(backend.fullconn),
            back: Some(back),
            ..row(
                heading,
                Kind::Backend,
                "BACKEND",
                0,
                status,
                backend.tally.fold(heading.now),
            )
        }
    }
}

fn row(
    heading: &Heading<'_>,
    kind: Kind,
    name: &str,
    id: u32,
    status: &str,
    folded: Folded,
) -> ObjectView {
    let last_session = folded
        .last_session
        .map(|at| heading.now.since(at).get() / 1000);
    ObjectView {
        kind,
        proxy: heading.name.to_owned(),
        name: name.to_owned(),
        proxy_id: heading.uuid,
        id,
        http: heading.http,
        status: status.to_owned(),
        folded,
        current: 0,
        limit: None,
        address: None,
        last_change: None,
        last_session,
        rate_limit: 0,
        back: None,
        server: None,
    }
}

/// HAProxy's word for how a backend balances.
// haproxy: `balance random` is unknown; here: has its name, because nothing else has it.
fn algorithm(backend: &Backend) -> &'static str {
    match (backend.policy.algorithm(), &backend.key) {
        _ if backend.outlet.is_some() => "none",
        (Algorithm::RoundRobin, _) => "roundrobin",
        (Algorithm::StaticRr, _) => "static-rr",
        (Algorithm::LeastConn, _) => "leastconn",
        (Algorithm::First, _) => "first",
        (Algorithm::Random(_), _) => "random",
        (Algorithm::Sticky, _) => "sticky",
        (Algorithm::Hash(_), Some(KeySource::Source)) => "source",
        (Algorithm::Hash(_), Some(KeySource::Uri(_))) => "uri",
        (Algorithm::Hash(_), Some(KeySource::UrlParam { .. })) => "url_param",
        (Algorithm::Hash(_), Some(KeySource::Header { .. })) => "hdr",
        (Algorithm::Hash(_), Some(KeySource::RdpCookie(_))) => "rdp-cookie",
        (Algorithm::Hash(_), Some(KeySource::LogLine(_))) => "log-hash",
        (Algorithm::Hash(_), Some(KeySource::Expression(_)) | None) => "hash",
    }
}

fn frontend_row(heading: &Heading<'_>, frontend: &Frontend, process_limit: usize) -> ObjectView {
    let status = match (frontend.closed.load(Relaxed), frontend.paused.load(Relaxed)) {
        (true, _) => "STOP",
        (false, true) => "PAUSED",
        (false, false) => "OPEN",
    };
    let limit = match frontend.maxconn_now.load(Relaxed) {
        0 => process_limit,
        limit => limit,
    };
    ObjectView {
        current: number(frontend.connections.load(Relaxed)),
        limit: Some(number(limit)),
        rate_limit: frontend.pace.limit(),
        last_session: None,
        ..row(
            heading,
            Kind::Frontend,
            "FRONTEND",
            0,
            status,
            frontend.tally.fold(heading.now),
        )
    }
}

fn listener_row(heading: &Heading<'_>, listener: &Listener) -> ObjectView {
    let status = match (listener.closed.load(Relaxed), listener.full.load(Relaxed)) {
        (true, _) => "PAUSED",
        (false, true) => "FULL",
        (false, false) => "OPEN",
    };
    ObjectView {
        current: number(listener.connections.load(Relaxed)),
        limit: Some(number(listener.maxconn)),
        address: Some(listener.endpoint.to_string()),
        last_session: None,
        ..row(
            heading,
            Kind::Listener,
            &listener.name,
            listener.uuid,
            status,
            listener.tally.fold(heading.now),
        )
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
