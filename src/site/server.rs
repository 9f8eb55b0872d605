//! `server` lines: a composition of the seats that other rooms need a server to have.

use std::borrow::Cow;
use std::mem::offset_of;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

use super::{Carriage, SendProxy, Source, Telling, Tells, Watch};
use crate::addr::SockAddr;
use crate::balance::persist::{Computed, dynamic_value};
use crate::balance::{Seat, Weight};
use crate::check::{Health, Pace, Script, Thresholds};
use crate::id::BackendId;
use crate::live::Live;
use crate::queue::{Ceiling, Limit, Line, Places, Slots};
use crate::sample::{Expr, ServerFacts};
use crate::stats::Tally;
use crate::sys::ahead;
use crate::time::{Millis, Tick};
use crate::tls::Connector;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An address, with the port rule beside it.
    At(SockAddr),
    /// A name that has no address yet.
    Unresolved,
}

impl Destination {
    fn is_anywhere(&self) -> bool {
        match self {
            Self::At(address) => address.ip().is_some_and(|ip| ip.is_unspecified()),
            Self::Unresolved => false,
        }
    }
}

/// Which port a server is reached at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one.
    Fixed(u16),
    /// The client's destination port plus this.
    Mapped(i32),
}

/// How a server takes log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakesLines {
    /// As datagrams; else over a connection.
    pub datagrams: bool,
    /// `log-bufsize`: bytes of lines that wait for the connection at most.
    pub buffer: Option<usize>,
    /// `log-proto octet-count`: each line with its length before it.
    pub counted: bool,
}

/// One server of a backend. Its fields are in the order in which they are needed: where there are many servers a request finds
/// none of this in the processor's caches, and fetches what it looks at a line at a time.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Server {
    // What every request looks at.
    /// What balancing knows of it: weight, load, whether it may be chosen.
    pub seat: Seat,
    /// Requests in service.
    pub slots: Slots,
    /// The most requests in service at once of late: so many connections are worth keeping.
    pub need: AtomicU32,
    /// `maxconn` as an operator or an agent changed it, plus one; zero while the configured one holds.
    pub limit_ordered: AtomicU32,
    /// How far its slow start has come, in percent; 100 outside of one.
    pub warmth: AtomicU32,
    /// `maxconn` and `minconn`.
    pub ceiling: Ceiling,
    /// The backend it belongs to.
    pub backend: BackendId,
    /// Where it is at this moment.
    pub destination: Live<Destination>,
    /// Whether its address is all zeros: then the one that the client asked for takes its place.
    pub is_anywhere: AtomicBool,
    /// Idle connections over all workers.
    pub idle: AtomicUsize,
    /// Which workers have some of them, a bit each.
    pub holders: AtomicU64,
    /// `pool-max-conn`; `None` means no limit.
    pub pool_max_conn: Option<usize>,
    /// `strict-maxconn`: the connections to it, which `maxconn` bounds.
    pub places: Option<Places>,
    /// `max-reuse`; `None` means no limit.
    pub max_reuse: Option<u32>,
    /// What was counted.
    pub tally: Tally,
    /// The port rule.
    pub port: Port,
    /// Requests that wait for this server alone.
    pub line: Line,
    /// `redir`.
    pub redirect_prefix: Option<Box<[u8]>>,
    /// `sni`: the name it is asked for.
    pub sni: Option<Box<Expr>>,
    /// `pool-conn-name`: what requests must have in common to share its connections.
    pub pool_name: Option<Box<Expr>>,
    /// Stands for `dispatch` or `option transparent`: nobody balances to it, logs do not name it.
    pub is_outlet: bool,
    /// `send-proxy`, `send-proxy-v2`.
    pub send_proxy: SendProxy,
    /// What else tells its health.
    pub watch: Watch,
    /// `source`, of the line or of its backend.
    pub source: Source,
    // What some look at, and operators.
    /// Its name, unique in the backend.
    pub name: Arc<str>,
    /// `id`, or one given in order.
    pub uuid: u32,
    /// The name to resolve: the address as written, if it is one, or what operators made of it.
    pub host: Live<Option<Arc<str>>>,
    /// `weight`, as configured.
    pub first_weight: Weight,
    /// `maxqueue`.
    pub line_max: Limit,
    /// `disabled`.
    pub disabled: bool,
    /// `cookie`.
    pub cookie: Option<Box<[u8]>>,
    /// `proxy-v2-options`.
    pub tells: Tells,
    /// `set-proxy-v2-tlv-fmt`.
    pub tellings: Vec<Telling>,
    /// How it takes log lines; of servers of log backends.
    pub takes_lines: Option<TakesLines>,
    /// `socks4`: the proxy it is reached through.
    pub socks4: Option<SocketAddr>,
    /// `pool-low-conn`: up to how many idle connections stay with the workers that have them.
    pub pool_low_conn: usize,
    /// `pool-purge-delay`.
    pub pool_purge_delay: Millis,
    /// `slowstart`.
    pub slow_start: Millis,
    /// `cc`, `tcp-md5sig`, `namespace`; of few.
    pub carriage: Option<Arc<Carriage>>,
    /// `tcp-ut`.
    pub tcp_user_timeout: Option<Millis>,
    /// `tfo`.
    pub fast_open: bool,
    /// `non-stick`
    pub non_stick: bool,
    /// How it is reached in TLS, where `ssl` was ever written for it.
    pub tls: Option<Arc<Connector>>,
    /// How checks reach it, where some of them speak TLS.
    pub check_tls: Option<Arc<Connector>>,
    /// What expressions see of it.
    pub facts: ServerFacts,
    /// What checks and operators make of it.
    pub health: Health,
    /// How it is checked; absent without `check`.
    pub checking: Option<Checking>,
    /// Whether its traffic is encrypted: 1 or 0, -1 after `no-ssl`.
    pub encrypts: AtomicI8,
    /// Whether its number was written.
    pub uuid_forced: bool,
    /// Whether operators added it.
    pub added: bool,
    /// Whether something else in the configuration names it, so that it has to stay.
    pub is_named: AtomicBool,
    /// Whether operators took it away.
    pub gone: AtomicBool,
}

