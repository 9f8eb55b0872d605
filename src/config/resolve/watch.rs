//! Health checks of servers: what is asked, how often, where, and whose health counts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::server::about;
use crate::addr::Place;
use crate::check::draft::{ActDraft, RuleDraft};
use crate::check::{Draft, Health, Script, ServerDraft as CheckDraft};
use crate::config::draft::{ProxyDraft, ServerDraft};
use crate::config::report::Report;
use crate::id::{BackendId, ServerId};
use crate::lang::{Diag, Word, suggest_name};
use crate::live::Live;
use crate::site::{Agent, Checking, Port, Site, Target, Watch};
use crate::time::Tick;

/// What a line says about its server's health beside the checks.
pub(super) fn watch(written: &CheckDraft) -> Watch {
    let ip = |word: &Option<Word>| word.as_ref().and_then(|word| word.str().parse().ok());
    let agent = &written.agent;
    Watch {
        tls: written.tls,
        sni: written.sni.as_deref().map(Into::into),
        sni_auto: !written.no_sni_auto,
        alpn: written.alpn.clone(),
        send_proxy: written.send_proxy,
        via_socks4: written.via_socks4,
        observe: written.observe.layer,
        on_error: written.observe.on_error,
        error_limit: written.observe.error_limit,
        errors: AtomicU32::new(0),
        shut_when_down: written.shut_when_down,
        shut_backups_when_up: written.shut_backups_when_up,
        track: None,
        agent: agent.enabled.then(|| Agent {
            inter: agent.inter.unwrap_or(written.pace.inter),
            target: Live::new(Target {
                ip: ip(&agent.address),
                port: agent.port,
            }),
            send: Live::new(agent.send.as_slice().into()),
            enabled: AtomicBool::new(true),
        }),
    }
}

/// Closes `track`: the server whose health counts for another.
pub(super) fn tracks(proxies: &[ProxyDraft], site: &mut Site, report: &mut Report) {
    let mut closed = Vec::new();
    let named = |backend, name| find(site, site.backend_named(backend)?, name);
    for proxy in proxies.iter().filter(|proxy| proxy.is_back()) {
        for line in &proxy.back.servers {
            let Some(word) = &line.check.track else {
                continue;
            };
            let own = named(&proxy.name, &line.name);
            let (backend, name) = word
                .str()
                .split_once('/')
                .unwrap_or((&proxy.name, word.str()));
            let target = named(backend, name);
            match own.zip(target) {
                Some((own, target)) if own != target => closed.push((own, target)),
                _ => {
                    let text = format!(
                        "unable to find required server '{}' for tracking.",
                        word.shown()
                    );
                    report.add(about(proxy, line, &text).at_span(word.span));
                }
            }
        }
    }
    for (own, target) in closed {
        let server = &mut site.servers[own.index()];
        server.watch.track = Some(target);
        server.health.follow();
        site.server(target).is_named.store(true, Relaxed);
    }
}

pub(super) fn find(site: &Site, back: BackendId, name: &str) -> Option<ServerId> {
    let mut ids = site.backend(back).servers.iter().copied();
    ids.find(|id| &*site.server(*id).name == name)
}

/// Refuses a check that knows no port.
///
/// # Errors
/// Neither the server nor its check has a port.
pub(super) fn reachable(line: &ServerDraft, proxy: &ProxyDraft, port: Port) -> Result<(), Diag> {
    let checked = &line.check;
    let place = line.address.as_ref().map(|(_, written)| &written.place);
    // haproxy: a server at no address in particular is let through, and its checks fail; here too.
    let is_anywhere = matches!(place, Some(Place::Ip(ip)) if ip.is_unspecified());
    let is_unix = is_anywhere || matches!(place, Some(Place::Unix(_)));
    let lacks = checked.enabled && checked.port.is_none() && matches!(port, Port::Mapped(_));
    let connects = |rule: &RuleDraft| matches!(rule.act, ActDraft::Connect(_));
    let mut rules = checked.asked(&proxy.back.check).rules();
    if !lacks || is_unix || rules.any(connects) {
        return Ok(());
    }
    let text = format!(
        "server {} has neither service port nor check port nor tcp_check rule 'connect' with port \
         information.",
        line.name
    );
    Err(about(proxy, line, &text).with_fix("port <port>, after check"))
}

/// Refuses an agent that has no port of its own: the server's is not the agent's.
///
/// # Errors
/// `agent-check` without `agent-port`.
pub(super) fn agent_reachable(line: &ServerDraft, proxy: &ProxyDraft) -> Result<(), Diag> {
    let agent = &line.check.agent;
    if !agent.enabled || agent.port.is_some() {
        return Ok(());
    }
    let text = format!(
        "server {} does not have agent port. Agent check has been disabled.",
        line.name
    );
    Err(about(proxy, line, &text).with_fix("agent-port <port>, after agent-check"))
}

