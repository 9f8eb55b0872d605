//! A listening socket of the courier, and the wires of those who come.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::id::ListenerId;
use crate::site::Listener;
use crate::sys;
use crate::tls::Session;
use crate::wire::{Socket, Tls, Wire};

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 32;

/// A listening socket.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) id: ListenerId,
    pub(super) fd: OwnedFd,
    /// Whether somebody may stand before it.
    pub(super) ready: bool,
}

impl Door {
    /// Lets in who stands before it.
    pub(super) fn accept(&mut self) -> Vec<OwnedFd> {
        let mut came = Vec::new();
        while self.ready && came.len() < ACCEPTS_MAX {
            match sys::socket::accept(&self.fd) {
                Ok((fd, _peer)) => came.push(fd),
                Err(error) => {
                    self.ready = error.kind() != io::ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        came
    }
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