/// Where checks go, as far as it is not where traffic goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub ip: Option<IpAddr>,
    /// The port.
    pub port: Option<u16>,
}

/// How a server is checked.
#[derive(Debug)]
pub struct Checking {
    /// What is asked.
    pub script: Arc<Script>,
    /// How often.
    pub pace: Pace,
    /// `addr` and `port` of the check.
    pub target: Live<Target>,
    /// `timeout check`: for the answer once connected; absent where `inter` bounds the whole check.
    pub timeout: Option<Millis>,
}

impl Server {
    /// The value of the persistence cookie that stands for it: the one that was written, else one computed from where it is.
    #[must_use]
    pub fn cookie_value(&self, computed: &Computed) -> Option<Cow<'_, [u8]>> {
        if let Some(written) = &self.cookie {
            return Some(Cow::Borrowed(written));
        }
        let secret = computed.secret()?;
        let address = self.endpoint()?;
        let value = match address.ip() {
            IpAddr::V4(ip) => dynamic_value(secret, &ip.octets(), address.port()),
            IpAddr::V6(ip) => dynamic_value(secret, &ip.octets(), address.port()),
        };
        Some(Cow::Owned(value.into_bytes()))
    }

    /// A server at `destination` with every setting at its default.
    pub fn new(name: Arc<str>, backend: BackendId, destination: Destination, port: Port) -> Self {
        Self {
            name,
            uuid: 0,
            backend,
            host: Live::new(None),
            is_anywhere: AtomicBool::new(destination.is_anywhere()),
            destination: Live::new(destination),
            port,
            seat: Seat::new(1, Weight::ONE, false),
            first_weight: Weight::ONE,
            slots: Slots::new(),
            ceiling: Ceiling::new(0, 0, 0),
            line: Line::new(),
            line_max: Limit::None,
            disabled: false,
            watch: Watch::default(),
            cookie: None,
            redirect_prefix: None,
            send_proxy: SendProxy::No,
            tells: Tells::default(),
            tellings: Vec::new(),
            source: Source::default(),
            pool_name: None,
            is_outlet: false,
            takes_lines: None,
            socks4: None,
            pool_max_conn: None,
            pool_low_conn: 0,
            pool_purge_delay: Millis::seconds(5),
            places: None,
            max_reuse: None,
            slow_start: Millis::ZERO,
            carriage: None,
            tcp_user_timeout: None,
            fast_open: false,
            non_stick: false,
            tls: None,
            check_tls: None,
            sni: None,
            facts: ServerFacts::default(),
            health: Health::new(Thresholds::default(), false, Tick::default()),
            checking: None,
            tally: Tally::default(),
            need: AtomicU32::new(0),
            idle: AtomicUsize::new(0),
            holders: AtomicU64::new(0),
            warmth: AtomicU32::new(WARM),
            limit_ordered: AtomicU32::new(0),
            encrypts: AtomicI8::new(0),
            uuid_forced: false,
            added: false,
            is_named: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        }
    }
}