/// Gives servers the `healthcheck` sections that they name.
pub(super) fn sections(
    proxies: &mut [ProxyDraft],
    sections: &[(String, Draft)],
    report: &mut Report,
) {
    for line in proxies.iter_mut().flat_map(|proxy| &mut proxy.back.servers) {
        let Some(word) = &line.check.section else {
            continue;
        };
        match sections.iter().find(|(name, _)| word.is(name)) {
            Some((_, draft)) => line.check.own = Some(Box::new(draft.clone())),
            None => {
                let text = format!("unable to find the healthcheck section '{}'.", word.shown());
                let names = sections.iter().map(|(name, _)| name.as_str());
                let diag = Diag::alert(word.span, text);
                report.add(match suggest_name(word.str(), names) {
                    Some(name) => diag.with_fix(name),
                    None => diag,
                });
            }
        }
    }
}

/// What is asked of the servers of a backend.
pub(super) struct Scripts<'a> {
    /// Of those that say nothing of their own.
    pub(super) backend: Arc<Script>,
    /// By the section that servers name.
    pub(super) sections: HashMap<&'a str, Arc<Script>>,
}

impl Scripts<'_> {
    /// What is asked of one of them.
    pub(super) fn of(&self, line: &ServerDraft) -> &Arc<Script> {
        let section = line.check.section.as_ref();
        let own = section.and_then(|name| self.sections.get(name.str()));
        own.unwrap_or(&self.backend)
    }
}

/// The health a server begins with, and how it is checked.
pub(super) fn checks(
    line: &ServerDraft,
    proxy: &ProxyDraft,
    script: &Arc<Script>,
) -> (Health, Option<Checking>) {
    let written = &line.check;
    let health = Health::new(written.thresholds, written.enabled, Tick::default());
    let health = match written.enabled {
        true => health.beginning(written.beginning),
        false => health,
    };
    let checking = written.enabled.then(|| Checking {
        script: Arc::clone(script),
        pace: written.pace,
        target: Live::new(Target {
            ip: written.address.as_ref().and_then(check_ip),
            port: written.port,
        }),
        timeout: proxy.timeouts.check,
    });
    (health, checking)
}

/// The address of `addr`; a port behind it is what `port` is for.
fn check_ip(word: &Word) -> Option<IpAddr> {
    let text = word.str();
    let with_port = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use crate::config::rig::{BASE, outcome};
    use crate::lang::Severity;

    #[test]
    fn servers_are_checked_as_their_sections_have_it() {
        let text = format!(
            "{BASE}backend b\n option httpchk\n server a 1.1.1.1:1 check\n server r 1.1.1.1:2 check healthcheck ping\n \
         server w 1.1.1.1:3 check verify none healthcheck walk\nhealthcheck ping\n type redis-check\nhealthcheck walk\n \
         tcp-check connect ssl\n tcp-check send x\n tcp-check expect string y\n type tcp-check\n"
        );
        let outcome = outcome(&text);
        let said = outcome.report.render(&outcome.files, 1, Severity::Warning);
        assert_eq!(said, "");
        let site = outcome.site.expect("valid");
        let style = |at: usize| {
            let checking = site.servers[at].checking.as_ref().expect("checked");
            (checking.script.style, checking.script.steps.len())
        };
        use crate::check::Style;
        assert_eq!([style(0).0, style(1).0], [Style::Http, Style::Greeting]);
        assert_eq!(style(2), (Style::Tcp, 3));
        let speaks_tls = |at: usize| site.servers[at].check_tls.is_some();
        assert_eq!([0, 1, 2].map(speaks_tls), [false, false, true]);
    }

    #[test]
    fn sections_of_checks_are_named_and_known() {
        let wrong = |text: &str| {
            let outcome = outcome(&format!("{BASE}{text}"));
            outcome.report.render(&outcome.files, 1, Severity::Alert)
        };
        let lost = wrong(
            "healthcheck ping\n type redis-check\nbackend b\n server a 1.1.1.1:1 check healthcheck pin\n",
        );
        assert!(lost.contains("unable to find the healthcheck section 'pin'."));
        let kind = wrong("healthcheck ping\n type redis-chek\n");
        assert!(kind.contains("unknown type of health check 'redis-chek'."));
        let twice = wrong("healthcheck ping\n type redis-check\nhealthcheck ping\n");
        assert!(twice.contains("healthcheck 'ping' is defined twice."));
    }
}
