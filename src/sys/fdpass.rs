//! Descriptors across unix sockets (SCM_RIGHTS).
//!
//! A message carries bytes and up to [`FDS_MAX`] descriptors. Received descriptors are close-on-exec and owned by
//! who receives them; those the kernel could not deliver are reported, never silently missing.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// How many descriptors one message can carry; the kernel's own limit is 253.
pub const FDS_MAX: usize = 252;

const SPACE: usize = rustix::cmsg_space!(ScmRights(FDS_MAX + 1));

/// What arrived in one message.
#[derive(Debug)]
pub struct Received {
    /// How many payload bytes were read; 0 is the end of the stream.
    pub bytes: usize,
    /// The descriptors that came along.
    pub fds: Vec<OwnedFd>,
    /// Whether the kernel dropped some descriptors, usually for lack of free descriptor numbers.
    pub truncated: bool,
}

/// Sends `payload` (which must not be empty) with `fds` attached to its first byte; answers the payload bytes sent.
pub fn send(sock: impl AsFd, payload: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    if payload.is_empty() || fds.len() > FDS_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let sock = sock.as_fd();
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    let iov = [IoSlice::new(payload)];
    Ok(retry_on_intr(|| {
        sendmsg(sock, &iov, &mut control, SendFlags::NOSIGNAL)
    })?)
}

/// Receives one message into `payload`.
pub fn recv(sock: impl AsFd, payload: &mut [u8]) -> io::Result<Received> {
    let sock = sock.as_fd();
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [IoSliceMut::new(payload)];
    let message = retry_on_intr(|| recvmsg(sock, &mut iov, &mut control, RecvFlags::CMSG_CLOEXEC))?;
    let mut fds = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            fds.extend(rights);
        }
    }
    Ok(Received {
        bytes: message.bytes,
        fds,
        truncated: message.flags.contains(ReturnFlags::CTRUNC),
    })
}

#[cfg(test)]
mod tests {
    use super::super::io as bytes;
    use super::super::socket::{Kind, pair};
    use super::*;

    #[test]
    fn a_full_message_of_descriptors_arrives_whole_and_works() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        let (inner, outer) = pair(Kind::Stream).expect("a pair");
        let fds = vec![inner.as_fd(); FDS_MAX];
        assert_eq!(send(&a, b"payload", &fds).ok(), Some(7));
        let mut payload = [0; 32];
        let got = recv(&b, &mut payload).expect("a message waits");
        assert_eq!(
            (got.bytes, got.fds.len(), got.truncated),
            (7, FDS_MAX, false)
        );
        bytes::send(&got.fds[FDS_MAX - 1], b"x", false).expect("a working socket");
        let mut buf = Vec::with_capacity(4);
        assert_eq!(bytes::recv(&outer, &mut buf).ok(), Some(1));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_and_an_end_is_seen() {
        let (a, b) = pair(Kind::Stream).expect("a pair");
        assert!(send(&a, b"", &[]).is_err());
        let many = vec![a.as_fd(); FDS_MAX + 1];
        assert!(send(&a, b"x", &many).is_err());
        drop(a);
        let end = recv(&b, &mut [0; 8]).expect("an end of stream");
        assert_eq!((end.bytes, end.fds.len()), (0, 0));
    }
}
