//! What runs: the configuration as the engine reads it.
//!
//! A [`Site`] is made once by `config::resolve`, shared by all workers and never changes, except inside the few cells made for it: the
//! seats, slots and health of servers, and the `Live` values that the stats socket or the resolver replaces. Names have become
//! identities, durations are typed, defaults are filled in; what could be wrong has been refused. Nothing here reads a file,
//! and nothing decides anything about traffic.

mod arrivals;
mod backend;
mod carriage;
mod census;
mod faults;
mod former;
mod forwarded;
mod frontend;
mod global;
mod introduction;
mod keepalive;
mod lineup;
mod listener;
mod logging;
mod mail;
mod members;
mod names;
mod pace;
mod peers;
mod program;
mod relays;
mod remembered;
mod rules;
mod server;
mod squeeze;
mod stats_file;
mod stats_page;
pub mod tables;
mod transition;
mod views;
mod watch;
mod weigh;

pub use census::Survey;
pub use faults::{Captured, Faults};

pub use arrivals::{Admission, Needed};
pub use backend::{Backend, RetryOn, Reuse};
pub use carriage::Carriage;
pub use former::{Formers, Holding};
pub use forwarded::{Forwarded, Node, Told};
pub use frontend::{Frontend, Mode};
pub use global::{Blame, CloseSpread, CpuMap, Environment, Global, Tune};
pub use introduction::{Seems, SendProxy, Source, Telling, Tells};
pub use keepalive::KeepAlive;
pub use lineup::Lineup;
pub use listener::{Level, Listener, Service, SeverityOutput};
pub use logging::{LineFormat, Logging, Wording};
pub use mail::{Mail, Postbox};
pub use members::Members;
pub use pace::{Paced, Paces};
pub use peers::Peers;
pub use program::Program;
pub use relays::{LogForward, RingPost, RingServer};
pub use remembered::Remembered;
pub use rules::Rules;
pub use server::{Checking, Destination, Port, Server, TakesLines, Target};
pub use squeeze::Squeeze;
pub use stats_file::Named;
pub use stats_page::{PageOf, StatsPage, Visit};
pub use transition::{Aftermath, Change, Notice};
pub use watch::{Agent, Watch};
pub use weigh::WeightChange;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::dns::Resolver;
use crate::dns::run::roster::Watched;
use crate::dns::run::section::Section;
use crate::http::FieldName;
use crate::id::{BackendId, FrontendId, ListenerId, ServerId, TableId};
use crate::log::profile::Profile;
use crate::pattern::Library;
use crate::proto::h1::Manners;
use crate::roster::Roster;
use crate::sample::ProcessShelf;
use crate::stats::Tally;
use crate::stick::Table;
use crate::time::date::Zone;
use crate::time::{Millis, Tick};
use crate::tls;

