//! The records of one connection, without a socket.
//!
//! Bytes of the wire come in with [`Session::open`], plain text and bytes for the wire come out; [`Session::seal`] turns plain text into
//! records. All calls get the same unread input, for rustls counts from its beginning. Nothing is kept here between two calls but what rustls needs: who has the socket has the buffers.
//!
//! Always true: a session that failed repeats its failure, after giving out the alert that tells the peer.

use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, CommonState, Error};

use super::connector::Way;
use super::opened::{self, Opened};
use super::places::Place;
use super::shelf::Entry;
use super::{Acceptor, Connector, Examined};
use crate::proto::hello::{self, Peek};

/// Plain text in one record.
const RECORD: usize = 16 * 1024;

/// Plain text in one of the first records: a few of them fit into what TCP sends at once to a peer it does not know yet, which can read
/// them while the rest is under way.
const RECORD_FIRST: usize = 4 * 1024;

/// How much goes in such records before larger ones cost less.
const FIRST: usize = 16 * 1024;

/// What encryption adds to a record at most: head, explicit nonce, kind, tag.
const OVERHEAD: usize = 5 + 8 + 1 + 16;

/// Chunks that are taken from rustls after a failure.
const ALERTS_MAX: usize = 8;

/// Steps that may come before a write: each opens a record that is there or takes a message for the peer.
const STEPS_MAX: usize = 4096;

/// The kind of record that hellos are in.
const HANDSHAKE: u8 = 22;

/// The alert for a name that nothing is shown for (RFC 6066, section 3): fatal, 112.
const UNRECOGNIZED_NAME: &[u8] = &[21, 3, 3, 0, 2, 2, 112];

/// The alert for a certificate that is missing, in the clear, as version 1.3 has it: fatal, 116.
const CERTIFICATE_REQUIRED: &[u8] = &[21, 3, 3, 0, 2, 2, 116];

/// The same for version 1.2: fatal, 40.
const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// Bytes of a hello that are waited for before rustls may judge what it got.
const HELLO_MAX: usize = 16 * 1024;

/// The TLS of one connection.
pub struct Session {
    side: Side,
    pub(super) known: Known,
    failure: Option<Error>,
    closed: bool,
    /// What an earlier session brought along was held against what is demanded.
    judged: bool,
    /// Plain text sent since the peer last sent some.
    sent: usize,
}

/// What is known of a session beside what rustls knows.
#[derive(Default)]
pub(super) struct Known {
    /// The name asked for.
    pub(super) sni: Option<Vec<u8>>,
    /// What is shown to a client.
    pub(super) entry: Option<Arc<Entry>>,
    /// What the session with a server began with.
    pub(super) way: Option<Arc<Way>>,
    /// The peer that was refused.
    pub(super) examined: Option<Examined>,
    /// The client's hello, as far as it is kept.
    pub(super) hello: Option<Vec<u8>>,
    /// The random bytes of client and server.
    pub(super) randoms: [Option<[u8; 32]>; 2],
    /// Early data was taken.
    pub(super) early: bool,
    /// What it occupies of `maxsslconn`.
    pub(super) place: Option<Place>,
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

/// What one step of rustls came to.
enum Step {
    Again,
    /// The same, and early data was among it.
    Early,
    Idle,
    Ended,
    Written,
    Failed(Error),
}

impl Session {
    /// A session with a client that has yet to say hello.
    pub fn accept(acceptor: Arc<Acceptor>) -> Self {
        let place = acceptor.places.take();
        let known = Known {
            place,
            ..Known::default()
        };
        let mut session = Self::new(Side::Awaited(acceptor), known);
        session.refuse_without_place();
        session
    }

    /// A connection beyond `maxsslconn` ends before it begins.
    fn refuse_without_place(&mut self) {
        if self.known.place.is_none() {
            self.failure = Some(Error::General(opened::TOO_MANY.to_owned()));
        }
    }

    /// A session with a server, asked for by `sni`.
    pub fn connect(connector: &Connector, sni: Option<&[u8]>) -> Result<Self, Error> {
        let way = connector.way();
        Self::begin(way.config.clone(), (connector, way), sni)
    }

    /// The same, offering these protocols in place of the line's.
    pub fn connect_offering(
        connector: &Connector,
        sni: Option<&[u8]>,
        protocols: &[String],
    ) -> Result<Self, Error> {
        let way = connector.way();
        let mut config = (*way.config).clone();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Self::begin(Arc::new(config), (connector, way), sni)
    }

