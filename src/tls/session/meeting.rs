//! The hellos of a session: what a client's asks for chooses who answers it, and the random bytes of both are kept.

use rustls::Error;
use rustls::server::UnbufferedServerConnection;

use super::{Buffers, Session, Side, opened};
use crate::proto::hello::{self, Peek};

/// The kind of record that hellos are in.
const HANDSHAKE: u8 = 22;

/// The alert for a name that nothing is shown for (RFC 6066, section 3): fatal, 112.
const UNRECOGNIZED_NAME: &[u8] = &[21, 3, 3, 0, 2, 2, 112];

/// Bytes of a hello that are waited for before rustls may judge what it got.
const HELLO_MAX: usize = 16 * 1024;

impl Session {
    /// Looks at the hello to choose the context; false while it is incomplete.
    pub(super) fn meet(&mut self, io: &mut Buffers<'_>) -> bool {
        let Side::Awaited(acceptor) = &self.side else {
            return true;
        };
        let chosen = match hello::peek(io.unread()) {
            Peek::More if io.unread().len() < HELLO_MAX => return false,
            Peek::More | Peek::Other => acceptor.context(None),
            Peek::Message(message) => {
                let hello = message.client();
                if let Some(hello) = &hello {
                    self.known.greet(hello, acceptor.capture_max);
                }
                acceptor.context(hello.as_ref())
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
    pub(super) fn note_randoms(&mut self, came: &[u8], goes: &[u8]) {
        let own = usize::from(!matches!(self.side, Side::Client(_)));
        for (side, bytes) in [(own, goes), (1 - own, came)] {
            if self.known.randoms[side].is_none()
                && bytes.first() == Some(&HANDSHAKE)
                && let Peek::Message(message) = hello::peek(bytes)
            {
                self.known.randoms[side] = message.random();
            }
        }
    }
}
