//! Servers as `show servers state` and `show servers conn` list them.

use std::sync::atomic::Ordering::Relaxed;

use super::Face;
use crate::check::{Admin, Standing};
use crate::cli::operator::ServerRow;
use crate::site::{Server, Target};

/// HAProxy's bits of a check's state.
const CONFIGURED: u32 = 2;
const ENABLED: u32 = 4;
const PAUSED: u32 = 8;
const IS_AGENT: u32 = 16;

impl Face<'_> {
    pub(super) fn row(&self, server: &Server) -> ServerRow {
        let backend = self.site().backend(server.backend);
        let address = server.address();
        let health = &server.health;
        let ip = address.as_ref().map(|address| {
            let ip = address.ip();
            ip.map_or_else(|| "unix".to_owned(), |ip| ip.to_string())
        });
        let idle = u32::try_from(server.idle.load(Relaxed)).unwrap_or(u32::MAX);
        let in_use = i64::from(server.slots.in_use());
        let limit = server
            .pool_max_conn
            .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let check_at = server
            .checking
            .as_ref()
            .map(|checking| *checking.target.load());
        let agent = server.watch.agent.as_ref();
        let host = server.host.load().as_deref().map(str::to_owned);
        ServerRow {
            backend: (backend.uuid, backend.name.to_string()),
            server: (server.uuid, server.name.to_string()),
            address: ip.unwrap_or_else(|| "-".to_owned()),
            port: address.and_then(|address| address.port()).unwrap_or(0),
            operational: match health.standing() {
                Standing::Stopped => 0,
                Standing::Running => 2,
                Standing::Stopping => 3,
            },
            administrative: administrative(server),
            weights: (server.seat.weight().units(), server.first_weight.units()),
            since_change: self.now.since(health.changed_at()).get() / 1000,
            check: check_columns(server),
            agent_state: agent.map_or(0, |agent| {
                let enabled = if agent.enabled.load(Relaxed) {
                    ENABLED
                } else {
                    0
                };
                IS_AGENT | CONFIGURED | enabled
            }),
            forced: server.uuid_forced,
            backend_forced: backend.uuid_forced,
            purge_delay: server.pool_purge_delay,
            fqdn: host.clone().filter(|host| !host.starts_with('_')),
            record: host.filter(|host| host.starts_with('_')),
            tls: i32::from(server.encrypts.load(Relaxed)),
            check_target: shown(check_at),
            agent_target: shown(agent.map(|agent| *agent.target.load())),
            connections: [
                in_use,
                i64::from(server.need.load(Relaxed)),
                i64::from(idle),
                0,
                limit.unwrap_or(-1),
            ],
            idle: server.tally.idle_each(),
        }
    }
}

fn shown(target: Option<Target>) -> (u16, Option<String>) {
    let Target { ip, port } = target.unwrap_or_default();
    (port.unwrap_or(0), ip.map(|ip| ip.to_string()))
}

fn administrative(server: &Server) -> u32 {
    let bits = |order, bit| u32::from(server.health.has_admin(order)) * bit;
    bits(Admin::Maintenance, 1)
        + bits(Admin::TrackedMaintenance, 2)
        + u32::from(server.disabled) * 4
        + bits(Admin::Drain, 8)
        + bits(Admin::TrackedDrain, 16)
        + bits(Admin::Unresolved, 32)
}

/// HAProxy's numbers of status, result, health and state.
fn check_columns(server: &Server) -> [u32; 4] {
    let health = &server.health;
    let status = u32::from(health.last().report.status.number());
    let level = health.level();
    if server.checking.is_none() {
        return [status, 0, level, 0];
    }
    let result = match health.last().report.status.verdict() {
        crate::check::Verdict::Neutral => 0,
        crate::check::Verdict::Failed => 2,
        crate::check::Verdict::Passed => 3,
        crate::check::Verdict::Conditional => 4,
    };
    let enabled = if health.is_checked() { ENABLED } else { 0 };
    let paused = if health.is_in_maintenance() && enabled != 0 {
        PAUSED
    } else {
        0
    };
    [status, result, level, CONFIGURED | enabled | paused]
}
