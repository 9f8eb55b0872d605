//! What readers of the statistics are given, gathered from the site at one moment.

use std::borrow::Cow;
use std::sync::atomic::Ordering::Relaxed;

use super::{Backend, Frontend, Listener, Mode, Server, Service, Site};
use crate::addr::SockAddr;
use crate::id::{BackendId, FrontendId};
use crate::queue::Limit;
use crate::stats::{
    BackView, CheckView, Colour, Folded, Kind, ObjectView, ProxyView, ServerCensus, ServerView,
    Snapshot,
};
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
            rows.push(server_row(heading, self.server(server), backend));
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
        }
        back.queued += backend.line.len();
        back.census = Some(census);
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
        limit: (listener.maxconn > 0).then(|| number(listener.maxconn)),
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

fn server_row(heading: &Heading<'_>, server: &Server, backend: &Backend) -> ObjectView {
    let status = server.health.label();
    let last_change = heading.now.since(server.health.changed_at()).get() / 1000;
    let downtime = server.health.downtime(heading.now) / 1000;
    let backup = server.seat.is_backup();
    let cookie = match &backend.persist {
        Some(_) => server.cookie_value(&backend.computed.load()),
        None => server.cookie.as_deref().map(Cow::Borrowed),
    };
    let back = BackView {
        queued: server.line.len(),
        weight: server.seat.share().shown(),
        user_weight: server.seat.weight().units(),
        active: u32::from(!backup),
        backup: u32::from(backup),
        downtime: server
            .health
            .is_checked()
            .then(|| u32::try_from(downtime).unwrap_or(u32::MAX)),
        cookie: cookie
            .as_deref()
            .map(|value| String::from_utf8_lossy(value).into_owned()),
        ..BackView::default()
    };
    let view = ServerView {
        queue_limit: limit_of(server.line_max),
        idle: (0, number(server.idle.load(Relaxed))),
        used: server.slots.in_use(),
        idle_limit: server.pool_max_conn.map(number),
        check: check_view(server),
        colour: colour(server),
        ..ServerView::default()
    };
    ObjectView {
        current: server.slots.in_use(),
        limit: limit_of(server.limit(backend.load())),
        address: server.address().map(|address| address.to_string()),
        last_change: Some(last_change),
        back: Some(back),
        server: Some(view),
        ..row(
            heading,
            Kind::Server,
            &server.name,
            server.uuid,
            &status,
            server.tally.fold(heading.now),
        )
    }
}

fn count(census: &mut ServerCensus, server: &Server) {
    match colour(server) {
        Colour::Maintenance => census.maintenance += 1,
        Colour::Draining => census.draining += 1,
        Colour::Down | Colour::GoingUp => census.down += 1,
        Colour::Up | Colour::GoingDown | Colour::Unchecked => census.up += 1,
    }
}

fn colour(server: &Server) -> Colour {
    let health = &server.health;
    if health.is_in_maintenance() {
        Colour::Maintenance
    } else if health.is_draining() {
        Colour::Draining
    } else if !health.is_checked() {
        Colour::Unchecked
    } else {
        match (health.passes(), health.is_settled()) {
            (true, true) => Colour::Up,
            (true, false) => Colour::GoingDown,
            (false, true) => Colour::Down,
            (false, false) => Colour::GoingUp,
        }
    }
}

fn check_view(server: &Server) -> Option<CheckView> {
    server.checking.as_ref()?;
    let health = &server.health;
    let last = health.last();
    let thresholds = health.thresholds();
    Some(CheckView {
        status: last.report.status.name().to_owned(),
        description: last.report.status.text().to_owned(),
        code: last
            .report
            .status
            .has_code()
            .then_some(u32::from(last.report.code)),
        duration: Some(u64::from(last.duration.get())),
        last: (!last.report.text.is_empty()).then(|| last.report.text.clone()),
        rise: thresholds.rise,
        fall: thresholds.fall,
        health: health.position().0,
    })
}

fn limit_of(limit: Limit) -> Option<u32> {
    match limit {
        Limit::None => None,
        Limit::At(limit) => Some(limit),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Server {
    /// Where it is at this moment, with its port.
    pub fn address(&self) -> Option<SockAddr> {
        match (&*self.destination.load(), self.port) {
            // A port that came with the address, by DNS or by an operator, is the one that counts.
            (super::Destination::At(address), super::Port::Fixed(port)) => {
                match address.port().filter(|port| *port != 0) {
                    Some(_) => Some(address.clone()),
                    None => Some(address.with_port(port)),
                }
            }
            (super::Destination::At(address), super::Port::Mapped(_)) => Some(address.clone()),
            (super::Destination::Unresolved, _) => None,
        }
    }
}
