//! Every keyword of HAProxy that no room carries out, so that none is taken for a typing error.
//!
//! A name stands here until a room has a row for it: the catalogue asks the rooms first. Some have
//! no effect here by nature, some are refused because sluice has no such part.
//! The names are grouped by where they may stand; a parameter says how many words it takes.

use crate::lang::Sections;

/// What sluice does with a keyword it knows by name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is accepted without a word: what it asks for is so here anyway, or it tunes the insides of HAProxy.
    Silent,
    /// It concerns something that sluice does not have; a notice says so.
    NoEffect,
    /// It is refused: what it asks for is no part of sluice.
    Refused(&'static str),
}

/// Keywords of one standing and one place.
#[derive(Debug)]
pub(crate) struct Known {
    /// Where they may stand.
    pub(crate) sections: Sections,
    /// What becomes of them.
    pub(crate) standing: Standing,
    /// The names, separated by commas; `name:1` takes one word as a parameter.
    pub(crate) names: &'static str,
}

impl Known {
    /// Each name with the number of words it takes as a parameter.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.names
            .split(", ")
            .map(|item| match item.split_once(':') {
                Some((name, count)) => (name, count.parse().unwrap_or(0)),
                None => (item, 0),
            })
    }
}

const FASTCGI: &str = "sluice does not speak FastCGI";
const LUA: &str = "sluice has no Lua interpreter";
const VENDOR: &str = "sluice has no device databases";
const QUIC: &str = "sluice does not speak QUIC";
const OPENSSL: &str = "it configures OpenSSL, which sluice does not use";
const OLD_TLS: &str = "sluice speaks TLS 1.2 and 1.3 only";
const PASSPHRASES: &str = "sluice reads private keys that have no passphrase; `openssl pkey` writes such a file, which root alone has to be able to read";
const ECH: &str = "rustls encrypts hellos to servers and cannot read encrypted ones; clients that were told of a key in DNS would see the outer name's certificate";
const OLD_CRT: &str = "it was a name of development versions: write ssl-f-use crt <cert>";
const NPN: &str = "NPN was replaced by ALPN: write alpn";

/// Of `global`.
pub(crate) const GLOBAL: &[Known] = &[
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Refused(VENDOR),
        names: "51degrees-allow-unmatched, 51degrees-cache-size, 51degrees-data-file, \
                51degrees-difference, 51degrees-drift, 51degrees-property-name-list, \
                51degrees-property-separator, 51degrees-use-performance-graph, \
                51degrees-use-predictive-graph, deviceatlas-json-file, deviceatlas-log-level, \
                deviceatlas-properties-cookie, deviceatlas-separator, wurfl-cache-size, \
                wurfl-data-file, wurfl-information-list, wurfl-information-list-separator",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Refused(PASSPHRASES),
        names: "ssl-passphrase-cmd",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Silent,
        names: "cpu-affinity, cpu-policy, cpu-set, expose-deprecated-directives, \
                expose-experimental-directives, insecure-fork-wanted, insecure-setuid-wanted, \
                max-threads-per-group, no-memory-trimming, noepoll, nogetaddrinfo, nopoll, \
                noreuseport, numa-cpu-mapping, prealloc-fd, shm-stats-file, \
                shm-stats-file-max-objects, thread-group, thread-hard-limit, \
                tune.applet.zero-copy-forwarding, tune.bufsize.large, tune.bufsize.small, \
                tune.chksize, tune.cli.max-payload-size, tune.defaults.purge, \
                tune.disable-fast-forward, tune.disable-zero-copy-forwarding, \
                tune.glitches.kill.cpu-usage, tune.h1.be.glitches-threshold, \
                tune.h1.fe.glitches-threshold, tune.h1.zero-copy-fwd-recv, tune.h1.zero-copy-fwd-send, \
                tune.idletimer, tune.listener.default-shards, \
                tune.listener.multi-queue, tune.max-checks-per-thread, tune.max-rules-at-once, \
                tune.pattern.cache-size, tune.peers.max-updates-at-once, tune.pt.zero-copy-forwarding, tune.recv_enough, \
                tune.renice.runtime, tune.renice.startup, tune.ring.queues, \
                tune.ssl.certificate-compression, tune.ssl.force-private-cache, tune.streams-elasticity, \
                tune.takeover-other-tg-connections, warn-blocked-traffic-after",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::NoEffect,
        names: "acme.scheduler, cluster-secret, debug.counters, force-cfg-parser-pause, \
                h2-workaround-bogus-websocket-clients, httpclient.resolvers.disabled, \
                httpclient.resolvers.id, httpclient.resolvers.prefer, httpclient.retries, \
                httpclient.ssl.ca-file, httpclient.ssl.verify, httpclient.timeout.connect, \
                maxzlibmem, noevports, nokqueue, noktls, profiling.memory, profiling.tasks, \
                ssl-dh-param-file, stress-level, tune.epoll.mask-events, \
                tune.events.max-events-at-once, tune.fail-alloc, tune.fd.edge-triggered, \
                tune.fd.tables, tune.h2.be.glitches-threshold, tune.h2.be.initial-window-size, \
                tune.h2.be.max-concurrent-streams, tune.h2.be.max-frames-at-once, tune.h2.be.rxbuf, \
                tune.h2.fe.glitches-threshold, tune.h2.fe.initial-window-size, \
                tune.h2.fe.max-concurrent-streams, tune.h2.fe.max-frames-at-once, \
                tune.h2.fe.max-rst-at-once, tune.h2.fe.max-total-streams, tune.h2.fe.rxbuf, \
                tune.h2.header-table-size, tune.h2.initial-window-size, tune.h2.log-errors, \
                tune.h2.max-concurrent-streams, tune.h2.max-frame-size, tune.h2.zero-copy-fwd-send, \
                tune.memory.hot-size, tune.rcvbuf.backend, tune.runqueue-depth, \
                tune.sched.low-latency, tune.sndbuf.backend, tune.sndbuf.frontend, \
                tune.ssl.keyupdate-rate-limit, \
                tune.zlib.memlevel, tune.zlib.windowsize",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Refused(QUIC),
        names: "harden.reject-privileged-ports.quic, limited-quic, \
                tune.quic.be.cc.cubic-min-losses, tune.quic.be.cc.hystart, \
                tune.quic.be.cc.max-frame-loss, tune.quic.be.cc.max-win-size, \
                tune.quic.be.cc.reorder-ratio, tune.quic.be.max-idle-timeout, \
                tune.quic.be.sec.glitches-threshold, tune.quic.be.stream.data-ratio, \
                tune.quic.be.stream.max-concurrent, tune.quic.be.stream.rxbuf, \
                tune.quic.be.tx.pacing, tune.quic.be.tx.udp-gso, \
                tune.quic.fe.cc.cubic-min-losses, tune.quic.fe.cc.hystart, \
                tune.quic.fe.cc.max-frame-loss, tune.quic.fe.cc.max-win-size, \
                tune.quic.fe.cc.reorder-ratio, tune.quic.fe.max-idle-timeout, \
                tune.quic.fe.sec.glitches-threshold, tune.quic.fe.sec.retry-threshold, \
                tune.quic.fe.sock-per-conn, tune.quic.fe.stream.data-ratio, \
                tune.quic.fe.stream.max-concurrent, tune.quic.fe.stream.max-total, \
                tune.quic.fe.stream.rxbuf, tune.quic.fe.tx.pacing, tune.quic.fe.tx.udp-gso, \
                tune.quic.listen, tune.quic.mem.tx-max, tune.quic.zero-copy-fwd-send",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Refused(LUA),
        names: "lua-load, lua-load-per-thread, lua-prepend-path, \
                tune.lua.bool-sample-conversion, tune.lua.burst-timeout, tune.lua.forced-yield, \
                tune.lua.log.loggers, tune.lua.log.stderr, tune.lua.maxmem, tune.lua.openlibs, \
                tune.lua.service-timeout, tune.lua.session-timeout, tune.lua.task-timeout",
    },
    Known {
        sections: Sections::GLOBAL,
        standing: Standing::Refused(OPENSSL),
        names: "ssl-engine, ssl-mode-async, ssl-propquery, ssl-provider, ssl-provider-path, \
                ssl-security-level",
    },
];

