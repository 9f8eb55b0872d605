//! The scenarios: what is asked of every contender.

use crate::backend::Answer;
use crate::contender::Contender;
use crate::secure::Tls;

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) threads: usize,
    pub(crate) load: Load,
    pub(crate) answer: Answer,
    pub(crate) setup: Setup,
}

/// What the clients do.
pub(crate) enum Load {
    /// As many requests as go.
    Requests(Http),
    /// Requests at a fixed pace, for latency.
    Paced(Paced),
    /// Bytes without end.
    Bulk(Direction),
    /// Connections that do nothing after one request.
    Idle(usize),
    /// Clients that send a byte now and then.
    Slow(usize),
}

/// Clients of the request scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Http {
    pub(crate) clients: usize,
    /// A connection per request.
    pub(crate) fresh: bool,
    /// Browser-like request headers.
    pub(crate) browser: bool,
    /// A PROXY protocol header before the request; for fresh connections.
    pub(crate) introduced: bool,
}

/// Clients of the latency scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Paced {
    pub(crate) clients: usize,
    pub(crate) per_second: u64,
    pub(crate) fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Up,
}

/// How the contenders are configured, beyond a frontend and a backend.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    /// What clients speak below HTTP.
    pub(crate) tls: Tls,
    pub(crate) tcp: bool,
    pub(crate) splice: bool,
    pub(crate) reuse_always: bool,
    pub(crate) server_close: bool,
    pub(crate) rules: bool,
    pub(crate) log: bool,
    /// Servers in the backend (all the same address).
    pub(crate) servers: usize,
    /// Backends to choose among by host.
    pub(crate) backends: usize,
    /// `send-proxy-v2` towards the server.
    pub(crate) send_proxy: bool,
    /// `accept-proxy` towards the clients.
    pub(crate) accept_proxy: bool,
}

impl Scenario {
    /// Whether this contender can play it.
    pub(crate) fn admits(&self, contender: Contender) -> bool {
        let setup = &self.setup;
        match contender {
            Contender::Sluice | Contender::Haproxy => true,
            Contender::Nginx | Contender::Relay if setup.tls != Tls::None => false,
            Contender::Nginx => {
                let special = setup.rules || setup.log || setup.backends > 1 || setup.servers > 1;
                !(special || setup.tcp || setup.splice)
            }
            Contender::Relay => {
                let special = setup.rules || setup.log || setup.backends > 1;
                !(special || setup.send_proxy || setup.accept_proxy)
            }
            Contender::Direct => matches!(self.load, Load::Paced(_)),
        }
    }
}

const PLAIN: Setup = Setup {
    tls: Tls::None,
    tcp: false,
    splice: false,
    reuse_always: false,
    server_close: false,
    rules: false,
    log: false,
    servers: 1,
    backends: 1,
    send_proxy: false,
    accept_proxy: false,
};

const TCP: Setup = Setup { tcp: true, ..PLAIN };

const fn keep(clients: usize) -> Load {
    Load::Requests(Http {
        clients,
        fresh: false,
        browser: false,
        introduced: false,
    })
}

const fn fresh(clients: usize) -> Load {
    Load::Requests(Http {
        clients,
        fresh: true,
        browser: false,
        introduced: false,
    })
}

const fn introduced(clients: usize) -> Load {
    Load::Requests(Http {
        clients,
        fresh: true,
        browser: false,
        introduced: true,
    })
}

const fn scenario(
    name: &'static str,
    about: &'static str,
    threads: usize,
    load: Load,
    answer: Answer,
    setup: Setup,
) -> Scenario {
    Scenario {
        name,
        about,
        threads,
        load,
        answer,
        setup,
    }
}

/// With TLS to the clients. Server connections are shared as far as can be, for what is asked is what TLS costs.
const fn tls(tls: Tls) -> Setup {
    Setup {
        tls,
        reuse_always: true,
        ..PLAIN
    }
}

const V13: Setup = tls(Tls::V13 { resumed: false });

const EMPTY: Answer = Answer::Sized(0);

/// Every scenario, in the order of the report.
pub(crate) fn all() -> &'static [Scenario] {
    ALL
}

