//! Error pages: what the proxy answers with when it has nothing better to say.
//!
//! A [`Page`] is a whole response, kept ready: the built-in one of a status, the contents of an
//! `errorfile`, or an `errorloc` redirect. A [`PageSet`] holds one page for each status that
//! HAProxy knows pages for; proxies and `http-errors` sections have one each. The built-in texts
//! are HAProxy's byte for byte, so that tools which compare bodies find them.

use std::sync::{Arc, LazyLock};

use crate::http::{Head, Known, Status, Version};
use crate::lang::{Cursor, Diag, Word};

use super::action::{Args, Context};
use super::keywords::{PageLine, PageSource};
use super::reply::{Answer, Body, Cause, Kind, Reply};
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

fn index(status: u16) -> Option<usize> {
    BUILT_IN.iter().position(|(code, ..)| *code == status)
}

impl Page {
    fn built_in(status: u16, phrase: &str, sentence: &str) -> Page {
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

/// A page for each status that has one, and replies that are made for each request.
#[derive(Debug, Clone)]
pub struct PageSet {
    pages: Vec<Arc<Page>>,
    /// The statuses whose page was set.
    own: Vec<u16>,
    /// `http-error` lines with formats, by status.
    replies: Vec<(u16, Arc<Reply>)>,
}

impl Default for PageSet {
    /// The built-in pages.
    fn default() -> PageSet {
        /// Made once: every proxy begins with them, and few say otherwise.
        static PAGES: LazyLock<Box<[Arc<Page>]>> = LazyLock::new(|| {
            let built = |(status, phrase, sentence): &(u16, &str, &str)| {
                Arc::new(Page::built_in(*status, phrase, sentence))
            };
            BUILT_IN.iter().map(built).collect()
        });
        PageSet {
            pages: PAGES.to_vec(),
            own: Vec::new(),
            replies: Vec::new(),
        }
    }
}

impl PageSet {
    /// Replaces the page of a status; false when the status has none.
    pub fn set(&mut self, status: u16, page: Arc<Page>) -> bool {
        match index(status) {
            Some(at) => {
                self.pages[at] = page;
                self.own.push(status);
                self.replies.retain(|(code, _)| *code != status);
                true
            }
            None => false,
        }
    }

    /// Has a reply made for each request stand in for the page of a status.
    pub fn set_reply(&mut self, status: u16, reply: Arc<Reply>) {
        self.replies.retain(|(code, _)| *code != status);
        self.replies.push((status, reply));
    }

    /// The reply to make for a status in place of its page, if there is one.
    #[must_use]
    pub fn reply(&self, status: u16) -> Option<&Arc<Reply>> {
        self.replies
            .iter()
            .find(|(code, _)| *code == status)
            .map(|(_, reply)| reply)
    }

    /// Takes the pages that `lines` ask for, in their order.
    pub fn take_lines(
        &mut self,
        lines: &[PageLine],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) {
        for line in lines {
            faults.extend(self.take_line(line, context).err());
        }
    }

    fn take_line(&mut self, line: &PageLine, context: &Context<'_>) -> Result<(), Diag> {
        match &line.what {
            PageSource::File(status, path) => {
                let shown = path.shown();
                let bytes = (context.read_file)(&shown).map_err(|_| {
                    let message = format!("errorfile : error opening file '{shown}'.");
                    Diag::alert(path.span, message)
                })?;
                let page = Page::parse(*status, &bytes).map_err(|why| {
                    let message = format!("errorfile : '{shown}': {why}");
                    Diag::alert(path.span, message)
                })?;
                self.set(*status, Arc::new(page));
            }
            PageSource::Location(status, code, url) => {
                self.set(*status, Arc::new(Page::redirect(*code, &url.bytes)));
            }
            PageSource::Section(name, statuses) => self.take_section(name, statuses, context)?,
            PageSource::Reply(status, written) => {
                let word = Word::new("http-error", written.keyword);
                let cur = Cursor::new(&written.words, context.reader.env);
                let label = "'http-error' line".to_owned();
                let mut args = Args {
                    inherited: false,
                    cur,
                    word: &word,
                    label,
                    context,
                };
                let reply = Reply::parse(&mut args, Kind::HttpError)?;
                args.cur.end()?;
                self.set_reply(*status, Arc::new(reply));
            }
        }
        Ok(())
    }

    fn take_section(
        &mut self,
        name: &Word,
        statuses: &[u16],
        context: &Context<'_>,
    ) -> Result<(), Diag> {
        let shown = name.shown();
        let pages = (context.page_sets)(&shown).ok_or_else(|| {
            let proxy = context.proxy;
            let message = format!("proxy '{proxy}': unable to find the http-errors '{shown}'.");
            Diag::alert(name.span, message)
        })?;
        for (status, ..) in BUILT_IN {
            let page = pages.page(*status);
            // Without a list of statuses, a section gives the pages it has itself.
            let own = pages.own.contains(status);
            if statuses.contains(status) || (statuses.is_empty() && own) {
                self.set(*status, Arc::clone(page));
            }
        }
        Ok(())
    }

    /// The page of a status; for one without a page, that of its class.
    #[must_use]
    pub fn page(&self, status: u16) -> &Arc<Page> {
        let fallback = match status {
            0..400 => 200,
            400..500 => 400,
            _ => 500,
        };
        let at = index(status).or_else(|| index(fallback)).unwrap_or(0);
        &self.pages[at]
    }
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
    fn built_in_pages_have_haproxys_lengths() {
        let pages = PageSet::default();
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
            assert_eq!(pages.page(status).body.len(), len, "{status}");
        }
        assert_eq!(
            text(pages.page(403)),
            "content-length: 93\ncache-control: no-cache\ncontent-type: text/html\n\
             <html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
        );
        assert_eq!(pages.page(418).status, 400);
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

    #[test]
    fn a_set_takes_only_statuses_with_pages() {
        let mut pages = PageSet::default();
        assert!(pages.set(403, Arc::new(Page::redirect(302, b"/x"))));
        assert!(!pages.set(299, Arc::new(Page::redirect(302, b"/x"))));
        assert_eq!(pages.page(403).head.get(b"location"), Some(&b"/x"[..]));
    }
}
