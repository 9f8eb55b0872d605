//! `own`: the server connections that one client keeps for itself.
//!
//! They come from exchanges (`http-reuse never`, an outlet, a server that asked for NTLM or Negotiate) and serve this client's next
//! ones. Always true: nobody else's request goes over one, and they end with the client's connection. The two schemes let in a
//! connection, not a request: a server that asked for them goes on to be this client's as well, whatever else is said about balance.
//! How a connection is made or closed is not for this room to say.

use super::errand::Errand;
use super::front::{Held, Role};
use super::{Kit, Stream};
use crate::http::{Head, Values};
use crate::id::{BackendId, ServerId};
use crate::site::Site;
use crate::slab::Key;

/// How many a client keeps, unless `max-session-srv-conns` says.
const KEPT: usize = 5;

/// The schemes that let connections in (RFC 4559), and the fields that ask for them.
const SCHEMES: [&[u8]; 2] = [b"negotiate", b"ntlm"];
const ASKING: [&[u8]; 2] = [b"www-authenticate", b"proxy-authenticate"];

/// A client's own server connections.
#[derive(Debug, Default)]
pub struct Own {
    /// Those that wait, the oldest first.
    idle: Vec<Key<Held>>,
    /// Whether the client goes on with the server it has a connection to.
    stays: bool,
}

impl Own {
    /// All of them, to be closed.
    pub(super) fn into_idle(self) -> Vec<Key<Held>> {
        self.idle
    }
}

impl Kit {
    fn own(&mut self, front: Key<Held>) -> Option<&mut Own> {
        let front = self.conns.get_mut(front)?.front_mut()?;
        Some(front.own.get_or_insert_default())
    }

    /// A connection that the client keeps for itself, if this errand may use it.
    pub(super) fn take_own(&mut self, front: Key<Held>, errand: &Errand) -> Option<Key<Held>> {
        let placed = self.site.server(errand.server).way_version();
        let own = self.conns.get_mut(front)?.front_mut()?.own.as_mut()?;
        let idle = std::mem::take(&mut own.idle);
        let (mut found, mut kept) = (None, Vec::with_capacity(idle.len()));
        for key in idle {
            // What its server has closed is here no more.
            let Some(back) = self.conns.get(key).and_then(Held::back) else {
                continue;
            };
            if found.is_none() && errand.fits(back, placed) {
                found = Some(key);
            } else if back.server == errand.server && back.placed != placed {
                self.close(key);
            } else {
                kept.push(key);
            }
        }
        self.own(front)?.idle = kept;
        found
    }

    /// Keeps a server connection with the client's.
    pub(super) fn put_own(&mut self, front: Key<Held>, key: Key<Held>) {
        let site = self.site.clone();
        let listener = self.conns.get(front).and_then(Held::front);
        let frontend = listener.and_then(|front| site.frontend_of(front.listener));
        let limit = frontend.and_then(|id| site.frontend(id).own_connections);
        let limit = limit.map_or(KEPT, |limit| limit as usize);
        let here = |key: &Key<Held>| self.conns.get(*key).is_some();
        let idle = self.conns.get(front).and_then(Held::front);
        let idle = idle.and_then(|front| front.own.as_deref());
        let count = idle.map_or(0, |own| own.idle.iter().filter(|key| here(key)).count());
        match self.own(front) {
            Some(own) if count < limit => own.idle.push(key),
            Some(_) | None => self.close(key),
        }
    }
}

impl Stream {
    /// Has a connection whose server asks for credentials of the connection itself stay with this client.
    pub(super) fn claim_connection(&mut self, kit: &mut Kit) {
        let Some(head) = self.response.head() else {
            return;
        };
        if !matches!(head.status().code(), 401 | 407) || !asks_of_connection(head) {
            return;
        }
        let back = self.back.and_then(|key| kit.conns.get_mut(key));
        if let Some(Held {
            role: Role::Back(back),
            ..
        }) = back
        {
            back.private = true;
            if let Some(own) = kit.own(self.front) {
                own.stays = true;
            }
        }
    }