static ALL: &[Scenario] = &[
    scenario(
        "keep-64",
        "keep-alive, empty answers, 64 clients, 1 thread",
        1,
        keep(64),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "keep-1000",
        "keep-alive, empty answers, 1000 clients, 1 thread",
        1,
        keep(1000),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "keep2-64",
        "keep-alive, empty answers, 64 clients, 2 threads",
        2,
        keep(64),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "keep2-1000",
        "keep-alive, empty answers, 1000 clients, 2 threads",
        2,
        keep(1000),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "browser",
        "browser-like request headers, 64 clients, 1 thread",
        1,
        Load::Requests(Http {
            clients: 64,
            fresh: false,
            browser: true,
            introduced: false,
        }),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "body-16k",
        "answers of 16 KiB, 64 clients",
        1,
        keep(64),
        Answer::Sized(16 << 10),
        PLAIN,
    ),
    scenario(
        "body-64k",
        "answers of 64 KiB, 64 clients",
        1,
        keep(64),
        Answer::Sized(64 << 10),
        PLAIN,
    ),
    scenario(
        "body-1m",
        "answers of 1 MiB, 16 clients",
        1,
        keep(16),
        Answer::Sized(1 << 20),
        PLAIN,
    ),
    scenario(
        "body-1m-splice",
        "answers of 1 MiB, 16 clients, option splice-auto",
        1,
        keep(16),
        Answer::Sized(1 << 20),
        Setup {
            splice: true,
            ..PLAIN
        },
    ),
    scenario(
        "chunked",
        "answers of 16 KiB in chunks of 1 KiB, 64 clients",
        1,
        keep(64),
        Answer::Chunked(16 << 10),
        PLAIN,
    ),
    scenario(
        "fresh",
        "a client connection per request, default reuse, 64 clients",
        1,
        fresh(64),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "fresh-reuse",
        "a client connection per request, http-reuse always, 64 clients",
        1,
        fresh(64),
        EMPTY,
        Setup {
            reuse_always: true,
            ..PLAIN
        },
    ),
    scenario(
        "fresh-both",
        "a connection per request on both sides, 64 clients",
        1,
        fresh(64),
        EMPTY,
        Setup {
            server_close: true,
            ..PLAIN
        },
    ),
    scenario(
        "fresh-tcp",
        "TCP mode, a connection per request on both sides, 64 clients",
        1,
        fresh(64),
        EMPTY,
        TCP,
    ),
    scenario(
        "proxy-send",
        "the same with send-proxy-v2 towards the server",
        1,
        fresh(64),
        EMPTY,
        Setup {
            send_proxy: true,
            ..TCP
        },
    ),
    scenario(
        "proxy-accept",
        "the same with accept-proxy, clients that send a header of version 2",
        1,
        introduced(64),
        EMPTY,
        Setup {
            accept_proxy: true,
            ..TCP
        },
    ),
    scenario(
        "rules",
        "ten ACLs, header edits, a map and a log line, 64 clients",
        1,
        keep(64),
        EMPTY,
        Setup {
            rules: true,
            log: true,
            ..PLAIN
        },
    ),
    scenario(
        "log",
        "a log line per request, 64 clients",
        1,
        keep(64),
        EMPTY,
        Setup { log: true, ..PLAIN },
    ),
    scenario(
        "servers-10",
        "10 servers",
        1,
        keep(64),
        EMPTY,
        Setup {
            servers: 10,
            ..PLAIN
        },
    ),
    scenario(
        "servers-1000",
        "1,000 servers",
        1,
        keep(64),
        EMPTY,
        Setup {
            servers: 1_000,
            ..PLAIN
        },
    ),
    scenario(
        "servers-10000",
        "10,000 servers",
        1,
        keep(64),
        EMPTY,
        Setup {
            servers: 10_000,
            ..PLAIN
        },
    ),
    scenario(
        "backends-1000",
        "1,000 backends chosen by use_backend on the host",
        1,
        keep(64),
        EMPTY,
        Setup {
            backends: 1_000,
            ..PLAIN
        },
    ),
    scenario(
        "tcp-down",
        "TCP bulk to the client",
        1,
        Load::Bulk(Direction::Down),
        Answer::Source,
        TCP,
    ),
    scenario(
        "tcp-up",
        "TCP bulk to the server",
        1,
        Load::Bulk(Direction::Up),
        Answer::Sink,
        TCP,
    ),
    scenario(
        "tcp-down-splice",
        "TCP bulk to the client, option splice-auto",
        1,
        Load::Bulk(Direction::Down),
        Answer::Source,
        Setup {
            splice: true,
            ..TCP
        },
    ),
    scenario(
        "tcp-up-splice",
        "TCP bulk to the server, option splice-auto",
        1,
        Load::Bulk(Direction::Up),
        Answer::Sink,
        Setup {
            splice: true,
            ..TCP
        },
    ),
    scenario(
        "latency",
        "2,000 requests a second over 32 connections, 1 thread",
        1,
        Load::Paced(Paced {
            clients: 32,
            per_second: 2_000,
            fresh: false,
        }),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "latency-fresh",
        "500 new connections a second, 1 thread",
        1,
        Load::Paced(Paced {
            clients: 32,
            per_second: 500,
            fresh: true,
        }),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "idle-10k",
        "10,000 idle keep-alive connections, 2 threads",
        2,
        Load::Idle(10_000),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "idle-50k",
        "50,000 idle keep-alive connections, 2 threads",
        2,
        Load::Idle(50_000),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "slow",
        "1,000 clients that send a byte ten times a second",
        1,
        Load::Slow(1_000),
        EMPTY,
        PLAIN,
    ),
    scenario(
        "tls13-full",
        "TLS 1.3, a full handshake (P-256, X25519) and a request per connection, 32 clients",
        1,
        fresh(32),
        EMPTY,
        V13,
    ),
    scenario(
        "tls12-full",
        "TLS 1.2, a full handshake (P-256 for both) and a request per connection, 32 clients",
        1,
        fresh(32),
        EMPTY,
        tls(Tls::V12 { resumed: false }),
    ),
    scenario(
        "tls13-resumed",
        "TLS 1.3, a resumed handshake and a request per connection, 32 clients",
        1,
        fresh(32),
        EMPTY,
        tls(Tls::V13 { resumed: true }),
    ),
    scenario(
        "tls12-resumed",
        "TLS 1.2, a resumed handshake and a request per connection, 32 clients",
        1,
        fresh(32),
        EMPTY,
        tls(Tls::V12 { resumed: true }),
    ),
    scenario(
        "tls-keep-64",
        "TLS 1.3, keep-alive, empty answers, 64 clients",
        1,
        keep(64),
        EMPTY,
        V13,
    ),
    scenario(
        "tls-bulk",
        "TLS 1.3 with AES-128-GCM, answers of 1 MiB, 16 clients",
        1,
        keep(16),
        Answer::Sized(1 << 20),
        V13,
    ),
    scenario(
        "tls-idle",
        "4,000 idle keep-alive connections, TLS 1.3, 1 thread",
        1,
        Load::Idle(4_000),
        EMPTY,
        V13,
    ),
];
