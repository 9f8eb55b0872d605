//! The figures of the process: `show info`, plain, typed, described.

use super::columns::Cell;
use std::io::Write as _;

/// The process at one moment. [`InfoView::finish`] fills in what follows from the rest.
#[derive(Clone, Debug, Default)]
pub struct InfoView {
    /// Name of the product.
    pub product: String,
    /// Version of the product.
    pub version: String,
    /// Date of the version.
    pub release_date: String,
    /// Worker threads.
    pub threads: u32,
    /// The system's number of this process.
    pub pid: u32,
    /// Seconds since the start.
    pub uptime: u32,
    /// Allocations refused.
    pub pool_failures: u32,
    /// Limit on descriptors.
    pub descriptors_max: u32,
    /// Limit on sockets.
    pub sockets_max: u32,
    /// Limit on connections.
    pub conns_max: u32,
    /// Limit on connections that memory and descriptors impose.
    pub conns_hard_max: u32,
    /// Connections at this moment.
    pub conns: u32,
    /// Connections since the start.
    pub conns_total: u32,
    /// Requests since the start.
    pub requests_total: u32,
    /// Limit on TLS connections; 0 is none.
    pub tls_max: u32,
    /// TLS connections at this moment.
    pub tls: u32,
    /// TLS connections since the start.
    pub tls_total: u32,
    /// Limit on pipes for splicing.
    pub pipes_max: u32,
    /// Pipes in use.
    pub pipes_used: u32,
    /// Pipes kept ready.
    pub pipes_free: u32,
    /// Connections in the last second.
    pub conn_rate: u32,
    /// Limit on connections a second (maxconnrate).
    pub conn_rate_limit: u32,
    /// Most connections in a second.
    pub conn_rate_max: u32,
    /// Sessions in the last second.
    pub sess_rate: u32,
    /// Limit on sessions a second (maxsessrate).
    pub sess_rate_limit: u32,
    /// Most sessions in a second.
    pub sess_rate_max: u32,
    /// TLS connections in the last second.
    pub tls_rate: u32,
    /// Limit on TLS connections a second (maxsslrate).
    pub tls_rate_limit: u32,
    /// Most TLS connections in a second.
    pub tls_rate_max: u32,
    /// Full handshakes with clients in the last second.
    pub front_key_rate: u32,
    /// Most full handshakes with clients in a second.
    pub front_key_rate_max: u32,
    /// Percentage of TLS connections that were resumed.
    pub tls_reuse_percent: u32,
    /// Full handshakes with servers in the last second.
    pub back_key_rate: u32,
    /// Most full handshakes with servers in a second.
    pub back_key_rate_max: u32,
    /// Look-ups in the TLS session cache.
    pub tls_cache_lookups: u32,
    /// Look-ups that found nothing.
    pub tls_cache_misses: u32,
    /// Bytes given to the compressor in the last second.
    pub comp_in_rate: u32,
    /// Bytes the compressor gave back in the last second.
    pub comp_out_rate: u32,
    /// Limit on compressed bytes a second.
    pub comp_rate_limit: u32,
    /// Streams and timers alive.
    pub tasks: u32,
    /// Streams ready to run.
    pub run_queue: u32,
    /// Percentage of the last second the worker that answers was idle.
    pub idle_percent: u32,
    /// Name of the node.
    pub node: String,
    /// Description of the node.
    pub description: Option<String>,
    /// 1 while the process is stopping.
    pub stopping: bool,
    /// Connections and listeners that keep the process alive.
    pub jobs: u32,
    /// Connections of the master.
    pub unstoppable_jobs: u32,
    /// Active listeners.
    pub listeners: u32,
    /// Peers that are verified.
    pub active_peers: u32,
    /// Peers that are connected.
    pub connected_peers: u32,
    /// Log messages that no target took.
    pub dropped_logs: u32,
    /// 1 where workers poll without sleeping.
    pub busy_polling: bool,
    /// Names that could not be resolved.
    pub failed_resolutions: u32,
    /// Bytes sent since the start.
    pub bytes_out: u64,
    /// Bytes sent without passing through the program.
    pub spliced_out: u64,
    /// Bytes sent in the last second.
    pub bytes_out_rate: u64,
    /// Log messages received by log-forward sections.
    pub received_logs: u32,
    /// How the program was built.
    pub build: String,
    /// Limit on memory in bytes (-m); 0 is none.
    pub memory_limit: u64,
    /// Bytes held by pools.
    pub pool_allocated: u64,
    /// Bytes of the pools in use.
    pub pool_used: u64,
    /// Second of the calendar at which the process started.
    pub start_time: u64,
    /// Unusual features in use, as a number in base 16.
    pub tainted: String,
    /// Warnings since the start.
    pub warnings: u32,
    /// Times the limit on connections was reached.
    pub limit_reached: u32,
    /// Milliseconds the start took.
    pub boot_millis: u32,
    /// Streams under a nice value.
    pub niced_tasks: u32,
    /// Streams at this moment.
    pub streams: u32,
    /// Streams since the start.
    pub streams_total: u64,
    /// `uptime` in words; filled in by [`InfoView::finish`].
    pub uptime_text: String,
}

