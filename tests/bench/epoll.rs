//! The thinnest cover over the kernel's event queue.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

pub(crate) struct Epoll {
    queue: OwnedFd,
    events: Vec<epoll::Event>,
}

/// What happened to whom.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) key: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// Connections that may wait to be accepted: more than any scenario opens at once.
const BACKLOG: i32 = 4096;

/// A listener on this port of the loopback address, with room for a crowd.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&fd, true)?;
    rustix::net::bind(&fd, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    rustix::net::listen(&fd, BACKLOG)?;
    Ok(TcpListener::from(fd))
}

pub(crate) const READ: EventFlags = EventFlags::IN;
pub(crate) const WRITE: EventFlags = EventFlags::OUT;

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            queue: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(256),
        })
    }

    pub(crate) fn add(&self, what: impl AsFd, key: u64, interest: EventFlags) -> io::Result<()> {
        Ok(epoll::add(
            &self.queue,
            what,
            EventData::new_u64(key),
            interest,
        )?)
    }

    pub(crate) fn change(&self, what: impl AsFd, key: u64, interest: EventFlags) -> io::Result<()> {
        let data = EventData::new_u64(key);
        Ok(epoll::modify(&self.queue, what, data, interest)?)
    }

    pub(crate) fn wait(&mut self, timeout: Duration, ready: &mut Vec<Ready>) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        self.events.clear();
        ready.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.queue, spare, Some(&timeout)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.iter().map(|event| {
            let flags = event.flags;
            Ready {
                key: event.data.u64(),
                readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
                writable: flags.contains(EventFlags::OUT),
            }
        }));
        Ok(())
    }

    /// The queue itself, to be waited for with others.
    pub(crate) fn queue(&self) -> &OwnedFd {
        &self.queue
    }
}
