//! The statuses that have pages, and the pages a proxy begins with.
//!
//! The texts are HAProxy's byte for byte, so that tools which compare bodies find them.

use std::sync::{Arc, LazyLock};

use crate::http::{Head, Status, Version};

use super::Page;

/// The statuses with pages: status, phrase, sentence.
const BUILT_IN: &[(u16, &str, &str)] = &[
    (200, "OK", "Service ready."),
    (400, "Bad request", "Your browser sent an invalid request."),
    (
        401,
        "Unauthorized",
        "You need a valid user and password to access this content.",
    ),
    (
        403,
        "Forbidden",
        "Request forbidden by administrative rules.",
    ),
    (404, "Not Found", "The resource could not be found."),
    (
        405,
        "Method Not Allowed",
        "A request was made of a resource using a request method not supported by that resource",
    ),
    (
        407,
        "Unauthorized",
        "You need a valid user and password to access this content.",
    ),
    (
        408,
        "Request Time-out",
        "Your browser didn't send a complete request in time.",
    ),
    (
        410,
        "Gone",
        "The resource is no longer available and will not be available again.",
    ),
    (
        413,
        "Payload Too Large",
        "The request entity exceeds the maximum allowed.",
    ),
    (414, "URI Too Long", "The requested URI is too long."),
    (
        421,
        "Misdirected Request",
        "Request sent to a non-authoritative server.",
    ),
    (
        422,
        "Unprocessable Content",
        "The server cannot process the contained instructions.",
    ),
    (425, "Too Early", "Your browser sent early data."),
    (
        429,
        "Too Many Requests",
        "You have sent too many requests in a given amount of time.",
    ),
    (
        431,
        "Request Header Fields Too Large",
        "The request headers are too large.",
    ),
    (
        500,
        "Internal Server Error",
        "An internal server error occurred.",
    ),
    (
        501,
        "Not Implemented",
        ".The server does not support the functionality required to fulfill the request.",
    ),
    (
        502,
        "Bad Gateway",
        "The server returned an invalid or incomplete response.",
    ),
    (
        503,
        "Service Unavailable",
        "No server is available to handle this request.",
    ),
    (
        504,
        "Gateway Time-out",
        "The server didn't respond in time.",
    ),
];

/// Whether there is a page for the status.
#[must_use]
pub fn has_page(status: u16) -> bool {
    index(status).is_some()
}

pub(super) fn index(status: u16) -> Option<usize> {
    BUILT_IN.iter().position(|(code, ..)| *code == status)
}

/// The statuses that have pages, in the order of their pages.
pub(super) fn statuses() -> impl Iterator<Item = u16> {
    BUILT_IN.iter().map(|(status, ..)| *status)
}

/// Every page, made once: each proxy begins with them, and few say otherwise.
pub(super) fn pages() -> &'static [Arc<Page>] {
    static PAGES: LazyLock<Box<[Arc<Page>]>> = LazyLock::new(|| {
        let built = |(status, phrase, sentence): &(u16, &str, &str)| {
            Arc::new(page(*status, phrase, sentence))
        };
        BUILT_IN.iter().map(built).collect()
    });
    &PAGES
}

fn page(status: u16, phrase: &str, sentence: &str) -> Page {
    let body = format!("<html><body><h1>{status} {phrase}</h1>\n{sentence}\n</body></html>\n");
    let mut head = Head::new();
    head.set_response(Version::Http11, Status::new(status), phrase.as_bytes());
    head.push(b"content-length", body.len().to_string().as_bytes());
    head.push(b"cache-control", b"no-cache");
    head.push(b"content-type", b"text/html");
    Page {
        status,
        head,
        body: body.into_bytes().into(),
        silent: false,
        closes: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_have_haproxys_lengths() {
        let made = |status| &pages()[index(status).expect("a page")];
        for (status, len) in [
            (200, 58),
            (400, 90),
            (403, 93),
            (405, 146),
            (407, 112),
            (422, 116),
            (501, 136),
            (503, 107),
            (504, 92),
        ] {
            assert_eq!(made(status).body.len(), len, "{status}");
        }
        assert_eq!(
            &made(403).body[..],
            b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
        );
        let fields: Vec<_> = made(403).head.fields().collect();
        let want: [(&[u8], &[u8]); 3] = [
            (b"content-length", b"93"),
            (b"cache-control", b"no-cache"),
            (b"content-type", b"text/html"),
        ];
        assert_eq!(fields, want);
    }
}
