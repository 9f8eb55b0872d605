//! Which body follows a head (RFC 9112 section 6.3), decided once and written into the head in one form.
//!
//! Afterwards the head says exactly what was decided: a single canonical Content-Length, or a single `chunked`, or neither.
//! Whoever reads it behind us cannot find another end.

use super::exchange::Close;
use super::fault::{Fault, Reason};
use crate::http::{Head, Known, Method, Values, Version};

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    None,
    /// This many bytes.
    Sized(u64),
    /// Chunks, then trailers.
    Chunked,
    /// All bytes until the connection closes.
    UntilClose,
    /// Not HTTP any more: bytes both ways.
    Tunnel,
}

impl Body {
    /// Whether no byte follows the head.
    pub fn is_empty(self) -> bool {
        matches!(self, Body::None | Body::Sized(0))
    }
}

/// A body, and whether its framing forbids the connection another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// What follows the head.
    pub body: Body,
    /// Why the connection must close after this message, if it must.
    pub close: Option<Close>,
}

impl Framing {
    fn of(body: Body) -> Framing {
        Framing { body, close: None }
    }
}

/// The body of the request in `head`.
pub fn request_body(head: &mut Head) -> Result<Framing, Fault> {
    let framing = declared(head).map_err(|reason| Fault::new(reason, head.wire_len()))?;
    let Some(framing) = framing else {
        return Ok(Framing::of(Body::None));
    };
    if head.method() == Method::Connect {
        if framing.body != Body::Sized(0) {
            return Err(Fault::new(Reason::BodyOnConnect, head.wire_len()));
        }
        forget(head);
        return Ok(Framing::of(Body::None));
    }
    Ok(framing)
}

/// The body of the response in `head` to a request of this method. What a 101 turns into is [`Body::Tunnel`]; whether it was
/// asked for is the exchange's question.
pub fn response_body(head: &mut Head, asked: Method) -> Result<Framing, Fault> {
    let framing = declared(head).map_err(|reason| Fault::new(reason, head.wire_len()))?;
    match head.status().code() {
        101 => {
            forget(head);
            Ok(Framing::of(Body::Tunnel))
        }
        200..=299 if asked == Method::Connect => {
            forget(head);
            Ok(Framing::of(Body::Tunnel))
        }
        100..=199 | 204 => {
            // RFC 9110 section 8.6 forbids them here; a reader that believed them would wait for a body.
            forget(head);
            Ok(Framing {
                body: Body::None,
                close: framing.and_then(|framing| framing.close),
            })
        }
        304 => Ok(Framing {
            body: Body::None,
            close: framing.and_then(|framing| framing.close),
        }),
        _ if asked == Method::Head => Ok(Framing {
            body: Body::None,
            close: framing.and_then(|framing| framing.close),
        }),
        _ => Ok(framing.unwrap_or(Framing {
            body: Body::UntilClose,
            close: Some(Close::UntilClose),
        })),
    }
}

/// Removes both ways of framing.
pub(super) fn forget(head: &mut Head) {
    head.remove_known(Known::ContentLength);
    head.remove_known(Known::TransferEncoding);
}

/// What the fields declare, settled to one form.
fn declared(head: &mut Head) -> Result<Option<Framing>, Reason> {
    let known = head.known_set();
    let lengths = known.has(Known::ContentLength);
    if known.has(Known::TransferEncoding) {
        return chunked(head, lengths).map(Some);
    }
    if lengths {
        let length = length(head)?;
        return Ok(Some(Framing::of(Body::Sized(length))));
    }
    Ok(None)
}

/// Transfer-Encoding: `chunked` and nothing else.
fn chunked(head: &mut Head, lengths: bool) -> Result<Framing, Reason> {
    let mut last: &[u8] = b"";
    let (mut count, mut chunked) = (0usize, 0usize);
    for coding in head.all_known(Known::TransferEncoding).flat_map(Values::of) {
        last = coding;
        count += 1;
        chunked += usize::from(coding.eq_ignore_ascii_case(b"chunked"));
    }
    if chunked != 1 || !last.eq_ignore_ascii_case(b"chunked") {
        return Err(Reason::BadCoding);
    }
    if count > 1 {
        return Err(Reason::UnsupportedCoding);
    }
    if last != b"chunked" {
        head.set_known(Known::TransferEncoding, b"chunked");
    }
    let mut close = None;
    if lengths {
        // RFC 9112 section 6.3: the coding overrides, the length goes, and nothing after this message can be trusted.
        head.remove_known(Known::ContentLength);
        close = Some(Close::LengthBesideChunked);
    }
    if head.version() == Version::Http10 {
        // RFC 9112 section 6.1: a 1.0 peer that sends it is not to be trusted with another message. Written out as 1.1 there
        // is only one way to read it. haproxy: passes the coding on as HTTP/1.0; here: as 1.1, because 1.0 has no codings.
        head.set_version(Version::Http11);
        close = Some(Close::ChunkedInOldVersion);
    }
    Ok(Framing {
        body: Body::Chunked,
        close,
    })
}

