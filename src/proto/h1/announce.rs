//! What a head that leaves says of its body: exactly what follows it, whatever rules made of its fields or its status.
//!
//! Heads come in with one way of framing ([`super::body`]), and the engine relays bodies by that. Between the two sides rules
//! may remove a length, write another one, or turn a 304 into a 200. Whoever reads behind us believes the head, so
//! the fields are held against the body once more where the head is written: those that say something else go, and what is
//! missing is said.
//!
//! Always true: a message that leaves has one framing, and its body is sent in it.

use super::body::{Body, forget, number};
use crate::http::{Head, Known, Method, Version};

/// Makes a request's head say what follows it. Returns the form that the body takes.
// haproxy, a length that rules write and that is not the body's: answers 500; here: the body's own is said, for it is known.
pub(super) fn announce_request(head: &mut Head, body: Body) -> Body {
    let said = head.known_set().has(Known::ContentLength);
    match body {
        _ if declares(head, body) => body,
        Body::None | Body::UntilClose | Body::Tunnel => {
            forget(head);
            body
        }
        Body::Sized(0) if !said => {
            forget(head);
            body
        }
        Body::Sized(length) => say_length(head, length, Version::Http11),
        Body::Chunked => say_chunks(head),
    }
}

/// Makes the head of a response to a client of this version, who asked by this method, say what follows it. Returns the form
/// that the body takes: none behind a status that has none.
pub(super) fn announce_response(
    head: &mut Head,
    body: Body,
    asked: Method,
    client: Version,
) -> Body {
    if body != Body::Tunnel {
        match head.status().code() {
            100..=199 | 204 => {
                forget(head);
                return Body::None;
            }
            // What they declare is what a GET had brought.
            304 => return Body::None,
            _ if asked == Method::Head => return body,
            _ => {}
        }
    }
    match body {
        // Nothing is said by a length here: without one all until the connection's end would be the body.
        Body::None => say_length(head, 0, client),
        _ if declares(head, body) => body,
        Body::Sized(length) => say_length(head, length, client),
        Body::Chunked => say_chunks(head),
        Body::UntilClose | Body::Tunnel => {
            forget(head);
            body
        }
    }
}

/// Whether a head says that this body follows, and nothing else.
fn declares(head: &Head, body: Body) -> bool {
    let known = head.known_set();
    let (length, coding) = (
        known.has(Known::ContentLength),
        known.has(Known::TransferEncoding),
    );
    match body {
        Body::None | Body::UntilClose | Body::Tunnel => !length && !coding,
        Body::Sized(bytes) if length && !coding => {
            let mut lines = head.all_known(Known::ContentLength);
            lines.next().and_then(number) == Some(bytes) && lines.next().is_none()
        }
        Body::Sized(_) => false,
        Body::Chunked => {
            coding && !length && {
                let mut lines = head.all_known(Known::TransferEncoding);
                lines.next() == Some(b"chunked") && lines.next().is_none()
            }
        }
    }
}

/// Says a length, unless rules removed it: then chunks tell the end, where both ends know of them.
fn say_length(head: &mut Head, length: u64, peer: Version) -> Body {
    let said = head.known_set().has(Known::ContentLength);
    let new = head.version() == Version::Http11 && peer == Version::Http11;
    if !said && new && length > 0 {
        return say_chunks(head);
    }
    head.remove_known(Known::TransferEncoding);
    head.set_known(Known::ContentLength, length.to_string().as_bytes());
    Body::Sized(length)
}

