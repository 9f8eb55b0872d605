//! An engine with one client and servers of memory, and what one exchange on it was.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::asked::Asked;
use super::greeting;
use crate::addr::SockAddr;
use crate::http::Head;
use crate::id::{BackendId, ListenerId, ServerId, WorkerId};
use crate::log::{Line, Route};
use crate::mux::{Inner, Lane, Lent, Ready, Said};
use crate::rule::{Tried, Witness};
use crate::sample::{Census, TlsFacts};
use crate::site::{Mode, Service, Site, Visit};
use crate::slab::Key;
use crate::stream::{Doors, Engine, Held, Kit, Letter, Peers, Way};
use crate::time::Tick;
use crate::wire::{Memory, Script, Wire};

/// Connections that one exchange may need.
const CONNS_MAX: usize = 64;
/// Turns of the engine without a pause.
const TURNS_MAX: usize = 10_000;
/// How much time may pass in an exchange: held clients, retries, pauses.
const TIME_MAX_MS: u64 = 3_600_000;

/// What an exchange was.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Where it came in: the frontend and the address.
    pub(super) frontend: String,
    /// The rules that were looked at, in order.
    pub(super) rules: Vec<Rule>,
    /// The backend of the server.
    pub(super) backend: Option<String>,
    /// The server.
    pub(super) server: Option<String>,
    /// What answered in place of a server.
    pub(super) inner: Option<String>,
    /// The client's TLS is passed on as it comes.
    pub(super) opaque: bool,
    /// What the server got.
    pub(super) forwarded: Vec<u8>,
    /// What the client got.
    pub(super) answer: Vec<u8>,
}

/// A rule that was looked at.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) tried: Tried,
    /// It ended its rule set.
    pub(super) decides: bool,
}

impl Told {
    /// The status that the client got.
    pub(super) fn status(&self) -> Option<u16> {
        let line = self.answer.get(9..12)?;
        std::str::from_utf8(line).ok()?.parse().ok()
    }
}

/// Where an exchange is played.
pub(super) struct Stage {
    engine: Engine,
    props: Rc<Props>,
    now: u64,
    listener: ListenerId,
    dst: Option<SocketAddr>,
}

/// What the doors and the witness share with the stage.
#[derive(Debug, Default)]
struct Props {
    wires: RefCell<Vec<(Key<Held>, Script)>>,
    dialed: RefCell<Vec<(ServerId, Script)>>,
    told: RefCell<Told>,
}

impl Stage {
    /// A stage for a request of a listener that fits it.
    pub(super) fn new(site: &Arc<Site>, asked: &Asked) -> Result<Stage, String> {
        let listener = listener(site, asked)?;
        let props = Rc::new(Props::default());
        let doors = Backdrop(Rc::clone(&props));
        let mut kit = Kit::new(
            Arc::clone(site),
            WorkerId::at(0),
            CONNS_MAX,
            Box::new(doors),
        );
        kit.desk.witness = Some(Rc::clone(&props) as Rc<dyn Witness>);
        let dst = match &site.listener(listener).endpoint {
            SockAddr::Inet(addr) if addr.ip().is_unspecified() => {
                Some(SocketAddr::new(asked.src.ip(), addr.port()))
            }
            SockAddr::Inet(addr) => Some(*addr),
            SockAddr::Unix(_) | SockAddr::Abstract(_) => None,
        };
        if let Some(id) = site.frontend_of(listener) {
            props.told.borrow_mut().frontend = site.frontend(id).name.to_string();
        }
        Ok(Stage {
            engine: Engine::new(kit, CONNS_MAX),
            props,
            now: 0,
            listener,
            dst,
        })
    }

