//! Log lines: what they show, how they are written, where they go.
//!
//! A [`Record`] holds the facts of a session, lent by the engine; a [`Format`] turns it into text;
//! a [`Sender`] puts a syslog header before it and sends it to the [`Target`]s of the `log` lines.
//!
//! Always true: writing a line neither waits nor fails, and allocates nothing once its buffers have
//! grown; a line that cannot be sent is dropped and counted. This room decides how a line looks,
//! not whether it is due: levels, `dontlognull` and their kind are the engine's to apply.

mod alias;
mod batch;
mod capture;
mod dates;
mod format;
mod keywords;
mod line;
mod outlet;
mod parse;
pub mod presets;
pub mod profile;
mod received;
mod record;
mod ring;
mod sender;
mod style;
mod target;

pub use batch::PIPE_BYTES_MAX;
pub use capture::{CaptureSlots, CookieCapture};
pub use dates::Dates;
pub use format::{Format, Purpose};
pub use keywords::{Draft, KEYWORDS};
pub use line::{Author, FACILITIES, Facility, Header, Level, Line, Syntax, write_line};
pub use outlet::{Member, Outlets, Route};
pub use parse::{FLAGS, Setting, parse_keyword};
pub use received::{NotALine, RECEIVED_MAX, Received, parse as parse_received, take_frame};
pub use record::{
    CaptureCounts, Counts, Endpoint, Http, Ledger, Origin, Process, Queues, Record, Timers, Tls,
};
pub use ring::{Batch, Ring, SIZE_DEFAULT as RING_SIZE_DEFAULT};
pub use sender::{BATCH_BYTES_MAX, Sender};
pub use style::{Guard, Pen, Style};
pub use target::{LEN_DEFAULT, LEN_MAX, LEN_MIN, Place, Sample, Target};
