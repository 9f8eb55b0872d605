//! Single messages: logs over UDP and unix datagrams, notifications, name queries.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use rustix::io::retry_on_intr;
use rustix::net::{
    MMsgHdr, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, recvfrom, send, sendmmsg,
    sendto,
};

use super::RawAddr;

/// How many messages one [`send_many`] hands to the kernel.
pub const BATCH_MAX: usize = 32;

const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// Sends one message to an address; never waits.
pub fn send_to(fd: impl AsFd, message: &[u8], to: &RawAddr) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| sendto(fd, message, FLAGS, to))?)
}

/// Sends one message over a connected socket; never waits.
pub fn send_connected(fd: impl AsFd, message: &[u8]) -> io::Result<usize> {
    let fd = fd.as_fd();
    Ok(retry_on_intr(|| send(fd, message, FLAGS))?)
}

/// Sends up to [`BATCH_MAX`] messages in one call, to an address or over a connected socket. Answers how many the kernel
/// took; an error only when it took none.
pub fn send_many(
    fd: impl AsFd,
    messages: &[&[u8]],
    to: Option<&SocketAddrAny>,
) -> io::Result<usize> {
    let fd = fd.as_fd();
    let slices: smallvec::SmallVec<[[IoSlice<'_>; 1]; BATCH_MAX]> = messages
        .iter()
        .take(BATCH_MAX)
        .map(|m| [IoSlice::new(m)])
        .collect();
    let mut controls: smallvec::SmallVec<[SendAncillaryBuffer<'_, '_, '_>; BATCH_MAX]> = slices
        .iter()
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let mut headers: smallvec::SmallVec<[MMsgHdr<'_>; BATCH_MAX]> = slices
        .iter()
        .zip(&mut controls)
        .map(|(iov, control)| match to {
            Some(addr) => MMsgHdr::new_with_addr(addr, iov, control),
            None => MMsgHdr::new(iov, control),
        })
        .collect();
    Ok(retry_on_intr(|| sendmmsg(fd, &mut headers, FLAGS))?)
}

/// Receives one message, with its sender; what does not fit in `buf` is lost, as datagrams are.
pub fn recv_from(fd: impl AsFd, buf: &mut [u8]) -> io::Result<(usize, Option<RawAddr>)> {
    let fd = fd.as_fd();
    let (_, len, from) = retry_on_intr(|| recvfrom(fd, &mut *buf, RecvFlags::DONTWAIT))?;
    Ok((len.min(buf.len()), from))
}

#[cfg(test)]
mod tests {
    use super::super::socket::{Family, Kind, bind, local_addr, pair, socket};
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    #[test]
    fn a_batch_arrives_as_single_messages_in_order() {
        let (a, b) = pair(Kind::Datagram).expect("a pair");
        assert_eq!(send_many(&a, &[b"one", b"two"], None).ok(), Some(2));
        let mut buf = [0; 16];
        assert_eq!(recv_from(&b, &mut buf).expect("a message").0, 3);
        assert_eq!(&buf[..3], b"one");
        assert_eq!(recv_from(&b, &mut buf).expect("a message").0, 3);
        assert_eq!(&buf[..3], b"two");
        let dry = recv_from(&b, &mut buf).expect_err("no third");
        assert_eq!(dry.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn addressed_messages_name_their_sender() {
        let here = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into();
        let a = socket(Family::V4, Kind::Datagram).expect("a socket");
        let b = socket(Family::V4, Kind::Datagram).expect("a socket");
        bind(&a, &here).expect("a port");
        bind(&b, &here).expect("a port");
        let to = local_addr(&b).expect("its address");
        assert_eq!(send_many(&a, &[b"x"], Some(&to)).ok(), Some(1));
        assert_eq!(send_to(&a, b"yy", &to).ok(), Some(2));
        let mut buf = [0; 4];
        let (len, from) = recv_from(&b, &mut buf).expect("a message");
        assert_eq!((len, from), (1, local_addr(&a).ok()));
    }

    #[test]
    fn a_full_receiver_would_block_and_never_waits() {
        let (a, _b) = pair(Kind::Datagram).expect("a pair");
        let filled = (0..100_000).find_map(|_| send_connected(&a, &[0; 512]).err());
        assert_eq!(filled.map(|e| e.kind()), Some(io::ErrorKind::WouldBlock));
    }
}
