//! `bind` lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::Carriage;
use crate::addr::SockAddr;
use crate::id::FrontendId;
use crate::stats::Tally;
use crate::time::Millis;
use crate::tls::Acceptor;

/// Who answers on a listening address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The clients of a frontend.
    Frontend(FrontendId),
    /// Operators: a `stats socket`.
    Stats,
    /// The members of a `peers` section, by its place.
    Peers(usize),
    /// The senders of a `log-forward` section, by its place.
    LogForward(usize),
}

/// One listening address.
#[derive(Debug)]
pub struct Listener {
    /// `name`, or `sock-N`.
    pub name: Arc<str>,
    /// How log lines call it where that is not its name.
    pub label: Option<Arc<str>>,
    /// `id`, or one given in order.
    pub uuid: u32,
    /// What it listens for.
    pub service: Service,
    /// Where.
    pub endpoint: SockAddr,
    /// `fd@`: an inherited descriptor, which is asked for its address.
    pub fd: Option<i32>,
    /// `maxconn`; zero means none of its own.
    pub maxconn: usize,
    /// `backlog`, or what follows from the limits.
    pub backlog: u32,
    /// `accept-proxy`.
    pub accept_proxy: bool,
    /// `accept-netscaler-cip`: the magic number.
    pub accept_netscaler_cip: Option<u32>,
    /// `v4v6`, `v6only`.
    pub v6only: Option<bool>,
    /// `transparent`.
    pub transparent: bool,
    /// `tfo`.
    pub fast_open: bool,
    /// `defer-accept`.
    pub defer_accept: bool,
    /// `interface`.
    pub interface: Option<Box<str>>,
    /// `mss`.
    pub mss: Option<u16>,
    /// `tcp-ut`.
    pub tcp_user_timeout: Option<Millis>,
    /// How much of each connection's first packet the kernel keeps, as it counts that: `tcp-ss`.
    pub save_syn: u8,
    /// How the kernel carries its connections: `cc`, `tcp-md5sig`, `namespace`.
    pub carriage: Carriage,
    /// `shards`: how many sockets share the address.
    pub shards: usize,
    /// Owner of a unix socket.
    pub uid: Option<u32>,
    /// Group of a unix socket.
    pub gid: Option<u32>,
    /// `mode` of a unix socket.
    pub mode: Option<u32>,
    /// `level` of a stats socket.
    pub level: Level,
    /// `severity-output` of a stats socket.
    pub severity: SeverityOutput,
    /// `expose-fd listeners` of a stats socket.
    pub expose_fd: bool,
    /// `ssl`: what clients are offered.
    pub tls: Option<Arc<Acceptor>>,
    /// What was counted.
    pub tally: Tally,
    /// Connections at this moment.
    pub connections: AtomicUsize,
    /// Whether its own limit keeps it from accepting.
    pub full: AtomicBool,
    /// Whether it was stopped at run time.
    pub closed: AtomicBool,
}

/// How serious the answers of commands are, as shown before them: `severity-output`, `set severity-output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeverityOutput {
    /// Not at all.
    #[default]
    None,
    /// `[3]: ` before them.
    Number,
    /// `[err]: ` before them.
    Word,
}

/// What a stats socket's user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Look at what is not sensitive.
    User,
    /// Look, and change what does no harm.
    #[default]
    Operator,
    /// Everything.
    Admin,
}

impl Listener {
    /// A listener of `service` at `endpoint` with every setting at its default.
    pub fn new(service: Service, endpoint: SockAddr) -> Self {
        Self {
            name: Arc::from(""),
            label: None,
            uuid: 0,
            service,
            endpoint,
            fd: None,
            maxconn: 0,
            backlog: 0,
            accept_proxy: false,
            accept_netscaler_cip: None,
            v6only: None,
            transparent: false,
            fast_open: false,
            defer_accept: false,
            interface: None,
            mss: None,
            tcp_user_timeout: None,
            save_syn: 0,
            carriage: Carriage::default(),
            shards: 1,
            uid: None,
            gid: None,
            mode: None,
            level: Level::default(),
            severity: SeverityOutput::None,
            expose_fd: false,
            tls: None,
            tally: Tally::default(),
            connections: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }
}