/// Of proxy sections.
pub(crate) const PROXY: &[Known] = &[
    Known {
        sections: Sections::FRONT,
        standing: Standing::Silent,
        names: "option disable-h2-upgrade, option idle-close-on-response",
    },
    Known {
        sections: Sections::PROXY,
        standing: Standing::Silent,
        names: "option http-no-delay",
    },
    Known {
        sections: Sections::BACKEND,
        standing: Standing::Refused(FASTCGI),
        names: "use-fcgi-app",
    },
    Known {
        sections: Sections::FRONTEND,
        standing: Standing::Refused(OLD_CRT),
        names: "crt",
    },
    Known {
        sections: Sections::BACK,
        standing: Standing::Silent,
        names: "option use-small-buffers",
    },
    Known {
        sections: Sections::FRONT,
        standing: Standing::Refused(QUIC),
        names: "quic-initial",
    },
];

/// Of `bind` lines.
pub(crate) const BIND: &[Known] = &[
    Known {
        sections: Sections::BIND,
        standing: Standing::Refused(ECH),
        names: "ech:1",
    },
    Known {
        sections: Sections::BIND,
        standing: Standing::Silent,
        names: "label:1",
    },
    Known {
        sections: Sections::BIND,
        standing: Standing::NoEffect,
        names: "idle-ping:1, ktls:1, nbconn:1",
    },
    Known {
        sections: Sections::BIND,
        standing: Standing::Refused(OLD_TLS),
        names: "force-sslv3, force-tlsv10, force-tlsv11",
    },
    Known {
        sections: Sections::BIND,
        standing: Standing::Refused(NPN),
        names: "npn:1",
    },
    Known {
        sections: Sections::BIND,
        standing: Standing::Refused(QUIC),
        names: "quic-cc-algo:1, quic-force-retry, quic-socket:1",
    },
];

/// Of `server` lines.
pub(crate) const SERVER: &[Known] = &[
    Known {
        sections: Sections::SERVER,
        standing: Standing::Silent,
        names: "no-check-reuse-pool",
    },
    Known {
        sections: Sections::SERVER,
        standing: Standing::Refused(OLD_TLS),
        names: "force-sslv3, force-tlsv10, force-tlsv11",
    },
    Known {
        sections: Sections::SERVER,
        standing: Standing::NoEffect,
        names: "check-pool-conn-name:1, check-reuse-pool, idle-ping:1, ktls:1, no-renegotiate, renegotiate",
    },
    Known {
        sections: Sections::SERVER,
        standing: Standing::Refused(NPN),
        names: "npn:1",
    },
    Known {
        sections: Sections::SERVER,
        standing: Standing::Refused(QUIC),
        names: "quic-cc-algo:1",
    },
];
