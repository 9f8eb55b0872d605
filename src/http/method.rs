//! Request methods that the proxy treats by name.

/// The method of a request; the text of any other one stays in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// OPTIONS
    Options,
    /// GET
    Get,
    /// HEAD: the answer has no body whatever its fields say.
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
    /// TRACE
    Trace,
    /// CONNECT: a successful answer turns the connection into a tunnel.
    Connect,
    /// Anything else.
    Other,
}

impl Method {
    /// The method that `text` names. Methods are case-sensitive (RFC 9110 section 9.1).
    #[inline]
    pub fn of(text: &[u8]) -> Method {
        match text {
            b"GET" => Method::Get,
            b"POST" => Method::Post,
            b"HEAD" => Method::Head,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            b"CONNECT" => Method::Connect,
            b"TRACE" => Method::Trace,
            _ => Method::Other,
        }
    }

    /// The method's text; empty for [`Method::Other`].
    pub fn name(self) -> &'static str {
        match self {
            Method::Options => "OPTIONS",
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Trace => "TRACE",
            Method::Connect => "CONNECT",
            Method::Other => "",
        }
    }

    /// Whether repeating the request does no more than sending it once (RFC 9110 section 9.2.2).
    pub fn is_idempotent(self) -> bool {
        match self {
            Method::Options
            | Method::Get
            | Method::Head
            | Method::Put
            | Method::Delete
            | Method::Trace => true,
            Method::Post | Method::Connect | Method::Other => false,
        }
    }

    /// Whether the request asks for no change at the server (RFC 9110 section 9.2.1).
    pub fn is_safe(self) -> bool {
        matches!(
            self,
            Method::Options | Method::Get | Method::Head | Method::Trace
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_method_is_recognised_by_its_own_name() {
        for method in [
            Method::Options,
            Method::Get,
            Method::Head,
            Method::Post,
            Method::Put,
            Method::Delete,
            Method::Trace,
            Method::Connect,
        ] {
            assert_eq!(Method::of(method.name().as_bytes()), method);
        }
        assert_eq!(Method::of(b"get"), Method::Other);
        assert_eq!(Method::of(b"PATCH"), Method::Other);
        assert_eq!(Method::of(b""), Method::Other);
    }
}
