//! Prometheus' text format: the same columns and figures under HAProxy's metric names.
//!
//! A family of lines is one metric over all objects of a kind, in the order Prometheus wants: help, type, values.
//! A value that does not apply to an object is `NaN` where HAProxy says so, else its line is left out.

use super::columns::{COLUMNS, Cell, Column};
use super::info::{FIELDS, InfoView};
use super::snapshot::{CheckView, Colour, Kind, ObjectView, Snapshot};
use std::fmt::Write as _;

/// One metric made of a column.
struct Metric {
    /// The end of its name.
    name: &'static str,
    /// The column it shows.
    column: &'static str,
    /// Kinds of objects that have it: letters of `FBSL`.
    kinds: &'static str,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Gauge,
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

/// What a request chose to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The process.
    pub global: bool,
    /// Frontends.
    pub frontend: bool,
    /// Backends.
    pub backend: bool,
    /// Servers.
    pub server: bool,
    /// Listeners.
    pub listener: bool,
    /// Stick tables.
    pub tables: bool,
    /// Nameservers.
    pub resolvers: bool,
    /// Leave out servers in maintenance.
    pub no_maintenance: bool,
    /// `metrics=`: these alone; all where none is named.
    only: Vec<String>,
    /// `metrics=-…`: not these.
    except: Vec<String>,
}

impl Scope {
    const ALL: Self = Self {
        global: true,
        frontend: true,
        backend: true,
        server: true,
        listener: true,
        tables: true,
        resolvers: true,
        no_maintenance: false,
        only: Vec::new(),
        except: Vec::new(),
    };
    const NOTHING: Self = Self {
        global: false,
        frontend: false,
        backend: false,
        server: false,
        listener: false,
        tables: false,
        resolvers: false,
        no_maintenance: false,
        only: Vec::new(),
        except: Vec::new(),
    };

    /// Reads the query string: `scope=…` and `metrics=…` any number of times, `no-maint`. None: a scope is unknown.
    #[must_use]
    pub fn read(query: &str) -> Option<Self> {
        let mut scope = Self::ALL;
        let mut chosen = false;
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                None if parameter == "no-maint" => scope.no_maintenance = true,
                None if matches!(parameter, "scope" | "metrics") => return None,
                Some(("metrics", names)) => scope.filter(names),
                Some(("scope", name)) => {
                    if !std::mem::replace(&mut chosen, true) {
                        scope.set_all(false);
                    }
                    scope.choose(name)?;
                }
                None | Some(_) => {}
            }
        }
        Some(scope)
    }

    /// Adds what a name stands for; an empty one takes back all that was chosen before.
    fn choose(&mut self, name: &str) -> Option<()> {
        match name {
            "global" => self.global = true,
            "frontend" => self.frontend = true,
            "backend" => self.backend = true,
            "server" => self.server = true,
            "listener" => self.listener = true,
            "sticktable" => self.tables = true,
            "resolver" => self.resolvers = true,
            "*" => self.set_all(true),
            "" => self.set_all(false),
            _ => return None,
        }
        Some(())
    }

    fn set_all(&mut self, on: bool) {
        let kept = std::mem::replace(self, if on { Self::ALL } else { Self::NOTHING });
        self.no_maintenance = kept.no_maintenance;
        self.only = kept.only;
        self.except = kept.except;
    }

    fn filter(&mut self, names: &str) {
        for name in names.split(',').filter(|name| !name.is_empty()) {
            match name.strip_prefix('-') {
                Some(name) => self.except.push(name.to_owned()),
                None => self.only.push(name.to_owned()),
            }
        }
    }

    /// Whether a metric is shown.
    fn takes(&self, name: &str) -> bool {
        let is = |other: &String| other == name;
        (self.only.is_empty() || self.only.iter().any(is)) && !self.except.iter().any(is)
    }

    fn shows(&self, kind: Kind) -> bool {
        match kind {
            Kind::Frontend => self.frontend,
            Kind::Backend => self.backend,
            Kind::Server => self.server,
            Kind::Listener => self.listener,
        }
    }
}

/// A stick table, as far as metrics tell.
#[derive(Clone, Debug)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// The type of its keys.
    pub kind: &'static str,
    /// Most entries.
    pub size: u32,
    /// Entries in use.
    pub used: u32,
}

/// A nameserver, as far as metrics tell.
#[derive(Clone, Debug)]
pub struct NameserverView {
    /// The `resolvers` section.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Its counters with their names.
    pub counts: Vec<(&'static str, u64)>,
}

/// What is shown beside proxies.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The process.
    pub info: InfoView,
    /// Stick tables.
    pub tables: Vec<TableView>,
    /// Nameservers.
    pub nameservers: Vec<NameserverView>,
}

