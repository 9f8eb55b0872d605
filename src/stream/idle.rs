//! Idle server connections: kept while they are likely to be needed, let go when not.

use std::sync::atomic::Ordering::Relaxed;

use super::errand::Errand;
use super::front::{Back, Held, Role};
use super::{Engine, Kit, Timer};
use crate::id::ServerId;
use crate::site::{Reuse, Server, Site};
use crate::slab::Key;
use crate::time::Millis;

/// How often connections that are not needed are let go.
const PURGE_EVERY: Millis = Millis::new(1000);
/// Connections beyond the need that do no harm.
const SPARE: usize = 8;

impl Kit {
    /// An idle connection that this errand may use and that has carried at least `requests` requests.
    pub(super) fn take_idle(&mut self, errand: &Errand, requests: u32) -> Option<Key<Held>> {
        let server = errand.server;
        let placed = self.site.server(server).way_version();
        let pool = self.idle.get_mut(server.index())?;
        let position = pool.iter().rposition(|&key| {
            let back = self.conns.get(key).and_then(Held::back);
            back.is_some_and(|back| back.requests >= requests && errand.fits(back, placed))
        })?;
        Some(self.unshelve(server, position))
    }

    /// Keeps a server connection for later requests.
    pub(super) fn put_idle(&mut self, front: Key<Held>, key: Key<Held>) {
        let now = self.now;
        let Some(Held {
            role: Role::Back(back),
            ..
        }) = self.conns.get_mut(key)
        else {
            return;
        };
        back.stream = None;
        back.idle_since = now;
        let (server, placed, private) = (back.server, back.placed, back.private);
        let configured = self.site.server(server);
        if placed != configured.way_version() {
            self.close(key);
            return;
        }
        let reuse = self.site.backend(configured.backend).reuse;
        if private || configured.is_outlet || reuse == Reuse::Never {
            self.put_own(front, key);
            return;
        }
        self.shelve(server, key);
    }

    /// Puts a connection to the idle ones of its server, if one more of them is worth keeping. It is counted before it is judged: of
    /// two workers at once, both may not be the last.
    pub(super) fn shelve(&mut self, server: ServerId, key: Key<Held>) {
        let configured = self.site.server(server);
        let others = configured.idle.fetch_add(1, Relaxed);
        if configured.is_sated(others) || self.is_past(self.site.global.tune.idle_low) {
            configured.idle.fetch_sub(1, Relaxed);
            self.close(key);
            return;
        }
        let room = self.idle.len().max(server.index() + 1);
        self.idle.resize_with(room, Vec::new);
        let pool = &mut self.idle[server.index()];
        pool.push(key);
        configured.tally.note_idle(self.worker, pool.len());
        if pool.len() == 1 && (self.shares_idle || configured.places.is_some()) {
            configured.note_holder(self.worker, true);
        }
    }

    /// Takes the connection at `position` from the idle ones of its server.
    pub(super) fn unshelve(&mut self, server: ServerId, position: usize) -> Key<Held> {
        let pool = &mut self.idle[server.index()];
        let key = pool.remove(position);
        let configured = self.site.server(server);
        configured.idle.fetch_sub(1, Relaxed);
        configured.tally.note_idle(self.worker, pool.len());
        if pool.is_empty() && (self.shares_idle || configured.places.is_some()) {
            configured.note_holder(self.worker, false);
        }
        key
    }

    /// Sees to a place for a connection. Where there is none left, an idle server connection gives way: it is a convenience,
    /// and a request that cannot be served is not.
    pub(super) fn make_place(&mut self) {
        if self.conns.is_full() {
            self.evict_idle();
        }
    }

    /// The same for a new connection to a server, to which idle ones give way earlier where the configuration says so.
    pub(super) fn make_place_back(&mut self) {
        if self.conns.is_full() || self.is_past(self.site.global.tune.idle_high) {
            self.evict_idle();
        }
    }

    /// Whether the process has this percentage of its connections, as far as one worker can see: clients go where the fewest are,
    /// so that the others have about as many.
    fn is_past(&self, percent: Option<u8>) -> bool {
        percent.is_some_and(|percent| {
            let used = self
                .conns
                .len()
                .saturating_mul(self.site.global.threads.max(1));
            used.saturating_mul(100) > self.conns.limit().saturating_mul(usize::from(percent))
        })
    }

