//! What the streams of one worker share, and the doors to the world outside the engine.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::leave::Leaving;
use super::{Asked, Held, Letter, Role, Stream};
use crate::addr::SockAddr;
use crate::buf::Pool;
use crate::filter::EncoderPool;
use crate::id::{BackendId, ListenerId, ServerId, WorkerId};
use crate::log::{Line, Route};
use crate::mux::{Heads, Inner, Lent};
use crate::rule::Desk;
use crate::sample::{Census, Wall};
use crate::site::{Options, Site, Visit};
use crate::slab::{Key, Slab};
use crate::time::{Tick, Wheel};
use crate::wire::{Pipes, Wire};

/// Unused buffers that a worker keeps.
const BUFFERS_KEPT: usize = 1024;

/// What a stream borrows for one step.
#[derive(Debug)]
pub struct Kit {
    /// What is configured.
    ///
    /// Stages hold on to it while they change the kit, many times a request; the count of this outer pointer is the worker's own,
    /// so that holding on is an ordinary increment and no cache line travels between processors.
    pub site: Rc<Arc<Site>>,
    /// Whose kit this is.
    pub worker: WorkerId,
    /// The process, as log lines name it.
    pub pid: u32,
    /// Connections of both sides.
    pub conns: Slab<Held>,
    /// Buffers.
    pub pool: Pool,
    /// States of compressors.
    pub encoders: EncoderPool,
    /// How much of its time the worker has had nothing to do lately, in percent.
    pub idle_percent: u32,
    /// Heads.
    pub heads: Heads,
    /// Pipes.
    pub pipes: Pipes,
    /// Whether any proxy wants splicing.
    pub splices: bool,
    /// Timers.
    pub wheel: Wheel<Timer>,
    /// The moment of this turn.
    pub now: Tick,
    /// The same on the wall clock.
    pub wall: Wall,
    /// Idle server connections, newest last, by [`ServerId`].
    pub idle: Vec<Vec<Key<Held>>>,
    /// Whether workers take idle connections over from one another.
    pub(super) shares_idle: bool,
    /// Whose idle connection was last given up for another.
    pub(super) evicted_last: usize,
    /// Exchanges begun so far.
    pub(super) begun: u64,
    /// Bytes sent to clients so far.
    pub sent: u64,
    /// News for streams of this worker.
    pub letters: VecDeque<Letter>,
    /// Where rules put texts together.
    pub desk: Desk,
    /// Random numbers.
    pub chance: Chance,
    /// Streams that have something to do.
    pub run: VecDeque<Key<Box<Stream>>>,
    /// Streams that wait for a buffer, the longest first.
    pub starved: VecDeque<Key<Box<Stream>>>,
    /// The world outside.
    pub doors: Box<dyn Doors>,
    /// Set once the process was told to go.
    pub leaving: Option<Leaving>,
}

/// Random numbers that only spread load: nothing secret is made of them.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number (xorshift64*, upper half).
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A connection's, or the stream's behind it.
    Conn(Key<Held>),
    /// A server's health check.
    Check(Asked),
    /// The next step of a server's slow start.
    Warm(ServerId),
    /// Idle server connections that are not needed are let go.
    Purge,
    /// The next connections to close in a process that leaves.
    Leave,
}

/// The way to a server, beyond what its line says.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where to.
    pub to: SockAddr,
    /// Whom the server sees in place of the proxy.
    pub seems: Option<SocketAddr>,
    /// The port to come from.
    pub local_port: Option<u16>,
    /// The mark of packets.
    pub mark: Option<u32>,
    /// Their type of service.
    pub tos: Option<u8>,
    /// Whether the connection is acknowledged by the first bytes that are sent over it: whoever is left without any has nobody to
    /// accept.
    pub late_ack: bool,
}

impl Way {
    /// The plain way.
    pub fn to(to: SockAddr) -> Self {
        Self {
            to,
            seems: None,
            local_port: None,
            mark: None,
            tos: None,
            late_ack: false,
        }
    }
}

/// What the engine asks of whoever runs it: the worker with sockets and a poll, the rig with memory.
pub trait Doors {
    /// Begins a connection to `server`.
    fn dial(&mut self, server: ServerId, way: &Way, site: &Site) -> io::Result<Wire>;

    /// Has readiness of `wire` reported under `key`.
    fn enrol(&mut self, wire: &Wire, key: Key<Held>) -> io::Result<()>;

    /// Has readiness of `wire` reported no more.
    fn dismiss(&mut self, wire: &Wire);

    /// Posts a letter to another worker.
    fn post(&mut self, to: WorkerId, letter: Letter);

    /// A client that came in by `listener` has left.
    fn left(&mut self, listener: ListenerId);

    /// Who answers on a stats socket.
    fn operator(&mut self, listener: ListenerId) -> Box<dyn Inner>;

    /// Gives a connection's wire away.
    fn surrender(&mut self, wire: Wire);

    /// Hands out a notice about a server.
    fn notice(&mut self, backend: BackendId, text: &str);

    /// Clients of the whole process.
    fn clients(&self) -> usize;

    /// Who answers with a statistics page.
    fn page(&mut self, visit: Visit) -> Box<dyn Inner>;

    /// An inner service by its name.
    fn service(&mut self, name: &str) -> Option<Box<dyn Inner>>;

    /// Hands a line to the targets of a proxy.
    fn write(&mut self, routes: &[Route], line: &Line<'_>, census: &dyn Census);

    /// Sends the lines that were handed to targets in this turn.
    fn flush(&mut self);

    /// Hands out a log line.
    fn log(&mut self, line: &[u8]);
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doors")
    }
}

