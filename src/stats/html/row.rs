//! The rows of a proxy's table: the columns people look at, in groups, each from the table of all columns.

use super::Safe;
use crate::stats::columns::{COLUMNS, Cell};
use crate::stats::snapshot::{Colour, Kind, ObjectView};
use std::fmt::Write as _;

/// A group of columns: its title, and for each column its title and its name in CSV.
type Group = (&'static str, &'static [(&'static str, &'static str)]);

const GROUPS: &[Group] = &[
    (
        "Queue",
        &[("Cur", "qcur"), ("Max", "qmax"), ("Limit", "qlimit")],
    ),
    (
        "Session rate",
        &[("Cur", "rate"), ("Max", "rate_max"), ("Limit", "rate_lim")],
    ),
    (
        "Sessions",
        &[
            ("Cur", "scur"),
            ("Max", "smax"),
            ("Limit", "slim"),
            ("Total", "stot"),
            ("LbTot", "lbtot"),
            ("Last", "lastsess"),
        ],
    ),
    ("Bytes", &[("In", "bin"), ("Out", "bout")]),
    ("Denied", &[("Req", "dreq"), ("Resp", "dresp")]),
    (
        "Errors",
        &[("Req", "ereq"), ("Conn", "econ"), ("Resp", "eresp")],
    ),
    ("Warnings", &[("Retr", "wretr"), ("Redis", "wredis")]),
    (
        "Server",
        &[
            ("Status", "status"),
            ("LastChk", "check_status"),
            ("Wght", "weight"),
            ("Act", "act"),
            ("Bck", "bck"),
            ("Chk", "chkfail"),
            ("Dwn", "chkdown"),
            ("Dwntme", "downtime"),
            ("Thrtle", "throttle"),
        ],
    ),
];

/// Columns that the total of sessions tells when pointed at.
const DETAILS: &[&str] = &[
    "conn_tot",
    "req_tot",
    "hrsp_1xx",
    "hrsp_2xx",
    "hrsp_3xx",
    "hrsp_4xx",
    "hrsp_5xx",
    "hrsp_other",
    "intercepted",
    "connect",
    "reuse",
    "comp_rsp",
    "cache_lookups",
    "cache_hits",
    "cli_abrt",
    "srv_abrt",
    "wrew",
    "eint",
    "qtime",
    "ctime",
    "rtime",
    "ttime",
    "qtime_max",
    "ctime_max",
    "rtime_max",
    "ttime_max",
];

/// The two lines of titles.
pub(super) fn header(admin: bool, out: &mut String) {
    out.push_str("<tr>");
    if admin {
        out.push_str("<th rowspan=\"2\"></th>");
    }
    out.push_str("<th rowspan=\"2\"></th>");
    for (title, columns) in GROUPS {
        // Writing to a string cannot fail, here and below.
        let _ = write!(out, "<th colspan=\"{}\">{title}</th>", columns.len());
    }
    out.push_str("</tr><tr>");
    for (title, _) in GROUPS.iter().flat_map(|(_, columns)| *columns) {
        let _ = write!(out, "<th>{title}</th>");
    }
    out.push_str("</tr>\n");
}

/// One object.
pub(super) fn write(object: &ObjectView, legends: bool, admin: bool, out: &mut String) {
    let _ = write!(out, "<tr class=\"{}\">", class(object));
    let (proxy, name) = (Safe(&object.proxy), Safe(&object.name));
    if admin {
        out.push_str("<td>");
        if object.kind == Kind::Server {
            let _ = write!(out, "<input type=\"checkbox\" name=\"s\" value=\"{name}\">");
        }
        out.push_str("</td>");
    }
    let shown = match object.kind {
        Kind::Frontend => "Frontend",
        Kind::Backend => "Backend",
        Kind::Server | Kind::Listener => &object.name,
    };
    let shown = Safe(shown);
    let _ = write!(
        out,
        "<td class=\"name\" id=\"{proxy}/{name}\"{}><a href=\"#{proxy}/{name}\">{shown}</a></td>",
        if legends {
            tip(&legend(object))
        } else {
            String::new()
        }
    );
    for (_, column) in GROUPS.iter().flat_map(|(_, columns)| *columns) {
        cell(object, column, out);
    }
    out.push_str("</tr>\n");
}

fn class(object: &ObjectView) -> &'static str {
    let Some(server) = &object.server else {
        return match object.kind {
            Kind::Frontend => "frontend",
            Kind::Backend => "backend",
            Kind::Server | Kind::Listener => "listener",
        };
    };
    let is_backup = object.back.as_ref().is_some_and(|back| back.backup > 0);
    match server.colour {
        Colour::Up if is_backup => "backup-up",
        Colour::Up => "up",
        Colour::GoingDown => "going-down",
        Colour::GoingUp => "going-up",
        Colour::Down => "down",
        Colour::Draining => "draining",
        Colour::Maintenance => "maintenance",
        Colour::Unchecked => "unchecked",
    }
}

