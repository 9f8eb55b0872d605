//! The table of columns: one line a column, in HAProxy's order.
//!
//! What makes the line says what kind of number it is (a count, a rate, an average), and so its tag; what is no such
//! number looks into the object itself.

use super::{Cell, Cell::S32, Cell::Text, Cell::U32, Cell::U64, Column, Origin};
use crate::stats::snapshot::{BackView, CheckView, Kind, ObjectView, ServerCensus, ServerView};
use crate::stats::{Count, Pace, Span};

/// Every column, in order.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    column("pxname",         "KNS", |o| text(&o.proxy), "Name of the proxy."),
    column("svname",         "KNS", |o| text(&o.name), "FRONTEND, BACKEND, or the name of the server or listener."),
    column("qcur",           "MGP", |o| back(o).map(|b| U32(b.queued)), "Requests waiting in line."),
    column("qmax",           "MMP", |o| back(o).map(|_| U32(o.folded.most_queued)), "Longest line since the start."),
    column("scur",           "MGP", |o| Some(U32(o.current)), "Sessions at this moment."),
    column("smax",           "MMP", |o| Some(U32(o.folded.most)), "Most sessions at once since the start."),
    column("slim",           "CLP", |o| o.limit.map(U32), "Limit on sessions: maxconn, or fullconn of a backend."),
    count("stot",            FBSL, Count::Sessions, "Sessions since the start."),
    count("bin",             FBSL, Count::BytesIn, "Bytes from clients."),
    count("bout",            FBSL, Count::BytesOut, "Bytes to clients."),
    count("dreq",            F | B | L, Count::DeniedRequests, "Requests denied by rules."),
    count("dresp",           FBSL, Count::DeniedResponses, "Responses denied by rules."),
    count("ereq",            F | L, Count::FailedRequests, "Requests that were malformed, late or given up."),
    count("econ",            B | S, Count::FailedConnections, "Connections to servers that failed."),
    count("eresp",           B | S, Count::FailedResponses, "Responses that were malformed or broken off."),
    count("wretr",           B | S, Count::Retries, "Connections to servers that were tried again."),
    count("wredis",          B | S, Count::Redispatches, "Requests moved to another server."),
    column("status",         "SGP", |o| text(&o.status), "State of the object."),
    column("weight",         "MaP", |o| back(o).map(|b| U32(b.weight)), "Effective weight; of a backend, the sum over its active servers."),
    column("act",            "MGP", |o| back(o).map(|b| U32(b.active)), "Active servers; of a server, whether it is one."),
    column("bck",            "MGP", |o| back(o).map(|b| U32(b.backup)), "Backup servers; of a server, whether it is one."),
    column("chkfail",        "MCP", check_failures, "Failed checks."),
    column("chkdown",        "MCP", downs, "Times the object went down."),
    column("lastchg",        "MAP", |o| o.last_change.map(U32), "Seconds since the state changed."),
    column("downtime",       "MCP", |o| back(o).and_then(|b| b.downtime).map(U32), "Seconds spent down."),
    column("qlimit",         "CGS", |o| server(o).and_then(|s| s.queue_limit).map(U32), "Limit on the server's line."),
    column("pid",            "KGP", |_| Some(U32(1)), "Number of the process: always 1."),
    column("iid",            "KGS", |o| Some(U32(o.proxy_id)), "Number of the proxy."),
    column("sid",            "KGS", |o| Some(U32(o.id)), "Number of the server or listener."),
    column("throttle",       "MaP", |o| server(o).and_then(|s| s.throttle).map(U32), "Percentage a slow start has reached."),
    count("lbtot",           B | S, Count::Balanced, "Requests balancing gave to the object."),
    column("tracked",        "CNS", |o| server(o).and_then(|s| maybe(&s.tracks)), "The server whose state this one follows."),
    column("type",           "CGS", |o| Some(U32(o.kind.number())), "Kind of object: 0 frontend, 1 backend, 2 server, 3 listener."),
    rate("rate",             FBS, Pace::Sessions, "Sessions in the last second."),
    column("rate_lim",       "CLP", |o| front(o).map(|_| U32(o.rate_limit)), "Limit on new sessions a second."),
    peak("rate_max",         FBS, Pace::Sessions, "Most new sessions in a second."),
    column("check_status",   "MOP", |o| check(o).and_then(|c| text(&c.status)), "Result of the last check."),
    column("check_code",     "MOP", |o| check(o).and_then(|c| c.code).map(U32), "Code of the last check's answer."),
    column("check_duration", "MDP", |o| check(o).and_then(|c| c.duration).map(U64), "Milliseconds the last check took."),
    http_count("hrsp_1xx",   FBS, Count::Responses1xx, "Responses 100 to 199."),
    http_count("hrsp_2xx",   FBS, Count::Responses2xx, "Responses 200 to 299."),
    http_count("hrsp_3xx",   FBS, Count::Responses3xx, "Responses 300 to 399."),
    http_count("hrsp_4xx",   FBS, Count::Responses4xx, "Responses 400 to 499."),
    http_count("hrsp_5xx",   FBS, Count::Responses5xx, "Responses 500 to 599."),
    http_count("hrsp_other", FBS, Count::ResponsesOther, "Responses of other statuses."),
    column("hanafail",       "MCP", observed, "Errors in traffic that counted against the server's health."),
    rate("req_rate",         F, Pace::Requests, "Requests in the last second."),
    peak("req_rate_max",     F, Pace::Requests, "Most requests in a second."),
    column("req_tot",        "MCP", requests, "Requests since the start."),
    count("cli_abrt",        B | S, Count::ClientAborts, "Transfers the client broke off."),
    count("srv_abrt",        B | S, Count::ServerAborts, "Transfers the server broke off."),
    count("comp_in",         F | B, Count::CompressedIn, "Bytes given to the compressor."),
    count("comp_out",        F | B, Count::CompressedOut, "Bytes the compressor gave back."),
    count("comp_byp",        F | B, Count::CompressionBypassed, "Bytes that bypassed the compressor for want of processor time or bandwidth."),
    count("comp_rsp",        F | B, Count::CompressedResponses, "Responses compressed."),
    column("lastsess",       "MAP", |o| back(o).map(|_| last_session(o)), "Seconds since the last session; -1 before the first."),
    column("last_chk",       "MOP", |o| check(o).and_then(|c| maybe(&c.last)), "What the server said to the last check."),
    column("last_agt",       "MOP", |o| agent(o).and_then(|c| maybe(&c.last)), "What the agent said last."),
    average("qtime",         Span::Queue, "Average milliseconds in line, last 1024 exchanges."),
    average("ctime",         Span::Connect, "Average milliseconds connecting, last 1024 exchanges."),
    average("rtime",         Span::Response, "Average milliseconds until the response, last 1024 exchanges."),
    average("ttime",         Span::Total, "Average milliseconds in all, last 1024 exchanges."),
    column("agent_status",   "MOP", |o| agent(o).and_then(|c| text(&c.status)), "Result of the last agent check."),
    column("agent_code",     "MOP", |o| agent(o).and_then(|c| c.code).map(U32), "Code of the last agent check."),
    column("agent_duration", "MDP", |o| agent(o).and_then(|c| c.duration).map(U64), "Milliseconds the last agent check took."),
    column("check_desc",     "MOP", |o| check(o).and_then(|c| text(&c.description)), "What check_status means."),
    column("agent_desc",     "MOP", |o| agent(o).and_then(|c| text(&c.description)), "What agent_status means."),
    column("check_rise",     "CGS", |o| check(o).map(|c| U32(c.rise)), "Good checks that bring the server up."),
    column("check_fall",     "CGS", |o| check(o).map(|c| U32(c.fall)), "Bad checks that bring the server down."),
    column("check_health",   "CGS", |o| check(o).map(|c| U32(c.health)), "Where the check stands between 0 and rise+fall-1."),
    column("agent_rise",     "CGS", |o| agent(o).map(|c| U32(c.rise)), "Good checks that bring the server up."),
    column("agent_fall",     "CGS", |o| agent(o).map(|c| U32(c.fall)), "Bad checks that bring the server down."),
    column("agent_health",   "CGS", |o| agent(o).map(|c| U32(c.health)), "Where the check stands between 0 and rise+fall-1."),
    column("addr",           "CGS", |o| maybe(&o.address), "Address of the server or listener."),
    column("cookie",         "CNS", |o| back(o).and_then(|b| maybe(&b.cookie)), "Cookie of the backend, or the server's value of it."),
    column("mode",           "CGS", |o| Some(Text(if o.http { "http" } else { "tcp" })), "Mode of the proxy."),
    column("algo",           "CGS", |o| back(o).and_then(|b| maybe(&b.algorithm)), "Balancing algorithm."),
    rate("conn_rate",        F, Pace::Connections, "Connections in the last second."),
    peak("conn_rate_max",    F, Pace::Connections, "Most connections in a second."),
    count("conn_tot",        F, Count::Connections, "Connections since the start."),
    http_count("intercepted", F, Count::Intercepted, "Requests the proxy answered itself."),
    count("dcon",            F | L, Count::DeniedConnections, "Connections denied by rules."),
    count("dses",            F | L, Count::DeniedSessions, "Sessions denied by rules."),
    count("wrew",            FBSL, Count::FailedRewrites, "Header rewrites that had no room."),
    count("connect",         B | S, Count::Connects, "Connections opened to servers."),
    count("reuse",           B | S, Count::Reuses, "Requests sent over a connection that stood open."),
    http_count("cache_lookups", F | B, Count::CacheLookups, "Look-ups in a cache."),
    http_count("cache_hits", F | B, Count::CacheHits, "Look-ups that found."),
    column("srv_icur",       "MGP", |o| server(o).map(|s| U32(s.idle.0 + s.idle.1)), "Idle connections that can be used again."),
    column("src_ilim",       "CLP", |o| server(o).and_then(|s| s.idle_limit).map(U32), "Limit on idle connections."),
    longest("qtime_max",     Span::Queue, "Most milliseconds in line."),
    longest("ctime_max",     Span::Connect, "Most milliseconds connecting."),
    longest("rtime_max",     Span::Response, "Most milliseconds until the response."),
    longest("ttime_max",     Span::Total, "Most milliseconds in all."),
    count("eint",            FBSL, Count::InternalErrors, "Failures of the proxy itself."),
    column("idle_conn_cur",  "MGP", |o| server(o).map(|s| U32(s.idle.0)), "Idle connections that only safe requests may use."),
    column("safe_conn_cur",  "MGP", |o| server(o).map(|s| U32(s.idle.1)), "Idle connections that any request may use."),
    column("used_conn_cur",  "MGP", |o| server(o).map(|s| U32(s.used)), "Connections in use."),
    column("need_conn_est",  "MGP", |o| server(o).map(|s| U32(s.needed)), "Connections thought to be needed."),
    column("uweight",        "MaP", |o| back(o).map(|b| U32(b.user_weight)), "The operator's weight; of a backend, the sum over its active servers."),
    column("agg_server_status", "MGP", |o| census(o).map(|c| U32(c.up)), "Servers that are up."),
    column("agg_server_check_status", "MGP", |o| census(o).map(|c| U32(c.up)), "Servers that are up; the older name."),
    column("agg_check_status", "MGP", |o| census(o).map(|c| U32(c.up)), "Servers that are up, by their checks."),
    // The columns of protocols follow.
    column("-",              "MCP", |_| None, ""),
    count("ssl_sess",        FBSL, Count::TlsSessions, "TLS sessions."),
    count("ssl_reused_sess", FBSL, Count::TlsResumed, "TLS sessions resumed."),
    count("ssl_failed_handshake", FBSL, Count::TlsFailed, "TLS handshakes that failed."),
    column("h2_headers_rcvd", "MCP", none_yet, "HTTP/2: headers received."),
    column("h2_data_rcvd",   "MCP", none_yet, "HTTP/2: data received."),
    column("h2_settings_rcvd", "MCP", none_yet, "HTTP/2: settings received."),
    column("h2_rst_stream_rcvd", "MCP", none_yet, "HTTP/2: rst stream received."),
    column("h2_goaway_rcvd", "MCP", none_yet, "HTTP/2: goaway received."),
    column("h2_detected_conn_protocol_errors", "MCP", none_yet, "HTTP/2: detected connection protocol errors."),
    column("h2_detected_strm_protocol_errors", "MCP", none_yet, "HTTP/2: detected stream protocol errors."),
    column("h2_rst_stream_resp", "MCP", none_yet, "HTTP/2: rst stream sent."),
    column("h2_goaway_resp", "MCP", none_yet, "HTTP/2: goaway sent."),
    column("h2_open_connections", "MGP", none_yet, "HTTP/2: open connections."),
    column("h2_backend_open_streams", "MGP", none_yet, "HTTP/2: backend open streams."),
    column("h2_total_connections", "MCP", none_yet, "HTTP/2: total connections."),
    column("h2_backend_total_streams", "MCP", none_yet, "HTTP/2: backend total streams."),
    column("h1_open_connections", "MGP", http_connections, "HTTP/1 connections at this moment."),
    column("h1_open_streams", "MGP", http_current, "HTTP/1 requests at this moment."),
    column("h1_total_connections", "MCP", http_connected, "HTTP/1 connections."),
    column("h1_total_streams", "MCP", |o| http(o, Count::Requests), "HTTP/1 requests."),
    column("h1_bytes_in", "MCP", |o| http(o, Count::BytesIn), "Bytes received over HTTP/1."),
    column("h1_bytes_out", "MCP", |o| http(o, Count::BytesOut), "Bytes sent over HTTP/1."),
    count("h1_spliced_bytes_in", F | B, Count::SplicedIn, "Bytes received without passing through the program."),
    count("h1_spliced_bytes_out", F | B, Count::SplicedOut, "Bytes sent without passing through the program."),
    http_count("cache_hint_hits", F | B, Count::CacheHints, "Look-ups in a cache that found only hints."),
];

