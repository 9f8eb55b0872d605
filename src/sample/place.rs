//! Places and sources: where an expression stands, what exists there, and what a fetch needs.
//!
//! Each fetch names the one [`Source`] it reads. A source exists at some [`Place`]s and not at
//! others: there is no response while the request is handled, and no request in a log line that is
//! written after it was forgotten. The table is HAProxy's, so that the same configuration draws
//! the same warnings.

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// `tcp-request connection`.
    FrontConnection,
    /// `tcp-request session`.
    FrontSession,
    /// `tcp-request content` of a frontend.
    FrontContent,
    /// `http-request` of a frontend.
    FrontRequest,
    /// `http-request` of a frontend, waiting for the body.
    FrontRequestBody,
    /// `use_backend`.
    UseBackend,
    /// `tcp-request content` of a backend.
    BackContent,
    /// `http-request` of a backend.
    BackRequest,
    /// `http-request` of a backend, waiting for the body.
    BackRequestBody,
    /// `use-server`, `balance`, `stick match`.
    Pick,
    /// `source` of a server, `sni`, `pool-conn-name`.
    ServerSource,
    /// `tcp-response content` of a backend.
    BackResponseContent,
    /// `http-response` of a backend.
    BackResponse,
    /// `http-response` of a backend, waiting for the body.
    BackResponseBody,
    /// `stick store-response`.
    StickStore,
    /// `tcp-response content` of a frontend.
    FrontResponseContent,
    /// `http-response` of a frontend.
    FrontResponse,
    /// `http-response` of a frontend, waiting for the body.
    FrontResponseBody,
    /// Log lines.
    Log,
    /// `tcp-check` and `http-check`.
    Check,
    /// The configuration itself: `set-var` of the global section.
    Config,
    /// The command line of the stats socket.
    Cli,
}

impl Place {
    /// Every place, in the order of [`Places`]' bits.
    pub const ALL: [Place; 22] = [
        Place::FrontConnection,
        Place::FrontSession,
        Place::FrontContent,
        Place::FrontRequest,
        Place::FrontRequestBody,
        Place::UseBackend,
        Place::BackContent,
        Place::BackRequest,
        Place::BackRequestBody,
        Place::Pick,
        Place::ServerSource,
        Place::BackResponseContent,
        Place::BackResponse,
        Place::BackResponseBody,
        Place::StickStore,
        Place::FrontResponseContent,
        Place::FrontResponse,
        Place::FrontResponseBody,
        Place::Log,
        Place::Check,
        Place::Config,
        Place::Cli,
    ];

    /// HAProxy's words for the place.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Place::FrontConnection => "frontend tcp-request connection rule",
            Place::FrontSession => "frontend tcp-request session rule",
            Place::FrontContent => "frontend tcp-request content rule",
            Place::FrontRequest => "frontend http-request header rule",
            Place::FrontRequestBody => "frontend http-request body rule",
            Place::UseBackend => "frontend use-backend rule",
            Place::BackContent => "backend tcp-request content rule",
            Place::BackRequest => "backend http-request header rule",
            Place::BackRequestBody => "backend http-request body rule",
            Place::Pick => "backend use-server, balance or stick-match rule",
            Place::ServerSource => "server source selection",
            Place::BackResponseContent => "backend tcp-response content rule",
            Place::BackResponse => "backend http-response header rule",
            Place::BackResponseBody => "backend http-response body rule",
            Place::StickStore => "backend stick-store rule",
            Place::FrontResponseContent => "frontend tcp-response content rule",
            Place::FrontResponse => "frontend http-response header rule",
            Place::FrontResponseBody => "frontend http-response body rule",
            Place::Log => "logs",
            Place::Check => "backend tcp-check rule",
            Place::Config => "configuration parser",
            Place::Cli => "CLI parser",
        }
    }

    /// The set of this place alone.
    #[must_use]
    pub const fn only(self) -> Places {
        Places(1 << self as u32)
    }
}

/// A set of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Places(u32);

impl Places {
    /// No place.
    pub const NONE: Places = Places(0);
    /// Every place.
    pub const ALL: Places = Places((1 << Place::ALL.len()) - 1);

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Places) -> Places {
        Places(self.0 | other.0)
    }

    /// What both sets have.
    #[must_use]
    pub const fn and(self, other: Places) -> Places {
        Places(self.0 & other.0)
    }

    /// Whether the place is in the set.
    #[must_use]
    pub const fn has(self, place: Place) -> bool {
        self.0 & place.only().0 != 0
    }

    const fn from_to(first: Place, last: Place) -> Places {
        Places(((1 << (last as u32 + 1)) - 1) & !((1 << first as u32) - 1))
    }
}

