//! The lines behind the first: a field each, or the continuation of one.
//!
//! Fields written as nearly all are have a reader of their own, which looks at each byte once; it must agree with the other on everything,
//! and a test holds the two against each other.

use super::{Fault, HeadParser, Reason};
use crate::http::{Head, grammar};

impl HeadParser {
    /// Reads fields as long as they are written as nearly all of them are: a name, a colon, one space, a value, CRLF. Such a line is
    /// looked at and copied once; any other is left to the reader of lines, which knows what is wrong with it.
    pub(super) fn plain_fields(&mut self, window: &[u8], head: &mut Head) {
        while self.scanned == self.line && !self.limits.is_full(head) {
            let Some((line, name_len)) = plain_line(&window[self.line..]) else {
                return;
            };
            head.push_line(line, name_len);
            self.line += line.len();
            self.scanned = self.line;
        }
    }

    /// `name ":" OWS value OWS` (RFC 9112 section 5), or the continuation of the field before.
    #[inline]
    pub(super) fn field(&mut self, line: &[u8], head: &mut Head) -> Result<(), Fault> {
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

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::super::{Kind, Limits, Progress};
    use super::*;

    #[test]
    fn fields_are_strict() {
        for (field, reason) in [
            ("A : b", Reason::BlankBeforeColon),
            (": b", Reason::BadName),
            ("noColon", Reason::BadName),
            ("A\u{e9}: b", Reason::BadName),
            (" A: b", Reason::LeadingBlank),
            ("A: b\rc", Reason::BareCr),
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
}
