//! Takeovers: idle server connections that pass from one worker to another (`tune.idle-pool.shared`).
//!
//! A stream that finds no idle connection on its own worker asks one that has some, and dials only when none comes of it. Letters
//! carry the question and the connection, so that nobody waits for a lock; whoever is asked gives what has rested longest, if that is
//! long enough to show that it is not needed there. A connection that comes too late is idle on its new worker.

use std::sync::atomic::Ordering::Relaxed;

use super::errand::{Errand, Kind};
use super::front::{Back, Held, Role};
use super::stage::Step;
use super::{Engine, Kit, Letter, Phase, Stage, Stream};
use crate::buf::Need;
use crate::id::{ServerId, WorkerId};
use crate::mux::Conn;
use crate::site::Server;
use crate::slab::Key;
use crate::time::{Millis, Tick};
use crate::wire::Wire;

/// How long an answer is waited for: a worker that is busier than that keeps what it has.
const PATIENCE: Millis = Millis::new(100);
/// What was in use this lately will be again, where it is.
const REST: Millis = Millis::new(2);

/// How far a stream has come with its question. It asks once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Takeover {
    #[default]
    Unasked,
    Asked,
    Settled,
}

/// Which connection is asked for, and by whom.
#[derive(Debug)]
pub struct Wanted {
    server: ServerId,
    kind: Kind,
    /// The fewest requests that it has carried.
    carried: u32,
    worker: WorkerId,
    stream: Key<Box<Stream>>,
}

/// The answer: a connection that is on no worker's poll, if there was one.
#[derive(Debug)]
pub struct Given {
    stream: Key<Box<Stream>>,
    spare: Option<(Wire, Back)>,
}

impl Stream {
    /// Asks another worker for an idle connection, where one may have it.
    pub(super) fn ask_around(
        &mut self,
        kit: &mut Kit,
        errand: &Errand,
        carried: u32,
    ) -> Option<Step> {
        if !kit.shares_idle || self.attempt.takeover != Takeover::Unasked {
            return None;
        }
        let holder = kit.site.server(errand.server).other_holder(kit.worker)?;
        let wanted = Wanted {
            server: errand.server,
            kind: errand.kind.clone(),
            carried,
            worker: kit.worker,
            stream: self.key?,
        };
        kit.doors.post(holder, Letter::Wanted(Box::new(wanted)));
        self.attempt.takeover = Takeover::Asked;
        self.deadline = kit.now + PATIENCE;
        Some(Step::Go(Stage::Takeover))
    }

    /// Waits for the answer, and goes on with the connection or dials.
    pub(super) fn await_takeover(&mut self, kit: &mut Kit) -> Step {
        if self.is_abandoned(kit) {
            return self.abandon(kit, Phase::Connect);
        }
        if self.attempt.takeover == Takeover::Asked && !self.deadline.has_come(kit.now) {
            return Step::Wait;
        }
        self.attempt.takeover = Takeover::Settled;
        self.deadline = Tick::NEVER;
        match self.back {
            Some(back) => self.reuse(kit, back),
            None => Step::Go(Stage::Connect),
        }
    }
}

impl Kit {
    /// Takes the connection that was idle longest off this worker, if one is to spare.
    fn give(&mut self, wanted: &Wanted) -> Option<(Wire, Back)> {
        let site = self.site.clone();
        let server = site.server(wanted.server);
        let (now, placed) = (self.now, server.way_version());
        let pool = self.idle.get(wanted.server.index())?;
        let at = pool.iter().position(|&key| {
            let back = self.conns.get(key).and_then(Held::back);
            back.is_some_and(|back| {
                let rested = (back.idle_since + REST).has_come(now);
                rested && back.requests >= wanted.carried && back.suits(&wanted.kind, placed)
            })
        })?;
        let key = self.unshelve(wanted.server, at);
        let mut held = self.conns.remove(key)?;
        held.conn.release(&mut self.pool);
        self.doors.dismiss(&held.conn.wire);
        match held.role {
            Role::Back(back) => Some((held.conn.wire, back)),
            Role::Front(_) | Role::Probe(_) => None,
        }
    }

    /// Makes a connection that another worker gave one of this worker's.
    fn take_over(&mut self, wire: Wire, back: Back) -> Option<Key<Held>> {
        let mut conn = Conn::new(wire, self.mux_towards(back.server, true), self.now);
        conn.need = Need::GoingOn;
        // It was idle, so that all it had to write is written.
        conn.ready.writable = true;
        self.hold(conn, back).ok()
    }
}

impl Engine {
    /// Answers another worker's question.
    pub(super) fn give(&mut self, wanted: &Wanted) {
        let spare = match self.kit.leaving {
            None => self.kit.give(wanted),
            Some(_) => None,
        };
        let stream = wanted.stream;
        let answer = Letter::Given(Box::new(Given { stream, spare }));
        self.kit.doors.post(wanted.worker, answer);
    }

    /// Hands the answer to the stream that waits for it; without one the connection is idle here.
    pub(super) fn take_over(&mut self, given: Given) {
        let taken = given.spare.and_then(|(wire, back)| {
            let server = back.server;
            Some((server, self.kit.take_over(wire, back)?))
        });
        let asking = self
            .streams
            .get_mut(given.stream)
            .filter(|stream| stream.attempt.takeover == Takeover::Asked);
        match (asking, taken) {
            (Some(stream), taken) => {
                stream.attempt.takeover = Takeover::Settled;
                if let Some((_, back)) = taken {
                    stream.hold_back(&mut self.kit, back);
                }
                self.schedule(given.stream);
            }
            (None, Some((server, back))) => self.kit.shelve(server, back),
            (None, None) => {}
        }
    }
}

