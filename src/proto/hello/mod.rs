//! The beginning of TLS, read without ending it: what a ClientHello says before anybody decides where it goes.
//!
//! [`peek`] gets the first bytes of a connection and either wants more, sees that this is no TLS, or gives a [`Hello`]. The
//! hello may be cut over any number of pieces and records (RFC 8446 section 5.1); nothing is consumed, for whoever ends the
//! TLS must get the same bytes.
//!
//! Always true: a `Hello` is whole and its lists were walked once, so that reading them later cannot fail. It judges form
//! only: unknown versions, suites and extensions are shown as they came.

mod records;

use std::borrow::Cow;

use records::{Gathered, gather};

/// What the first bytes of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peek<'a> {
    /// The beginning of a hello.
    More,
    /// Not a TLS hello, or a malformed one.
    Other,
    /// A whole hello.
    Hello(Hello<'a>),
}

/// A client's or server's hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    record_version: u16,
    side: Side,
    /// The handshake message behind its four-byte head.
    body: Cow<'a, [u8]>,
    /// Where the suites, compressions and extensions stand in `body`.
    suites: (usize, usize),
    extensions: (usize, usize),
}

/// Who greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A ClientHello.
    Client,
    /// A ServerHello.
    Server,
}

/// Looks at the first bytes of a connection.
pub fn peek(input: &[u8]) -> Peek<'_> {
    match gather(input) {
        Gathered::More => Peek::More,
        Gathered::Other => Peek::Other,
        Gathered::Message {
            record_version,
            kind,
            body,
        } => parse(record_version, kind, body).map_or(Peek::Other, Peek::Hello),
    }
}

/// Walks the lists of a hello once.
fn parse(record_version: u16, kind: u8, body: Cow<'_, [u8]>) -> Option<Hello<'_>> {
    let mut at = Walk {
        bytes: &body,
        at: 0,
    };
    at.skip(2 + RANDOM_LEN)?;
    let session_len = usize::from(at.byte()?);
    at.skip(session_len)?;
    let (side, suites) = if kind == CLIENT_HELLO {
        let suites = at.list()?;
        if suites.1 % 2 != 0 {
            return None;
        }
        let compressions = usize::from(at.byte()?);
        at.skip(compressions)?;
        (Side::Client, suites)
    } else {
        let start = at.at;
        at.skip(3)?;
        (Side::Server, (start, 2))
    };
    let extensions = if at.at == body.len() {
        (body.len(), 0)
    } else {
        at.list()?
    };
    if at.at != body.len() {
        return None;
    }
    let mut walk = Walk {
        bytes: &body[..extensions.0 + extensions.1],
        at: extensions.0,
    };
    while walk.at < walk.bytes.len() {
        walk.skip(2)?;
        walk.list()?;
    }
    Some(Hello {
        record_version,
        side,
        suites,
        extensions,
        body,
    })
}

impl Hello<'_> {
    /// Who greets.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The handshake type as HAProxy's `req.ssl_hello_type` and `rep.ssl_hello_type` give it: 1 or 2.
    pub fn kind(&self) -> u8 {
        match self.side {
            Side::Client => CLIENT_HELLO,
            Side::Server => SERVER_HELLO,
        }
    }

    /// The hello itself, without the head of its message.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The version of the first record: 0x0301 for almost everybody.
    pub fn record_version(&self) -> u16 {
        self.record_version
    }

    /// The version in the hello itself (`req.ssl_ver`): 0x0303 since TLS 1.2; what TLS 1.3 wants is in [`Hello::versions`].
    pub fn version(&self) -> u16 {
        u16::from_be_bytes([self.body[0], self.body[1]])
    }

    /// The random bytes.
    pub fn random(&self) -> &[u8] {
        &self.body[2..2 + RANDOM_LEN]
    }

    /// The session's identity; may be empty.
    pub fn session_id(&self) -> &[u8] {
        let len = usize::from(self.body[2 + RANDOM_LEN]);
        &self.body[3 + RANDOM_LEN..3 + RANDOM_LEN + len]
    }

    /// The cipher suites, two bytes each.
    pub fn suites(&self) -> &[u8] {
        &self.body[self.suites.0..self.suites.0 + self.suites.1]
    }

    /// The extensions in order: number and content.
    pub fn extensions(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = &self.body[self.extensions.0..self.extensions.0 + self.extensions.1];
        std::iter::from_fn(move || {
            let (&[a, b, high, low], tail) = rest.split_first_chunk::<4>()?;
            let (content, tail) =
                tail.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
            rest = tail;
            Some((u16::from_be_bytes([a, b]), content))
        })
    }

    /// The content of the first extension of this number.
    pub fn extension(&self, number: u16) -> Option<&[u8]> {
        self.extensions()
            .find(|(found, _)| *found == number)
            .map(|(_, content)| content)
    }

    /// The server name asked for (RFC 6066 section 3).
    pub fn server_name(&self) -> Option<&[u8]> {
        let list = self.extension(SERVER_NAME)?;
        let mut names = Walk { bytes: list, at: 0 };
        let (start, len) = names.list()?;
        let mut names = Walk {
            bytes: list.get(..start + len)?,
            at: start,
        };
        while names.at < names.bytes.len() {
            let kind = names.byte()?;
            let (start, len) = names.list()?;
            if kind == 0 {
                return Some(&list[start..start + len]);
            }
        }
        None
    }

    /// The application protocols offered (RFC 7301), each without its length.
    pub fn protocols(&self) -> impl Iterator<Item = &[u8]> {
        let list = self
            .extension(ALPN)
            .and_then(|content| content.get(2..))
            .unwrap_or(b"");
        short_items(list)
    }

    /// The protocol list as `req.ssl_alpn` matches it: the first offered.
    pub fn first_protocol(&self) -> Option<&[u8]> {
        self.protocols().next()
    }

    /// The versions a TLS 1.3 client supports, two bytes each; empty for older ones.
    pub fn versions(&self) -> impl Iterator<Item = u16> {
        let list = self.extension(SUPPORTED_VERSIONS).unwrap_or(b"");
        let list = if self.side == Side::Client {
            list.get(1..).unwrap_or(b"")
        } else {
            list
        };
        list.chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// Session ticket support as `req.ssl_st_ext` gives it: 0 without the extension, 1 with an empty one, 2 with a ticket.
    pub fn ticket(&self) -> u8 {
        match self.extension(SESSION_TICKET) {
            None => 0,
            Some([]) => 1,
            Some(_) => 2,
        }
    }
}

/// The items of a list whose lengths are a byte each; ends at the first that is not whole.
fn short_items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let (&len, tail) = rest.split_first()?;
        let (item, tail) = tail.split_at_checked(usize::from(len))?;
        rest = tail;
        Some(item)
    })
}

