//! The columns of `show stat`, one row each, in HAProxy's order: name, tag, what it is, where it comes from.
//!
//! A column that an object has not is an empty field. The tag's letters are origin (Metric, Status, Key, Config,
//! Product), nature (Age, average, Counter, Duration, Gauge, Limit, Maximum, Name, Output, Rate) and scope (Process,
//! Service), as `show stat typed` prints them.

use super::shard::{Count, Pace, Span};
use super::snapshot::{BackView, CheckView, Kind, ObjectView, ServerCensus, ServerView};

/// One column.
pub struct Column {
    /// Its name in the CSV header.
    pub name: &'static str,
    /// Origin, nature and scope.
    pub tag: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Its value for an object; none: the object has no such thing.
    pub cell: fn(&ObjectView) -> Option<Cell<'_>>,
}

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// An unsigned number of 32 bits.
    U32(u32),
    /// An unsigned number of 64 bits.
    U64(u64),
    /// A number that may be negative.
    S32(i32),
    /// A word or a sentence.
    Text(&'a str),
}

use Cell::{S32, Text, U32, U64};

impl Cell<'_> {
    /// The name of its type in typed output.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            U32(_) => "u32",
            U64(_) => "u64",
            S32(_) => "s32",
            Text(_) => "str",
        }
    }
}

impl Column {
    /// The tag for a kind of object: what a server is told is a backend's count.
    #[must_use]
    pub fn tag_of(&self, kind: Kind) -> &'static str {
        match (self.name, kind) {
            ("act" | "bck", Kind::Server) => "SGP",
            ("rate" | "rate_max", Kind::Backend) => "MGP",
            _ => self.tag,
        }
    }

    /// Whether it is the mark between the old columns and those of protocols.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.name == "-"
    }
}

