//! The start line: what it says, and its edits.
//!
//! Always true: an edit leaves a line that a strict parser takes, whatever it was given; edits of the other kind of message
//! change nothing.

use super::{CRLF, Head, append_clean, place};
use crate::http::{Method, Status, Version, grammar};

/// The start line; positions are into the arena.
#[derive(Clone, Copy, Default)]
pub(super) enum Line {
    /// None: a block of trailers, or a head still empty.
    #[default]
    Absent,
    Request {
        method: Method,
        start: u32,
        method_len: u32,
        target_len: u32,
        version: Version,
    },
    Response {
        status: Status,
        start: u32,
        reason_len: u32,
        version: Version,
    },
}

/// Reading.
impl Head {
    /// Whether the start line is a request's.
    pub fn is_request(&self) -> bool {
        matches!(self.line, Line::Request { .. })
    }

    /// Whether the start line is a response's.
    pub fn is_response(&self) -> bool {
        matches!(self.line, Line::Response { .. })
    }

    /// The request's method; [`Method::Other`] where there is none.
    #[inline]
    pub fn method(&self) -> Method {
        match self.line {
            Line::Request { method, .. } => method,
            Line::Response { .. } | Line::Absent => Method::Other,
        }
    }

    /// The method as written; empty outside requests.
    pub fn method_bytes(&self) -> &[u8] {
        match self.line {
            Line::Request {
                start, method_len, ..
            } => self.piece(start, method_len),
            Line::Response { .. } | Line::Absent => b"",
        }
    }

    /// The request's target as written; empty outside requests.
    pub fn target(&self) -> &[u8] {
        match self.line {
            Line::Request {
                start,
                method_len,
                target_len,
                ..
            } => self.piece(start + method_len + 1, target_len),
            Line::Response { .. } | Line::Absent => b"",
        }
    }

    /// The version of the start line; HTTP/1.1 where there is none.
    #[inline]
    pub fn version(&self) -> Version {
        match self.line {
            Line::Request { version, .. } | Line::Response { version, .. } => version,
            Line::Absent => Version::Http11,
        }
    }

    /// The response's status; 500 outside responses.
    #[inline]
    pub fn status(&self) -> Status {
        match self.line {
            Line::Response { status, .. } => status,
            Line::Request { .. } | Line::Absent => Status::new(500),
        }
    }

    /// The response's phrase; may be empty.
    pub fn reason(&self) -> &[u8] {
        match self.line {
            Line::Response {
                start, reason_len, ..
            } => self.piece(start + STATUS_PREFIX_LEN, reason_len),
            Line::Request { .. } | Line::Absent => b"",
        }
    }
}

/// Edits.
impl Head {
    /// Makes this a request. What may not stand in a method or target is dropped; an emptied one becomes `GET` or `/`.
    pub fn set_request(&mut self, method: &[u8], target: &[u8], version: Version) {
        let start = self.text.len();
        let (method, method_len) = self.append_method(method);
        let target_len = self.append_target(target);
        self.end_request_line(version);
        self.line = Line::Request {
            method,
            start: place(start),
            method_len: place(method_len),
            target_len: place(target_len),
            version,
        };
    }

    /// Makes this a response; control bytes of the phrase are dropped.
    pub fn set_response(&mut self, version: Version, status: Status, reason: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(version.text().as_bytes());
        self.text.push(b' ');
        self.text.extend_from_slice(&status.digits());
        self.text.push(b' ');
        let reason_start = self.text.len();
        append_clean(&mut self.text, grammar::trim(reason));
        let reason_len = self.text.len() - reason_start;
        self.text.extend_from_slice(CRLF);
        self.line = Line::Response {
            status,
            start: place(start),
            reason_len: place(reason_len),
            version,
        };
    }