fn say_chunks(head: &mut Head) -> Body {
    forget(head);
    head.push_known(Known::TransferEncoding, b"chunked");
    Body::Chunked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Status;

    fn fields(head: &Head) -> String {
        let line = |(name, value): (&[u8], &[u8])| {
            format!("{}: {}", name.escape_ascii(), value.escape_ascii())
        };
        head.fields().map(line).collect::<Vec<_>>().join("|")
    }

    fn filled(head: &mut Head, lines: &str) {
        for (name, value) in lines.split('|').filter_map(|line| line.split_once(": ")) {
            head.push(name.as_bytes(), value.as_bytes());
        }
    }

    fn asked(version: Version, body: Body, lines: &str) -> (Body, String) {
        let mut head = Head::new();
        head.set_request(b"POST", b"/", version);
        filled(&mut head, lines);
        let body = announce_request(&mut head, body);
        (body, fields(&head))
    }

    fn told(code: u16, body: Body, lines: &str) -> (Body, String) {
        told_to(Version::Http11, Method::Get, code, body, lines)
    }

    fn told_to(
        client: Version,
        asked: Method,
        code: u16,
        body: Body,
        lines: &str,
    ) -> (Body, String) {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::new(code), b"");
        filled(&mut head, lines);
        let body = announce_response(&mut head, body, asked, client);
        (body, fields(&head))
    }

    const CHUNKS: &str = "transfer-encoding: chunked";

    #[test]
    fn requests_say_what_follows_them() {
        let sized = Body::Sized(5);
        for (body, lines, form, said) in [
            (sized, "content-length: 5", sized, "content-length: 5"),
            (
                sized,
                "a: b",
                Body::Chunked,
                "a: b|transfer-encoding: chunked",
            ),
            (sized, "content-length: 3", sized, "content-length: 5"),
            (
                sized,
                "content-length: 5|content-length: 3",
                sized,
                "content-length: 5",
            ),
            (
                sized,
                "content-length: 5|transfer-encoding: gzip",
                sized,
                "content-length: 5",
            ),
            (Body::Chunked, CHUNKS, Body::Chunked, CHUNKS),
            (Body::Chunked, "", Body::Chunked, CHUNKS),
            (Body::Chunked, "content-length: 3", Body::Chunked, CHUNKS),
            (
                Body::Chunked,
                "transfer-encoding: gzip|transfer-encoding: chunked",
                Body::Chunked,
                CHUNKS,
            ),
            (Body::None, "", Body::None, ""),
            (Body::None, "content-length: 3", Body::None, ""),
            (Body::None, CHUNKS, Body::None, ""),
            (Body::Sized(0), "", Body::Sized(0), ""),
            (
                Body::Sized(0),
                "content-length: 7",
                Body::Sized(0),
                "content-length: 0",
            ),
        ] {
            let outcome = asked(Version::Http11, body, lines);
            assert_eq!(outcome, (form, said.to_owned()), "{body:?} {lines}");
        }
        assert_eq!(
            asked(Version::Http10, sized, ""),
            (sized, "content-length: 5".to_owned())
        );
    }

    #[test]
    fn responses_say_what_follows_them() {
        let sized = Body::Sized(5);
        for (code, body, lines, form, said) in [
            (200, sized, "content-length: 5", sized, "content-length: 5"),
            (200, sized, "", Body::Chunked, CHUNKS),
            (200, sized, CHUNKS, Body::Chunked, CHUNKS),
            (200, sized, "content-length: 1", sized, "content-length: 5"),
            (200, Body::Chunked, "", Body::Chunked, CHUNKS),
            (200, Body::UntilClose, CHUNKS, Body::UntilClose, ""),
            (200, Body::Tunnel, "content-length: 1", Body::Tunnel, ""),
            (
                200,
                Body::None,
                "content-length: 9",
                Body::Sized(0),
                "content-length: 0",
            ),
            (200, Body::None, "", Body::Sized(0), "content-length: 0"),
            (200, Body::Sized(0), "", Body::Sized(0), "content-length: 0"),
            (204, sized, "content-length: 5", Body::None, ""),
            (204, Body::Chunked, CHUNKS, Body::None, ""),
            (101, sized, "content-length: 5", Body::None, ""),
            (
                304,
                sized,
                "content-length: 5",
                Body::None,
                "content-length: 5",
            ),
        ] {
            let outcome = told(code, body, lines);
            assert_eq!(outcome, (form, said.to_owned()), "{code} {body:?} {lines}");
        }
        let kept = "content-length: 9".to_owned();
        assert_eq!(
            told_to(Version::Http11, Method::Head, 200, Body::None, &kept),
            (Body::None, kept)
        );
        assert_eq!(
            told_to(Version::Http10, Method::Get, 200, sized, ""),
            (sized, "content-length: 5".to_owned())
        );
    }
}
