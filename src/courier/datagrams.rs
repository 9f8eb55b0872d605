//! Sockets on which `log-forward` sections take lines as datagrams.

use std::io;
use std::os::fd::OwnedFd;

use super::lines::pass_on;
use crate::addr::SockAddr;
use crate::log::{RECEIVED_MAX, Sender};
use crate::site::Site;
use crate::sys::socket::{Family, Kind};
use crate::sys::{self, datagram};

/// Datagrams taken in one turn.
const DATAGRAMS_MAX: usize = 256;

/// Binds the datagram sockets of `log-forward` sections, each with its section's place; the sentences say what failed.
pub fn bind_datagrams(site: &Site) -> (Vec<(usize, OwnedFd)>, Vec<String>) {
    let (mut bound, mut faults) = (Vec::new(), Vec::new());
    for (at, forward) in site.forwards.iter().enumerate() {
        for address in &forward.datagrams {
            match bind_datagram(address, site.global.tune.datagram_rcvbuf) {
                Ok(fd) => bound.push((at, fd)),
                Err(error) => faults.push(format!(
                    "log-forward '{}': cannot bind {address}: {error}.",
                    forward.name
                )),
            }
        }
    }
    (bound, faults)
}

fn bind_datagram(address: &SockAddr, buffer: Option<usize>) -> io::Result<OwnedFd> {
    let raw = address.to_raw()?;
    let family = Family::of(&raw).ok_or(io::ErrorKind::Unsupported)?;
    let fd = sys::socket::socket(family, Kind::Datagram)?;
    if family != Family::Unix {
        // The process before and its successor share the address for a while.
        sys::options::set_reuseport(&fd, true)?;
    }
    if let Some(bytes) = buffer {
        sys::options::set_recv_buffer(&fd, bytes)?;
    }
    sys::socket::bind(&fd, &raw)?;
    Ok(fd)
}

/// One socket.
#[derive(Debug)]
pub(super) struct Datagrams {
    pub(super) forward: usize,
    pub(super) fd: OwnedFd,
    pub(super) ready: bool,
}

impl Datagrams {
    /// Takes what has come; true if there may be more.
    pub(super) fn turn(&mut self, sender: &mut Option<Sender>, site: &Site) -> bool {
        if !self.ready {
            return false;
        }
        let mut buffer = vec![0; RECEIVED_MAX];
        for _ in 0..DATAGRAMS_MAX {
            match datagram::recv_from(&self.fd, &mut buffer) {
                Ok((len, _)) => pass_on(self.forward, &buffer[..len], sender.as_mut(), site),
                Err(_) => {
                    self.ready = false;
                    break;
                }
            }
        }
        if let Some(sender) = sender {
            sender.flush();
        }
        self.ready
    }
}
