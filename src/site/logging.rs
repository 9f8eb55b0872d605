//! Where and how a proxy logs.

use std::sync::Arc;

use super::{RingPost, Site};
use crate::log::{Format, Outlets, Route, Target};

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

impl Site {
    /// Opens the targets of every proxy. A target that cannot be opened is left out; the sentences say which.
    pub fn open_logs(&mut self) -> Vec<String> {
        let mut outlets = Outlets::default();
        let mut rings: Vec<_> = self
            .rings
            .iter()
            .map(|post| Arc::clone(&post.ring))
            .collect();
        let mut faults = Vec::new();
        let with_hostname = self.global.log_hostname.is_some();
        let fronts = self
            .frontends
            .iter_mut()
            .map(|frontend| &mut frontend.logging);
        let backs = self.backends.iter_mut().map(|backend| &mut backend.logging);
        self.journal.targets = Arc::clone(&self.global.logs);
        let relays = self.forwards.iter_mut().map(|relay| &mut relay.logging);
        let own = [&mut self.journal];
        for logging in fronts.chain(backs).chain(relays).chain(own) {
            let mut routes = Vec::with_capacity(logging.targets.len());
            for target in logging.targets.iter() {
                match outlets.route(target, with_hostname, &mut rings) {
                    Ok(route) => routes.push(route),
                    Err(fault) if faults.contains(&fault) => {}
                    Err(fault) => faults.push(fault),
                }
            }
            logging.routes = routes.into();
        }
        for ring in rings.drain(self.rings.len()..) {
            let servers = ring
                .server
                .clone()
                .into_iter()
                .map(|at| (at, None))
                .collect();
            self.rings.push(RingPost { ring, servers });
        }
        self.outlets = Some(Arc::new(outlets));
        faults
    }
}
