//! Stick tables.
//!
//! * What this is: [`Table`], a bounded store from keys (addresses, numbers, texts, bytes) to counters, rates, tags and
//!   servers; its keyword; and its text on the stats socket ([`show`]).
//! * Where data comes from and goes: rules track keys and the engine notes what happens to them; sample fetches read;
//!   persistence by table stores and finds servers.
//! * What is always true: no more entries than the size, across all workers; an entry that is tracked stays; without
//!   use it goes when its time is over; a lock covers one shard for one operation, never a traversal.
//! * What it deliberately does not do: it takes no time itself, wakes nobody, and knows no peers' protocol: it only writes down what changed, for those who do.

mod copy;
mod datum;
mod draft;
mod journal;
mod key;
mod shard;
pub mod show;
mod table;

pub use copy::{Copied, Copy};
pub use datum::{ARRAY_LEN_MAX, DATA, Datum, Form, Layout, Stored};
pub use draft::{Draft, KEYWORDS, Written};
pub use key::{Key, Kind};
pub use shard::EntryRef;
pub use table::{Event, Settings, Standing, Table};