/// Writes everything the scope shows.
pub fn write(snapshot: &Snapshot, around: &Surroundings, scope: &Scope, out: &mut String) {
    if scope.global {
        process(&around.info, scope, out);
    }
    for (kind, letter) in [
        (Kind::Frontend, 'F'),
        (Kind::Listener, 'L'),
        (Kind::Backend, 'B'),
        (Kind::Server, 'S'),
    ] {
        if !scope.shows(kind) {
            continue;
        }
        let hidden = |row: &&ObjectView| {
            let colour = row.server.as_ref().map(|server| server.colour);
            scope.no_maintenance && colour == Some(Colour::Maintenance)
        };
        let all = snapshot.proxies.iter().flat_map(|proxy| &proxy.rows);
        let rows: Vec<&ObjectView> = all
            .filter(|row| row.kind == kind)
            .filter(|row| !hidden(row))
            .collect();
        for metric in METRICS.iter().filter(|m| m.kinds.contains(letter)) {
            family(metric, (kind, scope), &rows, out);
        }
    }
    if scope.tables {
        stick_tables(&around.tables, scope, out);
    }
    if scope.resolvers {
        nameservers(&around.nameservers, scope, out);
    }
}

/// Help and type of a metric.
fn announce(name: &str, doc: &str, is_counter: bool, out: &mut String) {
    let kind = if is_counter { "counter" } else { "gauge" };
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "# HELP {name} {doc}\n# TYPE {name} {kind}\n");
}

fn process(info: &InfoView, scope: &Scope, out: &mut String) {
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

fn stick_tables(tables: &[TableView], scope: &Scope, out: &mut String) {
    type Figure = fn(&TableView) -> u32;
    let figures: [(&str, &str, Figure); 2] = [
        (
            "haproxy_sticktable_size",
            "Most entries of the table.",
            |t| t.size,
        ),
        ("haproxy_sticktable_used", "Entries in use.", |t| t.used),
    ];
    for (name, doc, figure) in figures {
        if !scope.takes(name) {
            continue;
        }
        announce(name, doc, false, out);
        for table in tables {
            let (own, kind, value) = (label(&table.name), table.kind, figure(table));
            let _ = writeln!(out, "{name}{{name=\"{own}\",type=\"{kind}\"}} {value}");
        }
    }
}

fn nameservers(all: &[NameserverView], scope: &Scope, out: &mut String) {
    let names = all.first().map_or(&[][..], |one| &one.counts);
    for (at, (word, _)) in names.iter().enumerate() {
        let name = format!("haproxy_resolver_{word}");
        if !scope.takes(&name) {
            continue;
        }
        announce(&name, &format!("Nameservers: {word}."), false, out);
        for one in all {
            let (section, own) = (label(&one.section), label(&one.name));
            let count = one.counts.get(at).map_or(0, |(_, count)| *count);
            let _ = writeln!(
                out,
                "{name}{{resolver=\"{section}\",nameserver=\"{own}\"}} {count}"
            );
        }
    }
}

fn family(metric: &Metric, (kind, scope): (Kind, &Scope), rows: &[&ObjectView], out: &mut String) {
    let Some(column) = COLUMNS.iter().find(|other| other.name == metric.column) else {
        return;
    };
    let noun = match kind {
        Kind::Frontend => "frontend",
        Kind::Backend => "backend",
        Kind::Server => "server",
        Kind::Listener => "listener",
    };
    let name = format!("haproxy_{noun}_{}", metric.name);
    if !scope.takes(&name) {
        return;
    }
    announce(&name, column.doc, metric.form.is_counter(), out);
    for row in rows {
        let labels = labels(row);
        match metric.form {
            Form::Gauge | Form::Counter | Form::Seconds => {
                plain(&name, &labels, metric, column, row, out);
            }
            Form::State => states(&name, &labels, row, out),
            Form::Classes => classes(&name, &labels, row, out),
            Form::Check => {
                let check = row.server.as_ref().and_then(|server| server.check.as_ref());
                if let Some(check) = check {
                    results(&name, &labels, check, out);
                }
            }
            Form::Census => census(&name, &labels, row, out),
        }
    }
}

impl Form {
    fn is_counter(self) -> bool {
        matches!(self, Self::Counter | Self::Classes)
    }
}

fn labels(row: &ObjectView) -> String {
    let proxy = label(&row.proxy);
    match row.kind {
        Kind::Frontend | Kind::Backend => format!("proxy=\"{proxy}\""),
        Kind::Server => format!("proxy=\"{proxy}\",server=\"{}\"", label(&row.name)),
        Kind::Listener => format!("proxy=\"{proxy}\",listener=\"{}\"", label(&row.name)),
    }
}

/// Text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn plain(
    name: &str,
    labels: &str,
    metric: &Metric,
    column: &Column,
    row: &ObjectView,
    out: &mut String,
) {
    let cell = column.cell(row);
    if metric.form == Form::Seconds {
        let millis = match cell {
            Some(Cell::U32(n)) => u64::from(n),
            Some(Cell::U64(n)) => n,
            _ => return,
        };
        let _ = writeln!(
            out,
            "{name}{{{labels}}} {}.{:03}000",
            millis / 1000,
            millis % 1000
        );
        return;
    }
    let _ = match cell {
        Some(Cell::U32(n)) => writeln!(out, "{name}{{{labels}}} {n}"),
        Some(Cell::U64(n)) => writeln!(out, "{name}{{{labels}}} {n}"),
        Some(Cell::S32(n)) => writeln!(out, "{name}{{{labels}}} {n}"),
        // What has no value now may have one later; what a protocol has none of is left out.
        None if !is_of_protocol(metric.name) => writeln!(out, "{name}{{{labels}}} NaN"),
        Some(Cell::Text(_)) | None => Ok(()),
    };
}

