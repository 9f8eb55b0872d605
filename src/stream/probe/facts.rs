//! What a check's expressions see, and what `http-check send-state` tells the server of itself.

use std::cell::RefCell;

use crate::check::Standing;
use crate::id::ServerId;
use crate::log::{Dates, Record};
use crate::sample::{CheckShelves, Facts, Shelf};
use crate::site::{Server, Site, Survey};
use crate::time::Tick;

/// Shows `look` the facts of a server's check.
pub(super) fn with<R>(
    site: &Site,
    id: ServerId,
    (now, shelf): (Tick, &RefCell<Shelf>),
    look: impl FnOnce(&Facts<'_>) -> R,
) -> R {
    let server = site.server(id);
    let backend = site.backend(server.backend);
    let survey = Survey {
        site,
        now,
        worker: 0,
        random: 0,
    };
    let vars = CheckShelves {
        limits: &site.global.tune.variables,
        process: &site.shelf,
        check: shelf,
    };
    let facts = Facts {
        now,
        vars: &vars,
        census: &survey,
        backend: Some(&backend.facts),
        server: Some(&server.facts),
        ..Facts::none()
    };
    let Some(format) = &backend.rules.unique_id else {
        return look(&facts);
    };
    let mut identity = Vec::new();
    format.write(
        &Record::none(),
        &facts,
        &mut Dates::default(),
        &mut identity,
    );
    look(&Facts {
        unique_id: Some(&identity),
        ..facts
    })
}

/// The value of `X-Haproxy-Server-State`.
pub(super) fn state_line(site: &Site, server: &Server) -> String {
    let health = &server.health;
    let (at, of) = health.position();
    let settled = health.is_settled();
    let state = match health.standing() {
        Standing::Stopped if settled => "DOWN".to_owned(),
        Standing::Stopped => format!("DOWN {at}/{of}"),
        Standing::Running if settled => "UP".to_owned(),
        Standing::Running => format!("UP {at}/{of}"),
        Standing::Stopping if settled => "NOLB".to_owned(),
        Standing::Stopping => format!("NOLB {at}/{of}"),
    };
    let backend = site.backend(server.backend);
    let address = server.address();
    let ip = address.as_ref().and_then(|address| address.ip());
    let port = address.as_ref().and_then(|address| address.port());
    let node = site.global.node.as_deref().unwrap_or(&site.hostname);
    let total: u32 = backend
        .servers
        .iter()
        .map(|id| site.server(*id))
        .filter(|server| server.seat.is_electable())
        .map(|server| server.seat.share().shown())
        .sum();
    format!(
        "{state}; address={}; port={}; name={}/{}; node={node}; weight={}/{total}; scur={}/{}; qcur={}",
        ip.map_or_else(|| "unix".to_owned(), |ip| ip.to_string()),
        port.unwrap_or(0),
        backend.name,
        server.name,
        server.seat.share().shown(),
        server.slots.in_use(),
        backend.load(),
        server.line.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::stream::scenarios;

    #[test]
    fn checks_know_the_unique_id_of_their_backend() {
        let text = "backend b\n unique-id-format id-%[be_name]-%[srv_name]-%[srv_is_up(s),iif(up,down)]\n server s 127.0.0.1:1\n\
                    backend c\n server s 127.0.0.1:1\n";
        let source = Source::Text {
            name: "checks".into(),
            text: text.into(),
        };
        let site = scenarios::read(source).expect("valid");
        let shelf = RefCell::default();
        let known = |at: u32| {
            let around = (Tick::default(), &shelf);
            let own = |facts: &Facts<'_>| facts.unique_id.map(<[u8]>::to_vec);
            with(&site, ServerId::new(at), around, own)
        };
        assert_eq!(known(0).as_deref(), Some(&b"id-b-s-up"[..]));
        assert_eq!(known(1), None);
    }
}
