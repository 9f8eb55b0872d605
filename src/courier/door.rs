//! A listening socket of the courier, and the wires of those who come.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::id::ListenerId;
use crate::site::Listener;
use crate::sys;
use crate::time::{Millis, Tick};
use crate::tls::Session;
use crate::wire::{Socket, Tls, Wire};

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 32;
/// How long a door rests when this host lacks what a caller needs.
const REST: Millis = Millis::new(100);

/// A listening socket.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) id: ListenerId,
    pub(super) fd: OwnedFd,
    /// Whether somebody may stand before it.
    pub(super) ready: bool,
    /// Until when nobody is let in, since the last try failed for a reason of ours.
    pub(super) rests_until: Tick,
}

impl Door {
    /// A door before which somebody may stand already.
    pub(super) fn new(id: ListenerId, fd: OwnedFd) -> Self {
        Self {
            id,
            fd,
            ready: true,
            rests_until: Tick::default(),
        }
    }

    /// Lets in who stands before it.
    pub(super) fn accept(&mut self, now: Tick) -> Vec<OwnedFd> {
        let mut came = Vec::new();
        while self.is_willing(now) && came.len() < ACCEPTS_MAX {
            match sys::socket::accept(&self.fd) {
                Ok((fd, _peer)) => came.push(fd),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.ready = false,
                Err(error) if has_left(&error) => break,
                Err(_) => self.rests_until = now + REST,
            }
        }
        came
    }

    /// Whether it lets in at this moment.
    pub(super) fn is_willing(&self, now: Tick) -> bool {
        self.ready && self.rests_until.has_come(now)
    }

    /// When it lets in again those who may stand before it.
    pub(super) fn deadline(&self) -> Tick {
        match self.ready {
            true => self.rests_until,
            false => Tick::NEVER,
        }
    }
}

/// Whether an error concerns one caller alone, who has left already.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}

/// The wire of somebody who came in.
pub(super) fn wire(fd: OwnedFd, listener: &Listener) -> Wire {
    // Small messages go at once; a socket that refuses the option is slower, nothing else.
    let _ = sys::options::set_nodelay(&fd, true);
    let wire = Wire::Socket(Socket::new(fd));
    match &listener.tls {
        Some(acceptor) => {
            let session = Session::accept(Arc::clone(acceptor));
            Wire::Tls(Box::new(Tls::new(wire, session)))
        }
        None => wire,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_door_that_fails_rests() {
        // Nobody can be accepted from what does not listen.
        let (fd, _other) = UnixStream::pair().expect("two descriptors");
        let mut door = Door::new(ListenerId::at(0), fd.into());
        let now = Tick::from_millis(5);
        assert!(door.is_willing(now));
        assert!(door.accept(now).is_empty());
        assert!(
            !door.is_willing(now),
            "else the thread would ask without end"
        );
        assert_eq!(door.deadline(), now + REST);
        assert!(door.is_willing(now + REST), "it is tried again");
    }
}
