//! TLS at both ends, over rustls: certificates, contexts, ticket keys, and the records of one connection.
//!
//! Keywords of `bind`, `server` and `global` lines fill the drafts of [`draft`]; `config` makes an [`Acceptor`] or a
//! [`Connector`] of each line, and a connection begins with a [`Session`] of one of them. A session knows no socket: bytes come in,
//! bytes and plain text go out, `wire` moves them.
//!
//! Always true: nothing below TLS 1.2 is spoken, early data is refused, and a session that failed goes on failing. Private keys are
//! read at the start, before privileges are dropped, and never again.

mod acceptor;
mod bundle;
mod connector;
mod der;
pub mod draft;
mod offer;
mod session;
mod shelf;
mod trust;

pub use acceptor::Acceptor;
pub use connector::Connector;
pub use session::{Buffers, Opened, Progress, Session};
