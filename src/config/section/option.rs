//! `option …` of proxies, as far as no other room owns them.

use crate::config::draft::ProxyDraft;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections};
use crate::site::HttpConnections;

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<ProxyDraft>] = &[
    Keyword {
        name: "option abortonclose",
        sections: Sections::BACK,
        usage: "",
        doc: "Drop queued requests whose client has gone.",
        parse: |cur, p| flag(cur, &mut p.options.abort_on_close),
    },
    Keyword {
        name: "option accept-invalid-http-request",
        sections: Sections::FRONT,
        usage: "",
        doc: "Tolerate characters in requests that the standard forbids.",
        parse: |cur, p| flag(cur, &mut p.options.accept_invalid_request),
    },
    Keyword {
        name: "option accept-unsafe-violations-in-http-request",
        sections: Sections::FRONT,
        usage: "",
        doc: "Tolerate characters in requests that the standard forbids.",
        parse: |cur, p| flag(cur, &mut p.options.accept_invalid_request),
    },
    Keyword {
        name: "option accept-invalid-http-response",
        sections: Sections::BACK,
        usage: "",
        doc: "Tolerate characters in responses that the standard forbids.",
        parse: |cur, p| flag(cur, &mut p.options.accept_invalid_response),
    },
    Keyword {
        name: "option accept-unsafe-violations-in-http-response",
        sections: Sections::BACK,
        usage: "",
        doc: "Tolerate characters in responses that the standard forbids.",
        parse: |cur, p| flag(cur, &mut p.options.accept_invalid_response),
    },
    Keyword {
        name: "option independent-streams",
        sections: Sections::PROXY,
        usage: "",
        doc: "Time the silence of a side by what it says alone, not by what is sent to it.",
        parse: |cur, p| flag(cur, &mut p.options.independent),
    },
    Keyword {
        name: "option independant-streams",
        sections: Sections::PROXY,
        usage: "",
        doc: "An old spelling of `option independent-streams`.",
        parse: |cur, p| flag(cur, &mut p.options.independent),
    },
    Keyword {
        name: "option checkcache",
        sections: Sections::BACK,
        usage: "",
        doc: "Refuse responses with a cookie that a cache could keep and give to others.",
        parse: |cur, p| flag(cur, &mut p.options.check_cache),
    },
    Keyword {
        name: "option clitcpka",
        sections: Sections::FRONT,
        usage: "",
        doc: "Send TCP keep-alive packets to clients.",
        parse: |cur, p| flag(cur, &mut p.options.client_keep_alive.on),
    },
    Keyword {
        name: "option srvtcpka",
        sections: Sections::BACK,
        usage: "",
        doc: "Send TCP keep-alive packets to servers.",
        parse: |cur, p| flag(cur, &mut p.options.server_keep_alive.on),
    },
    Keyword {
        name: "clitcpka-cnt",
        sections: Sections::FRONT,
        usage: "<count>",
        doc: "Keep-alive probes without an answer until the connection is given up, to clients.",
        parse: |cur, p| {
            p.options.client_keep_alive.count = Some(cur.integer(1..=127)?);
            Ok(())
        },
    },
    Keyword {
        name: "clitcpka-idle",
        sections: Sections::FRONT,
        usage: "<time>",
        doc: "How long a connection is idle before keep-alive probes are sent to clients.",
        parse: |cur, p| {
            p.options.client_keep_alive.idle = Some(cur.seconds()?);
            Ok(())
        },
    },
    Keyword {
        name: "clitcpka-intvl",
        sections: Sections::FRONT,
        usage: "<time>",
        doc: "Time between keep-alive probes to clients.",
        parse: |cur, p| {
            p.options.client_keep_alive.interval = Some(cur.seconds()?);
            Ok(())
        },
    },
    Keyword {
        name: "srvtcpka-cnt",
        sections: Sections::BACK,
        usage: "<count>",
        doc: "Keep-alive probes without an answer until the connection is given up, to servers.",
        parse: |cur, p| {
            p.options.server_keep_alive.count = Some(cur.integer(1..=127)?);
            Ok(())
        },
    },
    Keyword {
        name: "srvtcpka-idle",
        sections: Sections::BACK,
        usage: "<time>",
        doc: "How long a connection is idle before keep-alive probes are sent to servers.",
        parse: |cur, p| {
            p.options.server_keep_alive.idle = Some(cur.seconds()?);
            Ok(())
        },
    },
    Keyword {
        name: "srvtcpka-intvl",
        sections: Sections::BACK,
        usage: "<time>",
        doc: "Time between keep-alive probes to servers.",
        parse: |cur, p| {
            p.options.server_keep_alive.interval = Some(cur.seconds()?);
            Ok(())
        },
    },
    Keyword {
        name: "option tcpka",
        sections: Sections::PROXY,
        usage: "",
        doc: "Send TCP keep-alive packets to both sides.",
        parse: |cur, p| {
            flag(cur, &mut p.options.client_keep_alive.on)?;
            flag(cur, &mut p.options.server_keep_alive.on)
        },
    },
    Keyword {
        name: "option contstats",
        sections: Sections::FRONT,
        usage: "",
        doc: "Count bytes while they flow; sluice always does.",
        parse: |cur, _| cur.end(),
    },
    Keyword {
        name: "option dontlog-normal",
        sections: Sections::FRONT,
        usage: "",
        doc: "Do not log sessions that ended without an error.",
        parse: |cur, p| flag(cur, &mut p.front.dont_log_normal),
    },
    Keyword {
        name: "option dontlognull",
        sections: Sections::FRONT,
        usage: "",
        doc: "Do not log connections that carried no data.",
        parse: |cur, p| flag(cur, &mut p.front.dont_log_null),
    },
    Keyword {
        name: "option forceclose",
        sections: Sections::PROXY,
        usage: "",
        doc: "The older name of `option httpclose`.",
        parse: |cur, p| {
            let said = "option 'forceclose' is not supported any more since HAProxy 2.0.";
            let diag = Diag::warning(cur.keyword_span(), said)
                .with_reason("it is read as its successor")
                .with_fix("option httpclose");
            cur.warn(diag);
            connections(cur, p, HttpConnections::Close)
        },
    },
    Keyword {
        name: "option httpclose",
        sections: Sections::PROXY,
        usage: "",
        doc: "Close both connections after each response.",
        parse: |cur, p| connections(cur, p, HttpConnections::Close),
    },
    Keyword {
        name: "option http-server-close",
        sections: Sections::PROXY,
        usage: "",
        doc: "Close the server's connection after each response, keep the client's.",
        parse: |cur, p| connections(cur, p, HttpConnections::ServerClose),
    },
    Keyword {
        name: "option http-keep-alive",
        sections: Sections::PROXY,
        usage: "",
        doc: "Keep both connections for further requests; the default.",
        parse: |cur, p| connections(cur, p, HttpConnections::KeepAlive),
    },
    Keyword {
        name: "option http-tunnel",
        sections: Sections::PROXY,
        usage: "",
        doc: "Removed in 2.1: connections are kept alive instead.",
        parse: |cur, _| {
            let said = "The option 'http-tunnel' is not supported anymore since HAProxy 2.1.";
            let diag = Diag::warning(cur.keyword_span(), said)
                .with_reason("requests after the first are looked at, as with http-keep-alive")
                .with_fix("option http-keep-alive");
            cur.warn(diag);
            cur.end()
        },
    },
    Keyword {
        name: "option http-use-htx",
        sections: Sections::PROXY,
        usage: "",
        doc: "Removed in 2.1, where it became the only way; accepted.",
        parse: |cur, _| cur.end(),
    },
    Keyword {
        name: "option http-buffer-request",
        sections: Sections::PROXY,
        usage: "",
        doc: "Wait for the body before a server is chosen.",
        parse: |cur, p| flag(cur, &mut p.options.buffer_request),
    },
    Keyword {
        name: "option http-ignore-probes",
        sections: Sections::FRONT,
        usage: "",
        doc: "Neither log nor answer connections that browsers open in advance.",
        parse: |cur, p| flag(cur, &mut p.front.ignore_probes),
    },
    Keyword {
        name: "option http-pretend-keepalive",
        sections: Sections::BACK,
        usage: "",
        doc: "Tell servers that connections are kept although they are closed.",
        parse: |cur, p| flag(cur, &mut p.back.pretend_keep_alive),
    },
    Keyword {
        name: "option http-use-proxy-header",
        sections: Sections::FRONT,
        usage: "",
        doc: "Ask requests in proxy form for credentials as a proxy does.",
        parse: |cur, p| flag(cur, &mut p.front.use_proxy_header),
    },
    Keyword {
        name: "option log-health-checks",
        sections: Sections::BACK,
        usage: "",
        doc: "Log every health check that changes or fails.",
        parse: |cur, p| flag(cur, &mut p.back.log_health_checks),
    },
    Keyword {
        name: "option log-separate-errors",
        sections: Sections::FRONT,
        usage: "",
        doc: "Log sessions with errors at level err.",
        parse: |cur, p| flag(cur, &mut p.front.log_separate_errors),
    },
    Keyword {
        name: "option logasap",
        sections: Sections::FRONT,
        usage: "",
        doc: "Log as soon as the response's head is known.",
        parse: |cur, p| flag(cur, &mut p.front.log_asap),
    },
    Keyword {
        name: "log-steps",
        sections: Sections::FRONT,
        usage: "{ all | <step>[,<step>...] }",
        doc: "The moments of an exchange at which a log line is written: accept, request, connect, response, close.",
        parse: |cur, p| {
            p.front.log_steps = Some(crate::log::profile::Steps::parse(cur)?);
            cur.end()
        },
    },
    Keyword {
        name: "option nolinger",
        sections: Sections::PROXY,
        usage: "",
        doc: "Forget connections when closing them, without waiting for what was sent.",
        parse: |cur, p| flag(cur, &mut p.options.no_linger),
    },
    Keyword {
        name: "option redispatch",
        sections: Sections::BACK,
        usage: "[<interval>]",
        doc: "Let a retry go to another server than the one that failed or the cookie names.",
        parse: redispatch,
    },
    Keyword {
        name: "option socket-stats",
        sections: Sections::FRONT,
        usage: "",
        doc: "Counts for each listener of the frontend.",
        parse: |cur, p| flag(cur, &mut p.front.socket_stats),
    },
    Keyword {
        name: "option splice-auto",
        sections: Sections::PROXY,
        usage: "",
        doc: "Let the kernel move data between sockets where it pays.",
        parse: |cur, p| flag(cur, &mut p.options.splice.auto),
    },
    Keyword {
        name: "option splice-request",
        sections: Sections::PROXY,
        usage: "",
        doc: "Let the kernel move requests' data between sockets.",
        parse: |cur, p| flag(cur, &mut p.options.splice.request),
    },
    Keyword {
        name: "option splice-response",
        sections: Sections::PROXY,
        usage: "",
        doc: "Let the kernel move responses' data between sockets.",
        parse: |cur, p| flag(cur, &mut p.options.splice.response),
    },
    Keyword {
        name: "option tcp-smart-accept",
        sections: Sections::FRONT,
        usage: "",
        doc: "Save a packet when accepting.",
        parse: |cur, p| flag(cur, &mut p.front.tcp_smart_accept),
    },
    Keyword {
        name: "option tcp-smart-connect",
        sections: Sections::BACK,
        usage: "",
        doc: "Save a packet when connecting to servers.",
        parse: |cur, p| flag(cur, &mut p.back.tcp_smart_connect),
    },
];

/// A switch: on, or off after `no` and `default`.
pub(crate) fn flag(cur: &mut Cursor<'_>, flag: &mut bool) -> Result<(), Diag> {
    *flag = cur.polarity() == Polarity::Plain;
    cur.end()
}

fn connections(
    cur: &mut Cursor<'_>,
    proxy: &mut ProxyDraft,
    mode: HttpConnections,
) -> Result<(), Diag> {
    let set = &mut proxy.options.http_connections;
    match cur.polarity() {
        Polarity::Plain => *set = mode,
        Polarity::No | Polarity::Default if *set == mode => *set = HttpConnections::KeepAlive,
        Polarity::No | Polarity::Default => {}
    }
    cur.end()
}

fn redispatch(cur: &mut Cursor<'_>, proxy: &mut ProxyDraft) -> Result<(), Diag> {
    let interval = if cur.is_empty() {
        -1
    } else {
        cur.integer(i32::MIN + 1..=i32::MAX)?
    };
    let on = cur.polarity() == Polarity::Plain;
    proxy.back.redispatch = if on { interval } else { 0 };
    cur.ignore_rest()
}
