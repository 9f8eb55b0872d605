//! What was written: the sections of a configuration with spans and names, before they run.
//!
//! The rows of every room write here; `resolve` reads it and makes a `Site`. A `defaults` section
//! is a proxy draft like any other: the sections it applies to begin as its copy, which is all
//! that inheritance is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::section;
use crate::addr::Written;
use crate::lang::{Sections, Span, Word};
use crate::log::Target;
use crate::site::{
    FieldNames, ForwardFor, Forwarded, Global, HttpConnections, KeepAlive, Level, Mode, Remembered,
    RetryOn, Reuse, Seems, SendProxy, SeverityOutput, Splice, Tells, Timeouts,
};
use crate::time::Millis;
use crate::{balance, cache, check, dns, filter, queue, rule, stick, tls, users};

/// A whole configuration as written.
#[derive(Debug, Default)]
pub struct Draft {
    /// The `global` section.
    pub global: GlobalDraft,
    /// The `defaults` sections.
    pub defaults: Vec<ProxyDraft>,
    /// The `resolvers` sections.
    pub resolvers: Vec<ResolversDraft>,
    /// Frontends, backends and listens in file order.
    pub proxies: Vec<ProxyDraft>,
    /// `cache` sections.
    pub caches: Vec<cache::Draft>,
    /// `healthcheck` sections by name.
    pub healthchecks: Vec<(String, check::Draft)>,
    /// `userlist` sections.
    pub userlists: Vec<users::Draft>,
    /// `ring` sections.
    pub rings: Vec<section::relay::RingDraft>,
    /// `mailers` sections.
    pub mailers: Vec<section::mailers::MailersDraft>,
    /// `log-forward` sections.
    pub forwards: Vec<section::relay::ForwardDraft>,
    /// `peers` sections.
    pub peers: Vec<section::peers::PeersDraft>,
    /// `program` sections.
    pub programs: Vec<section::program::ProgramDraft>,
    /// `http-errors` sections: names and pages.
    pub http_errors: Vec<(String, rule::Draft)>,
    /// The `crt-store` sections.
    pub stocks: Vec<tls::draft::StockDraft>,
}

/// A `resolvers` section.
#[derive(Debug)]
pub struct ResolversDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// What its lines say.
    pub dns: dns::run::section::Draft,
}

/// The `global` section.
#[derive(Debug, Default)]
pub struct GlobalDraft {
    /// What needs no resolving.
    pub site: Global,
    /// `default-path`, until the loader has carried it out.
    pub default_path: Option<Origin>,
    /// `setenv` and its kind, in order; the loader carries them out after each line.
    pub env_edits: Vec<EnvEdit>,
    /// `stats socket` lines.
    pub sockets: Vec<BindDraft>,
    /// `log` lines.
    pub logs: Vec<Target>,
    /// `unix-bind`.
    pub unix_bind: UnixBind,
    /// `user`.
    pub user: Option<Word>,
    /// `group`.
    pub group: Option<Word>,
    /// `nbproc`.
    pub processes: Option<u32>,
    /// `cpu-map` lines, whose meaning depends on `nbproc`.
    pub cpu_maps: Vec<CpuMapDraft>,
    /// Directories and defaults of TLS.
    pub tls: tls::draft::GlobalDraft,
    /// `set-var` and `set-var-fmt`, in order.
    pub variables: Vec<VariableDraft>,
    /// The keywords that may come once and came.
    pub seen: HashMap<&'static str, Span>,
}

/// A variable of the process that gets its value while the configuration is read.
#[derive(Debug, Clone)]
pub struct VariableDraft {
    /// Its name.
    pub name: Word,
    /// The expression's words, or the format.
    pub value: Vec<Word>,
    /// Whether the value is a format.
    pub is_format: bool,
}

/// Where relative paths begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Where the program was started.
    Start,
    /// In the directory of the file that is read.
    File,
    /// In the directory above that one.
    AboveFile,
    /// In this directory.
    Directory(PathBuf),
}

