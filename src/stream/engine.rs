//! All streams of one worker, and what wakes them: readiness, timers, letters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use super::front::{Held, Role};
use super::inspect::Upgrade;
use super::mishap::Mishap;
use super::probe::Turn;
use super::stage::Step;
use super::{Cause, Greeting, Kit, Letter, Stage, Stream, Timer};
use crate::id::FrontendId;
use crate::log::Origin;
use crate::mux::{Fill, Heads, Inner, Mux, Ready};
use crate::sample::Wall;
use crate::site::{Mode, Service};
use crate::slab::{Key, Slab};
use crate::time::Tick;

/// Streams stepped in one turn before the poll is asked again.
const STEPS_MAX: usize = 512;

/// Streams kept for their memory.
const SPARE_MAX: usize = 256;

/// A worker's streams.
#[derive(Debug)]
pub struct Engine {
    /// What they share.
    pub kit: Kit,
    pub(super) streams: Slab<Box<Stream>>,
    #[expect(
        clippy::vec_box,
        reason = "streams stay where they are when they move between the slab and the spares"
    )]
    spare: Vec<Box<Stream>>,
    due: Vec<Timer>,
    /// Streams that have used up this turn and go on in the next.
    yielded: Vec<Key<Box<Stream>>>,
    /// Clients that came in this turn, and have not been heard.
    pub(super) arrivals: Vec<Key<Held>>,
    /// Checks under way, two places a server.
    pub(super) probes: Vec<Turn>,
    /// Streams that ended by a panic.
    pub panics: u64,
}

impl Engine {
    /// An engine without streams.
    pub fn new(kit: Kit, streams_max: usize) -> Self {
        Self {
            kit,
            streams: Slab::new(streams_max),
            spare: Vec::new(),
            due: Vec::new(),
            yielded: Vec::new(),
            arrivals: Vec::new(),
            probes: Vec::new(),
            panics: 0,
        }
    }

    /// How many exchanges are under way.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// The poll says that `key` can be read or written.
    #[inline]
    pub fn ready(&mut self, key: Key<Held>, said: Ready) {
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        let Ready {
            readable, hangup, ..
        } = said;
        held.conn.ready |= said;
        match held.stream() {
            Some(stream) => {
                if readable && !hangup {
                    if held.conn.wire.tls_ref().is_some() {
                        self.spare_others(key, |engine| engine.read_early(key));
                    } else {
                        held.conn.read_early(lent.pool, lent.now);
                    }
                }
                self.schedule(stream);
            }
            None if readable || hangup || held.writes_while_idle() => {
                self.spare_others(key, |engine| engine.wake_idle(key));
            }
            None => {}
        }
    }

    fn read_early(&mut self, key: Key<Held>) {
        if let Some((held, lent)) = self.kit.conn(key) {
            held.conn.read_early(lent.pool, lent.now);
        }
    }

    /// A connection without an exchange has something to say.
    fn wake_idle(&mut self, key: Key<Held>) {
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        match &held.role {
            Role::Back(_) => self.kit.drop_idle(key),
            Role::Probe(asked) => {
                let asked = *asked;
                self.probe_ready(asked);
            }
            Role::Front(_) if held.lingers() => self.drain(key),
            Role::Front(front) if front.greeting == Greeting::Done => self.begin(key),
            Role::Front(_) => self.greeted(key),
        }
    }

    /// Goes on with a connection that has to introduce its client first.
    fn greeted(&mut self, key: Key<Held>) {
        if !self.greet(key) || !self.admit_session(key) {
            return;
        }
        let Some(held) = self.kit.conns.get(key) else {
            return;
        };
        let silent = held.conn.pending().is_empty() && !held.conn.ready.readable;
        if silent && matches!(held.conn.mux, Mux::H1(_)) {
            self.arm_idle(key);
        } else {
            self.begin(key);
        }
    }

    /// Reads and forgets what a client still sends after its last response.
    fn drain(&mut self, key: Key<Held>) {
        self.kit.watch(key);
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        for _ in 0..4 {
            match held.conn.fill(lent.pool, lent.now) {
                Fill::Got => {
                    let count = held.conn.pending().len();
                    held.conn.consume(lent.pool, count);
                }
                Fill::Blocked | Fill::Starved => return,
                Fill::Ended | Fill::Failed => break,
            }
        }
        if held.conn.shut.read || held.conn.shut.failed {
            self.kit.close(key);
        }
    }

