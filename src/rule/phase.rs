//! When rules run: the seven rule sets, and what an expression may read in each.
//!
//! A [`Phase`] is one of HAProxy's rule keywords. The matrix of expressions is `sample`'s; this file
//! says at which of its places a phase stands, in frontends and in backends.

use crate::sample::Place;

/// One of the rule sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// `tcp-request connection`: a connection was accepted, nothing was read.
    Connection,
    /// `tcp-request session`: the handshakes are over.
    Session,
    /// `tcp-request content`: bytes are arriving from the client.
    RequestContent,
    /// `tcp-response content`: bytes are arriving from the server.
    ResponseContent,
    /// `http-request`: the request's head is complete.
    Request,
    /// `http-response`: the response's head is complete.
    Response,
    /// `http-after-response`: a response, whoever made it, is about to be sent.
    AfterResponse,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 7] = [
        Phase::Connection,
        Phase::Session,
        Phase::RequestContent,
        Phase::ResponseContent,
        Phase::Request,
        Phase::Response,
        Phase::AfterResponse,
    ];

    /// The keyword.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Phase::Connection => "tcp-request connection",
            Phase::Session => "tcp-request session",
            Phase::RequestContent => "tcp-request content",
            Phase::ResponseContent => "tcp-response content",
            Phase::Request => "http-request",
            Phase::Response => "http-response",
            Phase::AfterResponse => "http-after-response",
        }
    }

    /// Whether the rules need an HTTP proxy.
    #[must_use]
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Phase::Request | Phase::Response | Phase::AfterResponse
        )
    }

    /// Whether the rules see the response.
    #[must_use]
    pub fn is_response(self) -> bool {
        matches!(
            self,
            Phase::ResponseContent | Phase::Response | Phase::AfterResponse
        )
    }

    /// Where expressions of a rule stand, in a frontend or in a backend.
    #[must_use]
    pub fn place(self, backend: bool) -> Place {
        match (self, backend) {
            (Phase::Connection, _) => Place::FrontConnection,
            (Phase::Session, _) => Place::FrontSession,
            (Phase::RequestContent, false) => Place::FrontContent,
            (Phase::RequestContent, true) => Place::BackContent,
            (Phase::ResponseContent, false) => Place::FrontResponseContent,
            (Phase::ResponseContent, true) => Place::BackResponseContent,
            (Phase::Request, false) => Place::FrontRequest,
            (Phase::Request, true) => Place::BackRequest,
            (Phase::Response | Phase::AfterResponse, false) => Place::FrontResponse,
            (Phase::Response | Phase::AfterResponse, true) => Place::BackResponse,
        }
    }

    /// The set of this phase alone.
    #[must_use]
    pub const fn only(self) -> Phases {
        Phases(1 << self as u8)
    }
}

/// A set of phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Phases(u8);

impl Phases {
    /// `tcp-request connection` and `session`.
    pub const EARLY: Phases = Phase::Connection.only().or(Phase::Session.only());
    /// `tcp-request content` and `http-request`.
    pub const REQUEST: Phases = Phase::RequestContent.only().or(Phase::Request.only());
    /// `tcp-response content` and `http-response`.
    pub const RESPONSE: Phases = Phase::ResponseContent.only().or(Phase::Response.only());
    /// Everything on the request's way.
    pub const FORTH: Phases = Phases::EARLY.or(Phases::REQUEST);
    /// The three of HTTP.
    pub const HTTP: Phases = Phase::Request
        .only()
        .or(Phase::Response.only())
        .or(Phase::AfterResponse.only());
    /// The four of TCP.
    pub const TCP: Phases = Phases::EARLY
        .or(Phase::RequestContent.only())
        .or(Phase::ResponseContent.only());
    /// `http-response` and `http-after-response`.
    pub const HTTP_RESPONSES: Phases = Phase::Response.only().or(Phase::AfterResponse.only());
    /// All.
    pub const ALL: Phases = Phases::TCP.or(Phases::HTTP);

    /// Both sets.
    #[must_use]
    pub const fn or(self, other: Phases) -> Phases {
        Phases(self.0 | other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Phases) -> Phases {
        Phases(self.0 & !other.0)
    }

    /// Whether the phase is in the set.
    #[must_use]
    pub const fn has(self, phase: Phase) -> bool {
        self.0 & phase.only().0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        assert!(Phase::ALL.iter().all(|phase| Phases::ALL.has(*phase)));
        assert!(Phases::HTTP.has(Phase::AfterResponse) && !Phases::HTTP.has(Phase::Session));
        assert!(!Phases::ALL.without(Phases::EARLY).has(Phase::Connection));
        for phase in Phase::ALL {
            assert_eq!(Phases::HTTP.has(phase), phase.is_http());
        }
    }
}
