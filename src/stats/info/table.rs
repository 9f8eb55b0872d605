//! The table of figures: one line a figure, in HAProxy's order.

use super::{Field, Figure, InfoView};

/// Every figure, in order.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    word("Name",                     "POS", |v| &v.product, "Name of the product."),
    word("Version",                  "POS", |v| &v.version, "Version of the product."),
    word("Release_date",             "POS", |v| &v.release_date, "Date of the version."),
    number("Nbthread",               "CGS", |v| v.threads, "Worker threads."),
    number("Nbproc",                 "CGS", |_| 1, "Worker processes: always 1."),
    number("Process_num",            "KGP", |_| 1, "Number of this process: always 1."),
    number("Pid",                    "SGP", |v| v.pid, "The system's number of this process."),
    word("Uptime",                   "MDP", |v| &v.uptime_text, "Time since the start, in days, hours, minutes and seconds."),
    fine("Uptime_sec",             "MDP", |v| v.uptime, "Seconds since the start."),
    number("Memmax_MB",              "CLP", |v| megabytes(v.memory_limit), "Limit on memory in megabytes (-m); 0 is none."),
    number("PoolAlloc_MB",           "MGP", |v| megabytes(v.pool_allocated), "Megabytes held by pools."),
    number("PoolUsed_MB",            "MGP", |v| megabytes(v.pool_used), "Megabytes of the pools in use."),
    number("PoolFailed",             "MCP", |v| v.pool_failures, "Allocations refused."),
    number("Ulimit-n",               "CLP", |v| v.descriptors_max, "Limit on descriptors."),
    number("Maxsock",                "CLP", |v| v.sockets_max, "Limit on sockets."),
    number("Maxconn",                "CLP", |v| v.conns_max, "Limit on connections."),
    number("Hard_maxconn",           "CLP", |v| v.conns_hard_max, "Limit on connections that memory and descriptors impose."),
    number("CurrConns",              "MGP", |v| v.conns, "Connections at this moment."),
    number("CumConns",               "MCP", |v| v.conns_total, "Connections since the start."),
    number("CumReq",                 "MCP", |v| v.requests_total, "Requests since the start."),
    number("MaxSslConns",            "MMP", |v| v.tls_max, "Limit on TLS connections; 0 is none."),
    number("CurrSslConns",           "MGP", |v| v.tls, "TLS connections at this moment."),
    number("CumSslConns",            "MCP", |v| v.tls_total, "TLS connections since the start."),
    number("Maxpipes",               "CLP", |v| v.pipes_max, "Limit on pipes for splicing."),
    number("PipesUsed",              "MGP", |v| v.pipes_used, "Pipes in use."),
    number("PipesFree",              "MGP", |v| v.pipes_free, "Pipes kept ready."),
    fine("ConnRate",               "MRP", |v| v.conn_rate, "Connections in the last second."),
    number("ConnRateLimit",          "CLP", |v| v.conn_rate_limit, "Limit on connections a second (maxconnrate)."),
    number("MaxConnRate",            "MMP", |v| v.conn_rate_max, "Most connections in a second."),
    fine("SessRate",               "MRP", |v| v.sess_rate, "Sessions in the last second."),
    number("SessRateLimit",          "CLP", |v| v.sess_rate_limit, "Limit on sessions a second (maxsessrate)."),
    number("MaxSessRate",            "MRP", |v| v.sess_rate_max, "Most sessions in a second."),
    fine("SslRate",                "MRP", |v| v.tls_rate, "TLS connections in the last second."),
    number("SslRateLimit",           "CLP", |v| v.tls_rate_limit, "Limit on TLS connections a second (maxsslrate)."),
    number("MaxSslRate",             "MMP", |v| v.tls_rate_max, "Most TLS connections in a second."),
    number("SslFrontendKeyRate",     "MGP", |v| v.front_key_rate, "Full handshakes with clients in the last second."),
    number("SslFrontendMaxKeyRate",  "MMP", |v| v.front_key_rate_max, "Most full handshakes with clients in a second."),
    number("SslFrontendSessionReuse_pct", "MGP", |v| v.tls_reuse_percent, "Percentage of TLS connections that were resumed."),
    number("SslBackendKeyRate",      "MRP", |v| v.back_key_rate, "Full handshakes with servers in the last second."),
    number("SslBackendMaxKeyRate",   "MMP", |v| v.back_key_rate_max, "Most full handshakes with servers in a second."),
    number("SslCacheLookups",        "MCP", |v| v.tls_cache_lookups, "Look-ups in the TLS session cache."),
    number("SslCacheMisses",         "MCP", |v| v.tls_cache_misses, "Look-ups that found nothing."),
    number("CompressBpsIn",          "MRP", |v| v.comp_in_rate, "Bytes given to the compressor in the last second."),
    number("CompressBpsOut",         "MRP", |v| v.comp_out_rate, "Bytes the compressor gave back in the last second."),
    number("CompressBpsRateLim",     "CLP", |v| v.comp_rate_limit, "Limit on compressed bytes a second."),
    row("ZlibMemUsage",              "MGP", Figure::Unknown, "Memory of the compressor, where it is metered."),
    row("MaxZlibMemUsage",           "CLP", Figure::Unknown, "Limit on the compressor's memory, where it is metered."),
    number("Tasks",                  "MGP", |v| v.tasks, "Streams and timers alive."),
    number("Run_queue",              "MGP", |v| v.run_queue, "Streams ready to run."),
    number("Idle_pct",               "MaP", |v| v.idle_percent, "Percentage of the last second the worker that answers was idle."),
    word("node",                     "COS", |v| &v.node, "Name of the node."),
    row("description",               "COS", Figure::MaybeText(|v| v.description.as_deref()), "Description of the node."),
    number("Stopping",               "MGP", |v| u32::from(v.stopping), "1 while the process is stopping."),
    number("Jobs",                   "MGP", |v| v.jobs, "Connections and listeners that keep the process alive."),
    number("Unstoppable Jobs",       "MGP", |v| v.unstoppable_jobs, "Connections of the master."),
    number("Listeners",              "MGP", |v| v.listeners, "Active listeners."),
    number("ActivePeers",            "MGP", |v| v.active_peers, "Peers that are verified."),
    number("ConnectedPeers",         "MGP", |v| v.connected_peers, "Peers that are connected."),
    number("DroppedLogs",            "MGP", |v| v.dropped_logs, "Log messages that no target took."),
    number("BusyPolling",            "MGP", |v| u32::from(v.busy_polling), "1 where workers poll without sleeping."),
    number("FailedResolutions",      "MGP", |v| v.failed_resolutions, "Names that could not be resolved."),
    wide("TotalBytesOut",            "MGP", |v| v.bytes_out, "Bytes sent since the start."),
    wide("TotalSplicdedBytesOut",    "MGP", |v| v.spliced_out, "Bytes sent without passing through the program."),
    wide("BytesOutRate",             "MRP", |v| v.bytes_out_rate, "Bytes sent in the last second."),
    number("DebugCommandsIssued",    "MGP", |v| v.debugged, "Debugging commands issued."),
    number("CumRecvLogs",            "MCP", |v| v.received_logs, "Log messages received by log-forward sections."),
    word("Build info",               "POS", |v| &v.build, "How the program was built."),
    wide("Memmax_bytes",             "CLP", |v| v.memory_limit, "Limit on memory in bytes (-m); 0 is none."),
    wide("PoolAlloc_bytes",          "MGP", |v| v.pool_allocated, "Bytes held by pools."),
    wide("PoolUsed_bytes",           "MGP", |v| v.pool_used, "Bytes of the pools in use."),
    wide("Start_time_sec",           "MDP", |v| v.start_time, "Second of the calendar at which the process started."),
    word("Tainted",                  "SGP", |v| &v.tainted, "Unusual features in use, as a number in base 16."),
    number("TotalWarnings",          "MCP", |v| v.warnings, "Warnings since the start."),
    number("MaxconnReached",         "MCP", |v| v.limit_reached, "Times the limit on connections was reached."),
    number("BootTime_ms",            "MDP", |v| v.boot_millis, "Milliseconds the start took."),
    number("Niced_tasks",            "MGP", |v| v.niced_tasks, "Streams under a nice value."),
    number("CurrStreams",            "MGP", |v| v.streams, "Streams at this moment."),
    wide("CumStreams",               "MCP", |v| v.streams_total, "Streams since the start."),
];

const fn number(
    name: &'static str,
    tag: &'static str,
    look: fn(&InfoView) -> u32,
    doc: &'static str,
) -> Field {
    row(name, tag, Figure::U32(look), doc)
}

const fn fine(
    name: &'static str,
    tag: &'static str,
    look: fn(&InfoView) -> f64,
    doc: &'static str,
) -> Field {
    row(name, tag, Figure::Fine(look), doc)
}

const fn wide(
    name: &'static str,
    tag: &'static str,
    look: fn(&InfoView) -> u64,
    doc: &'static str,
) -> Field {
    row(name, tag, Figure::U64(look), doc)
}

const fn word(
    name: &'static str,
    tag: &'static str,
    look: fn(&InfoView) -> &str,
    doc: &'static str,
) -> Field {
    row(name, tag, Figure::Text(look), doc)
}

const fn row(name: &'static str, tag: &'static str, figure: Figure, doc: &'static str) -> Field {
    Field {
        name,
        tag,
        doc,
        figure,
    }
}

fn megabytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 20).unwrap_or(u32::MAX)
}