impl Origin {
    /// The directory that this means for a file, seen from where the program was started.
    #[must_use]
    pub fn directory(&self, file: &str) -> PathBuf {
        let own = file.rsplit_once('/').map_or("", |(own, _)| own);
        let own = if own.is_empty() && file.starts_with('/') {
            "/"
        } else {
            own
        };
        match self {
            Self::Start => PathBuf::new(),
            Self::File => own.into(),
            Self::AboveFile => PathBuf::from(own).join(".."),
            Self::Directory(path) => path.clone(),
        }
    }
}

/// One change of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvEdit {
    /// `setenv`
    Set(String, Vec<u8>),
    /// `presetenv`: only if unset.
    Preset(String, Vec<u8>),
    /// `unsetenv`
    Unset(String),
    /// `resetenv`: unset everything but these.
    Reset(Vec<String>),
}

/// A `cpu-map` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuMapDraft {
    /// `auto:`
    pub auto: bool,
    /// The processes, or thread groups, it names.
    pub groups: Numbers,
    /// The threads, if named after a slash.
    pub threads: Option<Numbers>,
    /// The processors.
    pub cpus: Vec<usize>,
}

/// A set of numbers from 1 as `cpu-map` and `process` write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Every one.
    All,
    /// The odd ones.
    Odd,
    /// The even ones.
    Even,
    /// From the first to the last.
    Range(usize, usize),
}

impl Numbers {
    /// Whether the set holds `number`.
    #[must_use]
    pub fn holds(self, number: usize) -> bool {
        match self {
            Numbers::All => true,
            Numbers::Odd => !number.is_multiple_of(2),
            Numbers::Even => number.is_multiple_of(2),
            Numbers::Range(first, last) => (first..=last).contains(&number),
        }
    }
}

/// Owner and mode of a unix socket, as written.
#[derive(Debug, Clone, Default)]
pub struct UnixBind {
    /// Put before every unix path.
    pub prefix: Option<String>,
    /// `uid`
    pub uid: Option<u32>,
    /// `gid`
    pub gid: Option<u32>,
    /// `user`
    pub user: Option<Word>,
    /// `group`
    pub group: Option<Word>,
    /// `mode`
    pub mode: Option<u32>,
}

/// A `defaults`, `frontend`, `backend` or `listen` section.
#[derive(Debug, Clone)]
pub struct ProxyDraft {
    /// Its keyword as a set: a `listen` is both frontend and backend.
    pub kind: Sections,
    /// Its name; empty for anonymous `defaults`.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `guid`
    pub guid: Option<Word>,
    /// `id`
    pub id: Option<u32>,
    /// `description`
    pub description: Option<String>,
    /// `mode`
    pub mode: Mode,
    /// `disabled`
    pub disabled: bool,
    /// `timeout …`
    pub timeouts: Timeouts,
    /// `option …` of both halves.
    pub options: OptionsDraft,
    /// What concerns clients.
    pub front: FrontDraft,
    /// What concerns servers.
    pub back: BackDraft,
    /// The stick table.
    pub stick: stick::Draft,
    /// `email-alert`
    pub mail: section::mailers::Draft,
    /// Where and how it logs.
    pub log: section::log::Draft,
    /// The statistics page.
    pub stats: section::stats::Draft,
    /// What changes or paces bodies.
    pub filter: filter::Draft,
    /// `acl` lines, as words.
    pub acls: Vec<Vec<Word>>,
    /// The `acl` lines of the `defaults` section, which only the rules that come from there see.
    pub inherited_acls: Vec<Vec<Word>>,
    /// Rules, as words.
    pub rule: rule::Draft,
    /// What is kept of messages for the log.
    pub capture: crate::log::Draft,
    /// Of a `defaults` section: who inherits from it.
    pub heirs: Heirs,
}

/// The sides of proxies that inherit from a `defaults` section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heirs {
    /// Frontends.
    pub front: bool,
    /// Backends.
    pub back: bool,
}

