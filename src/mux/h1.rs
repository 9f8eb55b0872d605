//! HTTP/1.0 and 1.1 on one connection: heads and bodies of one direction in, of the other direction out.
//!
//! Framing is read once, by `proto::h1`, and written anew. Who may use the connection again, and what each head says about
//! that, is the exchange's to decide. One exchange at a time: what a client pipelines stays in the input until
//! the exchange before it is over.

use super::{Conn, End, Fill, Lane, Lent, Mux, Received, conn::OUTPUT_MAX};
use crate::buf::Output;
use crate::http::{Head, Method};
use std::sync::Arc;

use crate::proto::h1::{
    Body, ChunkStep, Chunked, Close, Exchange, Fault, HeadParser, Kind, Limits, Manners, Policy,
    Progress, Received as Settled, Reuse, Role, Spelling, emit_request, emit_response,
    emit_trailers, write_chunk_head, write_last_chunk,
};
use crate::site::Tune;

/// The state of one connection.
#[derive(Debug)]
pub struct H1 {
    role: Role,
    limits: Limits,
    incoming: Incoming,
    outgoing: Outgoing,
    exchange: Exchange,
    spelling: Option<Arc<Spelling>>,
}

/// What is read.
#[derive(Debug)]
enum Incoming {
    Head(HeadParser),
    Sized { left: u64 },
    Chunked(Box<Trailed>),
    UntilClose,
    Tunnel,
    Complete,
    Broken(Fault),
}

/// A chunked body and the trailers behind it.
#[derive(Debug)]
struct Trailed {
    chunks: Chunked,
    trailers: Box<Head>,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outgoing {
    /// A head comes first.
    Head,
    /// Bytes as they are.
    Plain,
    /// Bytes in chunks.
    Chunked,
    /// Bytes as they are, ended by our end of the connection.
    UntilClose,
    /// Nothing more, whatever comes.
    Complete,
}

impl H1 {
    /// A connection on which nothing has been said.
    pub fn new(role: Role, tune: &Tune, manners: Manners) -> Self {
        let limits = Limits {
            relaxed: manners.relaxed,
            ..Limits::of(tune.buffer_size, tune.max_rewrite, tune.max_headers)
        };
        Self {
            spelling: manners.spelling,
            role,
            incoming: Incoming::Head(HeadParser::new(kind(role), limits)),
            limits,
            outgoing: Outgoing::Head,
            exchange: Exchange::new(role, Policy::KeepAlive).forgiving(manners.forgiven),
        }
    }

    /// Whether a head comes next.
    pub(super) fn awaits_head(&self) -> bool {
        matches!(self.incoming, Incoming::Head(_))
    }

    /// Whether what it is given goes out as a body.
    pub(super) fn sends_body(&self) -> bool {
        match self.outgoing {
            Outgoing::Plain | Outgoing::Chunked | Outgoing::UntilClose => true,
            Outgoing::Head | Outgoing::Complete => false,
        }
    }

    /// Whether that body goes out in chunks.
    pub(super) fn sends_chunks(&self) -> bool {
        self.outgoing == Outgoing::Chunked
    }

    /// How many bytes come next that are nothing but body; `u64::MAX` for all there will ever be.
    pub(super) fn left_unframed(&self) -> u64 {
        match &self.incoming {
            Incoming::Sized { left } => *left,
            Incoming::Chunked(trailed) => trailed.chunks.left_in_chunk(),
            Incoming::UntilClose | Incoming::Tunnel => u64::MAX,
            Incoming::Head(_) | Incoming::Complete | Incoming::Broken(_) => 0,
        }
    }

    /// Takes note of so many of those bytes that went by.
    pub(super) fn note_passed(&mut self, count: u64, lane: &mut Lane) {
        match &mut self.incoming {
            Incoming::Sized { left } => {
                *left = left.saturating_sub(count);
                if *left == 0 {
                    self.received_all();
                    lane.complete(None);
                }
            }
            Incoming::Chunked(trailed) => trailed.chunks.pass(count),
            Incoming::Head(_)
            | Incoming::UntilClose
            | Incoming::Tunnel
            | Incoming::Complete
            | Incoming::Broken(_) => {}
        }
    }

    fn await_head(&mut self) {
        self.incoming = Incoming::Head(HeadParser::new(kind(self.role), self.limits));
    }

