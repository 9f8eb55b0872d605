//! GUIDs: names that stay an object's own over all versions of a configuration.

use super::proxies::Names;
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::id::{ListenerId, ServerId};
use crate::lang::{Diag, Word};
use crate::site::{Named, Site};

/// The longest GUID.
const LEN_MAX: usize = 128;

/// Gives proxies and servers their GUIDs.
pub(super) fn proxies(
    names: &Names<'_>,
    proxies: &[ProxyDraft],
    site: &mut Site,
    report: &mut Report,
) {
    for (at, proxy) in proxies.iter().enumerate() {
        let (front, back) = names.halves(at);
        if let Some(word) = &proxy.guid {
            let halves = [front.map(Named::Frontend), back.map(Named::Backend)];
            for half in halves.into_iter().flatten() {
                name(word, None, half, site, report);
            }
        }
        let Some(back) = back else { continue };
        let members: Vec<ServerId> = site.backend(back).servers.iter().copied().collect();
        for line in &proxy.back.servers {
            let Some(word) = &line.guid else { continue };
            let own = |id: &&ServerId| *site.server(**id).name == *line.name;
            if let Some(&id) = members.iter().find(own) {
                name(word, None, Named::Server(id), site, report);
            }
        }
    }
}

/// Gives the listeners of a line theirs: the prefix, and their place in the line.
pub(super) fn listeners(word: &Word, from: usize, site: &mut Site, report: &mut Report) {
    for at in from..site.listeners.len() {
        let named = Named::Listener(ListenerId::at(at));
        name(word, Some(at - from), named, site, report);
    }
}

fn name(word: &Word, place: Option<usize>, named: Named, site: &mut Site, report: &mut Report) {
    let text = match place {
        Some(place) => format!("{}-{place}", word.str()),
        None => word.str().to_owned(),
    };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte);
    if text.len() > LEN_MAX || !text.bytes().all(legal) {
        let sentence = format!("'guid' : '{text}' contains illegal characters or is too long.");
        report.add(Diag::alert(word.span, sentence));
    } else if site.name_uniquely(&text, named).is_err() {
        let sentence = format!("'guid' : GUID '{text}' is already attached to another object.");
        report.add(Diag::alert(word.span, sentence));
    }
}