impl ProxyDraft {
    /// A section with HAProxy's built-in values.
    #[must_use]
    pub fn new(kind: Sections, name: impl Into<String>, span: Span) -> ProxyDraft {
        ProxyDraft {
            kind,
            name: name.into(),
            span,
            id: None,
            guid: None,
            description: None,
            mode: Mode::Tcp,
            disabled: false,
            timeouts: Timeouts::default(),
            options: OptionsDraft::default(),
            front: FrontDraft::default(),
            back: BackDraft::default(),
            stick: stick::Draft::default(),
            mail: section::mailers::Draft::default(),
            log: section::log::Draft::default(),
            stats: section::stats::Draft::default(),
            filter: filter::Draft::default(),
            acls: Vec::new(),
            inherited_acls: Vec::new(),
            rule: rule::Draft::default(),
            capture: crate::log::Draft::default(),
            heirs: Heirs::default(),
        }
    }

    /// A section that begins as what this `defaults` says.
    #[must_use]
    pub fn inherit(&self, kind: Sections, name: impl Into<String>, span: Span) -> ProxyDraft {
        ProxyDraft {
            kind,
            name: name.into(),
            span,
            id: None,
            guid: None,
            description: None,
            heirs: Heirs::default(),
            back: BackDraft {
                check: self.back.check.inherit(),
                ..self.back.clone()
            },
            rule: self.rule.inherit(),
            acls: Vec::new(),
            inherited_acls: self.acls.clone(),
            ..self.clone()
        }
    }

    /// Whether it takes connections from clients.
    #[must_use]
    pub fn is_front(&self) -> bool {
        self.kind.meets(Sections::FRONTEND)
    }

    /// Whether it sends to servers.
    #[must_use]
    pub fn is_back(&self) -> bool {
        self.kind.meets(Sections::BACKEND)
    }

    /// The section's keyword.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        if self.kind == Sections::LISTEN {
            "listen"
        } else if self.kind == Sections::FRONTEND {
            "frontend"
        } else if self.kind == Sections::BACKEND {
            "backend"
        } else {
            "defaults"
        }
    }
}

/// Options that concern both sides.
#[derive(Debug, Clone, Default)]
pub struct OptionsDraft {
    /// `option http-keep-alive`, `http-server-close`, `httpclose`
    pub http_connections: HttpConnections,
    /// `option forwardfor`
    pub forward_for: Option<ForwardFor>,
    /// `option originalto`
    pub original_to: Option<ForwardFor>,
    /// `option http-restrict-req-hdr-names`
    pub field_names: FieldNames,
    /// `option http-drop-request-trailers`
    pub drop_request_trailers: bool,
    /// `option http-drop-response-trailers`
    pub drop_response_trailers: bool,
    /// `option h1-case-adjust-bogus-client`
    pub spell_for_client: bool,
    /// `option h1-case-adjust-bogus-server`
    pub spell_for_server: bool,
    /// `option http-buffer-request`
    pub buffer_request: bool,
    /// `option abortonclose`
    pub abort_on_close: bool,
    /// `option splice-…`
    pub splice: Splice,
    /// `option clitcpka`, or `tcpka`
    pub client_keep_alive: KeepAlive,
    /// `option srvtcpka`, or `tcpka`
    pub server_keep_alive: KeepAlive,
    /// `option nolinger`
    pub no_linger: bool,
    /// `option accept-unsafe-violations-in-http-request`
    pub accept_invalid_request: bool,
    /// `option accept-unsafe-violations-in-http-response`
    pub accept_invalid_response: bool,
}

/// What a section says about clients.
#[derive(Debug, Clone, Default)]
pub struct FrontDraft {
    /// `bind` lines.
    pub binds: Vec<BindDraft>,
    /// `maxconn`
    pub maxconn: Option<u32>,
    /// `backlog`
    pub backlog: Option<u32>,
    /// `rate-limit sessions`
    pub rate_limit_sessions: u32,
    /// `default_backend`
    pub default_backend: Option<Word>,
    /// `monitor-uri`
    pub monitor_uri: Option<Vec<u8>>,
    /// `option dontlognull`
    pub dont_log_null: bool,
    /// `option dontlog-normal`
    pub dont_log_normal: bool,
    /// `option log-separate-errors`
    pub log_separate_errors: bool,
    /// `option logasap`
    pub log_asap: bool,
    /// `option http-ignore-probes`
    pub ignore_probes: bool,
    /// `option http-use-proxy-header`
    pub use_proxy_header: bool,
    /// `option socket-stats`
    pub socket_stats: bool,
    /// `option tcp-smart-accept`
    pub tcp_smart_accept: bool,
}