/// Every column, in order.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "pxname",
        tag: "KNS",
        doc: "Name of the proxy.",
        cell: |o| text(&o.proxy),
    },
    Column {
        name: "svname",
        tag: "KNS",
        doc: "FRONTEND, BACKEND, or the name of the server or listener.",
        cell: |o| text(&o.name),
    },
    Column {
        name: "qcur",
        tag: "MGP",
        doc: "Requests waiting in line.",
        cell: |o| back(o).map(|b| U32(b.queued)),
    },
    Column {
        name: "qmax",
        tag: "MMP",
        doc: "Longest line since the start.",
        cell: |o| back(o).map(|_| U32(o.folded.most_queued)),
    },
    Column {
        name: "scur",
        tag: "MGP",
        doc: "Sessions at this moment.",
        cell: |o| Some(U32(o.current)),
    },
    Column {
        name: "smax",
        tag: "MMP",
        doc: "Most sessions at once since the start.",
        cell: |o| Some(U32(o.folded.most)),
    },
    Column {
        name: "slim",
        tag: "CLP",
        doc: "Limit on sessions: maxconn, or fullconn of a backend.",
        cell: |o| o.limit.map(U32),
    },
    Column {
        name: "stot",
        tag: "MCP",
        doc: "Sessions since the start.",
        cell: |o| count(o, FBSL, Count::Sessions),
    },
    Column {
        name: "bin",
        tag: "MCP",
        doc: "Bytes from clients.",
        cell: |o| count(o, FBSL, Count::BytesIn),
    },
    Column {
        name: "bout",
        tag: "MCP",
        doc: "Bytes to clients.",
        cell: |o| count(o, FBSL, Count::BytesOut),
    },
    Column {
        name: "dreq",
        tag: "MCP",
        doc: "Requests denied by rules.",
        cell: |o| count(o, F | B | L, Count::DeniedRequests),
    },
    Column {
        name: "dresp",
        tag: "MCP",
        doc: "Responses denied by rules.",
        cell: |o| count(o, FBSL, Count::DeniedResponses),
    },
    Column {
        name: "ereq",
        tag: "MCP",
        doc: "Requests that were malformed, late or given up.",
        cell: |o| count(o, F | L, Count::FailedRequests),
    },
    Column {
        name: "econ",
        tag: "MCP",
        doc: "Connections to servers that failed.",
        cell: |o| count(o, B | S, Count::FailedConnections),
    },
    Column {
        name: "eresp",
        tag: "MCP",
        doc: "Responses that were malformed or broken off.",
        cell: |o| count(o, B | S, Count::FailedResponses),
    },
    Column {
        name: "wretr",
        tag: "MCP",
        doc: "Connections to servers that were tried again.",
        cell: |o| count(o, B | S, Count::Retries),
    },
    Column {
        name: "wredis",
        tag: "MCP",
        doc: "Requests moved to another server.",
        cell: |o| count(o, B | S, Count::Redispatches),
    },
    Column {
        name: "status",
        tag: "SGP",
        doc: "State of the object.",
        cell: |o| text(&o.status),
    },
    Column {
        name: "weight",
        tag: "MaP",
        doc: "Effective weight; of a backend, the sum over its active servers.",
        cell: |o| back(o).map(|b| U32(b.weight)),
    },
    Column {
        name: "act",
        tag: "MGP",
        doc: "Active servers; of a server, whether it is one.",
        cell: |o| back(o).map(|b| U32(b.active)),
    },
    Column {
        name: "bck",
        tag: "MGP",
        doc: "Backup servers; of a server, whether it is one.",
        cell: |o| back(o).map(|b| U32(b.backup)),
    },
    Column {
        name: "chkfail",
        tag: "MCP",
        doc: "Failed checks.",
        cell: |o| check(o).and_then(|_| count(o, S, Count::FailedChecks)),
    },
    Column {
        name: "chkdown",
        tag: "MCP",
        doc: "Times the object went down.",
        cell: |o| downs(o),
    },
    Column {
        name: "lastchg",
        tag: "MAP",
        doc: "Seconds since the state changed.",
        cell: |o| o.last_change.map(U32),
    },
    Column {
        name: "downtime",
        tag: "MCP",
        doc: "Seconds spent down.",
        cell: |o| back(o).and_then(|b| b.downtime).map(U32),
    },
    Column {
        name: "qlimit",
        tag: "CGS",
        doc: "Limit on the server's line.",
        cell: |o| server(o).and_then(|s| s.queue_limit).map(U32),
    },
    Column {
        name: "pid",
        tag: "KGP",
        doc: "Number of the process: always 1.",
        cell: |_| Some(U32(1)),
    },
    Column {
        name: "iid",
        tag: "KGS",
        doc: "Number of the proxy.",
        cell: |o| Some(U32(o.proxy_id)),
    },
    Column {
        name: "sid",
        tag: "KGS",
        doc: "Number of the server or listener.",
        cell: |o| Some(U32(o.id)),
    },
    Column {
        name: "throttle",
        tag: "MaP",
        doc: "Percentage a slow start has reached.",
        cell: |o| server(o).and_then(|s| s.throttle).map(U32),
    },
    Column {
        name: "lbtot",
        tag: "MCP",
        doc: "Requests balancing gave to the object.",
        cell: |o| count(o, B | S, Count::Balanced),
    },
    Column {
        name: "tracked",
        tag: "CNS",
        doc: "The server whose state this one follows.",
        cell: |o| server(o).and_then(|s| maybe(&s.tracks)),
    },
    Column {
        name: "type",
        tag: "CGS",
        doc: "Kind of object: 0 frontend, 1 backend, 2 server, 3 listener.",
        cell: |o| Some(U32(o.kind.number())),
    },
    Column {
        name: "rate",
        tag: "MRP",
        doc: "Sessions in the last second.",
        cell: |o| rate(o, FBS, Pace::Sessions),
    },
    Column {
        name: "rate_lim",
        tag: "CLP",
        doc: "Limit on new sessions a second.",
        cell: |o| front(o).map(|_| U32(o.rate_limit)),
    },
    Column {
        name: "rate_max",
        tag: "MMP",
        doc: "Most new sessions in a second.",
        cell: |o| peak(o, FBS, Pace::Sessions),
    },
    Column {
        name: "check_status",
        tag: "MOP",
        doc: "Result of the last check.",
        cell: |o| check(o).and_then(|c| text(&c.status)),
    },
    Column {
        name: "check_code",
        tag: "MOP",
        doc: "Code of the last check's answer.",
        cell: |o| check(o).and_then(|c| c.code).map(U32),
    },
    Column {
        name: "check_duration",
        tag: "MDP",
        doc: "Milliseconds the last check took.",
        cell: |o| check(o).and_then(|c| c.duration).map(U64),
    },
    Column {
        name: "hrsp_1xx",
        tag: "MCP",
        doc: "Responses 100 to 199.",
        cell: |o| http_count(o, FBS, Count::Responses1xx),
    },
    Column {
        name: "hrsp_2xx",
        tag: "MCP",
        doc: "Responses 200 to 299.",
        cell: |o| http_count(o, FBS, Count::Responses2xx),
    },
    Column {
        name: "hrsp_3xx",
        tag: "MCP",
        doc: "Responses 300 to 399.",
        cell: |o| http_count(o, FBS, Count::Responses3xx),
    },
    Column {
        name: "hrsp_4xx",
        tag: "MCP",
        doc: "Responses 400 to 499.",
        cell: |o| http_count(o, FBS, Count::Responses4xx),
    },
    Column {
        name: "hrsp_5xx",
        tag: "MCP",
        doc: "Responses 500 to 599.",
        cell: |o| http_count(o, FBS, Count::Responses5xx),
    },
    Column {
        name: "hrsp_other",
        tag: "MCP",
        doc: "Responses of other statuses.",
        cell: |o| http_count(o, FBS, Count::ResponsesOther),
    },
    Column {
        name: "hanafail",
        tag: "MCP",
        doc: "Errors in traffic that counted against the server's health.",
        cell: |o| observed(o),
    },
    Column {
        name: "req_rate",
        tag: "MRP",
        doc: "Requests in the last second.",
        cell: |o| rate(o, F, Pace::Requests),
    },
    Column {
        name: "req_rate_max",
        tag: "MMP",
        doc: "Most requests in a second.",
        cell: |o| peak(o, F, Pace::Requests),
    },
    Column {
        name: "req_tot",
        tag: "MCP",
        doc: "Requests since the start.",
        cell: |o| requests(o),
    },
    Column {
        name: "cli_abrt",
        tag: "MCP",
        doc: "Transfers the client broke off.",
        cell: |o| count(o, B | S, Count::ClientAborts),
    },
    Column {
        name: "srv_abrt",
        tag: "MCP",
        doc: "Transfers the server broke off.",
        cell: |o| count(o, B | S, Count::ServerAborts),
    },
    Column {
        name: "comp_in",
        tag: "MCP",
        doc: "Bytes given to the compressor.",
        cell: |o| count(o, F | B, Count::CompressedIn),
    },
    Column {
        name: "comp_out",
        tag: "MCP",
        doc: "Bytes the compressor gave back.",
        cell: |o| count(o, F | B, Count::CompressedOut),
    },
    Column {
        name: "comp_byp",
        tag: "MCP",
        doc: "Bytes that bypassed the compressor for want of processor time or bandwidth.",
        cell: |o| count(o, F | B, Count::CompressionBypassed),
    },
    Column {
        name: "comp_rsp",
        tag: "MCP",
        doc: "Responses compressed.",
        cell: |o| count(o, F | B, Count::CompressedResponses),
    },
    Column {
        name: "lastsess",
        tag: "MAP",
        doc: "Seconds since the last session; -1 before the first.",
        cell: |o| back(o).map(|_| last_session(o)),
    },
    Column {
        name: "last_chk",
        tag: "MOP",
        doc: "What the server said to the last check.",
        cell: |o| check(o).and_then(|c| maybe(&c.last)),
    },
    Column {
        name: "last_agt",
        tag: "MOP",
        doc: "What the agent said last.",
        cell: |o| agent(o).and_then(|c| maybe(&c.last)),
    },
    Column {
        name: "qtime",
        tag: "MaP",
        doc: "Average milliseconds in line, last 1024 exchanges.",
        cell: |o| average(o, Span::Queue),
    },
    Column {
        name: "ctime",
        tag: "MaP",
        doc: "Average milliseconds connecting, last 1024 exchanges.",
        cell: |o| average(o, Span::Connect),
    },
    Column {
        name: "rtime",
        tag: "MaP",
        doc: "Average milliseconds until the response, last 1024 exchanges.",
        cell: |o| average(o, Span::Response),
    },
    Column {
        name: "ttime",
        tag: "MaP",
        doc: "Average milliseconds in all, last 1024 exchanges.",
        cell: |o| average(o, Span::Total),
    },
    Column {
        name: "agent_status",
        tag: "MOP",
        doc: "Result of the last agent check.",
        cell: |o| agent(o).and_then(|c| text(&c.status)),
    },
    Column {
        name: "agent_code",
        tag: "MOP",
        doc: "Code of the last agent check.",
        cell: |o| agent(o).and_then(|c| c.code).map(U32),
    },
    Column {
        name: "agent_duration",
        tag: "MDP",
        doc: "Milliseconds the last agent check took.",
        cell: |o| agent(o).and_then(|c| c.duration).map(U64),
    },
    Column {
        name: "check_desc",
        tag: "MOP",
        doc: "What check_status means.",
        cell: |o| check(o).and_then(|c| text(&c.description)),
    },
    Column {
        name: "agent_desc",
        tag: "MOP",
        doc: "What agent_status means.",
        cell: |o| agent(o).and_then(|c| text(&c.description)),
    },
    Column {
        name: "check_rise",
        tag: "CGS",
        doc: "Good checks that bring the server up.",
        cell: |o| check(o).map(|c| U32(c.rise)),
    },
    Column {
        name: "check_fall",
        tag: "CGS",
        doc: "Bad checks that bring the server down.",
        cell: |o| check(o).map(|c| U32(c.fall)),
    },
    Column {
        name: "check_health",
        tag: "CGS",
        doc: "Where the check stands between 0 and rise+fall-1.",
        cell: |o| check(o).map(|c| U32(c.health)),
    },
    Column {
        name: "agent_rise",
        tag: "CGS",
        doc: "Good checks that bring the server up.",
        cell: |o| agent(o).map(|c| U32(c.rise)),
    },
    Column {
        name: "agent_fall",
        tag: "CGS",
        doc: "Bad checks that bring the server down.",
        cell: |o| agent(o).map(|c| U32(c.fall)),
    },
    Column {
        name: "agent_health",
        tag: "CGS",
        doc: "Where the check stands between 0 and rise+fall-1.",
        cell: |o| agent(o).map(|c| U32(c.health)),
    },
    Column {
        name: "addr",
        tag: "CGS",
        doc: "Address of the server or listener.",
        cell: |o| maybe(&o.address),
    },
    Column {
        name: "cookie",
        tag: "CNS",
        doc: "Cookie of the backend, or the server's value of it.",
        cell: |o| back(o).and_then(|b| maybe(&b.cookie)),
    },
    Column {
        name: "mode",
        tag: "CGS",
        doc: "Mode of the proxy.",
        cell: |o| Some(Text(if o.http { "http" } else { "tcp" })),
    },
    Column {
        name: "algo",
        tag: "CGS",
        doc: "Balancing algorithm.",
        cell: |o| back(o).and_then(|b| maybe(&b.algorithm)),
    },
    Column {
        name: "conn_rate",
        tag: "MRP",
        doc: "Connections in the last second.",
        cell: |o| rate(o, F, Pace::Connections),
    },
    Column {
        name: "conn_rate_max",
        tag: "MMP",
        doc: "Most connections in a second.",
        cell: |o| peak(o, F, Pace::Connections),
    },
    Column {
        name: "conn_tot",
        tag: "MCP",
        doc: "Connections since the start.",
        cell: |o| count(o, F, Count::Connections),
    },
    Column {
        name: "intercepted",
        tag: "MCP",
        doc: "Requests the proxy answered itself.",
        cell: |o| http_count(o, F, Count::Intercepted),
    },
    Column {
        name: "dcon",
        tag: "MCP",
        doc: "Connections denied by rules.",
        cell: |o| count(o, F | L, Count::DeniedConnections),
    },
    Column {
        name: "dses",
        tag: "MCP",
        doc: "Sessions denied by rules.",
        cell: |o| count(o, F | L, Count::DeniedSessions),
    },
    Column {
        name: "wrew",
        tag: "MCP",
        doc: "Header rewrites that had no room.",
        cell: |o| count(o, FBSL, Count::FailedRewrites),
    },
    Column {
        name: "connect",
        tag: "MCP",
        doc: "Connections opened to servers.",
        cell: |o| count(o, B | S, Count::Connects),
    },
    Column {
        name: "reuse",
        tag: "MCP",
        doc: "Requests sent over a connection that stood open.",
        cell: |o| count(o, B | S, Count::Reuses),
    },
    Column {
        name: "cache_lookups",
        tag: "MCP",
        doc: "Look-ups in a cache.",
        cell: |o| http_count(o, F | B, Count::CacheLookups),
    },
    Column {
        name: "cache_hits",
        tag: "MCP",
        doc: "Look-ups that found.",
        cell: |o| http_count(o, F | B, Count::CacheHits),
    },
    Column {
        name: "srv_icur",
        tag: "MGP",
        doc: "Idle connections that can be used again.",
        cell: |o| server(o).map(|s| U32(s.idle.0 + s.idle.1)),
    },
    Column {
        name: "src_ilim",
        tag: "CLP",
        doc: "Limit on idle connections.",
        cell: |o| server(o).and_then(|s| s.idle_limit).map(U32),
    },
    Column {
        name: "qtime_max",
        tag: "MMP",
        doc: "Most milliseconds in line.",
        cell: |o| longest(o, Span::Queue),
    },
    Column {
        name: "ctime_max",
        tag: "MMP",
        doc: "Most milliseconds connecting.",
        cell: |o| longest(o, Span::Connect),
    },
    Column {
        name: "rtime_max",
        tag: "MMP",
        doc: "Most milliseconds until the response.",
        cell: |o| longest(o, Span::Response),
    },
    Column {
        name: "ttime_max",
        tag: "MMP",
        doc: "Most milliseconds in all.",
        cell: |o| longest(o, Span::Total),
    },
    Column {
        name: "eint",
        tag: "MCP",
        doc: "Failures of the proxy itself.",
        cell: |o| count(o, FBSL, Count::InternalErrors),
    },
    Column {
        name: "idle_conn_cur",
        tag: "MGP",
        doc: "Idle connections that only safe requests may use.",
        cell: |o| server(o).map(|s| U32(s.idle.0)),
    },
    Column {
        name: "safe_conn_cur",
        tag: "MGP",
        doc: "Idle connections that any request may use.",
        cell: |o| server(o).map(|s| U32(s.idle.1)),
    },
    Column {
        name: "used_conn_cur",
        tag: "MGP",
        doc: "Connections in use.",
        cell: |o| server(o).map(|s| U32(s.used)),
    },
    Column {
        name: "need_conn_est",
        tag: "MGP",
        doc: "Connections thought to be needed.",
        cell: |o| server(o).map(|s| U32(s.needed)),
    },
    Column {
        name: "uweight",
        tag: "MaP",
        doc: "The operator's weight; of a backend, the sum over its active servers.",
        cell: |o| back(o).map(|b| U32(b.user_weight)),
    },
    Column {
        name: "agg_server_status",
        tag: "MGP",
        doc: "Servers that are up.",
        cell: |o| census(o).map(|c| U32(c.up)),
    },
    Column {
        name: "agg_server_check_status",
        tag: "MGP",
        doc: "Servers that are up; the older name.",
        cell: |o| census(o).map(|c| U32(c.up)),
    },
    Column {
        name: "agg_check_status",
        tag: "MGP",
        doc: "Servers that are up, by their checks.",
        cell: |o| census(o).map(|c| U32(c.up)),
    },
    // The columns of protocols follow.
    Column {
        name: "-",
        tag: "MCP",
        doc: "",
        cell: |_| None,
    },
    Column {
        name: "ssl_sess",
        tag: "MCP",
        doc: "TLS sessions.",
        cell: |o| count(o, FBSL, Count::TlsSessions),
    },
    Column {
        name: "ssl_reused_sess",
        tag: "MCP",
        doc: "TLS sessions resumed.",
        cell: |o| count(o, FBSL, Count::TlsResumed),
    },
    Column {
        name: "ssl_failed_handshake",
        tag: "MCP",
        doc: "TLS handshakes that failed.",
        cell: |o| count(o, FBSL, Count::TlsFailed),
    },
    Column {
        name: "h2_headers_rcvd",
        tag: "MCP",
        doc: "HTTP/2: headers received.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_data_rcvd",
        tag: "MCP",
        doc: "HTTP/2: data received.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_settings_rcvd",
        tag: "MCP",
        doc: "HTTP/2: settings received.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_rst_stream_rcvd",
        tag: "MCP",
        doc: "HTTP/2: rst stream received.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_goaway_rcvd",
        tag: "MCP",
        doc: "HTTP/2: goaway received.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_detected_conn_protocol_errors",
        tag: "MCP",
        doc: "HTTP/2: detected connection protocol errors.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_detected_strm_protocol_errors",
        tag: "MCP",
        doc: "HTTP/2: detected stream protocol errors.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_rst_stream_resp",
        tag: "MCP",
        doc: "HTTP/2: rst stream sent.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_goaway_resp",
        tag: "MCP",
        doc: "HTTP/2: goaway sent.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_open_connections",
        tag: "MGP",
        doc: "HTTP/2: open connections.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_backend_open_streams",
        tag: "MGP",
        doc: "HTTP/2: backend open streams.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_total_connections",
        tag: "MCP",
        doc: "HTTP/2: total connections.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h2_backend_total_streams",
        tag: "MCP",
        doc: "HTTP/2: backend total streams.",
        cell: |o| none_yet(o),
    },
    Column {
        name: "h1_open_connections",
        tag: "MGP",
        doc: "HTTP/1 connections at this moment.",
        cell: |o| http_current(o),
    },
    Column {
        name: "h1_open_streams",
        tag: "MGP",
        doc: "HTTP/1 requests at this moment.",
        cell: |o| http_current(o),
    },
    Column {
        name: "h1_total_connections",
        tag: "MCP",
        doc: "HTTP/1 connections.",
        cell: |o| count(o, F | B, Count::H1Connections),
    },
    Column {
        name: "h1_total_streams",
        tag: "MCP",
        doc: "HTTP/1 requests.",
        cell: |o| count(o, F | B, Count::H1Streams),
    },
    Column {
        name: "h1_bytes_in",
        tag: "MCP",
        doc: "Bytes received over HTTP/1.",
        cell: |o| http_count(o, F | B, Count::BytesIn),
    },
    Column {
        name: "h1_bytes_out",
        tag: "MCP",
        doc: "Bytes sent over HTTP/1.",
        cell: |o| http_count(o, F | B, Count::BytesOut),
    },
    Column {
        name: "h1_spliced_bytes_in",
        tag: "MCP",
        doc: "Bytes received without passing through the program.",
        cell: |o| count(o, F | B, Count::SplicedIn),
    },
    Column {
        name: "h1_spliced_bytes_out",
        tag: "MCP",
        doc: "Bytes sent without passing through the program.",
        cell: |o| count(o, F | B, Count::SplicedOut),
    },
    Column {
        name: "cache_hint_hits",
        tag: "MCP",
        doc: "Look-ups in a cache that found only hints.",
        cell: |o| http_count(o, F | B, Count::CacheHints),
    },
];

