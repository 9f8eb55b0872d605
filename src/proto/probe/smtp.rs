//! Mail servers: banner, greeting, farewell, a reply of class 2 each (RFC 5321).

use super::{Answer, Probe, Turn, first_line};

impl Probe {
    /// Banner, greeting, farewell: a reply of class 2 each.
    pub(super) fn smtp(
        &mut self,
        hello: &str,
        input: &mut Vec<u8>,
        ended: bool,
        out: &mut Vec<u8>,
    ) -> Answer {
        loop {
            let reply = match read_reply(input, ended) {
                Ok(Some(reply)) => reply,
                Ok(None) => return Answer::More,
                Err(text) => return Answer::WrongResponse { text },
            };
            input.drain(..reply.len);
            if !(200..300).contains(&reply.code) {
                return Answer::WrongStatus {
                    code: reply.code,
                    text: reply.text,
                };
            }
            match self.turn {
                Turn::Open | Turn::First => {
                    out.extend_from_slice(hello.as_bytes());
                    out.extend_from_slice(b"\r\n");
                    self.turn = Turn::Second;
                }
                Turn::Second => {
                    out.extend_from_slice(b"QUIT\r\n");
                    self.learned = (reply.code, reply.text);
                    self.turn = Turn::Third;
                }
                Turn::Third => {
                    return Answer::Well {
                        code: reply.code,
                        text: reply.text,
                    };
                }
            }
            if input.is_empty() {
                return if ended { self.silence() } else { Answer::More };
            }
        }
    }
}

struct Reply {
    code: u16,
    text: String,
    len: usize,
}

/// One reply, its continuation lines included; the error is what came instead.
fn read_reply(input: &[u8], ended: bool) -> Result<Option<Reply>, String> {
    let mut start = 0;
    loop {
        let rest = &input[start..];
        let line_end = memchr::memchr(b'\n', rest);
        let line = &rest[..line_end.unwrap_or(rest.len())];
        let digits = line
            .iter()
            .take(3)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let misfit = digits < line.len().min(3)
            || line
                .get(3)
                .is_some_and(|byte| !matches!(byte, b' ' | b'-' | b'\r'));
        if misfit && (line_end.is_some() || ended || line.len() >= LINE_MAX) {
            return Err(first_line(line));
        }
        if line_end.is_none() && !ended {
            return Ok(None);
        }
        if line.len() < 3 {
            return Err(first_line(line));
        }
        let next = start + line.len() + usize::from(line_end.is_some());
        if line.get(3) == Some(&b'-') && line_end.is_some() {
            start = next;
            continue;
        }
        let code = line[..3]
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        return Ok(Some(Reply {
            code,
            text: first_line(line.get(4..).unwrap_or(b"")),
            len: next,
        }));
    }
}

/// The longest line before a stranger is known for one (RFC 5321 section 4.5.3.1.5).
const LINE_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::rig::{response, status, talk, well};
    use super::super::{Answer, Service};

    #[test]
    fn smtp() {
        let smtp = Service::Smtp("HELO localhost".to_owned());
        let good: [&[u8]; 3] = [
            b"220 a.b ESMTP\r\n",
            b"250-hi\r\n250-KEYWORD\r\n250 there\r\n",
            b"221 bye\r\n",
        ];
        assert_eq!(
            talk(&smtp, &good, false),
            (well(221, "bye"), b"HELO localhost\r\nQUIT\r\n".to_vec())
        );
        assert_eq!(
            talk(&smtp, &[b"220\r\n", b"248\r\n"], true).0,
            well(248, "")
        );
        assert_eq!(
            talk(&smtp, &[b"421 Try again later\r\n"], true).0,
            status(421, "Try again later")
        );
        assert_eq!(
            talk(&smtp, &[b"220 x\r\n", b"512 DNS error\r\n"], true).0,
            status(512, "DNS error")
        );
        assert_eq!(
            talk(&smtp, &[b"I'm not a SMTP server\r\n"], true).0,
            response("I'm not a SMTP server")
        );
        assert_eq!(
            talk(&smtp, &[], true).0,
            response("TCPCHK got an empty response at step 2")
        );
        assert_eq!(talk(&smtp, &[b"220 half"], false).0, Answer::More);
    }
}
