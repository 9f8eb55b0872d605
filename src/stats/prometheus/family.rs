//! A family: one metric over all objects of a kind.

use super::metric::{Form, Metric};
use super::scope::Scope;
use super::{announce, label};
use crate::stats::columns::{COLUMNS, Cell, Column};
use crate::stats::snapshot::{CheckView, Kind, ObjectView};
use std::fmt::Write as _;

/// Writes it where the scope takes it.
pub(super) fn write(
    metric: &Metric,
    (kind, scope): (Kind, &Scope),
    rows: &[&ObjectView],
    out: &mut String,
) {
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

fn labels(row: &ObjectView) -> String {
    let proxy = label(&row.proxy);
    match row.kind {
        Kind::Frontend | Kind::Backend => format!("proxy=\"{proxy}\""),
        Kind::Server => format!("proxy=\"{proxy}\",server=\"{}\"", label(&row.name)),
        Kind::Listener => format!("proxy=\"{proxy}\",listener=\"{}\"", label(&row.name)),
    }
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
        Some(number @ (Cell::U32(_) | Cell::U64(_) | Cell::S32(_) | Cell::Float(_))) => {
            writeln!(out, "{name}{{{labels}}} {number}")
        }
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
