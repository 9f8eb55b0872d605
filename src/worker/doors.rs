//! The engine's doors, opened to sockets and the poll.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Interest, Registry};

use super::token::Source;
use super::{Inners, Mail, Office};
use crate::addr::SockAddr;
use crate::id::{BackendId, ListenerId, ServerId, WorkerId};
use crate::log::{Line, Route, Sender};
use crate::mux::Inner;
use crate::sample::Census;
use crate::site::{Site, Visit};
use crate::slab::Key;
use crate::stream::{Doors, Held, Letter, Way};
use crate::sys::{self, socket::Family, socket::Kind};
use crate::wire::{Socket, Wire};

/// Doors of one worker.
#[derive(Debug)]
pub(super) struct SocketDoors {
    pub(super) registry: Registry,
    pub(super) office: Arc<Office>,
    pub(super) worker: WorkerId,
    pub(super) inners: Arc<dyn Inners>,
    pub(super) sender: Option<Sender>,
}

impl Doors for SocketDoors {
    fn dial(&mut self, server: ServerId, way: &Way, site: &Site) -> io::Result<Wire> {
        let raw = way.to.to_raw()?;
        let family = Family::of(&raw).ok_or(io::ErrorKind::Unsupported)?;
        let configured = site.server(server);
        let carriage = configured.carriage.as_deref();
        let carriage = carriage.filter(|_| family != Family::Unix);
        let open = || sys::socket::socket(family, Kind::Stream);
        let fd = carriage.map_or_else(open, |carriage| carriage.place(open))?;
        let tune = &site.global.tune;
        if let Some(bytes) = tune.server_rcvbuf {
            sys::options::set_recv_buffer(&fd, bytes)?;
        }
        if let Some(bytes) = tune.server_sndbuf {
            sys::options::set_send_buffer(&fd, bytes)?;
        }
        if family != Family::Unix {
            if let Some(bytes) = tune.server_unsent {
                sys::options::set_unsent_mark(&fd, bytes)?;
            }
            if let Some(carriage) = carriage {
                carriage.set(&fd)?;
            }
            if let Some(timeout) = configured.tcp_user_timeout {
                sys::options::set_user_timeout(&fd, timeout.get())?;
            }
            if let Some(mark) = way.mark {
                sys::options::set_mark(&fd, mark)?;
            }
            if let Some(tos) = way.tos {
                sys::options::set_tos(&fd, family, tos)?;
            }
            leave_from(&fd, family, way, &configured.source)?;
            if configured.fast_open {
                sys::options::set_fastopen_connect(&fd)?;
            }
        }
        let wire = |fd| match family {
            Family::Unix => Socket::new(fd),
            Family::V4 | Family::V6 => Socket::dialed(fd),
        };
        let backend = site.backend(configured.backend);
        if !(way.late_ack || backend.options.tcp_keep_alive.on) {
            sys::socket::connect(&fd, &raw)?;
            return Ok(Wire::Socket(wire(fd)));
        }
        let wire = Wire::Socket(wire(fd));
        wire.keep_alive(&backend.options.tcp_keep_alive);
        if way.late_ack {
            wire.acknowledge_late();
        }
        if let Some(fd) = wire.fd() {
            sys::socket::connect(fd, &raw)?;
        }
        Ok(wire)
    }

    fn enrol(&mut self, wire: &Wire, key: Key<Held>) -> io::Result<()> {
        let Some(fd) = wire.fd() else { return Ok(()) };
        let token = Source::Conn(key).token();
        self.registry.register(
            &mut SourceFd(&fd.as_raw_fd()),
            token,
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    fn dismiss(&mut self, wire: &Wire) {
        if let Some(fd) = wire.fd() {
            // What was not on the poll need not be taken off it.
            let _ = self.registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
        }
    }

    fn post(&mut self, to: WorkerId, letter: Letter) {
        self.office.post(to, Mail::Letter(letter));
    }

    fn left(&mut self, listener: ListenerId) {
        self.office.unassign(self.worker);
        self.office.dismiss(listener);
    }

    fn operator(&mut self, listener: ListenerId) -> Box<dyn Inner> {
        self.inners.operator(&self.office, listener)
    }

    fn page(&mut self, visit: Visit) -> Box<dyn Inner> {
        self.inners.page(&self.office, visit)
    }

    fn surrender(&mut self, wire: Wire) {
        if let Wire::Socket(socket) = wire {
            self.inners.surrender(socket.into_fd());
        }
    }

    fn notice(&mut self, _backend: BackendId, text: &str) {
        self.log(format!("[WARNING]  ({}) : {text}\n", sys::process::pid()).as_bytes());
    }

    fn clients(&self) -> usize {
        self.office.clients()
    }

    fn service(&mut self, name: &str) -> Option<Box<dyn Inner>> {
        self.inners.service(&self.office, name)
    }

    fn write(&mut self, routes: &[Route], line: &Line<'_>, census: &dyn Census) {
        if let Some(sender) = &mut self.sender {
            sender.log(routes, line, census);
        }
    }

    fn flush(&mut self) {
        if let Some(sender) = &mut self.sender {
            sender.flush();
        }
    }

    fn log(&mut self, line: &[u8]) {
        // Standard error that is closed or full loses the line, nothing else.
        let _ = sys::io::write(io::stderr(), line);
    }
}

/// Has a connection come from where `source` says.
fn leave_from(
    fd: &OwnedFd,
    family: Family,
    way: &Way,
    source: &crate::site::Source,
) -> io::Result<()> {
    if let Some(interface) = &source.interface {
        sys::options::bind_to_device(fd, interface)?;
    }
    let own = match (source.ip, way.local_port, family) {
        (Some(ip), ..) => Some(ip),
        (None, None, _) | (None, _, Family::Unix) => None,
        (None, Some(_), Family::V4) => Some(Ipv4Addr::UNSPECIFIED.into()),
        (None, Some(_), Family::V6) => Some(Ipv6Addr::UNSPECIFIED.into()),
    };
    let own = own.map(|ip| SocketAddr::new(ip, way.local_port.unwrap_or(0)));
    let Some(from) = way.seems.or(own) else {
        return Ok(());
    };
    if way.seems.is_some() {
        sys::options::set_transparent(fd, family)?;
    }
    if from.port() == 0 {
        sys::options::set_bind_address_no_port(fd)?;
    } else {
        sys::options::set_reuseaddr(fd, true)?;
    }
    sys::socket::bind(fd, &SockAddr::from(from).to_raw()?)
}
