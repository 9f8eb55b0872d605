//! The records of TLS around a hello: its message, put together from as many of them as it was cut into.

use std::borrow::Cow;

use super::{Hello, RANDOM_LEN};

/// What the first bytes of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peek<'a> {
    /// The beginning of a hello.
    More,
    /// Not a TLS hello.
    Other,
    /// The whole message of a hello.
    Message(Message<'a>),
}

/// The message of a client's or server's hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Whose hello it is: 1 for a client's, 2 for a server's.
    pub kind: u8,
    /// What follows the message's head; owned where it came in several records.
    pub body: Cow<'a, [u8]>,
}

impl Message<'_> {
    /// The hello of a client.
    #[must_use]
    pub fn client(&self) -> Option<Hello<'_>> {
        match self.kind {
            CLIENT_HELLO => Hello::read(&self.body),
            _ => None,
        }
    }

    /// The random bytes, which stand in one place on both sides.
    #[must_use]
    pub fn random(&self) -> Option<[u8; RANDOM_LEN]> {
        self.body.get(2..)?.first_chunk().copied()
    }
}

/// Takes the first handshake message out of its records; copies only when there are several.
#[must_use]
pub fn peek(input: &[u8]) -> Peek<'_> {
    let mut message: Cow<'_, [u8]> = Cow::Borrowed(b"");
    let mut rest = input;
    for _ in 0..RECORDS_MAX {
        let record = match first_record(rest) {
            Ok(Some(record)) => record,
            Ok(None) => return Peek::More,
            Err(NotTls) => return Peek::Other,
        };
        if message.is_empty() {
            message = Cow::Borrowed(record.fragment);
        } else {
            message.to_mut().extend_from_slice(record.fragment);
        }
        if message.first().is_some_and(|kind| !is_hello(*kind)) {
            return Peek::Other;
        }
        if let Some((&[kind, high, middle, low], _)) = message.split_first_chunk::<4>() {
            let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            if len > HELLO_LEN_MAX {
                return Peek::Other;
            }
            if message.len() >= 4 + len {
                let body = match message {
                    Cow::Borrowed(message) => Cow::Borrowed(&message[4..4 + len]),
                    Cow::Owned(message) => Cow::Owned(message[4..4 + len].to_vec()),
                };
                return Peek::Message(Message { kind, body });
            }
        }
        let Some(tail) = record.tail else {
            return Peek::More;
        };
        rest = tail;
    }
    Peek::Other
}

fn is_hello(kind: u8) -> bool {
    matches!(kind, CLIENT_HELLO | SERVER_HELLO)
}

struct NotTls;

/// A record of the handshake, as far as it has come.
struct Record<'a> {
    fragment: &'a [u8],
    /// What follows it, once it is whole.
    tail: Option<&'a [u8]>,
}

fn first_record(input: &[u8]) -> Result<Option<Record<'_>>, NotTls> {
    match input {
        [] => return Ok(None),
        [HANDSHAKE] | [HANDSHAKE, 3, ..] => {}
        _ => return Err(NotTls),
    }
    let Some((&[_, _, _, high, low], rest)) = input.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len == 0 || len > RECORD_LEN_MAX {
        return Err(NotTls);
    }
    let (fragment, tail) = match rest.split_at_checked(len) {
        Some((fragment, tail)) => (fragment, Some(tail)),
        None => (rest, None),
    };
    Ok(Some(Record { fragment, tail }))
}

/// The kind of a client's hello.
pub const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HANDSHAKE: u8 = 22;
/// The longest record (RFC 8446 section 5.1, with the room older versions allow).
const RECORD_LEN_MAX: usize = 16384 + 2048;
/// The longest hello worth waiting for; a buffer is smaller anyway.
const HELLO_LEN_MAX: usize = 64 * 1024;
/// The most records a hello may be cut into.
const RECORDS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn cuts_and_records_do_not_matter() {
        let (body, len) = (example::body(), 4 + example::body().len());
        for size in [len, 1 + len / 2, 5] {
            let bytes = example::hello_in(size);
            for cut in 0..bytes.len() {
                assert_eq!(
                    peek(&bytes[..cut]),
                    Peek::More,
                    "records of {size}, cut at {cut}"
                );
            }
            let followed = [bytes.as_slice(), b"\x17\x03\x03garbage"].concat();
            for bytes in [&bytes, &followed] {
                let Peek::Message(message) = peek(bytes) else {
                    panic!("a hello in records of {size}")
                };
                assert_eq!((message.kind, &message.body[..]), (CLIENT_HELLO, &body[..]));
                assert_eq!(message.client(), Hello::read(&body));
                assert_eq!(message.random(), Some([9; 32]));
            }
        }
        assert_eq!(
            peek(&example::hello_in(1)),
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
        let huge = [22, 3, 1, 0, 5, 1, 2, 0, 0, 0];
        assert_eq!(peek(&huge), Peek::Other);
    }

    #[test]
    fn a_servers_hello_is_no_clients() {
        let bytes = example::records(&example::message(SERVER_HELLO, &[7; 40]), 100);
        let Peek::Message(message) = peek(&bytes) else {
            panic!("a hello")
        };
        assert_eq!((message.kind, message.client()), (SERVER_HELLO, None));
        assert_eq!(message.random(), Some([7; 32]));
        let short = example::records(&example::message(SERVER_HELLO, b""), 100);
        assert!(matches!(peek(&short), Peek::Message(message) if message.random().is_none()));
    }
}
