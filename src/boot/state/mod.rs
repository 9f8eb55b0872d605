//! What one generation knows and the next should: counters, server states, resolved addresses, stick tables, as lines of text.
//!
//! The first line names the version, the last of the whole is `end`; each other line is a kind, names, and `field=value` pairs.
//! What a reader does not know (kinds, fields, objects that its configuration has not) it passes over, so
//! that generations of different versions and configurations mix. Counters are sent as what to add: after the whole, later
//! lines of the same form carry what was counted since ([`Ledger`]), so that no total goes down for long.
//!
//! Not sent: what only the old process can use (current connections, queues), and averages, rates and peaks, which are new in seconds.

mod heir;
mod ledger;
mod will;

pub(super) use heir::Heir;
pub(super) use ledger::Ledger;
pub(super) use will::write;

use crate::site::{Server, Service, Site};
use crate::stats::Tally;

/// The first line.
pub(super) const HEAD: &str = "sluice-state 1";
/// The last line of the whole.
pub(super) const END: &str = "end";

/// Every tally with the name it has in the lines.
fn books(site: &Site) -> Vec<(String, &Tally)> {
    let mut books = vec![("process -".to_owned(), &site.tally)];
    for frontend in &site.frontends {
        books.push((format!("frontend {}", frontend.name), &frontend.tally));
    }
    for backend in &site.backends {
        books.push((format!("backend {}", backend.name), &backend.tally));
    }
    for server in &site.servers {
        books.push((format!("server {}", path(site, server)), &server.tally));
    }
    for listener in &site.listeners {
        let owner = match listener.service {
            Service::Frontend(id) => &*site.frontend(id).name,
            Service::Stats | Service::Peers(_) | Service::LogForward(_) => "-",
        };
        let name = format!("listener {owner}/{}", listener.endpoint);
        books.push((name, &listener.tally));
    }
    books
}

