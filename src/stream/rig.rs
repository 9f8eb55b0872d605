//! The engine on a table: memory in place of sockets, scripts in place of peers, a clock that jumps.
//!
//! A rig runs real streams over scripted wires until nothing moves, then jumps to the next deadline if asked. What it
//! proves for every scenario is that fragmentation does not matter and that nothing is left: every slab, pool and gauge at zero.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use super::{Doors, Engine, Held, Kit, Letter, Peers, Way};
use crate::id::{BackendId, ListenerId, ServerId, WorkerId};
use crate::log::{Dates, Line, Place, Route};
use crate::mux::{Inner, Ready};
use crate::sample::Census;
use crate::site::{Site, Visit};
use crate::slab::Key;
use crate::time::Tick;
use crate::wire::{Memory, Script, Wire};

/// Rounds without an end that prove a livelock.
const ROUNDS_MAX: usize = 200_000;

/// Where nobody listens, as on every machine.
const CLOSED_PORT: u16 = 1;

/// The number of "Too many open files".
const EMFILE: i32 = 24;

/// What a scripted server does with what it has received so far: the bytes to answer, if any.
pub(super) type Answer = Box<dyn FnMut(&mut Dialed)>;

/// One connection that the engine opened.
#[derive(Debug)]
pub(super) struct Dialed {
    /// The server's end.
    pub script: Script,
    /// What arrived and was not answered yet.
    pub seen: Vec<u8>,
    /// Whether its acknowledgement waits for what is sent.
    pub late_ack: bool,
}

/// An engine with everything scripted.
pub(super) struct Rig {
    /// The engine itself.
    pub engine: Engine,
    /// Log lines so far: as datagrams carry them where logs were opened, else bare.
    pub lines: Rc<RefCell<Vec<u8>>>,
    world: Rc<RefCell<World>>,
    answer: Answer,
    now: u64,
}

#[derive(Debug, Default)]
struct World {
    wires: Vec<(Key<Held>, Script)>,
    enrolled: usize,
    dialed: Vec<Dialed>,
    cut: usize,
    refuse: bool,
    lacks: bool,
    clients: usize,
    checking: bool,
    posted: Vec<Letter>,
}

struct RigDoors {
    site: Arc<Site>,
    world: Rc<RefCell<World>>,
    lines: Rc<RefCell<Vec<u8>>>,
    dates: Dates,
}

impl fmt::Debug for RigDoors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RigDoors")
    }
}

impl Doors for RigDoors {
    fn dial(&mut self, _: ServerId, way: &Way, _site: &Site) -> io::Result<Wire> {
        let (memory, script) = Memory::pair();
        let mut world = self.world.borrow_mut();
        if world.lacks {
            return Err(io::Error::from_raw_os_error(EMFILE));
        }
        script.cut(world.cut);
        if world.refuse || way.to.port() == Some(CLOSED_PORT) {
            script.refuse();
        }
        world.dialed.push(Dialed {
            script,
            seen: Vec::new(),
            late_ack: way.late_ack,
        });
        Ok(Wire::Memory(memory))
    }

    fn enrol(&mut self, wire: &Wire, key: Key<Held>) -> io::Result<()> {
        if let Wire::Memory(memory) = wire.carrier() {
            let mut world = self.world.borrow_mut();
            world.wires.push((key, memory.script()));
            world.enrolled += 1;
        }
        Ok(())
    }

    fn dismiss(&mut self, wire: &Wire) {
        if let Wire::Memory(memory) = wire.carrier() {
            let script = memory.script();
            let wires = &mut self.world.borrow_mut().wires;
            wires.retain(|(_, enrolled)| !enrolled.is_same(&script));
        }
    }

    fn post(&mut self, _to: WorkerId, letter: Letter) {
        self.world.borrow_mut().posted.push(letter);
    }

    fn left(&mut self, listener: ListenerId) {
        self.world.borrow_mut().clients -= 1;
        if let Some(frontend) = self.site.frontend_of(listener) {
            let frontend = self.site.frontend(frontend);
            frontend.connections.fetch_sub(1, Relaxed);
        }
    }

    fn operator(&mut self, _listener: ListenerId) -> Box<dyn Inner> {
        panic!("the rig has no stats socket")
    }