impl Kit {
    /// A kit for one worker of `site`, holding at most `conns_max` connections.
    pub fn new(site: Arc<Site>, worker: WorkerId, conns_max: usize, doors: Box<dyn Doors>) -> Self {
        let tune = site.global.tune;
        let limit = if tune.buffers_limit == 0 {
            usize::MAX
        } else {
            tune.buffers_limit
        };
        let idle = site.servers.iter().map(|_| Vec::new()).collect();
        Self {
            worker,
            pid: crate::sys::process::pid().unsigned_abs(),
            conns: Slab::new(conns_max),
            pool: Pool::new(tune.buffer_size, BUFFERS_KEPT, limit)
                .with_reserve(tune.buffers_reserve),
            encoders: EncoderPool::new(tune.compression_level),
            idle_percent: 100,
            heads: Heads::default(),
            pipes: Pipes::new(
                Arc::clone(&site.pipes),
                site.global.pipes_max(),
                tune.pipe_size,
            ),
            splices: site.splices(),
            wheel: Wheel::new(Tick::default()),
            now: Tick::default(),
            wall: Wall::default(),
            idle,
            desk: Desk::default(),
            shares_idle: tune.idle_pool_shared && site.global.threads > 1,
            evicted_last: 0,
            begun: 0,
            sent: 0,
            letters: VecDeque::new(),
            chance: Chance::new(worker.index() as u64),
            run: VecDeque::new(),
            starved: VecDeque::new(),
            doors,
            leaving: None,
            site: Rc::new(site),
        }
    }

    /// A connection together with what its mux needs.
    #[inline]
    pub fn conn(&mut self, key: Key<Held>) -> Option<(&mut Held, Lent<'_>)> {
        let held = self.conns.get_mut(key)?;
        Some((
            held,
            Lent {
                pool: &mut self.pool,
                now: self.now,
                heads: &mut self.heads,
                pipes: &mut self.pipes,
            },
        ))
    }

    /// What a mux needs, without a connection.
    pub fn lent(&mut self) -> Lent<'_> {
        Lent {
            pool: &mut self.pool,
            now: self.now,
            heads: &mut self.heads,
            pipes: &mut self.pipes,
        }
    }

    /// Sees to it that the timer of `key` fires at `deadline` at the latest.
    pub fn arm(&mut self, key: Key<Held>, deadline: Tick) {
        let Some(held) = self.conns.get_mut(key) else {
            return;
        };
        if deadline < held.armed {
            held.armed = deadline;
            self.wheel.insert(deadline, Timer::Conn(key));
        }
    }

    /// Gives the wire of a client's connection to somebody outside the engine.
    pub(super) fn surrender(&mut self, key: Key<Held>) {
        let Some(mut held) = self.conns.remove(key) else {
            return;
        };
        held.conn.release(&mut self.pool);
        if let Some(front) = held.front_mut() {
            front.tracks.release(&self.site, self.now);
            self.doors.left(front.listener);
        }
        self.doors.surrender(held.conn.wire);
    }

    /// The options of the proxy that a connection belongs to.
    fn options_of(&self, held: &Held) -> Option<&Options> {
        match &held.role {
            Role::Front(front) => {
                let frontend = self.site.frontend_of(front.listener)?;
                Some(&self.site.frontend(frontend).options)
            }
            Role::Back(back) => {
                let backend = self.site.server(back.server).backend;
                Some(&self.site.backend(backend).options)
            }
            Role::Probe(_) => None,
        }
    }

    /// The number of the next exchange. Workers count by turns: no two give the same one, and none waits for another.
    pub(super) fn next_number(&mut self) -> u32 {
        let workers = self.site.global.threads.max(1) as u64;
        let own = self.worker.index() as u64;
        let number = self.begun.wrapping_mul(workers).wrapping_add(own);
        self.begun = self.begun.wrapping_add(1);
        #[expect(clippy::cast_possible_truncation, reason = "numbers begin anew")]
        let number = number as u32;
        number
    }

    /// Exchanges begun so far.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// Reads what a client has sent and nobody will: left unread, it would make the close a reset, and the client would miss
    /// what it was sent before.
    pub(super) fn hear_out(&mut self, key: Key<Held>) {
        if let Some((held, lent)) = self.conn(key) {
            held.conn.ready.readable = true;
            held.conn.fill(lent.pool, lent.now);
        }
    }

    /// Lets a connection go: its buffers return, its descriptor closes.
    pub fn close(&mut self, key: Key<Held>) {
        let Some(mut held) = self.conns.remove(key) else {
            return;
        };
        held.conn.release(&mut self.pool);
        // A peer that has ended its side waits for nothing that a reset would take from it. A server that has not is left by a reset,
        // as haproxy leaves it: whoever ends first keeps the port for a minute otherwise, and those of this host would run out.
        let no_linger = || self.options_of(&held).is_some_and(|all| all.no_linger);
        let server_remains = || held.back().is_some() && !held.conn.ready.hangup;
        if !held.conn.shut.read && (server_remains() || no_linger()) {
            held.conn.wire.reset_on_close();
        }
        if let Some(front) = held.front_mut() {
            front.tracks.release(&self.site, self.now);
            let (listener, own) = (front.listener, front.own.take());
            self.doors.left(listener);
            for back in own.map_or_else(Vec::new, |own| own.into_idle()) {
                self.close(back);
            }
        }
    }
}
