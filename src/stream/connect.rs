//! A connection to the chosen server: an idle one, or a new one, and what happens when there is none.

use super::errand::Errand;
use super::front::{Back, Held, Peers, Role};
use super::observe::Sight;
use super::scene::put_answer;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream, Way, upstream};
use crate::addr::SockAddr;
use crate::buf::Need;
use crate::http::{Head, Method, Status, Version, uri};
use crate::id::ServerId;
use crate::log::Origin;
use crate::mux::{Conn, H1, H1Role, Mux, Policy};
use crate::queue::Occupied;
use crate::site::{Backend, HttpConnections, Options, Reuse, Site};
use crate::slab::Key;
use crate::stats::Count;
use crate::time::Tick;
use crate::tls::Session;
use crate::wire::{Socks, Tls, Wire};

impl Stream {
    /// Looks for a connection, makes one, or waits for the one that is being made.
    pub(super) fn connect(&mut self, kit: &mut Kit) -> Step {
        match self.back {
            None => match self.redirect_to_server(kit) {
                Some(step) => step,
                None => self.open(kit),
            },
            Some(back) => self.await_connection(kit, back),
        }
    }

    fn open(&mut self, kit: &mut Kit) -> Step {
        let (Some(server), Some(backend)) = (self.server, self.backend) else {
            return self.no_server(kit, Cause::Internal, Phase::Connect);
        };
        let site = kit.site.clone();
        let Ok(errand) = self.errand(kit, server) else {
            return self.connection_failed(kit);
        };
        // Where one attempt failed, what stood idle may have failed for the same reason.
        if self.http && self.txn.retries == 0 {
            if let Some(own) = kit.take_own(self.front, &errand) {
                return self.reuse(kit, own);
            }
            if let Some(carried) = self.shares(kit, site.backend(backend), server) {
                if let Some(idle) = kit.take_idle(&errand, carried) {
                    return self.reuse(kit, idle);
                }
                if let Some(step) = self.ask_around(kit, &errand, carried) {
                    return step;
                }
            }
        }
        let place = match self.place(kit, server) {
            Ok(place) => place,
            Err(step) => return step,
        };
        self.attempt.reused = false;
        match self.dial(kit, errand, place) {
            Ok(back) => {
                self.count_back(kit, Count::Connects);
                self.hold_back(kit, back);
                self.deadline = kit.now.after(self.patience(kit).connect());
                Step::Go(Stage::Connect)
            }
            Err(_) => self.connection_failed(kit),
        }
    }

    /// Sends who only fetches to the server itself (`redir` of its line); other methods are passed on.
    fn redirect_to_server(&mut self, kit: &mut Kit) -> Option<Step> {
        let site = kit.site.clone();
        let prefix = site.server(self.server?).redirect_prefix.as_deref()?;
        let head = self.request.head()?;
        if !matches!(head.method(), Method::Get | Method::Head) {
            return None;
        }
        let mut location = match prefix {
            b"/" => Vec::new(),
            prefix => prefix.to_vec(),
        };
        location.extend_from_slice(uri::path_and_query(head.target())?);
        let status = Status::new(302);
        self.begin_reply(kit, status, Cause::Local, Phase::Connect);
        let mut answer = Box::new(Head::new());
        answer.set_response(Version::Http11, status, status.reason().as_bytes());
        answer.push(b"cache-control", b"no-cache");
        answer.push(b"content-length", b"0");
        answer.push(b"location", &location);
        put_answer(&mut self.response, answer, b"");
        Some(Step::Go(Stage::Relay))
    }

    /// Goes on with a connection that stands.
    pub(super) fn reuse(&mut self, kit: &mut Kit, back: Key<Held>) -> Step {
        self.hold_back(kit, back);
        self.attempt.reused = true;
        self.count_back(kit, Count::Reuses);
        self.txn.connect = Some(self.txn.elapsed(kit.now));
        self.write_step(kit, Origin::TxnConnect);
        Step::Go(Stage::Send)
    }

    /// Makes a server's connection this stream's: its events come here at once, so that one that arrives before the next
    /// step does not find it ownerless and close it as idle.
    pub(super) fn hold_back(&mut self, kit: &mut Kit, key: Key<Held>) {
        if let Some(back) = kit.conns.get_mut(key).and_then(Held::back_mut) {
            back.stream = self.key;
        }
        self.back = Some(key);
    }

    /// How many requests a shared connection must have carried before it may serve this one; none if it may not.
    fn shares(&self, kit: &Kit, backend: &Backend, server: ServerId) -> Option<u32> {
        if backend.outlet == Some(server) {
            return None;
        }
        let first = kit.conns.get(self.front)?.front()?.requests <= 1;
        match backend.reuse {
            Reuse::Never => None,
            Reuse::Unsaid if first && !self.may_share_first(kit, server) => None,
            Reuse::Safe if first => None,
            Reuse::Aggressive if first => Some(2),
            Reuse::Unsaid | Reuse::Safe | Reuse::Aggressive | Reuse::Always => Some(1),
        }
    }

    /// Whether the failure of a shared connection would be nobody's but ours: the request is sent again as it is. A TLS connection
    /// stands for the certificates of the moment it was made, and a first request gets those of its own.
    fn may_share_first(&self, kit: &Kit, server: ServerId) -> bool {
        self.is_bare() && kit.site.server(server).connector().is_none()
    }

