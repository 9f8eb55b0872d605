//! Stream sockets: TCP and unix.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::site::KeepAlive;
use crate::sys;

/// A connected, or connecting, non-blocking stream socket.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    pace: Pace,
}

/// Whether the kernel may hold small writes back (Nagle's algorithm). It does so only while earlier bytes are
/// unacknowledged, so that the option is worth its system call from the second write on: most connections of one request
/// never come that far.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// It does not.
    Prompt,
    /// It may, and nothing was written.
    Unwritten,
    /// It may, and something was.
    Written,
}

impl Socket {
    /// The wire of a non-blocking stream socket whose writes the kernel does not hold back.
    pub fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            pace: Pace::Prompt,
        }
    }

    /// The wire of a TCP socket as it was made.
    pub fn dialed(fd: OwnedFd) -> Self {
        Self {
            fd,
            pace: Pace::Unwritten,
        }
    }

    fn hasten(&mut self) {
        self.pace = match self.pace {
            Pace::Unwritten => Pace::Written,
            Pace::Written => {
                // Without it writes are late, not lost.
                let _ = sys::options::set_nodelay(&self.fd, true);
                Pace::Prompt
            }
            Pace::Prompt => return,
        };
    }

    /// The descriptor, for whoever goes on with it.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        sys::io::recv(&self.fd, into)
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.hasten();
        match slices {
            [one] => sys::io::send(&self.fd, one, false),
            many => sys::io::write_vectored(&self.fd, many),
        }
    }

    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        sys::socket::shutdown_write(&self.fd)
    }

    pub(super) fn connected(&mut self) -> io::Result<()> {
        sys::socket::take_error(&self.fd)
    }

    pub(super) fn reset_on_close(&mut self) {
        // A socket that refuses the option is closed in the ordinary way.
        let _ = sys::options::set_reset_on_close(&self.fd);
    }

    pub(super) fn vanish_on_close(&mut self, hops: Option<u8>) {
        if hops.is_none() && sys::options::set_repair(&self.fd).is_ok() {
            return;
        }
        // Without the right to close silently, the reset is sent so that it dies on its way.
        if let Ok(Some(family)) = sys::socket::family(&self.fd) {
            let _ = sys::options::set_hops(&self.fd, family, hops.unwrap_or(1));
        }
        self.reset_on_close();
    }

    pub(super) fn keep_alive(&self, probes: &KeepAlive) {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        if probes.on && sys::options::set_keepalive(&self.fd, true).is_ok() {
            let (idle, interval) = (probes.idle.map(seconds), probes.interval.map(seconds));
            // What the kernel does not take leaves its own pace; a unix socket has none.
            let _ = sys::options::set_keepalive_pace(&self.fd, idle, interval, probes.count);
        }
    }

    pub(super) fn acknowledge_late(&self) {
        // Where it is refused, a packet more is sent.
        let _ = sys::options::set_quickack(&self.fd, false);
    }

    pub(super) fn set_mark(&self, mark: u32) {
        // A mark needs a right that the process may not have; packets then go unmarked, as with HAProxy.
        let _ = sys::options::set_mark(&self.fd, mark);
    }

    pub(super) fn set_tos(&self, tos: u8) {
        if let Ok(Some(family)) = sys::socket::family(&self.fd) {
            // Only a unix socket refuses, and it has no packets.
            let _ = sys::options::set_tos(&self.fd, family, tos);
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
