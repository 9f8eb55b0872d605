//! Reading the response of an HTTP check: head, then as much body as an expectation needs.

use crate::http::{Head, Method};
use crate::proto::h1::{
    Body, ChunkStep, Chunked, HeadParser, Kind, Limits, Progress, response_body,
};

/// The response of one request.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    parser: HeadParser,
    method: Method,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    Head,
    Sized(u64),
    Chunked(Box<Chunked>, Head),
    UntilClose,
    Done,
    Failed,
}

impl HttpAnswer {
    /// Before the first byte of the response to a request of this method.
    pub(super) fn new(method: Method) -> HttpAnswer {
        HttpAnswer {
            parser: HeadParser::new(Kind::Response, Limits::default()),
            method,
            head: Head::new(),
            body: Vec::new(),
            state: State::Head,
        }
    }

    /// Takes what it understands out of `input`; false when it is no HTTP.
    pub(super) fn advance(&mut self, input: &mut Vec<u8>, ended: bool) -> bool {
        while self.step(input) {}
        if ended
            && matches!(
                self.state,
                State::UntilClose | State::Sized(_) | State::Chunked(..)
            )
        {
            self.state = State::Done;
        }
        !matches!(self.state, State::Failed)
    }

    /// Whether the head has come.
    pub(super) fn has_head(&self) -> bool {
        !matches!(self.state, State::Head | State::Failed)
    }

    /// Whether the whole response has come, or as much of its body as is kept.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Done) || self.body.len() >= BODY_MAX
    }

    /// One step; tells whether another may follow.
    fn step(&mut self, input: &mut Vec<u8>) -> bool {
        match &mut self.state {
            State::Done | State::Failed => false,
            State::Head => self.step_head(input),
            State::Sized(left) => {
                let here = input
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= here as u64;
                let done = *left == 0;
                keep(&mut self.body, input.drain(..here));
                if done {
                    self.state = State::Done;
                }
                false
            }
            State::UntilClose => {
                keep(&mut self.body, input.drain(..));
                false
            }
            State::Chunked(chunked, trailers) => match chunked.advance(input, trailers) {
                Ok(ChunkStep::More) => false,
                Ok(ChunkStep::Skip(count)) => {
                    input.drain(..count);
                    true
                }
                Ok(ChunkStep::Data(count)) => {
                    keep(&mut self.body, input.drain(..count));
                    true
                }
                Ok(ChunkStep::End { consumed }) => {
                    input.drain(..consumed);
                    self.state = State::Done;
                    false
                }
                Err(_) => {
                    self.state = State::Failed;
                    false
                }
            },
        }
    }

    fn step_head(&mut self, input: &mut Vec<u8>) -> bool {
        let progress = self.parser.advance(input, &mut self.head);
        let framing = match progress {
            Ok(Progress::More) => return false,
            Ok(Progress::Done { consumed }) => {
                input.drain(..consumed);
                response_body(&mut self.head, self.method)
            }
            Err(fault) => Err(fault),
        };
        let Ok(framing) = framing else {
            self.state = State::Failed;
            return false;
        };
        if self.head.status().is_interim() {
            self.parser.reset();
            self.head.clear();
            return true;
        }
        self.state = match framing.body {
            Body::None | Body::Tunnel | Body::Sized(0) => State::Done,
            Body::Sized(left) => State::Sized(left),
            Body::Chunked => State::Chunked(Box::new(Chunked::new(Limits::default())), Head::new()),
            Body::UntilClose => State::UntilClose,
        };
        true
    }
}

/// Keeps what fits.
fn keep(body: &mut Vec<u8>, more: impl Iterator<Item = u8>) {
    let room = BODY_MAX.saturating_sub(body.len());
    body.extend(more.take(room));
}

/// How much of a response's body is searched.
const BODY_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], ended: bool) -> (bool, HttpAnswer) {
        let mut answer = HttpAnswer::new(Method::Get);
        let mut held = Vec::new();
        let mut fine = true;
        for byte in bytes {
            held.push(*byte);
            fine = answer.advance(&mut held, false);
        }
        if ended {
            fine = answer.advance(&mut held, true);
        }
        (fine, answer)
    }

    #[test]
    fn bodies_of_every_kind() {
        for (bytes, ended) in [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".as_slice(), false),
            (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", false),
            (b"HTTP/1.0 200 OK\r\n\r\nabc", true),
        ] {
            let (fine, answer) = read(bytes, ended);
            assert!(fine && answer.has_head() && answer.is_whole());
            assert_eq!(answer.body, b"abc");
        }
    }

    #[test]
    fn strangers_and_halves() {
        assert!(!read(b"hello world\r\n\r\n", false).0);
        let (fine, answer) = read(b"HTTP/1.1 200 OK\r\nConte", true);
        assert!(fine && !answer.has_head());
        let (_, answer) = read(
            &[
                b"HTTP/1.0 200 OK\r\n\r\n".as_slice(),
                &[b'x'; BODY_MAX + 10],
            ]
            .concat(),
            false,
        );
        assert_eq!((answer.body.len(), answer.is_whole()), (BODY_MAX, true));
    }
}
