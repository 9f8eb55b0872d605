//! The places lines go to, opened once by boot for all workers, and the routes of targets to them.
//!
//! Streams to syslog servers are not opened here: their lines go to a ring, and from there with the courier.

use std::io::IsTerminal as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::addr::{SockAddr, Written};
use crate::id::BackendId;
use crate::sample::Census;
use crate::sys::RawAddr;
use crate::sys::socket::{self, Family};

use super::dates::Dates;
use super::line::{Header, Line, write_line};
use super::ring::{self, Ring};
use super::target::{Place, Target};

/// The places lines go to, each open.
#[derive(Debug, Default)]
pub struct Outlets {
    pub(super) list: Vec<(Option<Place>, Outlet)>,
    pub(super) dropped: AtomicU64,
    pub(super) received: AtomicU64,
}

/// One place.
#[derive(Debug)]
pub(super) enum Outlet {
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
    pub(super) outlet: usize,
    pub(super) header: Header,
    pub(super) target: Target,
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

    /// A line was received that is to be passed on.
    pub fn note_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were since the start.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
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
            let ring = Ring::new(name, None, ring::SIZE_DEFAULT);
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