impl InfoView {
    /// Fills in what follows from other fields.
    #[must_use]
    pub fn finish(mut self) -> Self {
        let seconds = self.uptime;
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
        let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
        self.uptime_text = format!("{days}d {hours}h{minutes:02}m{rest:02}s");
        if self.tainted.is_empty() {
            self.tainted = "0".to_owned();
        }
        self
    }
}

/// One figure.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Origin, nature and scope.
    pub tag: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Its value; none: it does not apply.
    pub cell: fn(&InfoView) -> Option<Cell<'_>>,
}

/// The plain form: `Name: value`, and the description behind it where `describe`.
pub fn plain(view: &InfoView, describe: bool, out: &mut Vec<u8>) {
    for field in FIELDS {
        let Some(cell) = (field.cell)(view) else {
            continue;
        };
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}: ", field.name);
        write_cell(&cell, out);
        end_line(field, describe, out);
    }
    out.push(b'\n');
}

/// The typed form: `0.Name.1:POS:str:…`.
pub fn typed(view: &InfoView, describe: bool, out: &mut Vec<u8>) {
    for (place, field) in FIELDS.iter().enumerate() {
        let Some(cell) = (field.cell)(view) else {
            continue;
        };
        let (name, tag, kind) = (field.name, field.tag, cell.type_name());
        // Writing to a vector cannot fail.
        let _ = write!(out, "{place}.{name}.1:{tag}:{kind}:");
        write_cell(&cell, out);
        end_line(field, describe, out);
    }
    out.push(b'\n');
}

fn end_line(field: &Field, describe: bool, out: &mut Vec<u8>) {
    if describe {
        // Writing to a vector cannot fail.
        let _ = write!(out, ":\"{}\"", field.doc);
    }
    out.push(b'\n');
}

fn write_cell(cell: &Cell<'_>, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match cell {
        Cell::U32(n) => write!(out, "{n}"),
        Cell::U64(n) => write!(out, "{n}"),
        Cell::S32(n) => write!(out, "{n}"),
        Cell::Text(text) => write!(out, "{text}"),
    };
}

fn megabytes(bytes: u64) -> Option<Cell<'static>> {
    Some(Cell::U32(u32::try_from(bytes >> 20).unwrap_or(u32::MAX)))
}

