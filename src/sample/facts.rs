//! The facts: everything an expression may look at, lent by whoever evaluates it.
//!
//! The engine fills a [`Facts`] from the connection, the messages and the site just before it asks;
//! a test writes one down. Expressions never see a stream or a socket, so an expression cannot
//! depend on anything that is not named here.
//!
//! Every part may be missing: at the place where the expression stands it may not exist yet. A
//! fetch whose fact is missing yields nothing; a fetch whose fact is still arriving says so unless
//! [`Facts::last_call`] is set. Nothing here blocks, and only the traits marked as writing
//! ([`Vars`], [`Counters`], [`Captures`]) change anything.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::http::Head;
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::time::Tick;
use crate::value::Value;

use super::census::{Census, NoCensus};
use super::vars::{NoVars, Vars};

/// Everything one evaluation may look at.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The moment of evaluation.
    pub now: Tick,
    /// The same moment on the wall clock.
    pub date: Wall,
    /// Nothing more will arrive at this place: what is missing stays missing. Set when the
    /// inspection delay is over, the message is complete, or the place cannot wait.
    pub last_call: bool,
    /// The client's connection.
    pub client: Option<&'a ClientFacts<'a>>,
    /// The client's address as the rules see it: `set-src` may have changed it.
    pub src: Option<SocketAddr>,
    /// The address the client reached, as the rules see it: `set-dst` may have changed it.
    pub dst: Option<SocketAddr>,
    /// The frontend.
    pub frontend: Option<&'a FrontendFacts>,
    /// The backend, once one was chosen.
    pub backend: Option<&'a BackendFacts>,
    /// The server, once one was chosen.
    pub server: Option<&'a ServerFacts>,
    /// The connection to the server, once there is one.
    pub upstream: Option<&'a UpstreamFacts>,
    /// The request's head, edited as far as the rules came.
    pub request: Option<&'a Head>,
    /// The request's body as far as it is buffered.
    pub request_body: BodyView<'a>,
    /// The response's head.
    pub response: Option<&'a Head>,
    /// The response's body as far as it is buffered.
    pub response_body: BodyView<'a>,
    /// The client's bytes waiting in front of content rules, when the stream is no HTTP.
    pub payload: Payload<'a>,
    /// The server's bytes waiting in front of content rules, when the stream is no HTTP.
    pub response_payload: Payload<'a>,
    /// The facts of this one exchange.
    pub exchange: Option<&'a ExchangeFacts>,
    /// The request line as the client wrote it, without its end: it survives the rules' edits.
    pub request_line: &'a [u8],
    /// The values of an ended or ending exchange, for log formats.
    pub log: Option<&'a LogFacts>,
    /// The unique id, when the frontend makes one.
    pub unique_id: Option<&'a [u8]>,
    /// The variables of every scope.
    pub vars: &'a dyn Vars,
    /// What the stick counters track, by number.
    pub tracked: &'a [Option<Tracked<'a>>],
    /// What the rest of the site looks like.
    pub census: &'a dyn Census,
    /// What `capture` lines and rules took from the messages.
    pub captures: &'a dyn Captures,
    /// What the kernel measures of the connections.
    pub kernel: &'a dyn Kernel,
    /// The times of the exchange.
    pub clocks: &'a dyn Clocks,
}

impl Facts<'static> {
    /// Facts about nothing: what a test or a check starts from.
    #[must_use]
    pub fn none() -> Facts<'static> {
        Facts {
            now: Tick::default(),
            date: Wall::default(),
            last_call: true,
            client: None,
            src: None,
            dst: None,
            frontend: None,
            backend: None,
            server: None,
            upstream: None,
            request: None,
            request_body: BodyView::NONE,
            response: None,
            response_body: BodyView::NONE,
            payload: Payload::NONE,
            response_payload: Payload::NONE,
            exchange: None,
            request_line: &[],
            log: None,
            unique_id: None,
            vars: &NoVars,
            tracked: &[],
            census: &NoCensus,
            captures: &NoCaptures,
            kernel: &NoKernel,
            clocks: &NoClocks,
        }
    }
}

