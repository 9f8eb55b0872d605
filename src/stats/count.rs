//! What is counted: events, paces and times, by the names that processes hand them on under.

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One thing that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Count { $($(#[$doc])* $name,)* }

        impl Count {
            /// Every count, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name, the same in every version that has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The count of this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|count| count.name() == name)
            }
        }
    };
}

counts! {
    // What each request of a server moves comes first.
    /// Connections accepted.
    Connections,
    /// Sessions: connections that got past the first rules, or exchanges a server was given.
    Sessions,
    /// Requests received.
    Requests,
    /// Bytes from clients.
    BytesIn,
    /// Bytes to clients.
    BytesOut,
    /// Requests given to the object by balancing.
    Balanced,
    /// Requests sent over a connection that stood open.
    Reuses,
    /// Responses 200 to 299.
    Responses2xx,
    /// Requests a rule denied.
    DeniedRequests,
    /// Responses a rule denied.
    DeniedResponses,
    /// Connections a rule denied.
    DeniedConnections,
    /// Sessions a rule denied.
    DeniedSessions,
    /// Requests that were malformed, too slow or given up.
    FailedRequests,
    /// Connections to servers that failed.
    FailedConnections,
    /// Responses that were malformed or broken off.
    FailedResponses,
    /// Attempts to connect again.
    Retries,
    /// Requests moved to another server.
    Redispatches,
    /// Transfers the client broke off.
    ClientAborts,
    /// Transfers the server broke off.
    ServerAborts,
    /// Responses 100 to 199.
    Responses1xx,
    /// Responses 300 to 399.
    Responses3xx,
    /// Responses 400 to 499.
    Responses4xx,
    /// Responses 500 to 599.
    Responses5xx,
    /// Responses of any other status, and requests that ended without one.
    ResponsesOther,
    /// Requests the proxy answered itself.
    Intercepted,
    /// Header rewrites that had no room.
    FailedRewrites,
    /// Failures of the proxy itself.
    InternalErrors,
    /// Connections opened to servers.
    Connects,
    /// Bytes given to the compressor.
    CompressedIn,
    /// Bytes the compressor gave back.
    CompressedOut,
    /// Bytes that passed it by.
    CompressionBypassed,
    /// Responses compressed.
    CompressedResponses,
    /// Look-ups in a cache.
    CacheLookups,
    /// Look-ups that found.
    CacheHits,
    /// Look-ups that found hints for the client.
    CacheHints,
    /// Failed checks.
    FailedChecks,
    /// Times the object went down.
    WentDown,
    /// Errors that `observe` counted against the server's health.
    ObservedErrors,
    /// TLS sessions.
    TlsSessions,
    /// TLS sessions resumed.
    TlsResumed,
    /// TLS handshakes that failed.
    TlsFailed,
    /// Requests that have ended.
    Exchanges,
    /// Bytes that were spliced in.
    SplicedIn,
    /// Bytes that were spliced out.
    SplicedOut,
}

/// A pace that is shown as a rate, with the highest seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Connections a second.
    Connections,
    /// Sessions a second.
    Sessions,
    /// Requests a second.
    Requests,
}

/// A time that is averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// In line.
    Queue,
    /// Connecting.
    Connect,
    /// Until the response began.
    Response,
    /// Altogether.
    Total,
}
