//! Listening sockets from one process to the next, in HAProxy's `_getsocks` exchange.
//!
//! Over a stats socket the new process sends `_getsocks` and a line end, reads a native 32-bit count, then messages of up to
//! 252 descriptors with, for each, the name of its network namespace, of its interface, and 32 reserved bits; it
//! answers each message with 32 bits. [`take`] is the new process's side, [`give`] the old one's: haproxy may be
//! at the other end of either. Both wait, with a bound, on the descriptor they are given, and so belong to threads
//! that may wait.
//!
//! What arrives is identified by what the kernel says of it, never by how a configuration spelled it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};

use crate::addr::SockAddr;
use crate::sys::{fdpass, io as bytes, options, socket};

/// How long either side waits for the other's next message.
const PATIENCE: Duration = Duration::from_secs(2);
/// More listening sockets than any process has.
const SOCKETS_MAX: i32 = 65_536;
/// Payload of one message at most: for each descriptor two names with their lengths, and the reserved bits.
const PAYLOAD_MAX: usize = fdpass::FDS_MAX * (1 + 255 + 1 + 16 + 4);

/// A listening socket that another process passed.
#[derive(Debug)]
pub struct Taken {
    /// The socket.
    pub socket: OwnedFd,
    /// Its address, a unix path without the suffix of the temporary name it was bound under.
    pub addr: SockAddr,
    /// Whether it refuses IPv4, for IPv6 ones.
    pub v6only: bool,
    /// The interface it is tied to, empty for none.
    pub interface: String,
    /// The network namespace the other process had it in, empty for its own.
    pub namespace: String,
}

/// A socket to pass.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The socket.
    pub socket: BorrowedFd<'a>,
    /// Its interface, empty for none.
    pub interface: &'a str,
    /// Its network namespace, empty for the process's own.
    pub namespace: &'a str,
}

impl Taken {
    /// Asks the kernel what the socket is; sockets of other kinds than listening ones are refused.
    pub fn identify(socket: OwnedFd, interface: String, namespace: String) -> io::Result<Self> {
        if !socket::is_listening(&socket)? && socket::kind(&socket)? == socket::Kind::Stream {
            return Err(io::Error::other("not a listening socket"));
        }
        socket::set_nonblocking(&socket, true)?;
        let addr = match SockAddr::from_raw(Some(socket::local_addr(&socket)?)) {
            SockAddr::Unix(path) => SockAddr::Unix(final_name(&path).into()),
            other @ (SockAddr::Inet(_) | SockAddr::Abstract(_)) => other,
        };
        Ok(Self {
            v6only: options::v6only(&socket).unwrap_or(false),
            interface,
            namespace,
            addr,
            socket,
        })
    }
}

