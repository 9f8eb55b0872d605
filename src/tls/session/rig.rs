//! Two ends of a connection without a socket, made of fixtures, and the carrying of bytes between them.

use std::io::IoSlice;
use std::sync::Arc;

use rustls::Error;

use super::{Buffers, Progress, Session};
use crate::lang::{Span, Word};
use crate::tls::draft::{BindDraft, GlobalDraft, ServerDraft, Verify};
use crate::tls::offer::{Offer, Version};
use crate::tls::{Acceptor, Connector, Store};

/// When the fixtures are good.
pub(super) const NOW: i64 = 1_800_000_000;

/// One end of a connection, and what it has to read.
pub(super) struct End {
    pub(super) session: Session,
    pub(super) input: Vec<u8>,
    pub(super) plain: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl End {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            input: Vec::new(),
            plain: Vec::new(),
            output: Vec::new(),
        }
    }

    pub(super) fn with<R>(&mut self, call: impl FnOnce(&mut Session, &mut Buffers<'_>) -> R) -> R {
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

    pub(super) fn take(&mut self, bytes: &[u8]) -> Progress {
        self.input.extend_from_slice(bytes);
        self.with(|session, io| session.open(io, usize::MAX))
    }

    pub(super) fn say(&mut self, text: &[u8]) -> Result<usize, Error> {
        self.with(|session, io| session.seal(&[IoSlice::new(text)], usize::MAX, io))
    }
}

fn fixture(name: &str) -> Word {
    let path = format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    Word::new(path, Span::default())
}

pub(super) struct Makers(Arc<Acceptor>, Arc<Connector>);

pub(super) fn makers(version: Version) -> Makers {
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
    pub(super) fn ends(&self) -> (End, End) {
        let client = Session::connect(&self.1, Some(b"example.test")).expect("a name");
        (End::new(client), End::new(Session::accept(self.0.clone())))
    }
}

/// Carries bytes both ways in pieces until nothing moves. `spoil` may change what the client sends.
pub(super) fn settle(
    client: &mut End,
    server: &mut End,
    piece: usize,
    spoil: &mut dyn FnMut(&mut [u8]),
) {
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
