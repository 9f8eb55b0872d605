//! Peers: processes that tell each other what changes in their stick tables (HAProxy's peers protocol, version 2.1).
//!
//! A [`Section`] is what a `peers` section became: members, shared tables, and how far each member is. A [`Session`] is the protocol
//! of one connection: bytes in, bytes out, tables read and changed. Who connects, accepts and keeps time is not its concern.
//!
//! Always true: a session that failed stays failed; what a peer says changes tables only within their size, and never what concerns
//! this process alone; changes that came from a peer are not told to others, as each tells all.

mod draft;
mod hello;
mod lesson;
mod message;
mod number;
mod pupil;
mod section;
mod session;
mod shards;
mod teacher;

pub use draft::{Draft, Line};
pub use section::{Member, Section, Shared, show};
pub use session::{Around, Fault, Session};
pub use shards::Shards;
