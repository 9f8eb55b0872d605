//! The PROXY protocol, versions 1 and 2: who the client really is, told by a proxy before the first byte of the connection.
//!
//! A library without I/O. [`parse`] reads a header from bytes that may be incomplete; a [`Reader`] does the same for servers
//! that take bytes out of a socket and must not take one too many; [`Header`] is what was said, and writes itself in either
//! version. "More is needed" is a value, never an error; what the specification forbids is a [`Refused`].
//!
//! # Reading
//!
//! ```
//! use sluice::proxy_protocol::{parse, Endpoints, Parsed};
//!
//! let bytes = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET / HTTP/1.1\r\n";
//! let Parsed::Header { header, consumed } = parse(bytes)? else { panic!("the header is whole") };
//! assert_eq!(header.source(), Some("192.0.2.1:56324".parse().unwrap()));
//! assert_eq!(&bytes[consumed..], b"GET / HTTP/1.1\r\n");
//!
//! // Any beginning of it only asks for more.
//! assert!(matches!(parse(&bytes[..20])?, Parsed::More { .. }));
//! # Ok::<(), sluice::proxy_protocol::Refused>(())
//! ```
//!
//! # Accepting connections
//!
//! A server reads exactly the header by asking the reader how much it may read; the rest of the connection is untouched, so
//! the socket can be handed on to whoever speaks the protocol behind it. Any `read` that returns early, one byte at a time or
//! "would block", is just another turn of the loop.
//!
//! ```
//! use std::io::Read;
//! use sluice::proxy_protocol::{Header, Reader};
//!
//! fn real_client(socket: &mut impl Read) -> std::io::Result<Header> {
//!     let mut reader = Reader::new();
//!     let mut buffer = [0; 256];
//!     loop {
//!         let wanted = reader.wants().min(buffer.len());
//!         let read = socket.read(&mut buffer[..wanted])?;
//!         if read == 0 {
//!             return Err(std::io::ErrorKind::UnexpectedEof.into());
//!         }
//!         if let Some(header) = reader.push(&buffer[..read])? {
//!             return Ok(header);
//!         }
//!     }
//! }
//!
//! let mut socket: &[u8] = b"PROXY TCP6 2001:db8::1 2001:db8::2 1024 5432\r\nhello";
//! let header = real_client(&mut socket)?;
//! assert_eq!(header.source().unwrap().port(), 1024);
//! assert_eq!(socket, b"hello");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Writing
//!
//! ```
//! use sluice::proxy_protocol::{kind, parse, Endpoints, Header, Parsed, Tlv};
//!
//! let endpoints = Endpoints::between("192.0.2.1:56324".parse().unwrap(), "198.51.100.7:443".parse().unwrap());
//! let mut header = Header::proxied(endpoints);
//! header.push(kind::AUTHORITY, b"example.org")?;
//!
//! let mut out = Vec::new();
//! header.write_v2(true, &mut out)?; // with a checksum
//! let Parsed::Header { header, .. } = parse(&out).unwrap() else { panic!() };
//! assert!(header.tlvs().any(|tlv| tlv == Tlv::Authority("example.org")));
//!
//! out.clear();
//! header.write_v1(&mut out);
//! assert_eq!(out, b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
//! # Ok::<(), sluice::proxy_protocol::TooLong>(())
//! ```
//!
//! # Trust
//!
//! Anybody can write such a header. Accept it from proxies you know by address, and only from connections that must begin
//! with one: a server that takes connections with and without it can be told any address by anyone. A [`Command::Local`]
//! header (a proxy's own health check) names nobody: use the connection's own addresses.

mod header;
mod tlv;
mod v1;
mod v2;
mod write;

pub use header::{Command, Endpoints, Header, Transport, UnixPath, Version};
pub use tlv::{Ssl, SslText, Tlv, Tlvs, kind, ssl_flag, ssl_kind};
pub use write::{SslParts, TooLong};

