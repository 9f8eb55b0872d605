//! What commands need of the process: the face that the worker room implements.
//!
//! Reading yields plain values made for the moment; changing is an [`Order`], carried out or
//! refused with a sentence. Nothing here waits: what workers do is read from the figures they write.

use std::net::IpAddr;
use std::sync::Arc;

use super::command::Mode;
use super::figures::{Column, Pools};
use crate::codec::mask::Mask;
use crate::dns::run::{NameserverFigures, Story};
use crate::id::{BackendId, FrontendId, ServerId};
use crate::log::Ring;
use crate::pattern::Library;
use crate::sample::Vars;
use crate::site::Needed;
pub use crate::site::WeightChange;
use crate::stats::{InfoView, Snapshot};
use crate::stick::Table;
use crate::stream::{Inquiry, Roundup};
use crate::time::{Millis, Tick};
use crate::tls;

/// The process as commands see it.
pub trait Operator {
    /// The moment.
    fn now(&self) -> Tick;
    /// How long the process has run.
    fn uptime(&self) -> Millis;
    /// The version that `show version` says.
    fn version(&self) -> &str;
    /// The figures of the process.
    fn info(&mut self) -> InfoView;
    /// The figures of proxies and servers.
    fn snapshot(&mut self) -> Snapshot;
    /// The counters of everything that has a GUID, for `stats-file`.
    fn stats_file(&self) -> String;
    /// Pattern sets and maps.
    fn patterns(&self) -> Arc<Library>;
    /// What TLS was given in files.
    fn tls(&self) -> Arc<tls::Store>;
    /// Stick tables, in the order of the configuration.
    fn tables(&self) -> &[Table];
    /// Rings.
    fn rings(&self) -> Vec<Arc<Ring>>;
    /// Variables of the process.
    fn variables(&self) -> &dyn Vars;
    /// The environment, in order.
    fn environment(&self) -> Vec<(String, String)>;
    /// What was said at the start.
    fn startup_logs(&self) -> String;
    /// What keeps former processes from leaving.
    fn drains(&self) -> String;
    /// What the process has forbidden itself.
    fn sandbox(&self) -> String;
    /// The sockets on which commands are taken.
    fn sockets(&self) -> Vec<SocketRow>;

    /// The backend of this name.
    fn backend(&self, name: &str) -> Option<BackendId>;
    /// The frontend of this name.
    fn frontend(&self, name: &str) -> Option<FrontendId>;
    /// The server of this name in a backend.
    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId>;
    /// The number of the proxy of this name or number.
    fn proxy(&self, word: &str) -> Option<u32>;
    /// The backends' names, in order.
    fn backend_names(&self) -> Vec<String>;
    /// The servers of a backend, or of all.
    fn servers(&self, backend: Option<BackendId>) -> Vec<ServerRow>;
    /// A server's weight in force and the configured one.
    fn weights(&self, server: ServerId) -> (u32, u32);

    /// Asks the workers for their streams, one line each or all about them.
    fn streams(&mut self, asked: Inquiry) -> Arc<Roundup>;
    /// Whether a server can be taken away.
    ///
    /// # Errors
    /// Why not.
    fn is_removable(&self, server: ServerId) -> Result<(), Needed>;
    /// The last messages that could not be read, with the line that counts them; of the proxy of
    /// this number, requests or responses alone.
    fn errors(&mut self, proxy: Option<u32>, response: Option<bool>) -> String;
    /// Figures of the workers, one line each: `name: total [ of each ]`.
    fn activity(&self, column: Column) -> String;
    /// Memory in pools.
    fn pools(&self, asked: &Pools) -> String;
    /// What each worker is at.
    fn threads(&self) -> String;
    /// What waits to be run.
    fn tasks(&self) -> String;
    /// The resolvers' figures; of one section or of all.
    fn resolvers(&mut self, section: Option<&str>) -> Result<String, String>;
    /// The nameservers.
    fn nameservers(&self) -> Vec<NameserverFigures>;
    /// Has a name looked up as the host does; the steps in words come when it has ended.
    ///
    /// # Errors
    /// Nobody can look it up.
    fn explain(&mut self, name: &str) -> Result<Story, String>;

    /// The `peers` sections and how far their members are; of one section where the name is not empty, none where there is no such.
    fn peers(&self, section: &str) -> Option<String>;
    /// The caches and what they hold, a text for each.
    fn caches(&self) -> Vec<String>;

    /// `anonkey`, or what operators made of it; zero for none.
    fn anon_key(&self) -> u32;
    /// A number that nobody foresees.
    fn random(&mut self) -> u32;
    /// Notes that a command was used that this mode had to be switched on for.
    fn note_use(&mut self, mode: Mode);
    /// Carries out an order.
    ///
    /// # Errors
    /// The sentence to answer.
    fn carry_out(&mut self, order: &Order<'_>) -> Result<Option<String>, String>;
}

/// A socket on which commands are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketRow {
    /// Its address as written.
    pub address: String,
    /// `user`, `operator` or `admin`.
    pub level: &'static str,
}