/// The path a socket has once its temporary name `PATH.PID.tmp` was replaced.
pub fn final_name(path: &str) -> &str {
    let known = path.strip_suffix(".tmp").and_then(|rest| {
        let (name, pid) = rest.rsplit_once('.')?;
        (!pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then_some(name)
    });
    known.unwrap_or(path)
}

/// Connects to the stats socket at `path` and takes every listening socket behind it; with the connection, on which more may be asked.
pub fn take(path: &str) -> io::Result<(Vec<Taken>, OwnedFd)> {
    let addr = match path.strip_prefix("abns@") {
        Some(name) => SockAddr::abstract_padded(name.as_bytes()),
        None => SockAddr::Unix(path.strip_prefix("unix@").unwrap_or(path).into()),
    };
    let sock = socket::socket(socket::Family::Unix, socket::Kind::Stream)?;
    socket::set_nonblocking(&sock, false)?;
    socket::connect(&sock, &addr.to_raw()?)?;
    Ok((take_from(&sock)?, sock))
}

/// Takes every listening socket over a connection that stands already.
pub fn take_from(sock: impl AsFd) -> io::Result<Vec<Taken>> {
    let sock = sock.as_fd();
    be_patient(sock)?;
    bytes::write_all(sock, b"_getsocks\n")?;
    let count = i32::from_ne_bytes(exactly(sock)?);
    if !(0..=SOCKETS_MAX).contains(&count) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let wanted = usize::try_from(count).unwrap_or(0);
    let mut sockets = Vec::with_capacity(wanted);
    let mut names = Vec::new();
    let mut payload = vec![0; PAYLOAD_MAX];
    while sockets.len() < wanted {
        let message = fdpass::recv(sock, &mut payload)?;
        if message.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if message.truncated {
            return Err(io::Error::other("no descriptors left"));
        }
        sockets.extend(message.fds);
        names.extend_from_slice(&payload[..message.bytes]);
        let got = i32::try_from(sockets.len()).unwrap_or(i32::MAX);
        // haproxy: the sender closes before it reads the last answer; that nobody reads it is no failure.
        let _ = bytes::send(sock, &got.to_ne_bytes(), false);
    }
    identify_all(sockets, &names)
}

fn identify_all(sockets: Vec<OwnedFd>, names: &[u8]) -> io::Result<Vec<Taken>> {
    let mut rest = names;
    let mut taken = Vec::with_capacity(sockets.len());
    for socket in sockets {
        let (namespace, interface) = entry(&mut rest).ok_or(io::ErrorKind::InvalidData)?;
        // The haproxy side may pass sockets of kinds we do not serve (log receivers, pairs): those are left to be closed.
        taken.extend(Taken::identify(socket, interface, namespace));
    }
    Ok(taken)
}

/// Reads one descriptor's names.
fn entry(rest: &mut &[u8]) -> Option<(String, String)> {
    let mut name = || {
        let (len, after) = rest.split_first()?;
        let (name, after) = after.split_at_checked(usize::from(*len))?;
        *rest = after;
        Some(String::from_utf8_lossy(name).into_owned())
    };
    let (namespace, interface) = (name()?, name()?);
    *rest = rest.split_at_checked(4)?.1;
    Some((namespace, interface))
}

/// Passes `sockets` to the process at the other end, which has sent its request already.
pub fn give(sock: impl AsFd, sockets: &[Given<'_>]) -> io::Result<()> {
    let sock = sock.as_fd();
    be_patient(sock)?;
    let count = i32::try_from(sockets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    bytes::write_all(sock, &count.to_ne_bytes())?;
    for batch in sockets.chunks(fdpass::FDS_MAX) {
        let (mut payload, mut fds) = (Vec::new(), Vec::with_capacity(batch.len()));
        for given in batch {
            push_name(given.namespace, &mut payload);
            push_name(given.interface, &mut payload);
            payload.extend_from_slice(&[0; 4]);
            fds.push(given.socket);
        }
        let sent = fdpass::send(sock, &payload, &fds)?;
        bytes::write_all(sock, &payload[sent..])?;
        exactly::<4>(sock)?;
    }
    Ok(())
}

fn push_name(name: &str, payload: &mut Vec<u8>) {
    let len = u8::try_from(name.len()).unwrap_or(0);
    payload.push(len);
    payload.extend_from_slice(&name.as_bytes()[..usize::from(len)]);
}

/// No bound on waiting any more: the other side will be heard of, or end.
pub(super) fn wait_for_ever(sock: BorrowedFd<'_>) {
    // A bound that stays ends the connection early.
    let _ = set_socket_timeout(sock, Timeout::Recv, None);
}

/// Has `sock` wait, with a bound.
pub(super) fn be_patient(sock: BorrowedFd<'_>) -> io::Result<()> {
    socket::set_nonblocking(sock, false)?;
    set_socket_timeout(sock, Timeout::Recv, Some(PATIENCE))?;
    Ok(set_socket_timeout(sock, Timeout::Send, Some(PATIENCE))?)
}

fn exactly<const N: usize>(sock: BorrowedFd<'_>) -> io::Result<[u8; N]> {
    let mut buf = [0; N];
    let mut got = 0;
    while got < N {
        match bytes::read_slice(sock, &mut buf[got..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => got += n,
        }
    }
    Ok(buf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn listener() -> OwnedFd {
        let fd = socket::socket(socket::Family::V4, socket::Kind::Stream).expect("a socket");
        socket::bind(&fd, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        socket::listen(&fd, 8).expect("listening");
        fd
    }

    fn exchange(sockets: &[OwnedFd]) -> io::Result<Vec<Taken>> {
        let (old, new) = socket::pair(socket::Kind::Stream).expect("a pair");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut request = [0; 10];
                let _ = socket::set_nonblocking(&old, false);
                let _ = bytes::read_slice(&old, &mut request);
                let given: Vec<Given<'_>> = sockets
                    .iter()
                    .map(|s| Given {
                        socket: s.as_fd(),
                        interface: "eth0",
                        namespace: "blue",
                    })
                    .collect();
                let _ = give(&old, &given);
            });
            take_from(&new)
        })
    }

    #[test]
    fn sockets_arrive_with_their_names_and_still_accept() {
        let sockets = [listener(), listener()];
        let taken = exchange(&sockets).expect("both sides follow the exchange");
        assert_eq!(taken.len(), 2);
        let own = SockAddr::from_raw(socket::local_addr(&sockets[1]).ok());
        assert_eq!(taken[1].addr, own);
        assert_eq!(
            (taken[1].interface.as_str(), taken[1].namespace.as_str()),
            ("eth0", "blue")
        );
        let client = socket::socket(socket::Family::V4, socket::Kind::Stream).expect("a socket");
        socket::connect(&client, &own.to_raw().expect("an address")).expect("loopback");
        assert!(socket::accept(&taken[1].socket).is_ok());
    }

    #[test]
    fn more_sockets_than_one_message_carries_arrive_whole() {
        let sockets: Vec<OwnedFd> = (0..fdpass::FDS_MAX + 20).map(|_| listener()).collect();
        let taken = exchange(&sockets).expect("two messages");
        assert_eq!(taken.len(), sockets.len());
        assert!(exchange(&[]).expect("none is an answer").is_empty());
    }

    #[test]
    fn an_end_in_between_is_an_error() {
        let (old, new) = socket::pair(socket::Kind::Stream).expect("a pair");
        bytes::write_all(&old, &3_i32.to_ne_bytes()).expect("room");
        drop(old);
        assert!(take_from(&new).is_err());
        let (old, new) = socket::pair(socket::Kind::Stream).expect("a pair");
        bytes::write_all(&old, &(-1_i32).to_ne_bytes()).expect("room");
        assert!(take_from(&new).is_err());
    }

    #[test]
    fn temporary_names_lead_to_the_final_one() {
        assert_eq!(final_name("/run/a.sock.123.tmp"), "/run/a.sock");
        assert_eq!(final_name("/run/a.sock"), "/run/a.sock");
        assert_eq!(final_name("/run/a.x.tmp"), "/run/a.x.tmp");
    }
}
