//! What readers of the statistics are given: plain values, gathered from the site at one moment.
//!
//! The site makes a [`Snapshot`]; CSV, typed, JSON, HTML and Prometheus output are made of nothing else.

use super::shard::Folded;
use crate::codec::mask::Mask;

/// What kind of object a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A frontend.
    Frontend,
    /// A backend.
    Backend,
    /// A server.
    Server,
    /// A listening socket.
    Listener,
}

impl Kind {
    /// HAProxy's number of the kind, the `type` column.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Frontend => 0,
            Self::Backend => 1,
            Self::Server => 2,
            Self::Listener => 3,
        }
    }

    /// The bit that selects the kind in `show stat <iid> <type> <sid>`.
    #[must_use]
    pub fn selector(self) -> u32 {
        match self {
            Self::Frontend => 1,
            Self::Backend => 2,
            Self::Server => 4,
            Self::Listener => 8,
        }
    }
}

/// Every proxy at one moment, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The proxies.
    pub proxies: Vec<ProxyView>,
}

/// One proxy: a frontend, a backend or both under one name.
#[derive(Clone, Debug, Default)]
pub struct ProxyView {
    /// Its name.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// Its rows: frontend, listeners, servers, backend.
    pub rows: Vec<ObjectView>,
}

/// One object of a proxy.
#[derive(Clone, Debug)]
pub struct ObjectView {
    /// What it is.
    pub kind: Kind,
    /// The name of its proxy.
    pub proxy: String,
    /// Its own name; `FRONTEND` and `BACKEND` for those.
    pub name: String,
    /// The number of its proxy.
    pub proxy_id: u32,
    /// Its own number; zero for frontends and backends.
    pub id: u32,
    /// Whether its proxy speaks HTTP.
    pub http: bool,
    /// The word of the `status` column.
    pub status: String,
    /// What was counted.
    pub folded: Folded,
    /// Sessions at this moment.
    pub current: u32,
    /// The limit on them; none: not limited (an empty column).
    pub limit: Option<u32>,
    /// Its address, where addresses are shown.
    pub address: Option<String>,
    /// Seconds since its state changed.
    pub last_change: Option<u32>,
    /// Seconds since its last session; none: there was none.
    pub last_session: Option<u32>,
    /// `rate-limit sessions` of a frontend.
    pub rate_limit: u32,
    /// What only backends and servers have.
    pub back: Option<BackView>,
    /// What only servers have.
    pub server: Option<ServerView>,
}

/// What backends and servers share.
#[derive(Clone, Debug, Default)]
pub struct BackView {
    /// Requests in line.
    pub queued: u32,
    /// Effective weight, or the sum over a backend.
    pub weight: u32,
    /// The operator's weight, or the sum.
    pub user_weight: u32,
    /// Active servers; of a server, whether it is one.
    pub active: u32,
    /// Backup servers; of a server, whether it is one.
    pub backup: u32,
    /// Seconds spent down, where checks could tell.
    pub downtime: Option<u32>,
    /// The cookie's name, or the server's value of it.
    pub cookie: Option<String>,
    /// Connections to the servers of a backend, idle ones among them.
    pub connections: u32,
    /// `balance` of a backend.
    pub algorithm: Option<String>,
    /// Servers of a backend in each state.
    pub census: Option<ServerCensus>,
}

/// How many servers of a backend are in which state.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerCensus {
    /// Serving.
    pub up: u32,
    /// Down.
    pub down: u32,
    /// In maintenance.
    pub maintenance: u32,
    /// Draining.
    pub draining: u32,
    /// Up but out of balancing.
    pub not_balanced: u32,
}

/// What servers have.
#[derive(Clone, Debug, Default)]
pub struct ServerView {
    /// `maxqueue`.
    pub queue_limit: Option<u32>,
    /// The percentage a slow start has reached, while it lasts.
    pub throttle: Option<u32>,
    /// The server this one tracks, as `proxy/server`.
    pub tracks: Option<String>,
    /// Connections that stand open idle: those of unsafe and of safe reuse.
    pub idle: (u32, u32),
    /// Connections in use.
    pub used: u32,
    /// How many connections are thought to be needed.
    pub needed: u32,
    /// `pool-max-conn`.
    pub idle_limit: Option<u32>,
    /// The health check; none: not checked.
    pub check: Option<CheckView>,
    /// The agent check.
    pub agent: Option<CheckView>,
    /// Whether it is to be checked, though checks may rest.
    pub checked: bool,
    /// Whether `observe` watches its traffic.
    pub observes: bool,
    /// Colour class on the statistics page.
    pub colour: Colour,
}

