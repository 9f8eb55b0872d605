//! Versions, status codes and their phrases.

/// The version of an HTTP/1 message. Minors above 1 are read as 1.1 (RFC 9110 section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    /// As in a start line: `HTTP/1.1`.
    pub fn text(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }

    /// As logs and samples show it: `1.1`.
    pub fn number(self) -> &'static str {
        match self {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
        }
    }
}

/// A status code between 100 and 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status(u16);

impl Status {
    /// 100, the go-ahead for a body.
    pub const CONTINUE: Status = Status(100);
    /// 101, the end of HTTP on this connection.
    pub const SWITCHING_PROTOCOLS: Status = Status(101);
    /// 200
    pub const OK: Status = Status(200);
    /// 400
    pub const BAD_REQUEST: Status = Status(400);
    /// 502
    pub const BAD_GATEWAY: Status = Status(502);

    /// The status of this number; numbers that three digits cannot write become 500.
    pub const fn new(code: u16) -> Status {
        if code >= 100 && code <= 999 {
            Status(code)
        } else {
            Status(500)
        }
    }

    /// The number.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The three digits.
    pub fn digits(self) -> [u8; 3] {
        let digit = |n: u16| b'0' + u8::try_from(n % 10).unwrap_or(0);
        [digit(self.0 / 100), digit(self.0 / 10), digit(self.0)]
    }

    /// Whether another head follows this one (1xx but 101).
    pub fn is_interim(self) -> bool {
        self.0 < 200 && self.0 != 101
    }

    /// The phrase HAProxy writes beside the code.
    pub fn reason(self) -> &'static str {
        match self.0 {
            100..=299 => reason_done(self.0),
            300..=399 => reason_moved(self.0),
            400..=499 => reason_client(self.0),
            500..=599 => reason_server(self.0),
            _ => "Other",
        }
    }
}

impl From<u16> for Status {
    fn from(code: u16) -> Status {
        Status::new(code)
    }
}

impl PartialEq<u16> for Status {
    fn eq(&self, code: &u16) -> bool {
        self.0 == *code
    }
}

fn reason_done(code: u16) -> &'static str {
    match code {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        210 => "Content Different",
        226 => "IM Used",
        103..=199 => "Informational",
        _ => "Success",
    }
}

fn reason_moved(code: u16) -> &'static str {
    match code {
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        310 => "Too many Redirects",
        _ => "Redirection",
    }
}

fn reason_client(code: u16) -> &'static str {
    match code {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Requested range unsatisfiable",
        417 => "Expectation failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable entity",
        423 => "Locked",
        424 => "Method failure",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        449 => "Retry With",
        450 => "Blocked by Windows Parental Controls",
        451 => "Unavailable For Legal Reasons",
        456 => "Unrecoverable Error",
        499 => "Client has closed connection",
        _ => "Client Error",
    }
}

fn reason_server(code: u16) -> &'static str {
    match code {
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway or Proxy Error",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version not supported",
        506 => "Variant also negotiate",
        507 => "Insufficient storage",
        508 => "Loop detected",
        509 => "Bandwidth Limit Exceeded",
        510 => "Not extended",
        511 => "Network authentication required",
        520 => "Web server is returning an unknown error",
        _ => "Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_digit_codes_exist() {
        assert_eq!(Status::new(99), 500);
        assert_eq!(Status::new(1000), 500);
        assert_eq!(Status::new(999).digits(), *b"999");
        assert_eq!(Status::new(204).digits(), *b"204");
    }

    #[test]
    fn unknown_codes_take_the_phrase_of_their_class() {
        for (code, phrase) in [
            (199, "Informational"),
            (299, "Success"),
            (399, "Redirection"),
            (444, "Client Error"),
            (599, "Server Error"),
            (600, "Other"),
        ] {
            assert_eq!(Status::new(code).reason(), phrase);
        }
        assert_eq!(Status::new(404).reason(), "Not Found");
    }
}
