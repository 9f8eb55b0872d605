//! The records of TLS around a hello: its message, put together from as many of them as it was cut into.

use std::borrow::Cow;

use super::{CLIENT_HELLO, SERVER_HELLO};

/// What the first bytes hold.
pub(super) enum Gathered<'a> {
    More,
    Other,
    Message {
        record_version: u16,
        kind: u8,
        body: Cow<'a, [u8]>,
    },
}

/// Takes the first handshake message out of its records; copies only when there are several.
pub(super) fn gather(input: &[u8]) -> Gathered<'_> {
    let mut message: Cow<'_, [u8]> = Cow::Borrowed(b"");
    let mut rest = input;
    let mut record_version = None;
    for _ in 0..RECORDS_MAX {
        let record = match first_record(rest) {
            Ok(Some(record)) => record,
            Ok(None) => return Gathered::More,
            Err(NotTls) => return Gathered::Other,
        };
        let record_version = *record_version.get_or_insert(record.version);
        if message.is_empty() {
            message = Cow::Borrowed(record.fragment);
        } else {
            message.to_mut().extend_from_slice(record.fragment);
        }
        if let Some((&[kind, high, middle, low], _)) = message.split_first_chunk::<4>() {
            let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            if !matches!(kind, CLIENT_HELLO | SERVER_HELLO) || len > HELLO_LEN_MAX {
                return Gathered::Other;
            }
            if message.len() >= 4 + len {
                let body = match message {
                    Cow::Borrowed(message) => Cow::Borrowed(&message[4..4 + len]),
                    Cow::Owned(message) => Cow::Owned(message[4..4 + len].to_vec()),
                };
                return Gathered::Message {
                    record_version,
                    kind,
                    body,
                };
            }
        } else if message
            .first()
            .is_some_and(|kind| !matches!(*kind, CLIENT_HELLO | SERVER_HELLO))
        {
            return Gathered::Other;
        }
        let Some(tail) = record.tail else {
            return Gathered::More;
        };
        rest = tail;
    }
    Gathered::Other
}

struct NotTls;

/// A record of the handshake, as far as it has come.
struct Record<'a> {
    version: u16,
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
    let Some((&[_, major, minor, high, low], rest)) = input.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len == 0 || len > RECORD_LEN_MAX {
        return Err(NotTls);
    }
    let version = u16::from_be_bytes([major, minor]);
    let (fragment, tail) = match rest.split_at_checked(len) {
        Some((fragment, tail)) => (fragment, Some(tail)),
        None => (rest, None),
    };
    Ok(Some(Record {
        version,
        fragment,
        tail,
    }))
}

const HANDSHAKE: u8 = 22;
/// The longest record (RFC 8446 section 5.1, with the room older versions allow).
const RECORD_LEN_MAX: usize = 16384 + 2048;
/// The longest hello worth waiting for; a buffer is smaller anyway.
const HELLO_LEN_MAX: usize = 64 * 1024;
/// The most records a hello may be cut into.
const RECORDS_MAX: usize = 64;
