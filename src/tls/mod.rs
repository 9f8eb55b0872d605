//! TLS at both ends, over rustls: certificates, contexts, ticket keys, and the records of one connection.
//!
//! Keywords of `bind`, `server` and `global` lines fill the drafts of [`draft`]; `config` makes an [`Acceptor`] or a
//! [`Connector`] of each line with the files in a [`Store`], and a connection begins with a [`Session`] of one of them. A session knows no socket: bytes come in,
//! bytes and plain text go out, `wire` moves them.
//!
//! Always true: nothing below TLS 1.2 is spoken, and a session that failed goes on failing. Private keys are
//! read at the start, before privileges are dropped; later ones come by the stats socket.

mod acceptor;
mod bundle;
mod connector;
mod court;
pub mod draft;
mod files;
mod forge;
mod issuers;
mod keylog;
mod names;
mod ocsp;
mod offer;
mod opened;
mod places;
mod profile;
mod session;
mod sessions;
mod shelf;
mod store;
mod text;
mod tickets;
mod trust;
mod verdict;
mod web;

pub use acceptor::Acceptor;
pub use connector::Connector;
pub use opened::Opened;
pub use places::{Figures, Happening};
pub use session::{Buffers, Progress, Session};
pub use store::{Duty, Kind, LoadedFrom, Question, Store};
pub use verdict::{Examined, Refusal, Verdict};
