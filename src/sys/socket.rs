//! Sockets: made non-blocking and close-on-exec, bound, connected, accepted.
//!
//! Addresses are [`RawAddr`]; their readable forms live in `addr`. A socket made or accepted here never blocks
//! and is never inherited by a program that is executed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{self, AddressFamily, Shutdown, SocketFlags, SocketType};

use super::RawAddr;

/// The families of addresses the proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Unix domain: paths, abstract names, unnamed pairs.
    Unix,
}

/// Whether a socket carries a stream of bytes or single messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A byte stream (TCP, unix stream).
    Stream,
    /// Single messages (UDP, unix datagram).
    Datagram,
}

/// What `connect` answered without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// The connection stands (usual on unix sockets).
    Connected,
    /// The kernel works on it; writability will tell.
    Pending,
}

impl Family {
    fn raw(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::INET,
            Self::V6 => AddressFamily::INET6,
            Self::Unix => AddressFamily::UNIX,
        }
    }

    /// The family an address belongs to; nothing for families the proxy does not speak.
    pub fn of(addr: &RawAddr) -> Option<Self> {
        match addr.address_family() {
            AddressFamily::INET => Some(Self::V4),
            AddressFamily::INET6 => Some(Self::V6),
            AddressFamily::UNIX => Some(Self::Unix),
            _ => None,
        }
    }
}

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// A new socket.
pub fn socket(family: Family, kind: Kind) -> io::Result<OwnedFd> {
    let kind = match kind {
        Kind::Stream => SocketType::STREAM,
        Kind::Datagram => SocketType::DGRAM,
    };
    Ok(net::socket_with(family.raw(), kind, FLAGS, None)?)
}

/// Two connected unix sockets.
pub fn pair(kind: Kind) -> io::Result<(OwnedFd, OwnedFd)> {
    let kind = match kind {
        Kind::Stream => SocketType::STREAM,
        Kind::Datagram => SocketType::DGRAM,
    };
    Ok(net::socketpair(AddressFamily::UNIX, kind, FLAGS, None)?)
}

/// Gives the socket its local address.
pub fn bind(fd: impl AsFd, addr: &RawAddr) -> io::Result<()> {
    Ok(net::bind(fd, addr)?)
}

/// Lets the kernel queue connections. Calling it again only changes the backlog.
pub fn listen(fd: impl AsFd, backlog: i32) -> io::Result<()> {
    Ok(net::listen(fd, backlog)?)
}

/// Takes one connection off the queue, with the peer's address (none for an unnamed unix peer).
pub fn accept(fd: impl AsFd) -> io::Result<(OwnedFd, Option<RawAddr>)> {
    let fd = fd.as_fd();
    Ok(rustix::io::retry_on_intr(|| {
        net::acceptfrom_with(fd, FLAGS)
    })?)
}

/// Starts connecting.
pub fn connect(fd: impl AsFd, addr: &RawAddr) -> io::Result<Dial> {
    match net::connect(fd, addr) {
        Ok(()) => Ok(Dial::Connected),
        // An interrupted connect goes on in the background exactly like one that would block.
        Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => Ok(Dial::Pending),
        Err(e) => Err(e.into()),
    }
}

/// Takes the pending error off the socket; `Ok(())` when there is none.
pub fn take_error(fd: impl AsFd) -> io::Result<()> {
    Ok(net::sockopt::socket_error(fd)??)
}

/// The socket's own address.
pub fn local_addr(fd: impl AsFd) -> io::Result<RawAddr> {
    Ok(net::getsockname(fd)?)
}

/// The address of the other end; none for an unnamed unix peer.
pub fn peer_addr(fd: impl AsFd) -> io::Result<Option<RawAddr>> {
    Ok(net::getpeername(fd)?)
}

/// Closes our sending direction: the peer reads an end of file. Never for a listener: it would reset the
/// queue that other processes share.
pub fn shutdown_write(fd: impl AsFd) -> io::Result<()> {
    Ok(net::shutdown(fd, Shutdown::Write)?)
}

/// Closes both directions of a connection.
pub fn shutdown_both(fd: impl AsFd) -> io::Result<()> {
    Ok(net::shutdown(fd, Shutdown::Both)?)
}

/// Whether the descriptor is a stream or a datagram socket; `ENOTSOCK` for anything else.
pub fn kind(fd: impl AsFd) -> io::Result<Kind> {
    match net::sockopt::socket_type(fd)? {
        SocketType::DGRAM => Ok(Kind::Datagram),
        _ => Ok(Kind::Stream),
    }
}

