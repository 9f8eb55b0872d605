//! Sending: from a worker to its log targets, never waiting.
//!
//! [`Outlets`] are the distinct places that the configuration's targets name, opened once by boot.
//! Each worker owns a [`Sender`] over them: [`Sender::log`] writes a line into the outlet's batch,
//! [`Sender::flush`] at the end of a turn hands the batches to the kernel.
//!
//! Always true: no call waits; what a full or absent receiver does not take is dropped and counted
//! ([`Outlets::dropped`]); a batch never exceeds [`BATCH_BYTES_MAX`]. Lines to a descriptor go out in
//! pieces of whole lines that a pipe takes at once ([`PIPE_BYTES_MAX`]), so lines of different
//! workers never mix. Streams to syslog servers are not opened here: their lines go to a ring, and from there with
//! the courier.

use std::io::IsTerminal as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::addr::{SockAddr, Written};
use crate::id::BackendId;
use crate::sample::{Census, Wall};
use crate::sys::datagram::{self, BATCH_MAX};
use crate::sys::socket::{self, Family, Kind};
use crate::sys::{RawAddr, io};

use super::dates::Dates;
use super::line::{Author, Facility, Header, Line, write_line};
use super::received::Received;
use super::ring::Ring;
use super::target::{Place, Target};

/// How many bytes an outlet of a worker collects before it is flushed early.
pub const BATCH_BYTES_MAX: usize = 64 * 1024;
/// What a pipe takes in one piece (PIPE_BUF).
pub const PIPE_BYTES_MAX: usize = 4096;

/// The places lines go to, each open.
#[derive(Debug, Default)]
pub struct Outlets {
    list: Vec<(Option<Place>, Outlet)>,
    dropped: AtomicU64,
}

#[derive(Debug)]
enum Outlet {
    /// Datagrams to an address, over a socket of each worker's own.
    Datagram {
        to: RawAddr,
        family: Family,
    },
    Descriptor(Arc<OwnedFd>),
    Ring(Arc<Ring>),
    /// The outlets of a log backend's servers, by their ranks.
    Backend {
        id: BackendId,
        servers: Vec<usize>,
    },
}

/// How a server of a log backend gets its lines.
#[derive(Debug)]
pub enum Member {
    /// As datagrams to an address.
    Datagram(SockAddr),
    /// Through a ring, whose lines go to it over a connection.
    Ring(Arc<Ring>),
}

/// A target ready for use: its outlet and the look of its lines.
#[derive(Debug, Clone)]
pub struct Route {
    outlet: usize,
    header: Header,
    target: Target,
}

impl Outlets {
    /// Adds a log backend with its servers in order of their ranks.
    ///
    /// # Errors
    /// A sentence about the server that cannot be reached.
    pub fn add_backend(
        &mut self,
        name: &Arc<str>,
        id: BackendId,
        members: Vec<Member>,
    ) -> Result<(), String> {
        let mut servers = Vec::with_capacity(members.len());
        for member in members {
            let outlet = match member {
                Member::Ring(ring) => Outlet::Ring(ring),
                Member::Datagram(address) => datagrams(&address)?,
            };
            servers.push(self.list.len());
            self.list.push((None, outlet));
        }
        let place = Place::Backend(Arc::clone(name));
        self.list
            .push((Some(place), Outlet::Backend { id, servers }));
        Ok(())
    }

    /// The route to a target, opening its place if no target before had it. `rings` are the `ring`
    /// sections; a target over a stream gets a ring of its own, which is added to them.
    ///
    /// # Errors
    /// A sentence about the place that cannot be opened.
    pub fn route(
        &mut self,
        target: &Target,
        with_hostname: bool,
        rings: &mut Vec<Arc<Ring>>,
    ) -> Result<Route, String> {
        let known = self
            .list
            .iter()
            .position(|(place, _)| place.as_ref() == Some(&target.place));
        let outlet = match known {
            Some(at) => at,
            None => {
                let outlet = open(&target.place, rings)?;
                self.list.push((Some(target.place.clone()), outlet));
                self.list.len() - 1
            }
        };
        let mut header = target.header(with_hostname);
        if let Outlet::Ring(ring) = &self.list[outlet].1 {
            header.syntax = target.syntax.or(ring.syntax).unwrap_or(header.syntax);
            header.len_max = header.len_max.min(ring.line_max);
        }
        Ok(Route {
            outlet,
            header,
            target: target.clone(),
        })
    }

