//! The census: what an expression may ask about the rest of the site.
//!
//! Fetches such as `nbsrv`, `be_conn` or `table_cnt` look at other proxies, servers and tables than
//! those the exchange goes through. They ask this trait, which the site implements; numbers are
//! gathered at the moment of asking and are exact to the moment only.

use std::borrow::Cow;

use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::time::Tick;
use crate::value::Value;

use super::facts::Counter;

/// What the site answers.
pub trait Census {
    /// A number about a frontend.
    fn frontend(&self, id: FrontendId, what: FrontendGauge) -> i64;
    /// A number about a backend.
    fn backend(&self, id: BackendId, what: BackendGauge) -> i64;
    /// A number about a server.
    fn server(&self, id: ServerId, what: ServerGauge) -> i64;
    /// A number about the process.
    fn process(&self, what: ProcessGauge) -> i64;
    /// A number about the listening socket with this number of this frontend.
    fn listener_conns(&self, id: FrontendId, listener: u32) -> i64;
    /// The backend of this name, for names that come with traffic.
    fn backend_named(&self, name: &[u8]) -> Option<BackendId>;
    /// The frontend of this name.
    fn frontend_named(&self, name: &[u8]) -> Option<FrontendId>;
    /// The server of this name in a backend.
    fn server_named(&self, backend: BackendId, name: &[u8]) -> Option<ServerId>;
    /// A number about a table.
    fn table(&self, id: TableId, what: TableGauge) -> i64;
    /// A counter of the entry with this key; `None` when there is no entry or no such counter.
    fn entry(&self, id: TableId, key: &Value<'_>, what: Counter, now: Tick) -> Option<i64>;
    /// Whether the table has an entry with this key.
    fn has_entry(&self, id: TableId, key: &Value<'_>) -> bool;
    /// Changes a counter of the entry with this key, making the entry first; the new value, or for
    /// clearing the old one. `None` when the table does not store the counter.
    fn change(
        &self,
        id: TableId,
        key: &Value<'_>,
        what: Counter,
        how: Change,
        now: Tick,
    ) -> Option<i64>;
    /// Whether a user of a list has this password.
    fn authenticates(&self, list: &str, user: &[u8], password: &[u8]) -> bool;
    /// Whether a user of a list belongs to a group.
    fn in_group(&self, list: &str, user: &[u8], group: &[u8]) -> bool;
    /// The next random number, all bits random.
    fn random(&self) -> u64;
    /// The host's name.
    fn hostname(&self) -> Cow<'_, str>;
    /// Seconds east of Greenwich at this moment, where the process runs.
    fn utc_offset(&self, secs: i64) -> i32;
    /// Whether an address belongs to this host.
    fn is_local(&self, addr: std::net::IpAddr) -> bool;
    /// Whether encrypted tokens of this `alg` and `enc` may be opened.
    // haproxy: RSA1_5 is left out where nothing is said; here: it is not opened at all.
    fn opens(&self, _algorithm: &str, _encryption: &str) -> bool {
        true
    }
    /// The rank of the server that takes this line, among those of a log backend; none where there are no proxies.
    fn log_server(&self, _: BackendId, _line: &[u8]) -> Option<usize> {
        None
    }
}

/// A number about a frontend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontendGauge {
    /// Connections.
    Conns,
    /// Sessions a second.
    SessRate,
    /// Requests a second.
    ReqRate,
}

/// A number about a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendGauge {
    /// Connections.
    Conns,
    /// Connections its servers would still take; -1 when a server has no limit.
    ConnsFree,
    /// Connections and queue places left, over all usable servers; -1 when unlimited.
    ConnSlots,
    /// Streams waiting in its queue and in its servers'.
    Queued,
    /// Streams waiting in the backend's own queue.
    QueuedOwn,
    /// Waiting streams divided by usable servers, rounded up; all of them when there is none.
    QueuedAverage,
    /// Sessions a second.
    SessRate,
    /// Usable servers.
    Usable,
}

/// A number about a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerGauge {
    /// 1 when usable for new traffic, else 0.
    Up,
    /// Connections.
    Conns,
    /// Connections it would still take; -1 when it has no limit.
    ConnsFree,
    /// Streams waiting for it.
    Queued,
    /// Sessions a second.
    SessRate,
    /// The weight in force.
    Weight,
    /// The weight the configuration gave.
    InitialWeight,
    /// The weight the operator gave.
    UserWeight,
}

/// A number about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableGauge {
    /// Entries in use.
    Used,
    /// Entries that still fit.
    Available,
}

/// A number about the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessGauge {
    /// Its identifier.
    Pid,
    /// Worker threads.
    Threads,
    /// The worker that asks, from 0.
    Thread,
    /// 1 once it is stopping.
    Stopping,
    /// Connections of all frontends.
    Conns,
    /// Seconds since it started.
    Uptime,
    /// Share of time the worker that asks was busy, percent.
    BusyPercent,
}

/// How a counter changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One more.
    Increment,
    /// Zero.
    Clear,
}

/// A site with nothing in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCensus;

impl Census for NoCensus {
    fn frontend(&self, _: FrontendId, _: FrontendGauge) -> i64 {
        0
    }
    fn backend(&self, _: BackendId, _: BackendGauge) -> i64 {
        0
    }
    fn server(&self, _: ServerId, _: ServerGauge) -> i64 {
        0
    }
    fn process(&self, _: ProcessGauge) -> i64 {
        0
    }
    fn listener_conns(&self, _: FrontendId, _: u32) -> i64 {
        0
    }
    fn backend_named(&self, _: &[u8]) -> Option<BackendId> {
        None
    }
    fn frontend_named(&self, _: &[u8]) -> Option<FrontendId> {
        None
    }
    fn server_named(&self, _: BackendId, _: &[u8]) -> Option<ServerId> {
        None
    }
    fn table(&self, _: TableId, _: TableGauge) -> i64 {
        0
    }
    fn entry(&self, _: TableId, _: &Value<'_>, _: Counter, _: Tick) -> Option<i64> {
        None
    }
    fn has_entry(&self, _: TableId, _: &Value<'_>) -> bool {
        false
    }
    fn change(&self, _: TableId, _: &Value<'_>, _: Counter, _: Change, _: Tick) -> Option<i64> {
        None
    }
    fn authenticates(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        false
    }
    fn in_group(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        false
    }
    fn random(&self) -> u64 {
        0
    }
    fn hostname(&self) -> Cow<'_, str> {
        Cow::Borrowed("localhost")
    }
    fn utc_offset(&self, _: i64) -> i32 {
        0
    }
    fn is_local(&self, addr: std::net::IpAddr) -> bool {
        addr.is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_site_knows_nobody() {
        assert_eq!(NoCensus.backend_named(b"be"), None);
        assert_eq!(NoCensus.backend(BackendId::new(0), BackendGauge::Usable), 0);
        assert!(NoCensus.is_local("127.0.0.1".parse().expect("address")));
    }
}