    fn begin(
        config: Arc<ClientConfig>,
        (connector, way): (&Connector, Arc<Way>),
        sni: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let place = connector.places.take();
        let client = UnbufferedClientConnection::new(config, Connector::name(sni))?;
        let known = Known {
            sni: sni.map(<[u8]>::to_vec),
            way: Some(way),
            place,
            ..Known::default()
        };
        let mut session = Self::new(Side::Client(Box::new(client)), known);
        session.refuse_without_place();
        Ok(session)
    }

    fn new(side: Side, known: Known) -> Self {
        Self {
            side,
            known,
            failure: None,
            closed: false,
            judged: false,
            sent: 0,
        }
    }

    pub(super) fn state(&self) -> Option<&CommonState> {
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

    /// Opens records until `io.plain` holds `limit` bytes, or a record more.
    pub fn open(&mut self, io: &mut Buffers<'_>, limit: usize) -> Progress {
        if matches!(self.side, Side::Awaited(_)) && self.failure.is_none() && !self.meet(io) {
            return Progress::More;
        }
        let (read, written) = (io.used, io.wire.len());
        let before = io.plain.len();
        let mut progress = self.advance(io, limit);
        if io.plain.len() > before {
            self.sent = 0;
        }
        if !self.judged && !self.is_handshaking() {
            self.judged = true;
            if let Some(error) = self.known.faults_of_resumed(self.state()) {
                self.failure = Some(error);
                progress = Progress::Failed;
            }
        }
        self.note_randoms(&io.input[read..], &io.wire[written..]);
        progress
    }

    fn advance(&mut self, io: &mut Buffers<'_>, limit: usize) -> Progress {
        while self.failure.is_none() {
            // Early data waits for the end of the handshake: from there on it cannot have been played again.
            if io.plain.len() >= limit && !self.is_handshaking() {
                return Progress::Full;
            }
            match self.step(io) {
                Step::Again => {}
                Step::Early => self.known.early = true,
                Step::Idle if self.closed => return Progress::Ended,
                Step::Idle | Step::Written => return Progress::More,
                Step::Ended => self.closed = true,
                Step::Failed(error) => self.fail(error, io),
            }
        }
        Progress::Failed
    }

    /// Takes the alert that rustls has for the peer. Nothing but that may be asked of it from here on: it would judge the same bytes
    /// again, and insists on a single alert.
    fn fail(&mut self, error: Error, io: &mut Buffers<'_>) {
        let (begin, missing) = (io.wire.len(), error == Error::NoCertificatesPresented);
        self.failure = Some(error);
        self.known.examined = self.known.take_examined();
        for _ in 0..ALERTS_MAX {
            if self.state().is_some_and(CommonState::wants_write) {
                self.step(io);
            }
        }
        // RFC 5246, 7.4.6: before version 1.3 there is no alert of its own for a certificate that is missing.
        if missing && io.wire[begin..] == *CERTIFICATE_REQUIRED {
            io.wire.truncate(begin);
            io.wire.extend_from_slice(HANDSHAKE_FAILURE);
        }
    }

    /// Looks at the hello to choose the context; false while it is incomplete.
    fn meet(&mut self, io: &mut Buffers<'_>) -> bool {
        let Side::Awaited(acceptor) = &self.side else {
            return true;
        };
        let chosen = match hello::peek(io.unread()) {
            Peek::More if io.unread().len() < HELLO_MAX => return false,
            Peek::More | Peek::Other => acceptor.context(None),
            Peek::Hello(hello) => {
                self.known.greet(&hello, acceptor.capture_max);
                acceptor.context(Some(&hello))
            }
        };
        let Some((entry, config)) = chosen else {
            io.wire.extend_from_slice(UNRECOGNIZED_NAME);
            self.failure = Some(Error::General(opened::NO_CERTIFICATE.to_owned()));
            return true;
        };
        self.known.entry = Some(entry);
        match UnbufferedServerConnection::new(config) {
            Ok(server) => self.side = Side::Server(Box::new(server)),
            Err(error) => self.failure = Some(error),
        }
        true
    }

    /// Keeps the random bytes of hellos that have just passed: what came, what goes.
    fn note_randoms(&mut self, came: &[u8], goes: &[u8]) {
        let own = usize::from(!matches!(self.side, Side::Client(_)));
        for (side, bytes) in [(own, goes), (1 - own, came)] {
            if self.known.randoms[side].is_none()
                && bytes.first() == Some(&HANDSHAKE)
                && let Peek::Hello(hello) = hello::peek(bytes)
            {
                self.known.randoms[side] = hello.random().try_into().ok();
            }
        }
    }

    fn step(&mut self, io: &mut Buffers<'_>) -> Step {
        match &mut self.side {
            Side::Awaited(_) => Step::Failed(Error::HandshakeNotComplete),
            Side::Server(server) => {
                let status = server.process_tls_records(&mut io.input[io.used..]);
                let (used, step) = early_or_advance(status, io.plain, io.wire);
                io.used += used;
                step
            }
            Side::Client(client) => {
                let status = client.process_tls_records(&mut io.input[io.used..]);
                let (used, step) = advance(status, io.plain, io.wire);
                io.used += used;
                step
            }
        }
    }

    /// Makes records of `slices`, at most `limit` bytes of them, and says of how many. Records that have come meanwhile are opened.
    ///
    /// # Errors
    /// The session has failed, or is not yet open.
    pub fn seal(
        &mut self,
        slices: &[IoSlice<'_>],
        limit: usize,
        io: &mut Buffers<'_>,
    ) -> Result<usize, Error> {
        let mut sealed = 0;
        let mut gathered = Vec::new();
        for (at, slice) in slices.iter().enumerate() {
            let mut rest = &slice[..slice.len().min(limit - sealed - gathered.len())];
            let is_last = at + 1 == slices.len();
            while !rest.is_empty() {
                let whole = self.record_len();
                if gathered.is_empty() && (is_last || rest.len() >= whole) {
                    let (part, behind) = rest.split_at(rest.len().min(whole));
                    self.record(part, io)?;
                    sealed += part.len();
                    rest = behind;
                    continue;
                }
                let part = rest.len().min(whole - gathered.len());
                gathered.extend_from_slice(&rest[..part]);
                rest = &rest[part..];
                if gathered.len() == whole {
                    self.record(&gathered, io)?;
                    sealed += whole;
                    gathered.clear();
                }
            }
        }
        if !gathered.is_empty() {
            self.record(&gathered, io)?;
            sealed += gathered.len();
        }
        Ok(sealed)
    }

    /// How much plain text the next record takes.
    fn record_len(&self) -> usize {
        if self.sent < FIRST {
            RECORD_FIRST
        } else {
            RECORD
        }
    }

    fn record(&mut self, plain: &[u8], io: &mut Buffers<'_>) -> Result<(), Error> {
        self.emit(plain.len(), io, |traffic, place| {
            traffic.encrypt(plain, place)
        })?;
        self.sent += plain.len();
        Ok(())
    }

    /// Says the end of our side.
    ///
    /// # Errors
    /// The session has failed, or is not yet open.
    pub fn close(&mut self, io: &mut Buffers<'_>) -> Result<(), Error> {
        self.emit(0, io, |traffic, place| traffic.close(place))
    }

    /// Has rustls do what must come first, then lets `write` fill room for `len` bytes of plain text.
    fn emit(
        &mut self,
        len: usize,
        io: &mut Buffers<'_>,
        mut write: impl FnMut(&mut dyn Traffic, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), Error> {
        for _ in 0..STEPS_MAX {
            if let Some(failure) = &self.failure {
                return Err(failure.clone());
            }
            let step = match &mut self.side {
                Side::Awaited(_) => Step::Idle,
                Side::Server(server) => {
                    let status = server.process_tls_records(&mut io.input[io.used..]);
                    let (used, step) = write_or_advance(status, len, &mut write, io.plain, io.wire);
                    io.used += used;
                    step
                }
                Side::Client(client) => {
                    let status = client.process_tls_records(&mut io.input[io.used..]);
                    let (used, step) = write_or_advance(status, len, &mut write, io.plain, io.wire);
                    io.used += used;
                    step
                }
            };
            match step {
                Step::Again | Step::Early => {}
                Step::Ended => self.closed = true,
                Step::Idle => return Err(Error::HandshakeNotComplete),
                Step::Failed(error) => self.fail(error, io),
                Step::Written => return Ok(()),
            }
        }
        Err(Error::HandshakeNotComplete)
    }

    /// What was settled, as far as the handshake has come. `now` is in seconds since the epoch.
    pub fn opened(&self, now: i64) -> Opened {
        Opened::of(self, now)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("sni", &self.known.sni)
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

/// The bytes that a call works on.
#[derive(Debug)]
pub struct Buffers<'a> {
    /// Records received and not yet opened.
    pub input: &'a mut [u8],
    /// How much of `input` is done with.
    pub used: usize,
    /// Where plain text goes.
    pub plain: &'a mut Vec<u8>,
    /// Where bytes for the peer go.
    pub wire: &'a mut Vec<u8>,
}

impl Buffers<'_> {
    fn unread(&self) -> &[u8] {
        &self.input[self.used..]
    }
}

/// Writes if rustls is ready to, else does what it asks for.
fn write_or_advance<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    len: usize,
    write: &mut dyn FnMut(&mut dyn Traffic, &mut [u8]) -> Result<usize, EncryptError>,
    plain: &mut Vec<u8>,
    wire: &mut Vec<u8>,
) -> (usize, Step) {
    let UnbufferedStatus { discard, state } = status;
    let Ok(ConnectionState::WriteTraffic(mut traffic)) = state else {
        return advance(UnbufferedStatus { discard, state }, plain, wire);
    };
    let before = wire.len();
    // A configured record size may cut the text into more records; each of them is at least this long.
    let records = len.div_ceil(RECORD_MIN).max(2);
    wire.resize(before + len + records * OVERHEAD, 0);
    let written = write(&mut traffic, &mut wire[before..]);
    wire.truncate(before + *written.as_ref().unwrap_or(&0));
    let step = match written {
        Ok(_) => Step::Written,
        Err(error) => Step::Failed(Error::General(error.to_string())),
    };
    (discard, step)
}

/// The smallest record size that may be configured.
const RECORD_MIN: usize = 512;

/// Takes early data, or does what else rustls asks for.
fn early_or_advance(
    status: UnbufferedStatus<'_, '_, ServerConnectionData>,
    plain: &mut Vec<u8>,
    wire: &mut Vec<u8>,
) -> (usize, Step) {
    let UnbufferedStatus { mut discard, state } = status;
    let Ok(ConnectionState::ReadEarlyData(mut early)) = state else {
        return advance(UnbufferedStatus { discard, state }, plain, wire);
    };
    let mut step = Step::Early;
    while let Some(record) = early.next_record() {
        match record {
            Ok(record) => {
                plain.extend_from_slice(record.payload);
                discard += record.discard;
            }
            Err(error) => step = Step::Failed(error),
        }
    }
    (discard, step)
}

/// Carries out what rustls asks for; also says how much of its input is done with.
fn advance<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    plain: &mut Vec<u8>,
    wire: &mut Vec<u8>,
) -> (usize, Step) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = match state {
        Err(error) => Step::Failed(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            let mut step = Step::Again;
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        plain.extend_from_slice(record.payload);
                        discard += record.discard;
                    }
                    Err(error) => step = Step::Failed(error),
                }
            }
            step
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => encode(wire, |place| data.encode(place)),
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
        // Early data is taken before, and never sent.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Span, Word};
    use crate::tls::Store;
    use crate::tls::draft::{BindDraft, GlobalDraft, ServerDraft, Verify};
    use crate::tls::offer::{Offer, Version};

