//! The names that servers go by: a resolver thread, and what becomes of its news.

use std::io;
use std::sync::Arc;

use crate::dns::{News, Plan, Resolver, Root};
use crate::id::WorkerId;
use crate::site::Site;
use crate::stream::Letter;
use crate::sys::clock;
use crate::time::Tick;
use crate::worker::{Mail, Office};

/// Starts the resolver thread, if the site has anyone to ask. It holds the site only weakly: the site holds it.
pub(super) fn follow(site: &Arc<Site>, office: &Arc<Office>) -> io::Result<()> {
    if site.resolvers.is_empty() {
        return Ok(());
    }
    let plan = Plan {
        root: Root::host(),
        sections: site.resolvers.clone(),
        watched: site
            .watched
            .iter()
            .map(|one| site.to_be_followed(one))
            .collect(),
    };
    let (site_then, office_then) = (Arc::downgrade(site), Arc::downgrade(office));
    let sink = move |news| {
        if let (Some(site), Some(office)) = (site_then.upgrade(), office_then.upgrade()) {
            hear(&site, &office, &news);
        }
    };
    let (resolver, _ends_with_its_handle) = Resolver::start(plan, Arc::new(sink))?;
    let first = site.resolver.set(resolver);
    debug_assert!(first.is_ok(), "a site begins to run once");
    Ok(())
}

/// Carries out what the resolver says; who waits in line for a server that goes chooses anew.
fn hear(site: &Site, office: &Office, news: &News) {
    if let News::Answer { ticket, answer } = news {
        let letter = Letter::Resolved {
            stream: ticket.key,
            addr: answer.as_ref().ok().and_then(|best| best.first().copied()),
        };
        office.post(WorkerId::new(ticket.worker), Mail::Letter(letter));
    }
    let News::Server {
        backend,
        change,
        by,
    } = news
    else {
        return;
    };
    let now = Tick::from_millis(clock::monotonic_ms());
    let aftermath = site.heed(*backend, change, by, now);
    for (worker, letter) in aftermath.letters(WorkerId::at(0), office.workers()) {
        office.post(worker, Mail::Letter(letter));
    }
}
