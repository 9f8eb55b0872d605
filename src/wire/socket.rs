//! Stream sockets: TCP and unix.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys;

/// A connected, or connecting, non-blocking stream socket.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// The wire of a non-blocking stream socket.
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// The descriptor, for whoever goes on with it.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        sys::io::read(&self.fd, into)
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
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

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
