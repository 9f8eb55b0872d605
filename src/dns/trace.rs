//! The steps of one lookup, for those who want to watch. A lookup tells each step as it happens; who listens decides what
//! to keep. Nothing here changes what a lookup does.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::exchange::{Exchanged, Transport};
use super::message::{Kind, Query, Reply};
use super::nss::Status;

/// One step.
#[derive(Debug)]
pub enum Step<'a> {
    /// The name is an address.
    Literal(IpAddr),
    /// A source is asked.
    Source(&'a str),
    /// A source is not known here.
    Skipped(&'a str),
    /// A line of the hosts table, or 0 for what is known without a file.
    Line(IpAddr, u32),
    /// The absolute name that is tried.
    Try(&'a str),
    /// An answer that was kept.
    Kept(Kind, &'a Reply, u32),
    /// A server that has been silent is passed over.
    Silent(SocketAddr),
    /// One exchange with a server.
    Asked {
        /// The server.
        server: SocketAddr,
        /// How it was spoken to.
        transport: Transport,
        /// What was asked.
        queries: &'a [Query],
        /// What came.
        done: &'a Exchanged,
        /// How long it took.
        took: Duration,
    },
    /// What a source said in the end.
    Said(&'a str, Status),
}

/// A listener.
pub trait Trace {
    /// Hears of one step.
    fn step(&mut self, step: &Step<'_>);
}

/// Nobody listens.
impl Trace for () {
    fn step(&mut self, _step: &Step<'_>) {}
}
