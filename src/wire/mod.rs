//! Carriers of bytes.
//!
//! A [`Wire`] is what a connection reads from and writes to: a socket, or the memory of a test. It knows no
//! protocol, keeps no buffer and never blocks; `WouldBlock` is an answer, not an error. Which of its ends is the client's does not matter
//! here.

mod memory;
mod pipe;
mod socket;
mod socks;
mod spare;
mod tls;

pub use memory::{Memory, Script};
pub use pipe::{Pipe, Pipes};
pub use socket::Socket;
pub use socks::Socks;
pub use tls::Tls;

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;

use crate::site::KeepAlive;

/// One end of a byte stream.
#[derive(Debug)]
pub enum Wire {
    /// TCP or a unix stream socket.
    Socket(Socket),
    /// A scripted end without a descriptor.
    Memory(Memory),
    /// Through a SOCKS4 proxy.
    Socks(Box<Socks>),
    /// TLS over one of the others.
    Tls(Box<Tls>),
}

impl Wire {
    /// Reads into the spare capacity of `into`; zero is the end of the stream.
    #[inline]
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.read(into),
            Self::Memory(memory) => memory.read(into),
            Self::Socks(socks) => socks.read(into),
            Self::Tls(tls) => tls.read(into),
        }
    }

    /// Writes what fits of `slices`, in order.
    #[inline]
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.write(slices),
            Self::Memory(memory) => memory.write(slices),
            Self::Socks(socks) => socks.write(slices),
            Self::Tls(tls) => tls.write(slices),
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
            Self::Socks(socks) => socks.carrier_mut().shutdown(),
            Self::Tls(tls) => tls.shutdown(),
        }
    }

    /// Takes the outcome of a connection attempt once the wire is writable.
    pub fn connected(&mut self) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.connected(),
            Self::Memory(memory) => memory.connected(),
            Self::Socks(socks) => socks.carrier_mut().connected(),
            Self::Tls(tls) => tls.carrier_mut().connected(),
        }
    }

    /// Makes the close to come a reset, so that the peer knows and no state lingers.
    pub fn reset_on_close(&mut self) {
        match self {
            Self::Socket(socket) => socket.reset_on_close(),
            Self::Memory(memory) => memory.reset(),
            Self::Socks(socks) => socks.carrier_mut().reset_on_close(),
            Self::Tls(tls) => tls.carrier_mut().reset_on_close(),
        }
    }

    /// Makes the close to come silent: the peer is told nothing, so that its connection stays open to it. With
    /// `hops`, devices on the way that are so near are told.
    pub fn vanish_on_close(&mut self, hops: Option<u8>) {
        match self {
            Self::Socket(socket) => socket.vanish_on_close(hops),
            Self::Memory(memory) => memory.reset(),
            Self::Socks(socks) => socks.carrier_mut().vanish_on_close(hops),
            Self::Tls(tls) => tls.carrier_mut().vanish_on_close(hops),
        }
    }

    /// The mark of packets to come, for routing and packet filters.
    pub fn set_mark(&self, mark: u32) {
        if let Wire::Socket(socket) = self.carrier() {
            socket.set_mark(mark);
        }
    }

    /// The type of service of packets to come.
    pub fn set_tos(&self, tos: u8) {
        if let Wire::Socket(socket) = self.carrier() {
            socket.set_tos(tos);
        }
    }

    /// Has the kernel probe the connection while it is idle.
    pub fn keep_alive(&self, probes: &KeepAlive) {
        if let Wire::Socket(socket) = self.carrier() {
            socket.keep_alive(probes);
        }
    }

    /// Has the kernel acknowledge the first bytes together with the answer.
    pub fn acknowledge_late(&self) {
        if let Wire::Socket(socket) = self.carrier() {
            socket.acknowledge_late();
        }
    }

    /// The descriptor to poll, where there is one.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(socket) => Some(socket.fd()),
            Self::Memory(_) => None,
            Self::Socks(socks) => socks.carrier().fd(),
            Self::Tls(tls) => tls.carrier().fd(),
        }
    }

    /// What carries the bytes of the peer: itself, or what is below TLS.
    pub fn carrier(&self) -> &Wire {
        match self {
            Self::Socket(_) | Self::Memory(_) => self,
            Self::Socks(socks) => socks.carrier(),
            Self::Tls(tls) => tls.carrier().carrier(),
        }
    }

    /// The TLS on it, to look at.
    pub fn tls_ref(&self) -> Option<&Tls> {
        match self {
            Self::Socket(_) | Self::Memory(_) | Self::Socks(_) => None,
            Self::Tls(tls) => Some(tls),
        }
    }

    /// The TLS on it.
    pub fn tls(&mut self) -> Option<&mut Tls> {
        match self {
            Self::Socket(_) | Self::Memory(_) | Self::Socks(_) => None,
            Self::Tls(tls) => Some(tls),
        }
    }

    /// Whether the kernel can move its bytes without showing them.
    #[inline]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Whether a read may find something though the last one was short.
    #[inline]
    pub fn has_more(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Memory(_) | Self::Socks(_) => false,
            Self::Tls(tls) => tls.has_more(),
        }
    }
}
