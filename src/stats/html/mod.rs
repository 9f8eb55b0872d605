//! The statistics page: what `show stat` says, for people.
//!
//! The page is written piece by piece ([`head`], [`proxy`] for each one, [`foot`]), so that a site of thousands of
//! servers can be sent as it is made. It needs no script and loads nothing.

mod form;
mod query;
mod row;

pub use form::{Action, Backend, Order, parse as parse_form};
pub use query::{Format, Query, Verdict};

use super::info::InfoView;
use super::snapshot::{Kind, ObjectView, ProxyView, Selection};
use std::fmt::{self, Write as _};

/// What the configuration says about the page.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// `stats uri`.
    pub uri: String,
    /// `stats refresh`, in seconds.
    pub refresh: Option<u32>,
    /// `stats hide-version`.
    pub hide_version: bool,
    /// `stats show-legends`.
    pub legends: bool,
    /// `stats show-node`: the name.
    pub node: Option<String>,
    /// `stats show-desc`: the text.
    pub description: Option<String>,
    /// Whether this client may administer (`stats admin`).
    pub admin: bool,
}

/// Text made safe for markup.
pub(super) struct Safe<'a>(pub(super) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Everything before the first proxy.
pub fn head(look: &Look, query: &Query, info: &InfoView, out: &mut String) {
    let title = match &look.node {
        Some(node) => format!("{} on {node}", info.product),
        None => info.product.clone(),
    };
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>Statistics Report for {}</title>",
        Safe(&title)
    );
    if let Some(seconds) = look.refresh.filter(|_| query.refresh) {
        let _ = write!(out, "<meta http-equiv=\"refresh\" content=\"{seconds}\">");
    }
    let _ = write!(out, "<style>{STYLE}</style></head>\n<body>");
    let _ = write!(out, "<h1>{}", Safe(&info.product));
    if !look.hide_version {
        let (version, date) = (Safe(&info.version), Safe(&info.release_date));
        let _ = write!(out, " version {version}, released {date}");
    }
    let _ = write!(out, "</h1>\n<h2>Statistics Report for pid {}", info.pid);
    if let Some(node) = &look.node {
        let _ = write!(out, " on {}", Safe(node));
    }
    if let Some(description) = &look.description {
        let _ = write!(out, ": {}", Safe(description));
    }
    out.push_str("</h2>\n");
    if let Some(verdict) = query.verdict {
        let class = if verdict.is_good() { "good" } else { "bad" };
        let _ = writeln!(
            out,
            "<p class=\"verdict {class}\">{}</p>",
            verdict.sentence()
        );
    }
    out.push_str("<div class=\"top\">");
    process(info, out);
    legend(out);
    links(look, query, out);
    out.push_str("</div>\n");
}

fn process(info: &InfoView, out: &mut String) {
    let limit = match info.memory_limit {
        0 => "unlimited".to_owned(),
        bytes => format!("{} MB", bytes >> 20),
    };
    let _ = write!(
        out,
        "<p><b>pid</b> = {} (process #1, nbproc = 1, nbthread = {})<br>\
         <b>uptime</b> = {}<br>\
         <b>system limits</b>: memmax = {limit}; ulimit-n = {}<br>\
         <b>maxsock</b> = {}; <b>maxconn</b> = {}; <b>maxpipes</b> = {}<br>",
        info.pid,
        info.threads,
        info.uptime_text,
        info.descriptors_max,
        info.sockets_max,
        info.conns_max,
        info.pipes_max
    );
    let bits = info.bytes_out_rate.saturating_mul(8);
    let _ = write!(
        out,
        "current conns = {}; current pipes = {}/{}; conn rate = {}/sec; bit rate = {}<br>\
         Running tasks: {}/{}; idle = {} %</p>",
        info.conns,
        info.pipes_used,
        info.pipes_free,
        info.conn_rate,
        bit_rate(bits),
        info.run_queue,
        info.tasks,
        info.idle_percent
    );
}

