//! Bytes in and out of descriptors.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendFlags};

/// Receives from a connected socket into the spare capacity of `buf`, never beyond it and never growing it. `Ok(0)` is the
/// end of the stream: the caller sees to it that there is room.
///
/// `read(2)` would do the same, but looks first at what files have and sockets need not: where there are thousands of
/// connections, none of that is in the processor's caches.
pub fn recv(fd: impl AsFd, buf: &mut Vec<u8>) -> io::Result<usize> {
    debug_assert!(buf.len() < buf.capacity(), "a read needs room");
    receive(fd, buf, RecvFlags::empty())
}

/// Reads into initialised bytes.
pub fn read_slice(fd: impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::io::read(fd, &mut *buf))?)
}

/// Looks at what a socket has received without taking it, into the spare capacity of `buf`.
pub fn peek(fd: impl AsFd, buf: &mut Vec<u8>) -> io::Result<usize> {
    receive(fd, buf, RecvFlags::PEEK | RecvFlags::DONTWAIT)
}

fn receive(fd: impl AsFd, buf: &mut Vec<u8>, flags: RecvFlags) -> io::Result<usize> {
    let fd = fd.as_fd();
    let (received, _whole) =
        retry_on_intr(|| rustix::net::recv(fd, rustix::buffer::spare_capacity(buf), flags))?;
    Ok(received)
}

/// Writes to any descriptor.
pub fn write(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::io::write(fd, bytes))?)
}

/// Writes several slices in one call.
pub fn write_vectored(fd: impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::io::writev(fd, bufs))?)
}

/// Sends on a connected socket without ever raising SIGPIPE. `more` says that further bytes follow at once, so the
/// kernel may wait for them before it fills a packet.
pub fn send(fd: impl AsFd, bytes: &[u8], more: bool) -> io::Result<usize> {
    let mut flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    flags.set(SendFlags::MORE, more);
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::net::send(fd, bytes, flags))?)
}

/// Writes everything to a descriptor that may block: for standard output and error, pid files and the like.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    let fd = fd.as_fd();
    while !bytes.is_empty() {
        let n = write(fd, bytes)?;
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[n..];
    }
    Ok(())
}

/// A file without a name, in memory. Before Linux 3.17 it has one for a moment.
pub fn nameless_file() -> io::Result<OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    match rustix::fs::memfd_create(c"sluice", flags) {
        Err(rustix::io::Errno::NOSYS) => unlinked_file(),
        made => Ok(made?),
    }
}

/// Where a file that is gone at once may be made, memory first.
const SHORT_LIVED: [&str; 3] = ["/dev/shm", "/run", "/tmp"];

/// A file that nobody else ever had open: it is made under a name that was free, and the name is taken away.
fn unlinked_file() -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let mut failure = io::Error::from(rustix::io::Errno::NOSYS);
    for directory in SHORT_LIVED {
        let path = format!("{directory}/.sluice-{}", std::process::id());
        match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => {
                rustix::fs::unlink(&path)?;
                return Ok(file);
            }
            Err(error) => failure = error.into(),
        }
    }
    Err(failure)
}

/// Reads from this place of a file on, which moves nothing.
pub fn read_at(fd: impl AsFd, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::pread(&fd, &mut *buf, offset))?)
}

#[cfg(test)]
mod tests {
    use super::super::socket::{Kind, pair};
    use super::*;

    #[test]
    fn nameless_files_are_read_and_written() {
        for made in [nameless_file(), unlinked_file()] {
            let file = made.expect("room for a file");
            assert!(write_all(&file, b"abc").is_ok());
            let mut seen = [0; 4];
            assert_eq!(read_at(&file, &mut seen, 1).ok(), Some(2));
            assert_eq!(&seen[..2], b"bc");
            let links = rustix::fs::fstat(&file).map(|stat| stat.st_nlink);
            assert_eq!(links.ok(), Some(0), "nobody finds it");
        }
    }

    #[test]
    fn receiving_fills_spare_room_only_and_keeps_what_was_there() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        assert_eq!(send(&a, b"hello", false).ok(), Some(5));
        let mut buf = Vec::with_capacity(6);
        buf.extend_from_slice(b"ab");
        let room = buf.capacity() - buf.len();
        let mut seen = Vec::with_capacity(16);
        assert_eq!(peek(&b, &mut seen).ok(), Some(5));
        assert_eq!(recv(&b, &mut buf).ok(), Some(room.min(5)));
        assert_eq!(&buf[..4], b"abhe");
    }

    #[test]
    fn slices_leave_together_and_a_closed_peer_is_an_error_not_a_signal() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        let parts = [IoSlice::new(b"one"), IoSlice::new(b" two")];
        assert_eq!(write_vectored(&a, &parts).ok(), Some(7));
        let mut into = [0; 8];
        assert_eq!(read_slice(&b, &mut into).ok(), Some(7));
        assert_eq!(&into[..7], b"one two");
        drop(b);
        let gone = send(&a, b"x", true).expect_err("the peer is gone");
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }
}