    /// Plays the exchange to its end.
    pub(super) fn play(mut self, asked: &Asked) -> Told {
        let start = self.engine.kit.site.begun.as_millis();
        self.now = start;
        self.advance(1);
        let (memory, client) = Memory::pair();
        let opaque = asked.secure && self.is_opaque();
        let tls = (asked.secure && !opaque).then(|| Arc::new(handshake(asked)));
        let peers = Peers {
            src: Some(asked.src),
            dst: self.dst,
        };
        client.send(&match opaque {
            true => greeting::hello(&asked.host),
            false => asked.bytes.clone(),
        });
        let answer = (!opaque).then_some(asked.status);
        let accepted = self
            .engine
            .accept_secure(Wire::Memory(memory), self.listener, peers, tls);
        if accepted.is_ok() {
            self.run();
            self.answer(answer);
            while self.now < start + TIME_MAX_MS && !self.is_over(&client) {
                let next = self.engine.kit.wheel.next();
                if !next.is_set() {
                    break;
                }
                self.advance(next.as_millis().saturating_sub(self.now).max(1));
                self.answer(answer);
            }
        }
        let mut told = self.props.told.take();
        told.answer = client.take();
        told.opaque = opaque;
        if let Some((server, _)) = self.props.dialed.borrow().last() {
            let site = &self.engine.kit.site;
            let server = site.server(*server);
            told.server = Some(server.name.to_string());
            told.backend = Some(site.backend(server.backend).name.to_string());
        }
        told
    }

    /// Whether this listener speaks no TLS itself and looks at no messages.
    fn is_opaque(&self) -> bool {
        let site = &self.engine.kit.site;
        let mode = site
            .frontend_of(self.listener)
            .map(|id| site.frontend(id).mode);
        site.listener(self.listener).tls.is_none() && mode == Some(Mode::Tcp)
    }

    /// Whether the exchange is done with: nothing of it is left but the client's connection.
    fn is_over(&self, client: &Script) -> bool {
        self.engine.streams() == 0 || client.is_ended()
    }

    /// Lets every server that has got something answer it.
    /// Of a client whose TLS they get they hang up, as nothing of it is known here.
    fn answer(&mut self, status: Option<u16>) {
        let dialed = self.props.dialed.borrow().clone();
        for (_, script) in dialed {
            let seen = script.take();
            if seen.is_empty() {
                continue;
            }
            self.props.told.borrow_mut().forwarded.extend(seen);
            let Some(status) = status else {
                script.end();
                continue;
            };
            let bodiless = status == 204 || status == 304;
            let length = if bodiless {
                ""
            } else {
                "content-length: 0\r\n"
            };
            script.send(format!("HTTP/1.1 {status} Answer\r\n{length}\r\n").as_bytes());
        }
        self.run();
    }

    fn advance(&mut self, ms: u64) {
        self.now += ms;
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_000 + self.now);
        self.engine.tick(Tick::from_millis(self.now), wall);
        self.engine.wake();
        self.run();
    }

    /// Runs until nothing moves.
    fn run(&mut self) {
        for _ in 0..TURNS_MAX {
            let before = self.activity();
            let wires = self.props.wires.borrow().clone();
            for (key, script) in wires {
                let ready = Ready {
                    readable: script.is_pending() || script.is_ending(),
                    writable: true,
                    hangup: script.is_ending(),
                    failed: false,
                };
                self.engine.ready(key, ready);
            }
            let busy = self.engine.run();
            if !busy && self.activity() == before {
                return;
            }
        }
    }

    fn activity(&self) -> u64 {
        let wires = self.props.wires.borrow();
        let moved: u64 = wires.iter().map(|(_, script)| script.activity()).sum();
        moved + wires.len() as u64
    }
}

