//! Log lines: what they show, how they are written, where they go.
//!
//! A [`Record`] holds the facts of a session, lent by the engine. A format turns it into text.

mod record;

pub use record::{Captures, Counts, Endpoint, Http, Origin, Process, Queues, Record, Timers, Tls};