/// All that runs.
#[derive(Debug, Default)]
pub struct Site {
    /// What holds for the process.
    pub global: Global,
    /// By [`FrontendId`].
    pub frontends: Vec<Frontend>,
    /// By [`BackendId`].
    pub backends: Vec<Backend>,
    /// By [`ServerId`].
    pub servers: Roster<Server>,
    /// By [`ListenerId`].
    pub listeners: Vec<Listener>,
    /// The pattern files and sets that rules and maps look into.
    pub library: Option<Arc<Library>>,
    /// What TLS was given in files.
    pub tls: Arc<tls::Store>,
    /// By [`TableId`].
    pub tables: Vec<Table>,
    /// `cache` sections.
    pub caches: Vec<Arc<crate::cache::Store>>,
    /// `ring` sections, and the rings of targets over streams.
    pub rings: Vec<RingPost>,
    /// `log-forward` sections.
    pub forwards: Vec<LogForward>,
    /// `log-profile` sections.
    pub log_profiles: Vec<Arc<Profile>>,
    /// `peers` sections.
    pub peers: Vec<Peers>,
    /// `userlist` sections.
    pub userlists: Vec<crate::users::List>,
    /// `resolvers` sections.
    pub resolvers: Vec<Arc<Section>>,
    /// The servers whose names they follow.
    pub watched: Vec<Watched>,
    /// The resolver thread, once it runs.
    pub resolver: OnceLock<Resolver>,
    /// GUIDs, in the order of the configuration.
    pub guids: Vec<(Arc<str>, Named)>,
    /// What `server … ssl` lines begin with.
    pub tls_defaults: tls::draft::GlobalDraft,
    /// What the whole process counted.
    pub tally: Tally,
    /// When it began to run.
    pub begun: Tick,
    /// How long its start took.
    pub boot_time: Millis,
    /// What was said at the start.
    pub startup_logs: String,
    /// The environment as the configuration left it, in the order of names.
    pub environment: Vec<(String, String)>,
    /// The host's name.
    pub hostname: String,
    /// The host's time zone.
    pub zone: Zone,
    /// `program` sections.
    pub programs: Vec<Program>,
    /// What state files say of servers.
    pub remembered: Vec<(ServerId, Remembered)>,
    /// Those from whom this process took over.
    pub formers: Formers,
    /// What `show sandbox` says.
    pub sandbox: String,
    /// Where the process itself logs: the `log` lines of `global`.
    pub journal: Logging,
    /// Where log lines leave the process.
    pub outlets: Option<Arc<crate::log::Outlets>>,
    /// Variables of the process.
    pub shelf: ProcessShelf,
    /// The last malformed messages.
    pub faults: Faults,
    /// Whom the stats sockets' connections count for.
    pub operators: Option<FrontendId>,
    /// `set maxconn global`; zero while the configured limit holds.
    pub maxconn_now: AtomicUsize,
    /// Whether the process accepts no more and leaves.
    pub stopping: AtomicBool,
    /// Its pipes.
    pub pipes: Arc<PipeCount>,
    /// How fast clients may come.
    pub paces: Paces,
    /// How much is compressed.
    pub squeeze: Squeeze,
}

impl Site {
    /// Opens the books: every object counts for so many workers. Called once, before traffic.
    pub fn open_books(&mut self) {
        self.begun = Tick::from_millis(crate::sys::clock::monotonic_ms());
        self.admit_operators();
        let begun = self.begun;
        let global = &self.global;
        for (pace, limit) in [
            (&self.paces.connections, global.max_conn_rate),
            (&self.paces.sessions, global.max_sess_rate),
            (&self.paces.tls, global.max_ssl_rate),
        ] {
            pace.set_limit(limit.unwrap_or(0));
        }
        self.squeeze
            .set_limit(global.max_comp_rate.unwrap_or(0).saturating_mul(1024));
        let workers = self.global.threads.max(1);
        self.frontends
            .iter_mut()
            .for_each(|frontend| frontend.tally = Tally::new(workers));
        self.backends.iter_mut().for_each(|backend| {
            backend.tally = Tally::new(workers);
            backend.record.begin(begun);
        });
        self.servers.iter_mut().for_each(|server| {
            server.tally = Tally::new(workers);
            server.health.begin(begun);
        });
        self.listeners
            .iter_mut()
            .for_each(|listener| listener.tally = Tally::new(workers));
        self.tally = Tally::new(workers);
    }

    /// Whether any proxy wants splicing, and it is not forbidden.
    pub fn splices(&self) -> bool {
        let wanted = |options: &Options| options.splice != Splice::default();
        !self.global.no_splice
            && (self.frontends.iter().any(|proxy| wanted(&proxy.options))
                || self.backends.iter().any(|proxy| wanted(&proxy.options)))
    }

    /// Adds the frontend that the stats sockets' connections count for; statistics do not show it.
    fn admit_operators(&mut self) {
        if !self
            .listeners
            .iter()
            .any(|listener| listener.service == Service::Stats)
        {
            return;
        }
        let client = Some(self.global.stats_timeout.unwrap_or(OPERATOR_TIMEOUT));
        let timeouts = Timeouts {
            client,
            ..Timeouts::default()
        };
        self.operators = Some(FrontendId::at(self.frontends.len()));
        let name = Arc::from("GLOBAL");
        self.frontends.push(Frontend {
            name,
            timeouts,
            hidden: true,
            dont_log_null: true,
            ..Frontend::default()
        });
    }

