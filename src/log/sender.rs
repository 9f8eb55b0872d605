//! Sending: from a worker to its log targets, never waiting.
//!
//! Each worker owns a [`Sender`] over the [`Outlets`]: [`Sender::log`] writes a line into the outlet's batch,
//! [`Sender::flush`] at the end of a turn hands the batches to the kernel.
//!
//! Always true: no call waits; what a full or absent receiver does not take is dropped and counted
//! ([`Outlets::dropped`]); a batch never exceeds [`BATCH_BYTES_MAX`]. Lines to a descriptor go out in
//! pieces of whole lines that a pipe takes at once ([`PIPE_BYTES_MAX`](super::PIPE_BYTES_MAX)), so lines of different
//! workers never mix.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::sample::{Census, Wall};
use crate::sys::socket::{self, Family, Kind};

use super::batch::Batch;
use super::dates::Dates;
use super::line::{Author, Facility, Header, Line, write_line};
use super::outlet::{Outlet, Outlets, Route};
use super::received::Received;

/// How many bytes an outlet of a worker collects before it is flushed early.
pub const BATCH_BYTES_MAX: usize = 64 * 1024;

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

#[cfg(test)]
mod tests {
    use super::super::line::Level;

    use super::super::outlet::Member;
    use super::super::ring::Ring;
    use super::super::target::{Place, Target};
    use super::*;
    use crate::id::BackendId;
    use crate::lang::{Cursor, Env, Span, Word};
    use crate::sample::NoCensus;
    use crate::sys::datagram;
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
            ..Outlets::default()
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
