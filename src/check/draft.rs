//! What a configuration says about checks, before it becomes a script.

use super::Status;
use super::expect::unhex;
use crate::http::Version;
use crate::lang::{Span, Word};
use crate::proto::probe::Service;
use crate::time::Millis;

use super::{Beginning, Pace, Thresholds};

/// What a proxy section said.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The `option` that says how to check.
    pub kind: Option<KindDraft>,
    /// `http-check` rules in order.
    pub http: Vec<RuleDraft>,
    /// `tcp-check` rules in order.
    pub tcp: Vec<RuleDraft>,
    /// `http-check disable-on-404`.
    pub disable_on_404: bool,
    /// `http-check send-state`.
    pub send_state: bool,
    /// `external-check command`
    pub command: Option<Vec<u8>>,
    /// `external-check path`
    pub path: Option<Vec<u8>>,
    /// Whether all this was said by a `defaults` section.
    inherited: bool,
}

/// How to check.
#[derive(Clone, Debug)]
pub enum KindDraft {
    /// `option tcp-check`
    Tcp,
    /// `option httpchk`
    Http(RequestDraft),
    /// `option smtpchk` and its kind.
    Greeting(Service),
    /// `option external-check`
    Program,
}

/// One `tcp-check` or `http-check` rule.
#[derive(Clone, Debug)]
pub struct RuleDraft {
    /// What it does.
    pub act: ActDraft,
    /// `comment …`
    pub comment: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// What a rule does.
#[derive(Clone, Debug)]
pub enum ActDraft {
    /// `connect`
    Connect(Box<ConnectDraft>),
    /// `send`, `send-binary` and their formats.
    Send(TextDraft),
    /// `http-check send`
    Request(Box<RequestDraft>),
    /// `expect`
    Expect(Box<ExpectDraft>),
    /// `set-var(…) …`, `set-var-fmt(…) …`, `unset-var(…)`: the word before the bracket, the variable, the rest.
    Assign {
        /// `set-var`, `set-var-fmt` or `unset-var`.
        verb: &'static str,
        /// The variable's name.
        name: Word,
        /// The expression.
        value: Vec<Word>,
    },
}

/// A text, known or a format.
#[derive(Clone, Debug)]
pub enum TextDraft {
    /// These bytes.
    Plain(Vec<u8>),
    /// A log format.
    Format(Word),
    /// An expression, whose value is the text.
    Expression(Word),
    /// A log format whose result is hexadecimal digits.
    HexFormat(Word),
}

impl TextDraft {
    /// The text of a word that may hold expressions.
    pub fn of(word: &Word) -> TextDraft {
        if word.bytes.contains(&b'%') {
            TextDraft::Format(word.clone())
        } else {
            TextDraft::Plain(word.bytes.to_vec())
        }
    }

    /// The bytes that a word of hexadecimal digits stands for.
    pub fn of_hex(word: &Word) -> Option<TextDraft> {
        unhex(&word.bytes).map(TextDraft::Plain)
    }
}

/// `connect`
#[derive(Clone, Debug, Default)]
pub struct ConnectDraft {
    /// `addr`
    pub address: Option<Word>,
    /// `port`
    pub port: Option<TextDraft>,
    /// `ssl`
    pub tls: bool,
    /// `sni`
    pub sni: Option<String>,
    /// `alpn`
    pub alpn: Vec<String>,
    /// `proto`
    pub protocol: Option<String>,
    /// `send-proxy`
    pub send_proxy: bool,
    /// `via-socks4`
    pub via_socks4: bool,
    /// `linger`
    pub linger: bool,
    /// `default`
    pub as_server: bool,
}

/// A request, as far as it was said.
#[derive(Clone, Debug, Default)]
pub struct RequestDraft {
    /// `meth`
    pub method: Option<Vec<u8>>,
    /// `uri`, `uri-lf`
    pub target: Option<TextDraft>,
    /// `ver`
    pub version: Option<Version>,
    /// `hdr`
    pub fields: Vec<(String, TextDraft)>,
    /// `body`, `body-lf`
    pub body: Option<TextDraft>,
}

/// `expect`
#[derive(Clone, Debug)]
pub struct ExpectDraft {
    /// What is looked for.
    pub what: WhatDraft,
    /// `!`
    pub negated: bool,
    /// `min-recv`
    pub min_bytes: Option<usize>,
    /// `ok-status`
    pub ok: Option<Status>,
    /// `error-status`
    pub error: Option<Status>,
    /// `tout-status`
    pub timeout: Option<Status>,
    /// `on-success`
    pub on_success: Option<TextDraft>,
    /// `on-error`
    pub on_error: Option<TextDraft>,
    /// `status-code`
    pub code: Option<TextDraft>,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub enum WhatDraft {
    /// `string`, `string-lf`
    Bytes(TextDraft),
    /// `binary`, `binary-lf`
    Binary(TextDraft),
    /// `rstring`
    Pattern(Word),
    /// `rbinary`
    HexPattern(Word),
    /// `status`
    Status(Vec<(u16, u16)>),
    /// `rstatus`
    StatusPattern(Word),
    /// `hdr`, `fhdr`
    Field {
        /// The name.
        name: MatchDraft,
        /// The value.
        value: Option<MatchDraft>,
        /// Whether whole lines are compared.
        full: bool,
    },
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub struct MatchDraft {
    /// `str`, `beg`, `end`, `sub`, `reg`.
    pub how: MatchKind,
    /// The pattern.
    pub pattern: Word,
    /// `log-format`
    pub format: bool,
}

/// The ways of `-m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchKind {
    /// `str`
    #[default]
    Exact,
    /// `beg`
    Begins,
    /// `end`
    Ends,
    /// `sub`
    Contains,
    /// `reg`
    Pattern,
}

impl Draft {
    /// What a section begins with that takes this `defaults` section's values.
    #[must_use]
    pub fn inherit(&self) -> Draft {
        Draft {
            inherited: true,
            ..self.clone()
        }
    }