    /// How many clients the process takes at this moment; zero for any number.
    pub fn maxconn(&self) -> usize {
        match self.maxconn_now.load(Relaxed) {
            0 => self.global.maxconn,
            ordered => ordered,
        }
    }

    /// Settles at which load backends are full, in a process that takes so many connections.
    pub fn settle_full_loads(&mut self, maxconn: usize) {
        let maxconn = u32::try_from(maxconn).unwrap_or(u32::MAX);
        for backend in &mut self.backends {
            backend.fullconn = backend.full_load.within(maxconn);
            for id in backend.servers.iter() {
                self.servers[id.index()].ceiling.full = backend.fullconn;
            }
        }
    }

    /// How HTTP/1 peers on one side of a proxy with these options are treated.
    pub fn manners(&self, options: &Options) -> Manners {
        let spelling = &self.global.spelling;
        let wanted = options.adjust_case && !spelling.is_empty();
        Manners {
            relaxed: options.accept_invalid_http,
            forgiven: self.global.forgiven,
            spelling: wanted.then(|| Arc::clone(spelling)),
        }
    }

    /// The frontend that clients of this listener belong to.
    pub fn frontend_of(&self, listener: ListenerId) -> Option<FrontendId> {
        match self.listener(listener).service {
            Service::Frontend(frontend) => Some(frontend),
            Service::Stats => self.operators,
            Service::Peers(_) | Service::LogForward(_) => None,
        }
    }

    /// The frontend with this identity.
    #[inline]
    pub fn frontend(&self, id: FrontendId) -> &Frontend {
        &self.frontends[id.index()]
    }

    /// The backend with this identity.
    #[inline]
    pub fn backend(&self, id: BackendId) -> &Backend {
        &self.backends[id.index()]
    }

    /// The server with this identity.
    #[inline]
    pub fn server(&self, id: ServerId) -> &Server {
        &self.servers[id.index()]
    }

    /// The listener with this identity.
    #[inline]
    pub fn listener(&self, id: ListenerId) -> &Listener {
        &self.listeners[id.index()]
    }

    /// The table with this identity.
    #[inline]
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.index()]
    }

    /// The table of this name: that of the proxy which declares it.
    pub fn table_named(&self, name: &str) -> Option<TableId> {
        self.tables
            .iter()
            .position(|table| **table.name() == *name)
            .map(TableId::at)
    }

    /// The cache of this name.
    pub fn cache_named(&self, name: &str) -> Option<&Arc<crate::cache::Store>> {
        self.caches.iter().find(|cache| &**cache.name() == name)
    }

    /// The log profile of this name.
    pub fn log_profile(&self, name: &str) -> Option<&Arc<Profile>> {
        self.log_profiles.iter().find(|known| &*known.name == name)
    }

    /// The user list of this name.
    pub fn userlist(&self, name: &str) -> Option<&crate::users::List> {
        self.userlists.iter().find(|list| list.name() == name)
    }

    /// The servers of a backend, as balancing looks at them.
    pub fn lineup(&self, id: BackendId) -> Lineup<'_> {
        let backend = self.backend(id);
        Lineup {
            servers: &self.servers,
            ids: &backend.servers,
            load: backend.load(),
        }
    }

    /// A statistics page.
    pub fn stats_page(&self, of: PageOf) -> Option<&StatsPage> {
        match of {
            PageOf::Frontend(id) => self.frontend(id).stats_page.as_ref(),
            PageOf::Backend(id) => self.backend(id).stats_page.as_ref(),
        }
    }

    /// The backend of this name.
    pub fn backend_named(&self, name: &str) -> Option<BackendId> {
        self.backends
            .iter()
            .position(|backend| &*backend.name == name)
            .map(BackendId::at)
    }
}

