//! What a section says that its mode makes useless: warned about, and left out.

use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::lang::{Diag, Shape, Span};
use crate::site::{LineFormat, Mode};

/// Warns about HTTP settings of TCP proxies and formats without a log.
pub(super) fn check(proxy: &ProxyDraft, report: &mut Report) {
    if proxy.disabled {
        return;
    }
    format_without_log(proxy, report);
    if proxy.mode == Mode::Http {
        return;
    }
    let (keyword, name) = (proxy.keyword(), &proxy.name);
    let mut warn = |span: Span, message: String| {
        let diag = Diag::warning(span, message).with_shape(Shape::Plain);
        report.add(diag.with_fix(format!("mode http in {keyword} '{name}'")));
    };
    if proxy.is_front() && proxy.front.monitor_uri.is_some() {
        let text =
            format!("monitor-uri will be ignored for {keyword} '{name}' (needs 'mode http').");
        warn(proxy.span, text);
    }
    if proxy.is_back() && proxy.back.balance.cookie.is_some() {
        let text = format!("cookie will be ignored for {keyword} '{name}' (needs 'mode http').");
        warn(proxy.span, text);
    }
    if proxy.stats.page.is_some() {
        let text =
            format!("'stats' statement ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.stats.span, text);
    }
    if proxy.options.forward_for.is_some() {
        let text =
            format!("'option forwardfor' ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.span, text);
    }
    if proxy.options.original_to.is_some() {
        let text =
            format!("'option originalto' ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.span, text);
    }
}

fn format_without_log(proxy: &ProxyDraft, report: &mut Report) {
    let written = matches!(proxy.log.format, Some((LineFormat::Written(_), _)));
    if !(written && proxy.is_front() && proxy.log.lines.is_empty()) {
        return;
    }
    let span = proxy.log.format.as_ref().map(|(_, span)| *span);
    let text = format!(
        "log format ignored for frontend '{}' since it has no log address.",
        proxy.name
    );
    report.add(Diag::warning(span, text).with_shape(Shape::Plain));
}

/// The format of a proxy's lines: what HTTP formats show does not exist in TCP mode.
pub(super) fn line_format(proxy: &ProxyDraft, report: &mut Report) -> LineFormat {
    let Some((format, span)) = &proxy.log.format else {
        return LineFormat::Connect;
    };
    let (option, fallback) = match format {
        LineFormat::Http => ("httplog", LineFormat::Tcp),
        LineFormat::HttpClf => ("httplog", LineFormat::TcpClf),
        LineFormat::Https => ("httpslog", LineFormat::Tcp),
        LineFormat::Connect | LineFormat::Tcp | LineFormat::TcpClf | LineFormat::Written(_) => {
            return format.clone();
        }
    };
    if proxy.mode == Mode::Http {
        return format.clone();
    }
    // haproxy: warns for every section that inherits the option; here: for those that log, where it matters.
    if proxy.is_front() && !proxy.log.lines.is_empty() {
        let text = format!(
            "'option {option}' not usable with {} '{}' (needs 'mode http'). Falling back to \
             'option tcplog'.",
            proxy.keyword(),
            proxy.name
        );
        report.add(Diag::warning(*span, text));
    }
    fallback
}