/// A moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Wall {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub secs: i64,
    /// Microseconds of the second.
    pub micros: u32,
}

impl Wall {
    /// The moment in microseconds since the epoch.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.secs
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(self.micros))
    }

    /// The moment in milliseconds since the epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.as_micros().div_euclid(1000)
    }
}

/// A message's body as far as it is buffered.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyView<'a> {
    /// The buffered bytes, transfer coding removed.
    pub bytes: &'a [u8],
    /// Whether these are all.
    pub complete: bool,
    /// Whether somebody waits for the body: only then is an incomplete body worth waiting for.
    pub awaited: bool,
    /// The size the message announced.
    pub announced: Option<u64>,
}

impl BodyView<'_> {
    /// No body.
    pub const NONE: BodyView<'static> = BodyView {
        bytes: &[],
        complete: true,
        awaited: false,
        announced: None,
    };
}

/// Bytes waiting in front of content rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Payload<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether no more can come: the peer has closed or the buffer is full.
    pub complete: bool,
}

impl Payload<'_> {
    /// Nothing, and nothing to come.
    pub const NONE: Payload<'static> = Payload {
        bytes: &[],
        complete: true,
    };
}

/// The client's connection, lent with every evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientFacts<'a> {
    /// The source address as the socket or the PROXY header says; `None` on a UNIX socket.
    pub src: Option<SocketAddr>,
    /// The destination address likewise.
    pub dst: Option<SocketAddr>,
    /// When it was accepted.
    pub accepted: Tick,
    /// The same on the wall clock.
    pub accept_date: Wall,
    /// The number of the listening socket (`id` of the bind line or its position).
    pub listener_id: u32,
    /// The name of the bind line.
    pub listener_name: Option<&'a str>,
    /// The major version of HTTP spoken on it, 1 unless negotiated otherwise.
    pub http_major: u8,
    /// A PROXY header was received.
    pub proxied: bool,
    /// The type-length-value part of the PROXY v2 header, as received.
    pub tlvs: &'a [u8],
    /// What TLS settled; `None` on a clear connection.
    pub tls: Option<&'a TlsFacts>,
    /// Why the connection failed, 0 while it did not.
    pub error: u16,
    /// How the peer bent the protocol without breaking it, counted.
    pub glitches: u32,
    /// How long the handshakes took, in milliseconds.
    pub handshake_ms: u32,
    /// Whether this is the connection's first request.
    pub first_request: bool,
}

/// The kernel's measurements of the connections at hand, taken when they are asked for.
pub trait Kernel: std::fmt::Debug {
    /// Of the client's connection.
    fn client(&self) -> TcpFacts;

    /// Of the server's.
    fn upstream(&self) -> TcpFacts;

    /// Our end of the server's connection: the kernel chose it.
    fn connecting(&self) -> Option<SocketAddr>;

    /// The packet that began the client's connection, where the listener had it kept. The kernel gives it away once.
    fn first_packet(&self) -> Option<Vec<u8>> {
        None
    }
}

/// No connection to measure.
#[derive(Debug, Clone, Copy)]
pub struct NoKernel;

impl Kernel for NoKernel {
    fn client(&self) -> TcpFacts {
        TcpFacts::default()
    }

    fn upstream(&self) -> TcpFacts {
        TcpFacts::default()
    }

    fn connecting(&self) -> Option<SocketAddr> {
        None
    }
}

/// The kernel's measurements of a TCP connection; `None` when it was not asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpFacts {
    /// Smoothed round trip, microseconds.
    pub rtt_us: Option<u32>,
    /// Its variance, microseconds.
    pub rttvar_us: Option<u32>,
    /// Segments sent and not acknowledged.
    pub unacked: Option<u32>,
    /// Segments selectively acknowledged.
    pub sacked: Option<u32>,
    /// Segments thought lost.
    pub lost: Option<u32>,
    /// Segments retransmitted.
    pub retrans: Option<u32>,
    /// Forward acknowledged segments.
    pub fackets: Option<u32>,
    /// Reordering events.
    pub reordering: Option<u32>,
}

