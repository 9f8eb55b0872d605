//! Health checks under way: the scripts of `check` and the agents' answers, walked over real connections.
//!
//! Each server is checked by one worker. A probe opens what its script orders, tells it what happened, and hands the
//! report to the site, which knows what follows from it.

mod dial;
mod facts;
mod obey;
mod program;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::atomic::Ordering::Relaxed;

use super::connect::secure;
use super::engine::Engine;
use super::front::Held;
use super::{Kit, Timer};
use crate::check::{
    Connect, Event, Order, Report, Run, Status, agent, agent_script, first_delay, spread,
};
use crate::id::ServerId;
use crate::mux::Fill;
use crate::sample::Shelf;
use crate::site::{Change, Server, Site};
use crate::slab::Key;
use crate::sys::errno;
use crate::time::{Millis, Tick};
use crate::wire::Wire;

/// Who is asked how a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The server.
    Service(ServerId),
    /// The agent beside it.
    Agent(ServerId),
}

impl Asked {
    /// The server that it is about.
    pub fn server(self) -> ServerId {
        match self {
            Self::Service(id) | Self::Agent(id) => id,
        }
    }

    /// The place of its probe among all.
    fn slot(self) -> usize {
        match self {
            Self::Service(id) => id.index() * 2,
            Self::Agent(id) => id.index() * 2 + 1,
        }
    }
}

/// A check under way.
#[derive(Debug)]
pub(super) struct Probe {
    run: Run,
    began: Tick,
    deadline: Tick,
    conn: Option<Key<Held>>,
    /// Whether the server is to see an orderly end of that connection.
    linger: bool,
    connected: bool,
    /// What an agent has answered so far, once it was asked.
    answer: Option<Vec<u8>>,
    /// The program that is asked in the server's place.
    program: Option<program::Started>,
    /// Variables of the check.
    shelf: RefCell<Shelf>,
}

impl Probe {
    /// Ends its connection, if it has one. A server that has not ended its side is left by a reset: checks would fill one side or the other
    /// with connections of which only the memory is left, minute after minute.
    fn hang_up(&mut self, kit: &mut Kit) {
        self.connected = false;
        let Some(key) = self.conn.take() else { return };
        if let Some(held) = kit.conns.get_mut(key).filter(|_| !self.linger)
            && !held.conn.shut.read
        {
            held.conn.wire.reset_on_close();
        }
        kit.close(key);
    }
}

/// The place of those who are asked one by one.
#[derive(Debug)]
pub(super) struct Turn {
    /// The check under way.
    probe: Option<Box<Probe>>,
    /// When the next one begins; timers of other moments are left over from checks that ended before their time.
    due: Tick,
}

/// What the script ordered, without a borrow of it.
enum Ordered {
    Connect(Box<Connect>),
    Read,
    Done(Report),
}

/// Between two looks at whether a check that pauses may go on.
const PAUSED_LOOK: Millis = Millis::new(1000);

impl Engine {
    /// Sets the timers of the checks that are this worker's, one of `workers`.
    pub fn begin_checks(&mut self, workers: usize) {
        let site = self.kit.site.clone();
        let mine = self.kit.worker.index();
        let asked: Vec<Asked> = (0..site.servers.len())
            .map(ServerId::at)
            .flat_map(|id| [Asked::Service(id), Asked::Agent(id)])
            .filter(|&asked| interval(&site, asked).is_some())
            .collect();
        let services = |asked: &&Asked| matches!(asked, Asked::Service(_));
        let count = number(asked.iter().filter(services).count());
        let shortest = asked
            .iter()
            .filter_map(|&asked| interval(&site, asked))
            .min();
        let mut rank = 0;
        for asked in asked {
            if asked.server().index() % workers.max(1) == mine {
                let mut shortest = shortest.unwrap_or_default();
                if let Some(most) = site.global.max_spread_checks {
                    shortest = shortest.min(most);
                }
                let delay = first_delay(shortest, rank, count);
                self.check_at(asked, self.kit.now + delay);
            }
            rank += u32::from(matches!(asked, Asked::Service(_)));
        }
    }