    /// When the fixtures are good.
    const NOW: i64 = 1_800_000_000;

    /// One end of a connection, and what it has to read.
    struct End {
        session: Session,
        input: Vec<u8>,
        plain: Vec<u8>,
        output: Vec<u8>,
    }

    impl End {
        fn new(session: Session) -> Self {
            Self {
                session,
                input: Vec::new(),
                plain: Vec::new(),
                output: Vec::new(),
            }
        }

        fn with<R>(&mut self, call: impl FnOnce(&mut Session, &mut Buffers<'_>) -> R) -> R {
            let mut io = Buffers {
                input: &mut self.input,
                used: 0,
                plain: &mut self.plain,
                wire: &mut self.output,
            };
            let result = call(&mut self.session, &mut io);
            let used = io.used;
            self.input.drain(..used);
            result
        }

        fn take(&mut self, bytes: &[u8]) -> Progress {
            self.input.extend_from_slice(bytes);
            self.with(|session, io| session.open(io, usize::MAX))
        }

        fn say(&mut self, text: &[u8]) -> Result<usize, Error> {
            self.with(|session, io| session.seal(&[IoSlice::new(text)], usize::MAX, io))
        }
    }

    fn fixture(name: &str) -> Word {
        let path = format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
        Word::new(path, Span::default())
    }

