//! A connection to the chosen server: an idle one, or a new one, and what happens when there is none.

use super::front::{Back, Held, Peers, Role};
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::addr::SockAddr;
use crate::http::Status;
use crate::id::ServerId;
use crate::mux::{Conn, H1, H1Role, Mux, Policy};
use crate::sample::Sampled;
use crate::site::{Backend, Destination, HttpConnections, Options, Port, Reuse, Server, Site};
use crate::slab::Key;
use crate::stats::Count;
use crate::time::Tick;
use crate::tls::Session;
use crate::wire::{Tls, Wire};

impl Stream {
    /// Looks for a connection, makes one, or waits for the one that is being made.
    pub(super) fn connect(&mut self, kit: &mut Kit) -> Step {
        match self.back {
            None => self.open(kit),
            Some(back) => self.await_connection(kit, back),
        }
    }

    fn open(&mut self, kit: &mut Kit) -> Step {
        let (Some(server), Some(backend)) = (self.server, self.backend) else {
            return self.no_server(kit, Cause::Internal, Phase::Connect);
        };
        let site = kit.site.clone();
        let sni = self.server_name_asked(kit, server);
        if self.http
            && let Some(back) = self.take_idle(kit, site.backend(backend), (server, sni.as_deref()))
        {
            self.hold_back(kit, back);
            self.reused = true;
            self.count_back(kit, Count::Reuses);
            self.txn.connect = Some(self.txn.elapsed(kit.now));
            return Step::Go(Stage::Send);
        }
        self.reused = false;
        match self.dial(kit, server, sni) {
            Ok(back) => {
                self.count_back(kit, Count::Connects);
                self.hold_back(kit, back);
                self.deadline = kit.now.after(site.backend(backend).timeouts.connect);
                Step::Go(Stage::Connect)
            }
            Err(_) => self.connection_failed(kit),
        }
    }

    /// Makes a server's connection this stream's: its events come here at once, so that one that arrives before the next
    /// step does not find it ownerless and close it as idle.
    fn hold_back(&mut self, kit: &mut Kit, key: Key<Held>) {
        if let Some(back) = kit.conns.get_mut(key).and_then(Held::back_mut) {
            back.stream = self.key;
        }
        self.back = Some(key);
    }

    fn take_idle(
        &mut self,
        kit: &mut Kit,
        backend: &Backend,
        to: (ServerId, Option<&[u8]>),
    ) -> Option<Key<Held>> {
        let first = kit.conns.get(self.front)?.front()?.requests <= 1;
        if let Some(own) = kit.take_private(self.front, to) {
            return Some(own);
        }
        match backend.reuse {
            Reuse::Never => None,
            Reuse::Safe if first => None,
            Reuse::Aggressive if first => kit.take_idle(to, 2),
            Reuse::Safe | Reuse::Aggressive | Reuse::Always => kit.take_idle(to, 1),
        }
    }

    fn dial(
        &mut self,
        kit: &mut Kit,
        server: ServerId,
        sni: Option<Box<[u8]>>,
    ) -> std::io::Result<Key<Held>> {
        let site = kit.site.clone();
        let placed = site.server(server).destination.version();
        let to = self.destination(kit, site.server(server))?;
        let wire = kit.doors.dial(server, &to, &site)?;
        let wire = match &site.server(server).tls {
            None => wire,
            Some(connector) => {
                let session = Session::connect(connector, sni.as_deref())
                    .map_err(|_refused| std::io::ErrorKind::InvalidInput)?;
                Wire::Tls(Box::new(Tls::new(wire, session)))
            }
        };
        let mux = if self.http {
            Mux::H1(H1::new(H1Role::Back, &site.global.tune))
        } else {
            Mux::Raw
        };
        let back = Back {
            server,
            stream: None,
            peers: Peers {
                src: None,
                dst: inet(&to),
            },
            requests: 0,
            sni,
            idle_since: Tick::NEVER,
            placed,
            connected: false,
        };
        let held = Held {
            conn: Conn::new(wire, mux, kit.now),
            role: Role::Back(back),
            armed: Tick::NEVER,
        };
        let key = kit
            .conns
            .insert(held)
            .map_err(|_full| std::io::ErrorKind::OutOfMemory)?;
        if let Some(held) = kit.conns.get(key)
            && let Err(error) = kit.doors.enrol(&held.conn.wire, key)
        {
            kit.close(key);
            return Err(error);
        }
        Ok(key)
    }

    fn destination(&self, kit: &Kit, server: &Server) -> std::io::Result<SockAddr> {
        let Destination::At(endpoint) = &*server.destination.load() else {
            return Err(std::io::ErrorKind::AddrNotAvailable.into());
        };
        let port = match server.port {
            // A service of DNS says its own port.
            _ if endpoint.port().is_some_and(|port| port != 0) => return Ok(endpoint.clone()),
            Port::Fixed(port) => port,
            Port::Mapped(offset) => {
                let front = kit
                    .conns
                    .get(self.front)
                    .and_then(|held| held.front()?.peers.dst);
                let asked = i64::from(front.map_or(0, |dst| dst.port())) + i64::from(offset);
                u16::try_from(asked)
                    .map_err(|_out_of_range| std::io::ErrorKind::AddrNotAvailable)?
            }
        };
        Ok(endpoint.with_port(port))
    }