/// What a TLS handshake settled.
#[derive(Debug, Clone, Default)]
pub struct TlsFacts {
    /// `TLSv1.2`, `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by OpenSSL's name.
    pub cipher: &'static str,
    /// The key bits of the cipher.
    pub cipher_bits: u32,
    /// The server name the client asked for, or that was sent to the server.
    pub sni: Option<Vec<u8>>,
    /// The protocol ALPN settled.
    pub alpn: Option<Vec<u8>>,
    /// The key exchange group by OpenSSL's name.
    pub curve: Option<&'static str>,
    /// The session was resumed.
    pub resumed: bool,
    /// Early data was received.
    pub early: bool,
    /// The peer's certificate and its chain, DER, leaf first.
    pub peer_chain: Vec<Vec<u8>>,
    /// The certificate this side showed, DER.
    pub own_cert: Option<Arc<[u8]>>,
    /// The file or name the shown certificate was loaded from.
    pub own_name: Option<Arc<str>>,
    /// The result of verifying the peer's certificate, OpenSSL's number; 0 is good.
    pub verify: u16,
    /// The same for the first error of the leaf itself.
    pub leaf_error: u16,
    /// The same for the first error above the leaf.
    pub ca_error: u16,
    /// The depth of that error.
    pub ca_error_depth: u8,
    /// The handshake's failure, OpenSSL's number; 0 is none.
    pub error: u32,
    /// The body of the ClientHello (without its handshake header) as received, when the
    /// configuration asks for it to be kept.
    pub hello: Option<Vec<u8>>,
    /// The secrets of the session by the labels of key logs, when the configuration asks for them
    /// to be kept.
    pub secrets: Vec<(&'static str, Vec<u8>)>,
    /// The random bytes of the hellos: client, server.
    pub randoms: Option<([u8; 32], [u8; 32])>,
}

/// The connection to the server.
#[derive(Debug, Clone, Default)]
pub struct UpstreamFacts {
    /// The address of this side.
    pub src: Option<SocketAddr>,
    /// The server's address.
    pub dst: Option<SocketAddr>,
    /// What TLS settled.
    pub tls: Option<Arc<TlsFacts>>,
    /// The connection was taken from the pool.
    pub reused: bool,
    /// Why it failed, 0 while it did not.
    pub error: u16,
    /// The major version of HTTP spoken on it.
    pub http_major: u8,
}

/// What expressions see of a frontend.
#[derive(Debug, Clone, Default)]
pub struct FrontendFacts {
    /// Its key in the census.
    pub key: Option<FrontendId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// Its default backend's name.
    pub default_backend: Option<Arc<str>>,
    /// `timeout client`, milliseconds.
    pub client_timeout_ms: Option<u32>,
    /// `timeout tarpit`, milliseconds.
    pub tarpit_timeout_ms: Option<u32>,
    /// `option http-use-proxy-header`.
    pub use_proxy_header: bool,
}

impl Facts<'_> {
    /// Whether a request with this head asks for credentials as a proxy does (RFC 9110 section 11.7): where the frontend says so,
    /// and the target is no path.
    #[must_use]
    pub fn asks_as_proxy(&self, head: &Head) -> bool {
        self.frontend.is_some_and(|own| own.use_proxy_header)
            && !head.target().starts_with(b"/")
            && !head.target().starts_with(b"*")
    }
}

