//! `resolvers` sections and the servers whose names they follow.

use std::net::IpAddr;
use std::sync::Arc;

use super::Host;
use crate::config::draft::{ProxyDraft, ResolversDraft, ServerDraft};
use crate::config::report::Report;
use crate::dns::Family;
use crate::dns::run::roster::Watched;
use crate::dns::run::section::{BUILT_IN, Section};
use crate::id::{BackendId, ServerId};
use crate::lang::{Diag, suggest_name};
use crate::site::{Destination, Server, Site};
use crate::users;

/// The sections as they run, the built-in one at the end unless it is written.
pub(super) fn sections(
    drafts: &[ResolversDraft],
    family: Family,
    host: &dyn Host,
    report: &mut Report,
) -> Vec<Arc<Section>> {
    let root = host.root();
    let mut sections = Vec::new();
    for draft in drafts {
        let section = Section {
            family,
            ..Section::new(draft.name.as_str().into(), &draft.dns, &root)
        };
        if section.has_no_nameservers() {
            let text = format!("resolvers '{}' has no nameservers configured!", draft.name);
            report.add(Diag::warning(draft.span, text));
        }
        sections.push(Arc::new(section));
    }
    if drafts.iter().all(|draft| draft.name != BUILT_IN) {
        let section = Section {
            family,
            ..Section::built_in(&root)
        };
        if !section.has_no_nameservers() {
            sections.push(Arc::new(section));
        }
    }
    sections
}

/// Has the section that `line` names follow `server`.
///
/// # Errors
/// There is no such section.
pub(super) fn follow(
    line: &ServerDraft,
    (proxy, backend): (&ProxyDraft, BackendId),
    (id, server): (ServerId, &Server),
    site: &mut Site,
) -> Result<(), Diag> {
    let Some((name, span)) = &line.resolution.resolvers else {
        return Ok(());
    };
    let known = site.resolvers.iter().map(|section| &*section.name);
    let Some(section) = known.clone().position(|known| known == name) else {
        let text = format!(
            "proxy '{}', server '{}': unable to find required resolvers '{name}'",
            proxy.name, line.name
        );
        return Err(Diag::alert(*span, text).suggesting(suggest_name(name, known)));
    };
    let (host, ip) = (
        (*server.host.load()).clone(),
        address(&server.destination.load()),
    );
    if host.is_some() || ip.is_some() {
        site.watched.push(Watched {
            server: id,
            backend,
            section,
            host,
            wishes: line.resolution.wishes.clone(),
            ip,
        });
    }
    Ok(())
}

fn address(destination: &Destination) -> Option<IpAddr> {
    match destination {
        Destination::At(address) => address.ip(),
        Destination::Unresolved => None,
    }
}

/// The user lists that are in order.
pub(super) fn userlists(drafts: Vec<users::Draft>, report: &mut Report) -> Vec<users::List> {
    let mut lists = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match draft.close() {
            Ok(list) => lists.push(list),
            Err(faults) => faults.into_iter().for_each(|diag| report.add(diag)),
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use crate::config::rig::{outcome, said};
    use crate::lang::Severity;

    #[test]
    fn names_are_followed_by_their_resolvers() {
        let text = "resolvers r\n nameserver n 127.0.0.1:5353\n hold valid 3s\n\
        backend b\n server one nowhere:80 resolvers r resolve-prefer ipv4\n server-template t 2 _http._tcp.test resolvers r\n\
        server two 127.0.0.1:80\n";
        let outcome = outcome(text);
        let site = outcome.site.expect("a warning alone");
        assert_eq!(&*site.resolvers[0].name, "r");
        let followed: Vec<_> = site
            .watched
            .iter()
            .map(|one| {
                (
                    one.server.index(),
                    one.host.as_deref().unwrap_or_default(),
                    one.wishes.prefer_v4,
                )
            })
            .collect();
        assert_eq!(
            followed,
            [
                (0, "nowhere", true),
                (1, "_http._tcp.test", false),
                (2, "_http._tcp.test", false)
            ]
        );
        let usable: Vec<bool> = site
            .servers
            .iter()
            .map(|server| server.seat.is_electable())
            .collect();
        assert_eq!(usable, [false, false, false, true]);
        let told = "'server b/one' : could not resolve address 'nowhere', disabling server.";
        let mut diags = outcome.report.sorted().into_iter();
        let note = diags.find(|diag| diag.message.contains(told));
        assert_eq!(note.map(|diag| diag.severity), Some(Severity::Notice));
        assert!(
            said("backend b\n server s 1.2.3.4:80 resolvers nope\n")
                .contains("proxy 'b', server 's': unable to find required resolvers 'nope'")
        );
        let twice = "resolvers r\n nameserver n 1.1.1.1:53\nresolvers r\n";
        assert!(said(twice).contains("resolvers 'r' has same name as another resolvers"));
    }
}