/// Content-Length: one number, however often it is repeated.
fn length(head: &mut Head) -> Result<u64, Reason> {
    let mut written = head.all_known(Known::ContentLength);
    if let (Some(line), None) = (written.next(), written.next())
        && (line.len() == 1 || !line.starts_with(b"0"))
        && let Some(length) = number(line)
    {
        return Ok(length);
    }
    drop(written);
    let mut length = None;
    let mut lines = 0usize;
    let mut canonical = true;
    for line in head.all_known(Known::ContentLength) {
        lines += 1;
        for value in Values::of(line) {
            let value_length = number(value).ok_or(Reason::BadLength)?;
            if length.is_some_and(|length| length != value_length) {
                return Err(Reason::BadLength);
            }
            canonical &= value.len() == line.len() && (value.len() == 1 || value[0] != b'0');
            length = Some(value_length);
        }
    }
    let length = length.ok_or(Reason::BadLength)?;
    if lines > 1 || !canonical {
        head.set_known(Known::ContentLength, length.to_string().as_bytes());
    }
    Ok(length)
}

/// A plain decimal number below 2^63.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let value = text.iter().try_fold(0u64, |value, byte| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    });
    value.filter(|&value| value <= LENGTH_MAX)
}

/// The longest body that can be announced: what every signed 64-bit reader behind us can hold.
const LENGTH_MAX: u64 = i64::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Status;

    fn request(version: Version, method: &[u8], fields: &[(&str, &str)]) -> Head {
        let mut head = Head::new();
        head.set_request(method, b"/", version);
        fields
            .iter()
            .for_each(|(name, value)| head.push(name.as_bytes(), value.as_bytes()));
        head
    }

    fn post(fields: &[(&str, &str)]) -> Result<(Framing, Head), Reason> {
        let mut head = request(Version::Http11, b"POST", fields);
        let framing = request_body(&mut head).map_err(|fault| fault.reason)?;
        Ok((framing, head))
    }

    fn answer(
        code: u16,
        asked: Method,
        fields: &[(&str, &str)],
    ) -> (Result<Framing, Reason>, Head) {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::new(code), b"");
        fields
            .iter()
            .for_each(|(name, value)| head.push(name.as_bytes(), value.as_bytes()));
        (
            response_body(&mut head, asked).map_err(|fault| fault.reason),
            head,
        )
    }

    #[test]
    fn lengths() {
        for (values, length) in [
            (vec!["0"], 0),
            (vec!["2"], 2),
            (vec!["2", "2"], 2),
            (vec!["2, 2"], 2),
            (vec!["002"], 2),
            (vec!["02", "2"], 2),
            (vec!["9223372036854775807"], LENGTH_MAX),
        ] {
            let fields: Vec<_> = values
                .iter()
                .map(|value| ("Content-Length", *value))
                .collect();
            let (framing, head) = post(&fields).expect("one length");
            assert_eq!(framing, Framing::of(Body::Sized(length)), "{values:?}");
            assert_eq!(
                head.all(b"content-length").collect::<Vec<_>>(),
                [length.to_string().as_bytes()]
            );
        }
        for bad in [
            "",
            "+2",
            "-2",
            "2 3",
            "2;3",
            "0x2",
            "2,",
            ",2",
            "2, 3",
            "two",
            "9223372036854775808",
            "18446744073709551618",
            "1e3",
            "2.0",
        ] {
            assert_eq!(
                post(&[("Content-Length", bad)]).map(|_| ()),
                Err(Reason::BadLength),
                "{bad}"
            );
        }
        assert_eq!(
            post(&[("Content-Length", "2"), ("Content-Length", "3")]).map(|_| ()),
            Err(Reason::BadLength)
        );
        assert_eq!(post(&[]).map(|(framing, _)| framing.body), Ok(Body::None));
    }

    #[test]
    fn codings() {
        for good in ["chunked", "Chunked"] {
            let (framing, head) = post(&[("Transfer-Encoding", good)]).expect(good);
            assert_eq!(framing, Framing::of(Body::Chunked));
            assert_eq!(head.get(b"transfer-encoding"), Some(b"chunked".as_slice()));
        }
        for (bad, reason) in [
            ("gzip", Reason::BadCoding),
            ("identity", Reason::BadCoding),
            ("", Reason::BadCoding),
            ("xchunked", Reason::BadCoding),
            ("chunked;q=1", Reason::BadCoding),
            ("chunked, chunked", Reason::BadCoding),
            ("chunked, gzip, chunked", Reason::BadCoding),
            ("chunked, gzip", Reason::BadCoding),
            ("chunked,", Reason::BadCoding),
            ("gzip, chunked", Reason::UnsupportedCoding),
            (",chunked", Reason::UnsupportedCoding),
        ] {
            assert_eq!(
                post(&[("Transfer-Encoding", bad)]).map(|_| ()),
                Err(reason),
                "{bad}"
            );
        }
        let two = [
            ("Transfer-Encoding", "gzip"),
            ("Transfer-Encoding", "chunked"),
        ];
        assert_eq!(post(&two).map(|_| ()), Err(Reason::UnsupportedCoding));
    }

    #[test]
    fn a_length_beside_chunks_goes_and_closes() {
        let (framing, head) = post(&[
            ("Content-Length", "nonsense"),
            ("Transfer-Encoding", "chunked"),
        ])
        .expect("chunked");
        assert_eq!(
            framing,
            Framing {
                body: Body::Chunked,
                close: Some(Close::LengthBesideChunked)
            }
        );
        assert_eq!(head.get(b"content-length"), None);
    }

    #[test]
    fn chunks_of_an_old_version_become_new_and_close() {
        let mut head = request(
            Version::Http10,
            b"POST",
            &[("Transfer-Encoding", "chunked")],
        );
        let framing = request_body(&mut head).expect("chunked");
        assert_eq!(
            framing,
            Framing {
                body: Body::Chunked,
                close: Some(Close::ChunkedInOldVersion)
            }
        );
        assert_eq!(head.version(), Version::Http11);
    }

    #[test]
    fn connect_has_no_content() {
        let body = |fields: &[_]| {
            request_body(&mut request(Version::Http11, b"CONNECT", fields)).map_err(|f| f.reason)
        };
        assert_eq!(body(&[]), Ok(Framing::of(Body::None)));
        assert_eq!(
            body(&[("Content-Length", "0")]),
            Ok(Framing::of(Body::None))
        );
        assert_eq!(body(&[("Content-Length", "1")]), Err(Reason::BodyOnConnect));
        assert_eq!(
            body(&[("Transfer-Encoding", "chunked")]),
            Err(Reason::BodyOnConnect)
        );
    }

    #[test]
    fn answers_without_content() {
        for (code, asked, kept) in [
            (204, Method::Get, false),
            (100, Method::Post, false),
            (304, Method::Get, true),
            (200, Method::Head, true),
        ] {
            let (framing, head) = answer(code, asked, &[("Content-Length", "5")]);
            assert_eq!(framing, Ok(Framing::of(Body::None)), "{code}");
            assert_eq!(head.get(b"content-length").is_some(), kept, "{code}");
        }
        let (framing, head) = answer(200, Method::Connect, &[("Content-Length", "5")]);
        assert_eq!(
            (framing, head.is_empty()),
            (Ok(Framing::of(Body::Tunnel)), true)
        );
        assert_eq!(
            answer(101, Method::Get, &[]).0,
            Ok(Framing::of(Body::Tunnel))
        );
        assert_eq!(
            answer(404, Method::Connect, &[("Content-Length", "5")]).0,
            Ok(Framing::of(Body::Sized(5)))
        );
    }

    #[test]
    fn answers_with_content() {
        let until_close = Framing {
            body: Body::UntilClose,
            close: Some(Close::UntilClose),
        };
        assert_eq!(answer(200, Method::Get, &[]).0, Ok(until_close));
        assert_eq!(
            answer(200, Method::Get, &[("Transfer-Encoding", "gzip")]).0,
            Err(Reason::BadCoding)
        );
        assert_eq!(
            answer(304, Method::Get, &[("Content-Length", "x")]).0,
            Err(Reason::BadLength)
        );
        assert_eq!(
            answer(500, Method::Get, &[("Transfer-Encoding", "chunked")]).0,
            Ok(Framing::of(Body::Chunked))
        );
    }
}