/// What [`parse`] made of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The bytes are the beginning of a header.
    More {
        /// How many more bytes certainly belong to the header; at least 1.
        at_least: usize,
    },
    /// A whole header.
    Header {
        /// What it says.
        header: Header,
        /// How many bytes it took; what follows is the connection's own.
        consumed: usize,
    },
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Why bytes are not a PROXY protocol header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refused { $($(#[$doc])* $variant,)* }

        impl std::fmt::Display for Refused {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Refused::$variant => $text,)* })
            }
        }
    };
}

refusals! {
    /// The bytes begin like neither version.
    NotAHeader = "not a PROXY protocol header",
    /// Version 1: no line end within the longest possible line.
    LineTooLong = "PROXY line too long",
    /// Version 1: a carriage return without its line feed, or another control byte.
    BadLine = "malformed PROXY line",
    /// Version 1: neither TCP4, TCP6 nor UNKNOWN.
    UnknownFamily = "unknown protocol in PROXY line",
    /// Version 1: an address or port that is not in its one canonical form.
    BadAddress = "malformed address in PROXY line",
    /// Version 2: another version or command than there are.
    UnknownCommand = "unknown PROXY version or command",
    /// Version 2: a family or transport that is not assigned.
    UnassignedFamily = "unassigned address family or transport",
    /// Version 2: the length does not hold the addresses of the family.
    TooShort = "PROXY header too short for its addresses",
    /// Version 2: longer than the reader's limit.
    TooLong = "PROXY header too long",
    /// Version 2: a TLV reaches beyond the header, or its content is not what its kind demands.
    BadTlv = "malformed TLV",
    /// Version 2: the checksum does not match, or there are two.
    BadChecksum = "wrong checksum",
}

impl std::error::Error for Refused {}

impl From<Refused> for std::io::Error {
    fn from(refused: Refused) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, refused)
    }
}

/// Reads a header of either version from the first bytes of a connection.
///
/// # Errors
/// The bytes cannot become a header that the specification allows, whatever follows.
pub fn parse(input: &[u8]) -> Result<Parsed, Refused> {
    parse_within(input, LEN_MAX)
}

fn parse_within(input: &[u8], len_max: usize) -> Result<Parsed, Refused> {
    match input.first() {
        None => Ok(Parsed::More {
            at_least: v1::LEN_MIN,
        }),
        Some(b'P') => v1::parse(input),
        Some(&v2::SIGNATURE_START) => v2::parse(input, len_max),
        Some(_) => Err(Refused::NotAHeader),
    }
}

/// Gathers a header from bytes taken out of a connection, without taking a byte too many.
///
/// Memory grows with what has come, never with what was announced.
#[derive(Clone, Debug)]
pub struct Reader {
    held: Vec<u8>,
    wants: usize,
    len_max: usize,
    refused: Option<Refused>,
}

impl Reader {
    /// A reader that accepts every header the specification allows.
    pub fn new() -> Reader {
        Reader::with_limit(LEN_MAX)
    }

    /// A reader that refuses version 2 headers of more than `len_max` bytes.
    pub fn with_limit(len_max: usize) -> Reader {
        Reader {
            held: Vec::new(),
            wants: v1::LEN_MIN,
            len_max,
            refused: None,
        }
    }

    /// How many bytes may be read without reading past the header; at least 1.
    pub fn wants(&self) -> usize {
        self.wants
    }

    /// Whether nothing has come.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes bytes that were read, at most what [`Reader::wants`] said; returns the header once it is whole.
    ///
    /// # Errors
    /// The bytes are no header; every further call says the same.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Header>, Refused> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        debug_assert!(
            bytes.len() <= self.wants,
            "more was read than the reader wants"
        );
        self.held.extend_from_slice(bytes);
        match parse_within(&self.held, self.len_max) {
            Ok(Parsed::More { at_least }) => {
                self.wants = at_least;
                Ok(None)
            }
            Ok(Parsed::Header { header, .. }) => {
                self.held = Vec::new();
                self.wants = v1::LEN_MIN;
                Ok(Some(header))
            }
            Err(refused) => {
                self.refused = Some(refused);
                Err(refused)
            }
        }
    }
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

/// The longest header: 16 fixed bytes and what 16 bits can announce.
pub const LEN_MAX: usize = 16 + u16::MAX as usize;

#[cfg(test)]
mod tests;
