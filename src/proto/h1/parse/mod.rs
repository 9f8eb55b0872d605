//! Bytes to head, line by line.
//!
//! The caller keeps the bytes of a message in one place and calls [`HeadParser::advance`] with all of them each time more
//! have come; only bytes not yet seen are scanned, so single bytes cost no more than one piece. A line is judged when its
//! end is known: the verdict does not depend on how the bytes were cut.
//!
//! Leniencies, all of them written out anew: lines of a head that end by a line feed alone, as those of netcat's users do, and empty
//! lines before a request (RFC 9112 section 2.2), several spaces in its line (section 3), folded fields (5.2), a status line without its phrase. [`Limits::relaxed`] adds those of `option accept-invalid-http-request`.

mod field;
mod limits;
mod start_line;
mod trailers;

use super::fault::{Fault, Reason};
use super::host;
use crate::http::{Head, grammar};
pub use limits::Limits;

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
                // In a body they are what smuggles: who was before us may have taken them for content.
                Some(b'\n') if self.kind == Kind::Trailers => {
                    return Err(Fault::new(Reason::BareLf, at));
                }
                Some(b'\n') => {
                    return Ok(Line::Ends {
                        end: at,
                        next: at + 1,
                    });
                }
                Some(b'\t') => at += 1,
                Some(_) => return Err(Fault::new(Reason::Control, at)),
            }
        }
    }

    fn finish(&self, head: &mut Head, consumed: usize) -> Result<(), Fault> {
        match self.kind {
            Kind::Request => host::settle(head, self.limits.relaxed)
                .map_err(|reason| Fault::new(reason, consumed)),
            Kind::Trailers => {
                trailers::drop_unfit(head);
                Ok(())
            }
            Kind::Response => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::emit_request;
    use super::*;
    use crate::http::Known;

    pub(super) fn whole(
        kind: Kind,
        limits: Limits,
        input: &[u8],
    ) -> Result<(Progress, Head), Fault> {
        let mut head = Head::new();
        let progress = HeadParser::new(kind, limits).advance(input, &mut head)?;
        Ok((progress, head))
    }

    pub(super) fn request(input: &str) -> Result<String, Reason> {
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

    pub(super) fn response(input: &str) -> Result<Head, Reason> {
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
    fn a_line_feed_ends_a_line_of_a_head_but_not_of_trailers() {
        let sent = "HTTP/1.0 200 OK\nX: y\r\nZ:\n\n";
        let head = response(sent).expect("a head");
        assert_eq!((head.status().code(), head.len()), (200, 2));
        let trailers = whole(Kind::Trailers, Limits::default(), b"X: y\n\r\n");
        assert_eq!(
            trailers.map(drop).map_err(|f| f.reason),
            Err(Reason::BareLf)
        );
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
}