    struct Makers(Arc<Acceptor>, Arc<Connector>);

    fn makers(version: Version) -> Makers {
        let offer = Offer {
            min: Some(version),
            max: Some(version),
            ..Offer::default()
        };
        let bind = BindDraft {
            ssl: true,
            crts: vec![fixture("ecdsa.pem")],
            alpn: Some(vec![b"http/1.1".to_vec()]),
            ca_file: Some(fixture("ca.pem")),
            verify: Some(Verify::Optional),
            offer,
            ..BindDraft::default()
        };
        let server = ServerDraft {
            ssl: true,
            ca_file: Some(fixture("ca.pem")),
            crt: Some(fixture("client.pem")),
            ..ServerDraft::default()
        };
        let global = GlobalDraft::default();
        let mut notes = Vec::new();
        let (store, at) = (Store::default(), Span::default());
        let acceptor = Acceptor::new(&bind, &global, &store, (at, 0), &mut notes);
        let connector = Connector::new(&server, &global, &store, at, &mut notes);
        Makers(acceptor.expect("fixtures"), connector.expect("fixtures"))
    }

    impl Makers {
        fn ends(&self) -> (End, End) {
            let client = Session::connect(&self.1, Some(b"example.test")).expect("a name");
            (End::new(client), End::new(Session::accept(self.0.clone())))
        }
    }