// Kinds of objects, to be joined.
const F: u32 = 1;
const B: u32 = 2;
const S: u32 = 4;
const L: u32 = 8;
const FBS: u32 = F | B | S;
const FBSL: u32 = FBS | L;

const fn count(name: &'static str, kinds: u32, what: Count, doc: &'static str) -> Column {
    row(name, "MCP", Origin::Count(kinds, what), doc)
}

const fn http_count(name: &'static str, kinds: u32, what: Count, doc: &'static str) -> Column {
    row(name, "MCP", Origin::HttpCount(kinds, what), doc)
}

const fn rate(name: &'static str, kinds: u32, what: Pace, doc: &'static str) -> Column {
    row(name, "MRP", Origin::Rate(kinds, what), doc)
}

const fn peak(name: &'static str, kinds: u32, what: Pace, doc: &'static str) -> Column {
    row(name, "MMP", Origin::Peak(kinds, what), doc)
}

const fn average(name: &'static str, what: Span, doc: &'static str) -> Column {
    row(name, "MaP", Origin::Average(what), doc)
}

const fn longest(name: &'static str, what: Span, doc: &'static str) -> Column {
    row(name, "MMP", Origin::Longest(what), doc)
}

const fn column(
    name: &'static str,
    tag: &'static str,
    look: fn(&ObjectView) -> Option<Cell<'_>>,
    doc: &'static str,
) -> Column {
    row(name, tag, Origin::Object(look), doc)
}