    /// Ends every check: a process that leaves asks no server anything.
    pub(super) fn end_checks(&mut self) {
        let ended = self.probes.iter_mut().filter_map(|turn| turn.probe.take());
        for mut probe in ended.collect::<Vec<_>>() {
            probe.hang_up(&mut self.kit);
        }
    }

    /// The timer of a check: the next one is due, or the one under way has taken too long.
    pub(super) fn check_due(&mut self, asked: Asked) {
        if self.kit.leaving.is_some() || self.kit.site.server(asked.server()).gone.load(Relaxed) {
            self.forget_probe(asked);
            return;
        }
        if self.look_at_program(asked) {
            return;
        }
        let now = self.kit.now;
        let due = self.turn_of(asked).due;
        match self.probe_of(asked) {
            Some(probe) if probe.deadline.has_come(now) => self.probe(asked, Event::TimedOut),
            Some(probe) => {
                let deadline = probe.deadline;
                self.kit.wheel.insert(deadline, Timer::Check(asked));
            }
            None if due.has_come(now) => self.begin_check(asked),
            None => {}
        }
    }

    /// Lets the next check begin at this moment.
    fn check_at(&mut self, asked: Asked, at: Tick) {
        self.turn_of(asked).due = at;
        self.kit.wheel.insert(at, Timer::Check(asked));
    }

    /// Lets the next check begin at this moment, if it is to begin later.
    pub(super) fn check_by(&mut self, asked: Asked, at: Tick) {
        let due = self.turn_of(asked).due;
        if due != Tick::NEVER && !due.has_come(at) {
            self.check_at(asked, at);
        }
    }

    fn turn_of(&mut self, asked: Asked) -> &mut Turn {
        let nothing = || Turn {
            probe: None,
            due: Tick::NEVER,
        };
        let room = self.probes.len().max(asked.slot() + 1);
        self.probes.resize_with(room, nothing);
        &mut self.probes[asked.slot()]
    }

    fn probe_of(&mut self, asked: Asked) -> Option<&mut Probe> {
        self.probes.get_mut(asked.slot())?.probe.as_deref_mut()
    }

    fn forget_probe(&mut self, asked: Asked) {
        let turn = self.probes.get_mut(asked.slot());
        if let Some(mut probe) = turn.and_then(|turn| turn.probe.take()) {
            probe.hang_up(&mut self.kit);
        }
    }

    /// Forgets a check that came to no verdict; the next comes when it is due.
    pub(super) fn begin_anew(&mut self, asked: Asked) {
        self.forget_probe(asked);
        if let Some(interval) = interval(&self.kit.site, asked) {
            self.check_at(asked, self.kit.now + interval);
        }
    }

    fn begin_check(&mut self, asked: Asked) {
        let site = self.kit.site.clone();
        let server = site.server(asked.server());
        if site.stopping.load(Relaxed) {
            return;
        }
        let (Some(interval), Some(run)) = (interval(&site, asked), run_of(&site, asked)) else {
            return;
        };
        if is_paused(server, asked) {
            let look = interval.min(PAUSED_LOOK);
            self.check_at(asked, self.kit.now + look);
            return;
        }
        let probe = Probe {
            run,
            began: self.kit.now,
            deadline: self.kit.now + interval,
            conn: None,
            linger: false,
            connected: false,
            answer: None,
            program: None,
            shelf: RefCell::default(),
        };
        let deadline = probe.deadline;
        *self.turn_of(asked) = Turn {
            probe: Some(Box::new(probe)),
            due: Tick::NEVER,
        };
        if self.start_program(asked) {
            return;
        }
        self.kit.wheel.insert(deadline, Timer::Check(asked));
        self.probe(asked, Event::Begin);
    }

    fn await_next(&mut self, asked: Asked) {
        let site = self.kit.site.clone();
        let server = site.server(asked.server());
        let interval = match asked {
            Asked::Service(_) => server
                .checking
                .as_ref()
                .map(|checking| checking.pace.interval(&server.health)),
            Asked::Agent(_) => interval(&site, asked),
        };
        let Some(interval) = interval else { return };
        let percent = u32::from(site.global.spread_checks.unsigned_abs());
        let delay = spread(interval, percent, self.kit.chance.next());
        self.check_at(asked, self.kit.now + delay.max(Millis::new(1)));
    }