/// A number of bits a second with three digits after the point.
fn bit_rate(bits: u64) -> String {
    let scales = [
        (1_000_000_000, "Gbps"),
        (1_000_000, "Mbps"),
        (1_000, "kbps"),
    ];
    let scale = scales.iter().find(|(scale, _)| bits >= *scale);
    match scale {
        Some((scale, unit)) => {
            format!(
                "{}.{:03} {unit}",
                bits / scale,
                bits % scale * 1_000 / scale
            )
        }
        None => format!("{bits} bps"),
    }
}

fn legend(out: &mut String) {
    out.push_str("<ul class=\"legend\">");
    for (class, text) in [
        ("up", "active UP"),
        ("backup-up", "backup UP"),
        ("going-down", "UP, going down"),
        ("going-up", "DOWN, going up"),
        ("down", "DOWN"),
        ("unchecked", "not checked"),
        ("maintenance", "DOWN for maintenance (MAINT)"),
        (
            "draining",
            "soft stopped (DRAIN) or out of balancing (NOLB)",
        ),
    ] {
        let _ = write!(out, "<li class=\"{class}\">{text}</li>");
    }
    out.push_str("</ul>");
}

fn links(look: &Look, query: &Query, out: &mut String) {
    let uri = Safe(&look.uri);
    let scope = query.scope.as_deref().unwrap_or("");
    let _ = write!(
        out,
        "<ul><li><form method=\"get\" action=\"{uri}\">Scope: <input name=\"scope\" value=\"{}\" \
         size=\"8\" maxlength=\"{}\"></form></li>",
        Safe(scope),
        query::SCOPE_LEN_MAX
    );
    let link = |out: &mut String, query: &Query, text: &str| {
        let suffix = query.suffix();
        let _ = write!(
            out,
            "<li><a href=\"{uri}{}\">{text}</a></li>",
            Safe(&suffix)
        );
    };
    let plain = Query {
        verdict: None,
        ..query.clone()
    };
    let toggled = Query {
        up_only: !query.up_only,
        ..plain.clone()
    };
    let text = if query.up_only {
        "Show all servers"
    } else {
        "Hide 'DOWN' servers"
    };
    link(out, &toggled, text);
    if look.refresh.is_some() {
        let toggled = Query {
            refresh: !query.refresh,
            ..plain.clone()
        };
        let text = if query.refresh {
            "Disable refresh"
        } else {
            "Enable refresh"
        };
        link(out, &toggled, text);
    }
    link(out, &plain, "Refresh now");
    let _ = write!(
        out,
        "<li><a href=\"{uri};csv\">CSV export</a></li>\
         <li><a href=\"{uri};json\">JSON export</a> (<a href=\"{uri};json-schema\">schema</a>)</li></ul>"
    );
}

/// One proxy's table; nothing where the scope or the selection leaves nothing.
pub fn proxy(look: &Look, query: &Query, view: &ProxyView, out: &mut String) {
    let in_scope = query
        .scope
        .as_ref()
        .is_none_or(|s| view.name.contains(s.as_str()));
    let selection = Selection {
        up_only: query.up_only,
        no_maintenance: query.no_maintenance,
        ..Selection::default()
    };
    let rows: Vec<&ObjectView> = view
        .rows
        .iter()
        .filter(|row| selection.takes(row))
        .collect();
    let Some(first) = rows.first().filter(|_| in_scope) else {
        return;
    };
    let admin = look.admin && rows.iter().any(|row| row.kind == Kind::Server);
    if admin {
        let _ = write!(out, "<form method=\"post\" action=\"{}\">", Safe(&look.uri));
    }
    let name = Safe(&view.name);
    let _ = write!(out, "<h3 id=\"{name}\"><a href=\"#{name}\">{name}</a>");
    if look.legends {
        let mode = if first.http { "http" } else { "tcp" };
        let _ = write!(out, " <small>mode: {mode}, id: {}</small>", first.proxy_id);
    }
    if let Some(description) = &view.description {
        let _ = write!(out, " <small>{}</small>", Safe(description));
    }
    out.push_str("</h3>\n<table>");
    row::header(admin, out);
    for object in &rows {
        row::write(object, look.legends, admin, out);
    }
    out.push_str("</table>\n");
    if admin {
        form::write(first.proxy_id, out);
        out.push_str("</form>\n");
    }
}