    fn dial(
        &mut self,
        kit: &mut Kit,
        errand: Errand,
        place: Option<Occupied>,
    ) -> std::io::Result<Key<Held>> {
        let site = kit.site.clone();
        let server = errand.server;
        let placed = site.server(server).way_version();
        let way = self.way(kit, &errand)?;
        let dst = inet(&way.to);
        let wire = match (site.server(server).socks4, dst) {
            (Some(proxy), Some(real)) => {
                let to = proxy.into();
                let wire = kit.doors.dial(server, &Way { to, ..way }, &site)?;
                Wire::Socks(Box::new(Socks::new(wire, real)?))
            }
            (Some(_) | None, _) => kit.doors.dial(server, &way, &site)?,
        };
        let wire = match site.server(server).connector() {
            None => wire,
            Some(connector) => {
                let session = Session::connect(connector, errand.sni.as_deref())
                    .map_err(|_refused| std::io::ErrorKind::InvalidInput)?;
                Wire::Tls(Box::new(Tls::new(wire, session)))
            }
        };
        let back = Back {
            server,
            stream: None,
            peers: Peers { src: None, dst },
            requests: 0,
            kind: errand.kind,
            idle_since: Tick::NEVER,
            placed,
            private: false,
            connected: false,
            tls: None,
            place,
        };
        let mut conn = Conn::new(wire, kit.mux_towards(server, self.http), kit.now);
        conn.need = Need::GoingOn;
        kit.hold(conn, back)
    }

    fn await_connection(&mut self, kit: &mut Kit, key: Key<Held>) -> Step {
        if self.is_abandoned(kit) {
            return self.abandon(kit, Phase::Connect);
        }
        let Some(held) = kit.conns.get_mut(key) else {
            return self.connection_failed(kit);
        };
        if !held.conn.ready.writable && !held.conn.shut.failed {
            return Step::Wait;
        }
        if held.conn.connected().is_err() {
            return self.connection_failed(kit);
        }
        if let Role::Back(back) = &mut held.role
            && !std::mem::replace(&mut back.connected, true)
        {
            kit.introduce(key);
        }
        match secure(kit, key) {
            Ok(true) => upstream::note(kit, key),
            Ok(false) => return Step::Wait,
            Err(_) => {
                kit.count_handshake(key, None);
                return self.connection_failed(kit);
            }
        }
        self.deadline = Tick::NEVER;
        self.txn.connect = Some(self.txn.elapsed(kit.now));
        self.observe(kit, Sight::Connected);
        if self.http {
            self.write_step(kit, Origin::TxnConnect);
        } else {
            self.store_server(kit);
            self.write_line_early(kit, Origin::TxnConnect);
        }
        Step::Go(Stage::Send)
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
        self.keep_body(kit);
        let Some(head) = self.request_head.as_deref_mut() else {
            return self.reply(kit, Status::new(500), Cause::Internal, Phase::Connect);
        };
        let announced = self.request.announced();
        let backend = self.backend.map(|backend| site.backend(backend));
        if let (Some(name), Some(server)) = (
            backend.and_then(|backend| backend.name_header.as_deref()),
            self.server,
        ) {
            head.set(name, site.server(server).name.as_bytes());
        }
        let Some((held, mut lent)) = kit.conn(key) else {
            return self.connection_failed(kit);
        };
        self.attempt.heard = held.conn.bytes_in;
        held.conn.send_request(head, announced, policy, &mut lent);
        Step::Go(Stage::Response)
    }
}

impl Kit {
    /// How a server's connection is understood.
    pub(super) fn mux_towards(&self, server: ServerId, http: bool) -> Mux {
        if !http {
            return Mux::Raw;
        }
        let backend = self.site.backend(self.site.server(server).backend);
        let manners = self.site.manners(&backend.options);
        Mux::H1(H1::new(H1Role::Back, &self.site.global.tune, manners))
    }

    /// Makes a connection to a server one of this worker's.
    pub(super) fn hold(&mut self, conn: Conn, back: Back) -> std::io::Result<Key<Held>> {
        let held = Held {
            conn,
            role: Role::Back(back),
            armed: Tick::NEVER,
        };
        self.make_place_back();
        let key = self
            .conns
            .insert(held)
            .map_err(|_full| std::io::ErrorKind::OutOfMemory)?;
        if let Some(held) = self.conns.get(key)
            && let Err(error) = self.doors.enrol(&held.conn.wire, key)
        {
            self.close(key);
            return Err(error);
        }
        Ok(key)
    }
}

impl Stream {
    /// What the options of both proxies make of the server's connection.
    fn server_policy(&self, site: &Site) -> Policy {
        let backend = self.backend.map(|backend| site.backend(backend));
        let said = |options: &Options| options.http_connections;
        let front = said(&site.frontend(self.frontend).options);
        let back = backend.map_or(front, |backend| said(&backend.options));
        // `option httpclose` closes on the side where it stands, `http-server-close` towards servers wherever it stands.
        if back == HttpConnections::KeepAlive && front != HttpConnections::ServerClose {
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

fn inet(addr: &SockAddr) -> Option<std::net::SocketAddr> {
    match addr {
        SockAddr::Inet(addr) => Some(*addr),
        SockAddr::Unix(_) | SockAddr::Abstract(_) => None,
    }
}
