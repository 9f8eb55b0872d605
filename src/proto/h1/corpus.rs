//! Runs `tests/corpus/h1`: requests that real smugglers and sloppy clients send, and what becomes of each.
//!
//! A case is a few lines: `case:` its name, `send:` the bytes of a client, then either `refused:` the status, or `server:`
//! the bytes that a server gets and `then:` whether the client's connection may go on (`keep`, `close`). Texts know `\r`,
//! `\n`, `\t`, `\0`, `\xNN`, `\\` and `\"`.

use super::*;
use crate::http::{Head, Status};

struct Case {
    name: String,
    send: Vec<u8>,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Refused(Status),
    Passed { server: String, keep: bool },
    Unfinished,
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'x') => {
                let digits = [
                    bytes.next().expect("a digit"),
                    bytes.next().expect("a digit"),
                ];
                u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16)
                    .expect("hexadecimal")
            }
            Some(other) => other,
            None => panic!("a backslash ends {text:?}"),
        });
    }
    out
}

fn cases(file: &str) -> Vec<Case> {
    let field = |block: &str, name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|text| text.strip_prefix(' ').unwrap_or(text).to_owned())
    };
    let case = |block: &str| {
        let name = field(block, "case:")?;
        let send = unescape(&field(block, "send:").expect("a case sends"));
        let outcome = match field(block, "refused:") {
            Some(code) => Outcome::Refused(Status::new(code.parse().expect("a status"))),
            None => Outcome::Passed {
                server: unescape(&field(block, "server:").expect("an outcome"))
                    .escape_ascii()
                    .to_string(),
                keep: field(block, "then:").expect("an end") == "keep",
            },
        };
        Some(Case {
            name,
            send,
            outcome,
        })
    };
    file.split("\n\n").filter_map(case).collect()
}

/// A client connection and the server's behind it, fed piece by piece.
struct Pipe {
    parser: HeadParser,
    head: Head,
    body: Option<(Exchange, Decoder)>,
    held: Vec<u8>,
    server: Vec<u8>,
    last: Reuse,
}

enum Decoder {
    Sized(u64),
    Chunked(Box<Chunked>, Head),
    Tunnel,
}

impl Pipe {
    fn new() -> Pipe {
        Pipe {
            parser: HeadParser::new(Kind::Request, Limits::default()),
            head: Head::new(),
            body: None,
            held: Vec::new(),
            server: Vec::new(),
            last: Reuse::Now,
        }
    }

    fn feed(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.held.extend_from_slice(piece);
        while matches!(self.last, Reuse::Now) || self.body.is_some() {
            let moved = if self.body.is_some() {
                self.feed_body()?
            } else {
                self.feed_head()?
            };
            if !moved {
                break;
            }
        }
        Ok(())
    }

    fn feed_head(&mut self) -> Result<bool, Fault> {
        let Progress::Done { consumed } = self.parser.advance(&self.held, &mut self.head)? else {
            return Ok(false);
        };
        self.held.drain(..consumed);
        let mut front = Exchange::new(Role::Front, Policy::KeepAlive);
        let body = front.receive_request(&mut self.head)?;
        Exchange::new(Role::Back, Policy::KeepAlive).send_request(&mut self.head, body);
        emit_request(&self.head, &mut self.server);
        let decoder = match body {
            _ if self.head.method() == crate::http::Method::Connect => Decoder::Tunnel,
            Body::None => Decoder::Sized(0),
            Body::Sized(left) => Decoder::Sized(left),
            Body::Chunked => {
                Decoder::Chunked(Box::new(Chunked::new(Limits::default())), Head::new())
            }
            Body::UntilClose | Body::Tunnel => panic!("no request has such a body"),
        };
        self.body = Some((front, decoder));
        self.parser.reset();
        self.head.clear();
        Ok(true)
    }

    fn feed_body(&mut self) -> Result<bool, Fault> {
        let Some((front, decoder)) = &mut self.body else {
            return Ok(false);
        };
        let done = match decoder {
            Decoder::Tunnel => return Ok(false),
            Decoder::Sized(left) => {
                let here = self
                    .held
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                self.server.extend(self.held.drain(..here));
                *left -= here as u64;
                *left == 0
            }
            Decoder::Chunked(chunked, trailers) => match chunked.advance(&self.held, trailers)? {
                ChunkStep::More => false,
                ChunkStep::Skip(n) => {
                    self.held.drain(..n);
                    return Ok(true);
                }
                ChunkStep::Data(n) => {
                    write_chunk_head(n as u64, &mut self.server);
                    self.server.extend(self.held.drain(..n));
                    self.server.extend_from_slice(b"\r\n");
                    return Ok(true);
                }
                ChunkStep::End { consumed } => {
                    self.held.drain(..consumed);
                    write_last_chunk(&mut self.server);
                    emit_trailers(trailers, &mut self.server);
                    self.server.extend_from_slice(b"\r\n");
                    true
                }
            },
        };
        if done {
            front.request_done();
            let mut answer = Head::new();
            answer.set_response(crate::http::Version::Http11, Status::OK, b"OK");
            front.send_response(&mut answer, Body::None);
            self.last = front.reuse();
            self.body = None;
        }
        Ok(done)
    }
}

