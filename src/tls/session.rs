//! The records of one connection, without a socket.
//!
//! Bytes of the wire come in with [`Session::open`], plain text and bytes for the wire come out; [`Session::seal`] turns plain text into
//! records. Nothing is kept here between two calls but what rustls needs: who has the socket has the buffers.
//!
//! Always true: a session that failed repeats its failure, after giving out the alert that tells the peer.

use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error, HandshakeKind, ProtocolVersion};

use super::{Acceptor, Connector, offer};
use crate::proto::hello::{self, Peek};

/// Plain text in one record.
const RECORD: usize = 16 * 1024;

/// What encryption adds to a record at most: head, explicit nonce, kind, tag.
const OVERHEAD: usize = 5 + 8 + 1 + 16;

/// Bytes of a hello that are waited for before rustls may judge what it got.
const HELLO_MAX: usize = 16 * 1024;

/// The TLS of one connection.
pub struct Session {
    side: Side,
    sni: Option<Vec<u8>>,
    failure: Option<Error>,
    closed: bool,
}

enum Side {
    /// A client that has not said hello.
    Awaited(Arc<Acceptor>),
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that was given is used up; more bytes of the wire are needed.
    More,
    /// The place for plain text is full; records may be left.
    Full,
    /// The peer has ended its side in order.
    Ended,
    /// The session failed; the alert, if any, is among the bytes for the wire.
    Failed,
}

/// What the handshake settled, in the words of OpenSSL.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// `TLSv1.2`, `TLSv1.3`
    pub version: &'static str,
    /// The cipher suite.
    pub cipher: &'static str,
    /// The bits of its key.
    pub bits: u32,
    /// The group of the key exchange.
    pub curve: Option<&'static str>,
    /// The name asked for.
    pub sni: Option<Vec<u8>>,
    /// The protocol agreed on.
    pub alpn: Option<Vec<u8>>,
    /// Whether an earlier session goes on.
    pub resumed: bool,
    /// The peer's certificates, leaf first.
    pub peer: Vec<Vec<u8>>,
}

/// Where plain text goes: first up to `limit` bytes into `into`.
struct Sink<'a> {
    plain: &'a mut Vec<u8>,
    wire: &'a mut Vec<u8>,
}

/// What one step of rustls came to.
enum Step {
    Again,
    Idle,
    Ended,
    Failed(Error),
}

impl Session {
    /// A session with a client that has yet to say hello.
    pub fn accept(acceptor: Arc<Acceptor>) -> Self {
        Self::new(Side::Awaited(acceptor), None)
    }

    /// A session with a server, asked for by `sni`.
    pub fn connect(connector: &Connector, sni: Option<&[u8]>) -> Result<Self, Error> {
        let name = Connector::name(sni);
        let client = UnbufferedClientConnection::new(connector.config.clone(), name)?;
        Ok(Self::new(
            Side::Client(Box::new(client)),
            sni.map(<[u8]>::to_vec),
        ))
    }

    fn new(side: Side, sni: Option<Vec<u8>>) -> Self {
        Self {
            side,
            sni,
            failure: None,
            closed: false,
        }
    }

    fn state(&self) -> Option<&CommonState> {
        match &self.side {
            Side::Awaited(_) => None,
            Side::Server(server) => Some(server),
            Side::Client(client) => Some(client),
        }
    }

