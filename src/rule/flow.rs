//! What a rule decides: go on, wait, or end here.

use std::sync::Arc;

use crate::time::Millis;

use super::reply::Answer;

/// What evaluating came to.
#[derive(Debug)]
pub enum Flow {
    /// The next rule; after the last one: nothing was decided.
    Continue,
    /// Stop here and come back to the same rule.
    Wait(Wait),
    /// Something the facts show has changed: make them anew and come back to the next rule.
    Renew,
    /// The end of these rules.
    Verdict(Verdict),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// More bytes, for a condition or a fetch; the engine's inspection delay limits it.
    Data,
    /// The body, or enough of it.
    Body {
        /// For so long at most.
        time: Millis,
        /// So many bytes are enough; 0 means all.
        at_least: u64,
    },
    /// The end of the TLS handshake.
    Handshake,
    /// The answer to a name query.
    Lookup,
    /// Time itself.
    Pause(Millis),
}

/// How rules end.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing more to check in this rule set.
    Allow,
    /// The exchange is refused with this answer.
    Deny(Refusal),
    /// The same, after `timeout tarpit`.
    Tarpit(Refusal),
    /// The connection is closed without an answer.
    Reject,
    /// The connection is forgotten without telling the peer.
    Drop {
        /// `rst-ttl`: a reset with this time to live instead of silence.
        reset_ttl: Option<u8>,
    },
    /// The server's connection is closed.
    Close,
    /// The proxy answers in place of the server.
    Answer(Box<Answer>),
    /// The proxy answers with its page of this status.
    Page(u16),
    /// An inner service takes the request.
    Service(Arc<str>),
    /// A response of this cache takes the request.
    Cached(Arc<str>),
    /// The stream goes on as HTTP.
    SwitchMode,
    /// The message is bad: the request's or the response's fault.
    Invalid,
    /// A rule failed: 500.
    Failed,
}

/// A refusal: the status, and the answer unless the proxy's own error page is to be used.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What the rule says to answer; without it, the error page of the status.
    pub answer: Option<Box<Answer>>,
}