/// Every figure, in order.
pub const FIELDS: &[Field] = &[
    Field {
        name: "Name",
        tag: "POS",
        doc: "Name of the product.",
        cell: |v| Some(Cell::Text(&v.product)),
    },
    Field {
        name: "Version",
        tag: "POS",
        doc: "Version of the product.",
        cell: |v| Some(Cell::Text(&v.version)),
    },
    Field {
        name: "Release_date",
        tag: "POS",
        doc: "Date of the version.",
        cell: |v| Some(Cell::Text(&v.release_date)),
    },
    Field {
        name: "Nbthread",
        tag: "CGS",
        doc: "Worker threads.",
        cell: |v| Some(Cell::U32(v.threads)),
    },
    Field {
        name: "Nbproc",
        tag: "CGS",
        doc: "Worker processes: always 1.",
        cell: |_| Some(Cell::U32(1)),
    },
    Field {
        name: "Process_num",
        tag: "KGP",
        doc: "Number of this process: always 1.",
        cell: |_| Some(Cell::U32(1)),
    },
    Field {
        name: "Pid",
        tag: "SGP",
        doc: "The system's number of this process.",
        cell: |v| Some(Cell::U32(v.pid)),
    },
    Field {
        name: "Uptime",
        tag: "MDP",
        doc: "Time since the start, in days, hours, minutes and seconds.",
        cell: |v| Some(Cell::Text(&v.uptime_text)),
    },
    Field {
        name: "Uptime_sec",
        tag: "MDP",
        doc: "Seconds since the start.",
        cell: |v| Some(Cell::U32(v.uptime)),
    },
    Field {
        name: "Memmax_MB",
        tag: "CLP",
        doc: "Limit on memory in megabytes (-m); 0 is none.",
        cell: |v| megabytes(v.memory_limit),
    },
    Field {
        name: "PoolAlloc_MB",
        tag: "MGP",
        doc: "Megabytes held by pools.",
        cell: |v| megabytes(v.pool_allocated),
    },
    Field {
        name: "PoolUsed_MB",
        tag: "MGP",
        doc: "Megabytes of the pools in use.",
        cell: |v| megabytes(v.pool_used),
    },
    Field {
        name: "PoolFailed",
        tag: "MCP",
        doc: "Allocations refused.",
        cell: |v| Some(Cell::U32(v.pool_failures)),
    },
    Field {
        name: "Ulimit-n",
        tag: "CLP",
        doc: "Limit on descriptors.",
        cell: |v| Some(Cell::U32(v.descriptors_max)),
    },
    Field {
        name: "Maxsock",
        tag: "CLP",
        doc: "Limit on sockets.",
        cell: |v| Some(Cell::U32(v.sockets_max)),
    },
    Field {
        name: "Maxconn",
        tag: "CLP",
        doc: "Limit on connections.",
        cell: |v| Some(Cell::U32(v.conns_max)),
    },
    Field {
        name: "Hard_maxconn",
        tag: "CLP",
        doc: "Limit on connections that memory and descriptors impose.",
        cell: |v| Some(Cell::U32(v.conns_hard_max)),
    },
    Field {
        name: "CurrConns",
        tag: "MGP",
        doc: "Connections at this moment.",
        cell: |v| Some(Cell::U32(v.conns)),
    },
    Field {
        name: "CumConns",
        tag: "MCP",
        doc: "Connections since the start.",
        cell: |v| Some(Cell::U32(v.conns_total)),
    },
    Field {
        name: "CumReq",
        tag: "MCP",
        doc: "Requests since the start.",
        cell: |v| Some(Cell::U32(v.requests_total)),
    },
    Field {
        name: "MaxSslConns",
        tag: "MMP",
        doc: "Limit on TLS connections; 0 is none.",
        cell: |v| Some(Cell::U32(v.tls_max)),
    },
    Field {
        name: "CurrSslConns",
        tag: "MGP",
        doc: "TLS connections at this moment.",
        cell: |v| Some(Cell::U32(v.tls)),
    },
    Field {
        name: "CumSslConns",
        tag: "MCP",
        doc: "TLS connections since the start.",
        cell: |v| Some(Cell::U32(v.tls_total)),
    },
    Field {
        name: "Maxpipes",
        tag: "CLP",
        doc: "Limit on pipes for splicing.",
        cell: |v| Some(Cell::U32(v.pipes_max)),
    },
    Field {
        name: "PipesUsed",
        tag: "MGP",
        doc: "Pipes in use.",
        cell: |v| Some(Cell::U32(v.pipes_used)),
    },
    Field {
        name: "PipesFree",
        tag: "MGP",
        doc: "Pipes kept ready.",
        cell: |v| Some(Cell::U32(v.pipes_free)),
    },
    Field {
        name: "ConnRate",
        tag: "MRP",
        doc: "Connections in the last second.",
        cell: |v| Some(Cell::U32(v.conn_rate)),
    },
    Field {
        name: "ConnRateLimit",
        tag: "CLP",
        doc: "Limit on connections a second (maxconnrate).",
        cell: |v| Some(Cell::U32(v.conn_rate_limit)),
    },
    Field {
        name: "MaxConnRate",
        tag: "MMP",
        doc: "Most connections in a second.",
        cell: |v| Some(Cell::U32(v.conn_rate_max)),
    },
    Field {
        name: "SessRate",
        tag: "MRP",
        doc: "Sessions in the last second.",
        cell: |v| Some(Cell::U32(v.sess_rate)),
    },
    Field {
        name: "SessRateLimit",
        tag: "CLP",
        doc: "Limit on sessions a second (maxsessrate).",
        cell: |v| Some(Cell::U32(v.sess_rate_limit)),
    },
    Field {
        name: "MaxSessRate",
        tag: "MRP",
        doc: "Most sessions in a second.",
        cell: |v| Some(Cell::U32(v.sess_rate_max)),
    },
    Field {
        name: "SslRate",
        tag: "MRP",
        doc: "TLS connections in the last second.",
        cell: |v| Some(Cell::U32(v.tls_rate)),
    },
    Field {
        name: "SslRateLimit",
        tag: "CLP",
        doc: "Limit on TLS connections a second (maxsslrate).",
        cell: |v| Some(Cell::U32(v.tls_rate_limit)),
    },
    Field {
        name: "MaxSslRate",
        tag: "MMP",
        doc: "Most TLS connections in a second.",
        cell: |v| Some(Cell::U32(v.tls_rate_max)),
    },
    Field {
        name: "SslFrontendKeyRate",
        tag: "MGP",
        doc: "Full handshakes with clients in the last second.",
        cell: |v| Some(Cell::U32(v.front_key_rate)),
    },
    Field {
        name: "SslFrontendMaxKeyRate",
        tag: "MMP",
        doc: "Most full handshakes with clients in a second.",
        cell: |v| Some(Cell::U32(v.front_key_rate_max)),
    },
    Field {
        name: "SslFrontendSessionReuse_pct",
        tag: "MGP",
        doc: "Percentage of TLS connections that were resumed.",
        cell: |v| Some(Cell::U32(v.tls_reuse_percent)),
    },
    Field {
        name: "SslBackendKeyRate",
        tag: "MRP",
        doc: "Full handshakes with servers in the last second.",
        cell: |v| Some(Cell::U32(v.back_key_rate)),
    },
    Field {
        name: "SslBackendMaxKeyRate",
        tag: "MMP",
        doc: "Most full handshakes with servers in a second.",
        cell: |v| Some(Cell::U32(v.back_key_rate_max)),
    },
    Field {
        name: "SslCacheLookups",
        tag: "MCP",
        doc: "Look-ups in the TLS session cache.",
        cell: |v| Some(Cell::U32(v.tls_cache_lookups)),
    },
    Field {
        name: "SslCacheMisses",
        tag: "MCP",
        doc: "Look-ups that found nothing.",
        cell: |v| Some(Cell::U32(v.tls_cache_misses)),
    },
    Field {
        name: "CompressBpsIn",
        tag: "MRP",
        doc: "Bytes given to the compressor in the last second.",
        cell: |v| Some(Cell::U32(v.comp_in_rate)),
    },
    Field {
        name: "CompressBpsOut",
        tag: "MRP",
        doc: "Bytes the compressor gave back in the last second.",
        cell: |v| Some(Cell::U32(v.comp_out_rate)),
    },
    Field {
        name: "CompressBpsRateLim",
        tag: "CLP",
        doc: "Limit on compressed bytes a second.",
        cell: |v| Some(Cell::U32(v.comp_rate_limit)),
    },
    Field {
        name: "ZlibMemUsage",
        tag: "MGP",
        doc: "Memory of the compressor, where it is metered.",
        cell: |_| None,
    },
    Field {
        name: "MaxZlibMemUsage",
        tag: "CLP",
        doc: "Limit on the compressor's memory, where it is metered.",
        cell: |_| None,
    },
    Field {
        name: "Tasks",
        tag: "MGP",
        doc: "Streams and timers alive.",
        cell: |v| Some(Cell::U32(v.tasks)),
    },
    Field {
        name: "Run_queue",
        tag: "MGP",
        doc: "Streams ready to run.",
        cell: |v| Some(Cell::U32(v.run_queue)),
    },
    Field {
        name: "Idle_pct",
        tag: "MaP",
        doc: "Percentage of the last second the worker that answers was idle.",
        cell: |v| Some(Cell::U32(v.idle_percent)),
    },
    Field {
        name: "node",
        tag: "COS",
        doc: "Name of the node.",
        cell: |v| Some(Cell::Text(&v.node)),
    },
    Field {
        name: "description",
        tag: "COS",
        doc: "Description of the node.",
        cell: |v| v.description.as_deref().map(Cell::Text),
    },
    Field {
        name: "Stopping",
        tag: "MGP",
        doc: "1 while the process is stopping.",
        cell: |v| Some(Cell::U32(u32::from(v.stopping))),
    },
    Field {
        name: "Jobs",
        tag: "MGP",
        doc: "Connections and listeners that keep the process alive.",
        cell: |v| Some(Cell::U32(v.jobs)),
    },
    Field {
        name: "Unstoppable Jobs",
        tag: "MGP",
        doc: "Connections of the master.",
        cell: |v| Some(Cell::U32(v.unstoppable_jobs)),
    },
    Field {
        name: "Listeners",
        tag: "MGP",
        doc: "Active listeners.",
        cell: |v| Some(Cell::U32(v.listeners)),
    },
    Field {
        name: "ActivePeers",
        tag: "MGP",
        doc: "Peers that are verified.",
        cell: |v| Some(Cell::U32(v.active_peers)),
    },
    Field {
        name: "ConnectedPeers",
        tag: "MGP",
        doc: "Peers that are connected.",
        cell: |v| Some(Cell::U32(v.connected_peers)),
    },
    Field {
        name: "DroppedLogs",
        tag: "MGP",
        doc: "Log messages that no target took.",
        cell: |v| Some(Cell::U32(v.dropped_logs)),
    },
    Field {
        name: "BusyPolling",
        tag: "MGP",
        doc: "1 where workers poll without sleeping.",
        cell: |v| Some(Cell::U32(u32::from(v.busy_polling))),
    },
    Field {
        name: "FailedResolutions",
        tag: "MGP",
        doc: "Names that could not be resolved.",
        cell: |v| Some(Cell::U32(v.failed_resolutions)),
    },
    Field {
        name: "TotalBytesOut",
        tag: "MGP",
        doc: "Bytes sent since the start.",
        cell: |v| Some(Cell::U64(v.bytes_out)),
    },
    Field {
        name: "TotalSplicdedBytesOut",
        tag: "MGP",
        doc: "Bytes sent without passing through the program.",
        cell: |v| Some(Cell::U64(v.spliced_out)),
    },
    Field {
        name: "BytesOutRate",
        tag: "MRP",
        doc: "Bytes sent in the last second.",
        cell: |v| Some(Cell::U64(v.bytes_out_rate)),
    },
    Field {
        name: "DebugCommandsIssued",
        tag: "MGP",
        doc: "Debugging commands issued: there are none.",
        cell: |_| Some(Cell::U32(0)),
    },
    Field {
        name: "CumRecvLogs",
        tag: "MCP",
        doc: "Log messages received by log-forward sections.",
        cell: |v| Some(Cell::U32(v.received_logs)),
    },
    Field {
        name: "Build info",
        tag: "POS",
        doc: "How the program was built.",
        cell: |v| Some(Cell::Text(&v.build)),
    },
    Field {
        name: "Memmax_bytes",
        tag: "CLP",
        doc: "Limit on memory in bytes (-m); 0 is none.",
        cell: |v| Some(Cell::U64(v.memory_limit)),
    },
    Field {
        name: "PoolAlloc_bytes",
        tag: "MGP",
        doc: "Bytes held by pools.",
        cell: |v| Some(Cell::U64(v.pool_allocated)),
    },
    Field {
        name: "PoolUsed_bytes",
        tag: "MGP",
        doc: "Bytes of the pools in use.",
        cell: |v| Some(Cell::U64(v.pool_used)),
    },
    Field {
        name: "Start_time_sec",
        tag: "MDP",
        doc: "Second of the calendar at which the process started.",
        cell: |v| Some(Cell::U64(v.start_time)),
    },
    Field {
        name: "Tainted",
        tag: "SGP",
        doc: "Unusual features in use, as a number in base 16.",
        cell: |v| Some(Cell::Text(&v.tainted)),
    },
    Field {
        name: "TotalWarnings",
        tag: "MCP",
        doc: "Warnings since the start.",
        cell: |v| Some(Cell::U32(v.warnings)),
    },
    Field {
        name: "MaxconnReached",
        tag: "MCP",
        doc: "Times the limit on connections was reached.",
        cell: |v| Some(Cell::U32(v.limit_reached)),
    },
    Field {
        name: "BootTime_ms",
        tag: "MDP",
        doc: "Milliseconds the start took.",
        cell: |v| Some(Cell::U32(v.boot_millis)),
    },
    Field {
        name: "Niced_tasks",
        tag: "MGP",
        doc: "Streams under a nice value.",
        cell: |v| Some(Cell::U32(v.niced_tasks)),
    },
    Field {
        name: "CurrStreams",
        tag: "MGP",
        doc: "Streams at this moment.",
        cell: |v| Some(Cell::U32(v.streams)),
    },
    Field {
        name: "CumStreams",
        tag: "MCP",
        doc: "Streams since the start.",
        cell: |v| Some(Cell::U64(v.streams_total)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> InfoView {
        let view = InfoView {
            product: "HAProxy".into(),
            threads: 2,
            uptime: 93_784,
            memory_limit: 5 << 20,
            ..InfoView::default()
        };
        view.finish()
    }

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn plain_and_typed_lines_are_haproxys() {
        let plain = text(|out| plain(&view(), false, out));
        assert!(plain.starts_with("Name: HAProxy\n"));
        assert!(plain.contains("\nProcess_num: 1\n"));
        assert!(plain.contains("\nUptime: 1d 2h03m04s\n"));
        assert!(plain.contains("\nMemmax_MB: 5\n"));
        let typed = text(|out| typed(&view(), false, out));
        for line in [
            "0.Name.1:POS:str:HAProxy",
            "3.Nbthread.1:CGS:u32:2",
            "47.Tasks.1:MGP:u32:0",
            "54.Unstoppable Jobs.1:MGP:u32:0",
            "71.Tainted.1:SGP:str:0",
        ] {
            assert!(typed.lines().any(|l| l == line), "{line}");
        }
        assert!(!typed.contains("description"));
    }

    #[test]
    fn descriptions_follow_where_asked() {
        let text = text(|out| plain(&view(), true, out));
        assert!(text.starts_with("Name: HAProxy:\"Name of the product.\"\n"));
    }
}
