//! A carrier through a SOCKS4 proxy.
//!
//! Before the first byte of anybody else the proxy is asked for the real destination, and its answer is read; until then
//! nothing can be read or written. The user is called `HAProxy`, as its proxies may have been told.

use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, SocketAddr};

use super::Wire;

/// The user that the proxy is told of.
const USER: &[u8] = b"HAProxy\0";
/// How long a proxy's answer is.
const REPLY_LEN: usize = 8;
/// The proxy does what it was asked.
const GRANTED: u8 = 0x5a;

/// A carrier that begins with a request to a SOCKS4 proxy.
#[derive(Debug)]
pub struct Socks {
    carrier: Wire,
    request: Vec<u8>,
    reply: Vec<u8>,
    granted: bool,
}

impl Socks {
    /// A carrier to `to` through the proxy that `carrier` leads to.
    ///
    /// # Errors
    /// SOCKS4 knows no address of this kind.
    pub fn new(carrier: Wire, to: SocketAddr) -> io::Result<Self> {
        let IpAddr::V4(ip) = to.ip() else {
            return Err(ErrorKind::Unsupported.into());
        };
        let mut request = vec![4, 1];
        request.extend_from_slice(&to.port().to_be_bytes());
        request.extend_from_slice(&ip.octets());
        request.extend_from_slice(USER);
        Ok(Self {
            carrier,
            request,
            reply: Vec::with_capacity(REPLY_LEN),
            granted: false,
        })
    }

    /// The carrier below.
    pub(super) fn carrier(&self) -> &Wire {
        &self.carrier
    }

    /// The carrier below, to change.
    pub(super) fn carrier_mut(&mut self) -> &mut Wire {
        &mut self.carrier
    }

    pub(super) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.negotiate()?;
        self.carrier.read(into)
    }

    pub(super) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.negotiate()?;
        self.carrier.write(slices)
    }

    /// Goes on with the exchange; fails with would-block until it is over.
    fn negotiate(&mut self) -> io::Result<()> {
        if self.granted {
            return Ok(());
        }
        while !self.request.is_empty() {
            let sent = self.carrier.write(&[IoSlice::new(&self.request)])?;
            self.request.drain(..sent);
        }
        while self.reply.len() < REPLY_LEN {
            // The proxy says nothing of its own behind its answer, and what the server says comes after us.
            let mut piece = Vec::with_capacity(REPLY_LEN - self.reply.len());
            match self.carrier.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => self.reply.extend_from_slice(&piece),
            }
        }
        if self.reply[1] != GRANTED {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        self.granted = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 80))
    }

    fn pair(name: &str) -> (Wire, std::os::unix::net::UnixStream) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect(name);
        ours.set_nonblocking(true).expect(name);
        (Wire::Socket(super::super::Socket::new(ours.into())), theirs)
    }

    #[test]
    fn nothing_passes_before_the_proxy_agrees() {
        use std::io::{Read, Write};
        let (ours, mut theirs) = pair("granted");
        let mut socks = Socks::new(ours, to()).expect("an IPv4 address");
        let blocked = socks.write(&[IoSlice::new(b"hello")]);
        assert_eq!(blocked.map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
        let mut asked = [0; 16];
        theirs.read_exact(&mut asked).expect("the request");
        assert_eq!(&asked, b"\x04\x01\0\x50\x7f\0\0\x01HAProxy\0");
        theirs.write_all(&[0, GRANTED, 0, 0]).expect("half");
        assert!(socks.read(&mut Vec::with_capacity(9)).is_err());
        theirs.write_all(b"\0\0\0\0server").expect("the rest");
        let mut got = Vec::with_capacity(64);
        assert_eq!(socks.read(&mut got).ok(), Some(6));
        assert_eq!(got, b"server");
        assert_eq!(socks.write(&[IoSlice::new(b"hello")]).ok(), Some(5));
    }

    #[test]
    fn a_refusal_is_an_error() {
        use std::io::Write;
        let (ours, mut theirs) = pair("refused");
        let mut socks = Socks::new(ours, to()).expect("an IPv4 address");
        theirs
            .write_all(&[0, 0x5b, 0, 0, 0, 0, 0, 0])
            .expect("the answer");
        let refused = socks.read(&mut Vec::with_capacity(9));
        assert_eq!(
            refused.map_err(|e| e.kind()),
            Err(ErrorKind::ConnectionRefused)
        );
        let (ours, _) = pair("v6");
        let v6 = SocketAddr::from(([0_u16; 8], 80));
        assert!(Socks::new(ours, v6).is_err());
    }
}
