//! `backend` sections, and the back halves of `listen`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::{
    Admission, Forwarded, Logging, Mail, Members, Mode, Options, Rules, StatsPage, Timeouts,
};
use crate::balance::persist::{Computed, Persist};
use crate::balance::{KeySource, Policy};
use crate::filter::Filters;
use crate::id::{FrontendId, ServerId, TableId};
use crate::live::Live;
use crate::queue::{FullLoad, Line};
use crate::rule::{AnyOf, Choices, Sticking};
use crate::sample::{BackendFacts, Expr};
use crate::stats::Tally;
use crate::time::Tick;

/// Connection attempts after the first, unless `retries` says otherwise.
const RETRIES: u32 = 3;

/// `http-reuse`: when a request may travel on a server connection that another client's request opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// A connection serves one client only.
    Never,
    /// Nothing was said: as `safe`, but for first requests that are sent again where a connection fails them. No client can see
    /// what `safe` protects it from.
    // haproxy, a backend without `http-reuse`: gives each client's first request a connection of its own, as with `safe`; here: one with
    // an idempotent method and no body shares those without TLS, since it is sent again should the connection fail. Written strategies
    // are kept to.
    #[default]
    Unsaid,
    /// Not for the first request of a client's connection.
    Safe,
    /// Also for first requests, on connections that have been reused before.
    Aggressive,
    /// Always.
    Always,
}

/// A set of servers and what becomes of requests for it.
#[derive(Debug)]
pub struct Backend {
    /// The section's name.
    pub name: Arc<str>,
    /// `id`, or one given in order.
    pub uuid: u32,
    /// Whether that was written.
    pub uuid_forced: bool,
    /// `mode`.
    pub mode: Mode,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// Its servers in order of the file.
    pub servers: Members,
    /// What servers are given that are added at run time.
    pub admission: Admission,
    /// Timeouts of the server's side.
    pub timeouts: Timeouts,
    /// Options of both kinds of proxy.
    pub options: Options,
    /// The front half, if this is a `listen`.
    pub twin: Option<FrontendId>,
    /// `retries`.
    pub retries: u32,
    /// `option redispatch N`: at which retries another server is taken; zero means never.
    pub redispatch: i32,
    /// `retry-on`.
    pub retry_on: RetryOn,
    /// `http-reuse`.
    pub reuse: Reuse,
    /// `fullconn` as it was written, or what may come in.
    pub full_load: FullLoad,
    /// What that is in this process.
    pub fullconn: u32,
    /// `balance`: who is next.
    pub policy: Policy,
    /// `dispatch`, `option transparent`: where all requests go that no rule or cookie gives to a server.
    pub outlet: Option<ServerId>,
    /// Where a hashed choice finds its key.
    pub key: Option<KeySource>,
    /// What makes the key, where it is an expression's value.
    pub key_expression: Option<Expr>,
    /// Cookie persistence.
    pub persist: Option<Persist>,
    /// How the cookie's values are computed for servers that were given none.
    pub computed: Live<Computed>,
    /// `persist rdp-cookie`: what finds the cookie that names a server.
    pub rdp_cookie: Option<Expr>,
    /// `option persist`.
    pub persist_when_down: bool,
    /// Requests that wait for any of its servers.
    pub line: Line,
    /// `option prefer-last-server`.
    pub prefer_last_server: bool,
    /// `max-keep-alive-queue`: how many may wait for the last server.
    pub keep_alive_queue: Option<u32>,
    /// `option checkcache`.
    pub check_cache: bool,
    /// `option http-pretend-keepalive`.
    pub pretend_keep_alive: bool,
    /// `option tcp-smart-connect`.
    pub tcp_smart_connect: bool,
    /// `option forwarded`.
    pub forwarded: Option<Forwarded<Expr>>,
    /// `http-send-name-header`.
    pub name_header: Option<Box<[u8]>>,
    /// `option log-health-checks`.
    pub log_health_checks: bool,
    /// The statistics page, where `stats` lines ask for one.
    pub stats_page: Option<StatsPage>,
    /// Its rules; a `listen` whose own frontend asks has evaluated them already.
    pub rules: Rules,
    /// `use-server`.
    pub server_choices: Choices<ServerId>,
    /// `stick on` and its kin.
    pub sticking: Sticking,
    /// `force-persist`.
    pub force_persist: AnyOf,
    /// `ignore-persist`.
    pub ignore_persist: AnyOf,
    /// What expressions see of it.
    pub facts: BackendFacts,
    /// What changes or paces bodies.
    pub filters: Filters,
    /// Its stick table.
    pub table: Option<TableId>,
    /// Where it logs: what happens to its servers.
    pub logging: Logging,
    /// `email-alert`: who is told by mail what happens to its servers.
    pub mail: Option<Mail>,
    /// `disabled`.
    pub disabled: bool,
    /// `be-unpublished`, or what operators made of it: rules that choose backends pass it over.
    pub unpublished: AtomicBool,
    /// `option http_proxy`: requests go to the address in their target.
    pub follows_uri: bool,
    /// Since when it has servers or none, and for how long it had none.
    pub record: Record,
    /// What was counted.
    pub tally: Tally,
    /// Connections at this moment, including those in line.
    pub connections: AtomicU32,
}

