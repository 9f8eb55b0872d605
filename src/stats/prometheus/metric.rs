//! The table of metrics that are made of columns, in the order of output.

use crate::stats::snapshot::Kind;

/// One metric made of a column.
pub(super) struct Metric {
    /// The end of its name.
    pub(super) name: &'static str,
    /// The column it shows.
    pub(super) column: &'static str,
    /// Kinds of objects that have it: letters of `FBSL`.
    kinds: &'static str,
    pub(super) form: Form,
}

/// How its values are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A number that rises and falls.
    Gauge,
    /// A number that only rises.
    Counter,
    /// Milliseconds shown as seconds.
    Seconds,
    /// One line a state, 1 for the one that holds.
    State,
    /// One line a class of statuses.
    Classes,
    /// One line a result of checks.
    Check,
    /// Servers in each state.
    Census,
}

impl Metric {
    /// Whether objects of this kind have it.
    pub(super) fn is_of(&self, kind: Kind) -> bool {
        self.kinds.contains(match kind {
            Kind::Frontend => 'F',
            Kind::Backend => 'B',
            Kind::Server => 'S',
            Kind::Listener => 'L',
        })
    }
}

impl Form {
    /// Whether its values only rise.
    pub(super) fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::Classes)
    }
}

/// Every metric, in the order of output.
pub(super) const METRICS: &[Metric] = &[
    gauge("current_queue", "qcur", "BS"),
    gauge("max_queue", "qmax", "BS"),
    gauge("current_sessions", "scur", "FLBS"),
    gauge("max_sessions", "smax", "FLBS"),
    gauge("limit_sessions", "slim", "FLBS"),
    counter("sessions_total", "stot", "FLBS"),
    counter("bytes_in_total", "bin", "FLBS"),
    counter("bytes_out_total", "bout", "FLBS"),
    counter("requests_denied_total", "dreq", "FLB"),
    counter("responses_denied_total", "dresp", "FLBS"),
    counter("request_errors_total", "ereq", "FL"),
    counter("connection_errors_total", "econ", "BS"),
    counter("response_errors_total", "eresp", "BS"),
    counter("retry_warnings_total", "wretr", "BS"),
    counter("redispatch_warnings_total", "wredis", "BS"),
    metric("status", "status", "FLBS", Form::State),
    gauge("weight", "weight", "BS"),
    gauge("active_servers", "act", "B"),
    gauge("backup_servers", "bck", "B"),
    counter("check_failures_total", "chkfail", "S"),
    counter("check_up_down_total", "chkdown", "BS"),
    gauge("check_last_change_seconds", "lastchg", "BS"),
    counter("downtime_seconds_total", "downtime", "BS"),
    gauge("queue_limit", "qlimit", "S"),
    gauge("current_throttle", "throttle", "S"),
    counter("loadbalanced_total", "lbtot", "BS"),
    gauge("limit_session_rate", "rate_lim", "F"),
    gauge("max_session_rate", "rate_max", "FBS"),
    metric("check_status", "check_status", "S", Form::Check),
    gauge("check_code", "check_code", "S"),
    seconds("check_duration_seconds", "check_duration", "S"),
    metric("http_responses_total", "hrsp_2xx", "FBS", Form::Classes),
    gauge("http_requests_rate_max", "req_rate_max", "F"),
    counter("http_requests_total", "req_tot", "FB"),
    counter("client_aborts_total", "cli_abrt", "BS"),
    counter("server_aborts_total", "srv_abrt", "BS"),
    counter("http_comp_bytes_in_total", "comp_in", "FB"),
    counter("http_comp_bytes_out_total", "comp_out", "FB"),
    counter("http_comp_bytes_bypassed_total", "comp_byp", "FB"),
    counter("http_comp_responses_total", "comp_rsp", "FB"),
    gauge("last_session_seconds", "lastsess", "BS"),
    seconds("queue_time_average_seconds", "qtime", "BS"),
    seconds("connect_time_average_seconds", "ctime", "BS"),
    seconds("response_time_average_seconds", "rtime", "BS"),
    seconds("total_time_average_seconds", "ttime", "BS"),
    gauge("connections_rate_max", "conn_rate_max", "F"),
    counter("connections_total", "conn_tot", "F"),
    counter("intercepted_requests_total", "intercepted", "F"),
    counter("denied_connections_total", "dcon", "FL"),
    counter("denied_sessions_total", "dses", "FL"),
    counter("failed_header_rewriting_total", "wrew", "FLBS"),
    counter("connection_attempts_total", "connect", "BS"),
    counter("connection_reuses_total", "reuse", "BS"),
    counter("http_cache_lookups_total", "cache_lookups", "FB"),
    counter("http_cache_hits_total", "cache_hits", "FB"),
    gauge("idle_connections_current", "srv_icur", "S"),
    gauge("idle_connections_limit", "src_ilim", "S"),
    seconds("max_queue_time_seconds", "qtime_max", "BS"),
    seconds("max_connect_time_seconds", "ctime_max", "BS"),
    seconds("max_response_time_seconds", "rtime_max", "BS"),
    seconds("max_total_time_seconds", "ttime_max", "BS"),
    counter("internal_errors_total", "eint", "FLBS"),
    gauge("unsafe_idle_connections_current", "idle_conn_cur", "S"),
    gauge("safe_idle_connections_current", "safe_conn_cur", "S"),
    gauge("used_connections_current", "used_conn_cur", "S"),
    gauge("need_connections_current", "need_conn_est", "S"),
    gauge("uweight", "uweight", "BS"),
    metric("agg_server_status", "agg_server_status", "B", Form::Census),
    metric(
        "agg_server_check_status",
        "agg_server_check_status",
        "B",
        Form::Census,
    ),
];

const fn gauge(name: &'static str, column: &'static str, kinds: &'static str) -> Metric {
    metric(name, column, kinds, Form::Gauge)
}

const fn counter(name: &'static str, column: &'static str, kinds: &'static str) -> Metric {
    metric(name, column, kinds, Form::Counter)
}

const fn seconds(name: &'static str, column: &'static str, kinds: &'static str) -> Metric {
    metric(name, column, kinds, Form::Seconds)
}

const fn metric(
    name: &'static str,
    column: &'static str,
    kinds: &'static str,
    form: Form,
) -> Metric {
    Metric {
        name,
        column,
        kinds,
        form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::columns::COLUMNS;

    #[test]
    fn every_row_names_a_column() {
        for metric in METRICS {
            let found = COLUMNS.iter().any(|column| column.name == metric.column);
            assert!(found, "{}", metric.column);
        }
    }

    #[test]
    fn every_name_is_announced_once() {
        let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None);
    }
}