/// Whether a metric exists for some proxies and servers only.
fn is_of_protocol(name: &str) -> bool {
    name.starts_with("http_") || matches!(name, "check_code" | "intercepted_requests_total")
}

fn states(name: &str, labels: &str, row: &ObjectView, out: &mut String) {
    let (known, current): (&[&str], &str) = match row.kind {
        Kind::Frontend | Kind::Backend => {
            let down = matches!(row.status.as_str(), "DOWN" | "STOP" | "PAUSED");
            (&["DOWN", "UP"], if down { "DOWN" } else { "UP" })
        }
        Kind::Listener => (&["WAITING", "OPEN", "FULL"], row.status.as_str()),
        Kind::Server => (&SERVER_STATES, server_state(row)),
    };
    for state in known {
        let holds = u8::from(*state == current);
        let _ = writeln!(out, "{name}{{{labels},state=\"{state}\"}} {holds}");
    }
}

const SERVER_STATES: [&str; 5] = ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"];

fn server_state(row: &ObjectView) -> &'static str {
    let word = row.status.split(' ').next().unwrap_or("");
    let known = SERVER_STATES.iter().find(|state| **state == word);
    // "no check" and whatever else is not down serves.
    known.copied().unwrap_or("UP")
}

fn classes(name: &str, labels: &str, row: &ObjectView, out: &mut String) {
    for class in ["1xx", "2xx", "3xx", "4xx", "5xx", "other"] {
        let wanted = format!("hrsp_{class}");
        let column = COLUMNS.iter().find(|column| column.name == wanted);
        if let Some(Cell::U64(count)) = column.and_then(|column| column.cell(row)) {
            let _ = writeln!(out, "{name}{{{labels},code=\"{class}\"}} {count}");
        }
    }
}

fn results(name: &str, labels: &str, check: &CheckView, out: &mut String) {
    let current = check.status.trim_start_matches("* ");
    for result in RESULTS {
        let holds = u8::from(*result == current);
        let _ = writeln!(out, "{name}{{{labels},state=\"{result}\"}} {holds}");
    }
}

fn census(name: &str, labels: &str, row: &ObjectView, out: &mut String) {
    let Some(census) = row.back.as_ref().and_then(|back| back.census) else {
        return;
    };
    for (state, count) in SERVER_STATES.iter().zip([
        census.down,
        census.up,
        census.maintenance,
        census.draining,
        census.not_balanced,
    ]) {
        let _ = writeln!(out, "{name}{{{labels},state=\"{state}\"}} {count}");
    }
}

/// Results of checks, as HAProxy names them.
const RESULTS: &[&str] = &[
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP",
    "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK",
];

const fn gauge(name: &'static str, column: &'static str, kinds: &'static str) -> Metric {
    metric(name, column, kinds, Form::Gauge)
}