    fn page(&mut self, _visit: Visit) -> Box<dyn Inner> {
        panic!("the rig has no statistics page")
    }

    fn surrender(&mut self, _wire: Wire) {}

    fn notice(&mut self, _backend: BackendId, text: &str) {
        let mut lines = self.lines.borrow_mut();
        lines.extend_from_slice(text.as_bytes());
        lines.push(b'\n');
    }

    fn clients(&self) -> usize {
        self.world.borrow().clients
    }

    fn service(&mut self, _name: &str) -> Option<Box<dyn Inner>> {
        None
    }

    fn write(&mut self, routes: &[Route], line: &Line<'_>, census: &dyn Census) {
        let mut lines = self.lines.borrow_mut();
        let sent = |place: &Place| matches!(place, Place::Datagram(_));
        for route in routes.iter().filter(|route| sent(route.place())) {
            route.write(line, census, &mut self.dates, &mut lines);
        }
        if routes.is_empty() {
            lines.extend_from_slice(line.text);
            lines.push(b'\n');
        }
    }

    fn flush(&mut self) {}

    fn log(&mut self, line: &[u8]) {
        self.lines.borrow_mut().extend_from_slice(line);
    }
}

impl Rig {
    /// A rig for `site` whose servers answer as `answer` says.
    pub(super) fn new(site: Site, answer: impl FnMut(&mut Dialed) + 'static) -> Self {
        let world = Rc::new(RefCell::new(World::default()));
        let lines = Rc::default();
        let site = Arc::new(site);
        let doors = RigDoors {
            site: Arc::clone(&site),
            world: Rc::clone(&world),
            lines: Rc::clone(&lines),
            dates: Dates::default(),
        };
        let kit = Kit::new(site, WorkerId::at(0), 1000, Box::new(doors));
        let mut rig = Self {
            engine: Engine::new(kit, 1000),
            lines,
            world,
            answer: Box::new(answer),
            now: 0,
        };
        rig.advance(1);
        rig
    }

    /// Cuts everything that servers send from here on into pieces of `bytes`.
    pub(super) fn cut_servers(&self, bytes: usize) {
        self.world.borrow_mut().cut = bytes;
    }

    /// Refuses connections to servers from here on.
    pub(super) fn refuse_servers(&self) {
        self.world.borrow_mut().refuse = true;
    }

    /// The last letter to another worker.
    pub(super) fn posted(&self) -> Option<Letter> {
        self.world.borrow_mut().posted.pop()
    }

    /// Begins the health checks of servers.
    pub(super) fn begin_checks(&mut self) {
        self.world.borrow_mut().checking = true;
        self.engine.begin_checks(1);
        self.run();
    }

    /// Ends the health checks, those under way too.
    pub(super) fn end_checks(&mut self) {
        self.engine.end_checks();
    }

    /// A client connects to the first listener.
    pub(super) fn client(&mut self) -> Script {
        let src = Some(std::net::SocketAddr::from(([192, 0, 2, 1], 40_000)));
        let dst = Some(std::net::SocketAddr::from(([192, 0, 2, 9], 80)));
        self.client_between(Peers { src, dst })
    }

    /// The same with other addresses.
    pub(super) fn client_between(&mut self, peers: Peers) -> Script {
        let (memory, script) = Memory::pair();
        self.world.borrow_mut().clients += 1;
        let (site, door) = (&self.engine.kit.site, ListenerId::at(0));
        if let Some(frontend) = site.frontend_of(door) {
            site.frontend(frontend).connections.fetch_add(1, Relaxed);
        }
        let accepted = self.engine.accept(Wire::Memory(memory), door, peers);
        assert!(accepted.is_ok(), "the rig has room for its clients");
        script
    }

    /// Has the system lack descriptors for connections to servers, or have them again.
    pub(super) fn lack_descriptors(&self, lacks: bool) {
        self.world.borrow_mut().lacks = lacks;
    }

    /// Which of the connections that servers have seen were ended by a reset.
    pub(super) fn resets(&self) -> Vec<bool> {
        let world = self.world.borrow();
        let dialed = world.dialed.iter();
        dialed.map(|dialed| dialed.script.was_reset()).collect()
    }