/// A place in bytes that only moves within them.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self
            .at
            .checked_add(count)
            .filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Steps over a list with a length of two bytes; returns where it begins and its length.
    fn list(&mut self) -> Option<(usize, usize)> {
        let len = usize::from(self.byte()?) << 8 | usize::from(self.byte()?);
        let start = self.at;
        self.skip(len)?;
        Some((start, len))
    }
}

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const RANDOM_LEN: usize = 32;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SESSION_TICKET: u16 = 35;
const SUPPORTED_VERSIONS: u16 = 43;
#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORTED_GROUPS: u16 = 10;

    fn prefixed(content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&len, content].concat()
    }

    fn client_hello() -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut extension = |number: u16, content: &[u8]| {
            extensions.extend_from_slice(&number.to_be_bytes());
            extensions.extend_from_slice(&prefixed(content));
        };
        let name = [&[0u8][..], &prefixed(b"www.example.org")].concat();
        extension(SERVER_NAME, &prefixed(&name));
        extension(SUPPORTED_GROUPS, &prefixed(&[0, 29]));
        extension(ALPN, &prefixed(b"\x02h2\x08http/1.1"));
        extension(SESSION_TICKET, b"");
        extension(SUPPORTED_VERSIONS, &[4, 3, 4, 3, 3]);
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(b"\x02id");
        body.extend_from_slice(&prefixed(&[0x13, 1, 0x13, 2]));
        body.extend_from_slice(&[1, 0]);
        body.extend_from_slice(&prefixed(&extensions));
        body
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len()).expect("short").to_be_bytes();
        [&[kind], &len[1..], body].concat()
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        message
            .chunks(size)
            .flat_map(|piece| [&[22, 3, 1][..], &prefixed(piece)].concat())
            .collect()
    }

    fn check(hello: &Hello<'_>) {
        assert_eq!((hello.side(), hello.kind()), (Side::Client, 1));
        assert_eq!((hello.record_version(), hello.version()), (0x301, 0x303));
        assert_eq!(hello.session_id(), b"id");
        assert_eq!(hello.random(), [7; 32]);
        assert_eq!(hello.suites(), [0x13, 1, 0x13, 2]);
        assert_eq!(hello.server_name(), Some(b"www.example.org".as_slice()));
        assert_eq!(
            hello.protocols().collect::<Vec<_>>(),
            [b"h2".as_slice(), b"http/1.1"]
        );
        assert_eq!(hello.first_protocol(), Some(b"h2".as_slice()));
        assert_eq!(hello.versions().collect::<Vec<_>>(), [0x304, 0x303]);
        assert!(hello.extension(SUPPORTED_GROUPS).is_some());
        assert_eq!(hello.ticket(), 1);
        assert_eq!(hello.extensions().count(), 5);
    }

    #[test]
    fn cuts_and_records_do_not_matter() {
        let message = message(CLIENT_HELLO, &client_hello());
        for size in [message.len(), 1 + message.len() / 2, 5] {
            let bytes = records(&message, size);
            for cut in 0..bytes.len() {
                assert_eq!(
                    peek(&bytes[..cut]),
                    Peek::More,
                    "records of {size}, cut at {cut}"
                );
            }
            let Peek::Hello(hello) = peek(&bytes) else {
                panic!("a hello in records of {size}")
            };
            check(&hello);
            let followed = [bytes.as_slice(), b"\x17\x03\x03garbage"].concat();
            assert!(matches!(peek(&followed), Peek::Hello(_)));
        }
        assert_eq!(
            peek(&records(&message, 1)),
            Peek::Other,
            "more records than anybody sends"
        );
    }

    #[test]
    fn strangers_are_seen_at_once() {
        for other in [
            b"G".as_slice(),
            b"\x16\x02",
            b"\x15\x03\x01\0\x02",
            b"\x16\x03\x01\0\0",
            b"\x16\x03\x01\xff\xff",
            b"\x16\x03\x01\0\x04\x0b",
        ] {
            assert_eq!(peek(other), Peek::Other, "{}", other.escape_ascii());
        }
        let huge = [&[22, 3, 1, 0, 5, 1, 2, 0, 0, 0][..]].concat();
        assert_eq!(peek(&huge), Peek::Other);
    }

    #[test]
    fn damage_never_panics_and_lengths_must_agree() {
        let body = client_hello();
        for at in 0..body.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = body.clone();
                damaged[at] = value;
                if let Peek::Hello(hello) = peek(&records(&message(CLIENT_HELLO, &damaged), 1000)) {
                    let _ = (
                        hello.server_name(),
                        hello.protocols().count(),
                        hello.versions().count(),
                        hello.ticket(),
                    );
                }
            }
        }
        let longer = [body.as_slice(), b"x"].concat();
        assert_eq!(
            peek(&records(&message(CLIENT_HELLO, &longer), 1000)),
            Peek::Other
        );
        let shorter = &body[..body.len() - 1];
        assert_eq!(
            peek(&records(&message(CLIENT_HELLO, shorter), 1000)),
            Peek::Other
        );
    }

    #[test]
    fn old_hellos_and_servers() {
        let mut body = vec![3, 1];
        body.extend_from_slice(&[0; 33]);
        let client = [body.as_slice(), &[0, 2, 0, 10, 1, 0]].concat();
        let bytes = records(&message(CLIENT_HELLO, &client), 1000);
        let Peek::Hello(hello) = peek(&bytes) else {
            panic!("a hello")
        };
        assert_eq!(
            (hello.version(), hello.server_name(), hello.ticket()),
            (0x301, None, 0)
        );
        let server = [body.as_slice(), &[0, 10, 0]].concat();
        let bytes = records(&message(SERVER_HELLO, &server), 1000);
        let Peek::Hello(hello) = peek(&bytes) else {
            panic!("a hello")
        };
        assert_eq!(
            (hello.side(), hello.suites()),
            (Side::Server, [0u8, 10].as_slice())
        );
    }
}
