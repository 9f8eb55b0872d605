//! The facts: everything an expression may look at, lent by whoever evaluates it.
//!
//! The engine fills a [`Facts`] from the connection, the messages and the site just before it asks;
//! a test writes one down. Expressions never see a stream or a socket, so an expression cannot
//! depend on anything that is not named here.
//!
//! Every part may be missing: at the place where the expression stands it may not exist yet. A
//! fetch whose fact is missing yields nothing; a fetch whose fact is still arriving says so unless
//! [`Facts::last_call`] is set. Nothing here blocks, and only the traits marked as writing
//! ([`Vars`], [`Counters`], [`Captures`]) change anything.
//!
//! Each file here has one noun's share of it.

mod connection;
mod counter;
mod exchange;
mod proxy;
mod time;

pub use connection::{ClientFacts, Kernel, NoKernel, TcpFacts, TlsFacts, UpstreamFacts};
pub use counter::{Counter, Counters, Tracked};
pub use exchange::{Captures, ExchangeFacts, LogFacts, NoCaptures};
pub use proxy::{BackendFacts, FrontendFacts, ServerFacts};
pub use time::{Clocks, Timeouts, Timers, Wall};

use std::net::SocketAddr;

use crate::http::Head;
use crate::time::Tick;

use super::census::{Census, NoCensus};
use super::vars::{NoVars, Vars};
use time::NoClocks;

/// Everything one evaluation may look at.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The moment of evaluation.
    pub now: Tick,
    /// The same moment on the wall clock.
    pub date: Wall,
    /// Nothing more will arrive at this place: what is missing stays missing. Set when the
    /// inspection delay is over, the message is complete, or the place cannot wait.
    pub last_call: bool,
    /// The client's connection.
    pub client: Option<&'a ClientFacts<'a>>,
    /// The client's address as the rules see it: `set-src` may have changed it.
    pub src: Option<SocketAddr>,
    /// The address the client reached, as the rules see it: `set-dst` may have changed it.
    pub dst: Option<SocketAddr>,
    /// The frontend.
    pub frontend: Option<&'a FrontendFacts>,
    /// The backend, once one was chosen.
    pub backend: Option<&'a BackendFacts>,
    /// The server, once one was chosen.
    pub server: Option<&'a ServerFacts>,
    /// The connection to the server, once there is one.
    pub upstream: Option<&'a UpstreamFacts>,
    /// The request's head, edited as far as the rules came.
    pub request: Option<&'a Head>,
    /// The request's body as far as it is buffered.
    pub request_body: BodyView<'a>,
    /// The response's head.
    pub response: Option<&'a Head>,
    /// The response's body as far as it is buffered.
    pub response_body: BodyView<'a>,
    /// The client's bytes waiting in front of content rules, when the stream is no HTTP.
    pub payload: Payload<'a>,
    /// The server's bytes waiting in front of content rules, when the stream is no HTTP.
    pub response_payload: Payload<'a>,
    /// The facts of this one exchange.
    pub exchange: Option<&'a ExchangeFacts>,
    /// The request line as the client wrote it, without its end: it survives the rules' edits.
    pub request_line: &'a [u8],
    /// The values of an ended or ending exchange, for log formats.
    pub log: Option<&'a LogFacts>,
    /// The unique id, when the frontend makes one.
    pub unique_id: Option<&'a [u8]>,
    /// The variables of every scope.
    pub vars: &'a dyn Vars,
    /// What the stick counters track, by number.
    pub tracked: &'a [Option<Tracked<'a>>],
    /// What the rest of the site looks like.
    pub census: &'a dyn Census,
    /// What `capture` lines and rules took from the messages.
    pub captures: &'a dyn Captures,
    /// What the kernel measures of the connections.
    pub kernel: &'a dyn Kernel,
    /// The times of the exchange.
    pub clocks: &'a dyn Clocks,
}

impl Facts<'static> {
    /// Facts about nothing: what a test or a check starts from.
    #[must_use]
    pub fn none() -> Facts<'static> {
        Facts {
            now: Tick::default(),
            date: Wall::default(),
            last_call: true,
            client: None,
            src: None,
            dst: None,
            frontend: None,
            backend: None,
            server: None,
            upstream: None,
            request: None,
            request_body: BodyView::NONE,
            response: None,
            response_body: BodyView::NONE,
            payload: Payload::NONE,
            response_payload: Payload::NONE,
            exchange: None,
            request_line: &[],
            log: None,
            unique_id: None,
            vars: &NoVars,
            tracked: &[],
            census: &NoCensus,
            captures: &NoCaptures,
            kernel: &NoKernel,
            clocks: &NoClocks,
        }
    }
}

impl Facts<'_> {
    /// Whether a request with this head asks for credentials as a proxy does (RFC 9110 section 11.7): where the frontend says so,
    /// and the target is no path.
    #[must_use]
    pub fn asks_as_proxy(&self, head: &Head) -> bool {
        self.frontend.is_some_and(|own| own.use_proxy_header)
            && !head.target().starts_with(b"/")
            && !head.target().starts_with(b"*")
    }
}

/// A message's body as far as it is buffered.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyView<'a> {
    /// The buffered bytes, transfer coding removed.
    pub bytes: &'a [u8],
    /// Whether these are all.
    pub complete: bool,
    /// Whether somebody waits for the body: only then is an incomplete body worth waiting for.
    pub awaited: bool,
    /// The size the message announced.
    pub announced: Option<u64>,
}

impl BodyView<'_> {
    /// No body.
    pub const NONE: BodyView<'static> = BodyView {
        bytes: &[],
        complete: true,
        awaited: false,
        announced: None,
    };
}

/// Bytes waiting in front of content rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Payload<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether no more can come: the peer has closed or the buffer is full.
    pub complete: bool,
}

impl Payload<'_> {
    /// Nothing, and nothing to come.
    pub const NONE: Payload<'static> = Payload {
        bytes: &[],
        complete: true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_shorten_their_lifetime() {
        fn same<'a>(_: &'a Facts<'a>) {}
        let none = Facts::none();
        let bytes = vec![1];
        let facts = Facts {
            unique_id: Some(&bytes),
            ..none
        };
        same(&facts);
        assert_eq!(facts.unique_id, Some(&[1][..]));
    }
}
