//! Samples: what expressions can look at, fetches that look, converters that change what was seen.

mod census;
mod facts;
mod vars;

pub use census::{
    BackendGauge, Census, Change, FrontendGauge, NoCensus, ProcessGauge, ServerGauge, TableGauge,
};
pub use facts::{
    BackendFacts, BodyView, Captures, ClientFacts, Counter, Counters, ExchangeFacts, Facts,
    FrontendFacts, LogFacts, NoCaptures, Payload, ServerFacts, TcpFacts, Timeouts, Timers,
    TlsFacts, Tracked, UpstreamFacts, Wall,
};
pub use vars::{NoVars, Scope, VarName, Vars};