fn legend(object: &ObjectView) -> String {
    let mut parts = Vec::new();
    parts.extend(object.address.clone());
    if object.id > 0 {
        parts.push(format!("id: {}", object.id));
    }
    if let Some(back) = &object.back {
        parts.extend(back.algorithm.as_ref().map(|a| format!("balancing: {a}")));
        parts.extend(back.cookie.as_ref().map(|c| format!("cookie: '{c}'")));
    }
    parts.join(", ")
}

fn tip(text: &str) -> String {
    format!(" title=\"{}\"", Safe(text))
}

fn value<'a>(object: &'a ObjectView, column: &str) -> Option<Cell<'a>> {
    let found = COLUMNS.iter().find(|other| other.name == column)?;
    found.cell(object)
}

fn cell(object: &ObjectView, column: &str, out: &mut String) {
    let Some(cell) = value(object, column) else {
        out.push_str("<td></td>");
        return;
    };
    let number = |n: u64| grouped(n);
    let (text, tip, class) = match (column, cell) {
        ("lastsess", Cell::S32(seconds)) => {
            let known = u32::try_from(seconds).map(span);
            (known.unwrap_or_else(|_| "?".to_owned()), String::new(), "")
        }
        ("downtime", Cell::U32(seconds)) => (span(seconds), String::new(), ""),
        ("stot", Cell::U64(total)) => (number(total), tip(&details(object)), ""),
        ("status", Cell::Text(status)) => (
            status_text(object, status),
            String::new(),
            " class=\"word\"",
        ),
        ("check_status", Cell::Text(status)) => (
            check_text(object, status),
            tip(&check_tip(object)),
            " class=\"word\"",
        ),
        ("act" | "bck", Cell::U32(one)) if object.kind == Kind::Server => {
            let mark = if one > 0 { "Y" } else { "-" };
            (mark.to_owned(), String::new(), "")
        }
        ("throttle", Cell::U32(percent)) => (format!("{percent} %"), String::new(), ""),
        (_, Cell::U32(n)) => (number(u64::from(n)), String::new(), ""),
        (_, Cell::U64(n)) => (number(n), String::new(), ""),
        (_, Cell::Float(n)) => (n.to_string(), String::new(), ""),
        (_, Cell::S32(n)) => (n.to_string(), String::new(), ""),
        (_, Cell::Text(text)) => (text.to_owned(), String::new(), ""),
    };
    let _ = write!(out, "<td{class}{tip}>{}</td>", Safe(&text));
}

fn status_text(object: &ObjectView, status: &str) -> String {
    match object.last_change {
        Some(seconds) if status != "no check" => format!("{} {status}", span(seconds)),
        _ => status.to_owned(),
    }
}

fn check_text(object: &ObjectView, status: &str) -> String {
    let check = object.server.as_ref().and_then(|s| s.check.as_ref());
    let mut text = status.to_owned();
    if let Some(code) = check.and_then(|check| check.code) {
        let _ = write!(text, "/{code}");
    }
    if let Some(millis) = check.and_then(|check| check.duration) {
        let _ = write!(text, " in {millis}ms");
    }
    text
}

fn check_tip(object: &ObjectView) -> String {
    let check = object.server.as_ref().and_then(|s| s.check.as_ref());
    let Some(check) = check else {
        return String::new();
    };
    match &check.last {
        Some(said) => format!("{}: {said}", check.description),
        None => check.description.clone(),
    }
}

fn details(object: &ObjectView) -> String {
    let mut lines = Vec::new();
    for name in DETAILS {
        let Some(column) = COLUMNS.iter().find(|column| column.name == *name) else {
            continue;
        };
        let number = match column.cell(object) {
            Some(Cell::U64(n)) => n,
            Some(Cell::U32(n)) => u64::from(n),
            _ => continue,
        };
        lines.push(format!(
            "{} {}",
            column.doc.trim_end_matches('.'),
            grouped(number)
        ));
    }
    lines.join("\n")
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// A span of seconds in its two largest units.
fn span(seconds: u32) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m{rest}s"),
        (0, ..) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_made_readable() {
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(grouped(12), "12");
        assert_eq!(span(21), "21s");
        assert_eq!(span(3_700), "1h1m");
        assert_eq!(span(200_000), "2d7h");
    }

    #[test]
    fn every_shown_column_exists() {
        let names = GROUPS
            .iter()
            .flat_map(|(_, columns)| *columns)
            .map(|(_, name)| name);
        for name in names.chain(DETAILS) {
            assert!(COLUMNS.iter().any(|column| column.name == *name), "{name}");
        }
    }
}