/// What expressions see of a backend.
#[derive(Debug, Clone, Default)]
pub struct BackendFacts {
    /// Its key in the census.
    pub key: Option<BackendId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// `timeout connect`, milliseconds.
    pub connect_timeout_ms: Option<u32>,
    /// `timeout server`, milliseconds.
    pub server_timeout_ms: Option<u32>,
    /// `timeout tunnel`, milliseconds.
    pub tunnel_timeout_ms: Option<u32>,
    /// `timeout queue`, milliseconds.
    pub queue_timeout_ms: Option<u32>,
    /// `timeout tarpit`, milliseconds.
    pub tarpit_timeout_ms: Option<u32>,
    /// `retries`.
    pub retries: u32,
}

/// What expressions see of a server.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// Its key in the census.
    pub key: Option<ServerId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
}

/// The facts of one exchange that are neither connection nor message.
#[derive(Debug, Clone, Default)]
pub struct ExchangeFacts {
    /// The wall clock when the request began.
    pub request_date: Wall,
    /// Which rule ended the evaluation: its file and line.
    pub last_rule: Option<(Arc<str>, u32)>,
    /// Which rule, filter or other part ended it or is waited for, and by what name.
    pub last_entity: Option<Arc<str>>,
    /// The priority class `set-priority-class` gave.
    pub priority_class: i32,
    /// The offset `set-priority-offset` gave.
    pub priority_offset: i32,
    /// The response came from the cache of this name.
    pub cache: Option<Arc<str>>,
    /// The response is compressed with this algorithm.
    pub compression: Option<&'static str>,
    /// How often the connection was tried again.
    pub retries: u32,
    /// The request was sent to another server than the chosen one.
    pub redispatched: bool,
    /// The exchange is spoken in HTTP (as opposed to TCP).
    pub is_http: bool,
    /// The status for the client, when the proxy made the response itself.
    pub status: Option<u16>,
}

/// The times of an exchange, worked out when they are asked for.
pub trait Clocks: std::fmt::Debug {
    /// Its durations so far.
    fn timers(&self) -> Timers;

    /// The timeouts in force.
    fn timeouts(&self) -> Timeouts;
}

/// No exchange to time.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoClocks;

impl Clocks for NoClocks {
    fn timers(&self) -> Timers {
        Timers::default()
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts::default()
    }
}

/// Durations, milliseconds; `None` until the phase is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timers {
    /// Waiting for the first byte of the request (`%Ti`).
    pub idle: Option<u32>,
    /// Receiving the request's head (`%TR`).
    pub request: Option<u32>,
    /// Idle and receiving together (`%Tq`).
    pub tq: Option<u32>,
    /// In queues (`%Tw`).
    pub queue: Option<u32>,
    /// Connecting (`%Tc`).
    pub connect: Option<u32>,
    /// Waiting for the response's head (`%Tr`).
    pub response: Option<u32>,
    /// Sending the body (`%Td`).
    pub data: Option<u32>,
    /// From accepting to the end (`%Tt`).
    pub total: Option<u32>,
    /// From the request's first byte to the end (`%Ta`).
    pub active: Option<u32>,
    /// From accepting to the end without the time in which the client was idle (`%Tu`).
    pub user: Option<u32>,
}

/// The timeouts in force for one exchange, milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timeouts {
    /// The client's.
    pub client: Option<u32>,
    /// The server's.
    pub server: Option<u32>,
    /// The tunnel's.
    pub tunnel: Option<u32>,
    /// Connecting.
    pub connect: Option<u32>,
    /// Queueing.
    pub queue: Option<u32>,
    /// The tar pit's.
    pub tarpit: Option<u32>,
}

/// The values of an ended or ending exchange.
#[derive(Debug, Clone, Default)]
pub struct LogFacts {
    /// Bytes received from the client.
    pub request_bytes_in: u64,
    /// Bytes sent to the server.
    pub request_bytes_out: u64,
    /// Bytes received from the server.
    pub response_bytes_in: u64,
    /// Bytes sent to the client.
    pub response_bytes_out: u64,
    /// The termination letters.
    pub termination: [u8; 4],
    /// How many of the letters the mode shows.
    pub termination_len: u8,
    /// Connections at the end: process, frontend, backend, server.
    pub conns: [u32; 4],
    /// The queue's length ahead when it entered: server, backend.
    pub queues: [u32; 2],
}

