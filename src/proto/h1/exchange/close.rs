//! Whether a connection can be used again, and what speaks against it.

/// Why a connection cannot carry another exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// The peer said `Connection: close`.
    Asked,
    /// The configuration wants it closed.
    Configured,
    /// The process is leaving.
    Stopping,
    /// An HTTP/1.0 peer that did not ask to keep it.
    OldVersion,
    /// The end of the connection is the end of the body.
    UntilClose,
    /// Content-Length beside Transfer-Encoding (RFC 9112 section 6.3).
    LengthBesideChunked,
    /// Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1).
    ChunkedInOldVersion,
    /// The connection became a tunnel.
    Tunnel,
    /// A half was given up before its end.
    Abandoned,
}

impl Close {
    /// In words, for traces.
    pub fn text(self) -> &'static str {
        match self {
            Close::Asked => "the peer asked to close",
            Close::Configured => "the configuration closes",
            Close::Stopping => "the process is stopping",
            Close::OldVersion => "HTTP/1.0 without keep-alive",
            Close::UntilClose => "the body ends with the connection",
            Close::LengthBesideChunked => "Content-Length beside Transfer-Encoding",
            Close::ChunkedInOldVersion => "Transfer-Encoding in HTTP/1.0",
            Close::Tunnel => "the connection became a tunnel",
            Close::Abandoned => "a message was left unfinished",
        }
    }
}

/// Whether the connection can carry another exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Both messages are whole and nobody objects.
    Now,
    /// Nobody objects so far; a message is unfinished.
    NotYet,
    /// Never, for this reason.
    Never(Close),
}