    /// Readiness of a probe's connection.
    pub(super) fn probe_ready(&mut self, asked: Asked) {
        let Some(probe) = self.probe_of(asked) else {
            return;
        };
        let (Some(key), connected) = (probe.conn, probe.connected) else {
            return;
        };
        if connected {
            self.probe_read(asked, key);
            return;
        }
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        if !held.conn.ready.writable {
            return;
        }
        if let Err(error) = held.conn.connected() {
            self.probe(asked, Event::Refused(&errno::words(&error)));
            return;
        }
        match secure(&mut self.kit, key) {
            Ok(true) => {
                self.stands(asked);
                self.probe(asked, Event::Connected);
            }
            Ok(false) => {}
            Err(_) => self.probe(asked, Event::HandshakeFailed("SSL handshake failure")),
        }
    }

    /// The connection stands: `timeout check` holds from here on.
    fn stands(&mut self, asked: Asked) {
        let site = self.kit.site.clone();
        let checking = site.server(asked.server()).checking.as_ref();
        let timeout = checking.and_then(|checking| checking.timeout);
        let now = self.kit.now;
        let Some(probe) = self.probe_of(asked) else {
            return;
        };
        probe.connected = true;
        if let Some(timeout) = timeout {
            probe.deadline = now + timeout;
            self.kit.wheel.insert(now + timeout, Timer::Check(asked));
        }
    }

    fn probe_read(&mut self, asked: Asked, key: Key<Held>) {
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        held.conn.flush(lent.pool, lent.now);
        let fill = held.conn.fill(lent.pool, lent.now);
        let bytes = held.conn.pending().to_vec();
        held.conn.consume(lent.pool, bytes.len());
        match fill {
            Fill::Got => self.probe(asked, Event::Received(&bytes)),
            Fill::Blocked | Fill::Starved => {}
            Fill::Ended => self.probe(asked, Event::Ended),
            Fill::Failed => self.probe(asked, Event::Broken("Connection reset by peer")),
        }
    }

    /// Tells the script what happened and does what it orders.
    fn probe(&mut self, asked: Asked, event: Event<'_>) {
        if self.hear_agent(asked, event) {
            return;
        }
        let site = self.kit.site.clone();
        let now = self.kit.now;
        let Some(probe) = self
            .probes
            .get_mut(asked.slot())
            .and_then(|turn| turn.probe.as_mut())
        else {
            return;
        };
        let mut out = Vec::new();
        let held = probe.conn.and_then(|key| self.kit.conns.get(key));
        let tls = held.is_some_and(|held| matches!(held.conn.wire, Wire::Tls(_)));
        let Probe { run, shelf, .. } = &mut **probe;
        let ordered = facts::with(&site, asked.server(), (now, shelf), |facts| {
            match run.advance(event, facts, tls, &mut out) {
                Order::Connect(connect) => Ordered::Connect(Box::new(connect.clone())),
                Order::Read => Ordered::Read,
                Order::Done(report) => Ordered::Done(report),
            }
        });
        let conn = probe.conn;
        self.say(conn, &out);
        match ordered {
            Ordered::Connect(connect) => self.probe_connect(asked, &connect),
            Ordered::Read => {
                if let Some(key) = conn {
                    self.probe_read(asked, key);
                }
            }
            Ordered::Done(report) if self.listens_to_agent(asked, &report) => {
                if let Some(key) = conn {
                    self.probe_read(asked, key);
                }
            }
            Ordered::Done(report) => self.conclude(asked, report),
        }
    }

    fn say(&mut self, conn: Option<Key<Held>>, bytes: &[u8]) {
        if let Some((held, lent)) = conn.and_then(|key| self.kit.conn(key))
            && !bytes.is_empty()
        {
            held.conn
                .output
                .write_with(lent.pool, bytes.len(), |tail| tail.extend_from_slice(bytes));
            held.conn.flush(lent.pool, lent.now);
        }
    }

    /// Whether an agent was asked just now, so that its answer is what counts.
    fn listens_to_agent(&mut self, asked: Asked, report: &Report) -> bool {
        let is_agent = matches!(asked, Asked::Agent(_)) && report.status == Status::L4Ok;
        match self.probe_of(asked).filter(|_| is_agent) {
            Some(probe) => {
                probe.answer = Some(Vec::new());
                true
            }
            None => false,
        }
    }

