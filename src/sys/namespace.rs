//! Network namespaces that have a name: entered to make a socket, and left.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Where `ip netns add` puts them.
const DIRECTORY: &str = "/run/netns";
/// The calling thread's own.
const HOME: &str = "/proc/thread-self/ns/net";

/// A namespace with the way back, both held open: a process that gave up its root directory goes on to enter it.
#[derive(Debug)]
pub struct Namespace {
    name: Box<str>,
    there: File,
    home: File,
}

impl Namespace {
    /// The namespace of this name.
    pub fn open(name: &str) -> io::Result<Self> {
        Ok(Self {
            name: name.into(),
            there: File::open(Path::new(DIRECTORY).join(name))?,
            home: File::open(HOME)?,
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `open` there, on the calling thread, and comes back. What cannot come back makes no more sockets.
    pub fn within<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        enter(&self.there)?;
        let result = open();
        enter(&self.home)?;
        result
    }
}

fn enter(namespace: impl AsFd) -> io::Result<()> {
    Ok(rustix::thread::move_into_link_name_space(
        namespace.as_fd(),
        Some(rustix::thread::LinkNameSpaceType::Network),
    )?)
}