    /// How many lines were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn open(place: &Place, rings: &mut Vec<Arc<Ring>>) -> Result<Outlet, String> {
    match place {
        Place::Datagram(written) => datagrams(&resolve(written)?),
        Place::Backend(name) => Err(format!("unable to find log backend '{name}'")),
        Place::Descriptor(number) => {
            let own = duplicate(*number)
                .map_err(|e| format!("log : descriptor {number} cannot be used: {e}"))?;
            Ok(Outlet::Descriptor(Arc::new(own)))
        }
        Place::Ring(name) => match rings.iter().find(|ring| ring.name == *name) {
            Some(ring) => Ok(Outlet::Ring(Arc::clone(ring))),
            None => Err(format!("unable to find ring '{name}'")),
        },
        Place::Stream(written) => {
            let name = format!("log:{:?}", written.place).into();
            let ring = Ring::new(name, None, super::ring::SIZE_DEFAULT);
            let ring = Arc::new(ring.sent_to(resolve(written)?));
            rings.push(Arc::clone(&ring));
            Ok(Outlet::Ring(ring))
        }
    }
}

fn datagrams(address: &SockAddr) -> Result<Outlet, String> {
    let to = address.to_raw().map_err(|e| e.to_string())?;
    let family = Family::of(&to).ok_or("log : unusable address family")?;
    Ok(Outlet::Datagram { to, family })
}

/// A descriptor of our own for an inherited number, so that closing it here closes nothing there.
fn duplicate(number: i32) -> std::io::Result<OwnedFd> {
    let fd = match number {
        1 => socket::duplicate(std::io::stdout())?,
        2 => socket::duplicate(std::io::stderr())?,
        _ => socket::adopt(number)?,
    };
    // A terminal is shared with the shell that started us: it stays as it was.
    if !fd.is_terminal() {
        socket::set_nonblocking(&fd, true)?;
    }
    Ok(fd)
}

/// The address of a written place, in which names were replaced when the configuration was read.
fn resolve(written: &Written) -> Result<SockAddr, String> {
    let address = written.addresses().into_iter().next();
    address.ok_or_else(|| "log : an address is expected".to_owned())
}

impl Route {
    /// Where its lines go.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.target.place
    }

    /// Appends the line as the target wants it, and whether it wants it.
    pub fn write(
        &self,
        line: &Line<'_>,
        census: &dyn Census,
        dates: &mut Dates,
        out: &mut Vec<u8>,
    ) -> bool {
        if !self.target.takes(line.level) {
            return false;
        }
        let mut line = *line;
        line.level = line.level.max(self.target.level_cap);
        write_line(&self.header, &line, census, dates, out);
        true
    }
}

/// A worker's way to the outlets.
#[derive(Debug)]
pub struct Sender {
    outlets: Arc<Outlets>,
    batches: Vec<Batch>,
    /// Sockets for datagrams by family, opened when first used.
    sockets: Vec<(Family, OwnedFd)>,
    /// Outlets with something in their batch.
    waiting: Vec<usize>,
    dates: Dates,
}