/// A server, as `show servers state` and `show servers conn` show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerRow {
    /// The backend's number and name.
    pub backend: (u32, String),
    /// The server's number and name.
    pub server: (u32, String),
    /// Its address without port; `-` for none.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// 0 stopped, 1 starting, 2 running, 3 stopping.
    pub operational: u32,
    /// HAProxy's bits of what the operator and the configuration forced.
    pub administrative: u32,
    /// The weight in force and the configured one.
    pub weights: (u32, u32),
    /// Seconds since the last change of state.
    pub since_change: u32,
    /// HAProxy's numbers of the check: status, result, health, state.
    pub check: [u32; 4],
    /// HAProxy's bits of the agent check's state.
    pub agent_state: u32,
    /// The name it was given, if it was not an address.
    pub fqdn: Option<String>,
    /// The SRV record it follows.
    pub record: Option<String>,
    /// Whether it is spoken to in TLS: 1 or 0, -1 after `no-ssl`.
    pub tls: i32,
    /// Whether its number was written.
    pub forced: bool,
    /// Whether that of its backend was.
    pub backend_forced: bool,
    /// How often idle connections are thinned out.
    pub purge_delay: Millis,
    /// The port and address of its checks, where they differ.
    pub check_target: (u16, Option<String>),
    /// The port and address of its agent, where they differ.
    pub agent_target: (u16, Option<String>),
    /// Connections: in use, the most in use, idle, unsafe idle; the limit of idle ones (-1: none).
    pub connections: [i64; 5],
    /// Idle connections of each worker.
    pub idle: Vec<u32>,
}

impl ServerRow {
    /// The same with its names and addresses hidden.
    pub(super) fn masked(mut self, mask: Mask) -> Self {
        if !mask.is_on() {
            return self;
        }
        for name in [&mut self.backend.1, &mut self.server.1] {
            *name = mask.name(name).into_owned();
        }
        self.address = mask.address(&self.address).into_owned();
        for name in [&mut self.fqdn, &mut self.record].into_iter().flatten() {
            *name = mask.name(name).into_owned();
        }
        for target in [&mut self.check_target.1, &mut self.agent_target.1]
            .into_iter()
            .flatten()
        {
            *target = mask.address(target).into_owned();
        }
        self
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Order<'a> {
    /// Something with a server.
    Server(ServerId, ServerChange<'a>),
    /// Something with a frontend.
    Frontend(FrontendId, FrontendChange),
    /// `set maxconn global`; 0 means the configured one.
    MaxConn(u32),
    /// `set rate-limit`.
    Rate(RateLimit, u32),
    /// `clear counters`; all, or the maxima only.
    ClearCounters {
        /// Everything.
        all: bool,
    },
    /// `shutdown session`.
    KillStream(u64),
    /// `shutdown sessions server`.
    KillStreams(ServerId),
    /// `set dynamic-cookie-key backend`.
    CookieKey(BackendId, &'a str),
    /// `enable` and `disable dynamic-cookie backend`.
    DynamicCookies(BackendId, bool),
    /// `publish` and `unpublish backend`.
    Publish(BackendId, bool),
    /// `add server`: the backend, the name, the words that follow.
    AddServer(BackendId, &'a str, &'a [&'a str]),
    /// `del server`.
    DeleteServer(ServerId),
    /// `set anon global-key`
    AnonKey(u32),
    /// `debug dev log`: a line for the process's log.
    Log(&'a str),
}

/// What is to be done with a server.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerChange<'a> {
    /// `state`
    State(AdminState),
    /// `enable server`, `disable server`.
    Enable(bool),
    /// `weight`
    Weight(WeightChange),
    /// `addr <ip> [port <port>]`
    Address(IpAddr, Option<u16>),
    /// `health`
    Health(HealthState),
    /// `agent`: what the agent would say.
    Agent(bool),
    /// `enable health`, `disable health`.
    Checks(bool),
    /// `enable agent`, `disable agent`.
    AgentChecks(bool),
    /// `check-port`
    CheckPort(u16),
    /// `check-addr <ip> [port <port>]`
    CheckAddress(IpAddr, Option<u16>),
    /// `agent-addr <ip> [port <port>]`
    AgentAddress(IpAddr, Option<u16>),
    /// `agent-port`
    AgentPort(u16),
    /// `agent-send`
    AgentSend(&'a str),
    /// `fqdn`
    Name(&'a str),
    /// `ssl`
    Tls(bool),
    /// `set maxconn server`
    MaxConn(u32),
}

/// What an operator wants of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminState {
    /// Takes traffic if it is healthy.
    Ready,
    /// Takes no new traffic.
    Drain,
    /// Takes no traffic and is not checked.
    Maintenance,
}

/// What an operator says about a server's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// It is up.
    Up,
    /// It takes no new traffic.
    Stopping,
    /// It is down.
    Down,
}

/// What is to be done with a frontend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontendChange {
    /// Listens again.
    Enable,
    /// Stops listening for a while.
    Disable,
    /// Stops listening for good.
    Shutdown,
    /// A new limit on connections.
    MaxConn(u32),
}

/// A limit on a rate of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// Connections a second.
    Connections,
    /// Sessions a second.
    Sessions,
    /// TLS sessions a second.
    TlsSessions,
    /// Compressed bytes a second.
    Compression,
}

/// How long the answer to a command may be waited for, unless `set timeout cli` says otherwise.
pub(super) const TIMEOUT_DEFAULT: Millis = Millis::seconds(10);
