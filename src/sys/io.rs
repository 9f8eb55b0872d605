//! Bytes in and out of descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::net::{RecvFlags, SendFlags};

/// Reads into the spare capacity of `buf`, never beyond it and never growing it. `Ok(0)` is the end of the
/// stream: the caller sees to it that there is room.
pub fn read(fd: impl AsFd, buf: &mut Vec<u8>) -> io::Result<usize> {
    debug_assert!(buf.len() < buf.capacity(), "a read needs room");
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| {
        rustix::io::read(fd, rustix::buffer::spare_capacity(buf))
    })?)
}

/// Reads into initialised bytes.
pub fn read_slice(fd: impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::io::read(fd, &mut *buf))?)
}

/// Reads into several slices, filling them in order.
pub fn read_vectored(fd: impl AsFd, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| rustix::io::readv(fd, bufs))?)
}

/// Looks at what a socket has received without taking it, into the spare capacity of `buf`.
pub fn peek(fd: impl AsFd, buf: &mut Vec<u8>) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| {
        rustix::net::recv(
            fd,
            rustix::buffer::spare_capacity(buf),
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        )
    })?
    .0)
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

/// A file without a name, in memory.
pub fn nameless_file() -> io::Result<OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    Ok(rustix::fs::memfd_create(c"sluice", flags)?)
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
    fn reading_fills_spare_room_only_and_keeps_what_was_there() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        assert_eq!(send(&a, b"hello", false).ok(), Some(5));
        let mut buf = Vec::with_capacity(6);
        buf.extend_from_slice(b"ab");
        let room = buf.capacity() - buf.len();
        let mut seen = Vec::with_capacity(16);
        assert_eq!(peek(&b, &mut seen).ok(), Some(5));
        assert_eq!(read(&b, &mut buf).ok(), Some(room.min(5)));
        assert_eq!(&buf[..4], b"abhe");
    }

    #[test]
    fn slices_leave_together_and_a_closed_peer_is_an_error_not_a_signal() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        let parts = [IoSlice::new(b"one"), IoSlice::new(b" two")];
        assert_eq!(write_vectored(&a, &parts).ok(), Some(7));
        let (mut x, mut y) = ([0; 3], [0; 4]);
        let mut into = [IoSliceMut::new(&mut x), IoSliceMut::new(&mut y)];
        assert_eq!(read_vectored(&b, &mut into).ok(), Some(7));
        assert_eq!((&x, &y), (b"one", b" two"));
        drop(b);
        let gone = send(&a, b"x", true).expect_err("the peer is gone");
        assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
    }
}
