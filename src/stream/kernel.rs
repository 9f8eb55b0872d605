//! What the kernel measures of a stream's two connections, for expressions.
//!
//! It is asked at the moment an expression wants to know, never ahead: most configurations ask for none of it, and each
//! question is a system call. A socket that is no TCP socket has no measurements.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use super::{Kit, Stream};
use crate::sample::{Kernel, TcpFacts};
use crate::sys;

/// The sockets of a stream's connections, as far as there are any.
#[derive(Debug)]
pub(super) struct Sockets<'a> {
    pub(super) front: Option<BorrowedFd<'a>>,
    pub(super) back: Option<BorrowedFd<'a>>,
}

impl Stream {
    /// Its sockets at this moment.
    pub(super) fn sockets<'a>(&self, kit: &'a Kit) -> Sockets<'a> {
        let fd = |key| kit.conns.get(key)?.conn.wire.fd();
        Sockets {
            front: fd(self.front),
            back: self.back.and_then(fd),
        }
    }
}

impl Kernel for Sockets<'_> {
    fn client(&self) -> TcpFacts {
        measured(self.front)
    }

    fn upstream(&self) -> TcpFacts {
        measured(self.back)
    }

    fn connecting(&self) -> Option<SocketAddr> {
        let local = sys::socket::local_addr(self.back?).ok()?;
        SocketAddr::try_from(local).ok()
    }

    fn first_packet(&self) -> Option<Vec<u8>> {
        sys::options::saved_syn(self.front?).ok()
    }
}

fn measured(fd: Option<BorrowedFd<'_>>) -> TcpFacts {
    let Some(info) = fd.and_then(|fd| sys::options::tcp_info(fd).ok()) else {
        return TcpFacts::default();
    };
    TcpFacts {
        rtt_us: Some(info.rtt),
        rttvar_us: Some(info.rtt_var),
        unacked: Some(info.unacked),
        sacked: Some(info.sacked),
        lost: Some(info.lost),
        retrans: Some(info.retrans),
        fackets: Some(info.fackets),
        reordering: Some(info.reordering),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn tcp_is_measured_and_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let tcp = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let (unix, _peer) = UnixStream::pair().expect("two descriptors");
        let sockets = Sockets {
            front: Some(tcp.as_fd()),
            back: Some(unix.as_fd()),
        };
        assert!(sockets.client().rtt_us.is_some_and(|rtt| rtt > 0));
        assert_eq!(sockets.upstream().rtt_us, None);
    }
}