    /// Carries bytes both ways in pieces until nothing moves. `spoil` may change what the client sends.
    fn settle(client: &mut End, server: &mut End, piece: usize, spoil: &mut dyn FnMut(&mut [u8])) {
        let _ = client.take(b"");
        loop {
            let mut up = std::mem::take(&mut client.output);
            spoil(&mut up);
            for part in up.chunks(piece) {
                server.take(part);
            }
            let down = std::mem::take(&mut server.output);
            for part in down.chunks(piece) {
                client.take(part);
            }
            if up.is_empty() && down.is_empty() {
                return;
            }
        }
    }

    #[test]
    fn fragmentation_does_not_matter() {
        for version in [Version::Tls12, Version::Tls13] {
            for piece in [1, 7, 100, usize::MAX] {
                let (mut client, mut server) = makers(version).ends();
                settle(&mut client, &mut server, piece, &mut |_| {});
                let opened = server.session.opened(NOW);
                assert_eq!(opened.sni.as_deref(), Some(&b"example.test"[..]));
                assert_eq!(opened.peer.len(), 1);
                let long = vec![b'x'; 3 * RECORD + 5];
                assert_eq!(client.say(&long), Ok(long.len()));
                settle(&mut client, &mut server, piece, &mut |_| {});
                assert_eq!(server.plain, long);
                assert_eq!(server.say(b"back"), Ok(4));
                assert_eq!(server.with(|session, io| session.close(io)), Ok(()));
                settle(&mut client, &mut server, piece, &mut |_| {});
                assert_eq!(client.plain, b"back");
                assert_eq!(client.take(b""), Progress::Ended);
            }
        }
    }

    #[test]
    fn a_second_session_goes_on_from_the_first() {
        for version in [Version::Tls12, Version::Tls13] {
            let makers = makers(version);
            let resumed: Vec<bool> = (0..2)
                .map(|_| {
                    let (mut client, mut server) = makers.ends();
                    settle(&mut client, &mut server, usize::MAX, &mut |_| {});
                    server.session.opened(NOW).resumed
                })
                .collect();
            assert_eq!(resumed, [false, true]);
        }
    }

    #[test]
    fn a_spoilt_byte_ends_the_session_and_nothing_else() {
        for version in [Version::Tls12, Version::Tls13] {
            let makers = makers(version);
            for at in (0..1500_usize).step_by(3) {
                let (mut client, mut server) = makers.ends();
                let mut passed = 0;
                settle(&mut client, &mut server, 64, &mut |bytes| {
                    if let Some(byte) = at.checked_sub(passed).and_then(|at| bytes.get_mut(at)) {
                        *byte ^= 0x41;
                    }
                    passed += bytes.len();
                });
                if server.session.failure().is_some() {
                    assert_eq!(server.take(b"more"), Progress::Failed);
                    assert!(server.say(b"x").is_err());
                }
            }
        }
    }

    #[test]
    fn garbage_fails_once() {
        for garbage in [
            &[0x16, 3, 1, 0, 0][..],
            &[0x15, 3, 1, 0, 2, 2, 40],
            &[0x80, 0x2e, 1, 0, 2],
            b"GET / HTTP/1.1\r\n\r\n",
            &[0; 70_000],
        ] {
            let (_, mut server) = makers(Version::Tls13).ends();
            assert_eq!(
                server.take(garbage),
                Progress::Failed,
                "{:?}",
                &garbage[..4]
            );
            assert_eq!(server.take(garbage), Progress::Failed);
        }
    }
}
