//! Encoders: deflate in its three wrappings, streaming, with pooled states.
//!
//! An [`Encoder`] turns the parts of one body into the parts of another. Its compression state is
//! large (about 300 KiB), so a worker keeps a few in an [`EncoderPool`] and lends them; when all
//! are lent, the body goes uncompressed. Bytes in, bytes out: no clock, no socket.

use crc32fast::Hasher;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// A content coding that the proxy can produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The bytes as they are; for tests.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, as RFC 9110 defines `deflate`.
    Deflate,
    /// RFC 1951, which some clients mean by `deflate`.
    RawDeflate,
}

impl Algorithm {
    /// Every algorithm and its name in the configuration.
    pub const ALL: [(&'static str, Algorithm); 4] = [
        ("identity", Algorithm::Identity),
        ("gzip", Algorithm::Gzip),
        ("deflate", Algorithm::Deflate),
        ("raw-deflate", Algorithm::RawDeflate),
    ];

    /// The name in `Accept-Encoding` and `Content-Encoding`.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Algorithm::Identity => "identity",
            Algorithm::Gzip => "gzip",
            Algorithm::Deflate | Algorithm::RawDeflate => "deflate",
        }
    }
}

/// How many states a worker makes at most.
pub const ENCODERS_MAX: usize = 64;

/// The states of one worker.
pub struct EncoderPool {
    free: Vec<Box<CompressorOxide>>,
    lent: usize,
    level: u8,
    open: bool,
}

impl Default for EncoderPool {
    fn default() -> Self {
        Self::new(1)
    }
}

impl std::fmt::Debug for EncoderPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncoderPool")
            .field("free", &self.free.len())
            .field("lent", &self.lent)
            .finish()
    }
}

impl EncoderPool {
    /// A pool whose encoders compress at this level.
    #[must_use]
    pub fn new(level: u8) -> Self {
        Self {
            free: Vec::new(),
            lent: 0,
            level,
            open: true,
        }
    }

    /// Lends nothing while it is not open.
    pub fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    /// An encoder for one body; none when all states are lent.
    pub fn lend(&mut self, algorithm: Algorithm) -> Option<Encoder> {
        if !self.open {
            return None;
        }
        let format = match algorithm {
            Algorithm::Identity => {
                return Some(Encoder {
                    algorithm,
                    state: None,
                    check: Hasher::new(),
                    len: 0,
                    begun: false,
                });
            }
            Algorithm::Gzip | Algorithm::RawDeflate => DataFormat::Raw,
            Algorithm::Deflate => DataFormat::Zlib,
        };
        if self.lent >= ENCODERS_MAX {
            return None;
        }
        self.lent += 1;
        let mut state = self.free.pop().unwrap_or_default();
        state.set_format_and_level(format, self.level);
        Some(Encoder {
            algorithm,
            state: Some(state),
            check: Hasher::new(),
            len: 0,
            begun: false,
        })
    }

    /// Takes an encoder back, wherever its body ended.
    pub fn take_back(&mut self, encoder: Encoder) {
        let Some(mut state) = encoder.state else {
            return;
        };
        state.reset();
        self.lent = self.lent.saturating_sub(1);
        self.free.push(state);
    }

    /// How many states are lent.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.lent
    }
}

/// The transformation of one body.
pub struct Encoder {
    algorithm: Algorithm,
    /// Absent for the identity.
    state: Option<Box<CompressorOxide>>,
    check: Hasher,
    len: u32,
    begun: bool,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Magic, deflate, no flags, no time, fastest, Unix (RFC 1952, section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
/// How much room is made for the output at a time.
const STEP: usize = 4096;

impl Encoder {
    /// Appends what becomes of some bytes of the body; the state may keep the rest for later.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.state.is_none() {
            out.extend_from_slice(input);
            return;
        }
        self.begin(out);
        self.check.update(input);
        self.len = self
            .len
            .wrapping_add(u32::try_from(input.len() & 0xffff_ffff).unwrap_or(0));
        self.drive(input, MZFlush::None, out);
    }