    /// Replaces the method of a request.
    pub fn set_method(&mut self, method: &[u8]) {
        if let Line::Request {
            start,
            method_len,
            target_len,
            version,
            ..
        } = self.line
        {
            let target = (start + method_len + 1) as usize;
            let line_start = self.text.len();
            let (method, method_len) = self.append_method(method);
            self.text
                .extend_from_within(target..target + target_len as usize);
            self.end_request_line(version);
            self.line = Line::Request {
                method,
                start: place(line_start),
                method_len: place(method_len),
                target_len,
                version,
            };
        }
    }

    /// Replaces the target of a request.
    pub fn set_target(&mut self, target: &[u8]) {
        if let Line::Request {
            method,
            start,
            method_len,
            version,
            ..
        } = self.line
        {
            let line_start = self.text.len();
            self.text
                .extend_from_within(start as usize..(start + method_len) as usize);
            self.text.push(b' ');
            let target_len = self.append_target(target);
            self.end_request_line(version);
            self.line = Line::Request {
                method,
                start: place(line_start),
                method_len,
                target_len: place(target_len),
                version,
            };
        }
    }

    /// Replaces the version of the start line.
    pub fn set_version(&mut self, version: Version) {
        let at = match &mut self.line {
            Line::Absent => return,
            Line::Request {
                version: now,
                start,
                method_len,
                target_len,
                ..
            } => {
                *now = version;
                (*start + *method_len + *target_len + 2) as usize
            }
            Line::Response {
                version: now,
                start,
                ..
            } => {
                *now = version;
                *start as usize
            }
        };
        self.text[at..at + VERSION_LEN].copy_from_slice(version.text().as_bytes());
    }

    /// Replaces the status of a response; without a phrase it takes the usual one.
    pub fn set_status(&mut self, status: Status, reason: Option<&[u8]>) {
        if let Line::Response { version, .. } = self.line {
            self.set_response(
                version,
                status,
                reason.unwrap_or(status.reason().as_bytes()),
            );
        }
    }

    /// Writes a method and the space behind it; tells which it is, and its length.
    fn append_method(&mut self, method: &[u8]) -> (Method, usize) {
        let start = self.text.len();
        let token = method.iter().copied();
        self.text
            .extend(token.filter(|&byte| grammar::is_token_byte(byte)));
        if self.text.len() == start {
            self.text.extend_from_slice(b"GET");
        }
        let (method, len) = (Method::of(&self.text[start..]), self.text.len() - start);
        self.text.push(b' ');
        (method, len)
    }

    fn append_target(&mut self, target: &[u8]) -> usize {
        let start = self.text.len();
        // Bytes above ASCII pass: the relaxed parser lets them in, and no parser splits a line at them.
        self.text.extend(
            target
                .iter()
                .copied()
                .filter(|&byte| byte > 0x20 && byte != 0x7f),
        );
        if self.text.len() == start {
            self.text.push(b'/');
        }
        self.text.len() - start
    }

    pub(super) fn end_request_line(&mut self, version: Version) {
        self.text.push(b' ');
        self.text.extend_from_slice(version.text().as_bytes());
        self.text.extend_from_slice(CRLF);
    }
}

/// `HTTP/1.1`
pub(super) const VERSION_LEN: usize = 8;
/// `HTTP/1.1 200 `
pub(super) const STATUS_PREFIX_LEN: u32 = 13;

#[cfg(test)]
mod tests {
    use super::super::tests::{request, text};
    use super::*;

    #[test]
    fn start_line_edits_keep_the_rest() {
        let mut head = request();
        head.set_method(b"POST");
        head.set_target(b"/b?c");
        head.set_version(Version::Http10);
        assert_eq!(head.method(), Method::Post);
        assert!(text(&head).starts_with("POST /b?c HTTP/1.0\r\nhost: example.org\r\n"));
        assert!(!head.is_response());
        head.clear();
        head.set_response(Version::Http11, Status::OK, b"Fine");
        head.set_status(Status::new(404), None);
        assert_eq!(text(&head), "HTTP/1.1 404 Not Found\r\n");
        head.set_version(Version::Http10);
        head.set_status(Status::new(404), Some(b""));
        assert_eq!(text(&head), "HTTP/1.0 404 \r\n");
        assert_eq!(head.reason(), b"");
    }
}