    fn begin(&mut self, body: Body, lent: &mut Lent<'_>) {
        self.incoming = match body {
            Body::None | Body::Sized(0) => Incoming::Complete,
            Body::Sized(left) => Incoming::Sized { left },
            Body::Chunked => Incoming::Chunked(Box::new(Trailed {
                chunks: Chunked::new(self.limits),
                trailers: lent.heads.take(),
            })),
            Body::UntilClose => Incoming::UntilClose,
            Body::Tunnel => Incoming::Tunnel,
        };
    }

    fn received_all(&mut self) {
        self.incoming = Incoming::Complete;
        match self.role {
            Role::Front => self.exchange.request_done(),
            Role::Back => self.exchange.response_done(),
        }
    }

    fn sent_all(&mut self) {
        self.outgoing = Outgoing::Complete;
        match self.role {
            Role::Front => self.exchange.response_done(),
            Role::Back => self.exchange.request_done(),
        }
    }

    fn broken(&mut self, fault: Fault) -> Received {
        self.incoming = Incoming::Broken(fault);
        self.exchange.abandon();
        Received::Broken(fault)
    }

    /// Settles a complete head: what body follows, or that it is an interim one.
    fn settle(&mut self, head: &mut Head) -> Result<Settled, Fault> {
        match self.role {
            Role::Front => self.exchange.receive_request(head).map(Settled::Final),
            Role::Back => self.exchange.receive_response(head),
        }
    }
}

/// Writes a head, spelled as the peer wants it.
fn written(tail: &mut Vec<u8>, spelling: Option<&Spelling>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = tail.len();
    write(tail);
    if let Some(spelling) = spelling {
        spelling.apply(&mut tail[start..]);
    }
}

fn kind(role: Role) -> Kind {
    match role {
        Role::Front => Kind::Request,
        Role::Back => Kind::Response,
    }
}

impl From<Body> for Outgoing {
    fn from(body: Body) -> Self {
        match body {
            Body::None | Body::Sized(0) => Self::Complete,
            Body::Sized(_) => Self::Plain,
            Body::Chunked => Self::Chunked,
            Body::UntilClose | Body::Tunnel => Self::UntilClose,
        }
    }
}

/// Reads and understands until the lane has something new.
pub(super) fn receive(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Received {
    loop {
        let Mux::H1(h1) = &conn.mux else {
            return Received::Blocked;
        };
        let step = match &h1.incoming {
            Incoming::Complete => return Received::Full,
            Incoming::Broken(fault) => return Received::Broken(*fault),
            _ if !lane.room() => return Received::Full,
            Incoming::Head(_) if conn.pending().is_empty() => None,
            Incoming::Head(_) => receive_head(conn, lane, lent),
            Incoming::Sized { left } => {
                let left = *left;
                receive_sized(conn, lane, lent, left)
            }
            Incoming::Chunked(_) => receive_chunked(conn, lane, lent),
            Incoming::UntilClose | Incoming::Tunnel => receive_plain(conn, lane, lent),
        };
        if let Some(received) = step {
            return received;
        }
        match conn.fill(lent.pool, lent.now) {
            Fill::Got => {}
            Fill::Blocked => return Received::Blocked,
            Fill::Starved => return Received::Starved,
            Fill::Ended => return ended(conn, lane),
            Fill::Failed => {
                lane.abort();
                return Received::Closed;
            }
        }
    }
}

/// The peer ended its side: the end of some bodies, the break of others.
pub(super) fn ended(conn: &mut Conn, lane: &mut Lane) -> Received {
    let Mux::H1(h1) = &mut conn.mux else {
        return Received::Closed;
    };
    match h1.incoming {
        Incoming::UntilClose | Incoming::Tunnel => {
            h1.received_all();
            lane.complete(None);
            Received::Full
        }
        Incoming::Head(_)
        | Incoming::Sized { .. }
        | Incoming::Chunked(_)
        | Incoming::Complete
        | Incoming::Broken(_) => {
            lane.abort();
            Received::Closed
        }
    }
}

fn receive_head(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Option<Received> {
    let Mux::H1(h1) = &mut conn.mux else {
        return None;
    };
    let Incoming::Head(parser) = &mut h1.incoming else {
        return None;
    };
    let pending = conn.input.as_deref().unwrap_or_default();
    let mut head = lane.take_draft().unwrap_or_else(|| lent.heads.take());
    let parsed = parser.advance(pending, &mut head);
    let consumed = match parsed {
        Ok(Progress::Done { consumed }) => consumed,
        Ok(Progress::More) => {
            lane.put_draft(head);
            return None;
        }
        Err(fault) => {
            lane.put_draft(head);
            return Some(h1.broken(fault));
        }
    };
    match h1.settle(&mut head) {
        Err(fault) => {
            lane.put_draft(head);
            return Some(h1.broken(fault));
        }
        Ok(Settled::Interim) => h1.await_head(),
        Ok(Settled::Final(body)) => {
            lane.announce(body);
            h1.begin(body, lent);
        }
    }
    lane.put_head(head);
    if matches!(h1.incoming, Incoming::Complete) {
        h1.received_all();
        lane.complete(None);
    }
    conn.consume(lent.pool, consumed);
    Some(Received::Progress)
}

fn receive_sized(
    conn: &mut Conn,
    lane: &mut Lane,
    lent: &mut Lent<'_>,
    left: u64,
) -> Option<Received> {
    let data = conn.take_pending(lent.pool, left)?;
    let left = left - data.len() as u64;
    lane.put_data(data);
    let Mux::H1(h1) = &mut conn.mux else {
        return None;
    };
    if left == 0 {
        h1.received_all();
        lane.complete(None);
    } else {
        h1.incoming = Incoming::Sized { left };
    }
    Some(Received::Progress)
}

fn receive_plain(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Option<Received> {
    let data = conn.take_pending(lent.pool, u64::MAX)?;
    lane.put_data(data);
    Some(Received::Progress)
}

/// Goes on in the chunks that are pending.
fn receive_chunked(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Option<Received> {
    let mut moved = false;
    while lane.room() {
        let Mux::H1(h1) = &mut conn.mux else {
            return None;
        };
        let Incoming::Chunked(trailed) = &mut h1.incoming else {
            return None;
        };
        let pending = conn.input.as_deref().unwrap_or_default();
        if pending.is_empty() {
            break;
        }
        match trailed.chunks.advance(pending, &mut trailed.trailers) {
            Err(fault) => return Some(h1.broken(fault)),
            Ok(ChunkStep::More) => break,
            Ok(ChunkStep::Skip(count)) => conn.consume(lent.pool, count),
            Ok(ChunkStep::Data(count)) => {
                moved = true;
                // What is followed by another chunk is copied in any case.
                if count < pending.len() && lane.put_copy(&pending[..count]) {
                    conn.consume(lent.pool, count);
                    continue;
                }
                let Some(data) = conn.take_pending(lent.pool, count as u64) else {
                    break;
                };
                lane.put_data(data);
            }
            Ok(ChunkStep::End { consumed }) => {
                let trailers = std::mem::take(&mut trailed.trailers);
                h1.received_all();
                lane.complete((!trailers.is_empty()).then_some(trailers));
                conn.consume(lent.pool, consumed);
                return Some(Received::Progress);
            }
        }
    }
    moved.then_some(Received::Progress)
}

/// Hands the lane's data over in the framing that the head announced.
pub(super) fn send(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) {
    let Mux::H1(h1) = &mut conn.mux else { return };
    match h1.outgoing {
        Outgoing::Head => return,
        Outgoing::Complete => {
            while let Some(data) = lane.take_data() {
                lent.pool.give_back(data);
            }
        }
        Outgoing::Plain | Outgoing::UntilClose | Outgoing::Chunked => {}
    }
    let chunked = h1.outgoing == Outgoing::Chunked;
    while conn.output.len() < OUTPUT_MAX {
        let Some(data) = lane.take_data() else { break };
        if !chunked {
            conn.output.push(lent.pool, data);
            continue;
        }
        push_chunk_head(&mut conn.output, data.len() as u64, lent);
        conn.output.push(lent.pool, data);
        conn.output
            .write_with(lent.pool, 2, |tail| tail.extend_from_slice(b"\r\n"));
    }
    if lane.end() == End::Complete && lane.queued() == 0 {
        finish(conn, lane, lent);
    }
}

/// Announces a chunk of `len` bytes.
pub(super) fn push_chunk_head(output: &mut Output, len: u64, lent: &mut Lent<'_>) {
    output.write_with(lent.pool, CHUNK_HEAD_MAX, |tail| {
        write_chunk_head(len, tail)
    });
}

/// Longest head of a chunk: sixteen digits and the line's end.
const CHUNK_HEAD_MAX: usize = 18;

fn finish(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) {
    let trailers = lane.take_trailers();
    let Mux::H1(h1) = &mut conn.mux else { return };
    if h1.outgoing == Outgoing::Chunked {
        let hint = trailers
            .as_ref()
            .map_or(5, |trailers| trailers.wire_len() + 5);
        conn.output.write_with(lent.pool, hint, |tail| {
            write_last_chunk(tail);
            if let Some(trailers) = &trailers {
                emit_trailers(trailers, tail);
            }
            tail.extend_from_slice(b"\r\n");
        });
    }
    if let Some(trailers) = trailers {
        lent.heads.give_back(trailers);
    }
    if h1.outgoing == Outgoing::Plain || h1.outgoing == Outgoing::Chunked {
        h1.sent_all();
    }
}

impl Conn {
    /// Writes a request's head with what this connection has to say in it.
    pub fn send_request(
        &mut self,
        head: &mut Head,
        body: Body,
        policy: Policy,
        lent: &mut Lent<'_>,
    ) {
        let Mux::H1(h1) = &mut self.mux else { return };
        h1.await_head();
        h1.exchange = Exchange::new(Role::Back, policy).forgiving(h1.exchange.forgiven());
        let body = h1.exchange.send_request(head, body);
        h1.outgoing = Outgoing::from(body);
        self.output.write_with(lent.pool, head.wire_len(), |tail| {
            written(tail, h1.spelling.as_deref(), |tail| {
                emit_request(head, tail)
            });
        });
    }

    /// Writes an interim response's head, if the client takes any.
    pub fn send_interim(&mut self, head: &Head, lent: &mut Lent<'_>) {
        if let Mux::H1(h1) = &self.mux
            && h1.exchange.takes_interim()
        {
            self.output.write_with(lent.pool, head.wire_len(), |tail| {
                written(tail, h1.spelling.as_deref(), |tail| {
                    emit_response(head, tail)
                });
            });
            self.flush(lent.pool, lent.now);
        }
    }

    /// Writes a response's head with what this connection has to say in it.
    pub fn send_response(&mut self, head: &mut Head, body: Body, lent: &mut Lent<'_>) {
        let Mux::H1(h1) = &mut self.mux else { return };
        let body = h1.exchange.send_response(head, body);
        h1.outgoing = if h1.exchange.method() == Method::Head {
            Outgoing::Complete
        } else {
            Outgoing::from(body)
        };
        if h1.outgoing == Outgoing::Complete {
            h1.sent_all();
        }
        if body == Body::Tunnel {
            h1.incoming = Incoming::Tunnel;
        }
        self.output.write_with(lent.pool, head.wire_len(), |tail| {
            written(tail, h1.spelling.as_deref(), |tail| {
                emit_response(head, tail)
            });
        });
    }

    /// Turns a server's connection into a tunnel after its answer said so.
    pub fn open_tunnel(&mut self) {
        if let Mux::H1(h1) = &mut self.mux {
            h1.outgoing = Outgoing::UntilClose;
        }
    }

    /// Has the connection end with the exchange at hand.
    pub fn close_after(&mut self, why: Close) {
        if let Mux::H1(h1) = &mut self.mux {
            h1.exchange.close_after(why);
        }
    }

    /// Whether the client waits for permission to send its body.
    pub fn expects_continue(&self) -> bool {
        matches!(&self.mux, Mux::H1(h1) if h1.exchange.expects_continue())
    }

    /// The client was told to send its body.
    pub fn body_invited(&mut self) {
        if let Mux::H1(h1) = &mut self.mux {
            h1.exchange.body_invited();
        }
    }

    /// Whether both messages have passed and the connection may carry more.
    pub fn is_reusable(&self) -> bool {
        let clean =
            !self.shut.read && !self.shut.write && !self.shut.failed && self.output.is_empty();
        match &self.mux {
            Mux::Raw => false,
            Mux::H1(h1) => {
                let quiet = h1.role == Role::Front || self.input.is_none();
                clean && quiet && h1.exchange.reuse() == Reuse::Now
            }
        }
    }

    /// Makes a client's connection ready for its next exchange.
    pub fn next_exchange(&mut self) {
        if let Mux::H1(h1) = &mut self.mux {
            h1.await_head();
            h1.outgoing = Outgoing::Head;
            let forgiven = h1.exchange.forgiven();
            h1.exchange = Exchange::new(h1.role, Policy::KeepAlive).forgiving(forgiven);
        }
    }

    /// The message that was sent is complete: where nothing else says so, our end of the stream does.
    pub(crate) fn finish_message(&mut self) {
        let ends = match &self.mux {
            Mux::Raw => true,
            Mux::H1(h1) => h1.outgoing == Outgoing::UntilClose,
        };
        if ends {
            self.shutdown_write();
        }
    }
}