/// `retry-on`: which failures let a request be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryOn {
    /// `conn-failure`.
    pub connect: bool,
    /// `empty-response`.
    pub empty_response: bool,
    /// `junk-response`.
    pub junk_response: bool,
    /// `response-timeout`.
    pub response_timeout: bool,
    /// `0rtt-rejected`.
    pub early_data_rejected: bool,
    /// Status codes.
    pub statuses: Vec<u16>,
}

impl Default for RetryOn {
    fn default() -> Self {
        Self {
            connect: true,
            empty_response: false,
            junk_response: false,
            response_timeout: false,
            early_data_rejected: false,
            statuses: Vec::new(),
        }
    }
}

impl RetryOn {
    /// Whether a request may be sent again after it was sent once, so that it has to be kept.
    pub fn after_send(&self) -> bool {
        self.empty_response
            || self.junk_response
            || self.response_timeout
            || !self.statuses.is_empty()
    }
}

/// What became of a backend's servers as a whole.
#[derive(Debug, Default)]
pub struct Record {
    changed_at: AtomicU64,
    down_millis: AtomicU64,
}

impl Record {
    /// Begins to count from this moment.
    pub fn begin(&self, now: Tick) {
        self.changed_at.store(now.as_millis(), Relaxed);
    }

    /// The last server went, or the first one came back.
    pub fn turn(&self, up: bool, now: Tick) {
        let since = self.changed_at.swap(now.as_millis(), Relaxed);
        if up {
            let span = now.as_millis().saturating_sub(since);
            self.down_millis.fetch_add(span, Relaxed);
        }
    }

    /// When it last changed.
    pub fn changed_at(&self) -> Tick {
        Tick::from_millis(self.changed_at.load(Relaxed))
    }

    /// How long it has had no server in all.
    pub fn downtime(&self, is_down: bool, now: Tick) -> u64 {
        let so_far = self.down_millis.load(Relaxed);
        let since = self.changed_at.load(Relaxed);
        so_far
            + if is_down {
                now.as_millis().saturating_sub(since)
            } else {
                0
            }
    }
}

impl Backend {
    /// Whether rules may choose it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.disabled && !self.unpublished.load(Relaxed)
    }

    /// A backend of `servers` with every other setting at its default.
    pub fn new(name: Arc<str>, servers: impl Into<Members>, policy: Policy) -> Self {
        Self {
            name,
            uuid: 0,
            uuid_forced: false,
            mode: Mode::default(),
            description: None,
            servers: servers.into(),
            admission: Admission::default(),
            timeouts: Timeouts::default(),
            options: Options::default(),
            twin: None,
            retries: RETRIES,
            redispatch: 0,
            retry_on: RetryOn::default(),
            reuse: Reuse::default(),
            full_load: FullLoad::Said(0),
            fullconn: 0,
            policy,
            outlet: None,
            key: None,
            key_expression: None,
            persist: None,
            computed: Live::new(Computed::default()),
            rdp_cookie: None,
            persist_when_down: false,
            line: Line::new(),
            prefer_last_server: false,
            keep_alive_queue: None,
            check_cache: false,
            pretend_keep_alive: false,
            tcp_smart_connect: false,
            forwarded: None,
            name_header: None,
            log_health_checks: false,
            rules: Rules::default(),
            server_choices: Choices::default(),
            sticking: Sticking::default(),
            force_persist: AnyOf::default(),
            ignore_persist: AnyOf::default(),
            facts: BackendFacts::default(),
            filters: Filters::default(),
            table: None,
            stats_page: None,
            logging: Logging::default(),
            mail: None,
            disabled: false,
            unpublished: AtomicBool::new(false),
            follows_uri: false,
            record: Record::default(),
            tally: Tally::default(),
            connections: AtomicU32::new(0),
        }
    }

    /// Requests at this moment, those in line among them.
    pub fn load(&self) -> u32 {
        self.connections.load(Relaxed)
    }

    /// Counts a request in.
    pub fn enter(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// Counts a request out.
    pub fn leave(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }
}
