//! What rustls asks for, carried out: records opened, messages of the handshake and alerts taken for the peer.
//!
//! Always true: one step does one thing that rustls asks for, and says how much of the input is done with.

use rustls::server::ServerConnectionData;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{CommonState, Error};

use super::{Buffers, Session, Side};

/// Chunks that are taken from rustls after a failure.
const ALERTS_MAX: usize = 8;

/// The alert for a certificate that is missing, in the clear, as version 1.3 has it: fatal, 116.
const CERTIFICATE_REQUIRED: &[u8] = &[21, 3, 3, 0, 2, 2, 116];

/// The same for version 1.2: fatal, 40.
const HANDSHAKE_FAILURE: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// What one step of rustls came to.
pub(super) enum Step {
    Again,
    /// The same, and early data was among it.
    Early,
    Idle,
    Ended,
    Written,
    Failed(Error),
}

impl Session {
    pub(super) fn step(&mut self, io: &mut Buffers<'_>) -> Step {
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

    /// Takes the alert that rustls has for the peer. Nothing but that may be asked of it from here on: it would judge the same bytes
    /// again, and insists on a single alert.
    pub(super) fn fail(&mut self, error: Error, io: &mut Buffers<'_>) {
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
}

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
pub(super) fn advance<Data>(
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
