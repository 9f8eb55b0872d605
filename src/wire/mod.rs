//! Carriers of bytes.
//!
//! A [`Wire`] is what a connection reads from and writes to: a socket, or the memory of a test. It knows no
//! protocol, keeps no buffer and never blocks; `WouldBlock` is an answer, not an error. Which of its ends is the client's does not matter
//! here.

mod memory;
mod socket;

pub use memory::{Memory, Script};
pub use socket::Socket;

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

/// One end of a byte stream.
#[derive(Debug)]
pub enum Wire {
    /// TCP or a unix stream socket.
    Socket(Socket),
    /// A scripted end without a descriptor.
    Memory(Memory),
}

impl Wire {
    /// Reads into the spare capacity of `into`; zero is the end of the stream.
    #[inline]
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.read(into),
            Self::Memory(memory) => memory.read(into),
        }
    }

    /// Writes what fits of `slices`, in order.
    #[inline]
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.write(slices),
            Self::Memory(memory) => memory.write(slices),
        }
    }

    /// Tells the peer that no more bytes will come.
    pub fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.shutdown(),
            Self::Memory(memory) => {
                memory.shutdown();
                Ok(())
            }
        }
    }

    /// Takes the outcome of a connection attempt once the wire is writable.
    pub fn connected(&mut self) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.connected(),
            Self::Memory(memory) => memory.connected(),
        }
    }

    /// Makes the close to come a reset, so that the peer knows and no state lingers.
    pub fn reset_on_close(&mut self) {
        match self {
            Self::Socket(socket) => socket.reset_on_close(),
            Self::Memory(memory) => memory.reset(),
        }
    }

    /// The descriptor to poll, where there is one.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(socket) => Some(socket.fd()),
            Self::Memory(_) => None,
        }
    }
}
