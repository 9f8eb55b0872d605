//! The facts of a session that a log line reads.
//!
//! The engine fills a [`Record`] when a session ends (or, for `option logasap`, when its data phase
//! begins) and lends it to
//! whatever writes lines. Everything is borrowed: making
//! one copies a few dozen words and allocates nothing.
//!
//! Always true: times are cumulative milliseconds since the connection was accepted, and a moment
//! that never came is `None`; the differences that HAProxy's `%T…` fields show are computed by
//! [`Timers`], here and nowhere else. What a sample expression reads is not repeated here: a line
//! with `%[…]` gets the engine's `Facts` beside the record.

use std::net::SocketAddr;

use crate::sample::{Kernel, NoKernel, Wall};

/// Everything an alias of a log format can show.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The process that writes the line.
    pub process: Process<'a>,
    /// Why the line is written (`%OG`).
    pub origin: Origin,
    /// The client's end of the client connection (`%ci`, `%cp`).
    pub client: Option<Endpoint>,
    /// Our end of the client connection (`%fi`, `%fp`).
    pub accepting: Option<Endpoint>,
    /// Who knows our end of the server connection (`%bi`, `%bp`).
    pub kernel: &'a dyn Kernel,
    /// The server's end of the server connection (`%si`, `%sp`).
    pub target: Option<Endpoint>,
    /// The frontend's name.
    pub frontend: &'a str,
    /// The name or number of the listener, for the legacy error line.
    pub listener: &'a str,
    /// Whether the client connection is a TLS one.
    pub secure: bool,
    /// The TLS parameters of the client connection.
    pub tls: Option<Tls<'a>>,
    /// The backend's name; the frontend's own until one was chosen.
    pub backend: &'a str,
    /// The server's name, `<STATS>`-like for an inner endpoint, `None` when no server was chosen.
    pub server: Option<&'a str>,
    /// When the connection was accepted.
    pub accepted: Wall,
    /// When the phases of the session ended.
    pub timers: Timers,
    /// What only HTTP sessions have.
    pub http: Option<Http<'a>>,
    /// Whether the session is of `mode http` (the meaning of `%Td` depends on it).
    pub http_mode: bool,
    /// Bytes from the client to the server (`%U`).
    pub bytes_up: u64,
    /// Bytes from the server to the client (`%B`).
    pub bytes_down: u64,
    /// The four termination letters.
    pub letters: [u8; 4],
    /// Concurrent connections and retries.
    pub counts: Counts,
    /// Positions in the queues at the time of queueing.
    pub queues: Queues,
    /// How many captures are declared; their values are read from the facts.
    pub captures: CaptureCounts,
    /// The session's unique id, once made.
    pub unique_id: Option<&'a [u8]>,
    /// Lines logged by the frontend before this one (`%lc`).
    pub log_counter: u32,
    /// Sessions or requests of the process before this one (`%rt`).
    pub request_counter: u32,
    /// False while the session goes on (`option logasap`): totals get a `+`.
    pub finished: bool,
    /// What went wrong before a session existed, for the legacy error line.
    pub error: Option<&'a str>,
}

/// Makes records: the engine where rules run, a finished [`Record`] where lines are written.
pub trait Ledger {
    /// The facts at this moment.
    fn record(&self) -> Record<'_>;
}

impl Ledger for Record<'_> {
    fn record(&self) -> Record<'_> {
        *self
    }
}

/// The process that writes.
#[derive(Debug, Clone, Copy)]
pub struct Process<'a> {
    /// The machine's name (`%H`).
    pub hostname: &'a str,
    /// The process number (`%pid`).
    pub pid: u32,
}

/// Why a line is written; the words of `%OG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// No cause is recorded.
    #[default]
    Unspecified,
    /// A session that failed before a request.
    SessionError,
    /// A session that was killed.
    SessionKill,
    /// The connection was accepted.
    TxnAccept,
    /// The request was received.
    TxnRequest,
    /// The server connection was made.
    TxnConnect,
    /// The response headers came.
    TxnResponse,
    /// The transaction ended.
    TxnClose,
    /// The `do-log` action of the named rule set.
    DoLog(&'static str),
}

impl Record<'static> {
    /// A record about nothing: what a test starts from.
    #[must_use]
    pub fn none() -> Record<'static> {
        Record {
            process: Process {
                hostname: "",
                pid: 0,
            },
            origin: Origin::default(),
            client: None,
            accepting: None,
            kernel: &NoKernel,
            target: None,
            frontend: "",
            listener: "",
            secure: false,
            tls: None,
            backend: "",
            server: None,
            accepted: Wall::default(),
            timers: Timers::default(),
            http: None,
            http_mode: false,
            bytes_up: 0,
            bytes_down: 0,
            letters: *b"----",
            counts: Counts::default(),
            queues: Queues::default(),
            captures: CaptureCounts::default(),
            unique_id: None,
            log_counter: 0,
            request_counter: 0,
            finished: true,
            error: None,
        }
    }
}

impl Record<'_> {
    /// When the request began, on the wall clock.
    #[must_use]
    pub fn requested(&self) -> Wall {
        let micros = i64::from(self.accepted.micros) + i64::from(self.timers.begun()) * 1000;
        Wall {
            secs: self.accepted.secs + micros / 1_000_000,
            micros: u32::try_from(micros % 1_000_000).unwrap_or(0),
        }
    }
}

impl Origin {
    /// The word that `%OG` shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Origin::Unspecified => "unspec",
            Origin::SessionError => "sess_error",
            Origin::SessionKill => "sess_kill",
            Origin::TxnAccept => "txn_accept",
            Origin::TxnRequest => "txn_request",
            Origin::TxnConnect => "txn_connect",
            Origin::TxnResponse => "txn_response",
            Origin::TxnClose => "txn_close",
            Origin::DoLog(word) => word,
        }
    }
}