const F: u32 = 1;
const B: u32 = 2;
const S: u32 = 4;
const L: u32 = 8;
const FBS: u32 = F | B | S;
const FBSL: u32 = FBS | L;

fn has(o: &ObjectView, kinds: u32) -> bool {
    o.kind.selector() & kinds != 0
}

fn text(text: &str) -> Option<Cell<'_>> {
    Some(Text(text))
}

fn maybe(text: &Option<String>) -> Option<Cell<'_>> {
    text.as_deref().map(Text)
}

fn front(o: &ObjectView) -> Option<&ObjectView> {
    has(o, F).then_some(o)
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

fn count(o: &ObjectView, kinds: u32, what: Count) -> Option<Cell<'_>> {
    has(o, kinds).then(|| U64(o.folded.count(what)))
}

fn http_count(o: &ObjectView, kinds: u32, what: Count) -> Option<Cell<'_>> {
    count(o, if o.http { kinds } else { 0 }, what)
}

fn requests(o: &ObjectView) -> Option<Cell<'_>> {
    let kinds = if o.http { FBS } else { F };
    count(o, kinds, Count::Requests)
}

fn rate(o: &ObjectView, kinds: u32, what: Pace) -> Option<Cell<'_>> {
    has(o, kinds).then(|| U32(o.folded.rate(what)))
}