/// What a section says about servers.
#[derive(Debug, Clone)]
pub struct BackDraft {
    /// `server` lines.
    #[expect(
        clippy::vec_box,
        reason = "most of a kilobyte each, and thousands: they stay where they are while their number grows"
    )]
    pub servers: Vec<Box<ServerDraft>>,
    /// What `default-server` said so far.
    pub default_server: ServerDraft,
    /// The words of those lines.
    pub default_lines: Vec<Vec<Word>>,
    /// `retries`
    pub retries: u32,
    /// `option redispatch`
    pub redispatch: i32,
    /// `retry-on`
    pub retry_on: RetryOn,
    /// `http-reuse`
    pub reuse: Reuse,
    /// How servers are chosen.
    pub balance: balance::Draft,
    /// `fullconn`
    pub queue: queue::Draft,
    /// What health checks ask.
    pub check: check::Draft,
    /// `option http-pretend-keepalive`
    pub pretend_keep_alive: bool,
    /// `option tcp-smart-connect`
    pub tcp_smart_connect: bool,
    /// `option log-health-checks`
    pub log_health_checks: bool,
    /// `option forwarded`
    pub forwarded: Option<Forwarded<Word>>,
    /// `http-send-name-header`
    pub name_header: Option<Box<[u8]>>,
    /// `source`
    pub source: Option<SourceDraft>,
    /// `dispatch`
    pub dispatch: Option<(Word, Written)>,
    /// `option transparent`
    pub transparent: bool,
    /// `load-server-state-from-file`
    pub remembers: Remembers,
    /// `server-state-file-name`
    pub state_file: Option<String>,
}

/// Which file says in what state servers begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remembers {
    /// None.
    #[default]
    Nothing,
    /// The one of `server-state-file`.
    Global,
    /// The backend's own.
    Local,
}

impl Default for BackDraft {
    fn default() -> BackDraft {
        BackDraft {
            servers: Vec::new(),
            default_server: ServerDraft::default(),
            default_lines: Vec::new(),
            retries: 3,
            redispatch: 0,
            retry_on: RetryOn::default(),
            reuse: Reuse::default(),
            balance: balance::Draft::default(),
            queue: queue::Draft::default(),
            check: check::Draft::default(),
            pretend_keep_alive: false,
            tcp_smart_connect: false,
            log_health_checks: false,
            forwarded: None,
            name_header: None,
            source: None,
            dispatch: None,
            transparent: false,
            remembers: Remembers::Nothing,
            state_file: None,
        }
    }
}

/// A `bind` or `stats socket` line.
#[derive(Debug, Clone, Default)]
pub struct BindDraft {
    /// The whole line.
    pub span: Span,
    /// Its addresses: the text with variables expanded, and where it stands.
    pub addresses: Vec<(Word, Written)>,
    /// `name`
    pub name: Option<String>,
    /// `guid-prefix`
    pub guid_prefix: Option<Word>,
    /// `id`
    pub id: Option<u32>,
    /// `maxconn`
    pub maxconn: u32,
    /// `backlog`
    pub backlog: Option<u32>,
    /// `accept-proxy`
    pub accept_proxy: bool,
    /// `accept-netscaler-cip`
    pub accept_netscaler_cip: Option<u32>,
    /// `v4v6`, `v6only`
    pub v6only: Option<bool>,
    /// `transparent`
    pub transparent: bool,
    /// `tfo`
    pub fast_open: bool,
    /// `defer-accept`
    pub defer_accept: bool,
    /// `interface`
    pub interface: Option<String>,
    /// `namespace`
    pub namespace: Option<String>,
    /// `mss`
    pub mss: Option<u16>,
    /// `tcp-ut`
    pub tcp_user_timeout: Option<Millis>,
    /// `shards`
    pub shards: Option<usize>,
    /// Owner and mode.
    pub unix: UnixBind,
    /// `level`
    pub level: Level,
    /// `severity-output`
    pub severity: SeverityOutput,
    /// `expose-fd listeners`
    pub expose_fd: bool,
    /// `ssl`, `crt` and what belongs to them.
    pub tls: tls::draft::BindDraft,
}

