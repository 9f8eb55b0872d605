//! Bytes to head, line by line.
//!
//! The caller keeps the bytes of a message in one place and calls [`HeadParser::advance`] with all of them each time more
//! have come; only bytes not yet seen are scanned, so single bytes cost no more than one piece. A line is judged when its
//! end is known: the verdict does not depend on how the bytes were cut.
//!
//! Leniencies, all of them written out anew: empty lines before a request (RFC 9112 section 2.2), several spaces in its line
//! (section 3), folded fields (5.2), a status line without its phrase. [`Limits::relaxed`] adds those of `option accept-invalid-http-request`.

use super::fault::{Fault, Reason};
use super::host;
use crate::http::{Head, Known, Status, Version, grammar};

/// What is being parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request's head.
    Request,
    /// A response's head.
    Response,
    /// Fields alone: the trailers of a chunked body.
    Trailers,
}

/// What a head may be. Every connection holds it twice: hence the narrow numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest head in bytes, the empty line included.
    pub head_bytes: u32,
    /// The most fields.
    pub fields: u16,
    /// `option accept-invalid-http-request`, `accept-invalid-http-response`: bare line feeds as line ends, several spaces in
    /// the start line, targets with bytes above ASCII or a fragment, any text as Host, and Host beside another authority.
    pub relaxed: bool,
}

impl Limits {
    /// From `tune.bufsize`, `tune.maxrewrite` and `tune.http.maxhdr`.
    pub fn of(bufsize: usize, maxrewrite: usize, maxhdr: usize) -> Limits {
        // haproxy: maxhdr counts the empty line as a header.
        Limits {
            head_bytes: u32::try_from(bufsize.saturating_sub(maxrewrite)).unwrap_or(u32::MAX),
            fields: u16::try_from(maxhdr.saturating_sub(1)).unwrap_or(u16::MAX),
            relaxed: false,
        }
    }

    fn longest(&self) -> usize {
        self.head_bytes as usize
    }

    fn is_full(&self, head: &Head) -> bool {
        head.len() >= usize::from(self.fields)
    }
}

impl Default for Limits {
    /// HAProxy's defaults: a 16 kB buffer of which 1 kB is kept for rewriting, 101 fields with the end.
    fn default() -> Limits {
        Limits::of(16384, 1024, 101)
    }
}

/// How far [`HeadParser::advance`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The head is not whole; call again with more bytes behind the same ones.
    More,
    /// The head is whole; what follows begins at `consumed`.
    Done {
        /// Bytes of the input that belong to the head.
        consumed: usize,
    },
}

/// The parser of one head; [`HeadParser::reset`] makes it ready for the next.
#[derive(Clone, Debug)]
pub struct HeadParser {
    kind: Kind,
    limits: Limits,
    phase: Phase,
    /// Where the current line begins.
    line: usize,
    /// Up to where the current line has been searched for its end.
    scanned: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Start,
    Fields,
    Done { consumed: usize },
    Failed(Fault),
}

/// Where a line ends, when that is known.
enum Line {
    Unfinished,
    Ends { end: usize, next: usize },
}

impl HeadParser {
    /// A parser at the first byte of a message.
    pub fn new(kind: Kind, limits: Limits) -> HeadParser {
        let phase = HeadParser::first_phase(kind);
        HeadParser {
            kind,
            limits,
            phase,
            line: 0,
            scanned: 0,
        }
    }

    /// Back to the first byte of a message of the same kind.
    pub fn reset(&mut self) {
        *self = HeadParser::new(self.kind, self.limits);
    }

