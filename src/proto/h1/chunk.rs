//! Chunked bodies (RFC 9112 section 7.1), walked over slices without copying.
//!
//! The caller offers what it has, does what the step says and offers the rest. Data is never touched: a step only says how
//! many of the next bytes are payload, so whole buffers go on by hand-over. Extensions are dropped, trailers become a head's
//! fields; chunks are written anew with [`write_chunk_head`].

use super::fault::{Fault, Reason};
use super::parse::{HeadParser, Kind, Limits, Progress};
use crate::http::Head;

/// What to do with the bytes just offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkStep {
    /// Nothing to be learned yet: keep the bytes, offer them again with more behind.
    More,
    /// This many bytes (never 0) were framing: drop them.
    Skip(usize),
    /// This many bytes (never 0) are payload.
    Data(usize),
    /// The body is over; so many bytes belonged to it, and the trailers are in the head given.
    End {
        /// Bytes of the input that belong to the body's end.
        consumed: usize,
    },
}

/// The decoder of one chunked body.
#[derive(Clone, Debug)]
pub struct Chunked {
    state: State,
    trailers: HeadParser,
    /// Bytes of the body consumed, for the place of a fault.
    position: usize,
    /// How many bytes of extensions are still accepted; payload earns more.
    extension_budget: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size.
    Size {
        value: u64,
        digits: u8,
    },
    /// Behind the digits: blanks, then an extension or the line's end.
    SizeBlank {
        value: u64,
    },
    /// In an extension.
    Extension {
        value: u64,
        len: u16,
    },
    /// Before the LF that ends the size line.
    SizeLf {
        value: u64,
    },
    /// In the payload.
    Data {
        left: u64,
    },
    /// Before the CR and LF that close a chunk.
    DataCr,
    DataLf,
    /// Behind the last chunk.
    Trailers,
    Done,
    Failed(Fault),
}

impl Chunked {
    /// A decoder at the first byte of a chunked body; `limits` bound the trailers.
    pub fn new(limits: Limits) -> Chunked {
        // A body is read strictly whatever the head's parser was told: here leniency is what smuggles.
        let limits = Limits {
            relaxed: false,
            ..limits
        };
        Chunked {
            state: State::Size {
                value: 0,
                digits: 0,
            },
            trailers: HeadParser::new(Kind::Trailers, limits),
            position: 0,
            extension_budget: EXTENSIONS_FREE,
        }
    }

    /// What the bytes of `input` are; they begin where the last step's ended. `trailers` is a cleared head.
    pub fn advance(&mut self, input: &[u8], trailers: &mut Head) -> Result<ChunkStep, Fault> {
        let step = match self.state {
            State::Failed(fault) => return Err(fault),
            State::Done => return Ok(ChunkStep::End { consumed: 0 }),
            State::Data { left } => Ok(self.data(left, input)),
            State::Trailers => self.trailers(input, trailers),
            State::Size { .. }
            | State::SizeBlank { .. }
            | State::Extension { .. }
            | State::SizeLf { .. }
            | State::DataCr
            | State::DataLf => self.framing(input),
        };
        match step {
            Ok(ChunkStep::Skip(n) | ChunkStep::Data(n)) => {
                self.position = self.position.saturating_add(n)
            }
            Ok(ChunkStep::More | ChunkStep::End { .. }) => {}
            Err(fault) => self.state = State::Failed(fault),
        }
        step
    }

    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many payload bytes of the current chunk are still to come.
    pub fn left_in_chunk(&self) -> u64 {
        if let State::Data { left } = self.state {
            left
        } else {
            0
        }
    }

