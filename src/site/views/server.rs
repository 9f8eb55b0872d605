//! Rows of servers: what each does, and what checks, agents and operators make of it.

use std::borrow::Cow;
use std::sync::atomic::Ordering::Relaxed;

use super::{Heading, number, row};
use crate::addr::SockAddr;
use crate::check::{Admin, Last, Report, Status};
use crate::queue::Limit;
use crate::site::server::WARM;
use crate::site::{Backend, Destination, Port, Server, Site};
use crate::stats::{BackView, CheckView, Colour, Kind, ObjectView, ServerCensus, ServerView};
use crate::time::Millis;

impl Server {
    /// Where it is at this moment, with its port.
    pub fn address(&self) -> Option<SockAddr> {
        match (&*self.destination.load(), self.port) {
            // A port that came with the address, by DNS or by an operator, is the one that counts.
            (Destination::At(address), Port::Fixed(port)) => {
                match address.port().filter(|port| *port != 0) {
                    Some(_) => Some(address.clone()),
                    None => Some(address.with_port(port)),
                }
            }
            (Destination::At(address), Port::Mapped(_)) => Some(address.clone()),
            (Destination::Unresolved, _) => None,
        }
    }
}

pub(super) fn server_row(
    site: &Site,
    heading: &Heading<'_>,
    server: &Server,
    backend: &Backend,
) -> ObjectView {
    let leader = leader(site, server);
    let view = ServerView {
        queue_limit: limit_of(server.line_max),
        throttle: throttle(server),
        tracks: server
            .watch
            .track
            .map(|id| full_name(site, site.server(id))),
        idle: (0, number(server.idle.load(Relaxed))),
        used: server.slots.in_use(),
        needed: server.need.load(Relaxed),
        idle_limit: server.pool_max_conn.map(number),
        checked: server.checking.is_some() && server.health.is_checked(),
        check: check_view(server),
        agent: agent_view(server),
        observes: leader.watch.observe.is_some(),
        colour: colour(server),
    };
    ObjectView {
        current: server.slots.in_use(),
        limit: limit_of(server.limit(backend.load())),
        address: server.address().map(|address| address.to_string()),
        last_change: Some(heading.now.since(server.health.changed_at()).get() / 1000),
        back: Some(back_view(heading, server, backend)),
        server: Some(view),
        ..row(
            heading,
            Kind::Server,
            &server.name,
            server.uuid,
            &status(site, server, leader),
            server.tally.fold(heading.now),
        )
    }
}

/// What a server shares with backends.
fn back_view(heading: &Heading<'_>, server: &Server, backend: &Backend) -> BackView {
    let downtime = server.health.downtime(heading.now) / 1000;
    let backup = server.seat.is_backup();
    let cookie = match &backend.persist {
        Some(_) => server.cookie_value(&backend.computed.load()),
        None => server.cookie.as_deref().map(Cow::Borrowed),
    };
    BackView {
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
    }
}

/// Whose checks count for a server: its own, or those at the end of what it tracks.
fn leader<'a>(site: &'a Site, server: &'a Server) -> &'a Server {
    let next = |server: &&'a Server| server.watch.track.map(|id| site.server(id));
    // A chain is no longer than there are servers.
    std::iter::successors(Some(server), next)
        .take(site.servers.len().max(1))
        .last()
        .unwrap_or(server)
}

fn full_name(site: &Site, server: &Server) -> String {
    format!("{}/{}", site.backend(server.backend).name, server.name)
}

/// The word of the `status` column. Of a server that follows another, how far that one is up or down.
fn status(site: &Site, server: &Server, leader: &Server) -> String {
    let health = &server.health;
    if health.is_in_maintenance() {
        return match server.watch.track {
            Some(id) if health.has_admin(Admin::TrackedMaintenance) => {
                format!("MAINT (via {})", full_name(site, site.server(id)))
            }
            _ => health.label(),
        };
    }
    if health.is_draining() {
        return health.label();
    }
    leader.health.label()
}

/// How far a slow start has come; none outside of one.
fn throttle(server: &Server) -> Option<u32> {
    let warmth = server.warmth.load(Relaxed);
    (warmth < WARM && server.health.is_usable()).then_some(warmth)
}

pub(super) fn count(census: &mut ServerCensus, server: &Server) {
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

/// What the checks found; none while they rest.
fn check_view(server: &Server) -> Option<CheckView> {
    server.checking.as_ref()?;
    let health = &server.health;
    if !health.is_checked() || health.is_in_maintenance() {
        return None;
    }
    let thresholds = health.thresholds();
    Some(CheckView {
        rise: thresholds.rise,
        fall: thresholds.fall,
        health: health.level(),
        ..found(&health.last())
    })
}

/// What the agent said; none while it is not asked.
fn agent_view(server: &Server) -> Option<CheckView> {
    let agent = server.watch.agent.as_ref()?;
    if !agent.enabled.load(Relaxed) {
        return None;
    }
    let last = server.health.agent_last().unwrap_or_else(|| Last {
        report: Report::of(Status::Initializing),
        duration: Millis::ZERO,
    });
    // One word of an agent is enough for either.
    Some(CheckView {
        rise: 1,
        fall: 1,
        health: u32::from(!server.health.is_down_by_agent()),
        ..found(&last)
    })
}

fn found(last: &Last) -> CheckView {
    let Report { status, code, text } = &last.report;
    CheckView {
        status: status.name().to_owned(),
        description: status.text().to_owned(),
        code: status.has_code().then_some(u32::from(*code)),
        duration: Some(u64::from(last.duration.get())),
        last: (!text.is_empty()).then(|| text.clone()),
        ..CheckView::default()
    }
}

fn limit_of(limit: Limit) -> Option<u32> {
    match limit {
        Limit::None => None,
        Limit::At(limit) => Some(limit),
    }
}