const fn row(name: &'static str, tag: &'static str, origin: Origin, doc: &'static str) -> Column {
    Column {
        name,
        tag,
        doc,
        origin,
    }
}

fn text(text: &str) -> Option<Cell<'_>> {
    Some(Text(text))
}

fn maybe(text: &Option<String>) -> Option<Cell<'_>> {
    text.as_deref().map(Text)
}

fn front(o: &ObjectView) -> Option<&ObjectView> {
    (o.kind == Kind::Frontend).then_some(o)
}

fn back(o: &ObjectView) -> Option<&BackView> {
    o.back.as_ref()
}

fn server(o: &ObjectView) -> Option<&ServerView> {
    o.server.as_ref()
}

fn check(o: &ObjectView) -> Option<&CheckView> {
    server(o)?.check.as_ref()
}

fn agent(o: &ObjectView) -> Option<&CheckView> {
    server(o)?.agent.as_ref()
}

fn census(o: &ObjectView) -> Option<&ServerCensus> {
    back(o)?.census.as_ref()
}

/// A server was given a request with every session that it was given.
fn requests(o: &ObjectView) -> Option<Cell<'_>> {
    if o.kind == Kind::Server {
        return Origin::HttpCount(S, Count::Sessions).cell(o);
    }
    let kinds = if o.http { F | B } else { F };
    Origin::Count(kinds, Count::Requests).cell(o)
}

