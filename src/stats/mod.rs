//! Counters and how they are shown.
//!
//! * What this is: [`Tally`], the counters of one object, sharded by worker; [`Snapshot`] and [`InfoView`], what readers
//!   see; and the outputs made of them: CSV, typed and JSON for the stats socket, the page, and Prometheus' format.
//! * Where data comes from and goes: the engine reports endings and events, the site gathers snapshots, the command line
//!   and the statistics page ask for text.
//! * What is always true: counting takes no lock and no locked instruction; every column is one row of a table, and
//!   every output prints that table.
//! * What it deliberately does not do: it knows no site, no socket and no clock.

mod columns;
mod count;
mod ending;
pub mod html;
mod info;
pub mod json;
pub mod prometheus;
#[cfg(test)]
mod rig;
mod shard;
mod snapshot;
pub mod text;

pub use columns::{COLUMNS, Cell, Column};
pub use count::{Count, Pace, Span};
pub use ending::{Cause, Ending, Role};
pub use info::{FIELDS, Field, InfoView, plain as info_plain, typed as info_typed};
pub use shard::{Folded, Tally};
pub use snapshot::{
    BackView, CheckView, Colour, Kind, ObjectView, ProxyView, Selection, ServerCensus, ServerView,
    Snapshot,
};
