//! The first line of a head: a request's or a response's.

use super::{Fault, HeadParser, Kind, Reason};
use crate::http::{Head, Status, Version, grammar};

impl HeadParser {
    pub(super) fn start(&self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
        match self.kind {
            Kind::Request => self.request_line(line, head),
            Kind::Response => self.status_line(line, head),
            Kind::Trailers => Ok(()),
        }
    }

    /// `method SP target SP version` (RFC 9112 section 3).
    fn request_line(&self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
        let fault = |reason, at: usize| Err(Fault::new(reason, self.line + at));
        let method_len = grammar::token_len(line);
        if method_len == 0 || line.get(method_len) != Some(&b' ') {
            return fault(Reason::BadMethod, method_len);
        }
        let Some(version_at) = line
            .len()
            .checked_sub(VERSION_LEN)
            .filter(|&at| at > method_len)
        else {
            return fault(Reason::BadVersion, line.len());
        };
        let Some(version) = version(&line[version_at..]) else {
            return fault(Reason::BadVersion, version_at);
        };
        let mut target = &line[method_len + 1..version_at];
        match target {
            [rest @ .., b' '] => target = rest,
            _ => return fault(Reason::BadVersion, version_at),
        }
        if self.limits.relaxed {
            target = grammar::trim(target);
            if target.is_empty() || target.iter().any(|&byte| matches!(byte, b' ' | b'\t')) {
                return fault(Reason::BadTarget, method_len + 1);
            }
            head.set_request(&line[..method_len], target, version);
            return Ok(());
        }
        let spaced = target.starts_with(b" ") || target.ends_with(b" ");
        while let [b' ', rest @ ..] | [rest @ .., b' '] = target {
            target = rest;
        }
        if target.is_empty()
            || !target
                .iter()
                .fold(true, |good, &byte| good & grammar::is_target_byte(byte))
        {
            let bad = target
                .iter()
                .position(|&byte| !grammar::is_target_byte(byte))
                .unwrap_or(0);
            return fault(Reason::BadTarget, method_len + 1 + bad);
        }
        if spaced {
            head.set_request(&line[..method_len], target, version);
        } else {
            head.set_request_scanned(line, method_len, version);
        }
        Ok(())
    }

    /// `version SP 3DIGIT [SP phrase]` (RFC 9112 section 4); the last space may be missing with the phrase.
    fn status_line(&self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
        let bad = || Fault::new(Reason::BadStatusLine, self.line);
        let (version_text, rest) = line.split_at_checked(VERSION_LEN).ok_or_else(bad)?;
        let version = version(version_text).ok_or(Fault::new(Reason::BadVersion, self.line))?;
        let rest = match rest {
            [b' ', rest @ ..] if self.limits.relaxed => grammar::trim(rest),
            [b' ', rest @ ..] => rest,
            _ => return Err(bad()),
        };
        let (digits, reason) = rest.split_at_checked(3).ok_or_else(bad)?;
        let code = digits.iter().try_fold(0u16, |code, digit| match digit {
            b'0'..=b'9' => Some(code * 10 + u16::from(digit - b'0')),
            _ => None,
        });
        let code = code.filter(|&code| code >= 100).ok_or_else(bad)?;
        if head.set_response_scanned(line, version, Status::new(code)) {
            return Ok(());
        }
        match reason {
            [] => head.set_response(version, Status::new(code), b""),
            [b' ', reason @ ..] => head.set_response(version, Status::new(code), reason),
            _ => return Err(bad()),
        }
        Ok(())
    }
}

/// HTTP/1.x; a minor above 1 is a 1.1 (RFC 9110 section 2.5).
fn version(text: &[u8]) -> Option<Version> {
    match text {
        b"HTTP/1.1" => Some(Version::Http11),
        b"HTTP/1.0" => Some(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Some(Version::Http11),
        _ => None,
    }
}

/// `HTTP/1.1`
const VERSION_LEN: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::tests::{request, response};
    use super::*;

    #[test]
    fn responses() {
        let head = response("HTTP/1.1 404 Not  Here\r\nA: b\r\n\r\n").expect("a plain response");
        assert_eq!(
            (head.status().code(), head.reason()),
            (404, b"Not  Here".as_slice())
        );
        for short in ["HTTP/1.0 200\r\n\r\n", "HTTP/1.0 200 \r\n\r\n"] {
            let head = response(short).expect(short);
            assert_eq!(
                (head.version(), head.status().code(), head.reason()),
                (Version::Http10, 200, b"".as_slice())
            );
        }
        for bad in [
            "\r\nHTTP/1.1 200 OK",
            "HTTP/1.1 99 OK",
            "HTTP/1.1 099 OK",
            "HTTP/1.1 1000 OK",
            "HTTP/1.1  200 OK",
            "HTTP/1.1\t200 OK",
        ] {
            assert_eq!(
                response(&format!("{bad}\r\n\r\n")),
                Err(Reason::BadStatusLine),
                "{bad}"
            );
        }
        for bad in [
            "ICYHTTP/ 200 OK",
            "HTTP/2.0 200 OK",
            "http/1.1 200 OK",
            "garbage garbage",
        ] {
            assert_eq!(
                response(&format!("{bad}\r\n\r\n")),
                Err(Reason::BadVersion),
                "{bad}"
            );
        }
    }

    #[test]
    fn start_lines_are_strict() {
        for (line, reason) in [
            ("GET   HTTP/1.1", Reason::BadTarget),
            ("GET \t/ HTTP/1.1", Reason::BadTarget),
            ("GET /a b HTTP/1.1", Reason::BadTarget),
            ("GET /#f HTTP/1.1", Reason::BadTarget),
            ("GET /\u{e9} HTTP/1.1", Reason::BadTarget),
            ("GET / HTTP/1.1 ", Reason::BadVersion),
            ("GET / HTTP/1.10", Reason::BadVersion),
            ("GET / HTTP/2.0", Reason::BadVersion),
            ("GET / http/1.1", Reason::BadVersion),
            ("GET /", Reason::BadVersion),
            ("GET HTTP/1.1", Reason::BadVersion),
            ("GET\t/ HTTP/1.1", Reason::BadMethod),
            (" GET / HTTP/1.1", Reason::BadMethod),
            ("G(T / HTTP/1.1", Reason::BadMethod),
        ] {
            assert_eq!(request(&format!("{line}\r\n\r\n")), Err(reason), "{line:?}");
        }
    }
}
