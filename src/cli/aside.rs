//! A session on a connection that a thread of its own serves: an operator whom the master sent.
//!
//! It waits where an [`Endpoint`](super::Endpoint) goes back to the engine, and ends with its connection or with the process;
//! like every session it keeps no process from leaving.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Desk;
use super::face::Face;
use super::session::{Modes, Progress, Session};
use crate::site::{Level, SeverityOutput};
use crate::sys::{io as bytes, socket};
use crate::worker::Office;

/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// How long to wait for others' answers before asking again.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 5_000_000,
};

impl Desk {
    /// Serves whoever is at the other end of `connection` until one side ends; waits.
    ///
    /// # Errors
    /// The connection broke, or was silent for longer than the session allows.
    pub fn converse(
        &self,
        office: &Arc<Office>,
        (level, modes): (Level, Modes),
        connection: &OwnedFd,
    ) -> io::Result<()> {
        socket::set_nonblocking(connection, false)?;
        let mut session = Session::new(level, SeverityOutput::None).in_modes(modes);
        let mut piece = [0; PIECE];
        loop {
            let mut out = Vec::new();
            let progress = session.step(&mut Face::new(self, office, self.now()), &mut out);
            bytes::write_all(connection, &out)?;
            match progress {
                Progress::More => {}
                Progress::Close | Progress::Surrender => return Ok(()),
                Progress::Wait => drop(poll(&mut [], Some(&PAUSE))),
                Progress::Idle => {
                    let patience = session.timeout().get();
                    let span = Timespec {
                        tv_sec: i64::from(patience / 1000),
                        tv_nsec: i64::from(patience % 1000) * 1_000_000,
                    };
                    let watched = PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN);
                    if poll(&mut [watched], Some(&span))? == 0 {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    match bytes::read_slice(connection, &mut piece)? {
                        0 => session.end(),
                        len => session.feed(&piece[..len]),
                    }
                }
            }
        }
    }
}