    /// Lets go of one idle server connection, of the servers in turn.
    fn evict_idle(&mut self) {
        let count = self.idle.len();
        let turns = (0..count).map(|step| (self.evicted_last + 1 + step) % count);
        let found = turns
            .into_iter()
            .find_map(|at| Some((at, *self.idle[at].first()?)));
        if let Some((at, key)) = found {
            self.evicted_last = at;
            self.drop_idle(key);
        }
    }

    /// Forgets an idle connection that its server closed.
    pub(super) fn drop_idle(&mut self, key: Key<Held>) {
        if let Some(server) = self
            .conns
            .get(key)
            .and_then(Held::back)
            .map(|back| back.server)
            && let Some(position) = self.idle[server.index()]
                .iter()
                .position(|&idle| idle == key)
        {
            self.unshelve(server, position);
        }
        self.close(key);
    }
}

impl Back {
    /// Whether it has carried all the requests that its server's `max-reuse` allows: the first one, and so many more.
    pub(super) fn is_worn(&self, site: &Site) -> bool {
        let limit = site.server(self.server).max_reuse;
        limit.is_some_and(|limit| self.requests > limit)
    }
}

impl Server {
    /// Whether one more idle connection is worth keeping.
    fn is_sated(&self, idle: usize) -> bool {
        let need = self.need.load(Relaxed) as usize + SPARE;
        idle >= self.pool_max_conn.unwrap_or(usize::MAX).min(need)
    }
}

impl Engine {
    /// Sets the timer that lets idle connections go.
    pub fn begin_purging(&mut self) {
        self.kit
            .wheel
            .insert(self.kit.now + PURGE_EVERY, Timer::Purge);
    }

    /// Lets go of half of what each server has too much, the longest idle first.
    pub(super) fn purge_due(&mut self) {
        let site = self.kit.site.clone();
        for (index, server) in site.servers.iter().enumerate() {
            let (need, in_use) = (server.need.load(Relaxed), server.slots.in_use());
            if self.kit.worker.index() == 0 && need != in_use {
                server.need.store(
                    in_use.max(need - need.saturating_sub(in_use).div_ceil(2)),
                    Relaxed,
                );
            }
            let held = self.kit.idle.get(index).map_or(0, Vec::len);
            // Most of many servers have none.
            if held == 0 {
                continue;
            }
            let excess = held.saturating_sub(server.need.load(Relaxed) as usize);
            self.purge(index, server, excess.div_ceil(2));
        }
        self.trim();
        self.begin_purging();
    }

