//! What expressions see of one exchange, beside its messages: what became of it, what was captured, what its log line says.

use std::borrow::Cow;
use std::sync::Arc;

use super::time::Wall;

/// The facts of one exchange that are neither connection nor message.
#[derive(Debug, Clone, Default)]
pub struct ExchangeFacts {
    /// The wall clock when the request began.
    pub request_date: Wall,
    /// Which rule ended the evaluation: its file and line.
    pub last_rule: Option<(Arc<str>, u32)>,
    /// Which rule, filter or other part ended it or is waited for, and by what name.
    pub last_entity: Option<Arc<str>>,
    /// The priority class `set-priority-class` gave.
    pub priority_class: i32,
    /// The offset `set-priority-offset` gave.
    pub priority_offset: i32,
    /// The response came from the cache of this name.
    pub cache: Option<Arc<str>>,
    /// The response is compressed with this algorithm.
    pub compression: Option<&'static str>,
    /// How often the connection was tried again.
    pub retries: u32,
    /// The request was sent to another server than the chosen one.
    pub redispatched: bool,
    /// The exchange is spoken in HTTP (as opposed to TCP).
    pub is_http: bool,
    /// The status for the client, when the proxy made the response itself.
    pub status: Option<u16>,
}

/// The values of an ended or ending exchange.
#[derive(Debug, Clone, Default)]
pub struct LogFacts {
    /// Bytes received from the client.
    pub request_bytes_in: u64,
    /// Bytes sent to the server.
    pub request_bytes_out: u64,
    /// Bytes received from the server.
    pub response_bytes_in: u64,
    /// Bytes sent to the client.
    pub response_bytes_out: u64,
    /// The termination letters.
    pub termination: [u8; 4],
    /// How many of the letters the mode shows.
    pub termination_len: u8,
    /// Connections at the end: process, frontend, backend, server.
    pub conns: [u32; 4],
    /// The queue's length ahead when it entered: server, backend.
    pub queues: [u32; 2],
}

/// What captures hold. Writing is by interior mutability: rules and converters write.
pub trait Captures {
    /// The request's capture in `slot`.
    fn request(&self, slot: usize) -> Option<Cow<'_, [u8]>>;
    /// The response's capture in `slot`.
    fn response(&self, slot: usize) -> Option<Cow<'_, [u8]>>;
    /// Stores into the request's `slot`.
    fn store_request(&self, slot: usize, bytes: &[u8]);
    /// Stores into the response's `slot`.
    fn store_response(&self, slot: usize, bytes: &[u8]);
}

/// No captures.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCaptures;

impl Captures for NoCaptures {
    fn request(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
    fn response(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
    fn store_request(&self, _: usize, _: &[u8]) {}
    fn store_response(&self, _: usize, _: &[u8]) {}
}