    /// Whether application data cannot flow yet.
    pub fn is_handshaking(&self) -> bool {
        self.state().is_none_or(CommonState::is_handshaking)
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Uses up records of `input`, plain text into `plain` until it holds `limit` bytes or a record more, bytes for the peer into
    /// `wire`. Also says how many bytes of `input` are done with.
    pub fn open(
        &mut self,
        input: &mut [u8],
        plain: &mut Vec<u8>,
        limit: usize,
        wire: &mut Vec<u8>,
    ) -> (usize, Progress) {
        let mut used = 0;
        if matches!(self.side, Side::Awaited(_)) && !self.meet(input) {
            return (0, Progress::More);
        }
        loop {
            if plain.len() >= limit {
                return (used, Progress::Full);
            }
            let mut sink = Sink { plain, wire };
            let (discard, step) = self.step(&mut input[used..], &mut sink);
            used += discard;
            match step {
                Step::Again => {}
                Step::Idle if self.failure.is_some() => return (used, Progress::Failed),
                Step::Idle if self.closed => return (used, Progress::Ended),
                Step::Idle => return (used, Progress::More),
                Step::Ended => self.closed = true,
                Step::Failed(error) if self.failure.is_none() => self.failure = Some(error),
                Step::Failed(_) => return (used, Progress::Failed),
            }
        }
    }

    /// Looks at the hello to choose the context; false while it is incomplete.
    fn meet(&mut self, input: &[u8]) -> bool {
        let Side::Awaited(acceptor) = &self.side else {
            return true;
        };
        let context = match hello::peek(input) {
            Peek::More if input.len() < HELLO_MAX => return false,
            Peek::More | Peek::Other => acceptor.context(std::iter::empty()),
            Peek::Hello(hello) => {
                self.sni = hello.server_name().map(<[u8]>::to_vec);
                acceptor.context(hello.protocols())
            }
        };
        match UnbufferedServerConnection::new(context) {
            Ok(server) => self.side = Side::Server(Box::new(server)),
            Err(error) => self.failure = Some(error),
        }
        true
    }

    fn step(&mut self, input: &mut [u8], sink: &mut Sink<'_>) -> (usize, Step) {
        match &mut self.side {
            Side::Awaited(_) => (0, Step::Failed(Error::HandshakeNotComplete)),
            Side::Server(server) => advance(server.process_tls_records(input), sink),
            Side::Client(client) => advance(client.process_tls_records(input), sink),
        }
    }

    /// Makes records of `slices`, at most `limit` bytes of them, and says of how many. Nothing before the handshake is done.
    ///
    /// # Errors
    /// The session has failed or is over.
    pub fn seal(
        &mut self,
        slices: &[IoSlice<'_>],
        limit: usize,
        wire: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let mut sealed = 0;
        let mut gathered = Vec::new();
        for slice in slices {
            let mut rest = &slice[..slice.len().min(limit - sealed - gathered.len())];
            while !rest.is_empty() {
                if gathered.is_empty() && rest.len() >= RECORD {
                    self.record(&rest[..RECORD], wire)?;
                    sealed += RECORD;
                    rest = &rest[RECORD..];
                    continue;
                }
                let part = rest.len().min(RECORD - gathered.len());
                gathered.extend_from_slice(&rest[..part]);
                rest = &rest[part..];
                if gathered.len() == RECORD {
                    self.record(&gathered, wire)?;
                    sealed += RECORD;
                    gathered.clear();
                }
            }
        }
        if !gathered.is_empty() {
            self.record(&gathered, wire)?;
            sealed += gathered.len();
        }
        Ok(sealed)
    }

    fn record(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<(), Error> {
        self.emit(
            wire,
            |traffic, wire| traffic.encrypt(plain, wire),
            plain.len(),
        )
    }

    /// Says the end of our side.
    ///
    /// # Errors
    /// The session has failed or never began.
    pub fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), Error> {
        self.emit(wire, |traffic, wire| traffic.close(wire), 0)
    }

    fn emit(
        &mut self,
        wire: &mut Vec<u8>,
        write: impl FnOnce(&mut dyn Traffic, &mut [u8]) -> Result<usize, EncryptError>,
        len: usize,
    ) -> Result<(), Error> {
        match &mut self.side {
            Side::Awaited(_) => Err(Error::HandshakeNotComplete),
            Side::Server(server) => loop {
                let status = server.process_tls_records(&mut []);
                if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
                    return room(wire, len, |place| write(&mut traffic, place));
                }
                prepare(status, wire)?;
            },
            Side::Client(client) => loop {
                let status = client.process_tls_records(&mut []);
                if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
                    return room(wire, len, |place| write(&mut traffic, place));
                }
                prepare(status, wire)?;
            },
        }
    }