/// What a check found last.
#[derive(Clone, Debug, Default)]
pub struct CheckView {
    /// HAProxy's word: `L4OK`, `L7STS`, …; a leading `* ` while one is under way.
    pub status: String,
    /// What the word means.
    pub description: String,
    /// The code of the layer that answered.
    pub code: Option<u32>,
    /// Milliseconds it took.
    pub duration: Option<u64>,
    /// What the server said.
    pub last: Option<String>,
    /// `rise`.
    pub rise: u32,
    /// `fall`.
    pub fall: u32,
    /// Where it stands between zero and `rise + fall - 1`.
    pub health: u32,
}

/// State of a server as the page colours it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Up.
    #[default]
    Up,
    /// Up and about to go down.
    GoingDown,
    /// Down and about to come up.
    GoingUp,
    /// Down.
    Down,
    /// Draining or out of balancing.
    Draining,
    /// In maintenance.
    Maintenance,
    /// Not checked.
    Unchecked,
}

/// Which rows somebody asked for: `show stat <iid> <type> <sid>`; -1 is any.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// Number of the proxy.
    pub proxy: i64,
    /// Bits of kinds.
    pub kinds: i64,
    /// Number of the server or listener.
    pub object: i64,
    /// Leave out servers in maintenance (`no-maint`).
    pub no_maintenance: bool,
    /// Leave out servers that are down (`up`).
    pub up_only: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            proxy: -1,
            kinds: -1,
            object: -1,
            no_maintenance: false,
            up_only: false,
        }
    }
}

impl Selection {
    /// Whether a row belongs to what was asked for.
    #[must_use]
    pub fn takes(&self, row: &ObjectView) -> bool {
        let takes_id = |asked: i64, id: u32| asked == -1 || asked == i64::from(id);
        let takes_kind = self.kinds == -1 || self.kinds & i64::from(row.kind.selector()) != 0;
        let colour = row.server.as_ref().map(|server| server.colour);
        let hidden = (self.no_maintenance && colour == Some(Colour::Maintenance))
            || (self.up_only && matches!(colour, Some(Colour::Down | Colour::Maintenance)));
        takes_kind
            && !hidden
            && takes_id(self.proxy, row.proxy_id)
            && (self.object == -1 || takes_id(self.object, row.id))
    }
}

impl Snapshot {
    /// The same with names and addresses hidden.
    #[must_use]
    pub fn masked(mut self, mask: Mask) -> Self {
        if !mask.is_on() {
            return self;
        }
        let hide = |text: &mut String| *text = mask.name(text).into_owned();
        for row in self.proxies.iter_mut().flat_map(|proxy| &mut proxy.rows) {
            hide(&mut row.proxy);
            if matches!(row.kind, Kind::Server | Kind::Listener) {
                hide(&mut row.name);
            }
            if let Some(address) = &mut row.address {
                *address = mask.address(address).into_owned();
            }
            if let Some(cookie) = row.back.as_mut().and_then(|back| back.cookie.as_mut()) {
                hide(cookie);
            }
            if let Some(leader) = row.server.as_mut().and_then(|one| one.tracks.as_mut()) {
                hide(leader);
            }
        }
        self
    }

    /// Without what only operators are told: addresses, cookies, algorithms.
    #[must_use]
    pub fn without_legends(mut self) -> Self {
        for row in self.proxies.iter_mut().flat_map(|proxy| &mut proxy.rows) {
            row.address = None;
            if let Some(back) = &mut row.back {
                (back.cookie, back.algorithm) = (None, None);
            }
        }
        self
    }

    /// The rows that were asked for, in order.
    pub fn rows<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> impl Iterator<Item = &'a ObjectView> + 'a {
        self.proxies
            .iter()
            .flat_map(|proxy| &proxy.rows)
            .filter(|row| selection.takes(row))
    }
}
