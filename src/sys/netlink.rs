//! Questions to the kernel over a netlink socket, answered in messages.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

/// Bytes that one datagram of the kernel's answer has at most.
pub const ANSWER_MAX: usize = 32 * 1024;

/// A socket for questions about sockets (`NETLINK_SOCK_DIAG`). Waits for answers.
pub fn socket_questions() -> io::Result<OwnedFd> {
    Ok(net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?)
}

/// Sends a message to the kernel.
pub fn ask(socket: &OwnedFd, message: &[u8]) -> io::Result<()> {
    let sent = rustix::io::retry_on_intr(|| net::send(socket, message, SendFlags::empty()))?;
    if sent == message.len() {
        return Ok(());
    }
    Err(io::ErrorKind::WriteZero.into())
}

/// The next datagram of the answer; its length.
pub fn hear(socket: &OwnedFd, into: &mut [u8; ANSWER_MAX]) -> io::Result<usize> {
    let (len, _) =
        rustix::io::retry_on_intr(|| net::recv(socket, &mut into[..], RecvFlags::empty()))?;
    Ok(len)
}