    /// Takes note of payload that went by without [`Chunked::advance`], as when it is spliced. At most what
    /// [`Chunked::left_in_chunk`] says counts.
    pub fn pass(&mut self, bytes: u64) {
        if let State::Data { left } = self.state {
            let left = left.saturating_sub(bytes);
            self.state = if left == 0 {
                State::DataCr
            } else {
                State::Data { left }
            };
            self.position = self
                .position
                .saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
    }

    fn data(&mut self, left: u64, input: &[u8]) -> ChunkStep {
        if input.is_empty() {
            return ChunkStep::More;
        }
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let left = left - here as u64;
        self.state = if left == 0 {
            State::DataCr
        } else {
            State::Data { left }
        };
        self.extension_budget = self
            .extension_budget
            .saturating_add(here)
            .min(EXTENSIONS_FREE);
        ChunkStep::Data(here)
    }

    fn trailers(&mut self, input: &[u8], trailers: &mut Head) -> Result<ChunkStep, Fault> {
        match self.trailers.advance(input, trailers) {
            Ok(Progress::More) => Ok(ChunkStep::More),
            Ok(Progress::Done { consumed }) => {
                self.state = State::Done;
                Ok(ChunkStep::End { consumed })
            }
            Err(fault) => Err(Fault::new(
                fault.reason,
                self.position.saturating_add(fault.at),
            )),
        }
    }

    /// Consumes size lines and chunk ends byte by byte until payload or trailers begin.
    fn framing(&mut self, input: &[u8]) -> Result<ChunkStep, Fault> {
        for (at, &byte) in input.iter().enumerate() {
            if matches!(self.state, State::Data { .. } | State::Trailers) {
                return Ok(ChunkStep::Skip(at));
            }
            self.state = self
                .next(self.state, byte)
                .map_err(|reason| Fault::new(reason, self.position.saturating_add(at)))?;
        }
        Ok(if input.is_empty() {
            ChunkStep::More
        } else {
            ChunkStep::Skip(input.len())
        })
    }

    fn next(&mut self, state: State, byte: u8) -> Result<State, Reason> {
        match (state, byte) {
            (State::Size { value, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let value = value << 4 | u64::from(hex_value(byte));
                let digits = digits + 1;
                if digits > SIZE_DIGITS_MAX || value > SIZE_MAX {
                    return Err(Reason::BadChunkSize);
                }
                Ok(State::Size { value, digits })
            }
            (State::Size { digits: 0, .. }, _) => Err(Reason::BadChunkSize),
            (State::Size { value, .. } | State::SizeBlank { value }, b'\r') => {
                Ok(State::SizeLf { value })
            }
            (State::Size { value, .. } | State::SizeBlank { value }, b';') => {
                Ok(State::Extension { value, len: 0 })
            }
            // haproxy: blanks behind a size pass; here too, old servers pad sizes and the line is written anew.
            (State::Size { value, .. } | State::SizeBlank { value }, b' ' | b'\t') => {
                self.spend_extension()?;
                Ok(State::SizeBlank { value })
            }
            (State::Size { .. } | State::SizeBlank { .. }, _) => Err(Reason::BadChunkSize),
            (State::Extension { value, .. }, b'\r') => Ok(State::SizeLf { value }),
            (State::Extension { value, len }, byte) => {
                self.spend_extension()?;
                if len >= EXTENSION_LEN_MAX {
                    return Err(Reason::ExtensionTooLong);
                }
                if byte < 0x20 && byte != b'\t' || byte == 0x7f {
                    return Err(if byte == b'\n' {
                        Reason::BareLf
                    } else {
                        Reason::Control
                    });
                }
                Ok(State::Extension {
                    value,
                    len: len + 1,
                })
            }
            (State::SizeLf { value: 0 }, b'\n') => Ok(State::Trailers),
            (State::SizeLf { value }, b'\n') => Ok(State::Data { left: value }),
            (State::SizeLf { .. }, _) => Err(Reason::BareCr),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size {
                value: 0,
                digits: 0,
            }),
            (State::DataCr | State::DataLf, _) => Err(Reason::BadChunkEnd),
            (
                state @ (State::Data { .. } | State::Trailers | State::Done | State::Failed(_)),
                _,
            ) => Ok(state),
        }
    }

    fn spend_extension(&mut self) -> Result<(), Reason> {
        self.extension_budget = self
            .extension_budget
            .checked_sub(1)
            .ok_or(Reason::ExtensionTooLong)?;
        Ok(())
    }
}

/// Writes the line that begins a chunk of `len` bytes.
pub fn write_chunk_head(len: u64, out: &mut Vec<u8>) {
    debug_assert!(len > 0, "an empty chunk would end the body");
    let digits = (u64::BITS - len.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        out.push(HEX[(len >> (place * 4) & 0xf) as usize]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the chunk that ends the data; trailers, if any, and an empty line must follow.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
}

fn hex_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// Digits of a size, leading zeros included.
const SIZE_DIGITS_MAX: u8 = 16;
/// The longest chunk: what every signed 64-bit reader behind us can hold.
const SIZE_MAX: u64 = i64::MAX as u64;
/// Bytes of extensions on one chunk.
const EXTENSION_LEN_MAX: u16 = 1024;
/// Bytes of extensions that a body may carry beyond the bytes of its payload.
const EXTENSIONS_FREE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a body given in pieces; the bytes left over come last.
    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, Option<Head>, usize), Fault> {
        let mut chunked = Chunked::new(Limits::default());
        let mut trailers = Head::new();
        let (mut held, mut data) = (Vec::new(), Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            loop {
                match chunked.advance(&held, &mut trailers)? {
                    ChunkStep::More => break,
                    ChunkStep::Skip(n) => {
                        assert!(n > 0, "a step consumes");
                        held.drain(..n);
                    }
                    ChunkStep::Data(n) => data.extend(held.drain(..n)),
                    ChunkStep::End { consumed } => {
                        held.drain(..consumed);
                        break;
                    }
                }
            }
        }
        Ok((data, chunked.is_done().then_some(trailers), held.len()))
    }

    fn whole(body: &str) -> Result<String, Reason> {
        let (data, trailers, left) = decode(&[body.as_bytes()]).map_err(|fault| fault.reason)?;
        assert!(trailers.is_some(), "{body:?} ends");
        assert_eq!(left, 0);
        Ok(String::from_utf8_lossy(&data).into_owned())
    }

    #[test]
    fn bodies() {
        assert_eq!(
            whole("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
            Ok("hello world".into())
        );
        assert_eq!(whole("0\r\n\r\n"), Ok(String::new()));
        assert_eq!(
            whole("00000000000000A\r\n0123456789\r\n000\r\n\r\n"),
            Ok("0123456789".into())
        );
        assert_eq!(
            whole("2 \t;a=b;c=\"d\"\r\nhi\r\n0;x\r\nT: y\r\n\r\n"),
            Ok("hi".into())
        );
    }

    #[test]
    fn refused() {
        for (body, reason) in [
            ("\r\n", Reason::BadChunkSize),
            (" 2\r\nhi\r\n", Reason::BadChunkSize),
            ("0x2\r\nhi\r\n", Reason::BadChunkSize),
            ("-2\r\nhi\r\n", Reason::BadChunkSize),
            ("2,3\r\nhi\r\n", Reason::BadChunkSize),
            ("2\nhi\r\n", Reason::BadChunkSize),
            ("2;\nhi\r\n", Reason::BareLf),
            ("2;\0\r\nhi\r\n", Reason::Control),
            ("2\rhi\r\n", Reason::BareCr),
            ("2\r\nhix\r\n", Reason::BadChunkEnd),
            ("2\r\nhi\n0\r\n\r\n", Reason::BadChunkEnd),
            ("2\r\nhi\r0\r\n\r\n", Reason::BadChunkEnd),
            ("8000000000000000\r\n", Reason::BadChunkSize),
            ("10000000000000000\r\n", Reason::BadChunkSize),
            ("00000000000000002\r\nhi\r\n", Reason::BadChunkSize),
            ("0\r\nT : y\r\n\r\n", Reason::BlankBeforeColon),
            ("0\r\n\n", Reason::BareLf),
            ("0\r\nX: y\rz\r\n\r\n", Reason::BareCr),
        ] {
            assert_eq!(whole(body), Err(reason), "{body:?}");
        }
    }

    #[test]
    fn extensions_are_bounded_each_and_together() {
        let long = format!(
            "1;{}\r\nx\r\n0\r\n\r\n",
            "e".repeat(usize::from(EXTENSION_LEN_MAX) + 1)
        );
        assert_eq!(whole(&long), Err(Reason::ExtensionTooLong));
        let one = format!("1;{}\r\nx\r\n", "e".repeat(1000));
        assert_eq!(whole(&(one.repeat(16) + "0\r\n\r\n")), Ok("x".repeat(16)));
        assert_eq!(
            whole(&(one.repeat(17) + "0\r\n\r\n")),
            Err(Reason::ExtensionTooLong)
        );
        let paid = format!("400;{}\r\n{}\r\n", "e".repeat(1000), "x".repeat(1024));
        assert_eq!(
            whole(&(paid.repeat(40) + "0\r\n\r\n")).map(|data| data.len()),
            Ok(40 * 1024)
        );
    }

    #[test]
    fn cuts_do_not_matter() {
        let body = b"5;x=y\r\nhello\r\n1F\r\n0123456789012345678901234567890\r\n0\r\nA: b\r\nHost: x\r\n\r\nNEXT";
        let expected = decode(&[body]).expect("a good body");
        assert_eq!((expected.0.len(), expected.2), (36, 4));
        assert_eq!(expected.1.as_ref().map(|trailers| trailers.len()), Some(1));
        for cut in 0..=body.len() {
            assert_eq!(
                decode(&[&body[..cut], &body[cut..]]),
                Ok(expected.clone()),
                "cut at {cut}"
            );
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(decode(&bytes), Ok(expected));
    }

    #[test]
    fn a_fault_stays_and_says_where() {
        let mut chunked = Chunked::new(Limits::default());
        let mut trailers = Head::new();
        assert_eq!(
            chunked.advance(b"2\r\nhi\r\n", &mut trailers),
            Ok(ChunkStep::Skip(3))
        );
        assert_eq!(
            chunked.advance(b"hi\r\n", &mut trailers),
            Ok(ChunkStep::Data(2))
        );
        let fault = Err(Fault::new(Reason::BadChunkEnd, 6));
        assert_eq!(chunked.advance(b"\rX", &mut trailers), fault);
        assert_eq!(chunked.advance(b"\r\n0\r\n\r\n", &mut trailers), fault);
    }

    #[test]
    fn spliced_payload_counts() {
        let mut chunked = Chunked::new(Limits::default());
        let mut trailers = Head::new();
        assert_eq!(
            chunked.advance(b"a\r\n", &mut trailers),
            Ok(ChunkStep::Skip(3))
        );
        assert_eq!(chunked.left_in_chunk(), 10);
        chunked.pass(4);
        assert_eq!(chunked.left_in_chunk(), 6);
        chunked.pass(6);
        assert_eq!(
            chunked.advance(b"\r\n0\r\n\r\n", &mut trailers),
            Ok(ChunkStep::Skip(5))
        );
        assert_eq!(
            chunked.advance(b"\r\n", &mut trailers),
            Ok(ChunkStep::End { consumed: 2 })
        );
    }

    #[test]
    fn chunk_heads_are_hexadecimal() {
        for (len, line) in [
            (1, "1\r\n"),
            (15, "F\r\n"),
            (16, "10\r\n"),
            (0x1234_abcd, "1234ABCD\r\n"),
            (u64::MAX, "FFFFFFFFFFFFFFFF\r\n"),
        ] {
            let mut out = Vec::new();
            write_chunk_head(len, &mut out);
            assert_eq!(out, line.as_bytes());
        }
    }
}
