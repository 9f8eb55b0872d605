//! How the kernel carries connections, of `bind` and `server` lines alike.
//!
//! What is said here holds for a socket from its making on: for one that listens, and so for the connections that it accepts, and for
//! one that connects.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::sys::namespace::Namespace;
use crate::sys::options;

/// What a line asks of the kernel for its sockets; without a word of it they are as sockets are.
#[derive(Clone, Debug, Default)]
pub struct Carriage {
    /// `cc`: how congestion is avoided, by the kernel's name of it.
    pub congestion: Option<Box<str>>,
    /// `tcp-md5sig`: the password that signs packets.
    pub md5_key: Option<Box<[u8]>>,
    /// `namespace`: the network namespace that the socket is of.
    pub namespace: Option<Arc<Namespace>>,
}

impl Carriage {
    /// The name of the network namespace, empty for the process's own.
    #[must_use]
    pub fn namespace_name(&self) -> &str {
        self.namespace.as_ref().map_or("", |there| there.name())
    }

    /// Makes a socket where it belongs.
    ///
    /// # Errors
    /// Those of `open`, and a namespace that may not be entered.
    pub fn place<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.namespace {
            None => open(),
            Some(namespace) => namespace.within(open),
        }
    }

    /// Sets what is set on a TCP socket.
    ///
    /// # Errors
    /// The kernel has no such way to avoid congestion, or no signatures.
    pub fn set(&self, fd: impl AsFd) -> io::Result<()> {
        let fd = fd.as_fd();
        if let Some(algorithm) = &self.congestion {
            options::set_congestion(fd, algorithm)?;
        }
        match &self.md5_key {
            Some(key) => options::set_md5_key(fd, key),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::socket::{self, Family, Kind};

    #[test]
    fn a_socket_that_connects_avoids_congestion_as_its_line_says() {
        let fd = socket::socket(Family::V4, Kind::Stream).expect("a socket");
        let mut asked = Carriage {
            congestion: Some("reno".into()),
            ..Carriage::default()
        };
        asked.set(&fd).expect("every kernel has it");
        assert_eq!(options::congestion(&fd).expect("a name"), "reno");
        asked.congestion = Some("no-such".into());
        assert!(asked.set(&fd).is_err());
    }
}
