//! The clients' connections: in the clear, or with TLS by rustls.
//!
//! A client believes every certificate: what it costs a client to judge one is nobody's concern here. It offers one
//! cipher and one group, so that all contenders do the same work.

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    DigitallySignedStruct, Error, HandshakeKind, SignatureScheme, SupportedProtocolVersion, version,
};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

/// What is spoken below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Nothing: bytes in the clear.
    None,
    /// TLS 1.3, with sessions resumed or not.
    V13 { resumed: bool },
    /// TLS 1.2, with sessions resumed or not.
    V12 { resumed: bool },
}

impl Tls {
    /// Whether every connection but the first ones goes on with an earlier session.
    pub(crate) fn resumes(self) -> bool {
        matches!(
            self,
            Self::V13 { resumed: true } | Self::V12 { resumed: true }
        )
    }

    /// What follows the address of a contender's `bind`.
    pub(crate) fn bind_words(self) -> String {
        let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ecdsa.pem");
        match self {
            Self::None => String::new(),
            Self::V12 { .. } | Self::V13 { .. } => format!(" ssl crt {certificate}"),
        }
    }
}

/// Connections lead there, in this manner.
#[derive(Clone)]
pub(crate) struct Dial {
    address: SocketAddr,
    config: Option<Arc<ClientConfig>>,
}

impl Dial {
    pub(crate) fn new(address: SocketAddr, tls: Tls) -> io::Result<Self> {
        let config = match tls {
            Tls::None => None,
            Tls::V13 { resumed } => Some(config(&version::TLS13, kx_group::X25519, resumed)?),
            // haproxy takes X25519 from version 1.3 on only, unless it is told otherwise.
            Tls::V12 { resumed } => Some(config(&version::TLS12, kx_group::SECP256R1, resumed)?),
        };
        Ok(Self { address, config })
    }

    /// A connection, from this host's address with this number: ports of a single one do not suffice for many.
    pub(crate) fn open(&self, source: usize) -> io::Result<Stream> {
        let socket = self.socket(source)?;
        socket.set_nodelay(true)?;
        let Some(config) = &self.config else {
            return Ok(Stream::Clear(socket));
        };
        let name = ServerName::try_from("example.test").map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Stream::Secure(Box::new(Secure { socket, session })))
    }

    fn socket(&self, source: usize) -> io::Result<TcpStream> {
        let SocketAddr::V4(address) = self.address else {
            return TcpStream::connect(self.address);
        };
        if source == 0 {
            return TcpStream::connect(address);
        }
        let fd = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(
            &fd,
            &SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, source as u8), 0),
        )?;
        connect(&fd, &address)?;
        Ok(TcpStream::from(fd))
    }
}

fn config(
    version: &'static SupportedProtocolVersion,
    group: &'static dyn SupportedKxGroup,
    resumed: bool,
) -> io::Result<Arc<ClientConfig>> {
    let mut provider = default_provider();
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    provider.kx_groups = vec![group];
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let mut config = builder
        .with_protocol_versions(&[version])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible))
        .with_no_client_auth();
    if !resumed {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// A connection of a client.
pub(crate) enum Stream {
    Clear(TcpStream),
    Secure(Box<Secure>),
}

/// One with TLS.
pub(crate) struct Secure {
    socket: TcpStream,
    session: ClientConnection,
}

impl Stream {
    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.socket().set_nonblocking(true)
    }

    pub(crate) fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(timeout))
    }

    /// Whether it went on with an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        match self {
            Self::Clear(_) => false,
            Self::Secure(secure) => secure.session.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(socket) => socket,
            Self::Secure(secure) => &secure.socket,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => socket.read(into),
            Self::Secure(secure) => secure.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(socket) => socket.write(bytes),
            Self::Secure(secure) => {
                let count = secure.session.writer().write(bytes)?;
                secure.flush()?;
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(_) => Ok(()),
            Self::Secure(secure) => secure.flush(),
        }
    }
}

impl Secure {
    /// Plain text: what the session has, or of the records that have come. Where `into` is large, nothing stays behind in
    /// the session, which would show on no poll.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut records = [0; RECORDS];
        loop {
            let mut filled = 0;
            let mut is_over = self.take(into, &mut filled)?;
            if filled > 0 || is_over {
                return Ok(filled);
            }
            let count = self.socket.read(&mut records)?;
            is_over = count == 0;
            let mut received = &records[..count];
            while !received.is_empty() {
                self.session.read_tls(&mut received)?;
                let opened = self.session.process_new_packets();
                opened.map_err(io::Error::other)?;
                is_over |= self.take(into, &mut filled)?;
            }
            self.flush()?;
            if filled > 0 || is_over {
                return Ok(filled);
            }
        }
    }

    /// Takes plain text that was opened; true once the other side has said its end.
    fn take(&mut self, into: &mut [u8], filled: &mut usize) -> io::Result<bool> {
        while *filled < into.len() {
            match self.session.reader().read(&mut into[*filled..]) {
                Ok(0) => return Ok(true),
                Ok(count) => *filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Sends what there is to send; a socket that is full gets the rest with the next call.
    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Bytes of records that are read at once.
const RECORDS: usize = 64 * 1024;

/// Believes everybody.
#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