/// The listener that a request comes in by: the one of its port, or else the first that speaks as it does.
fn listener(site: &Site, asked: &Asked) -> Result<ListenerId, String> {
    let fits = |at: usize| {
        let listener = &site.listeners[at];
        let Service::Frontend(id) = listener.service else {
            return None;
        };
        if asked
            .frontend
            .as_deref()
            .is_some_and(|name| *name != *site.frontend(id).name)
        {
            return None;
        }
        let by_port = match &listener.endpoint {
            SockAddr::Inet(addr) => addr.port() == asked.port,
            SockAddr::Unix(_) | SockAddr::Abstract(_) => false,
        };
        let by_tls = listener.tls.is_some() == asked.secure;
        Some(2 * u8::from(by_port) + u8::from(by_tls))
    };
    let all = (0..site.listeners.len()).rev();
    let best = all
        .filter_map(|at| Some((fits(at)?, at)))
        .max_by_key(|(fit, _)| *fit);
    match (best, &asked.frontend) {
        (Some((_, at)), _) => Ok(ListenerId::at(at)),
        (None, Some(name)) => Err(format!("no frontend '{name}' has a 'bind' line")),
        (None, None) => Err("no frontend has a 'bind' line".to_owned()),
    }
}

/// What a handshake would have settled.
fn handshake(asked: &Asked) -> TlsFacts {
    TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        cipher_bits: 128,
        sni: Some(asked.host.clone().into_bytes()),
        ..TlsFacts::default()
    }
}

impl Witness for Props {
    fn tried(&self, tried: Tried) {
        let rules = &mut self.told.borrow_mut().rules;
        // A rule that waited is looked at again.
        if rules
            .last()
            .is_some_and(|last| last.tried.span == tried.span && !last.decides)
        {
            rules.pop();
        }
        rules.push(Rule {
            tried,
            decides: false,
        });
    }

    fn decided(&self) {
        if let Some(last) = self.told.borrow_mut().rules.last_mut() {
            last.decides = true;
        }
    }
}

/// The world outside the engine: servers of memory, nothing else.
#[derive(Debug)]
struct Backdrop(Rc<Props>);

impl Backdrop {
    fn inner(&self, name: &str) -> Box<dyn Inner> {
        self.0.told.borrow_mut().inner = Some(name.to_owned());
        Box::new(Stand)
    }
}

impl Doors for Backdrop {
    fn dial(&mut self, server: ServerId, _way: &Way, _site: &Site) -> io::Result<Wire> {
        let (memory, script) = Memory::pair();
        self.0.dialed.borrow_mut().push((server, script));
        Ok(Wire::Memory(memory))
    }

    fn enrol(&mut self, wire: &Wire, key: Key<Held>) -> io::Result<()> {
        if let Wire::Memory(memory) = wire.carrier() {
            self.0.wires.borrow_mut().push((key, memory.script()));
        }
        Ok(())
    }

    fn dismiss(&mut self, _wire: &Wire) {}

    fn post(&mut self, _to: WorkerId, _letter: Letter) {}

    fn left(&mut self, _listener: ListenerId) {}

    fn operator(&mut self, _listener: ListenerId) -> Box<dyn Inner> {
        self.inner("the stats socket")
    }

    fn surrender(&mut self, _wire: Wire) {}

    fn notice(&mut self, _backend: BackendId, _text: &str) {}

    fn clients(&self) -> usize {
        1
    }

    fn page(&mut self, _visit: Visit) -> Box<dyn Inner> {
        self.inner("the statistics page")
    }

    fn service(&mut self, name: &str) -> Option<Box<dyn Inner>> {
        Some(self.inner(name))
    }

    fn write(&mut self, _routes: &[Route], _line: &Line<'_>, _census: &dyn Census) {}

    fn flush(&mut self) {}

    fn log(&mut self, _line: &[u8]) {}
}

/// Answers in place of what needs a running process.
#[derive(Debug)]
struct Stand;

impl Inner for Stand {
    fn step(&mut self, _: &mut Lane, response: &mut Lane, _: &mut Lent<'_>) -> Said {
        let mut head = Box::new(Head::new());
        head.set_response(crate::http::Version::Http11, crate::http::Status::OK, b"OK");
        response.put_head(head);
        response.announce(crate::mux::Body::Sized(0));
        response.complete(None);
        Said::Done
    }
}