fn peak(o: &ObjectView, kinds: u32, what: Pace) -> Option<Cell<'_>> {
    has(o, kinds).then(|| U32(o.folded.rate_peak(what)))
}

fn average(o: &ObjectView, what: Span) -> Option<Cell<'_>> {
    let millis = u32::try_from(o.folded.average(what)).unwrap_or(u32::MAX);
    back(o).map(|_| U32(millis))
}

fn longest(o: &ObjectView, what: Span) -> Option<Cell<'_>> {
    let millis = u32::try_from(o.folded.longest(what)).unwrap_or(u32::MAX);
    back(o).map(|_| U32(millis))
}

fn downs(o: &ObjectView) -> Option<Cell<'_>> {
    let knows = o.kind == Kind::Backend || check(o).is_some();
    count(o, if knows { B | S } else { 0 }, Count::WentDown)
}

fn observed(o: &ObjectView) -> Option<Cell<'_>> {
    server(o)
        .filter(|server| server.observes)
        .and_then(|_| count(o, S, Count::ObservedErrors))
}

fn last_session(o: &ObjectView) -> Cell<'_> {
    let seconds = o.last_session.map(i32::try_from);
    S32(seconds.map_or(-1, |seconds| seconds.unwrap_or(i32::MAX)))
}

/// HTTP/2 is not spoken: nothing of it has been counted.
fn none_yet(o: &ObjectView) -> Option<Cell<'_>> {
    has(o, F | B).then_some(U64(0))
}

fn http_current(o: &ObjectView) -> Option<Cell<'_>> {
    let current = if o.http { u64::from(o.current) } else { 0 };
    has(o, F | B).then_some(U64(current))
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