/// A `server` line, or what `default-server` lines amount to.
#[derive(Debug, Clone)]
pub struct ServerDraft {
    /// The whole line.
    pub span: Span,
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The address with variables expanded.
    pub address: Option<(Word, Written)>,
    /// `guid`
    pub guid: Option<Word>,
    /// `id`
    pub id: Option<u32>,
    /// `disabled`
    pub disabled: bool,
    /// Weight and what belongs to it.
    pub seat: balance::SeatDraft,
    /// Limits.
    pub queue: queue::ServerDraft,
    /// Its health.
    pub check: check::ServerDraft,
    /// `redir`
    pub redirect_prefix: Option<Vec<u8>>,
    /// `send-proxy`, `send-proxy-v2`
    pub send_proxy: SendProxy,
    /// `proxy-v2-options`
    pub tells: Tells,
    /// `set-proxy-v2-tlv-fmt`
    pub tellings: Vec<(u8, Option<Word>)>,
    /// `socks4`
    pub socks4: Option<Box<(Word, Written)>>,
    /// `source`
    pub source: Option<Box<SourceDraft>>,
    /// `pool-conn-name`
    pub pool_name: Option<Word>,
    /// `pool-max-conn`
    pub pool_max_conn: Option<u32>,
    /// `pool-purge-delay`
    pub pool_purge_delay: Millis,
    /// `max-reuse`
    pub max_reuse: Option<u32>,
    /// `tcp-ut`
    pub tcp_user_timeout: Option<Millis>,
    /// `tfo`
    pub fast_open: bool,
    /// `non-stick`: tables do not learn it.
    pub non_stick: bool,
    /// `log-bufsize`
    pub log_buffer: Option<usize>,
    /// `log-proto octet-count`
    pub log_counted: bool,
    /// `init-addr`
    pub init_addr: Vec<InitAddr>,
    /// What a state file says of it.
    pub remembered: Option<Box<Remembered>>,
    /// `resolvers`, `resolve-…`
    pub resolution: dns::run::section::ServerDraft,
    /// `ssl` and what belongs to it: shared with the lines that say the same, for there may be thousands.
    pub tls: Arc<tls::draft::ServerDraft>,
}

/// A `source` line or parameter.
#[derive(Debug, Clone)]
pub struct SourceDraft {
    /// Its address.
    pub address: (Word, Written),
    /// `interface`
    pub interface: Option<String>,
    /// `usesrc`
    pub seems: Seems,
}

/// One way of `init-addr` to find a server's first address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitAddr {
    /// `last`: from the state file.
    Last,
    /// `libc`: resolve at the start.
    Resolve,
    /// `none`: start without.
    None,
    /// A fixed address.
    Ip(std::net::IpAddr),
}

impl Default for ServerDraft {
    fn default() -> ServerDraft {
        ServerDraft {
            span: Span::default(),
            name: String::new(),
            name_span: Span::default(),
            address: None,
            id: None,
            guid: None,
            disabled: false,
            seat: balance::SeatDraft::default(),
            queue: queue::ServerDraft::default(),
            check: check::ServerDraft::default(),
            redirect_prefix: None,
            send_proxy: SendProxy::No,
            tells: Tells::default(),
            tellings: Vec::new(),
            socks4: None,
            source: None,
            pool_name: None,
            pool_max_conn: None,
            pool_purge_delay: Millis::seconds(5),
            max_reuse: None,
            tcp_user_timeout: None,
            fast_open: false,
            non_stick: false,
            log_buffer: None,
            log_counted: false,
            init_addr: Vec::new(),
            remembered: None,
            resolution: dns::run::section::ServerDraft::default(),
            tls: Arc::default(),
        }
    }
}