    /// Appends everything the state keeps, so that the receiver can decode all that was pushed.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if self.begun {
            self.drive(&[], MZFlush::Sync, out);
        }
    }

    /// Appends the end of the body.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.state.is_none() {
            return;
        }
        self.begin(out);
        self.drive(&[], MZFlush::Finish, out);
        if self.algorithm == Algorithm::Gzip {
            out.extend_from_slice(&self.check.clone().finalize().to_le_bytes());
            out.extend_from_slice(&self.len.to_le_bytes());
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) && self.algorithm == Algorithm::Gzip {
            out.extend_from_slice(&GZIP_HEADER);
        }
    }

    /// Runs the state until it has taken everything and given what `flush` asks for.
    fn drive(&mut self, mut input: &[u8], flush: MZFlush, out: &mut Vec<u8>) {
        let Some(state) = &mut self.state else { return };
        loop {
            let filled = out.len();
            out.resize(filled + STEP, 0);
            let step = deflate(state, input, &mut out[filled..], flush);
            out.truncate(filled + step.bytes_written);
            input = &input[step.bytes_consumed..];
            let full = step.bytes_written == STEP;
            match step.status {
                Ok(MZStatus::StreamEnd) | Err(_) => return,
                Ok(_) if !full && input.is_empty() => return,
                Ok(_) if step.bytes_written == 0 && step.bytes_consumed == 0 => return,
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::inflate::{decompress_to_vec, decompress_to_vec_zlib};

    fn body() -> Vec<u8> {
        (0..50_000_u32)
            .flat_map(|n| (n % 977).to_string().into_bytes())
            .collect()
    }

    fn encoded(algorithm: Algorithm, piece: usize, flush: bool) -> Vec<u8> {
        let mut pool = EncoderPool::default();
        let mut encoder = pool.lend(algorithm).expect("a state");
        let mut out = Vec::new();
        for part in body().chunks(piece) {
            encoder.push(part, &mut out);
            if flush {
                encoder.flush(&mut out);
            }
        }
        encoder.finish(&mut out);
        pool.take_back(encoder);
        assert_eq!(pool.lent(), 0);
        out
    }

    #[test]
    fn every_wrapping_decodes_whatever_the_pieces() {
        for piece in [1, 100, 70_000, 1 << 20] {
            for flush in [false, piece > 1] {
                let raw = encoded(Algorithm::RawDeflate, piece, flush);
                assert_eq!(decompress_to_vec(&raw).expect("deflate"), body());
                let zlib = encoded(Algorithm::Deflate, piece, flush);
                assert_eq!(decompress_to_vec_zlib(&zlib).expect("zlib"), body());
                let gzip = encoded(Algorithm::Gzip, piece, flush);
                let (head, rest) = gzip.split_at(10);
                let (middle, tail) = rest.split_at(rest.len() - 8);
                assert_eq!(head, GZIP_HEADER);
                assert_eq!(decompress_to_vec(middle).expect("gzip"), body());
                assert_eq!(tail[..4], crc32fast::hash(&body()).to_le_bytes());
                assert_eq!(
                    tail[4..],
                    u32::try_from(body().len()).expect("small").to_le_bytes()
                );
                assert!(gzip.len() < body().len());
            }
        }
    }

    #[test]
    fn a_flush_lets_the_receiver_decode_everything() {
        let mut encoder = EncoderPool::default()
            .lend(Algorithm::RawDeflate)
            .expect("a state");
        let mut out = Vec::new();
        encoder.push(b"hello hello hello", &mut out);
        encoder.flush(&mut out);
        // An empty final block stands in for the end that has not come.
        out.extend_from_slice(&[3, 0]);
        assert_eq!(
            decompress_to_vec(&out).expect("deflate"),
            b"hello hello hello"
        );
    }

    #[test]
    fn a_used_state_starts_afresh() {
        let mut pool = EncoderPool::default();
        for _ in 0..3 {
            let mut encoder = pool.lend(Algorithm::Deflate).expect("a state");
            let mut out = Vec::new();
            encoder.push(b"abc", &mut out);
            encoder.finish(&mut out);
            assert_eq!(decompress_to_vec_zlib(&out).expect("zlib"), b"abc");
            pool.take_back(encoder);
        }
    }

    #[test]
    fn states_are_limited() {
        let mut pool = EncoderPool::default();
        let lent: Vec<Encoder> = (0..ENCODERS_MAX)
            .filter_map(|_| pool.lend(Algorithm::Gzip))
            .collect();
        assert_eq!(lent.len(), ENCODERS_MAX);
        assert!(pool.lend(Algorithm::Gzip).is_none());
        assert!(pool.lend(Algorithm::Identity).is_some());
        lent.into_iter().for_each(|encoder| pool.take_back(encoder));
        assert!(pool.lend(Algorithm::Gzip).is_some());
    }
}
