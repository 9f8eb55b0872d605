//! Why a message is refused.

use crate::http::Status;

/// A refused message: why, and at which of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub reason: Reason,
    /// The byte of the message where it shows, from 0; the length of the head for what only the whole of it shows.
    pub at: usize,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What is wrong with a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// In words, for logs and `show errors`.
            pub fn text(self) -> &'static str {
                match self { $(Reason::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    /// RFC 9112 section 2.2.
    BareCr = "carriage return outside a line end",
    /// RFC 9112 section 2.2 allows to refuse it.
    BareLf = "line end without a carriage return",
    /// RFC 9110 section 5.5.
    Control = "control byte",
    /// The head did not end within its limit.
    HeadTooLong = "head longer than the buffer",
    /// More fields than `tune.http.maxhdr` admits.
    TooManyFields = "too many header fields",
    /// Not a token followed by one space.
    BadMethod = "malformed method",
    /// RFC 9112 section 3.2.
    BadTarget = "malformed request target",
    /// Not HTTP/1.x.
    BadVersion = "malformed or unsupported version",
    /// Not `HTTP/1.x`, a space, three digits.
    BadStatusLine = "malformed status line",
    /// A line without a colon, or with a byte before it that no name has.
    BadName = "malformed field name",
    /// RFC 9112 section 5.1.
    BlankBeforeColon = "blank between field name and colon",
    /// RFC 9112 section 2.2: a blank before the first field.
    LeadingBlank = "blank before the first header field",
    /// RFC 9112 section 3.2: not a host with an optional port.
    BadHost = "malformed host",
    /// Two Host fields that differ.
    TwoHosts = "contradicting Host fields",
    /// RFC 9112 section 3.2.2: the target names another authority than Host.
    HostMismatch = "request target and Host disagree",
    /// RFC 9112 section 6.3: not a number, or several that differ.
    BadLength = "malformed or contradicting Content-Length",
    /// RFC 9112 section 6.3: a body whose end cannot be known.
    BadCoding = "Transfer-Encoding does not end in a single chunked",
    /// A coding besides `chunked` that nobody here undoes.
    UnsupportedCoding = "unsupported Transfer-Encoding",
    /// CONNECT carries no content (RFC 9110 section 9.3.6).
    BodyOnConnect = "content announced on CONNECT",
    /// Agents of HTTP/1.0 may not look for one, and would take it for the next request.
    BodyInOldVersion = "content announced on GET, HEAD or DELETE in HTTP/1.0",
    /// 101 to a request that asked for no upgrade.
    UnaskedUpgrade = "unexpected 101 Switching Protocols",
    /// RFC 6455 section 4: no key in a websocket's opening, or an answer to another one.
    WebsocketKey = "missing or wrong websocket key",
    /// RFC 9112 section 7.1.
    BadChunkSize = "malformed or oversized chunk size",
    /// Extensions beyond what a sender could mean.
    ExtensionTooLong = "chunk extensions too long",
    /// Data not followed by CRLF.
    BadChunkEnd = "chunk not closed by CRLF",
}

impl Fault {
    /// A fault at this byte.
    pub fn new(reason: Reason, at: usize) -> Fault {
        Fault { reason, at }
    }

    /// What a client whose request has this fault is answered. A server's faulty response is always a 502.
    pub fn status(&self) -> Status {
        match self.reason {
            // haproxy: 422 for codings before `chunked`, 400 for all else.
            Reason::UnsupportedCoding => Status::new(422),
            Reason::BodyInOldVersion => Status::new(413),
            Reason::BareCr
            | Reason::BareLf
            | Reason::Control
            | Reason::HeadTooLong
            | Reason::TooManyFields
            | Reason::BadMethod
            | Reason::BadTarget
            | Reason::BadVersion
            | Reason::BadStatusLine
            | Reason::BadName
            | Reason::BlankBeforeColon
            | Reason::LeadingBlank
            | Reason::BadHost
            | Reason::TwoHosts
            | Reason::HostMismatch
            | Reason::BadLength
            | Reason::BadCoding
            | Reason::BodyOnConnect
            | Reason::UnaskedUpgrade
            | Reason::WebsocketKey
            | Reason::BadChunkSize
            | Reason::ExtensionTooLong
            | Reason::BadChunkEnd => Status::BAD_REQUEST,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.reason.text(), self.at)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_place() {
        let fault = Fault::new(Reason::BareCr, 7);
        assert_eq!(
            fault.to_string(),
            "carriage return outside a line end at byte 7"
        );
        assert_eq!(fault.status(), 400);
        assert_eq!(Fault::new(Reason::UnsupportedCoding, 0).status(), 422);
    }
}