    /// Its rules.
    pub fn rules(&self) -> impl Iterator<Item = &RuleDraft> {
        self.tcp.iter().chain(&self.http)
    }

    /// Its rules, to be changed.
    pub fn rules_mut(&mut self) -> impl Iterator<Item = &mut RuleDraft> {
        self.tcp.iter_mut().chain(&mut self.http)
    }

    /// A section's first rule or option of its own replaces all that was inherited but the kind of check.
    pub(super) fn own(&mut self) {
        if std::mem::take(&mut self.inherited) {
            self.http.clear();
            self.tcp.clear();
            if let Some(KindDraft::Http(request)) = &mut self.kind {
                *request = RequestDraft::default();
            }
        }
    }
}

/// What a server line said.
#[derive(Clone, Debug, Default)]
pub struct ServerDraft {
    /// `check`
    pub enabled: bool,
    /// `inter`, `fastinter`, `downinter`
    pub pace: Pace,
    /// `rise`, `fall`
    pub thresholds: Thresholds,
    /// `init-state`
    pub beginning: Beginning,
    /// `port`
    pub port: Option<u16>,
    /// `addr`
    pub address: Option<Word>,
    /// `healthcheck`
    pub section: Option<Word>,
    /// What that section says, once it is found.
    pub own: Option<Box<Draft>>,
    /// `check-ssl`
    pub tls: bool,
    /// `check-sni`
    pub sni: Option<String>,
    /// `no-check-sni-auto`
    pub no_sni_auto: bool,
    /// `check-alpn`
    pub alpn: Vec<String>,
    /// `check-proto`
    pub protocol: Option<String>,
    /// `check-send-proxy`
    pub send_proxy: bool,
    /// `check-via-socks4`
    pub via_socks4: bool,
    /// `track`
    pub track: Option<Word>,
    /// `observe`, `error-limit`, `on-error`
    pub observe: ObserveDraft,
    /// `on-marked-down shutdown-sessions`
    pub shut_when_down: bool,
    /// `on-marked-up shutdown-backup-sessions`
    pub shut_backups_when_up: bool,
    /// `agent-check` and its parameters.
    pub agent: AgentDraft,
}

impl ServerDraft {
    /// What is asked of the server: what its `healthcheck` says, else its backend.
    pub fn asked<'a>(&'a self, backend: &'a Draft) -> &'a Draft {
        self.own.as_deref().unwrap_or(backend)
    }
}

/// How live traffic counts as checks.
#[derive(Clone, Debug)]
pub struct ObserveDraft {
    /// What is observed.
    pub layer: Option<Layer>,
    /// Errors in a row that count.
    pub error_limit: u32,
    /// What they lead to.
    pub on_error: OnError,
}

impl Default for ObserveDraft {
    fn default() -> ObserveDraft {
        ObserveDraft {
            layer: None,
            error_limit: ERROR_LIMIT_DEFAULT,
            on_error: OnError::FailCheck,
        }
    }
}

/// What `observe` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Connections.
    Layer4,
    /// Responses.
    Layer7,
}

/// What too many observed errors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Check faster.
    FastInter,
    /// Count a failed check.
    FailCheck,
    /// One more failure takes the server down.
    SuddenDeath,
    /// Take the server down.
    MarkDown,
}

/// An agent beside a server.
#[derive(Clone, Debug, Default)]
pub struct AgentDraft {
    /// `agent-check`
    pub enabled: bool,
    /// `agent-inter`; the check's interval without it.
    pub inter: Option<Millis>,
    /// `agent-port`
    pub port: Option<u16>,
    /// `agent-addr`
    pub address: Option<Word>,
    /// `agent-send`
    pub send: Vec<u8>,
}

/// HAProxy's `error-limit`.
const ERROR_LIMIT_DEFAULT: u32 = 10;