    /// Whether no byte of a start line has been seen (empty lines before a request do not count).
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Start && self.scanned == self.line
    }

    /// Parses what has come of the head. `input` begins at the message's first byte each time; `head` is filled from empty.
    pub fn advance(&mut self, input: &[u8], head: &mut Head) -> Result<Progress, Fault> {
        let outcome = match self.phase {
            Phase::Failed(fault) => return Err(fault),
            Phase::Done { consumed } => return Ok(Progress::Done { consumed }),
            Phase::Start | Phase::Fields => self.lines(input, head),
        };
        match outcome {
            Ok(Progress::Done { consumed }) => self.phase = Phase::Done { consumed },
            Ok(Progress::More) => {}
            Err(fault) => self.phase = Phase::Failed(fault),
        }
        outcome
    }

    fn first_phase(kind: Kind) -> Phase {
        match kind {
            Kind::Request | Kind::Response => Phase::Start,
            Kind::Trailers => Phase::Fields,
        }
    }

    fn lines(&mut self, input: &[u8], head: &mut Head) -> Result<Progress, Fault> {
        let window = &input[..input.len().min(self.limits.longest())];
        loop {
            if self.phase == Phase::Fields {
                self.plain_fields(window, head);
            }
            let (end, next) = match self.line_end(window)? {
                Line::Ends { end, next } => (end, next),
                Line::Unfinished
                    if window.len() < input.len() || window.len() == self.limits.longest() =>
                {
                    return Err(Fault::new(Reason::HeadTooLong, window.len()));
                }
                Line::Unfinished => return Ok(Progress::More),
            };
            let line = &window[self.line..end];
            if self.phase == Phase::Fields {
                if line.is_empty() {
                    self.finish(head, next)?;
                    return Ok(Progress::Done { consumed: next });
                }
                self.field(line, head)?;
            } else if !line.is_empty() {
                self.start(line, head)?;
                self.phase = Phase::Fields;
            } else if self.kind == Kind::Response {
                return Err(Fault::new(Reason::BadStatusLine, self.line));
            }
            self.line = next;
            self.scanned = next;
        }
    }

    /// Reads fields as long as they are written as nearly all of them are: a name, a colon, one space, a value, CRLF. Such a line is
    /// looked at and copied once; any other is left to the reader of lines, which knows what is wrong with it.
    fn plain_fields(&mut self, window: &[u8], head: &mut Head) {
        while self.scanned == self.line && !self.limits.is_full(head) {
            let Some((line, name_len)) = plain_line(&window[self.line..]) else {
                return;
            };
            head.push_line(line, name_len);
            self.line += line.len();
            self.scanned = self.line;
        }
    }

    /// Looks for the end of the current line from where the last search stopped. Only tabs may stand among control bytes.
    #[inline]
    fn line_end(&mut self, window: &[u8]) -> Result<Line, Fault> {
        let mut at = self.scanned;
        loop {
            at = grammar::find_control(window, at);
            self.scanned = at;
            match window.get(at) {
                None => return Ok(Line::Unfinished),
                Some(b'\r') => {
                    return match window.get(at + 1) {
                        Some(b'\n') => Ok(Line::Ends {
                            end: at,
                            next: at + 2,
                        }),
                        Some(_) => Err(Fault::new(Reason::BareCr, at)),
                        None => Ok(Line::Unfinished),
                    };
                }
                Some(b'\n') if self.limits.relaxed => {
                    return Ok(Line::Ends {
                        end: at,
                        next: at + 1,
                    });
                }
                Some(b'\n') => return Err(Fault::new(Reason::BareLf, at)),
                Some(b'\t') => at += 1,
                Some(_) => return Err(Fault::new(Reason::Control, at)),
            }
        }
    }

    fn start(&self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
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

    /// `name ":" OWS value OWS` (RFC 9112 section 5), or the continuation of the field before.
    #[inline]
    fn field(&mut self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
        let name_len = grammar::token_len(line);
        match line.get(name_len) {
            Some(b':') if name_len > 0 => {}
            Some(b' ' | b'\t') if name_len == 0 => return self.folded(line, head),
            Some(b' ' | b'\t') => {
                return Err(Fault::new(Reason::BlankBeforeColon, self.line + name_len));
            }
            _ => return Err(Fault::new(Reason::BadName, self.line + name_len)),
        }
        if self.limits.is_full(head) {
            return Err(Fault::new(Reason::TooManyFields, self.line));
        }
        head.push_scanned(&line[..name_len], grammar::trim(&line[name_len + 1..]));
        Ok(())
    }

    #[cold]
    fn folded(&self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
        if head.is_empty() {
            return Err(Fault::new(Reason::LeadingBlank, self.line));
        }
        head.fold(line);
        Ok(())
    }

    fn finish(&self, head: &mut Head, consumed: usize) -> Result<(), Fault> {
        match self.kind {
            Kind::Request => host::settle(head, self.limits.relaxed)
                .map_err(|reason| Fault::new(reason, consumed)),
            Kind::Trailers => {
                drop_unfit_trailers(head);
                Ok(())
            }
            Kind::Response => Ok(()),
        }
    }
}