/// What a fetch reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Nothing that changes: constants, the clock, variables.
    Constant,
    /// The process and its proxies.
    Internal,
    /// The listening socket.
    Listener,
    /// The frontend.
    Frontend,
    /// The client's addresses.
    ClientAddress,
    /// The client's connection above TCP.
    ClientConnection,
    /// What stick counters track.
    Track,
    /// The bytes of the request's side, or the request's head.
    RequestBuffer,
    /// The request's head.
    RequestHead,
    /// What is remembered of the request.
    RequestKept,
    /// The request's body.
    RequestBody,
    /// The request's or the response's head, whichever there is.
    EitherHead,
    /// The backend.
    Backend,
    /// The server.
    Server,
    /// The connection to the server.
    ServerConnection,
    /// The bytes of the response's side, or the response's head.
    ResponseBuffer,
    /// The response's head.
    ResponseHead,
    /// What is remembered of the response.
    ResponseKept,
    /// The response's body.
    ResponseBody,
    /// The sums at the end of the exchange.
    Ending,
}

impl Source {
    /// The places where the source exists.
    #[must_use]
    pub const fn places(self) -> Places {
        use Place::{
            BackContent, BackResponseContent, Check, Cli, FrontConnection, FrontContent,
            FrontResponseBody, FrontSession, Log, ServerSource,
        };
        let responses = Places::from_to(BackResponseContent, FrontResponseBody);
        match self {
            Source::Constant => Places::ALL,
            Source::Internal | Source::Track => {
                Places::from_to(FrontConnection, Check).or(Cli.only())
            }
            Source::Listener | Source::Frontend => Places::from_to(FrontConnection, Log),
            Source::ClientAddress => Places::from_to(FrontConnection, Check),
            Source::ClientConnection => Places::from_to(FrontSession, Log),
            Source::RequestBuffer | Source::RequestHead | Source::RequestBody => {
                Places::from_to(FrontContent, ServerSource)
            }
            Source::RequestKept => Places::from_to(FrontContent, Log),
            Source::EitherHead => Places::from_to(FrontContent, FrontResponseBody).or(Check.only()),
            Source::Backend => Places::from_to(BackContent, Check),
            Source::Server => Places::from_to(ServerSource, Check),
            Source::ServerConnection | Source::ResponseKept => {
                Places::from_to(BackResponseContent, Check)
            }
            Source::ResponseBuffer | Source::ResponseHead | Source::ResponseBody => {
                responses.or(Check.only())
            }
            Source::Ending => Log.only(),
        }
    }

    /// HAProxy's words for the source.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Source::Constant => "constants",
            Source::Internal => "internal state",
            Source::Listener => "listener",
            Source::Frontend => "frontend",
            Source::ClientAddress => "client address",
            Source::ClientConnection => "client-side connection",
            Source::Track => "track counters",
            Source::RequestBuffer => "request buffer",
            Source::RequestHead => "HTTP request headers",
            Source::RequestKept => "HTTP request",
            Source::RequestBody => "HTTP request body",
            Source::EitherHead => "HTTP request headers,HTTP response headers",
            Source::Backend => "backend",
            Source::Server => "server",
            Source::ServerConnection => "server-side connection",
            Source::ResponseBuffer => "response buffer",
            Source::ResponseHead => "HTTP response headers",
            Source::ResponseKept => "HTTP response",
            Source::ResponseBody => "HTTP response body",
            Source::Ending => "transaction statistics",
        }
    }

    /// Whether the source is part of an HTTP message, which a TCP proxy has only where it parses.
    #[must_use]
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Source::RequestHead
                | Source::RequestKept
                | Source::RequestBody
                | Source::EitherHead
                | Source::ResponseHead
                | Source::ResponseKept
                | Source::ResponseBody
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix as `haproxy -dKsmp` prints it.
    fn row(source: Source) -> String {
        Place::ALL
            .iter()
            .map(|p| if source.places().has(*p) { 'Y' } else { '.' })
            .collect()
    }

    #[test]
    fn the_matrix_is_haproxys() {
        assert_eq!(row(Source::Constant), "YYYYYYYYYYYYYYYYYYYYYY");
        assert_eq!(row(Source::Internal), "YYYYYYYYYYYYYYYYYYYY.Y");
        assert_eq!(row(Source::Listener), "YYYYYYYYYYYYYYYYYYY...");
        assert_eq!(row(Source::ClientAddress), "YYYYYYYYYYYYYYYYYYYY..");
        assert_eq!(row(Source::ClientConnection), ".YYYYYYYYYYYYYYYYYY...");
        assert_eq!(row(Source::RequestHead), "..YYYYYYYYY...........");
        assert_eq!(row(Source::RequestKept), "..YYYYYYYYYYYYYYYYY...");
        assert_eq!(row(Source::EitherHead), "..YYYYYYYYYYYYYYYY.Y..");
        assert_eq!(row(Source::Backend), "......YYYYYYYYYYYYYY..");
        assert_eq!(row(Source::Server), "..........YYYYYYYYYY..");
        assert_eq!(row(Source::ServerConnection), "...........YYYYYYYYY..");
        assert_eq!(row(Source::ResponseHead), "...........YYYYYYY.Y..");
        assert_eq!(row(Source::Ending), "..................Y...");
    }
}
