//! Plain text into records, and the word that ends our side.
//!
//! Always true: what rustls has to say first goes before what is written.

use std::io::IoSlice;

use rustls::Error;
use rustls::unbuffered::{ConnectionState, EncryptError, UnbufferedStatus};

use super::step::{Step, advance};
use super::{Buffers, Session, Side};

/// Plain text in one record.
pub(super) const RECORD: usize = 16 * 1024;

/// Plain text in one of the first records: a few of them fit into what TCP sends at once to a peer it does not know yet, which can read
/// them while the rest is under way.
const RECORD_FIRST: usize = 4 * 1024;

/// How much goes in such records before larger ones cost less.
const FIRST: usize = 16 * 1024;

/// The smallest record size that may be configured.
const RECORD_MIN: usize = 512;

/// What encryption adds to a record at most: head, explicit nonce, kind, tag.
const OVERHEAD: usize = 5 + 8 + 1 + 16;

/// Steps that may come before a write: each opens a record that is there or takes a message for the peer.
const STEPS_MAX: usize = 4096;

impl Session {
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

/// Fills a place with records.
type Write<'w> = dyn FnMut(&mut dyn Traffic, &mut [u8]) -> Result<usize, EncryptError> + 'w;

/// Writes if rustls is ready to, else does what it asks for.
fn write_or_advance<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    len: usize,
    write: &mut Write<'_>,
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