#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Sender {
    /// A sender over these outlets.
    #[must_use]
    pub fn new(outlets: Arc<Outlets>) -> Sender {
        let count = outlets.list.len();
        Sender {
            outlets,
            batches: std::iter::repeat_with(Batch::default).take(count).collect(),
            sockets: Vec::new(),
            waiting: Vec::new(),
            dates: Dates::default(),
        }
    }

    /// Writes a line to every route that takes its level.
    pub fn log(&mut self, routes: &[Route], line: &Line<'_>, census: &dyn Census) {
        for route in routes {
            let (batch, dates) = (&mut self.batches[route.outlet], &mut self.dates);
            if route.write(line, census, dates, &mut batch.bytes) {
                self.added(route.outlet, census);
            }
        }
    }

    /// A line was written into the batch of an outlet, and ends there.
    fn added(&mut self, at: usize, census: &dyn Census) {
        let at = match &self.outlets.list[at].1 {
            Outlet::Datagram { .. } | Outlet::Descriptor(_) | Outlet::Ring(_) => at,
            Outlet::Backend { id, servers } => {
                let line = std::mem::take(&mut self.batches[at].bytes);
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let chosen = census.log_server(*id, text);
                let chosen = chosen.and_then(|rank| servers.get(rank).copied());
                if let Some(chosen) = chosen {
                    self.batches[chosen].bytes.extend_from_slice(&line);
                } else {
                    self.outlets.dropped.fetch_add(1, Ordering::Relaxed);
                }
                // The memory is kept for the next line.
                self.batches[at].bytes = line;
                self.batches[at].bytes.clear();
                let Some(chosen) = chosen else { return };
                chosen
            }
        };
        let batch = &mut self.batches[at];
        if batch.ends.is_empty() {
            self.waiting.push(at);
        }
        batch.ends.push(batch.bytes.len());
        if batch.bytes.len() >= BATCH_BYTES_MAX {
            self.flush();
        }
    }

    /// Passes on a line that somebody else wrote: as it came where a route asks for no form of its own, else with a header anew.
    pub fn pass_on(
        &mut self,
        routes: &[Route],
        received: &Received<'_>,
        date: Wall,
        census: &dyn Census,
    ) {
        let line = Line {
            author: Author {
                tag: received.tag,
                hostname: Some(received.hostname).filter(|name| !name.is_empty()),
                pid: received.pid,
            },
            date,
            level: received.level,
            structured: received.structured,
            text: received.text,
        };
        for route in routes {
            if !route.target.takes(line.level) {
                continue;
            }
            let batch = &mut self.batches[route.outlet];
            if route.target.syntax.is_none() && received.facility.is_some() {
                let end = received.whole.len().min(route.header.len_max);
                batch.bytes.extend_from_slice(&received.whole[..end]);
                batch.bytes.push(b'\n');
            } else {
                let said = received.facility.and_then(Facility::numbered);
                let header = Header {
                    facility: said.unwrap_or(route.header.facility),
                    ..route.header
                };
                write_line(&header, &line, census, &mut self.dates, &mut batch.bytes);
            }
            self.added(route.outlet, census);
        }
    }

    /// Hands everything collected to the kernel; what it refuses is dropped and counted.
    pub fn flush(&mut self) {
        while let Some(at) = self.waiting.pop() {
            let batch = &mut self.batches[at];
            let lost = match &self.outlets.list[at].1 {
                Outlet::Descriptor(fd) => batch.write_to(fd),
                Outlet::Ring(ring) => batch.push_to(ring),
                // Its lines are in the batches of its servers.
                Outlet::Backend { .. } => 0,
                Outlet::Datagram { to, family } => match open_once(&mut self.sockets, *family) {
                    Some(fd) => batch.send_to(fd, to),
                    None => batch.ends.len(),
                },
            };
            if lost > 0 {
                self.outlets
                    .dropped
                    .fetch_add(lost as u64, Ordering::Relaxed);
            }
            batch.bytes.clear();
            batch.ends.clear();
        }
    }
}

fn open_once(sockets: &mut Vec<(Family, OwnedFd)>, family: Family) -> Option<&OwnedFd> {
    let at = match sockets.iter().position(|(f, _)| *f == family) {
        Some(at) => at,
        None => {
            sockets.push((family, socket::socket(family, Kind::Datagram).ok()?));
            sockets.len() - 1
        }
    };
    sockets.get(at).map(|(_, fd)| fd)
}

impl Batch {
    /// The lines, without their ends when `trimmed`.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }

    /// Sends each line as a message; tells how many were not taken.
    fn send_to(&self, fd: &OwnedFd, to: &RawAddr) -> usize {
        let lines: Vec<&[u8]> = self.lines().collect();
        let mut sent = 0;
        while sent < lines.len() {
            let some = &lines[sent..lines.len().min(sent + BATCH_MAX)];
            match datagram::send_many(fd, some, Some(to)) {
                Ok(count) if count > 0 => sent += count,
                _ => return lines.len() - sent,
            }
        }
        0
    }

    /// Writes whole lines in pieces that a pipe takes at once; tells how many were not taken.
    fn write_to(&self, fd: &OwnedFd) -> usize {
        let mut start = 0;
        let mut at = 0;
        while at < self.ends.len() {
            let fits = |end: &&usize| **end - start <= PIPE_BYTES_MAX;
            let count = self.ends[at..].iter().take_while(fits).count().max(1);
            let end = self.ends[at + count - 1];
            match io::write(fd, &self.bytes[start..end]) {
                Ok(written) if written == end - start => {}
                _ => return self.ends.len() - at,
            }
            start = end;
            at += count;
        }
        0
    }

