//! `peers` sections: members, tables, and listeners for those who connect.

use std::sync::Arc;

use super::proxies::Names;
use super::{Host, addresses, carriage, listener, tls, why_not};
use crate::addr::{Place, Ports, SockAddr, Transport, Written};
use crate::config::draft::{GlobalDraft, ProxyDraft, ServerDraft};
use crate::config::report::Report;
use crate::config::section::peers::PeersDraft;
use crate::id::TableId;
use crate::lang::{Diag, Shape, Word};
use crate::peer::{Member, Section, Shared};
use crate::site::{Listener, Peers, Service, Site};
use crate::stick::Table;

/// Adds the sections to the site; `local` is this process's name among peers.
pub(super) fn all(
    drafts: &[PeersDraft],
    local: &str,
    (proxies, written, names): (&[ProxyDraft], &GlobalDraft, &Names<'_>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for draft in drafts {
        let tables = tables(draft, (proxies, names), site);
        let members = draft.own.members.iter();
        let Some(own) = members.clone().position(|member| member.name == local) else {
            if !draft.disabled {
                report.add(incomplete(draft, local));
            }
            continue;
        };
        if draft.disabled {
            continue;
        }
        let (mut list, mut connectors, mut carriages) = (Vec::new(), Vec::new(), Vec::new());
        for line in members {
            let server = line.server.and_then(|at| draft.servers.get(at));
            let address = server.and_then(|server| report.check(address(draft, server, host)));
            let connector = server
                .filter(|server| server.tls.ssl)
                .and_then(|server| tls::connector(server, &draft.name, written, &site.tls, report));
            connectors.push(connector);
            let carriage = server.map_or(Ok(None), |server| carriage::of_server(server, host));
            carriages.push(report.check(carriage).flatten());
            list.push(Member {
                name: line.name.clone(),
                address,
                shard: server.map_or(0, |server| server.shard),
            });
        }
        let local_at = listen(
            draft,
            list[own].address.as_ref(),
            (written, host),
            site,
            report,
        );
        list[own].address = list[own].address.take().or(local_at);
        // This process's heir learns everything.
        list[own].shard = 0;
        let mut section = Section::new(draft.name.clone(), list, own, tables);
        section.shards = draft.own.shards;
        let section = Arc::new(section);
        site.peers.push(Peers {
            section,
            connectors,
            carriages,
        });
    }
    unknown(drafts, proxies, report);
}

/// Adds the listeners of the section that comes next, on its `bind` lines or else on this process's address in it; says
/// where the first `bind` line listens.
fn listen(
    draft: &PeersDraft,
    own: Option<&SockAddr>,
    (written, host): (&GlobalDraft, &dyn Host),
    site: &mut Site,
    report: &mut Report,
) -> Option<SockAddr> {
    let service = Service::Peers(site.peers.len());
    if draft.binds.is_empty() {
        let listener = own.map(|own| Listener::new(service, own.clone()));
        site.listeners.extend(listener);
        return None;
    }
    let mut local_at = None;
    for bind in &draft.binds {
        let made = listener::listeners(bind, service, written, (host, site), report);
        local_at = local_at.or_else(|| made.first().map(|one| one.endpoint.clone()));
        site.listeners.extend(made);
    }
    local_at
}

/// The tables of a section: its own, and those of proxies that name it.
fn tables(
    draft: &PeersDraft,
    (proxies, names): (&[ProxyDraft], &Names<'_>),
    site: &mut Site,
) -> Vec<Shared> {
    let mut shared = Vec::new();
    for (name, written) in &draft.own.tables {
        let full = format!("{}/{name}", draft.name);
        shared.push(Shared {
            table: TableId::at(site.tables.len()),
            name: name.clone(),
        });
        let table = Table::shared(full.as_str().into(), names.table(written, &full));
        site.tables.push(table);
    }
    for proxy in proxies {
        let named = proxy
            .stick
            .table
            .as_ref()
            .and_then(|table| table.peers.as_ref());
        if named == Some(&draft.name)
            && let Some(table) = site.table_named(&proxy.name)
        {
            shared.push(Shared {
                table,
                name: proxy.name.clone(),
            });
        }
    }
    shared
}

/// Tables that name a section which there is not.
fn unknown(drafts: &[PeersDraft], proxies: &[ProxyDraft], report: &mut Report) {
    for proxy in proxies {
        let Some(table) = &proxy.stick.table else {
            continue;
        };
        let Some(name) = &table.peers else { continue };
        if !drafts.iter().any(|draft| draft.name == *name) {
            let text = format!(
                "Proxy '{}': unable to find sync peers '{name}'.",
                proxy.name
            );
            report.add(Diag::alert(table.span, text).with_shape(Shape::Plain));
        }
    }
}

fn incomplete(draft: &PeersDraft, local: &str) -> Diag {
    let text = format!(
        "Removing incomplete section 'peers {}' (no peer named '{local}').",
        draft.name
    );
    Diag::warning(draft.span, text)
        .with_shape(Shape::Plain)
        .with_fix("-L <name>, or localpeer <name> in the global section")
}

/// Where a member listens.
pub(super) fn address(
    draft: &PeersDraft,
    line: &ServerDraft,
    host: &dyn Host,
) -> Result<SockAddr, Diag> {
    resolved(line, &format!("peers '{}': ", draft.name), host)
}

/// Refuses an address for datagrams, which log backends alone send.
pub(super) fn streams_only(word: &Word, written: &Written) -> Result<(), Diag> {
    if written.transport != Transport::Datagram {
        return Ok(());
    }
    let text = format!(
        "'server' : dgram-type address not acceptable in '{}'",
        word.shown()
    );
    Err(Diag::alert(word.span, text).with_fix("mode log, if it is to take log lines"))
}

/// The address of a line that is connected to as it stands.
pub(super) fn resolved(
    line: &ServerDraft,
    context: &str,
    host: &dyn Host,
) -> Result<SockAddr, Diag> {
    let Some((word, written)) = &line.address else {
        return Err(Diag::alert(line.name_span, format!("{context}no address.")));
    };
    streams_only(word, written)?;
    let port = match written.ports {
        Ports::One(port) => port,
        Ports::None | Ports::Range(..) | Ports::Offset(_) => 0,
    };
    let needs_port = !matches!(written.place, Place::Unix(_));
    if needs_port && port == 0 {
        let text = format!("{context}'{}' needs a port.", word.shown());
        return Err(Diag::alert(word.span, text));
    }
    match &written.place {
        Place::Ip(ip) => Ok(SockAddr::Inet((*ip, port).into())),
        Place::Unix(path) => Ok(path.clone()),
        Place::Name { name, family } => {
            let found = addresses(host, name, *family);
            let ip = found.first().ok_or_else(|| {
                let text = format!("{context}could not resolve address '{name}'.");
                Diag::alert(word.span, text).with_reason(why_not(host, name))
            })?;
            Ok(SockAddr::Inet((*ip, port).into()))
        }
        Place::Fd(_) | Place::SockPair(_) => {
            let text = format!("{context}'{}' is no address to connect to.", word.shown());
            Err(Diag::alert(word.span, text))
        }
    }
}