/// What one stick counter tracks.
#[derive(Clone, Copy)]
pub struct Tracked<'a> {
    /// The table of the entry.
    pub table: TableId,
    /// The entry.
    pub entry: &'a dyn Counters,
}

/// One entry of a stick table. Reads, and writes where a fetch of HAProxy's writes.
pub trait Counters {
    /// The counter's value; `None` when the table does not store it.
    fn read(&self, what: Counter, now: Tick) -> Option<i64>;
    /// Adds one and returns the new value.
    fn increment(&self, what: Counter, now: Tick) -> Option<i64>;
    /// Sets it to zero and returns the value it had.
    fn clear(&self, what: Counter, now: Tick) -> Option<i64>;
    /// The entry's key.
    fn key(&self) -> Value<'_>;
}

/// A number an entry of a stick table stores or knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Connections, in total.
    ConnCnt,
    /// Connections at this moment.
    ConnCur,
    /// Connections a period.
    ConnRate,
    /// Sessions, in total.
    SessCnt,
    /// Sessions a period.
    SessRate,
    /// Requests, in total.
    HttpReqCnt,
    /// Requests a period.
    HttpReqRate,
    /// Requests in error, in total.
    HttpErrCnt,
    /// Requests in error a period.
    HttpErrRate,
    /// Failed responses, in total.
    HttpFailCnt,
    /// Failed responses a period.
    HttpFailRate,
    /// Bytes from clients, in total.
    BytesInCnt,
    /// Bytes from clients a period.
    BytesInRate,
    /// Bytes to clients, in total.
    BytesOutCnt,
    /// Bytes to clients a period.
    BytesOutRate,
    /// Bent protocol, in total.
    GlitchCnt,
    /// Bent protocol a period.
    GlitchRate,
    /// The general counter `gpc0`.
    Gpc0,
    /// Its rate.
    Gpc0Rate,
    /// The general counter `gpc1`.
    Gpc1,
    /// Its rate.
    Gpc1Rate,
    /// The general tag `gpt0`.
    Gpt0,
    /// An element of the array `gpc`.
    Gpc(u8),
    /// Its rate.
    GpcRate(u8),
    /// An element of the array `gpt`.
    Gpt(u8),
    /// The server the entry sticks to.
    ServerId,
    /// How many streams track the entry.
    Trackers,
    /// Milliseconds until it expires.
    Expire,
    /// Milliseconds since it was last used.
    Idle,
}

/// What captures hold. Writing is by interior mutability: rules and converters write.
pub trait Captures {
    /// The request's capture in `slot`.
    fn request(&self, slot: usize) -> Option<Cow<'_, [u8]>>;
    /// The response's capture in `slot`.
    fn response(&self, slot: usize) -> Option<Cow<'_, [u8]>>;
    /// Stores into the request's `slot`.
    fn store_request(&self, slot: usize, bytes: &[u8]);
    /// Stores into the response's `slot`.
    fn store_response(&self, slot: usize, bytes: &[u8]);
}

/// No captures.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCaptures;

impl Captures for NoCaptures {
    fn request(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
    fn response(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
    fn store_request(&self, _: usize, _: &[u8]) {}
    fn store_response(&self, _: usize, _: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_in_smaller_units() {
        let wall = Wall {
            secs: 2,
            micros: 345_678,
        };
        assert_eq!(wall.as_micros(), 2_345_678);
        assert_eq!(wall.as_millis(), 2_345);
    }

    #[test]
    fn facts_shorten_their_lifetime() {
        fn same<'a>(_: &'a Facts<'a>) {}
        let none = Facts::none();
        let bytes = vec![1];
        let facts = Facts {
            unique_id: Some(&bytes),
            ..none
        };
        same(&facts);
        assert_eq!(facts.unique_id, Some(&[1][..]));
    }
}
