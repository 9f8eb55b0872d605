//! What the resolver says about servers, carried out: a server's address is replaced while traffic runs, and a server whose
//! name has none is not chosen.
//!
//! Called by the resolver thread. Connections that exist are left alone: they end as they would have.

use std::net::{IpAddr, SocketAddr};

use super::{Destination, Port, Site};
use crate::addr::SockAddr;
use crate::balance::Weight;
use crate::check::Admin;
use crate::dns::run::roster::Change;
use crate::id::{BackendId, ServerId};
use crate::time::Tick;

impl Site {
    /// Carries out `change`, which concerns a server of `backend`.
    pub fn heed(&self, backend: BackendId, change: &Change, now: Tick) {
        match *change {
            Change::Moved { server, ip, port } => self.place(server, ip, port),
            Change::Weight { server, weight } => self.weigh(server, weight),
            Change::Up { server } => self.lose(server, false, now),
            Change::Down { server, .. } => self.lose(server, true, now),
        }
        self.backend(backend).policy.settle(&self.lineup(backend));
    }

    fn place(&self, id: ServerId, ip: IpAddr, port: Option<u16>) {
        let server = self.server(id);
        let written = match server.port {
            Port::Fixed(port) => port,
            Port::Mapped(_) => 0,
        };
        let address = SocketAddr::new(ip, port.unwrap_or(written));
        server
            .destination
            .publish(Destination::At(SockAddr::Inet(address)));
    }

    fn weigh(&self, id: ServerId, weight: u16) {
        let seat = &self.server(id).seat;
        match Weight::new(u32::from(weight)) {
            Some(weight) => seat.set_weight(weight, weight.full_share()),
            None => debug_assert!(false, "weights of services are mapped to those of servers"),
        }
    }

    fn lose(&self, id: ServerId, lost: bool, now: Tick) {
        let server = self.server(id);
        server.health.set_admin(Admin::Unresolved, lost, now);
        server.seat.set_usable(server.health.is_usable());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::balance::{Algorithm, Policy, Tuning};
    use crate::dns::run::roster::Cause;
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
        let heed = |change| site.heed(back, &change, Tick::default());
        let ip = IpAddr::from([10, 0, 0, 1]);
        heed(Change::Moved {
            server: id,
            ip,
            port: None,
        });
        heed(Change::Up { server: id });
        let at = |port| Destination::At(SockAddr::Inet((ip, port).into()));
        assert!(site.server(id).seat.is_electable());
        assert_eq!(*site.server(id).destination.load(), at(80));
        heed(Change::Moved {
            server: id,
            ip,
            port: Some(8080),
        });
        heed(Change::Weight {
            server: id,
            weight: 7,
        });
        assert_eq!(*site.server(id).destination.load(), at(8080));
        assert_eq!(site.server(id).seat.weight().units(), 7);
        heed(Change::Down {
            server: id,
            cause: Cause::Nx,
        });
        assert!(!site.server(id).seat.is_electable());
    }
}
