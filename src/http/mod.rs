//! HTTP messages as values.
//!
//! A [`Head`] is the start line and the fields of one message, whatever protocol carried it; the wire formats of [`crate::proto`]
//! fill it and write it out, the rules read and edit it. Around it stand the words of HTTP: methods, statuses, known field
//! names, targets, cookies.
//!
//! Always true: nothing in here does I/O or knows of a connection, and a head never holds a byte that a strict parser would
//! refuse. Framing (which body follows) belongs to `proto::h1`.

pub mod codes;
pub mod cookie;
pub(crate) mod grammar;
mod head;
mod known;
mod list;
mod method;
mod name;
mod status;
pub mod uri;

pub use grammar::{is_token, is_token_byte, trim};
pub use head::{Fields, Head};
pub use known::{Known, KnownSet};
pub use list::{Values, has_token};
pub use method::Method;
pub use name::FieldName;
pub use status::{Status, Version};