impl Server {
    /// Notes whether a worker has idle connections to it.
    pub(super) fn note_holder(&self, worker: WorkerId, holds: bool) {
        let bit = 1 << (worker.index() % HOLDERS);
        match holds {
            true => self.holders.fetch_or(bit, Relaxed),
            false => self.holders.fetch_and(!bit, Relaxed),
        };
    }

    /// The next worker after this one that has idle connections, where there are more of them than `pool-low-conn` leaves alone.
    fn other_holder(&self, worker: WorkerId) -> Option<WorkerId> {
        let holder = self.next_holder(worker)?;
        (self.idle.load(Relaxed) > self.pool_low_conn).then_some(holder)
    }

    /// The next worker after this one that has idle connections.
    pub(super) fn next_holder(&self, worker: WorkerId) -> Option<WorkerId> {
        let own = worker.index() % HOLDERS;
        let others = self.holders.load(Relaxed) & !(1 << own);
        if others == 0 {
            return None;
        }
        let after = (1..HOLDERS).map(|step| (own + step) % HOLDERS);
        let holder = after.into_iter().find(|at| others & (1 << at) != 0)?;
        Some(WorkerId::at(holder))
    }
}

/// Workers that can be told apart; of more, some are not asked.
const HOLDERS: usize = u64::BITS as usize;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Mode, Reuse, Site};
    use crate::stream::rig::Rig;
    use crate::stream::tests::{GET, OK, answering, site};

    fn of_two_workers(shared: bool) -> Site {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Always;
        own.global.threads = 2;
        own.global.tune.idle_pool_shared = shared;
        own
    }

    /// A rig with an idle connection that, as its server believes, the second worker has.
    fn with_a_neighbour(own: Site) -> (Rig, Given) {
        let mut rig = Rig::new(own, answering(OK));
        answered(&mut rig);
        rig.pass(10);
        let kit = &mut rig.engine.kit;
        let back = kit.conns.get(kit.idle[0][0]).and_then(Held::back);
        let kind = back.expect("it is idle").kind.clone();
        let wanted = Wanted {
            server: ServerId::at(0),
            kind,
            carried: 1,
            worker: WorkerId::at(0),
            stream: Key::from_bits(u64::MAX),
        };
        let given = Given {
            stream: wanted.stream,
            spare: kit.give(&wanted),
        };
        assert!(given.spare.is_some() && kit.give(&wanted).is_none());
        let server = &rig.engine.kit.site.servers[0];
        server.note_holder(WorkerId::at(1), true);
        server.idle.fetch_add(1, Relaxed);
        (rig, given)
    }

    fn answered(rig: &mut Rig) {
        let client = rig.client();
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        client.end();
        rig.run();
    }

    fn asked(rig: &Rig) -> Option<Box<Wanted>> {
        let letter = rig.posted()?;
        let Letter::Wanted(wanted) = letter else {
            panic!("{letter:?}");
        };
        Some(wanted)
    }

    #[test]
    fn an_idle_connection_of_another_worker_serves() {
        let (mut rig, given) = with_a_neighbour(of_two_workers(true));
        let client = rig.client();
        client.send(GET);
        rig.run();
        let wanted = asked(&rig).expect("it asks before it dials");
        assert_eq!((client.take(), rig.dials()), (Vec::new(), 1));
        let stream = wanted.stream;
        let given = Box::new(Given { stream, ..given });
        rig.engine.deliver(Letter::Given(given));
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        assert_eq!(rig.dials(), 1);
        client.end();
        rig.run();
    }

    #[test]
    fn who_gets_none_dials_and_what_comes_late_stands_idle() {
        let (mut rig, given) = with_a_neighbour(of_two_workers(true));
        let client = rig.client();
        client.send(GET);
        rig.run();
        let stream = asked(&rig).expect("it asks").stream;
        let none = Box::new(Given {
            stream,
            spare: None,
        });
        rig.engine.deliver(Letter::Given(none));
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        assert_eq!(rig.dials(), 2);
        rig.engine.deliver(Letter::Given(Box::new(given)));
        assert_eq!(rig.engine.kit.idle[0].len(), 2);
        client.end();
        rig.run();
    }

    #[test]
    fn what_comes_late_is_kept_as_far_as_the_server_has_too_few() {
        let mut own = of_two_workers(true);
        own.servers[0].pool_max_conn = Some(1);
        let (mut rig, given) = with_a_neighbour(own);
        rig.engine.deliver(Letter::Given(Box::new(given)));
        assert!(rig.engine.kit.idle[0].is_empty());
        assert_eq!(rig.engine.kit.site.servers[0].idle.load(Relaxed), 1);
        assert_eq!(rig.engine.kit.conns.len(), 0);
    }

    #[test]
    fn a_worker_that_does_not_answer_is_not_waited_for() {
        let (mut rig, _given) = with_a_neighbour(of_two_workers(true));
        let client = rig.client();
        client.send(GET);
        rig.run();
        assert!(client.take().is_empty());
        rig.pass(u64::from(PATIENCE.get()));
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        client.end();
        rig.run();
    }

    #[test]
    fn nobody_is_asked_where_connections_are_not_shared_or_are_few() {
        let few = || {
            let mut own = of_two_workers(true);
            own.servers[0].pool_low_conn = 1;
            own
        };
        for own in [of_two_workers(false), few()] {
            let (mut rig, _given) = with_a_neighbour(own);
            answered(&mut rig);
            assert!(asked(&rig).is_none());
            assert_eq!(rig.dials(), 2);
        }
    }
}