/// The warmth of a server that is in no slow start.
pub(super) const WARM: u32 = 100;

impl Server {
    /// Whether its traffic is encrypted at this moment.
    pub fn speaks_tls(&self) -> bool {
        self.tls.is_some() && self.encrypts.load(Relaxed) == 1
    }

    /// Has the processor fetch what every request looks at.
    pub fn fetch_ahead(&self) {
        ahead::fetch_front(self, offset_of!(Self, name));
    }

    /// Its address and port as they are known: those of a server on the network that is found.
    pub fn endpoint(&self) -> Option<SocketAddr> {
        match &*self.destination.load() {
            Destination::At(SockAddr::Inet(address)) => Some(*address),
            Destination::At(SockAddr::Unix(_) | SockAddr::Abstract(_))
            | Destination::Unresolved => None,
        }
    }

    /// Gives it another place, on the ring of keys too, where that follows its address; balancing has to settle afterwards.
    pub fn move_to(&self, place: Destination) {
        self.is_anywhere.store(place.is_anywhere(), Relaxed);
        self.destination.publish(place);
        self.seat.place(self.endpoint());
    }

    /// Whether clients have a say in where their requests go.
    pub fn follows_client(&self) -> bool {
        self.is_anywhere.load(Relaxed) || matches!(self.port, Port::Mapped(_))
    }

    /// A number that changes when the way to it does, its address or what its TLS is made of: connections of another number
    /// are not for new requests.
    pub fn way_version(&self) -> u64 {
        let secured = self.tls.as_ref().map_or(0, |connector| connector.version());
        self.destination.version() + secured
    }

    /// How its traffic is encrypted, if it is.
    pub fn connector(&self) -> Option<&Arc<Connector>> {
        self.tls.as_ref().filter(|_| self.speaks_tls())
    }

    /// Changes `maxconn`; zero means no limit.
    pub fn set_limit(&self, maxconn: u32) {
        self.limit_ordered.store(maxconn.saturating_add(1), Relaxed);
    }

    /// How many requests, and with `strict-maxconn` connections, it may have at most.
    pub fn limit_max(&self) -> Limit {
        match self.limit_ordered.load(Relaxed) {
            0 => self.ceiling.max,
            ordered => Limit::from_config(ordered - 1),
        }
    }

    /// How many requests it may have in service while its backend has `backend_load`.
    pub fn limit(&self, backend_load: u32) -> Limit {
        let ceiling = Ceiling {
            max: self.limit_max(),
            ..self.ceiling
        };
        ceiling.at(backend_load, self.warmth.load(Relaxed))
    }
}
