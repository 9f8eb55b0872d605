//! `ring` and `log-forward` sections: where lines come from and go to.

use std::sync::Arc;

use super::{Host, carriage, listener, mode, peers, tls};
use crate::config::draft::GlobalDraft;
use crate::config::report::Report;
use crate::config::section::log::Line;
use crate::config::section::relay::{ForwardDraft, RingDraft};
use crate::log::Ring;
use crate::site::{LogForward, Logging, RingPost, RingServer, Service, Site};

/// Adds rings and relays to the site; with them, all that log backends could be named by is there.
pub(super) fn all(
    (drafts, forwarding): (&[RingDraft], &[ForwardDraft]),
    written: &GlobalDraft,
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    rings(drafts, written, host, site, report);
    forwards(forwarding, written, host, site, report);
    mode::named_backends(site, report);
}

/// Adds the rings to the site.
fn rings(
    drafts: &[RingDraft],
    written: &GlobalDraft,
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for draft in drafts {
        let description = draft.description.as_deref().map(Into::into);
        let ring = Ring::new(draft.name.as_str().into(), description, draft.size)
            .shaped(draft.syntax, draft.line_max);
        let mut servers = Vec::new();
        for line in &draft.servers {
            let context = format!("ring '{}': ", draft.name);
            let Some(address) = report.check(peers::resolved(line, &context, host)) else {
                continue;
            };
            let connector = if line.tls.ssl {
                tls::connector(line, &draft.name, written, &site.tls, report)
            } else {
                None
            };
            let carriage = report.check(carriage::of_server(line, host)).flatten();
            servers.push(RingServer {
                address,
                connector,
                carriage,
                counted: line.log_counted,
            });
        }
        site.rings.push(RingPost {
            ring: Arc::new(ring),
            servers,
        });
    }
}

/// Adds the relays to the site.
fn forwards(
    drafts: &[ForwardDraft],
    written: &GlobalDraft,
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for draft in drafts {
        let service = Service::LogForward(site.forwards.len());
        let mut targets = Vec::new();
        for line in &draft.lines {
            match line {
                Line::Global => targets.extend(site.global.logs.iter().cloned()),
                Line::Target(target) => targets.push((**target).clone()),
            }
        }
        for bind in &draft.binds {
            for mut one in listener::listeners(bind, service, written, (host, site), report) {
                one.backlog = draft.backlog.unwrap_or(one.backlog);
                site.listeners.push(one);
            }
        }
        let mut datagrams = Vec::new();
        for bind in &draft.datagrams {
            let made = listener::listeners(bind, service, written, (host, site), report);
            datagrams.extend(made.into_iter().map(|one| one.endpoint));
        }
        site.forwards.push(LogForward {
            name: draft.name.as_str().into(),
            logging: Logging {
                targets: targets.into(),
                ..Logging::default()
            },
            maxconn: draft.maxconn,
            timeout: draft.timeout,
            datagrams,
        });
    }
}