/// The line at the beginning of `text` with its end, and the length of its name, if it is a plain field.
#[inline]
fn plain_line(text: &[u8]) -> Option<(&[u8], usize)> {
    let name_len = grammar::token_len(text);
    let &[b':', b' ', first, ..] = text.get(name_len..)? else {
        return None;
    };
    let end = grammar::find_control(text, name_len + 2);
    let &[last, b'\r', b'\n', ..] = text.get(end - 1..)? else {
        return None;
    };
    let plain = name_len > 0 && !grammar::is_blank(first) && !grammar::is_blank(last);
    plain.then(|| (&text[..end + 2], name_len))
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

/// Drops the trailers that must not change how the message was framed, routed or authorised (RFC 9110 section 6.5.1).
fn drop_unfit_trailers(trailers: &mut Head) {
    trailers.retain(|name, _| {
        !matches!(
            Known::of(name),
            Some(
                Known::ContentLength
                    | Known::TransferEncoding
                    | Known::Host
                    | Known::Connection
                    | Known::KeepAlive
                    | Known::ProxyConnection
                    | Known::Upgrade
                    | Known::Te
                    | Known::Trailer
                    | Known::Expect
                    | Known::Authorization
                    | Known::ProxyAuthorization
                    | Known::WwwAuthenticate
                    | Known::ProxyAuthenticate
                    | Known::Cookie
                    | Known::SetCookie
                    | Known::ContentEncoding
                    | Known::ContentType
                    | Known::ContentRange
                    | Known::CacheControl
                    | Known::Range
                    | Known::Location
                    | Known::Vary
                    | Known::Forwarded
                    | Known::XForwardedFor
                    | Known::XForwardedProto
                    | Known::XOriginalTo
            )
        )
    });
}

/// `HTTP/1.1`
const VERSION_LEN: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::emit_request;
    use super::*;

    fn whole(kind: Kind, limits: Limits, input: &[u8]) -> Result<(Progress, Head), Fault> {
        let mut head = Head::new();
        let progress = HeadParser::new(kind, limits).advance(input, &mut head)?;
        Ok((progress, head))
    }

    fn request(input: &str) -> Result<String, Reason> {
        let (progress, head) = whole(Kind::Request, Limits::default(), input.as_bytes())
            .map_err(|fault| fault.reason)?;
        assert_eq!(
            progress,
            Progress::Done {
                consumed: input.len()
            },
            "{input:?}"
        );
        let mut out = Vec::new();
        emit_request(&head, &mut out);
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn response(input: &str) -> Result<Head, Reason> {
        whole(Kind::Response, Limits::default(), input.as_bytes())
            .map(|(_, head)| head)
            .map_err(|fault| fault.reason)
    }

    #[test]
    fn a_request_is_written_anew() {
        assert_eq!(
            request("\r\n\r\nGET /x?y HTTP/1.1\r\nHost:a\r\nX-Y: \t z\t \r\nEmpty:\r\n\r\n"),
            Ok("GET /x?y HTTP/1.1\r\nhost: a\r\nx-y: z\r\nempty: \r\n\r\n".into())
        );
        assert_eq!(
            request("get / HTTP/1.7\r\n\r\n"),
            Ok("get / HTTP/1.1\r\n\r\n".into())
        );
        assert_eq!(
            request("GET / HTTP/1.0\r\nA: b\r\n c\r\n\t\r\n\r\n"),
            Ok("GET / HTTP/1.0\r\na: b   c\r\n\r\n".into())
        );
    }

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

    #[test]
    fn fields_are_strict() {
        for (field, reason) in [
            ("A : b", Reason::BlankBeforeColon),
            (": b", Reason::BadName),
            ("noColon", Reason::BadName),
            ("A\u{e9}: b", Reason::BadName),
            (" A: b", Reason::LeadingBlank),
            ("A: b\rc", Reason::BareCr),
            ("A: b\nC: d", Reason::BareLf),
            ("A: b\0", Reason::Control),
            ("A: \x7f", Reason::Control),
            ("A\x0b: b", Reason::Control),
        ] {
            assert_eq!(
                request(&format!("GET / HTTP/1.1\r\n{field}\r\n\r\n")),
                Err(reason),
                "{field:?}"
            );
        }
        assert!(request("GET / HTTP/1.1\r\nA: \u{e9}\t~\r\n\r\n").is_ok());
    }

    #[test]
    fn the_limits_hold() {
        let limits = Limits {
            head_bytes: 40,
            fields: 2,
            relaxed: false,
        };
        let fits = "GET / HTTP/1.1\r\nA: bcdefghijklmnopqrs\r\n\r\n";
        assert_eq!(fits.len(), 41);
        assert!(whole(Kind::Request, limits, &fits.as_bytes()[..39]).is_ok());
        assert_eq!(
            whole(Kind::Request, limits, &fits.as_bytes()[..40]).map(|_| ()),
            Err(Fault::new(Reason::HeadTooLong, 40))
        );
        let exact = fits.replace("qrs", "rs");
        assert!(matches!(
            whole(Kind::Request, limits, exact.as_bytes()),
            Ok((Progress::Done { consumed: 40 }, _))
        ));
        let crowd = "GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n";
        assert_eq!(
            whole(Kind::Request, limits, crowd.as_bytes()).map(|_| ()),
            Err(Fault::new(Reason::TooManyFields, 24))
        );
    }

    #[test]
    fn cuts_do_not_matter() {
        let messages: [&[u8]; 7] = [
            b"GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\nrest",
            b"\r\nPOST http://a:80/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n",
            b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        ];
        for message in messages {
            let expected = whole(Kind::Request, Limits::default(), message);
            for cut in 0..message.len() {
                let mut parser = HeadParser::new(Kind::Request, Limits::default());
                let mut head = Head::new();
                let early = parser.advance(&message[..cut], &mut head);
                let late = parser
                    .advance(message, &mut head)
                    .map(|progress| (progress, head));
                assert_eq!(late, expected, "cut at {cut}: {}", message.escape_ascii());
                if early.is_err() {
                    assert_eq!(early.map(|_| ()), late.map(|_| ()));
                }
            }
            let mut parser = HeadParser::new(Kind::Request, Limits::default());
            let mut head = Head::new();
            let last = (0..=message.len())
                .map(|len| parser.advance(&message[..len], &mut head))
                .last();
            assert_eq!(
                last.expect("at least one call")
                    .map(|progress| (progress, head)),
                expected
            );
        }
    }

    /// What comes whole goes through the reader of plain lines, what comes byte by byte never does: both must say the same of
    /// everything.
    #[test]
    fn the_reader_of_plain_lines_agrees_with_the_other() {
        let messages: [(Kind, &[u8]); 3] = [
            (
                Kind::Request,
                b"GET /a HTTP/1.1\r\nHost: a.b\r\nX-Y: c\td e\r\nAccept: */*\r\nContent-Length: 3\r\n\r\nabc",
            ),
            (
                Kind::Response,
                b"HTTP/1.1 200 Not So Bad\r\nServer: x\r\nContent-Length: 10\r\nSet-Cookie: a=b; c\r\n\r\n",
            ),
            (Kind::Trailers, b"X-Sum: 123456\r\nY: \xe9 z\r\n\r\n"),
        ];
        let spoilers = b"\r\n \t:\0\x7f\x80aZ-(@/";
        let (mut seed, mut refused) = (0x5eed_u64, 0);
        let mut chance = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).expect("31 bits") % below
        };
        for round in 0..30_000 {
            let (kind, message) = messages[round % messages.len()];
            let mut message = message.to_vec();
            for _ in 0..chance(4) {
                let (at, byte) = (chance(message.len()), spoilers[chance(spoilers.len())]);
                match chance(3) {
                    0 => message[at] = byte,
                    1 => message.insert(at, byte),
                    _ => {
                        message.remove(at);
                    }
                }
            }
            let limits = Limits {
                relaxed: chance(4) == 0,
                ..Limits::default()
            };
            let mut parser = HeadParser::new(kind, limits);
            let mut slow = Head::new();
            let mut said = Ok(Progress::More);
            for len in 0..=message.len() {
                said = parser.advance(&message[..len], &mut slow);
            }
            let mut fast = Head::new();
            let at_once = HeadParser::new(kind, limits).advance(&message, &mut fast);
            let shown = message.escape_ascii();
            assert_eq!(at_once, said, "{shown}");
            assert_eq!(fast, slow, "{shown}");
            assert_eq!(fast.known_set(), slow.known_set(), "{shown}");
            refused += usize::from(said.is_err());
        }
        assert!((5_000..25_000).contains(&refused), "{refused}");
    }

    #[test]
    fn a_failed_parser_repeats_its_fault_and_a_done_one_its_end() {
        let mut parser = HeadParser::new(Kind::Request, Limits::default());
        let mut head = Head::new();
        let fault = parser.advance(b"\x16\x03\x01", &mut head);
        assert_eq!(fault, Err(Fault::new(Reason::Control, 0)));
        assert_eq!(parser.advance(b"GET / HTTP/1.1\r\n\r\n", &mut head), fault);
        parser.reset();
        head.clear();
        assert!(parser.is_idle());
        assert_eq!(
            parser.advance(b"GET / HTTP/1.1\r\n\r\nX", &mut head),
            Ok(Progress::Done { consumed: 18 })
        );
        assert_eq!(
            parser.advance(b"GET / HTTP/1.1\r\n\r\nXY", &mut head),
            Ok(Progress::Done { consumed: 18 })
        );
    }

    #[test]
    fn idle_means_no_byte_of_a_request() {
        let mut parser = HeadParser::new(Kind::Request, Limits::default());
        let mut head = Head::new();
        assert_eq!(parser.advance(b"\r\n", &mut head), Ok(Progress::More));
        assert!(parser.is_idle());
        assert_eq!(parser.advance(b"\r\nG", &mut head), Ok(Progress::More));
        assert!(!parser.is_idle());
    }

    #[test]
    fn relaxed_accepts_and_mends() {
        let relaxed = Limits {
            relaxed: true,
            ..Limits::default()
        };
        let (_, head) = whole(
            Kind::Request,
            relaxed,
            b"GET   /\xe9#f   HTTP/1.1\nHost: a b\n\n",
        )
        .expect("relaxed");
        assert_eq!(head.target(), b"/\xe9#f");
        assert_eq!(head.get_known(Known::Host), Some(b"a b".as_slice()));
        for still_refused in [
            b"GET / HTTP/1.1\nA: b\0\n\n".as_slice(),
            b"GET / HTTP/1.1\nA: b\rc\n\n",
            b"GET / HTTP/1.1\nA : b\n\n",
        ] {
            assert!(whole(Kind::Request, relaxed, still_refused).is_err());
        }
        let (_, head) = whole(Kind::Response, relaxed, b"HTTP/1.1   204\n\n").expect("relaxed");
        assert_eq!(head.status(), 204);
    }

    #[test]
    fn trailers_lose_what_would_frame_again() {
        let input =
            b"X: y\r\nContent-Length: 3\r\nHost: b\r\nTransfer-Encoding: chunked\r\nZ: z\r\n\r\n";
        let (progress, head) = whole(Kind::Trailers, Limits::default(), input).expect("trailers");
        assert_eq!(
            progress,
            Progress::Done {
                consumed: input.len()
            }
        );
        assert_eq!(
            head.fields().map(|(name, _)| name).collect::<Vec<_>>(),
            [b"x", b"z"]
        );
    }
}
