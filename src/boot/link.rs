//! The line between a master and one of its workers: short text lines, and listening sockets in HAProxy's exchange.
//!
//! A worker asks for the sockets that the master holds (`_getsocks`), says `ready` when it serves, and then answers the same
//! request from the master, which keeps copies: a worker that dies takes no waiting connection with it. An end of the
//! line means that the other process is gone. Lines that are not known are passed over, so that a worker may be newer than its
//! master.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::sys::{io as bytes, socket};

use super::handover::{self, Given, Taken};

/// The environment variable that tells an executed worker the number of its end.
pub const VARIABLE: &str = "SLUICE_LINK";

/// Longest line that is understood.
const LINE_MAX: usize = 64;

/// One end of the line.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    partial: Vec<u8>,
    over: bool,
}

/// What the other end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It serves.
    Ready,
    /// It wants our listening sockets.
    WantsSockets,
    /// It is gone.
    Gone,
    /// Something we do not know.
    Unknown,
}

impl Link {
    /// Both ends: the master's, the worker's.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (master, worker) = socket::pair(socket::Kind::Stream)?;
        Ok((Self::of(master), Self::of(worker)))
    }

    fn of(socket: OwnedFd) -> Self {
        Self {
            socket,
            partial: Vec::with_capacity(LINE_MAX),
            over: false,
        }
    }

    /// The end that the environment names, for a worker that was executed.
    pub fn inherited(number: &str) -> Option<Self> {
        let number = number.parse().ok()?;
        let socket = socket::adopt(number).ok()?;
        socket::close_number(number);
        Some(Self::of(socket))
    }

    /// Lets an executed program have this end, under the number that is answered.
    pub fn leave_open(&self) -> io::Result<i32> {
        socket::set_inherited(&self.socket, true)?;
        Ok(self.socket.as_raw_fd())
    }

    /// Says that we serve.
    pub fn say_ready(&self) {
        let _ = socket::set_nonblocking(&self.socket, false);
        let _ = bytes::send(&self.socket, b"ready\n", false);
    }

    /// Takes the other end's listening sockets.
    pub fn take_sockets(&self) -> io::Result<Vec<Taken>> {
        handover::take_from(&self.socket)
    }

    /// Answers the other end's wish for ours.
    pub fn give_sockets(&self, sockets: &[Given<'_>]) -> io::Result<()> {
        handover::give(&self.socket, sockets)
    }

    /// What the other end has said, if anything; never waits.
    pub fn heard(&mut self) -> Option<Said> {
        let said = self.listen();
        self.over |= said == Some(Said::Gone);
        said
    }

    /// Whether the other end was found gone.
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn listen(&mut self) -> Option<Said> {
        if socket::set_nonblocking(&self.socket, true).is_err() {
            return Some(Said::Gone);
        }
        loop {
            let mut byte = [0];
            match bytes::read_slice(&self.socket, &mut byte) {
                Ok(0) => return Some(Said::Gone),
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) if self.partial.len() < LINE_MAX => self.partial.push(byte[0]),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => return Some(Said::Gone),
            }
        }
        let line = std::mem::take(&mut self.partial);
        Some(match line.as_slice() {
            b"ready" => Said::Ready,
            b"_getsocks" => Said::WantsSockets,
            _ => Said::Unknown,
        })
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard_one_by_one_and_the_end_is_noticed() {
        let (mut master, worker) = Link::pair().expect("a pair");
        assert_eq!(master.heard(), None);
        worker.say_ready();
        bytes::write_all(&worker, b"from a newer worker\n_getso").expect("room");
        assert_eq!(master.heard(), Some(Said::Ready));
        assert_eq!(master.heard(), Some(Said::Unknown));
        assert_eq!(master.heard(), None);
        bytes::write_all(&worker, b"cks\n").expect("room");
        assert_eq!(master.heard(), Some(Said::WantsSockets));
        drop(worker);
        assert_eq!(master.heard(), Some(Said::Gone));
    }

    #[test]
    fn sockets_cross_in_both_directions() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let (mut master, worker) = Link::pair().expect("a pair");
        let taken = std::thread::scope(|scope| {
            let taken = scope.spawn(|| worker.take_sockets());
            let said = loop {
                if let Some(said) = master.heard() {
                    break said;
                }
            };
            assert_eq!(said, Said::WantsSockets);
            let given = Given {
                socket: listener.as_fd(),
                interface: "",
                namespace: "",
            };
            master.give_sockets(&[given]).expect("the worker listens");
            taken.join().expect("no panic").expect("the sockets come")
        });
        assert_eq!(taken.len(), 1);
    }
}