    /// Whether a client that was served before asks for something more. One that only leaves is let go without an exchange: there is
    /// nothing to log.
    fn asks_more(&mut self, key: Key<Held>) -> bool {
        let Some((held, lent)) = self.kit.conn(key) else {
            return false;
        };
        let served = held.front().is_some_and(|front| front.requests > 0);
        let is_http = matches!(held.conn.mux, Mux::H1(_));
        if !served || !is_http || !held.conn.pending().is_empty() {
            return true;
        }
        match held.conn.fill(lent.pool, lent.now) {
            Fill::Got | Fill::Starved => true,
            Fill::Blocked => {
                self.arm_idle(key);
                false
            }
            Fill::Ended | Fill::Failed => {
                self.kit.close(key);
                false
            }
        }
    }

    fn fresh_stream(&mut self, key: Key<Held>, frontend: FrontendId) -> Box<Stream> {
        match self.spare.pop() {
            Some(mut stream) => {
                stream.recycle(&mut self.kit, key, frontend);
                stream
            }
            None => Box::new(Stream::new(key, frontend)),
        }
    }

    /// Begins an exchange on a client's connection.
    pub(super) fn begin(&mut self, key: Key<Held>) {
        if !self.asks_more(key) {
            return;
        }
        let Some(frontend) = self.frontend_of(key) else {
            return;
        };
        let mut stream = self.fresh_stream(key, frontend);
        stream.memory.serve(&self.kit.site.frontend(frontend).rules);
        let speaks_http = self
            .kit
            .conns
            .get(key)
            .is_some_and(|held| matches!(held.conn.mux, Mux::H1(_)));
        stream.http = speaks_http;
        let upgraded = speaks_http && self.kit.site.frontend(frontend).mode != Mode::Http;
        stream.upgraded = upgraded.then_some(Upgrade::Backend);
        stream.stage = if stream.http {
            Stage::Head
        } else {
            Stage::Inspect
        };
        if let Some(inner) = self.inner_of(key) {
            stream.inner = Some(inner);
            stream.stage = Stage::Relay;
        }
        let (now, wall) = (self.kit.now, self.kit.wall);
        let due = self.first_due(key, frontend);
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        let unread = held.conn.pending().len() as u64;
        let carried = (
            held.conn.bytes_in.saturating_sub(unread),
            held.conn.bytes_out,
        );
        let Some(front) = held.front_mut() else {
            return;
        };
        front.requests += 1;
        let (begun, handshake) = front.begun();
        stream.txn.reset(begun, began(wall, now, begun));
        stream.txn.carried = carried;
        stream.txn.handshake = handshake.get();
        // How long the first bytes are looked at is for the rules that do so to say, and a request has its number with its first byte.
        if stream.stage == Stage::Inspect {
            stream.txn.number = self.kit.next_number();
        } else {
            stream.await_client(&self.kit, due);
        }
        if !stream.http {
            stream.write_step(&mut self.kit, Origin::TxnAccept);
        }
        let Ok(stream) = self.streams.insert(stream) else {
            self.kit.close(key);
            return;
        };
        if let Some(front) = self.kit.conns.get_mut(key).and_then(Held::front_mut) {
            front.stream = Some(stream);
        }
        if let Some(begun) = self.streams.get_mut(stream) {
            begun.key = Some(stream);
        }
        self.schedule(stream);
    }

    /// Who answers on this connection in place of servers.
    fn inner_of(&mut self, key: Key<Held>) -> Option<Box<dyn Inner>> {
        let listener = self.kit.conns.get(key)?.front()?.listener;
        let stats = self.kit.site.listener(listener).service == Service::Stats;
        stats.then(|| self.kit.doors.operator(listener))
    }

    pub(super) fn frontend_of(&self, key: Key<Held>) -> Option<FrontendId> {
        let listener = self.kit.conns.get(key)?.front()?.listener;
        self.kit.site.frontend_of(listener)
    }

    /// Until when the whole head of a request must be there, however busy its client is.
    fn first_due(&self, key: Key<Held>, frontend: FrontendId) -> Tick {
        let timeouts = &self.kit.site.frontend(frontend).timeouts;
        let Some(front) = self.kit.conns.get(key).and_then(Held::front) else {
            return Tick::NEVER;
        };
        let start = if front.requests == 0 {
            front.accepted
        } else {
            self.kit.now
        };
        start.after(timeouts.http_request)
    }

