//! Moving bytes between two sockets inside the kernel, through a pipe.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, SpliceFlags};

/// A non-blocking pipe: the end to read from, the end to write to.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(
        PipeFlags::NONBLOCK | PipeFlags::CLOEXEC,
    )?)
}

/// Asks for a pipe that holds `bytes`; answers what the kernel granted.
pub fn set_capacity(pipe: impl AsFd, bytes: usize) -> io::Result<usize> {
    Ok(rustix::pipe::fcntl_setpipe_size(pipe, bytes)?)
}

/// Moves up to `len` bytes from a socket into a pipe or back. `Ok(0)` is the end of the source.
pub fn splice(from: impl AsFd, to: impl AsFd, len: usize, more: bool) -> io::Result<usize> {
    let mut flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    flags.set(SpliceFlags::MORE, more);
    let (from, to) = (from.as_fd(), to.as_fd());
    Ok(retry_on_intr(|| {
        rustix::pipe::splice(from, None, to, None, len, flags)
    })?)
}

#[cfg(test)]
mod tests {
    use super::super::io::{recv, send};
    use super::super::socket::{Kind, pair};
    use super::*;

    #[test]
    fn bytes_cross_from_socket_to_socket_through_a_pipe() {
        let (client, front) = pair(Kind::Stream).expect("a pair");
        let (back, server) = pair(Kind::Stream).expect("a pair");
        let (out, into) = pipe().expect("a pipe");
        send(&client, b"through", false).expect("room in the socket");
        assert_eq!(splice(&front, &into, 65536, false).ok(), Some(7));
        let dry = splice(&front, &into, 65536, false).expect_err("nothing more came");
        assert_eq!(dry.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(splice(&out, &back, 7, true).ok(), Some(7));
        let mut buf = Vec::with_capacity(16);
        assert_eq!(recv(&server, &mut buf).ok(), Some(7));
        assert_eq!(buf, b"through");
        drop(client);
        assert_eq!(splice(&front, &into, 65536, false).ok(), Some(0));
    }
}
