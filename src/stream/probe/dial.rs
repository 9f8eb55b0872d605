//! The connections of checks: where they lead, and what is said on them before the script speaks.

use std::cell::RefCell;
use std::io;

use super::{Asked, facts};
use crate::addr::SockAddr;
use crate::check::Connect;
use crate::mux::{Conn, Mux};
use crate::proto::proxy::{Endpoints, Header};
use crate::sample::Shelf;
use crate::site::{SendProxy, Server, Site, Target};
use crate::slab::Key;
use crate::stream::front::{Held, Role};
use crate::stream::{Kit, Way};
use crate::time::Tick;
use crate::tls::Session;
use crate::wire::{Socks, Tls, Wire};

/// Room for a PROXY header.
const HEADER_HINT: usize = 256;

/// Begins a connection for a check.
pub(super) fn open(
    kit: &mut Kit,
    (site, asked): (&Site, Asked),
    connect: &Connect,
    shelf: &RefCell<Shelf>,
) -> io::Result<Key<Held>> {
    let server = site.server(asked.server());
    let to = destination(kit, (site, asked), connect, shelf)?;
    let wire = carrier(kit, (site, asked), connect, &to)?;
    let wire = secured(wire, (server, asked), connect)?;
    let conn = Conn::new(wire, Mux::Raw, kit.now);
    let held = Held {
        conn,
        role: Role::Probe(asked),
        armed: Tick::NEVER,
    };
    let key = kit
        .conns
        .insert(held)
        .map_err(|_full| io::ErrorKind::OutOfMemory)?;
    if let Some(held) = kit.conns.get(key)
        && let Err(error) = kit.doors.enrol(&held.conn.wire, key)
    {
        kit.close(key);
        return Err(error);
    }
    introduce(kit, key, (server, asked), connect);
    Ok(key)
}

/// Where a check goes: what its rule says, else what the check's own settings say, else where traffic goes.
fn destination(
    kit: &Kit,
    (site, asked): (&Site, Asked),
    connect: &Connect,
    shelf: &RefCell<Shelf>,
) -> io::Result<SockAddr> {
    let server = site.server(asked.server());
    let target = match asked {
        Asked::Service(_) => server
            .checking
            .as_ref()
            .map(|checking| *checking.target.load()),
        Asked::Agent(_) => server
            .watch
            .agent
            .as_ref()
            .map(|agent| *agent.target.load()),
    };
    let target = target.unwrap_or_default();
    let base = server.address().or_else(|| {
        let super::super::super::site::Destination::At(at) = &*server.destination.load() else {
            return None;
        };
        Some(at.clone())
    });
    let said = connect.port.as_ref().and_then(|text| {
        let text = facts::with(site, asked.server(), (kit.now, shelf), |facts| {
            text.value(facts)
        });
        String::from_utf8(text).ok()?.parse().ok()
    });
    let port = said.or(target.port);
    match (connect.address.or(target.ip), base) {
        (Some(ip), base) => {
            let port = port.or(base.and_then(|base| base.port())).unwrap_or(0);
            Ok(std::net::SocketAddr::new(ip, port).into())
        }
        (None, Some(base)) => Ok(port.map_or(base.clone(), |port| base.with_port(port))),
        (None, None) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

/// The connection itself, or one to the SOCKS4 proxy in between.
fn carrier(
    kit: &mut Kit,
    (site, asked): (&Site, Asked),
    connect: &Connect,
    to: &SockAddr,
) -> io::Result<Wire> {
    let server = site.server(asked.server());
    let way = |to| Way {
        late_ack: !connect.server_begins,
        ..Way::to(to)
    };
    let via = connect.via_socks4 || connect.as_server && server.watch.via_socks4;
    match (server.socks4.filter(|_| via), to) {
        (Some(proxy), SockAddr::Inet(real)) => {
            let wire = kit.doors.dial(asked.server(), &way(proxy.into()), site)?;
            Ok(Wire::Socks(Box::new(Socks::new(wire, *real)?)))
        }
        (Some(_) | None, _) => kit.doors.dial(asked.server(), &way(to.clone()), site),
    }
}

/// The wire with TLS on it, where the check speaks TLS: as traffic does, unless it goes elsewhere.
fn secured(wire: Wire, (server, asked): (&Server, Asked), connect: &Connect) -> io::Result<Wire> {
    let as_traffic = server.speaks_tls() && follows_traffic(server);
    let is_service = matches!(asked, Asked::Service(_));
    let own = connect.as_server && is_service && (server.watch.tls || as_traffic);
    let Some(connector) = server.check_tls.as_ref().filter(|_| connect.tls || own) else {
        return Ok(wire);
    };
    let configured = server.watch.sni.as_deref().filter(|_| connect.as_server);
    let watch = &server.watch;
    let host = connect.host.as_deref().filter(|_| watch.sni_auto);
    let sni = connect.sni.as_deref().or(configured).or(host);
    let sni = sni.map(str::as_bytes);
    let offered = match connect.as_server {
        true => &server.watch.alpn,
        false => &connect.alpn,
    };
    let session = match offered.is_empty() {
        true => Session::connect(connector, sni),
        false => Session::connect_offering(connector, sni, offered),
    };
    let session = session.map_err(|_refused| io::ErrorKind::InvalidInput)?;
    Ok(Wire::Tls(Box::new(Tls::new(wire, session))))
}

/// Whether checks go where traffic goes, and so speak as it does.
fn follows_traffic(server: &Server) -> bool {
    let elsewhere = |target: Target| target.ip.is_some() || target.port.is_some();
    let checking = server.checking.as_ref();
    checking.is_some_and(|checking| !server.added && !elsewhere(*checking.target.load()))
}

/// The PROXY header, where one is wanted: it speaks for the proxy itself.
fn introduce(kit: &mut Kit, key: Key<Held>, (server, asked): (&Server, Asked), connect: &Connect) {
    let is_service = matches!(asked, Asked::Service(_));
    let as_traffic = server.send_proxy != SendProxy::No && follows_traffic(server);
    let own = connect.as_server && is_service && (server.watch.send_proxy || as_traffic);
    if !connect.send_proxy && !own {
        return;
    }
    let mut bytes = Vec::with_capacity(HEADER_HINT);
    let header = match kit.site.global.checks_as_clients {
        true => Header::proxied(Endpoints::Unspecified),
        false => Header::local(),
    };
    match server.send_proxy {
        // A header without addresses and TLVs always fits.
        SendProxy::V2 => drop(header.write_v2(server.tells.checksum, &mut bytes)),
        SendProxy::No | SendProxy::V1 => header.write_v1(&mut bytes),
    }
    let Some((held, lent)) = kit.conn(key) else {
        return;
    };
    match held.conn.wire.tls() {
        Some(tls) => tls.preface(&bytes),
        None => held.conn.output.write_with(lent.pool, bytes.len(), |tail| {
            tail.extend_from_slice(&bytes)
        }),
    }
}
