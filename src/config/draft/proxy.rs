//! A `defaults`, `frontend`, `backend` or `listen` section as written.
//!
//! Always true: what a section inherits it holds itself; nothing points back to its `defaults`.

use super::{BindDraft, ServerDraft, SourceDraft, section};
use crate::addr::Written;
use crate::lang::{Sections, Span, Word};
use crate::site::{
    FieldNames, ForwardFor, Forwarded, HttpConnections, KeepAlive, Mode, RetryOn, Reuse, Splice,
    Timeouts,
};
use crate::{balance, check, filter, queue, rule, stick, tls};

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
    /// `option independent-streams`
    pub independent: bool,
    /// `option checkcache`
    pub check_cache: bool,
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
    /// `ssl-f-use` lines.
    pub certificates: Vec<tls::draft::Used>,
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
    /// `log-steps`
    pub log_steps: Option<crate::log::profile::Steps>,
    /// `option http-ignore-probes`
    pub ignore_probes: bool,
    /// `option http-use-proxy-header`
    pub use_proxy_header: bool,
    /// `max-session-srv-conns`
    pub own_connections: Option<u32>,
    /// `option socket-stats`
    pub socket_stats: bool,
    /// `option tcp-smart-accept`
    pub tcp_smart_accept: bool,
}

/// What a section says about servers.
#[derive(Debug, Clone)]
pub struct BackDraft {
    /// `server` lines: most of a kilobyte each, and thousands, which stay where they are while their number grows.
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
    /// `option http_proxy`
    pub follows_uri: bool,
    /// `be-unpublished`
    pub unpublished: bool,
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
            follows_uri: false,
            unpublished: false,
            remembers: Remembers::Nothing,
            state_file: None,
        }
    }
}
