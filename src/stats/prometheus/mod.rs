//! Prometheus' text format: the same columns and figures under HAProxy's metric names.
//!
//! A family of lines is one metric over all objects of a kind, in the order Prometheus wants: help, type, values.
//! A value that does not apply to an object is `NaN` where HAProxy says so, else its line is left out.

mod beside;
mod family;
mod metric;
mod process;
#[cfg(test)]
mod rig;
mod scope;

pub use beside::{NameserverView, TableView};
pub use scope::Scope;

use super::info::InfoView;
use super::snapshot::{Colour, Kind, ObjectView, Snapshot};
use std::fmt::Write as _;

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
        process::write(&around.info, scope, out);
    }
    for kind in [Kind::Frontend, Kind::Listener, Kind::Backend, Kind::Server] {
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
        for metric in metric::METRICS.iter().filter(|m| m.is_of(kind)) {
            family::write(metric, (kind, scope), &rows, out);
        }
    }
    if scope.tables {
        beside::stick_tables(&around.tables, scope, out);
    }
    if scope.resolvers {
        beside::nameservers(&around.nameservers, scope, out);
    }
}

/// Help and type of a metric.
fn announce(name: &str, doc: &str, is_counter: bool, out: &mut String) {
    let kind = if is_counter { "counter" } else { "gauge" };
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "# HELP {name} {doc}\n# TYPE {name} {kind}\n");
}

/// Text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use super::rig::text;

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
}
