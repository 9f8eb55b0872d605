//! What a state file says of servers, and how a process that begins takes it to heart.
//!
//! The configuration's resolver finds each server's line ([`Remembered`]) while it reads the files; the process applies them all by
//! [`Site::recall`] before its first check and its first client. What the configuration says anew wins over what the file
//! remembers of the old one: a server that was enabled or disabled there, a weight that was changed there. What states an
//! earlier process told over its stats socket come later, and win.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;

use super::{Change, Checking, Destination, Notice, Server, Site, Target};
use crate::addr::SockAddr;
use crate::balance::Weight;
use crate::check::{Admin, Report, Standing, Status};
use crate::id::ServerId;
use crate::live::Live;
use crate::time::{Millis, Tick};

/// One server's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its address at that time.
    pub ip: Option<IpAddr>,
    /// Its port at that time.
    pub port: Option<u16>,
    /// What it could be given.
    pub standing: Standing,
    /// Whether an operator had put it into maintenance.
    pub forced_down: bool,
    /// Whether its configuration had.
    pub disabled: bool,
    /// Whether an operator drained it.
    pub drained: bool,
    /// The weight in force.
    pub weight: u32,
    /// The configured weight.
    pub first_weight: u32,
    /// Seconds since its state had changed.
    pub age: u64,
    /// The last outcome of its checks.
    pub status: Status,
    /// Whether an operator had stopped its checks.
    pub unchecked: bool,
    /// Whether an operator had stopped asking its agent.
    pub unasked: bool,
    /// Whether its traffic was encrypted, where that was told.
    pub encrypts: Option<i8>,
    /// Where its checks went.
    pub check_target: Target,
    /// Where its agent was.
    pub agent_target: Target,
}

/// Who is named in sentences.
const WHO: &str = "changed from server-state after a reload";

impl Site {
    /// Applies what state files said; what came of it, for operators to read.
    pub fn recall(&self, now: Tick) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (id, remembered) in &self.remembered {
            let server = self.server(*id);
            self.recall_standing(*id, remembered, now, &mut notices);
            self.recall_orders(*id, remembered, now, &mut notices);
            let age = remembered.age.saturating_mul(1000);
            let since = Tick::from_millis(now.as_millis().saturating_sub(age));
            server.health.inherit(since, 0);
            if server.checking.is_some() {
                let report = Report::of(remembered.status);
                server.health.recall(report, Millis::ZERO);
            }
            recall_settings(server, remembered);
            let backend = self.backend(server.backend);
            backend.policy.settle(&self.lineup(server.backend));
        }
        notices
    }

    fn recall_standing(
        &self,
        id: ServerId,
        remembered: &Remembered,
        now: Tick,
        notices: &mut Vec<Notice>,
    ) {
        let checked = self.server(id).checking.is_some();
        // Without checks nothing would ever lift what the file says.
        if checked && remembered.standing != Standing::Running {
            let change = Change::Said(remembered.standing, WHO);
            notices.extend(self.change_server(id, &change, now).notices);
        } else if checked {
            self.server(id).health.force(true, now);
        }
    }

    fn recall_orders(
        &self,
        id: ServerId,
        remembered: &Remembered,
        now: Tick,
        notices: &mut Vec<Notice>,
    ) {
        let server = self.server(id);
        let mut order = |order, on| {
            if server.health.has_admin(order) != on {
                let change = Change::Ordered(order, on);
                notices.extend(self.change_server(id, &change, now).notices);
            }
        };
        // A configuration that was changed since is newer than what an operator ordered before.
        if remembered.disabled == server.disabled {
            order(Admin::Maintenance, remembered.forced_down);
        }
        let weightless = remembered.first_weight == 0 && server.first_weight.units() > 0;
        if remembered.drained && !weightless && !server.health.has_admin(Admin::Maintenance) {
            order(Admin::Drain, true);
        }
    }
}

fn recall_settings(server: &Server, remembered: &Remembered) {
    let weight = Weight::new(remembered.weight);
    if let Some(weight) = weight.filter(|_| remembered.first_weight == server.first_weight.units())
    {
        server.seat.set_weight(weight, weight.full_share());
    }
    // haproxy: the port of the file wins over the configuration's, the address does not; here too.
    if let Destination::At(SockAddr::Inet(at)) = &*server.destination.load()
        && let Some(port) = remembered
            .port
            .filter(|port| *port != at.port() && *port > 0)
    {
        let moved = SockAddr::Inet(SocketAddr::new(at.ip(), port));
        server.move_to(Destination::At(moved));
    }
    if remembered.unchecked && server.checking.is_some() {
        server.health.set_checked(false);
    }
    if let Some(Checking { target, .. }) = &server.checking {
        aim(target, remembered.check_target);
    }
    if let Some(agent) = &server.watch.agent {
        aim(&agent.target, remembered.agent_target);
        if remembered.unasked {
            agent.enabled.store(false, Relaxed);
        }
    }
    if let Some(encrypts) = remembered.encrypts.filter(|_| server.tls.is_some()) {
        server.encrypts.store(encrypts, Relaxed);
    }
}

fn aim(target: &Live<Target>, at: Target) {
    target.update(|before| {
        let after = Target {
            ip: at.ip.or(before.ip),
            port: at.port.or(before.port),
        };
        (after, ())
    });
}
