//! Samples: what expressions can look at, fetches that look, converters that change what was seen.
//!
//! An [`Expr`] is one fetch and any number of converters, read from the configuration. It is
//! evaluated against [`Facts`] that the engine lends and yields a [`Sampled`] value. The families
//! of fetches and converters are lists of rows ([`Fetch`], [`Conv`]) in `fetch/` and `conv/`.
//!
//! Always true: an expression touches nothing but the facts, and writes only through the traits
//! they lend ([`Vars`], [`Counters`], [`Captures`], [`Census::change`]). It does not know what
//! its value is wanted for.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of values, arguments and matches are open lists here: each place names the kinds it reads"
)]

mod arg;
mod census;
mod conv;
mod expr;
mod facts;
mod fetch;
mod names;
mod place;
#[cfg(test)]
pub(crate) mod rig;
mod row;
mod shelf;
mod vars;

pub use arg::{Arg, Args, Name, Spec, Wants};
pub use census::{
    BackendGauge, Census, Change, FrontendGauge, NoCensus, ProcessGauge, ServerGauge, TableGauge,
};
pub use conv::{JWE_ALGORITHMS, JWE_ENCRYPTIONS, all as all_convs, find as find_conv};
pub use expr::{Expr, NamedTests, NoNamedTests, Reader, Sampled, Test, Walk};
pub use facts::{
    BackendFacts, BodyView, Captures, ClientFacts, Clocks, Counter, Counters, ExchangeFacts, Facts,
    FrontendFacts, Kernel, LogFacts, NoCaptures, NoKernel, Payload, ServerFacts, TcpFacts,
    Timeouts, Timers, TlsFacts, Tracked, UpstreamFacts, Wall,
};
pub use fetch::{all as all_fetches, connection_error, find as find_fetch};
pub use names::Names;
pub use place::{Place, Places, Source};
pub use row::{Check, Checking, Conv, ConvRun, Fetch, Run};
pub use shelf::{Captured, CheckShelves, ProcessShelf, Shelf, Shelves, VarLimits};
pub use vars::{Guard, NoVars, Scope, VarName, Vars};

/// The names of every fetch, for suggestions.
pub fn fetch_names() -> impl Iterator<Item = &'static str> {
    fetch::all().map(|f| f.name)
}
