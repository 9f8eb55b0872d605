//! Crowds before a server that takes so many connections and no more (`strict-maxconn`).
//!
//! A request that has a slot and finds no connection to go over needs a new one, and a place for it. Where none is free an idle
//! connection gives way: one of this worker's at once, one of another's by letter. Until then, for as long as it may take to
//! connect, the request looks again and again, and goes over a connection that came free if it may.

use super::front::Held;
use super::stage::Step;
use super::takeover::Takeover;
use super::{Kit, Letter, Stage, Stream};
use crate::id::ServerId;
use crate::queue::Occupied;
use crate::slab::Key;
use crate::time::Millis;

/// How long to wait before looking again.
const PAUSE: Millis = Millis::new(5);

impl Stream {
    /// A place for a new connection to `server`, where they are counted.
    ///
    /// # Errors
    /// There is none: what the stream does meanwhile, or in the end.
    pub(super) fn place(
        &mut self,
        kit: &mut Kit,
        server: ServerId,
    ) -> Result<Option<Occupied>, Step> {
        let site = kit.site.clone();
        let configured = site.server(server);
        let Some(places) = &configured.places else {
            return Ok(None);
        };
        let limit = configured.limit_max();
        loop {
            if let Some(place) = places.try_take(limit) {
                self.attempt.crowded = None;
                return Ok(Some(place));
            }
            if !kit.give_way(server) {
                break;
            }
        }
        let patience = self.patience(kit).connect();
        let until = *self
            .attempt
            .crowded
            .get_or_insert_with(|| kit.now.after(patience));
        if until.has_come(kit.now) {
            self.attempt.crowded = None;
            self.deadline = until;
            return Err(self.connection_failed(kit));
        }
        if let Some(holder) = configured.next_holder(kit.worker) {
            kit.doors.post(holder, Letter::GiveWay { server });
        }
        self.attempt.takeover = Takeover::Asked;
        self.deadline = kit.now + PAUSE;
        Err(Step::Go(Stage::Takeover))
    }
}

impl Kit {
    /// Lets go of the connection to `server` that was idle longest; whether there was one.
    pub(super) fn give_way(&mut self, server: ServerId) -> bool {
        let first = self.idle.get(server.index()).and_then(|pool| pool.first());
        let first: Option<Key<Held>> = first.copied();
        first.is_some_and(|key| {
            self.drop_idle(key);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkerId;
    use crate::queue::{Ceiling, Limit, Places};
    use crate::site::{Mode, Reuse, Site};
    use crate::stream::rig::Rig;
    use crate::stream::tests::{OK, answering, site};

    const POST: &[u8] = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1";

    fn of_one_connection() -> Site {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Safe;
        own.backends[0].timeouts.connect = Some(Millis::new(50));
        own.backends[0].retries = 0;
        own.servers[0].ceiling = Ceiling::new(1, 0, 0);
        own.servers[0].places = Some(Places::default());
        own
    }

    fn open(rig: &Rig) -> usize {
        let all = rig.engine.kit.conns.iter();
        all.filter(|(_, held)| held.back().is_some()).count()
    }

    #[test]
    fn an_idle_connection_gives_way_to_the_next_one() {
        let mut rig = Rig::new(of_one_connection(), answering(OK));
        let clients: Vec<_> = (0..3).map(|_| rig.client()).collect();
        for client in &clients {
            client.send(POST);
            rig.run();
            // The rig rests when as much happens as before, which a wire that left may feign.
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            assert_eq!(open(&rig), 1);
        }
        assert_eq!(rig.dials(), 3);
    }

    #[test]
    fn who_finds_all_places_taken_asks_their_holders_and_waits() {
        let mut rig = Rig::new(of_one_connection(), answering(OK));
        let server = &rig.engine.kit.site.clone().servers[0];
        server.note_holder(WorkerId::at(1), true);
        let places = server.places.as_ref().expect("they are counted");
        let elsewhere = places.try_take(Limit::At(1)).expect("nobody was here");
        let client = rig.client();
        client.send(POST);
        rig.run();
        assert!(matches!(rig.posted(), Some(Letter::GiveWay { .. })));
        assert_eq!((client.take(), rig.dials()), (Vec::new(), 0));
        drop(elsewhere);
        rig.pass(10);
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
    }

    #[test]
    fn who_waits_too_long_is_told_that_there_is_no_server() {
        let mut rig = Rig::new(of_one_connection(), answering(OK));
        let site = rig.engine.kit.site.clone();
        let places = site.servers[0].places.as_ref().expect("they are counted");
        let _elsewhere = places.try_take(Limit::At(1)).expect("nobody was here");
        let client = rig.client();
        client.send(POST);
        for _ in 0..20 {
            rig.pass(5);
        }
        let answer = client.take();
        assert!(answer.starts_with(b"HTTP/1.1 503"), "{answer:?}");
        assert_eq!(rig.dials(), 0);
    }
}
