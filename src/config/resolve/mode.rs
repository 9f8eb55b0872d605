//! What a section says that its mode makes useless: warned about, and left out.

use crate::balance::{Algorithm, KeySource};
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::lang::{Diag, Shape, Span};
use crate::log::{Place, presets};
use crate::rule::{Phase, Written};
use crate::site::{LineFormat, Mode, Site};

/// Warns about HTTP settings of TCP proxies and formats without a log.
pub(super) fn check(proxy: &ProxyDraft, report: &mut Report) {
    if proxy.disabled {
        return;
    }
    format_without_log(proxy, report);
    if proxy.mode == Mode::Log {
        return lines_only(proxy, report);
    }
    streams_only(proxy, report);
    if proxy.mode == Mode::Http {
        return;
    }
    rules_of_http(proxy, report);
    let (keyword, name) = (proxy.keyword(), &proxy.name);
    let mut warn = |span: Span, message: String, fix: Option<String>| {
        let diag = Diag::warning(span, message).with_shape(Shape::Plain);
        report.add(match fix {
            Some(fix) => diag.with_fix(fix),
            None => diag.with_reason("it is in TCP mode, where there are no headers"),
        });
    };
    let http = || Some(format!("mode http in {keyword} '{name}'"));
    if proxy.is_front() && proxy.front.monitor_uri.is_some() {
        let text =
            format!("monitor-uri will be ignored for {keyword} '{name}' (needs 'mode http').");
        warn(proxy.span, text, http());
    }
    if proxy.is_back() && proxy.back.balance.cookie.is_some() {
        let text = format!("cookie will be ignored for {keyword} '{name}' (needs 'mode http').");
        warn(proxy.span, text, http());
    }
    if proxy.stats.page.is_some() && !may_become_http(proxy) {
        let text =
            format!("'stats' statement ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.stats.span, text, http());
    }
    // These two come from 'defaults' more often than not: the mode is meant, the option is too much.
    if proxy.options.forward_for.is_some() {
        let text =
            format!("'option forwardfor' ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.span, text, None);
    }
    if proxy.options.original_to.is_some() {
        let text =
            format!("'option originalto' ignored for {keyword} '{name}' as it requires HTTP mode.");
        warn(proxy.span, text, None);
    }
}

/// Whether a rule of a frontend lets connections become requests.
fn may_become_http(proxy: &ProxyDraft) -> bool {
    let switches = |line: &Written| {
        let word = line.words.first();
        word.is_some_and(|word| word.is("switch-mode"))
    };
    let rules = proxy.rule.phase(Phase::RequestContent);
    proxy.is_front() && rules.iter().any(switches)
}

/// Warns about rules on requests and responses where there are none, once for each keyword. What comes from a `defaults`
/// section is meant for others.
fn rules_of_http(proxy: &ProxyDraft, report: &mut Report) {
    if may_become_http(proxy) {
        return;
    }
    let rules = &proxy.rule;
    let (keyword, name) = (proxy.keyword(), &proxy.name);
    let phases = [Phase::Request, Phase::Response, Phase::AfterResponse];
    let phases = phases.map(|phase| (phase.keyword(), rules.phase(phase)));
    for (set, lines) in phases.into_iter().chain([("redirect", &*rules.redirects)]) {
        if let Some(first) = lines.iter().find(|line| !line.inherited) {
            let text =
                format!("'{set}' rules ignored for {keyword} '{name}' as they require HTTP mode.");
            let diag = Diag::warning(first.keyword, text).with_shape(Shape::Plain);
            report.add(diag.with_fix(format!("mode http in {keyword} '{name}'")));
        }
    }
}

/// Refuses the ways of choosing that only log lines know.
fn streams_only(proxy: &ProxyDraft, report: &mut Report) {
    let balance = proxy.back.balance.balance.as_ref();
    let Some(balance) = balance.filter(|_| proxy.is_back()) else {
        return;
    };
    let by_line = matches!(balance.key, Some(KeySource::LogLine(_)));
    if by_line || balance.algorithm == Algorithm::Sticky {
        let text = format!(
            "{} '{}': this balancing algorithm is for backends in log mode.",
            proxy.keyword(),
            proxy.name
        );
        report.add(Diag::alert(balance.span, text).with_shape(Shape::Plain));
    }
}

/// What a log backend cannot be or have.
fn lines_only(proxy: &ProxyDraft, report: &mut Report) {
    let (keyword, name) = (proxy.keyword(), &proxy.name);
    if proxy.is_front() {
        let text =
            format!("{keyword} '{name}': 'mode log' is only possible in a 'backend' section.");
        let diag = Diag::alert(proxy.span, text).with_shape(Shape::Plain);
        return report.add(diag.with_fix("log-forward <name>, to receive log lines"));
    }
    let Some(balance) = &proxy.back.balance.balance else {
        return;
    };
    let by_line = matches!(balance.key, Some(KeySource::LogLine(_)) | None);
    let known = matches!(
        balance.algorithm,
        Algorithm::RoundRobin | Algorithm::Random(_) | Algorithm::Sticky | Algorithm::Hash(_)
    );
    if !(by_line && known) {
        let text = format!(
            "backend '{name}': this balancing algorithm is not usable for a backend in log mode."
        );
        let diag = Diag::alert(balance.span, text).with_shape(Shape::Plain);
        report.add(diag.with_fix("balance roundrobin, random, sticky or log-hash"));
    }
}

/// The log backends that `log backend@` lines name: each must be there.
pub(super) fn named_backends(site: &Site, report: &mut Report) {
    let fronts = site.frontends.iter().map(|one| &one.logging);
    let backs = site.backends.iter().map(|one| &one.logging);
    let relays = site.forwards.iter().map(|one| &one.logging);
    let proxies = fronts.chain(backs).chain(relays);
    let targets = proxies.flat_map(|logging| logging.targets.iter());
    let mut seen: Vec<&str> = Vec::new();
    for target in targets.chain(site.global.logs.iter()) {
        let Place::Backend(name) = &target.place else {
            continue;
        };
        if seen.contains(&&**name) {
            continue;
        }
        seen.push(name);
        let found = site.backend_named(name).map(|id| site.backend(id));
        let text = match found {
            None => format!("log : unable to find required log backend '{name}'."),
            Some(backend) if backend.mode != Mode::Log => {
                format!("log : backend '{name}' is no log backend.")
            }
            Some(_) => continue,
        };
        let diag = Diag::alert(None, text).with_shape(Shape::Plain);
        report.add(diag.with_fix(format!("mode log, in 'backend {name}'")));
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
    // haproxy, `option httplog` in TCP mode: warns for every section that inherits it; here: warns for those that log, where it matters.
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

/// The text of a line format that an option stands for.
pub(super) fn preset(format: &LineFormat) -> Option<&str> {
    match format {
        LineFormat::Connect => None,
        LineFormat::Tcp => Some(presets::TCP),
        LineFormat::TcpClf => Some(presets::TCP_CLF),
        LineFormat::Http => Some(presets::HTTP),
        LineFormat::HttpClf => Some(presets::HTTP_CLF),
        LineFormat::Https => Some(presets::HTTPS),
        LineFormat::Written(text) => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::rig::{BASE, found};

    /// What is said where this stands in a frontend, behind defaults with that.
    fn said(inherited: &str, own: &str) -> Vec<String> {
        let base = BASE.replacen("defaults", "defaults d", 1);
        let said = found(&format!(
            "{base}{inherited}frontend f from d\n bind :80\n mode tcp\n{own}"
        ));
        said.into_iter().map(|(_, _, message)| message).collect()
    }

    #[test]
    fn rules_of_http_are_told_where_nothing_runs_them() {
        let ignored =
            |set| format!("'{set}' rules ignored for frontend 'f' as they require HTTP mode.");
        let deny = " http-request deny\n";
        let own = " http-request deny\n redirect location /\n";
        assert_eq!(
            said("", own),
            [ignored("http-request"), ignored("redirect")]
        );
        assert_eq!(said(deny, ""), [""; 0]);
        let switches = " tcp-request content switch-mode http\n stats enable\n";
        assert_eq!(said("", &format!("{switches}{deny}")), [""; 0]);
    }
}