/// The family a socket was made for; nothing for one the proxy does not speak.
pub fn family(fd: impl AsFd) -> io::Result<Option<Family>> {
    Ok(match net::sockopt::socket_domain(fd)? {
        AddressFamily::INET => Some(Family::V4),
        AddressFamily::INET6 => Some(Family::V6),
        AddressFamily::UNIX => Some(Family::Unix),
        _ => None,
    })
}

/// Whether connections can be accepted on it.
pub fn is_listening(fd: impl AsFd) -> io::Result<bool> {
    Ok(net::sockopt::socket_acceptconn(fd)?)
}

/// The number that identifies the socket in this kernel for as long as it exists, whoever holds it.
pub fn cookie(fd: impl AsFd) -> io::Result<u64> {
    Ok(net::sockopt::socket_cookie(fd)?)
}

/// Switches between calls that wait and calls that answer at once.
pub fn set_nonblocking(fd: impl AsFd, on: bool) -> io::Result<()> {
    let fd = fd.as_fd();
    let mut flags = rustix::fs::fcntl_getfl(fd)?;
    flags.set(rustix::fs::OFlags::NONBLOCK, on);
    Ok(rustix::fs::fcntl_setfl(fd, flags)?)
}

/// Whether executed programs inherit the descriptor.
pub fn set_inherited(fd: impl AsFd, on: bool) -> io::Result<()> {
    let flags = if on {
        rustix::io::FdFlags::empty()
    } else {
        rustix::io::FdFlags::CLOEXEC
    };
    Ok(rustix::io::fcntl_setfd(fd, flags)?)
}

/// A second descriptor of the same open socket, not inherited by executed programs.
pub fn duplicate(fd: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

/// Takes ownership of a descriptor that the process inherited by number (`fd@4`, socket activation), as a
/// duplicate: the number itself stays open, as another line of the configuration may name it again.
pub fn adopt(number: i32) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(rustix::io::Errno::BADF.into());
    }
    // SAFETY: the borrow lasts for one call that only duplicates; a number that is not open makes that call fail
    // with EBADF, and no memory depends on what the number refers to.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    duplicate(borrowed)
}

/// Closes a descriptor that the process inherited by number, when nobody owns it.
pub fn close_number(number: i32) {
    // SAFETY: close(2) touches no memory; the caller knows from its own table that no `OwnedFd` holds the number.
    unsafe { libc::close(number) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn loopback(port: u16) -> RawAddr {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into()
    }

    fn listener() -> (OwnedFd, RawAddr) {
        let fd = socket(Family::V4, Kind::Stream).expect("a socket");
        bind(&fd, &loopback(0)).expect("a free port");
        listen(&fd, 16).expect("listening");
        let addr = local_addr(&fd).expect("its address");
        (fd, addr)
    }

    #[test]
    fn an_empty_queue_would_block_and_a_dialled_one_yields_the_peer() {
        let (fd, addr) = listener();
        let none = accept(&fd).expect_err("nobody dialled");
        assert_eq!(none.kind(), io::ErrorKind::WouldBlock);
        let client = socket(Family::V4, Kind::Stream).expect("a socket");
        connect(&client, &addr).expect("loopback accepts");
        let (_conn, peer) = accept(&fd).expect("one is queued");
        assert_eq!(peer, local_addr(&client).ok());
        take_error(&client).expect("no error is pending");
    }

    #[test]
    fn a_refused_connection_leaves_its_error_on_the_socket() {
        let (fd, addr) = listener();
        drop(fd);
        let client = socket(Family::V4, Kind::Stream).expect("a socket");
        let refused = match connect(&client, &addr) {
            Ok(_) => take_error(&client),
            Err(e) => Err(e),
        };
        assert_eq!(
            refused.expect_err("nobody listens").kind(),
            io::ErrorKind::ConnectionRefused
        );
    }

    #[test]
    fn inherited_numbers_are_duplicated_and_wrong_ones_refused() {
        use std::os::fd::AsRawFd;
        let (fd, addr) = listener();
        let again = adopt(fd.as_raw_fd()).expect("an open number");
        assert_ne!(again.as_raw_fd(), fd.as_raw_fd());
        assert_eq!(local_addr(&again).ok(), Some(addr));
        assert_eq!(cookie(&again).ok(), cookie(&fd).ok());
        assert!(is_listening(&again).expect("a socket"));
        assert!(adopt(-1).is_err());
        assert!(adopt(1_000_000).is_err());
    }

    #[test]
    fn unix_pairs_know_what_they_are() {
        let (a, _b) = pair(Kind::Datagram).expect("a pair");
        assert_eq!(kind(&a).ok(), Some(Kind::Datagram));
        assert_eq!(family(&a).ok(), Some(Some(Family::Unix)));
        assert!(!is_listening(&a).expect("a socket"));
    }
}
