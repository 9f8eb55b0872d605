//! The names of machines that a configuration asks for at the start: which they are, so that all are looked up side by side, and
//! the places whose name becomes an address once and for all (`log`, `addr` and `agent-addr` of checks).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::{Host, addresses, why_not};
use crate::addr::{IpFamily, Place, Written};
use crate::check::draft::{ActDraft, RuleDraft};
use crate::config::draft::{GlobalDraft, InitAddr, ProxyDraft, ServerDraft};
use crate::config::report::Report;
use crate::config::section::log::Line;
use crate::config::section::peers::PeersDraft;
use crate::config::section::relay::{ForwardDraft, RingDraft};
use crate::lang::{Diag, Word};
use crate::log::{self, Target};

/// The sections that connect to somebody and are no proxies.
type Relays<'a> = (&'a [PeersDraft], &'a [RingDraft], &'a [ForwardDraft]);

/// Every host name that will be looked up, once each.
pub(super) fn names(
    proxies: &[ProxyDraft],
    global: &GlobalDraft,
    (peers, rings, forwards): Relays<'_>,
) -> Vec<String> {
    let binds = proxies.iter().flat_map(|proxy| &proxy.front.binds);
    let relayed = forwards
        .iter()
        .flat_map(|one| one.binds.iter().chain(&one.datagrams));
    let binds = binds.chain(&global.sockets).chain(relayed);
    let binds = binds.chain(peers.iter().flat_map(|section| &section.binds));
    let bound = binds.flat_map(|bind| &bind.addresses);
    let servers = proxies
        .iter()
        .flat_map(|proxy| &proxy.back.servers)
        .map(Box::as_ref);
    let asks = |line: &&ServerDraft| {
        line.init_addr.is_empty() || line.init_addr.contains(&InitAddr::Resolve)
    };
    let members = peers.iter().flat_map(|section| &section.servers);
    let members = members.chain(rings.iter().flat_map(|ring| &ring.servers));
    let reached = servers.clone().filter(asks).chain(members);
    let reached = reached.filter_map(|line| line.address.as_ref());
    let backs = proxies.iter().map(|proxy| &proxy.back);
    let sources = servers.clone().filter_map(|line| line.source.as_deref());
    let sources = sources.chain(backs.clone().filter_map(|back| back.source.as_ref()));
    let proxied = servers.clone().filter_map(|line| line.socks4.as_deref());
    let outlets = backs.clone().filter_map(|back| back.dispatch.as_ref());
    let written = bound.chain(reached).chain(proxied).chain(outlets);
    let written = written.chain(sources.map(|source| &source.address));
    let mut names: BTreeSet<String> = written.filter_map(|(_, written)| name(written)).collect();
    let logs = proxies.iter().flat_map(|proxy| &proxy.log.lines);
    let logs = logs.chain(forwards.iter().flat_map(|one| &one.lines));
    let targets = logs.filter_map(|line| match line {
        Line::Target(target) => Some(&**target),
        Line::Global => None,
    });
    names.extend(
        targets
            .chain(&global.logs)
            .filter_map(logged_at)
            .filter_map(name),
    );
    let own = servers.clone().filter_map(|line| line.check.own.as_ref());
    let own = own.flat_map(|draft| draft.rules());
    let checks = servers.flat_map(|line| [&line.check.address, &line.check.agent.address]);
    let steps = backs.flat_map(|back| back.check.rules()).chain(own);
    let checks = checks.chain(steps.filter_map(connects_to));
    names.extend(checks.flatten().filter_map(|word| checked_at(word).err()));
    names.into_iter().collect()
}

/// Puts addresses in the place of names that are looked up once.
pub(super) fn fix(
    proxies: &mut [ProxyDraft],
    global: &mut GlobalDraft,
    forwards: &mut [ForwardDraft],
    host: &dyn Host,
    report: &mut Report,
) {
    let logs = proxies.iter_mut().flat_map(|proxy| &mut proxy.log.lines);
    let logs = logs.chain(forwards.iter_mut().flat_map(|one| &mut one.lines));
    let targets = logs.filter_map(|line| match line {
        Line::Target(target) => Some(&mut **target),
        Line::Global => None,
    });
    for target in targets.chain(&mut global.logs) {
        report.check(fix_log(target, host));
    }
    for back in proxies.iter_mut().map(|proxy| &mut proxy.back) {
        for line in &mut back.servers {
            let words = [
                ("addr", &mut line.check.address),
                ("agent-addr", &mut line.check.agent.address),
            ];
            for (keyword, word) in words {
                report.check(fix_check(keyword, word, host));
            }
        }
        let own = back
            .servers
            .iter_mut()
            .filter_map(|line| line.check.own.as_mut());
        let own = own.flat_map(|draft| draft.rules_mut());
        for rule in back.check.rules_mut().chain(own) {
            if let ActDraft::Connect(connect) = &mut rule.act {
                report.check(fix_check("addr", &mut connect.address, host));
            }
        }
    }
}

fn fix_log(target: &mut Target, host: &dyn Host) -> Result<(), Diag> {
    let span = target.span;
    let (log::Place::Datagram(written) | log::Place::Stream(written)) = &mut target.place else {
        return Ok(());
    };
    if let Place::Name { name, family } = &written.place {
        let ip = one(host, name, *family).map_err(|why| {
            let text = format!("'log' : could not resolve address '{name}'.");
            Diag::alert(span, text).with_reason(why)
        })?;
        written.place = Place::Ip(ip);
    }
    Ok(())
}

fn fix_check(keyword: &str, word: &mut Option<Word>, host: &dyn Host) -> Result<(), Diag> {
    let Some(word) = word else {
        return Ok(());
    };
    if let Err(name) = checked_at(word) {
        let ip = one(host, &name, None).map_err(|why| {
            let text = format!(
                "'{keyword}' : could not resolve address '{name}' in '{}'",
                word.shown()
            );
            Diag::alert(word.span, text).with_reason(why)
        })?;
        *word = Word::new(ip.to_string().as_bytes(), word.span);
    }
    Ok(())
}

/// The best address of a name, or why it has none.
fn one(host: &dyn Host, name: &str, family: Option<IpFamily>) -> Result<IpAddr, String> {
    let found = addresses(host, name, family);
    found.first().copied().ok_or_else(|| why_not(host, name))
}

/// The name in an address; names of services are not looked up.
fn name(written: &Written) -> Option<String> {
    match &written.place {
        Place::Name { name, .. } => Some(name.to_string()).filter(|name| !name.starts_with('_')),
        Place::Ip(_) | Place::Unix(_) | Place::Fd(_) | Place::SockPair(_) => None,
    }
}

fn logged_at(target: &Target) -> Option<&Written> {
    match &target.place {
        log::Place::Datagram(written) | log::Place::Stream(written) => Some(written),
        log::Place::Descriptor(_) | log::Place::Ring(_) | log::Place::Backend(_) => None,
    }
}

fn connects_to(rule: &RuleDraft) -> Option<&Option<Word>> {
    match &rule.act {
        ActDraft::Connect(connect) => Some(&connect.address),
        ActDraft::Send(_)
        | ActDraft::Request(_)
        | ActDraft::Expect(_)
        | ActDraft::Assign { .. } => None,
    }
}

/// The address that a check's word says, or the name it is.
fn checked_at(word: &Word) -> Result<IpAddr, String> {
    let text = word.str();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let name = || {
        text.rsplit_once(':')
            .map_or(text, |(name, _)| name)
            .to_owned()
    };
    text.parse().ok().or_else(with_port).ok_or_else(name)
}