    /// Sets the timer of a connection that waits for its next request.
    pub(super) fn arm_idle(&mut self, key: Key<Held>) {
        let Some(frontend) = self.frontend_of(key) else {
            return;
        };
        let timeouts = self.kit.site.frontend(frontend).timeouts;
        let Some(front) = self.kit.conns.get(key).and_then(Held::front) else {
            return;
        };
        let first = timeouts.http_request;
        let since = |span| front.waiting_since.after(span);
        // haproxy: a client that waits is silent too, and `timeout client` ends what may be silent for longer; so here.
        let until = if front.greeting != Greeting::Done {
            since(timeouts.client_handshake.or(timeouts.client).or(first))
        } else if front.requests == 0 {
            since(first).min(since(timeouts.client))
        } else {
            since(timeouts.http_keep_alive.or(first)).min(since(timeouts.client))
        };
        let deadline = self.kit.hurried(key, until);
        self.kit.arm(key, deadline);
        self.kit.watch(key);
    }

    pub(super) fn schedule(&mut self, key: Key<Box<Stream>>) {
        if let Some(stream) = self.streams.get_mut(key)
            && !stream.scheduled
        {
            stream.scheduled = true;
            self.kit.run.push_back(key);
        }
    }

    /// News from another worker, or from this one.
    pub fn deliver(&mut self, letter: Letter) {
        match letter {
            Letter::Slot {
                stream,
                server,
                line,
                position,
            } => {
                let key = Key::from_bits(stream);
                let kit = &mut self.kit;
                let takes = self
                    .streams
                    .get_mut(key)
                    .is_some_and(|stream| stream.called(kit, server, line, position));
                if takes {
                    self.schedule(key);
                } else {
                    self.kit.give_slot_back(server);
                }
            }
            Letter::Remark { level, text } => {
                let site = self.kit.site.clone();
                self.kit
                    .log(&site, &site.journal, level, &[], text.as_bytes());
            }
            Letter::Resolved { stream, addr } => {
                let key = Key::from_bits(stream);
                if let Some(stream) = self.streams.get_mut(key) {
                    stream.memory.lookup.answered(addr);
                    self.schedule(key);
                }
            }
            Letter::Dismissed { stream } => {
                let key = Key::from_bits(stream);
                if self
                    .streams
                    .get_mut(key)
                    .is_some_and(|stream| stream.dismissed())
                {
                    self.schedule(key);
                }
            }
            Letter::Shut { server, cause } => self.shut_server(server, cause),
            Letter::Kill { stream } => {
                if let Some(key) = self.stream_numbered(stream) {
                    self.shut_stream(key, Cause::Killed);
                }
            }
            Letter::Describe(roundup) => self.describe(&roundup),
            Letter::CloseIdle { server } => self.close_idle(server),
            Letter::GiveWay { server } => {
                self.kit.give_way(server);
            }
            Letter::Check(asked) => self.begin_checks_of(asked),
            Letter::Warm { server } => self.warm(server),
            Letter::Hasten { server } => self.hasten(server),
            Letter::Notice(notice) => self.kit.notify(&notice),
            Letter::Wanted(wanted) => self.give(&wanted),
            Letter::Given(given) => self.take_over(*given),
        }
    }

    /// Moves to `now`.
    pub fn tick(&mut self, now: Tick, wall: SystemTime) {
        self.kit.now = now;
        self.kit.wall = dated(wall);
    }

    /// Wakes whose time has come. Events that are there already are told before: an answer that has arrived is not late.
    pub fn wake(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.kit.wheel.advance(self.kit.now, &mut due);
        for timer in due.drain(..) {
            match timer {
                Timer::Conn(key) => self.spare_others(key, |engine| engine.conn_due(key)),
                Timer::Check(asked) => {
                    self.spare_checks(asked, |engine| engine.check_due(asked));
                }
                Timer::Warm(server) => self.warm(server),
                Timer::Leave => self.leave_due(),
                Timer::Purge => self.purge_due(),
            }
        }
        self.due = due;
    }

    fn conn_due(&mut self, key: Key<Held>) {
        let now = self.kit.now;
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        held.armed = Tick::NEVER;
        match held.stream() {
            Some(stream) => self.schedule(stream),
            None if held.lingers() => {
                let until = held.front().map_or(now, |front| front.lingers_until);
                if until.has_come(now) {
                    self.kit.close(key)
                } else {
                    self.kit.arm(key, until)
                }
            }
            None => self.idle_due(key),
        }
    }