/// Everything after the last proxy.
pub fn foot(out: &mut String) {
    out.push_str("</body></html>\n");
}

const STYLE: &str = "body{font:12px sans-serif;margin:1em;background:#fff;color:#222}\
h1{font-size:1.4em;margin:0}h2{font-size:1.1em;font-weight:normal}h3{margin:1.2em 0 .2em}\
h3 a,td a{color:inherit}small{font-weight:normal;color:#666}.top{display:flex;gap:2em;flex-wrap:wrap}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #ccc;padding:1px 4px;text-align:right}\
th{background:#eee;text-align:center;font-weight:normal}td.name,td.word{text-align:left}\
.legend{list-style:none;padding:0}.legend li{padding:0 .5em}.verdict{padding:.5em}\
.good{background:#cfc}.bad{background:#fcc}.frontend,.backend,.listener{background:#f4f4ee}\
.up{background:#c0ffc0}.backup-up{background:#b0d0ff}.going-down{background:#ffffa0}\
.going-up{background:#ffd020}.down{background:#ff9090}.unchecked{background:#e0e0e0}\
.maintenance{background:#c07820;color:#fff}.draining{background:#20a0ff;color:#fff}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rig;

    fn page(look: &Look, target: &str) -> String {
        let snapshot = rig::snapshot();
        let info = InfoView {
            product: "HAProxy".into(),
            version: "9.9".into(),
            pid: 42,
            ..InfoView::default()
        };
        let query = Query::read(target.as_bytes());
        let mut out = String::new();
        head(look, &query, &info.finish(), &mut out);
        for view in &snapshot.proxies {
            proxy(look, &query, view, &mut out);
        }
        foot(&mut out);
        out
    }

    fn look() -> Look {
        Look {
            uri: "/stats".into(),
            refresh: Some(5),
            ..Look::default()
        }
    }

    #[test]
    fn a_page_names_every_proxy_and_server() {
        let text = page(&look(), "");
        for part in [
            "pid 42",
            "version 9.9",
            "id=\"fe\"",
            "id=\"be\"",
            "127.0.0.1:18992",
            "L4CON",
            "content=\"5\"",
        ] {
            let legends = Look {
                legends: true,
                ..look()
            };
            assert!(page(&legends, "").contains(part), "{part}");
        }
        assert!(!text.contains("<form method=\"post\""));
    }

    #[test]
    fn the_query_and_the_configuration_leave_things_out() {
        assert!(!page(&look(), ";norefresh").contains("http-equiv"));
        assert!(!page(&look(), ";up").contains("18992"));
        let scoped = page(&look(), "?scope=fe");
        assert!(scoped.contains("id=\"fe\"") && !scoped.contains("id=\"be\""));
        let hidden = Look {
            hide_version: true,
            ..look()
        };
        assert!(!page(&hidden, "").contains("9.9"));
    }

    #[test]
    fn who_may_administer_gets_a_form() {
        let admin = Look {
            admin: true,
            ..look()
        };
        let text = page(&admin, ";st=DONE");
        assert!(text.contains("name=\"s\" value=\"s1\""));
        assert!(text.contains("name=\"b\" value=\"#3\""));
        assert!(text.contains("class=\"verdict good\""));
    }

    #[test]
    fn nothing_that_comes_with_the_request_becomes_markup() {
        let text = page(&look(), "?scope=\"><script>");
        assert!(!text.contains("<script>"));
        assert_eq!(
            Safe("<a href='x'>&\"").to_string(),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;"
        );
        assert_eq!(bit_rate(1_425_000), "1.425 Mbps");
        assert_eq!(bit_rate(12), "12 bps");
    }
}