fn downs(o: &ObjectView) -> Option<Cell<'_>> {
    let knows = o.kind == Kind::Backend || server(o).is_some_and(|server| server.checked);
    let kinds = if knows { B | S } else { 0 };
    Origin::Count(kinds, Count::WentDown).cell(o)
}

fn check_failures(o: &ObjectView) -> Option<Cell<'_>> {
    server(o)
        .filter(|server| server.checked)
        .and_then(|_| Origin::Count(S, Count::FailedChecks).cell(o))
}

fn observed(o: &ObjectView) -> Option<Cell<'_>> {
    server(o)
        .filter(|server| server.observes)
        .and_then(|_| Origin::Count(S, Count::ObservedErrors).cell(o))
}

fn last_session(o: &ObjectView) -> Cell<'_> {
    let seconds = o.last_session.map(i32::try_from);
    S32(seconds.map_or(-1, |seconds| seconds.unwrap_or(i32::MAX)))
}

/// HTTP/2 is not spoken: nothing of it has been counted.
fn none_yet(o: &ObjectView) -> Option<Cell<'_>> {
    o.is_of(F | B).then_some(U64(0))
}

/// A count of a proxy that speaks HTTP, which is all of HTTP/1; of another nothing.
fn http(o: &ObjectView, what: Count) -> Option<Cell<'_>> {
    let count = if o.http { o.folded.count(what) } else { 0 };
    o.is_of(F | B).then_some(U64(count))
}