    fn push_to(&self, ring: &Ring) -> usize {
        self.lines().filter(|line| !ring.push(line)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Level;
    use super::*;
    use crate::lang::{Cursor, Env, Span, Word};
    use crate::sample::NoCensus;
    use crate::sys::socket::pair;

    fn target(text: &str) -> Target {
        let words: Vec<Word> = text
            .split(' ')
            .map(|w| Word::new(w, Span::default()))
            .collect();
        let env = Env::default();
        Target::parse(&mut Cursor::new(&words, &env)).expect("legal")
    }

    fn line(text: &[u8], level: Level) -> Line<'_> {
        let author = Author {
            tag: b"t",
            hostname: None,
            pid: 1,
        };
        Line {
            author,
            date: Wall::default(),
            level,
            structured: b"",
            text,
        }
    }

    #[test]
    fn a_ring_gets_the_lines_of_its_levels() {
        let ring = Arc::new(Ring::new("r".into(), None, 1024));
        let mut rings = vec![Arc::clone(&ring)];
        let mut outlets = Outlets::default();
        let routes = [
            outlets
                .route(
                    &target("ring@r format short local0 notice err"),
                    false,
                    &mut rings,
                )
                .expect("there"),
            outlets
                .route(&target("ring@r format raw local0 emerg"), false, &mut rings)
                .expect("there"),
        ];
        assert!(
            outlets
                .route(&target("ring@none local0"), false, &mut rings)
                .is_err()
        );
        let mut sender = Sender::new(Arc::new(outlets));
        sender.log(&routes, &line(b"urgent", Level::Emerg), &NoCensus);
        sender.log(&routes, &line(b"idle", Level::Debug), &NoCensus);
        assert!(ring.read(0, 9).lines.is_empty());
        sender.flush();
        let lines: Vec<_> = ring.read(0, 9).lines.iter().map(|l| l.to_vec()).collect();
        assert_eq!(lines, [b"<3>urgent\n".to_vec(), b"urgent\n".to_vec()]);
    }

    #[test]
    fn a_log_backend_chooses_a_server_for_each_line() {
        let made = |name: &str| Arc::new(Ring::new(name.into(), None, 1024));
        let (one, two) = (made("one"), made("two"));
        let mut outlets = Outlets::default();
        let members = [&one, &two].map(|ring| Member::Ring(Arc::clone(ring)));
        outlets
            .add_backend(&"logs".into(), BackendId::new(3), members.into())
            .expect("rings are reached");
        let target = target("backend@logs format raw local0");
        let mut rings = Vec::new();
        let routes = [outlets.route(&target, false, &mut rings).expect("there")];
        let outlets = Arc::new(outlets);
        let mut sender = Sender::new(Arc::clone(&outlets));
        for text in ["a0", "b1", "c0", "d7"] {
            sender.log(
                &routes,
                &line(text.as_bytes(), Level::Info),
                &crate::sample::rig::Site,
            );
        }
        sender.flush();
        let texts = |ring: &Ring| ring.read(0, 9).lines.concat();
        assert_eq!(texts(&one), b"a0\nc0\n");
        assert_eq!(texts(&two), b"b1\n");
        assert_eq!(outlets.dropped(), 1);
    }

    #[test]
    fn a_full_receiver_loses_lines_and_nothing_waits() {
        let (a, _b) = pair(Kind::Datagram).expect("a pair");
        let outlets = Outlets {
            list: vec![(Some(Place::Descriptor(1)), Outlet::Descriptor(Arc::new(a)))],
            dropped: AtomicU64::new(0),
        };
        socket::set_nonblocking(
            match &outlets.list[0].1 {
                Outlet::Descriptor(fd) => fd,
                Outlet::Ring(_) | Outlet::Datagram { .. } | Outlet::Backend { .. } => {
                    panic!("a descriptor")
                }
            },
            true,
        )
        .expect("non-blocking");
        let route = [Route {
            outlet: 0,
            header: target("stdout format raw local0").header(false),
            target: target("stdout format raw local0"),
        }];
        let mut sender = Sender::new(Arc::new(outlets));
        for _ in 0..10_000 {
            sender.log(&route, &line(&[b'x'; 500], Level::Info), &NoCensus);
        }
        sender.flush();
        let dropped = sender.outlets.dropped();
        assert!(dropped > 0 && dropped < 10_000, "{dropped}");
    }

    #[test]
    fn pieces_are_whole_lines() {
        let (a, b) = pair(Kind::Datagram).expect("a pair");
        let mut batch = Batch::default();
        for _ in 0..3 {
            batch.bytes.extend_from_slice(&[b'x'; 2000]);
            batch.ends.push(batch.bytes.len());
        }
        assert_eq!(batch.write_to(&a), 0);
        let mut buf = [0; 8192];
        let sizes: Vec<usize> = (0..2)
            .map(|_| datagram::recv_from(&b, &mut buf).expect("a piece").0)
            .collect();
        assert_eq!(sizes, [4000, 2000]);
    }
}