const fn counter(name: &'static str, column: &'static str, kinds: &'static str) -> Metric {
    metric(name, column, kinds, Form::Counter)
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

/// Every metric, in the order of output.
const METRICS: &[Metric] = &[
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
    metric(
        "check_duration_seconds",
        "check_duration",
        "S",
        Form::Seconds,
    ),
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
    metric("queue_time_average_seconds", "qtime", "BS", Form::Seconds),
    metric("connect_time_average_seconds", "ctime", "BS", Form::Seconds),
    metric(
        "response_time_average_seconds",
        "rtime",
        "BS",
        Form::Seconds,
    ),
    metric("total_time_average_seconds", "ttime", "BS", Form::Seconds),
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
    metric("max_queue_time_seconds", "qtime_max", "BS", Form::Seconds),
    metric("max_connect_time_seconds", "ctime_max", "BS", Form::Seconds),
    metric(
        "max_response_time_seconds",
        "rtime_max",
        "BS",
        Form::Seconds,
    ),
    metric("max_total_time_seconds", "ttime_max", "BS", Form::Seconds),
    counter("internal_errors_total", "eint", "FLBS"),
    gauge("unsafe_idle_connections_current", "idle_conn_cur", "S"),
    gauge("safe_idle_connections_current", "safe_conn_cur", "S"),
    gauge("used_connections_current", "used_conn_cur", "S"),
    gauge("need_connections_current", "need_conn_est", "S"),
    gauge("idle_connections_current", "srv_icur", "S"),
    gauge("idle_connections_limit", "src_ilim", "S"),
    gauge("uweight", "uweight", "BS"),
    metric("agg_server_status", "agg_server_status", "B", Form::Census),
    metric(
        "agg_server_check_status",
        "agg_server_check_status",
        "B",
        Form::Census,
    ),
];

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
    use crate::stats::rig;

    fn text(scope: &Scope) -> String {
        let tables = vec![TableView {
            name: "be".into(),
            kind: "ip",
            size: 1024,
            used: 3,
        }];
        let info = InfoView {
            threads: 2,
            version: "9.9".into(),
            ..InfoView::default()
        };
        let nameservers = vec![NameserverView {
            section: "default".into(),
            name: "ns".into(),
            counts: vec![("sent", 4)],
        }];
        let around = Surroundings {
            info: info.finish(),
            tables,
            nameservers,
        };
        let mut out = String::new();
        write(&rig::snapshot(), &around, scope, &mut out);
        out
    }

    #[test]
    fn lines_are_haproxys() {
        let text = text(&Scope::ALL);
        // Observed on haproxy 2.6.12.
        for line in [
            "# TYPE haproxy_process_nbthread gauge",
            "haproxy_process_nbthread 2",
            "haproxy_process_build_info{version=\"9.9\"} 1",
            "# TYPE haproxy_frontend_http_responses_total counter",
            "haproxy_frontend_http_responses_total{proxy=\"fe\",code=\"2xx\"} 0",
            "haproxy_frontend_limit_sessions{proxy=\"fe\"} 1000",
            "haproxy_frontend_status{proxy=\"fe\",state=\"UP\"} 1",
            "haproxy_server_status{proxy=\"be\",server=\"s1\",state=\"DOWN\"} 1",
            "haproxy_server_check_status{proxy=\"be\",server=\"s1\",state=\"L4CON\"} 1",
            "haproxy_server_check_duration_seconds{proxy=\"be\",server=\"s1\"} 0.000000",
            "haproxy_sticktable_used{name=\"be\",type=\"ip\"} 3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_row_names_a_column_or_a_figure() {
        for metric in METRICS {
            let found = COLUMNS.iter().any(|column| column.name == metric.column);
            assert!(found, "{}", metric.column);
        }
        for (_, field, _) in PROCESS {
            assert!(FIELDS.iter().any(|other| other.name == *field), "{field}");
        }
    }

    #[test]
    fn a_scope_chooses() {
        let read = |query| Scope::read(query);
        let fronts = read("scope=frontend").expect("known");
        assert!(fronts.frontend && !fronts.global && !fronts.server);
        assert!(!text(&fronts).contains("haproxy_process"));
        assert_eq!(read("scope=*"), Some(Scope::ALL));
        assert_eq!(read(""), Some(Scope::ALL));
        assert_eq!(read("scope=nothing"), None);
        for nothing in ["scope=", "scope=*&scope="] {
            let none = read(nothing).expect("empty");
            assert_eq!(text(&none), "");
        }
        assert_eq!(read("scope"), None);
        let names = text(&read("scope=resolver").expect("known"));
        let line = "haproxy_resolver_sent{resolver=\"default\",nameserver=\"ns\"} 4";
        assert!(names.lines().any(|l| l == line), "{names}");
    }

    #[test]
    fn metrics_are_chosen_by_name() {
        let read = |query| Scope::read(query).expect("known");
        let one = text(&read("metrics=haproxy_process_nbthread"));
        assert_eq!(one.lines().count(), 3, "{one}");
        let but = text(&read("scope=global&metrics=-haproxy_process_nbthread"));
        assert!(but.contains("haproxy_process_uptime") && !but.contains("nbthread"));
    }
}
