//! What the resolver says about servers, carried out: a server's address is replaced while traffic runs, and a server whose
//! name has none is not chosen.
//!
//! Called by the resolver thread, which carries out the [`Aftermath`]. Connections in use are left alone: they end as they would
//! have. Idle ones to an address that a server has left are closed. The sentences are HAProxy's.

use std::net::{IpAddr, SocketAddr};

use super::{Aftermath, Change as Event, Destination, Notice, Port, Site};
use crate::addr::SockAddr;
use crate::balance::Weight;
use crate::check::Admin;
use crate::dns::run::change::Change;
use crate::dns::run::roster::Watched;
use crate::id::{BackendId, ServerId};
use crate::log::Level;
use crate::time::Tick;

impl Site {
    /// Carries out `change`, which concerns a server of `backend` and which `by` found out.
    pub fn heed(&self, backend: BackendId, change: &Change, by: &str, now: Tick) -> Aftermath {
        match *change {
            Change::Moved { server, ip, port } => self.place(server, (ip, port), by),
            Change::Weight { server, weight } => {
                self.weigh(server, weight);
                self.rebalance(backend);
                Aftermath::default()
            }
            Change::Up { server } => self.find_again(server, now),
            Change::Down { server, cause } => {
                let after = self.change_server(server, &Event::Lost(cause.text()), now);
                self.server(server).move_to(Destination::Unresolved);
                after
            }
        }
    }

    /// A server that the resolver is to follow, with the name and the address it has at this moment.
    pub fn to_be_followed(&self, one: &Watched) -> Watched {
        let server = self.server(one.server);
        Watched {
            host: (*server.host.load()).clone(),
            ip: server.address().and_then(|address| address.ip()),
            ..one.clone()
        }
    }

    fn place(&self, id: ServerId, (ip, port): (IpAddr, Option<u16>), by: &str) -> Aftermath {
        let server = self.server(id);
        let written = match server.port {
            Port::Fixed(port) => port,
            Port::Mapped(_) => 0,
        };
        let before = server.address();
        let known = before.as_ref().and_then(SockAddr::port);
        let was = before.as_ref().and_then(SockAddr::ip);
        let was = was.map_or_else(|| "(none)".to_owned(), |ip| ip.to_string());
        let old_port = known.unwrap_or(written);
        let new_port = port.unwrap_or(old_port);
        let address = SocketAddr::new(ip, new_port);
        server.move_to(Destination::At(SockAddr::Inet(address)));
        self.rebalance(server.backend);
        let mut text = self.name_of(id);
        if was != ip.to_string() {
            text.push_str(&format!(": IP changed from '{was}' to '{ip}'"));
        }
        if new_port != old_port {
            let and = if was == ip.to_string() { ":" } else { "," };
            text.push_str(&format!(
                "{and} port changed from '{old_port}' to '{new_port}'"
            ));
        }
        text.push_str(&format!(" by '{by}'."));
        Aftermath {
            notices: vec![self.notice(id, text)],
            idle_closed: vec![id],
            ..Aftermath::default()
        }
    }

    fn weigh(&self, id: ServerId, weight: u16) {
        let seat = &self.server(id).seat;
        match Weight::new(u32::from(weight)) {
            Some(weight) => seat.set_weight(weight, weight.full_share()),
            None => debug_assert!(false, "weights of services are mapped to those of servers"),
        }
    }

    fn find_again(&self, id: ServerId, now: Tick) -> Aftermath {
        let mut after = self.change_server(id, &Event::Ordered(Admin::Unresolved, false), now);
        let name = self.name_of(id);
        let text = format!("Server {name} administratively READY thanks to valid DNS answer.");
        after.notices.push(self.notice(id, text));
        after
    }

    fn notice(&self, id: ServerId, text: String) -> Notice {
        Notice {
            backend: self.server(id).backend,
            level: Level::Notice,
            text,
        }
    }

    fn name_of(&self, id: ServerId) -> String {
        let server = self.server(id);
        format!("{}/{}", self.backend(server.backend).name, server.name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::balance::{Algorithm, Policy, Tuning};
    use crate::dns::run::change::Cause;
    use crate::site::{Backend, Server};

    #[test]
    fn a_server_moves_goes_and_comes_back() {
        let back = BackendId::at(0);
        let mut site = Site::default();
        site.servers.push(Server::new(
            Arc::from("s"),
            back,
            Destination::Unresolved,
            Port::Fixed(80),
        ));
        let id = ServerId::at(0);
        let lineup = crate::site::Lineup {
            servers: &site.servers,
            ids: &vec![id].into(),
            load: 0,
        };
        let policy = Policy::new(Algorithm::RoundRobin, Tuning::default(), &lineup);
        site.backends
            .push(Backend::new(Arc::from("b"), vec![id], policy));
        let heed = |change| {
            let after = site.heed(back, &change, "r/n", Tick::default());
            let texts = after.notices.into_iter().map(|notice| notice.text);
            texts.collect::<Vec<String>>()
        };
        let ip = IpAddr::from([10, 0, 0, 1]);
        let moved = heed(Change::Moved {
            server: id,
            ip,
            port: None,
        });
        assert_eq!(
            moved,
            ["b/s: IP changed from '(none)' to '10.0.0.1' by 'r/n'."]
        );
        heed(Change::Up { server: id });
        let at = |port| Destination::At(SockAddr::Inet((ip, port).into()));
        assert!(site.server(id).seat.is_electable());
        assert_eq!(*site.server(id).destination.load(), at(80));
        let moved = heed(Change::Moved {
            server: id,
            ip,
            port: Some(8080),
        });
        assert_eq!(moved, ["b/s: port changed from '80' to '8080' by 'r/n'."]);
        heed(Change::Weight {
            server: id,
            weight: 7,
        });
        assert_eq!(*site.server(id).destination.load(), at(8080));
        assert_eq!(site.server(id).seat.weight().units(), 7);
        let down = heed(Change::Down {
            server: id,
            cause: Cause::Nx,
        });
        assert_eq!(
            down[0],
            "Server b/s is going DOWN for maintenance (DNS NX status). 0 active and 0 backup servers left. \
             0 sessions active, 0 requeued, 0 remaining in queue."
        );
        assert_eq!(*site.server(id).destination.load(), Destination::Unresolved);
        assert!(!site.server(id).seat.is_electable());
    }
}
