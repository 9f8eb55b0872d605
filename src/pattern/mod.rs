//! Patterns: what values are compared with, and the sets and maps that hold many of them.
//!
//! A [`Reference`] is a list of lines, each a key with or without a value: a pattern file, a map
//! file, or the words of an ACL. A [`View`] is that list made ready for one way of matching
//! ([`Match`]): a hash table, sorted prefixes, networks, compiled expressions. ACLs and converters
//! hold views; the stats socket and the rules edit references, and every view follows. The
//! [`Library`] knows all references of a configuration by name and number.
//!
//! Always true: a view that was never edited is read without a lock and without copying; looking a
//! value up costs a logarithm of the set's size or less, except for substrings and regular
//! expressions, which cost the text's length. Reading files is left to the caller of
//! [`Library::file`].

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of values, arguments and matches are open lists here: each place names the kinds it reads"
)]

mod exact;
mod fault;
mod found;
mod index;
mod inside;
mod layers;
mod library;
mod lines;
mod method;
mod network;
mod number;
mod reference;
mod regex;
mod regexes;
mod sorted;
mod substring;
mod translate;
mod versions;
mod view;

pub use fault::EditFault;
pub use found::Found;
pub use library::{FileReader, Library, Purpose};
pub use lines::{Lines, Row};
pub use method::Match;
pub use network::parse_network;
pub use number::{Operator, Range};
pub use reference::{Entry, Reference};
pub use regex::{Groups, Regex};
pub use view::View;
