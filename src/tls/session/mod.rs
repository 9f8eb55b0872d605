//! The records of one connection, without a socket.
//!
//! Bytes of the wire come in with [`Session::open`], plain text and bytes for the wire come out; [`Session::seal`] turns plain text into
//! records. All calls get the same unread input, for rustls counts from its beginning. Nothing is kept here between two calls but what rustls needs: who has the socket has the buffers.
//!
//! Always true: a session that failed repeats its failure, after giving out the alert that tells the peer.

mod meeting;
#[cfg(test)]
mod rig;
mod seal;
mod step;

use std::fmt;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, CommonState, Error};

use super::connector::Way;
use super::opened::{self, Opened};
use super::places::Place;
use super::shelf::Entry;
use super::{Acceptor, Connector, Examined};
use step::Step;

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

#[cfg(test)]
mod tests {
    use super::rig::{NOW, makers, settle};
    use super::seal::RECORD;
    use super::*;
    use crate::tls::offer::Version;

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
