//! Where and how a proxy logs.

use std::sync::Arc;

use crate::log::{Format, Route, Target};

/// The `log` lines of a proxy and what its lines look like.
#[derive(Clone, Debug, Default)]
pub struct Logging {
    /// Where lines go, those of `log global` in their place; nothing is logged without any.
    pub targets: Arc<[Target]>,
    /// `log-tag`, where it is not the process's.
    pub tag: Option<Arc<str>>,
    /// What a line shows.
    pub line: LineFormat,
    /// The same, compiled; absent for [`LineFormat::Connect`].
    pub line_format: Option<Arc<Format>>,
    /// `error-log-format`, compiled.
    pub error_format: Option<Arc<Format>>,
    /// `log-format-sd`, compiled.
    pub structured_format: Option<Arc<Format>>,
    /// The targets, opened.
    pub routes: Arc<[Route]>,
    /// `error-log-format`.
    pub error: Option<Arc<str>>,
    /// `log-format-sd`.
    pub structured: Option<Arc<str>>,
    /// `unique-id-format`.
    pub unique_id: Option<Arc<str>>,
    /// `unique-id-header`.
    pub unique_id_header: Option<Arc<str>>,
}

/// What a log line shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LineFormat {
    /// Who connected, nothing else.
    #[default]
    Connect,
    /// `option tcplog`
    Tcp,
    /// `option tcplog clf`
    TcpClf,
    /// `option httplog`
    Http,
    /// `option httplog clf`
    HttpClf,
    /// `option httpslog`
    Https,
    /// `log-format`
    Written(Arc<str>),
}
