//! Clients as they come in: what they are admitted to, and when the poll is told of them.
//!
//! Most clients that open a connection ask at once, and many of them ask once. So a client of HTTP without TLS is read from before
//! the poll knows of it, at the end of the turn in which it came; only when something has to be waited for from it is it enrolled.
//! One that closes with its answer never is, which saves both enrolling it and all events of its coming and going.

use std::cell::RefCell;
use std::sync::Arc;

use super::front::{Front, Held, Peers, Role};
use super::track::Tracks;
use super::{Engine, Greeting, Kit, Stage, Stream};
use crate::id::{FrontendId, ListenerId};
use crate::mux::{Body, Conn, End, Fill, H1, H1Role, Mux, Ready};
use crate::sample::TlsFacts;
use crate::site::Mode;
use crate::slab::Key;
use crate::time::{Millis, Tick};
use crate::wire::Wire;

impl Engine {
    /// Takes a client's connection in. The wire is handed back when there is no place for it.
    pub fn accept(
        &mut self,
        wire: Wire,
        listener: ListenerId,
        peers: Peers,
    ) -> Result<Key<Held>, Wire> {
        self.accept_secure(wire, listener, peers, None)
    }

    /// The same for a client whose handshake, with what it settled, is over.
    pub fn accept_secure(
        &mut self,
        wire: Wire,
        listener: ListenerId,
        peers: Peers,
        tls: Option<Arc<TlsFacts>>,
    ) -> Result<Key<Held>, Wire> {
        let site = self.kit.site.clone();
        let Some(frontend) = site.frontend_of(listener) else {
            return Err(wire);
        };
        let http = site.frontend(frontend).mode == Mode::Http;
        let mux = if http {
            Mux::H1(H1::new(
                H1Role::Front,
                &site.global.tune,
                site.manners(&site.frontend(frontend).options),
            ))
        } else {
            Mux::Raw
        };
        let own = site.frontend(frontend);
        if own.options.tcp_keep_alive.on {
            wire.keep_alive(&own.options.tcp_keep_alive);
        }
        if http && own.tcp_smart_accept {
            wire.acknowledge_late();
        }
        let (greeting, wire) = match &tls {
            Some(_) => (Greeting::Done, wire),
            None => Greeting::of(site.listener(listener), wire),
        };
        // Whom the poll does not tell of yet may have asked already.
        let asks_first = http && tls.is_none() && greeting == Greeting::Done;
        let front = self.arrival((listener, peers), greeting, tls);
        let held = Held {
            conn: Conn::new(wire, mux, self.kit.now),
            role: Role::Front(front),
            armed: Tick::NEVER,
        };
        self.kit.make_place();
        let key = self.kit.conns.insert(held).map_err(|held| held.conn.wire)?;
        if !asks_first
            && !self.kit.enrol(key)
            && let Some(held) = self.kit.conns.remove(key)
        {
            return Err(held.conn.wire);
        }
        self.kit.count_connection(listener, frontend);
        self.spare_others(key, |engine| engine.welcome(key, frontend));
        Ok(key)
    }

    /// Lets a client's connection in, as far as it can be before anything was read.
    fn welcome(&mut self, key: Key<Held>, frontend: FrontendId) {
        if !self.admit_connection(key, frontend) {
            return;
        }
        let Some(front) = self.kit.conns.get(key).and_then(Held::front) else {
            return;
        };
        let done = front.greeting == Greeting::Done;
        if done && !self.admit_session(key) {
            return;
        }
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        if self.kit.site.frontend(frontend).mode != Mode::Http && done {
            self.begin(key);
        } else if held.conn.polled {
            self.arm_idle(key);
        } else {
            held.conn.ready = Ready {
                readable: true,
                writable: true,
                ..Ready::default()
            };
            self.arrivals.push(key);
        }
    }

    /// Reads what clients that came in this turn have asked for. The poll is told of those alone who have not asked yet.
    pub(super) fn hear_arrivals(&mut self) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        for key in arrivals.drain(..) {
            self.spare_others(key, |engine| engine.hear(key));
        }
        self.arrivals = arrivals;
    }

    fn hear(&mut self, key: Key<Held>) {
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        match held.conn.fill(lent.pool, lent.now) {
            Fill::Blocked => self.arm_idle(key),
            Fill::Got | Fill::Ended | Fill::Failed | Fill::Starved => self.begin(key),
        }
    }

    /// A client's connection as it begins.
    fn arrival(
        &self,
        (listener, peers): (ListenerId, Peers),
        greeting: Greeting,
        tls: Option<Arc<TlsFacts>>,
    ) -> Front {
        Front {
            listener,
            peers,
            altered: None,
            greeting,
            proxied: None,
            tls,
            accepted: self.kit.now,
            accept_date: self.kit.wall,
            handshake: Millis::ZERO,
            waiting_since: self.kit.now,
            stream: None,
            shelf: RefCell::default(),
            tracks: Tracks::default(),
            requests: 0,
            lingers_until: Tick::NEVER,
            own: None,
        }
    }
}

impl Kit {
    /// Has the poll tell of a client that something is waited for from. One that cannot be waited for is lost.
    pub(super) fn watch(&mut self, key: Key<Held>) {
        let polled = self.conns.get(key).is_none_or(|held| held.conn.polled);
        if !polled
            && !self.enrol(key)
            && let Some(held) = self.conns.get_mut(key)
        {
            held.conn.shut.failed = true;
        }
    }

    /// Has the poll tell of a client; false where it cannot.
    fn enrol(&mut self, key: Key<Held>) -> bool {
        let Some(held) = self.conns.get_mut(key) else {
            return false;
        };
        held.conn.polled = true;
        self.doors.enrol(&held.conn.wire, key).is_ok()
    }
}

impl Stream {
    /// Whether nothing that the client does before the server answers would change anything: it has asked for something without a
    /// body, and its leaving is no reason to stop.
    pub(super) fn waits_for_server_alone(&self, kit: &Kit) -> bool {
        let stage = matches!(
            self.stage,
            Stage::Connect | Stage::Takeover | Stage::Response | Stage::Relay
        );
        let front = kit.conns.get(self.front);
        stage
            && self.http
            && !self.tunnel
            && self.request.end() == End::Complete
            && self.request.announced() == Body::None
            && front.is_some_and(|held| held.conn.output.is_empty() && held.conn.ready.writable)
            && !self.aborts_on_close(kit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::rig::Rig;
    use crate::stream::tests::{answering, site};

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    /// What the poll was told of, the server's connection among it, when a client has sent `first`, and has had an answer.
    fn enrolled_after(first: &[u8]) -> usize {
        let mut rig = Rig::new(site(Mode::Http), answering(OK));
        let client = rig.client();
        client.send(first);
        rig.run();
        assert_eq!(client.take().starts_with(b"HTTP/1.1 200"), rig.dials() > 0);
        client.end();
        rig.run();
        assert!(client.is_gone(), "its end is seen");
        rig.assert_at_rest();
        rig.enrolled()
    }

    #[test]
    fn the_poll_is_told_of_clients_that_are_waited_for() {
        assert_eq!(enrolled_after(b""), 1);
        assert_eq!(enrolled_after(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 2);
        let closing = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(enrolled_after(closing), 1, "the server's alone");
    }
}
