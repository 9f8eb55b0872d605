//! Metrics of the process: its figures under their metric names, and how it was built.

use super::scope::Scope;
use super::{announce, label};
use crate::stats::columns::Cell;
use crate::stats::info::{FIELDS, InfoView};
use std::fmt::Write as _;

/// Writes those the scope takes.
pub(super) fn write(info: &InfoView, scope: &Scope, out: &mut String) {
    for &(name, field, is_counter) in PROCESS {
        let Some(field) = FIELDS.iter().find(|other| other.name == field) else {
            continue;
        };
        let value = match field.cell(info) {
            Some(Cell::U32(n)) => u64::from(n),
            Some(Cell::U64(n)) => n,
            _ => 0,
        };
        let name = format!("haproxy_process_{name}");
        if !scope.takes(&name) {
            continue;
        }
        announce(&name, field.doc, is_counter, out);
        let _ = writeln!(out, "{name} {value}");
    }
    let name = "haproxy_process_build_info";
    if !scope.takes(name) {
        return;
    }
    announce(name, "The version of the program.", false, out);
    let _ = writeln!(out, "{name}{{version=\"{}\"}} 1", label(&info.version));
}

/// Metrics of the process: the end of the name, the figure, whether it only grows.
const PROCESS: &[(&str, &str, bool)] = &[
    ("nbthread", "Nbthread", false),
    ("nbproc", "Nbproc", false),
    ("relative_process_id", "Process_num", false),
    ("uptime_seconds", "Uptime_sec", false),
    ("pool_failures_total", "PoolFailed", true),
    ("max_fds", "Ulimit-n", false),
    ("max_sockets", "Maxsock", false),
    ("max_connections", "Maxconn", false),
    ("hard_max_connections", "Hard_maxconn", false),
    ("current_connections", "CurrConns", false),
    ("connections_total", "CumConns", true),
    ("requests_total", "CumReq", true),
    ("max_ssl_connections", "MaxSslConns", false),
    ("current_ssl_connections", "CurrSslConns", false),
    ("ssl_connections_total", "CumSslConns", true),
    ("max_pipes", "Maxpipes", false),
    ("pipes_used_total", "PipesUsed", true),
    ("pipes_free_total", "PipesFree", true),
    ("current_connection_rate", "ConnRate", false),
    ("limit_connection_rate", "ConnRateLimit", false),
    ("max_connection_rate", "MaxConnRate", false),
    ("current_session_rate", "SessRate", false),
    ("limit_session_rate", "SessRateLimit", false),
    ("max_session_rate", "MaxSessRate", false),
    ("current_ssl_rate", "SslRate", false),
    ("limit_ssl_rate", "SslRateLimit", false),
    ("max_ssl_rate", "MaxSslRate", false),
    ("current_frontend_ssl_key_rate", "SslFrontendKeyRate", false),
    ("max_frontend_ssl_key_rate", "SslFrontendMaxKeyRate", false),
    ("frontend_ssl_reuse", "SslFrontendSessionReuse_pct", false),
    ("current_backend_ssl_key_rate", "SslBackendKeyRate", false),
    ("max_backend_ssl_key_rate", "SslBackendMaxKeyRate", false),
    ("ssl_cache_lookups_total", "SslCacheLookups", true),
    ("ssl_cache_misses_total", "SslCacheMisses", true),
    ("http_comp_bytes_in_total", "CompressBpsIn", true),
    ("http_comp_bytes_out_total", "CompressBpsOut", true),
    ("limit_http_comp", "CompressBpsRateLim", false),
    ("current_zlib_memory", "ZlibMemUsage", false),
    ("max_zlib_memory", "MaxZlibMemUsage", false),
    ("current_tasks", "Tasks", false),
    ("current_run_queue", "Run_queue", false),
    ("idle_time_percent", "Idle_pct", false),
    ("stopping", "Stopping", false),
    ("jobs", "Jobs", false),
    ("unstoppable_jobs", "Unstoppable Jobs", false),
    ("listeners", "Listeners", false),
    ("active_peers", "ActivePeers", false),
    ("connected_peers", "ConnectedPeers", false),
    ("dropped_logs_total", "DroppedLogs", true),
    ("busy_polling_enabled", "BusyPolling", false),
    ("failed_resolutions", "FailedResolutions", true),
    ("bytes_out_total", "TotalBytesOut", true),
    ("spliced_bytes_out_total", "TotalSplicdedBytesOut", true),
    ("bytes_out_rate", "BytesOutRate", false),
    ("recv_logs_total", "CumRecvLogs", true),
    ("max_memory_bytes", "Memmax_bytes", false),
    ("pool_allocated_bytes", "PoolAlloc_bytes", false),
    ("pool_used_bytes", "PoolUsed_bytes", false),
    ("start_time_seconds", "Start_time_sec", false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_figure() {
        for (_, field, _) in PROCESS {
            assert!(FIELDS.iter().any(|other| other.name == *field), "{field}");
        }
    }
}