    /// Takes what an agent says; false where nobody listens to one.
    fn hear_agent(&mut self, asked: Asked, event: Event<'_>) -> bool {
        let Some(probe) = self.probe_of(asked) else {
            return false;
        };
        let (began, conn) = (probe.began, probe.conn);
        let Some(answer) = &mut probe.answer else {
            return false;
        };
        let ended = match event {
            Event::Received(bytes) => {
                answer.extend_from_slice(bytes);
                false
            }
            Event::TimedOut => {
                self.conclude(asked, Report::of(Status::L7Timeout));
                return true;
            }
            Event::Begin
            | Event::Connected
            | Event::Ended
            | Event::Refused(_)
            | Event::HandshakeFailed(_)
            | Event::Broken(_)
            | Event::NoSocket(_)
            | Event::Shortage(_) => true,
        };
        let Some(reply) = agent::read(answer, ended) else {
            if let Some(key) = conn {
                self.probe_read(asked, key);
            }
            return true;
        };
        // Whoever sees the connection close may look at once what came of it.
        self.kit.obey_agent(asked.server(), &reply, began);
        self.forget_probe(asked);
        self.await_next(asked);
        true
    }

    fn probe_connect(&mut self, asked: Asked, connect: &Connect) {
        let site = self.kit.site.clone();
        let Some(probe) = self
            .probes
            .get_mut(asked.slot())
            .and_then(|turn| turn.probe.as_mut())
        else {
            return;
        };
        probe.hang_up(&mut self.kit);
        probe.linger = connect.linger;
        let opened = dial::open(&mut self.kit, (&site, asked), connect, &probe.shelf);
        match opened {
            Ok(key) => probe.conn = Some(key),
            Err(error) => {
                let words = errno::words(&error);
                let event = match errno::is_shortage(&error) {
                    true => Event::Shortage(&words),
                    false => Event::NoSocket(&words),
                };
                self.probe(asked, event);
            }
        }
    }

    /// Ends a check and notes what it found.
    fn conclude(&mut self, asked: Asked, report: Report) {
        let Some(probe) = self.probe_of(asked) else {
            return;
        };
        let began = probe.began;
        let duration = self.kit.now.since(began);
        let change = match asked {
            Asked::Service(_) => Change::Checked(&report, duration),
            // An agent that cannot be reached says nothing of its server.
            Asked::Agent(_) => Change::Agent(&report, duration, None),
        };
        self.kit.change_server(asked.server(), &change);
        self.forget_probe(asked);
        self.await_next(asked);
    }

    /// The checks of a server that was added, or that somebody enabled, begin.
    pub(super) fn begin_checks_of(&mut self, asked: Asked) {
        if self.probe_of(asked).is_none() {
            self.check_at(asked, self.kit.now);
        }
    }
}

/// How often somebody is asked; never where nothing says so.
fn interval(site: &Site, asked: Asked) -> Option<Millis> {
    let server = site.server(asked.server());
    match asked {
        Asked::Service(_) => server.checking.as_ref().map(|checking| checking.pace.inter),
        Asked::Agent(_) => server.watch.agent.as_ref().map(|agent| agent.inter),
    }
}

fn run_of(site: &Site, asked: Asked) -> Option<Run> {
    let server = site.server(asked.server());
    match asked {
        Asked::Service(_) => {
            let script = server.checking.as_ref()?.script.clone();
            let line = script.send_state.then(|| facts::state_line(site, server));
            Some(Run::new(script, line))
        }
        Asked::Agent(_) => {
            let agent = server.watch.agent.as_ref()?;
            Some(Run::new(agent_script(&agent.send.load()).into(), None))
        }
    }
}

/// Whether a check has to wait: maintenance pauses those of the server, operators those of either.
fn is_paused(server: &Server, asked: Asked) -> bool {
    match asked {
        Asked::Service(_) => server.health.is_in_maintenance() || !server.health.is_checked(),
        Asked::Agent(_) => {
            let agent = server.watch.agent.as_ref();
            !agent.is_some_and(|agent| agent.enabled.load(Relaxed))
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
