//! The statistics page of a proxy, as `stats …` lines describe it.

use std::sync::Arc;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsPage {
    /// `stats uri`: what the request's target begins with.
    pub uri: Box<[u8]>,
    /// `stats realm`: what a browser shows when it asks for a password.
    pub realm: Arc<str>,
    /// `stats auth`: users and passwords; empty lets everybody in.
    pub users: Vec<(Arc<str>, Arc<str>)>,
    /// `stats refresh`, in seconds.
    pub refresh: Option<u32>,
    /// `stats hide-version`.
    pub hide_version: bool,
    /// `stats show-legends`.
    pub show_legends: bool,
    /// `stats show-modules`.
    pub show_modules: bool,
    /// `stats show-node`: a name, empty for the node's own.
    pub node: Option<Arc<str>>,
    /// `stats show-desc`: a text, empty for the process's own.
    pub description: Option<Arc<str>>,
    /// `stats scope`: the proxies that are shown, `.` for the one that shows them; empty for all.
    pub scope: Vec<Arc<str>>,
}

impl Default for StatsPage {
    fn default() -> Self {
        Self {
            uri: Box::from(*b"/haproxy?stats"),
            realm: Arc::from("HAProxy Statistics"),
            users: Vec::new(),
            refresh: None,
            hide_version: false,
            show_legends: false,
            show_modules: false,
            node: None,
            description: None,
            scope: Vec::new(),
        }
    }
}