/// One end of a connection, as a log line shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// An internet address.
    Inet(SocketAddr),
    /// A unix socket: shown as `unix`, its "port" being the listener's number.
    Unix {
        /// The number of the listener.
        listener: u32,
    },
}

/// The names of a TLS connection's parameters.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// `TLSv1.3` and the like (`%sslv`).
    pub version: &'a str,
    /// The cipher suite (`%sslc`).
    pub cipher: &'a str,
}

/// What only an HTTP session has.
#[derive(Debug, Clone, Copy)]
pub struct Http<'a> {
    /// The request line as received, cut at `tune.http.logurilen`; `None` before a valid one came.
    pub request_line: Option<&'a [u8]>,
    /// The status sent to the client; `None` when nothing was sent.
    pub status: Option<u16>,
    /// What `capture cookie` found in the request.
    pub request_cookie: Option<&'a [u8]>,
    /// What `capture cookie` found in the response.
    pub response_cookie: Option<&'a [u8]>,
}

/// Moments of a session in milliseconds since it was accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timers {
    /// The end of the handshakes (PROXY, TLS).
    pub handshake: u32,
    /// The idle time between the handshake and the first byte of the request: a duration.
    pub idle: Option<u32>,
    /// The request was complete.
    pub request: Option<u32>,
    /// The request left the queues.
    pub queue: Option<u32>,
    /// The server connection was established.
    pub connect: Option<u32>,
    /// The response headers were complete.
    pub data: Option<u32>,
    /// Both sides were closed, or the line is written.
    pub close: u32,
}

impl Timers {
    /// When the request began.
    #[must_use]
    pub fn begun(&self) -> u32 {
        self.idle
            .map_or(0, |idle| idle.saturating_add(self.handshake))
    }

    /// `%Ti`.
    #[must_use]
    pub fn ti(&self) -> i64 {
        shown(self.idle)
    }

    /// `%TR`.
    #[must_use]
    pub fn t_request(&self) -> i64 {
        match self.request {
            Some(at) => i64::from(at) - i64::from(self.begun()),
            None => -1,
        }
    }

    /// `%Tq`.
    #[must_use]
    pub fn tq(&self) -> i64 {
        shown(self.request)
    }

    /// `%Tw`.
    #[must_use]
    pub fn tw(&self) -> i64 {
        match self.queue {
            Some(at) => i64::from(at) - i64::from(self.request.unwrap_or(self.handshake)),
            None => -1,
        }
    }

    /// `%Tc`.
    #[must_use]
    pub fn tc(&self) -> i64 {
        since(self.connect, self.queue)
    }

    /// `%Tr`.
    #[must_use]
    pub fn t_response(&self) -> i64 {
        since(self.data, self.connect)
    }

    /// `%Td`: from the response headers in HTTP mode, from the connection in TCP mode.
    #[must_use]
    pub fn td(&self, http_mode: bool) -> i64 {
        let start = if http_mode { self.data } else { self.connect };
        start.map_or(-1, |at| i64::from(self.close) - i64::from(at))
    }

    /// `%Ta`.
    #[must_use]
    pub fn ta(&self) -> i64 {
        i64::from(self.close) - i64::from(self.begun())
    }

    /// `%Tt`.
    #[must_use]
    pub fn tt(&self) -> i64 {
        i64::from(self.close)
    }

    /// `%Tu`.
    #[must_use]
    pub fn tu(&self) -> i64 {
        i64::from(self.close) - i64::from(self.idle.unwrap_or(0))
    }
}

fn shown(moment: Option<u32>) -> i64 {
    moment.map_or(-1, i64::from)
}

fn since(moment: Option<u32>, before: Option<u32>) -> i64 {
    moment.map_or(-1, |at| i64::from(at) - shown(before))
}

/// Concurrent connections when the line is written, and the retries of the session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Of the process (`%ac`).
    pub actconn: u32,
    /// Of the frontend (`%fc`).
    pub feconn: u32,
    /// Of the backend (`%bc`).
    pub beconn: u32,
    /// Of the server (`%sc`).
    pub srv_conn: u32,
    /// Connection retries (`%rc`).
    pub retries: u32,
    /// Whether the session was redispatched: `%rc` gets a `+`.
    pub redispatched: bool,
}

/// How many sessions were queued before this one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queues {
    /// For the server (`%sq`).
    pub server: u32,
    /// For the backend (`%bq`).
    pub backend: u32,
}

/// How many captures the frontend declares (`capture request header`, `declare capture`).
#[derive(Debug, Clone, Copy, Default)]
pub struct CaptureCounts {
    /// Of the request.
    pub request: usize,
    /// Of the response.
    pub response: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differences_are_those_of_the_manual() {
        let timers = Timers {
            handshake: 4,
            idle: Some(6),
            request: Some(25),
            queue: Some(30),
            connect: Some(31),
            data: Some(50),
            close: 70,
        };
        let all = (
            timers.ti(),
            timers.t_request(),
            timers.tq(),
            timers.tw(),
            timers.tc(),
            timers.t_response(),
            timers.td(true),
            timers.ta(),
            timers.tt(),
            timers.tu(),
        );
        assert_eq!(all, (6, 15, 25, 5, 1, 19, 20, 60, 70, 64));
        assert_eq!(timers.td(false), 39);
    }

    #[test]
    fn what_never_came_is_minus_one() {
        let timers = Timers::default();
        assert_eq!(
            (timers.ti(), timers.t_request(), timers.tw(), timers.tc()),
            (-1, -1, -1, -1)
        );
        assert_eq!(
            (timers.t_response(), timers.td(true), timers.tt()),
            (-1, -1, 0)
        );
    }
}
