//! `frontend` sections, and the front halves of `listen`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use super::{Logging, Options, Paced, Rules, StatsPage, Timeouts};
use crate::filter::Filters;
use crate::id::{BackendId, ListenerId, TableId};
use crate::log::profile::Steps;
use crate::rule::{AnyOf, Choices};
use crate::sample::FrontendFacts;
use crate::stats::Tally;

/// `mode`: what a proxy understands of what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Bytes.
    #[default]
    Tcp,
    /// HTTP messages.
    Http,
    /// Log lines; of backends alone.
    Log,
}

/// Where clients come in.
#[derive(Debug, Default)]
pub struct Frontend {
    /// The section's name.
    pub name: Arc<str>,
    /// `id`, or one given in order, as statistics show it.
    pub uuid: u32,
    /// `mode`.
    pub mode: Mode,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// Its `bind` lines, ranges spread out.
    pub listeners: Vec<ListenerId>,
    /// `maxconn`; zero means no limit of its own.
    pub maxconn: usize,
    /// `rate-limit sessions`: a second; zero means none.
    pub rate_limit_sessions: u32,
    /// `backlog`.
    pub backlog: Option<u32>,
    /// Timeouts of the client's side.
    pub timeouts: Timeouts,
    /// Options of both kinds of proxy.
    pub options: Options,
    /// `default_backend`, or itself for a `listen`.
    pub default_backend: Option<BackendId>,
    /// Its rules.
    pub rules: Rules,
    /// `use_backend`.
    pub choices: Choices<BackendId>,
    /// `force-be-switch`.
    pub force_switch: AnyOf,
    /// What expressions see of it.
    pub facts: FrontendFacts,
    /// The back half, if this is a `listen`.
    pub twin: Option<BackendId>,
    /// `option dontlognull`.
    pub dont_log_null: bool,
    /// `option dontlog-normal`.
    pub dont_log_normal: bool,
    /// `option log-separate-errors`.
    pub log_separate_errors: bool,
    /// `option logasap`.
    pub log_asap: bool,
    /// `log-steps`: when lines are written; at the end otherwise.
    pub log_steps: Option<Steps>,
    /// `option http-ignore-probes`.
    pub ignore_probes: bool,
    /// `max-session-srv-conns`.
    pub own_connections: Option<u32>,
    /// `option tcp-smart-accept`.
    pub tcp_smart_accept: bool,
    /// `monitor-uri`.
    pub monitor_uri: Option<Box<[u8]>>,
    /// Where and how it logs.
    pub logging: Logging,
    /// The statistics page, where `stats` lines ask for one.
    pub stats_page: Option<StatsPage>,
    /// What changes or paces bodies.
    pub filters: Filters,
    /// Its stick table.
    pub table: Option<TableId>,
    /// `option socket-stats`.
    pub socket_stats: bool,
    /// Not shown in statistics.
    pub hidden: bool,
    /// `disabled`.
    pub disabled: bool,
    /// What was counted.
    pub tally: Tally,
    /// Connections at this moment.
    pub connections: AtomicUsize,
    /// Log lines so far.
    pub lines: AtomicU32,
    /// Whether an operator stopped it for good.
    pub closed: AtomicBool,
    /// Whether an operator keeps it from accepting.
    pub paused: AtomicBool,
    /// `set maxconn frontend`, or the configured limit; zero means none.
    pub maxconn_now: AtomicUsize,
    /// `set rate-limit` of this frontend.
    pub pace: Paced,
}