fn path(site: &Site, server: &Server) -> String {
    format!("{}/{}", site.backend(server.backend).name, server.name)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::addr::SockAddr;
    use crate::balance::Weight;
    use crate::boot::args::Options;
    use crate::boot::console::Console;
    use crate::boot::load;
    use crate::check::Admin;
    use crate::config::Source;
    use crate::id::WorkerId;
    use crate::site::Destination;
    use crate::stats::Count;
    use crate::stick::Datum;
    use crate::time::{Millis, Tick};

    fn site(more: &str) -> Site {
        let text = format!(
            "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n\
             frontend f\n bind 127.0.0.1:1\n stick-table type string size 100 expire 10s store gpc0,http_req_rate(10s)\n \
             default_backend b\nbackend b\n server s 127.0.0.1:2 weight 10 check\n server t 127.0.0.1:3 disabled\n{more}"
        );
        let source = Source::Text {
            name: "t.cfg".into(),
            text: text.into_bytes(),
        };
        let loaded = load::load(&Options::default(), &[source], &Console::new(true));
        let mut site = loaded.expect("valid").site;
        site.open_books();
        site
    }

    fn now() -> Tick {
        Tick::from_millis(1_000_000)
    }

    fn inherit(site: &Site, text: &str) {
        let heir = Heir::new(site);
        text.lines().for_each(|line| heir.take(line, now()));
    }

    #[test]
    fn what_was_counted_since_is_told_once() {
        let (old, new) = (site(""), site(""));
        let worker = WorkerId::new(0);
        let mut ledger = Ledger::default();
        old.frontends[0].tally.add(worker, Count::Requests, 5);
        inherit(&new, &write(&old, &mut ledger, now()));
        old.frontends[0].tally.add(worker, Count::Requests, 2);
        new.frontends[0].tally.add(worker, Count::Requests, 1);
        for _ in 0..2 {
            let mut more = String::new();
            ledger.counts(&old, now(), &mut more);
            inherit(&new, &more);
        }
        let folded = new.frontends[0].tally.fold(now());
        assert_eq!(folded.count(Count::Requests), 8);
    }

    #[test]
    fn orders_health_and_weights_go_along_with_their_age() {
        let (old, new) = (site(""), site(""));
        let then = Tick::from_millis(990_000);
        old.servers[0].health.force(false, then);
        let weight = Weight::new(3).expect("small");
        old.servers[0].seat.set_weight(weight, weight.full_share());
        old.servers[0].health.set_admin(Admin::Drain, true, then);
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        let server = &new.servers[0];
        assert!(!server.health.passes() && server.health.is_draining());
        assert_eq!(server.health.changed_at(), then);
        assert_eq!(server.seat.weight().units(), 3);
        assert_eq!(server.health.downtime(now()), 10_000);
    }

    #[test]
    fn what_the_resolver_found_goes_along_while_the_name_is_the_same() {
        let named = |host: &str| {
            site(&format!(
                "resolvers r\n nameserver n 127.0.0.1:5\nbackend d\n server u {host}:80 resolvers r init-addr none\n"
            ))
        };
        let (old, same, other) = (named("a.test"), named("a.test"), named("b.test"));
        let address: SocketAddr = "10.0.0.7:80".parse().expect("an address");
        let server = &old.servers[2];
        server
            .destination
            .publish(Destination::At(SockAddr::Inet(address)));
        server.host.publish(Some("c.test".into()));
        let text = write(&old, &mut Ledger::default(), now());
        inherit(&same, &text);
        inherit(&other, &text);
        let server = &same.servers[2];
        assert_eq!(server.address(), Some(SockAddr::Inet(address)));
        assert!(server.seat.is_electable());
        assert_eq!(server.host.load().as_deref(), Some("c.test"));
        assert_eq!(other.servers[2].address(), None);
    }

    #[test]
    fn an_operators_word_outlives_the_configurations() {
        let (old, new) = (site(""), site(""));
        let then = Tick::from_millis(1);
        for server in &new.servers {
            server
                .health
                .set_admin(Admin::Maintenance, server.disabled, then);
        }
        // Enabled by an operator in spite of the configuration, and the other way round.
        old.servers[0]
            .health
            .set_admin(Admin::Maintenance, true, then);
        old.servers[1]
            .health
            .set_admin(Admin::Maintenance, false, then);
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        assert!(new.servers[0].health.is_in_maintenance());
        assert!(!new.servers[1].health.is_in_maintenance());
    }

    #[test]
    fn entries_keep_their_data_and_the_time_they_have_left() {
        let (old, new) = (site(""), site(""));
        let earlier = Tick::from_millis(996_000);
        let entry = old.tables[0].enter(b"a b\n", earlier).expect("room");
        old.tables[0].set(entry, Datum::Gpc0, 0, 7, earlier);
        old.tables[0].add(entry, Datum::HttpReqRate, 0, 4, now());
        inherit(&new, &write(&old, &mut Ledger::default(), now()));
        let table = &new.tables[0];
        let entry = table.find(b"a b\n", now()).expect("it came along");
        assert_eq!(table.read(entry, Datum::Gpc0, 0, now()), Some(7));
        assert_eq!(table.read(entry, Datum::HttpReqRate, 0, now()), Some(4));
        let left = table.standing(entry, now()).and_then(|s| s.expires_in);
        assert_eq!(left, Some(Millis::new(6_000)));
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let new = site("");
        inherit(
            &new,
            "sluice-state 9\nmoon phase=1\ncount frontend f Nonsense=3 Requests=2 x\ncount frontend gone Requests=1\n\
             server b/gone maint=1\nserver\nentry f\nentry f zz gpc0.0=1\nentry f 6 gpc0.0=1\nentry f 61 moon=1 gpc0.x=1\n\nend\n",
        );
        let folded = new.frontends[0].tally.fold(now());
        assert_eq!(folded.count(Count::Requests), 2);
        assert_eq!(new.tables[0].used(), 1);
    }
}
