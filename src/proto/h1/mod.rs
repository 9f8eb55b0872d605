//! HTTP/1.0 and HTTP/1.1 (RFC 9112) as machines over slices.
//!
//! [`HeadParser`] turns bytes into a [`Head`](crate::http::Head), [`request_body`] and [`response_body`] say what follows it,
//! [`Chunked`] walks a chunked body, [`emit_request`] and its siblings write a head out anew, [`Exchange`] couples the two
//! directions: who may use the connection again, and what has to be said about it.
//!
//! Always true: a message is understood in one way and written in exactly that way, or refused with a [`Fault`]; nothing
//! that two parsers could read differently passes. Bytes are never kept here: the caller owns them and appends.

mod announce;
mod body;
mod chunk;
#[cfg(test)]
mod corpus;
mod emit;
mod exchange;
mod fault;
mod host;
mod manners;
mod parse;
mod spelling;

pub use body::{Body, Framing, request_body, response_body};
pub use chunk::{ChunkStep, Chunked, write_chunk_head, write_last_chunk};
pub use emit::{emit_request, emit_response, emit_trailers};
pub use exchange::{Close, Exchange, Policy, Received, Reuse, Role};
pub use fault::{Fault, Reason};
pub use manners::{Forgiven, Manners};
pub use parse::{HeadParser, Kind, Limits, Progress};
pub use spelling::Spelling;
