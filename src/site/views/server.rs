//! Rows of servers: what each does, and what checks, agents and operators make of it.

use std::borrow::Cow;
use std::sync::atomic::Ordering::Relaxed;

use super::{Heading, number, row};
use crate::addr::SockAddr;
use crate::queue::Limit;
use crate::site::{Backend, Destination, Port, Server};
use crate::stats::{BackView, CheckView, Colour, Kind, ObjectView, ServerCensus, ServerView};

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

pub(super) fn server_row(heading: &Heading<'_>, server: &Server, backend: &Backend) -> ObjectView {
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