    /// The server that the client's own connection leads to, where the next request is to follow it: one that let the
    /// connection in, or with `option prefer-last-server` any that has not too many waiting (`max-keep-alive-queue`).
    pub(super) fn last_server(&self, kit: &Kit, site: &Site, id: BackendId) -> Option<ServerId> {
        let backend = site.backend(id);
        let own = kit.conns.get(self.front)?.front()?.own.as_deref()?;
        // What is found by a key has its place.
        let prefers = own.stays || backend.prefer_last_server;
        if !prefers || backend.key.is_some() || self.failed.is_some() {
            return None;
        }
        let servers = own.idle.iter().filter_map(|key| {
            let back = kit.conns.get(*key).and_then(Held::back)?;
            Some(back.server)
        });
        let suits = |last: &ServerId| {
            let server = site.server(*last);
            let limit = server.limit(backend.load());
            let has_room = server.line.is_empty() && limit.admits(server.slots.in_use());
            let few = |most: u32| has_room || server.line.len() < most;
            let waits = own.stays || backend.keep_alive_queue.is_none_or(few);
            server.backend == id && waits && server.health.is_usable()
        };
        servers.into_iter().find(suits)
    }
}

/// Whether a response asks for credentials that hold for its connection.
fn asks_of_connection(head: &Head) -> bool {
    let asks = |challenge: &[u8]| {
        let scheme = challenge.split(|byte| *byte == b' ').next();
        SCHEMES
            .iter()
            .any(|known| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(known)))
    };
    let mut fields = ASKING.iter().flat_map(|name| head.all(name));
    fields.any(|value| Values::of(value).any(asks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Status, Version};
    use crate::site::{Mode, Reuse};
    use crate::stream::rig::{Dialed, Rig};
    use crate::stream::tests::{GET, OK, answering, site};

    #[test]
    fn a_challenge_is_known_by_its_scheme() {
        for (value, asks) in [
            ("NTLM", true),
            ("negotiate", true),
            ("Negotiate oYG3", true),
            ("Basic realm=\"x\", NTLM", true),
            ("Basic realm=\"NTLM\"", false),
            ("NTLMv2", false),
        ] {
            for name in ASKING {
                let mut head = Head::new();
                head.set_response(Version::Http11, Status::new(401), b"Unauthorized");
                head.push(name, value.as_bytes());
                assert_eq!(asks_of_connection(&head), asks, "{value}");
            }
        }
    }

    const ASKS: &[u8] =
        b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: NTLM\r\ncontent-length: 0\r\n\r\n";

    #[test]
    fn who_was_let_in_by_a_connection_shares_it_with_nobody() {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Always;
        let mut answer = answering(OK);
        let mut asked = false;
        let mut rig = Rig::new(own, move |dialed: &mut Dialed| {
            if !dialed.seen.is_empty() && !std::mem::replace(&mut asked, true) {
                dialed.seen.clear();
                dialed.script.send(ASKS);
                return;
            }
            answer(dialed);
        });
        let first = rig.client();
        first.send(GET);
        rig.run();
        assert_eq!(first.take(), ASKS);
        let other = rig.client();
        for (client, dials) in [(&first, 1), (&other, 2), (&first, 2), (&other, 2)] {
            client.send(GET);
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            assert_eq!(rig.dials(), dials);
        }
        first.end();
        rig.run();
        let third = rig.client();
        third.send(GET);
        rig.run();
        // The one that anybody may use.
        assert_eq!(rig.dials(), 2);
        third.end();
        other.end();
        rig.run();
    }

    #[test]
    fn a_client_keeps_as_many_as_it_may() {
        for (limit, dials) in [(None, 1), (Some(1), 1), (Some(0), 3)] {
            let mut own = site(Mode::Http);
            own.backends[0].reuse = Reuse::Never;
            own.frontends[0].own_connections = limit;
            let mut rig = Rig::new(own, answering(OK));
            let client = rig.client();
            for _ in 0..3 {
                client.send(GET);
                rig.run();
                assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            }
            assert_eq!(rig.dials(), dials, "{limit:?}");
            client.end();
            rig.run();
            rig.assert_at_rest();
        }
    }
}
