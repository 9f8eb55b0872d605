//! Health checks under way: the scripts of `check`, walked over real connections.
//!
//! Each server is checked by one worker. A probe opens what its script orders, tells it what happened and notes the report
//! with the server's health; when that changes whether the server may be chosen, balancing is told and whoever waits in line is
//! called or sent to choose again.

use std::io;

use super::connect::secure;
use super::engine::Engine;
use super::front::{Held, Role};
use super::{Kit, Letter, Timer, Way};
use crate::check::{Connect, Event, Order, Report, Run, Sentence, Shift, first_delay, spread};
use crate::id::{BackendId, ServerId};
use crate::log::Level;
use crate::mux::{Conn, Fill, Mux};
use crate::sample::Facts;
use crate::site::{Checking, Server, Site};
use crate::slab::Key;
use crate::time::{Millis, Tick};
use crate::tls::Session;
use crate::wire::{Tls, Wire};

/// A check under way.
#[derive(Debug)]
pub(super) struct Probe {
    run: Run,
    began: Tick,
    deadline: Tick,
    conn: Option<Key<Held>>,
    connected: bool,
}

/// What the script ordered, without a borrow of it.
enum Ordered {
    Connect(Box<Connect>),
    Read,
    Done(Report),
}

impl Engine {
    /// Sets the timers of the checks that are this worker's, one of `workers`.
    pub fn begin_checks(&mut self, workers: usize) {
        let site = self.kit.site.clone();
        let mine = self.kit.worker.index();
        let checked = |server: &Server| server.checking.is_some();
        let count = site.servers.iter().filter(|server| checked(server)).count();
        let shortest = site
            .servers
            .iter()
            .filter_map(|server| Some(server.checking.as_ref()?.pace.inter))
            .min();
        self.probes.resize_with(site.servers.len(), || None);
        for (rank, index) in (0..site.servers.len())
            .filter(|&index| checked(&site.servers[index]))
            .enumerate()
        {
            if index % workers.max(1) == mine {
                let delay = first_delay(shortest.unwrap_or_default(), number(rank), number(count));
                self.kit
                    .wheel
                    .insert(self.kit.now + delay, Timer::Check(ServerId::at(index)));
            }
        }
    }

    /// Ends every check: a process that leaves asks no server anything.
    pub(super) fn end_checks(&mut self) {
        let ended = self.probes.iter_mut().filter_map(Option::take);
        for key in ended.filter_map(|probe| probe.conn).collect::<Vec<_>>() {
            self.kit.close(key);
        }
    }

    /// The timer of a server's check: the next one is due, or the one under way has taken too long.
    pub(super) fn check_due(&mut self, id: ServerId) {
        if self.kit.leaving.is_some() {
            return;
        }
        let now = self.kit.now;
        match self.probes.get(id.index()).and_then(Option::as_ref) {
            Some(probe) if probe.deadline.has_come(now) => self.probe(id, Event::TimedOut),
            Some(probe) => {
                let deadline = probe.deadline;
                self.kit.wheel.insert(deadline, Timer::Check(id));
            }
            None => self.begin_check(id),
        }
    }

    fn begin_check(&mut self, id: ServerId) {
        let site = self.kit.site.clone();
        let server = site.server(id);
        let Some(checking) = &server.checking else {
            return;
        };
        if site.stopping.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        if server.health.is_in_maintenance() || !server.health.is_checked() {
            self.await_next(server, checking, id);
            return;
        }
        let deadline = self.kit.now + checking.pace.inter;
        let run = Run::new(checking.script.clone(), None);
        let probe = Probe {
            run,
            began: self.kit.now,
            deadline,
            conn: None,
            connected: false,
        };
        self.probes[id.index()] = Some(Box::new(probe));
        self.kit.wheel.insert(deadline, Timer::Check(id));
        self.probe(id, Event::Begin);
    }

    fn await_next(&mut self, server: &Server, checking: &Checking, id: ServerId) {
        let interval = checking.pace.interval(&server.health);
        let percent = u32::from(self.kit.site.global.spread_checks.unsigned_abs());
        let delay = spread(interval, percent, self.kit.chance.next());
        self.kit
            .wheel
            .insert(self.kit.now + delay.max(Millis::new(1)), Timer::Check(id));
    }

    /// Readiness of a probe's connection.
    pub(super) fn probe_ready(&mut self, id: ServerId) {
        let Some(probe) = self.probes.get(id.index()).and_then(Option::as_ref) else {
            return;
        };
        let (Some(key), connected) = (probe.conn, probe.connected) else {
            return;
        };
        if connected {
            self.probe_read(id, key);
            return;
        }
        let Some(held) = self.kit.conns.get_mut(key) else {
            return;
        };
        if !held.conn.ready.writable {
            return;
        }
        if let Err(error) = held.conn.connected() {
            self.probe(id, Event::Refused(&words(&error)));
            return;
        }
        match secure(&mut self.kit, key) {
            Ok(true) => {
                if let Some(probe) = self.probes[id.index()].as_mut() {
                    probe.connected = true;
                }
                self.probe(id, Event::Connected);
            }
            Ok(false) => {}
            Err(_) => self.probe(id, Event::HandshakeFailed("SSL handshake failure")),
        }
    }