fn run<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut pipe = Pipe::new();
    for piece in pieces {
        if let Err(fault) = pipe.feed(piece) {
            return Outcome::Refused(fault.status());
        }
    }
    let tunnel = matches!(pipe.body, Some((_, Decoder::Tunnel)));
    if !tunnel && (pipe.body.is_some() || !pipe.parser.is_idle()) {
        return Outcome::Unfinished;
    }
    Outcome::Passed {
        server: pipe.server.escape_ascii().to_string(),
        keep: matches!(pipe.last, Reuse::Now),
    }
}

/// Chunks may be cut with their data; joined again they must be the same bytes.
fn run_cut(case: &Case, cut: usize) -> Outcome {
    run([&case.send[..cut], &case.send[cut..]].into_iter())
}

fn check(file: &str) {
    let cases = cases(file);
    assert!(!cases.is_empty());
    for case in cases {
        assert_eq!(
            run([case.send.as_slice()].into_iter()),
            case.outcome,
            "{}: {}",
            case.name,
            case.send.escape_ascii()
        );
        for cut in 0..case.send.len() {
            match (run_cut(&case, cut), &case.outcome) {
                // A cut inside a chunk's data makes two chunks of it.
                (
                    Outcome::Passed { keep, .. },
                    Outcome::Passed {
                        server,
                        keep: expected,
                    },
                ) if server.contains("chunked") => {
                    assert_eq!(keep, *expected, "{} cut at {cut}", case.name);
                }
                (outcome, expected) => assert_eq!(&outcome, expected, "{} cut at {cut}", case.name),
            }
        }
    }
}

#[test]
fn lengths() {
    check(include_str!("../../../tests/corpus/h1/lengths.txt"));
}

#[test]
fn codings() {
    check(include_str!("../../../tests/corpus/h1/codings.txt"));
}

#[test]
fn chunks() {
    check(include_str!("../../../tests/corpus/h1/chunks.txt"));
}

#[test]
fn lines() {
    check(include_str!("../../../tests/corpus/h1/lines.txt"));
}

#[test]
fn start_lines() {
    check(include_str!("../../../tests/corpus/h1/start-lines.txt"));
}

#[test]
fn hosts() {
    check(include_str!("../../../tests/corpus/h1/hosts.txt"));
}

#[test]
fn hops() {
    check(include_str!("../../../tests/corpus/h1/hops.txt"));
}

/// Random mutations of the corpus: whatever passes is read back by the same parser as the same number of requests.
#[test]
fn mutations_never_pass_what_would_be_refused() {
    let files = [
        include_str!("../../../tests/corpus/h1/codings.txt"),
        include_str!("../../../tests/corpus/h1/chunks.txt"),
        include_str!("../../../tests/corpus/h1/lines.txt"),
        include_str!("../../../tests/corpus/h1/hosts.txt"),
    ];
    let passes = |case: &Case| matches!(case.outcome, Outcome::Passed { .. });
    let seeds: Vec<Vec<u8>> = files
        .iter()
        .flat_map(|file| cases(file))
        .filter(passes)
        .map(|case| case.send)
        .collect();
    let mut state = SEED;
    let mut next = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).expect("below bound")
    };
    let mut passed = 0;
    for _ in 0..ROUNDS {
        let mut bytes = seeds[next(seeds.len())].clone();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            let alien = b"\r\n\0\t :;,0aZ\x7f\xff"[next(13)];
            match next(3) {
                0 => bytes[at] = alien,
                1 => bytes.insert(at, alien),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        let Outcome::Passed { server, .. } = run([bytes.as_slice()].into_iter()) else {
            continue;
        };
        passed += 1;
        let again = run([unescape(&server).as_slice()].into_iter());
        let kept = matches!(&again, Outcome::Passed { server: second, .. } if *second == server);
        assert!(
            kept,
            "seed {SEED:#x}: {} became {server}, read back as {again:?}",
            bytes.escape_ascii()
        );
    }
    assert!(
        passed > ROUNDS / 20,
        "only {passed} mutations passed: the test says nothing"
    );
}

const SEED: u64 = 0x5151_ce5e_ed00_0001;
const ROUNDS: usize = 40_000;