    /// Of each connection, whether its acknowledgement waits for what is sent.
    pub(super) fn late_acks(&self) -> Vec<bool> {
        let world = self.world.borrow();
        world.dialed.iter().map(|dialed| dialed.late_ack).collect()
    }

    /// How many connections servers have seen so far.
    pub(super) fn dials(&self) -> usize {
        self.world.borrow().dialed.len()
    }

    /// How many connections the poll was told of so far.
    pub(super) fn enrolled(&self) -> usize {
        self.world.borrow().enrolled
    }

    /// Runs until nothing moves.
    pub(super) fn run(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let before = self.activity();
            self.turn();
            if self.activity() == before && self.engine.kit.run.is_empty() {
                return;
            }
        }
        panic!("the engine does not come to rest");
    }

    /// Jumps `ms` milliseconds ahead and runs.
    pub(super) fn advance(&mut self, ms: u64) {
        self.begin_turn(ms);
        self.run();
    }

    /// What a worker does when its poll ends `ms` milliseconds later: it hears what has happened, then who has waited long enough.
    pub(super) fn begin_turn(&mut self, ms: u64) {
        self.now += ms;
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_000 + self.now);
        self.engine.tick(Tick::from_millis(self.now), wall);
        self.tell();
        self.engine.wake();
    }

    /// Jumps from deadline to deadline until none is left or `ms` have passed.
    pub(super) fn run_out(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let next = self.engine.kit.wheel.next();
            if !next.is_set() || next.as_millis() > end {
                return;
            }
            self.advance(next.as_millis().saturating_sub(self.now).max(1));
        }
    }

    /// Jumps from deadline to deadline until `over` says so, or none comes within `ms`; the time by then.
    pub(super) fn run_until(&mut self, over: impl Fn() -> bool, ms: u64) -> u64 {
        while !over() {
            let next = self.engine.kit.wheel.next();
            if !next.is_set() || next.as_millis() > self.now + ms {
                break;
            }
            self.advance(next.as_millis().saturating_sub(self.now).max(1));
        }
        self.now
    }

    /// Lets `ms` milliseconds pass with everything that is due meanwhile.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        self.run_out(ms);
        if self.now < end {
            self.advance(end - self.now);
        }
    }

    /// Lets everything come to its end within `ms` milliseconds; checks have none, they go no further than streams need.
    pub(super) fn settle(&mut self, ms: u64) {
        self.run();
        if !self.world.borrow().checking || self.engine.streams() > 0 {
            self.run_out(ms);
        }
    }

    /// Checks that nothing is held: no connection but idle ones, no stream, no buffer.
    pub(super) fn assert_at_rest(&self) {
        let kit = &self.engine.kit;
        assert_eq!(self.engine.streams(), 0, "streams");
        assert_eq!(kit.pool.lent(), 0, "buffers");
        assert_eq!(self.engine.panics, 0, "panics");
    }

    fn activity(&self) -> u64 {
        let world = self.world.borrow();
        let wires: u64 = world
            .wires
            .iter()
            .map(|(_, script)| script.activity())
            .sum();
        wires + world.dialed.len() as u64
    }

    /// Tells what has become of connections.
    pub(super) fn tell(&mut self) {
        let wires = self.world.borrow().wires.clone();
        for (key, script) in wires {
            let readable = script.is_pending() || script.is_ending();
            let ready = Ready {
                readable,
                writable: true,
                hangup: script.is_ending(),
                failed: false,
            };
            self.engine.ready(key, ready);
        }
    }

    /// One turn of a worker, and what servers do of it.
    pub(super) fn turn(&mut self) {
        self.tell();
        while self.engine.run() {}
        let mut dialed = std::mem::take(&mut self.world.borrow_mut().dialed);
        for connection in &mut dialed {
            connection.seen.extend(connection.script.take());
            if !connection.seen.is_empty() || connection.script.is_ended() {
                (self.answer)(connection);
            }
        }
        let mut world = self.world.borrow_mut();
        let conns = &self.engine.kit.conns;
        world.wires.retain(|(key, _)| conns.get(*key).is_some());
        dialed.append(&mut world.dialed);
        world.dialed = dialed;
    }
}