    fn probe_read(&mut self, id: ServerId, key: Key<Held>) {
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        held.conn.flush(lent.pool, lent.now);
        let fill = held.conn.fill(lent.pool, lent.now);
        let bytes = held.conn.pending().to_vec();
        held.conn.consume(lent.pool, bytes.len());
        match fill {
            Fill::Got => self.probe(id, Event::Received(&bytes)),
            Fill::Blocked | Fill::Starved => {}
            Fill::Ended => self.probe(id, Event::Ended),
            Fill::Failed => self.probe(id, Event::Broken("Connection reset by peer")),
        }
    }

    /// Tells the script what happened and does what it orders.
    fn probe(&mut self, id: ServerId, event: Event<'_>) {
        let Some(probe) = self.probes.get_mut(id.index()).and_then(Option::as_mut) else {
            return;
        };
        let mut out = Vec::new();
        let held = probe.conn.and_then(|key| self.kit.conns.get(key));
        let tls = held.is_some_and(|held| matches!(held.conn.wire, Wire::Tls(_)));
        let ordered = match probe.run.advance(event, &Facts::none(), tls, &mut out) {
            Order::Connect(connect) => Ordered::Connect(Box::new(connect.clone())),
            Order::Read => Ordered::Read,
            Order::Done(report) => Ordered::Done(report),
        };
        let conn = probe.conn;
        self.say(conn, &out);
        match ordered {
            Ordered::Connect(connect) => self.probe_connect(id, &connect),
            Ordered::Read => {
                if let Some(key) = conn {
                    self.probe_read(id, key);
                }
            }
            Ordered::Done(report) => self.conclude(id, report),
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

    fn probe_connect(&mut self, id: ServerId, connect: &Connect) {
        let site = self.kit.site.clone();
        let Some(probe) = self.probes[id.index()].as_mut() else {
            return;
        };
        if let Some(before) = probe.conn.take() {
            self.kit.close(before);
        }
        probe.connected = false;
        match open(&mut self.kit, &site, id, connect) {
            Ok(key) => {
                let checking = site.server(id).checking.as_ref();
                if let (Some(probe), Some(timeout)) = (
                    self.probes[id.index()].as_mut(),
                    checking.and_then(|c| c.timeout),
                ) {
                    probe.deadline = self.kit.now + timeout;
                    self.kit.wheel.insert(probe.deadline, Timer::Check(id));
                }
                if let Some(probe) = self.probes[id.index()].as_mut() {
                    probe.conn = Some(key);
                }
            }
            Err(error) => self.probe(id, Event::NoSocket(&words(&error))),
        }
    }

    /// Ends a check and notes what it found.
    fn conclude(&mut self, id: ServerId, report: Report) {
        let Some(probe) = self.probes[id.index()].take() else {
            return;
        };
        if let Some(key) = probe.conn {
            self.kit.close(key);
        }
        let site = self.kit.site.clone();
        let server = site.server(id);
        let duration = self.kit.now.since(probe.began);
        let noted = server.health.note(report.clone(), duration, self.kit.now);
        if noted.worth_a_line && site.backend(server.backend).log_health_checks {
            self.kit.log_check(server, &report, duration);
        }
        self.kit.server_shifted(id, noted.shift, &report, duration);
        if let Some(checking) = &server.checking {
            self.await_next(server, checking, id);
        }
    }
}

impl Kit {
    /// A server's health changed in a way that balancing must know of.
    pub(super) fn server_shifted(
        &mut self,
        id: ServerId,
        shift: Shift,
        report: &Report,
        duration: Millis,
    ) {
        if shift == Shift::Same {
            return;
        }
        let site = self.site.clone();
        let server = site.server(id);
        self.settle_server(id);
        self.log_shift(&site, server, shift, report, duration);
    }

    /// Tells balancing whether a server may be chosen, and those in line what follows.
    pub fn settle_server(&mut self, id: ServerId) {
        let site = self.site.clone();
        let server = site.server(id);
        let usable = server.health.is_usable();
        server.seat.set_usable(usable);
        site.backend(server.backend)
            .policy
            .settle(&site.lineup(server.backend));
        if usable {
            self.call_next(id);
            return;
        }
        for ticket in server.line.dismiss() {
            let letter = Letter::Dismissed { stream: ticket.key };
            if ticket.worker == self.worker {
                self.letters.push_back(letter);
            } else {
                self.doors.post(ticket.worker, letter);
            }
        }
    }

    /// Tells the operator: on standard error, and where the backend logs.
    fn notify(&mut self, backend: BackendId, level: Level, text: &str) {
        let site = self.site.clone();
        self.doors.notice(backend, text);
        self.log(
            &site,
            &site.backend(backend).logging,
            level,
            &[],
            text.as_bytes(),
        );
    }

    fn log_check(&mut self, server: &Server, report: &Report, duration: Millis) {
        let backend = self.site.backend(server.backend).name.clone();
        let sentence = Sentence {
            backend: &backend,
            server: &server.name,
            backup: server.seat.is_backup(),
            agent: false,
            report,
            duration,
            position: server.health.position(),
            state: if server.health.passes() { "UP" } else { "DOWN" },
        };
        self.notify(server.backend, Level::Notice, &sentence.to_string());
    }

    fn log_shift(
        &mut self,
        site: &Site,
        server: &Server,
        shift: Shift,
        report: &Report,
        duration: Millis,
    ) {
        let backend = site.backend(server.backend);
        let (active, backup) = backend.policy.electable();
        let state = match shift {
            Shift::Same => return,
            Shift::Up => "UP",
            Shift::Down => "DOWN",
            Shift::Stopping => "stopping",
            Shift::Resumed => "UP",
        };
        let mut text = format!("Server {}/{} is {state}", backend.name, server.name);
        report.write_reason(Some(duration), &mut text);
        let queued = backend.line.len();
        let online = if shift == Shift::Down {
            "left"
        } else {
            "online"
        };
        text.push_str(&format!(
            ". {active} active and {backup} backup servers {online}. {} sessions {}, {queued} {} in queue.",
            if shift == Shift::Down { server.slots.in_use() } else { 0 },
            if shift == Shift::Down { "active, 0 requeued" } else { "requeued" },
            if shift == Shift::Down { "remaining" } else { "total" },
        ));
        self.notify(server.backend, shift_level(shift), &text);
        if (active, backup) == (0, 0) && shift == Shift::Down {
            let text = format!("backend {} has no server available!", backend.name);
            self.notify(server.backend, Level::Emerg, &text);
        }
    }
}

/// How urgent a change of a server's state is.
fn shift_level(shift: Shift) -> Level {
    match shift {
        Shift::Down => Level::Alert,
        Shift::Same | Shift::Up | Shift::Stopping | Shift::Resumed => Level::Notice,
    }
}

/// The wire with TLS on it, where the check speaks TLS: as traffic does, unless it goes elsewhere.
fn secured(wire: Wire, server: &Server, connect: &Connect) -> io::Result<Wire> {
    let own = server.checking.as_ref().and_then(|c| c.address.as_ref());
    let as_traffic = server.tls.is_some() && own.is_none();
    let wanted = connect.tls || connect.as_server && (server.watch.tls || as_traffic);
    let Some(connector) = server.check_tls.as_ref().filter(|_| wanted) else {
        return Ok(wire);
    };
    let sni = connect.sni.as_deref().or(server.watch.sni.as_deref());
    let session = Session::connect(connector, sni.map(str::as_bytes))
        .map_err(|_refused| io::ErrorKind::InvalidInput)?;
    Ok(Wire::Tls(Box::new(Tls::new(wire, session))))
}

fn open(kit: &mut Kit, site: &Site, id: ServerId, connect: &Connect) -> io::Result<Key<Held>> {
    let server = site.server(id);
    let own = server
        .checking
        .as_ref()
        .and_then(|checking| checking.address.clone());
    let base = own
        .or_else(|| server.address())
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let port = connect.port.as_ref().and_then(|text| {
        String::from_utf8(text.value(&Facts::none()))
            .ok()?
            .parse()
            .ok()
    });
    let to = match (connect.address, port.or(base.port())) {
        (Some(ip), port) => std::net::SocketAddr::new(ip, port.unwrap_or(0)).into(),
        (None, Some(port)) => base.with_port(port),
        (None, None) => base,
    };
    let wire = secured(kit.doors.dial(id, &Way::to(to), site)?, server, connect)?;
    let conn = Conn::new(wire, Mux::Raw, kit.now);
    let held = Held {
        conn,
        role: Role::Probe(id),
        armed: Tick::NEVER,
    };
    let key = kit
        .conns
        .insert(held)
        .map_err(|_full| io::ErrorKind::OutOfMemory)?;
    if let Some(held) = kit.conns.get(key)
        && let Err(error) = kit.doors.enrol(&held.conn.wire, key)
    {
        kit.close(key);
        return Err(error);
    }
    Ok(key)
}

/// The system's words for an error, without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