fn http_connected(o: &ObjectView) -> Option<Cell<'_>> {
    match o.kind {
        Kind::Backend => http(o, Count::Connects),
        Kind::Frontend | Kind::Listener | Kind::Server => http(o, Count::Connections),
    }
}

fn http_connections(o: &ObjectView) -> Option<Cell<'_>> {
    let current = back(o).map_or(o.current, |back| back.connections);
    o.is_of(F | B)
        .then_some(U64(if o.http { u64::from(current) } else { 0 }))
}

fn http_current(o: &ObjectView) -> Option<Cell<'_>> {
    let count = |what| o.folded.count(what);
    let current = match o.kind {
        _ if !o.http => 0,
        Kind::Frontend => count(Count::Requests).saturating_sub(count(Count::Exchanges)),
        Kind::Backend | Kind::Listener | Kind::Server => u64::from(o.current),
    };
    o.is_of(F | B).then_some(U64(current))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_haproxys() {
        let at = |name: &str| COLUMNS.iter().position(|column| column.name == name);
        for (place, name) in [
            (0, "pxname"),
            (17, "status"),
            (33, "rate"),
            (48, "req_tot"),
            (55, "lastsess"),
            (73, "addr"),
            (88, "srv_icur"),
            (102, "agg_check_status"),
            (103, "-"),
            (104, "ssl_sess"),
            (107, "h2_headers_rcvd"),
            (127, "h1_spliced_bytes_out"),
            (128, "cache_hint_hits"),
        ] {
            assert_eq!(at(name), Some(place), "{name}");
        }
        assert_eq!(COLUMNS.len(), 129);
    }

    #[test]
    fn every_column_says_what_it_is() {
        for column in COLUMNS.iter().filter(|column| !column.is_mark()) {
            assert!(column.doc.ends_with('.'), "{}", column.name);
            assert_eq!(column.tag.len(), 3);
        }
    }
}