    fn await_connection(&mut self, kit: &mut Kit, key: Key<Held>) -> Step {
        let Some(held) = kit.conns.get_mut(key) else {
            return self.connection_failed(kit);
        };
        if !held.conn.ready.writable && !held.conn.shut.failed {
            return Step::Wait;
        }
        if held.conn.wire.connected().is_err() {
            return self.connection_failed(kit);
        }
        if let Role::Back(back) = &mut held.role
            && !std::mem::replace(&mut back.connected, true)
        {
            self.introduce(kit, key);
        }
        match secure(kit, key) {
            Ok(true) => {}
            Ok(false) => return Step::Wait,
            Err(_) => return self.connection_failed(kit),
        }
        self.deadline = Tick::NEVER;
        self.txn.connect = Some(self.txn.elapsed(kit.now));
        Step::Go(Stage::Send)
    }

    /// The name that the server is to be asked for in TLS.
    fn server_name_asked(&mut self, kit: &mut Kit, server: ServerId) -> Option<Box<[u8]>> {
        let site = kit.site.clone();
        let asked = site.server(server).sni.as_ref()?;
        let name = self.with_scene(kit, true, |scene| {
            let facts = scene.view();
            match asked.eval(&facts) {
                Sampled::Got(value) => Some(Box::<[u8]>::from(&*value.into_text())),
                Sampled::Absent | Sampled::NotYet => None,
            }
        });
        name.flatten().filter(|name| !name.is_empty())
    }

    /// A connection attempt failed or took too long: another, to another server at the end, or the end.
    pub(super) fn connection_failed(&mut self, kit: &mut Kit) -> Step {
        let timed_out = self.deadline.has_come(kit.now);
        self.drop_back(kit);
        self.deadline = Tick::NEVER;
        let site = kit.site.clone();
        let retries = self
            .backend
            .map_or(0, |backend| site.backend(backend).retries);
        if self.txn.retries >= retries {
            let cause = if timed_out {
                Cause::ServerTimeout
            } else {
                Cause::ServerFailed
            };
            return self.no_server(kit, cause, Phase::Connect);
        }
        self.txn.retries += 1;
        self.count_back(kit, Count::Retries);
        let redispatch = self
            .backend
            .map_or(0, |backend| site.backend(backend).redispatch);
        if is_redispatch(redispatch, self.txn.retries, retries) {
            self.txn.redispatched = true;
            self.count_back(kit, Count::Redispatches);
            self.failed = self.server;
            self.leave_server(kit);
            return Step::Go(Stage::Pick);
        }
        Step::Go(Stage::Connect)
    }

    /// Lets the server connection go.
    pub(super) fn drop_back(&mut self, kit: &mut Kit) {
        if let Some(back) = self.back.take() {
            kit.close(back);
        }
    }

    /// Sends the request's head.
    pub(super) fn send(&mut self, kit: &mut Kit) -> Step {
        let site = kit.site.clone();
        let policy = self.server_policy(&site);
        let Some(key) = self.back else {
            return self.connection_failed(kit);
        };
        if let Some(Held {
            role: Role::Back(back),
            ..
        }) = kit.conns.get_mut(key)
        {
            back.requests += 1;
        }
        if !self.http {
            return Step::Go(Stage::Relay);
        }
        if self.request_head.is_none() {
            self.request_head = self.request.take_head();
        }
        let Some(head) = self.request_head.as_deref_mut() else {
            return self.reply(kit, Status::new(500), Cause::Internal, Phase::Connect);
        };
        let announced = self.request.announced();
        let Some((held, mut lent)) = kit.conn(key) else {
            return self.connection_failed(kit);
        };
        held.conn.send_request(head, announced, policy, &mut lent);
        Step::Go(Stage::Response)
    }
}

impl Stream {
    /// What the options of both proxies make of the server's connection.
    fn server_policy(&self, site: &Site) -> Policy {
        let closes = |options: &Options| options.http_connections != HttpConnections::KeepAlive;
        let backend = self.backend.map(|backend| site.backend(backend));
        if !closes(&site.frontend(self.frontend).options)
            && !backend.is_some_and(|backend| closes(&backend.options))
        {
            return Policy::KeepAlive;
        }
        if backend.is_some_and(|backend| backend.pretend_keep_alive) {
            Policy::PretendKeepAlive
        } else {
            Policy::Close
        }
    }
}

/// Goes on with the handshake of a server's connection; true once nothing is in the way.
pub(super) fn secure(kit: &mut Kit, key: Key<Held>) -> std::io::Result<bool> {
    let Some(held) = kit.conns.get_mut(key) else {
        return Err(std::io::ErrorKind::NotConnected.into());
    };
    let Some(tls) = held.conn.wire.tls() else {
        return Ok(true);
    };
    let done = tls.handshake()?;
    held.conn.ready.readable = held.conn.ready.hangup || held.conn.wire.has_more();
    Ok(done)
}

/// Whether `option redispatch interval` takes another server at this retry: every so many, or so many before the last.
fn is_redispatch(interval: i32, retry: u32, retries: u32) -> bool {
    let retry = i64::from(retry);
    match i64::from(interval) {
        0 => false,
        every @ 1.. => retry % every == 0,
        before => retry == i64::from(retries) + 1 + before,
    }
}

fn inet(addr: &SockAddr) -> Option<std::net::SocketAddr> {
    match addr {
        SockAddr::Inet(addr) => Some(*addr),
        SockAddr::Unix(_) | SockAddr::Abstract(_) => None,
    }
}