    fn purge(&mut self, index: usize, server: &Server, count: usize) {
        let now = self.kit.now;
        let kit = &self.kit;
        let stale = |key: &&Key<Held>| {
            let since = kit
                .conns
                .get(**key)
                .and_then(Held::back)
                .map(|back| back.idle_since);
            since.is_none_or(|since| (since + server.pool_purge_delay).has_come(now))
        };
        let Some(idle) = kit.idle.get(index) else {
            return;
        };
        let old: Vec<Key<Held>> = idle.iter().filter(stale).take(count).copied().collect();
        for key in old {
            self.kit.drop_idle(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use crate::site::{Mode, Reuse};
    use crate::slab::Slab;
    use crate::stream::rig::{Dialed, Rig};
    use crate::stream::tests::{GET, OK, answering, site};
    use crate::wire::Script;

    const POST: &[u8] = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1";

    #[test]
    fn a_server_that_hangs_up_behind_its_response_is_not_asked_again() {
        let mut answer = answering(OK);
        let last = move |dialed: &mut Dialed| {
            let asked = !dialed.seen.is_empty();
            answer(dialed);
            if asked {
                dialed.script.end();
            }
        };
        let mut rig = Rig::new(site(Mode::Http), last);
        let client = rig.client();
        for request in 1..4 {
            client.send(GET);
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            assert_eq!(rig.dials(), request);
            assert!(rig.engine.kit.idle.iter().all(Vec::is_empty));
        }
        client.end();
        rig.run();
        rig.assert_at_rest();
    }

    /// Whether the server of one request was left by a reset; `hangs_up` has it end its side first.
    fn leaves_by_reset(hangs_up: bool) -> bool {
        let server = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&server);
        let mut answer = answering(OK);
        let mut rig = Rig::new(site(Mode::Http), move |dialed| {
            let asked = !dialed.seen.is_empty();
            answer(dialed);
            if asked && hangs_up {
                dialed.script.end();
            }
            *seen.borrow_mut() = Some(dialed.script.clone());
        });
        rig.engine.begin_purging();
        let client = rig.client();
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
        client.end();
        for _ in 0..20 {
            rig.pass(1_000);
        }
        let server = server.borrow();
        let server: &Script = server.as_ref().expect("it was asked");
        assert!(server.is_gone());
        server.was_reset()
    }

    #[test]
    fn who_has_not_ended_is_left_by_a_reset() {
        assert!(leaves_by_reset(false));
        assert!(!leaves_by_reset(true));
    }

    #[test]
    fn a_connection_carries_the_first_request_and_as_many_more_as_max_reuse_says() {
        let mut own = site(Mode::Http);
        own.servers[0].max_reuse = Some(1);
        let mut rig = Rig::new(own, answering(OK));
        let client = rig.client();
        for (request, dials) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
            client.send(GET);
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            assert_eq!(rig.dials(), dials, "request {request}");
        }
    }

    /// How many connections the first requests of three clients take.
    fn dials_of_first(reuse: Reuse, request: &[u8]) -> usize {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = reuse;
        let mut rig = Rig::new(own, answering(OK));
        for _ in 0..3 {
            let client = rig.client();
            client.send(request);
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            client.end();
            rig.run();
        }
        rig.dials()
    }

    #[test]
    fn first_requests_share_connections_where_nobody_would_see_one_fail() {
        const PUT: &[u8] = b"PUT /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1";
        let strategies = [
            Reuse::Never,
            Reuse::Safe,
            Reuse::Aggressive,
            Reuse::Always,
            Reuse::Unsaid,
        ];
        for (request, by_strategy) in [
            (GET, [3, 3, 3, 1, 1]),
            (POST, [3, 3, 3, 1, 3]),
            (PUT, [3, 3, 3, 1, 3]),
        ] {
            let dials = strategies.map(|reuse| dials_of_first(reuse, request));
            assert_eq!(dials, by_strategy, "{}", String::from_utf8_lossy(request));
        }
    }

    #[test]
    fn a_first_request_whose_shared_connection_fails_is_sent_again() {
        let mut asked = 0;
        let mut answer = answering(OK);
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Unsaid;
        let mut rig = Rig::new(own, move |dialed: &mut Dialed| {
            asked += usize::from(!dialed.seen.is_empty());
            // The second request meets a server that hangs up at this moment.
            if asked == 2 && !std::mem::take(&mut dialed.seen).is_empty() {
                dialed.script.end();
                return;
            }
            answer(dialed);
        });
        for dials in [1, 2] {
            let client = rig.client();
            client.send(GET);
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            assert_eq!(rig.dials(), dials);
            client.end();
            rig.run();
        }
    }

    /// How many connections stand idle after each of so many first requests, in a table of twenty.
    fn left_idle(low: Option<u8>, high: Option<u8>) -> Vec<usize> {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Safe;
        own.global.threads = 1;
        own.global.tune.idle_low = low;
        own.global.tune.idle_high = high;
        let mut rig = Rig::new(own, answering(OK));
        rig.engine.kit.conns = Slab::new(20);
        let after = |_| {
            let client = rig.client();
            client.send(POST);
            rig.run();
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK);
            client.end();
            rig.run();
            rig.engine.kit.idle[0].len()
        };
        (0..5).map(after).collect()
    }

    #[test]
    fn idle_connections_are_as_many_as_the_ratios_of_descriptors_say() {
        assert_eq!(left_idle(None, None), [1, 2, 3, 4, 5]);
        // The client, the connection that is put aside and two more are a fifth of all.
        assert_eq!(left_idle(Some(20), None), [1, 2, 3, 3, 3]);
        assert_eq!(left_idle(None, Some(10)), [1, 2, 2, 2, 2]);
        assert_eq!(left_idle(Some(0), None), [0; 5]);
    }

    #[test]
    fn idle_connections_give_way_where_there_is_no_place() {
        let mut own = site(Mode::Http);
        own.backends[0].reuse = Reuse::Safe;
        let mut rig = Rig::new(own, answering(OK));
        rig.engine.kit.conns = Slab::new(4);
        // Each client's first request has a connection of its own, which then stands idle.
        for request in 1..10 {
            let client = rig.client();
            client.send(POST);
            rig.run();
            // The rig rests when as much happens as before, which a wire that left may feign.
            rig.run();
            assert_eq!(String::from_utf8_lossy(&client.take()), OK, "{request}");
            client.end();
            rig.run();
        }
        assert_eq!(rig.dials(), 9);
    }
}
