//! Error pages: what the proxy answers with when it has nothing better to say.
//!
//! A [`Page`] is a whole response, kept ready: the built-in one of a status, the contents of an
//! `errorfile`, or an `errorloc` redirect. A [`PageSet`] holds one page for each status that
//! HAProxy knows pages for; proxies and `http-errors` sections have one each, and fill it from
//! the [`PageLine`]s that were written.

mod built_in;
mod line;
mod set;

pub use built_in::has_page;
pub use line::{PageLine, PageSource};
pub(super) use line::{errorfile, errorfiles, errorloc, http_error};
pub use set::PageSet;

use std::sync::Arc;

use crate::http::{Head, Known, Status, Version};

use super::reply::{Answer, Body, Cause};
use super::scene;

/// A response kept ready.
#[derive(Clone)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The head; without a `content-length` the body ends with the connection.
    pub head: Head,
    /// The body.
    pub body: Arc<[u8]>,
    /// An empty file: nothing is sent, the connection is just closed.
    pub silent: bool,
    /// The file says `connection: close`, or no length: the client's connection ends with it.
    pub closes: bool,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("status", &self.status)
            .field("body", &self.body.len())
            .field("silent", &self.silent)
            .finish_non_exhaustive()
    }
}

impl Page {
    /// Reads a whole response, as an `errorfile` holds it. The status stays the one asked for. One of HTTP/1.0 is sent as
    /// such, and one whose head says no length ends with the connection, as the file would if it were sent as it is.
    ///
    /// # Errors
    /// What is no response at all, and a body that is not what the head says.
    pub fn parse(status: u16, bytes: &[u8]) -> Result<Page, String> {
        if bytes.is_empty() {
            let head = Head::new();
            return Ok(Page {
                status,
                head,
                body: Arc::from([]),
                silent: true,
                closes: true,
            });
        }
        let (text, body) = split_head(bytes).ok_or(NO_HEAD)?;
        let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
        let (mut head, mut closes) = (Head::new(), false);
        let code = start_line(lines.next().unwrap_or_default(), &mut head).ok_or(NO_HEAD)?;
        let bare = matches!(code, 204 | 304);
        if bare && !body.is_empty() {
            return Err("message payload not expected".to_owned());
        }
        let (mut sized, length) = (bare, body.len().to_string());
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = memchr::memchr(b':', line).ok_or(NO_HEAD)?;
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            match Known::of(&name.to_ascii_lowercase()) {
                Some(Known::Connection) => closes |= value.eq_ignore_ascii_case(b"close"),
                Some(Known::TransferEncoding) => {
                    return Err("chunk-encoded payload not supported".to_owned());
                }
                Some(Known::ContentLength) if !bare && value != length.as_bytes() => {
                    let said = scene::shown(value);
                    return Err(format!(
                        "payload size does not match the announced content-length ({length} != {said})"
                    ));
                }
                Some(Known::ContentLength) if sized => {}
                Some(Known::ContentLength) => {
                    head.push(name, value);
                    sized = true;
                }
                _ => head.push(name, value),
            }
        }
        Ok(Page {
            status: code,
            head,
            body: body.into(),
            silent: false,
            closes: closes || !sized,
        })
    }

    /// A redirect in place of an error (`errorloc`).
    #[must_use]
    pub fn redirect(code: u16, location: &[u8]) -> Page {
        let mut head = Head::new();
        let status = Status::new(code);
        head.set_response(Version::Http11, status, status.reason().as_bytes());
        head.push(b"content-length", b"0");
        head.push(b"location", location);
        head.push(b"cache-control", b"no-cache");
        Page {
            status: code,
            head,
            body: Arc::from([]),
            silent: false,
            closes: false,
        }
    }

    /// The page as an answer.
    #[must_use]
    pub fn answer(&self, cause: Cause) -> Answer {
        Answer {
            status: self.status,
            head: self.head.clone(),
            body: Body::Shared(Arc::clone(&self.body)),
            cause,
            silent: self.silent,
            closes: self.closes,
        }
    }
}

/// Why a file is no response.
const NO_HEAD: &str = "unable to parse headers";

/// Puts a status line into a head and tells the status.
fn start_line(line: &[u8], head: &mut Head) -> Option<u16> {
    let mut words = line.splitn(3, |b| *b == b' ');
    let version = words.next()?.strip_prefix(b"HTTP/")?;
    let version = match version {
        b"1.0" | b"0.9" => Version::Http10,
        _ => Version::Http11,
    };
    let code = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let phrase = words.next().unwrap_or_default();
    head.set_response(version, Status::new(code), phrase);
    Some(code)
}

/// Head and body around the first empty line.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memchr::memmem::find(bytes, b"\n\n").map(|at| (at, at + 2));
    let (end, start) = match (crlf, lf) {
        (Some(a), Some(b)) => a.min(b),
        (Some(a), None) | (None, Some(a)) => a,
        (None, None) => (bytes.len(), bytes.len()),
    };
    Some((&bytes[..end], &bytes[start..])).filter(|(head, _)| !head.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &Page) -> String {
        let mut out = String::new();
        for (name, value) in page.head.fields() {
            out.push_str(&format!(
                "{}: {}\n",
                scene::shown(name),
                scene::shown(value)
            ));
        }
        out + &String::from_utf8_lossy(&page.body)
    }

    #[test]
    fn files_are_read_with_either_line_end() {
        for (file, fields) in [
            (
                "HTTP/1.0 503 Out\r\nX-A: b\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
                "x-a: b\ncontent-length: 4\n",
            ),
            (
                "HTTP/1.0 503 Out\nX-A: b\nConnection: close\n\nbody",
                "x-a: b\n",
            ),
        ] {
            let page = Page::parse(503, file.as_bytes()).expect("a response");
            assert_eq!(text(&page), format!("{fields}body"));
            assert_eq!(page.head.reason(), b"Out");
            assert!(page.closes);
        }
        assert!(Page::parse(503, b"").expect("empty").silent);
        assert!(Page::parse(503, b"junk").is_err());
        assert!(Page::parse(503, b"HTTP/1.0 503 Out\r\njunk\r\n\r\n").is_err());
    }

    #[test]
    fn files_keep_their_version_and_close_where_they_say_no_length() {
        for (file, version, closes) in [
            ("HTTP/1.0 503 Out\n\nbody", Version::Http10, true),
            (
                "HTTP/1.0 503 Out\ncontent-length: 4\n\nbody",
                Version::Http10,
                false,
            ),
            ("HTTP/1.1 503 Out\n\nbody", Version::Http11, true),
            ("HTTP/1.1 204 No\n\n", Version::Http11, false),
        ] {
            let page = Page::parse(503, file.as_bytes()).expect("a response");
            assert_eq!((page.head.version(), page.closes), (version, closes));
        }
    }

    #[test]
    fn a_body_is_what_its_head_says() {
        let why = |file: &str| Page::parse(503, file.as_bytes()).expect_err("refused");
        let size = why("HTTP/1.1 503 Out\ncontent-length: 9\n\nbody");
        assert!(size.ends_with("content-length (4 != 9)"), "{size}");
        let chunks = why("HTTP/1.1 503 Out\ntransfer-encoding: chunked\n\n0\r\n\r\n");
        assert!(chunks.starts_with("chunk-encoded"), "{chunks}");
        let payload = why("HTTP/1.1 204 No\n\nbody");
        assert!(payload.contains("not expected"), "{payload}");
    }
}