    /// A client's connection has waited for its next request; the first one it owes gets an answer.
    fn idle_due(&mut self, key: Key<Held>) {
        self.arm_idle(key);
        let Some(held) = self.kit.conns.get(key) else {
            return;
        };
        if held.armed.is_set() && !held.armed.has_come(self.kit.now) {
            return;
        }
        let frontend = self.frontend_of(key).map(|id| self.kit.site.frontend(id));
        let unanswered =
            self.kit.leaving.is_some() || frontend.is_some_and(|own| own.ignore_probes);
        match held.front() {
            Some(front)
                if !unanswered && front.requests == 0 && front.greeting == Greeting::Done =>
            {
                self.begin(key)
            }
            Some(front) if front.greeting != Greeting::Done => {
                self.fail_greeting(key, Mishap::Late(front.greeting))
            }
            Some(_) => self.kit.close(key),
            None => {}
        }
    }

    /// Steps the streams that have something to do; true if some still have. One that has used up its step goes on in the next
    /// turn, however few others there are: new clients and timers wait for no stream that never ends.
    pub fn run(&mut self) -> bool {
        self.hear_arrivals();
        for _ in 0..STEPS_MAX {
            self.read_own_letters();
            let Some(key) = self.next_up() else { break };
            self.fetch_steps();
            self.step(key);
        }
        let mut yielded = std::mem::take(&mut self.yielded);
        for key in yielded.drain(..) {
            self.schedule(key);
        }
        self.yielded = yielded;
        !self.kit.run.is_empty() || !self.kit.letters.is_empty()
    }

    /// What this worker wrote to itself, while it had a stream at hand that was not to be disturbed.
    fn read_own_letters(&mut self) {
        while let Some(letter) = self.kit.letters.pop_front() {
            self.deliver(letter);
        }
    }

    /// Lets go, by and by, of what was kept for its memory and is not used: after a burst the memory returns to the system.
    pub(super) fn trim(&mut self) {
        self.kit.pool.trim();
        self.kit.heads.trim(self.streams.len());
        let spare = self.spare.len();
        if spare > self.streams.len() {
            self.spare
                .truncate(self.streams.len() + (spare - self.streams.len()) / 2);
        }
    }

    /// Gives everything back that can be made anew.
    pub fn shrink(&mut self) {
        self.kit.pool.shrink();
        self.kit.pipes.shrink();
        self.kit.heads = Heads::default();
        self.spare = Vec::new();
    }

    /// Whose turn it is: whoever waited longest for a buffer goes before those who have not asked for one yet.
    fn next_up(&mut self) -> Option<Key<Box<Stream>>> {
        let kit = &mut self.kit;
        let fed = if kit.starved.is_empty() || !kit.pool.has_free() {
            None
        } else {
            kit.starved.pop_front()
        };
        fed.or_else(|| kit.run.pop_front())
    }

    fn step(&mut self, key: Key<Box<Stream>>) {
        let Some(stream) = self.streams.get_mut(key) else {
            return;
        };
        stream.scheduled = false;
        let kit = &mut self.kit;
        match catch_unwind(AssertUnwindSafe(|| stream.step(kit))) {
            Ok(Step::Wait | Step::Go(_)) => {
                let (front, deadline) = (stream.front, stream.deadline);
                stream.tell_sent(kit);
                if !stream.waits_for_server_alone(kit) {
                    kit.watch(front);
                }
                if kit.pool.was_refused() {
                    kit.starved.push_back(key);
                }
                kit.arm(front, deadline);
            }
            Ok(Step::Yield) => self.yielded.push(key),
            Ok(Step::Done) => self.retire(key),
            Err(_panic) => self.bury(key),
        }
    }

    /// Takes a finished stream out; the client's next request may be there already.
    fn retire(&mut self, key: Key<Box<Stream>>) {
        let Some(mut stream) = self.streams.remove(key) else {
            return;
        };
        let front = stream.front;
        stream.empty_lanes(&mut self.kit);
        if self.spare.len() < SPARE_MAX {
            self.spare.push(stream);
        }
        let Some(held) = self.kit.conns.get(front) else {
            return;
        };
        if held.lingers() {
            self.drain(front);
        } else if !held.conn.pending().is_empty() || held.conn.ready.readable {
            self.begin(front);
        } else {
            self.arm_idle(front);
        }
    }
}

/// The wall clock at an earlier tick.
fn began(wall: Wall, now: Tick, then: Tick) -> Wall {
    let ago = i64::from(now.since(then).get());
    if ago == 0 {
        return wall;
    }
    let micros = wall.as_micros() - ago * 1000;
    Wall {
        secs: micros.div_euclid(1_000_000),
        micros: u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0),
    }
}

/// A moment of the calendar as expressions see it.
fn dated(time: SystemTime) -> Wall {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Wall {
        secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        micros: since.subsec_micros(),
    }
}