/// How long an operator may be silent unless `stats timeout` says otherwise.
const OPERATOR_TIMEOUT: Millis = Millis::seconds(10);

/// The timeouts of a proxy (manual: `timeout …`); absent means none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    /// `timeout client`: inactivity on the client's side.
    pub client: Option<Millis>,
    /// `timeout client-fin`: the same after one side has shut down.
    pub client_fin: Option<Millis>,
    /// `timeout client-hs`: for the headers and handshakes before the first byte.
    pub client_handshake: Option<Millis>,
    /// `timeout http-request`: for a complete request head.
    pub http_request: Option<Millis>,
    /// `timeout http-keep-alive`: for the next request to begin.
    pub http_keep_alive: Option<Millis>,
    /// `timeout connect`: to a server.
    pub connect: Option<Millis>,
    /// `timeout server`: inactivity on the server's side.
    pub server: Option<Millis>,
    /// `timeout server-fin`: the same after one side has shut down.
    pub server_fin: Option<Millis>,
    /// `timeout queue`: in the line before a server.
    pub queue: Option<Millis>,
    /// `timeout tunnel`: inactivity of both sides once they talk without framing.
    pub tunnel: Option<Millis>,
    /// `timeout tarpit`: how long a tarpitted client is held.
    pub tarpit: Option<Millis>,
    /// `timeout check`: for a health check's answer.
    pub check: Option<Millis>,
}

/// What happens to the connections of an HTTP proxy between messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpConnections {
    /// `option http-keep-alive`: both sides stay open.
    #[default]
    KeepAlive,
    /// `option http-server-close`: the client's side stays open, the server's is closed after each response.
    ServerClose,
    /// `option httpclose`: both are closed.
    Close,
}

/// `option forwardfor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardFor {
    /// The header's name.
    pub header: FieldName,
    /// Networks whose clients are not named.
    pub except: Vec<crate::addr::Network>,
    /// Only where the header is not there yet.
    pub if_none: bool,
}

/// `option http-restrict-req-hdr-names`: what becomes of request fields whose names hold other characters than letters,
/// digits and hyphens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldNames {
    /// They pass.
    #[default]
    Any,
    /// They are removed.
    Delete,
    /// The request is refused.
    Reject,
}

/// Options that a frontend and a backend both have.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `option http-keep-alive`, `http-server-close`, `httpclose`.
    pub http_connections: HttpConnections,
    /// `option forwardfor`.
    pub forward_for: Option<ForwardFor>,
    /// `option originalto`.
    pub original_to: Option<ForwardFor>,
    /// `option independent-streams`: what is sent to a side does not count as a sign of life of it.
    pub independent: bool,
    /// `option http-restrict-req-hdr-names`.
    pub field_names: FieldNames,
    /// `option http-drop-request-trailers` of a backend, `option http-drop-response-trailers` of a frontend.
    pub drop_trailers: bool,
    /// `option h1-case-adjust-bogus-server` of a backend, `option h1-case-adjust-bogus-client` of a frontend.
    pub adjust_case: bool,
    /// `option http-buffer-request`.
    pub buffer_request: bool,
    /// `option abortonclose`.
    pub abort_on_close: bool,
    /// `option splice-auto`, `splice-request`, `splice-response`.
    pub splice: Splice,
    /// `option clitcpka` / `option srvtcpka` / `option tcpka`.
    pub tcp_keep_alive: KeepAlive,
    /// `option nolinger`.
    pub no_linger: bool,
    /// `option accept-invalid-http-request` / `-response`.
    pub accept_invalid_http: bool,
}

/// The pipes of a process that splices.
#[derive(Debug, Default)]
pub struct PipeCount {
    /// Pairs of descriptors that exist.
    pub open: AtomicUsize,
    /// Those that carry something.
    pub used: AtomicUsize,
}

/// Which directions may be spliced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Splice {
    /// `option splice-request`.
    pub request: bool,
    /// `option splice-response`.
    pub response: bool,
    /// `option splice-auto`.
    pub auto: bool,
}
