//! How servers are reached: what their connections begin with, who may share them, and the server that `dispatch` and
//! `option transparent` stand for.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::bench::Bench;
use super::{Host, server};
use crate::acl::Book;
use crate::addr::{Place, Ports, SockAddr};
use crate::config::draft::{ProxyDraft, ServerDraft};
use crate::config::report::Report;
use crate::id::{BackendId, ServerId};
use crate::lang::{Diag, Severity, Shape};
use crate::sample::ServerFacts;
use crate::site::{Destination, Port, Server, Site, Telling};

/// Gives servers their expressions and texts.
pub(super) fn servers(
    around: (&ProxyDraft, &[ServerId]),
    (bench, book): (&Bench<'_>, &Book),
    site: &mut Site,
    report: &mut Report,
) {
    let (proxy, ids) = around;
    let telling = |line: &&ServerDraft| line.pool_name.is_some() || !line.tellings.is_empty();
    let written = proxy
        .back
        .servers
        .iter()
        .rev()
        .map(Box::as_ref)
        .filter(telling);
    let lines: HashMap<&str, &ServerDraft> = written.map(|line| (&*line.name, line)).collect();
    for &id in ids {
        let made = &mut site.servers[id.index()];
        let Some(line) = lines.get(&*made.name) else {
            continue;
        };
        made.pool_name = line
            .pool_name
            .as_ref()
            .and_then(|word| report.check(bench.expression(word, book)))
            .map(Box::new);
        made.tellings = tellings(line, (bench, book), report);
    }
}

fn tellings(
    line: &ServerDraft,
    (bench, book): (&Bench<'_>, &Book),
    report: &mut Report,
) -> Vec<Telling> {
    let mut text = |word| bench.format(("set-proxy-v2-tlv-fmt", true), word, book, report);
    let all = line.tellings.iter();
    all.map(|(kind, word)| Telling {
        kind: *kind,
        text: word.as_ref().and_then(&mut text),
    })
    .collect()
}

/// The server behind `dispatch`, `option transparent` or `option http_proxy`, where nothing is balanced.
pub(super) fn outlet(
    proxy: &ProxyDraft,
    back: BackendId,
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) -> Option<ServerId> {
    let written = &proxy.back;
    if written.dispatch.is_none() && !written.transparent && !written.follows_uri {
        return None;
    }
    if written.balance.balance.is_some() {
        report.add(idle_outlet(proxy));
        return None;
    }
    let source = written.source.as_ref();
    let source = report.check(server::source(source, proxy, host))?;
    let anywhere = SockAddr::Inet((Ipv4Addr::UNSPECIFIED, 0).into());
    let (to, port) = match &written.dispatch {
        None => (anywhere, Port::Mapped(0)),
        Some((word, address)) => {
            let port = match address.ports {
                Ports::One(port) | Ports::Range(port, _) if port > 0 => port,
                Ports::One(_) | Ports::Range(..) | Ports::None | Ports::Offset(_) => 0,
            };
            let ip = match &address.place {
                Place::Ip(ip) => Some(*ip),
                Place::Name { name, family } => {
                    super::addresses(host, name, *family).first().copied()
                }
                Place::Unix(_) | Place::Fd(_) | Place::SockPair(_) => None,
            };
            let Some(ip) = ip.filter(|_| port > 0) else {
                let text = format!("'dispatch' : '{}' is no address with a port.", word.shown());
                report.add(Diag::alert(word.span, text));
                return None;
            };
            (SockAddr::Inet((ip, port).into()), Port::Fixed(port))
        }
    };
    let id = ServerId::at(site.servers.len());
    let name: Arc<str> = "<NOSRV>".into();
    site.servers.push(Server {
        source,
        is_outlet: true,
        facts: ServerFacts {
            key: Some(id),
            id: 0,
            name: Arc::clone(&name),
        },
        ..Server::new(name, back, Destination::At(to), port)
    });
    Some(id)
}

fn idle_outlet(proxy: &ProxyDraft) -> Diag {
    let (keyword, name) = (proxy.keyword(), &proxy.name);
    if proxy.back.transparent {
        let text = format!("{keyword} '{name}' cannot use both transparent and balance mode.");
        return Diag::alert(proxy.span, text).with_shape(Shape::Plain);
    }
    let text = format!("dispatch address of {keyword} '{name}' will be ignored in balance mode.");
    Diag {
        severity: Severity::Warning,
        ..Diag::alert(proxy.span, text).with_shape(Shape::Plain)
    }
}