    /// What was settled, once the handshake is done.
    pub fn opened(&self) -> Opened {
        let Some(state) = self.state() else {
            return Opened::default();
        };
        let suite = state.negotiated_cipher_suite();
        let group = state.negotiated_key_exchange_group();
        let der = |certificates: &[CertificateDer<'static>]| {
            certificates.iter().map(|der| der.to_vec()).collect()
        };
        Opened {
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            cipher: suite.as_ref().map_or("", offer::name_of),
            bits: suite.as_ref().map_or(0, offer::bits_of),
            curve: group.and_then(|group| offer::group_name(group.name())),
            sni: self.sni.clone(),
            alpn: state.alpn_protocol().map(<[u8]>::to_vec),
            resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
            peer: state.peer_certificates().map(der).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("sni", &self.sni)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// Writing records, at either side.
trait Traffic {
    fn encrypt(&mut self, plain: &[u8], wire: &mut [u8]) -> Result<usize, EncryptError>;
    fn close(&mut self, wire: &mut [u8]) -> Result<usize, EncryptError>;
}

impl<Data> Traffic for rustls::unbuffered::WriteTraffic<'_, Data> {
    fn encrypt(&mut self, plain: &[u8], wire: &mut [u8]) -> Result<usize, EncryptError> {
        rustls::unbuffered::WriteTraffic::encrypt(self, plain, wire)
    }

    fn close(&mut self, wire: &mut [u8]) -> Result<usize, EncryptError> {
        self.queue_close_notify(wire)
    }
}

/// Lets `write` fill room for `len` bytes of plain text at the end of `wire`.
fn room(
    wire: &mut Vec<u8>,
    len: usize,
    write: impl FnOnce(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), Error> {
    let before = wire.len();
    // A configured record size may cut the text into more records; each of them is at least this long.
    let records = len.div_ceil(RECORD_MIN).max(2);
    wire.resize(before + len + records * OVERHEAD, 0);
    let written = write(&mut wire[before..]);
    wire.truncate(before + *written.as_ref().unwrap_or(&0));
    written
        .map(|_| ())
        .map_err(|error| Error::General(error.to_string()))
}

/// The smallest record size that may be configured.
const RECORD_MIN: usize = 512;

/// Does what has to come before writing.
fn prepare<Data>(status: UnbufferedStatus<'_, '_, Data>, wire: &mut Vec<u8>) -> Result<(), Error> {
    let mut unread = Vec::new();
    let mut sink = Sink {
        plain: &mut unread,
        wire,
    };
    match advance(status, &mut sink).1 {
        Step::Again | Step::Ended => Ok(()),
        Step::Idle => Err(Error::HandshakeNotComplete),
        Step::Failed(error) => Err(error),
    }
}

/// Carries out what rustls asks for.
fn advance<Data>(status: UnbufferedStatus<'_, '_, Data>, sink: &mut Sink<'_>) -> (usize, Step) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = match state {
        Err(error) => Step::Failed(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            let mut step = Step::Again;
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        sink.plain.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                    Err(error) => step = Step::Failed(error),
                }
            }
            step
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            encode(sink.wire, |place| data.encode(place))
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Step::Again
        }
        Ok(ConnectionState::PeerClosed) => Step::Ended,
        Ok(
            ConnectionState::BlockedHandshake
            | ConnectionState::WriteTraffic(_)
            | ConnectionState::Closed,
        ) => Step::Idle,
        // Early data is never offered, so that none can be there.
        Ok(_) => Step::Failed(Error::General("early data".to_owned())),
    };
    (discard, step)
}

fn encode(
    wire: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Step {
    let before = wire.len();
    let needed = match write(&mut []) {
        Err(EncodeError::InsufficientSize(size)) => size.required_size,
        Ok(_) | Err(EncodeError::AlreadyEncoded) => return Step::Again,
    };
    wire.resize(before + needed, 0);
    match write(&mut wire[before..]) {
        Ok(_) => Step::Again,
        Err(error) => Step::Failed(Error::General(error.to_string())),
    }
}
