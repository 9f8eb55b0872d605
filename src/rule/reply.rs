//! Replies that rules make: the arguments of `return`, `deny`, `tarpit` and `http-error`.
//!
//! A [`Reply`] is what the configuration says; [`Reply::answer`] makes an [`Answer`] of it for one
//! request, evaluating its formats. Without a payload of its own a reply may fall back on the
//! proxy's error pages, which the engine knows.

use std::sync::Arc;

use crate::http::{Head, Status, Version};
use crate::lang::Diag;
use crate::log::{Format, Purpose};

use super::action::Args;
use super::page::{Page, PageSet, has_page};
use super::scene::Scene;

/// An answer the proxy gives in place of a server.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head; without a `content-length` the body ends with the connection.
    pub head: Head,
    /// The body.
    pub body: Body,
    /// Which kind of rule made it.
    pub cause: Cause,
    /// Nothing is sent: the connection is just closed.
    pub silent: bool,
    /// The client's connection ends with it.
    pub closes: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes of the configuration.
    Shared(Arc<[u8]>),
    /// Bytes made for this answer.
    Own(Vec<u8>),
}

impl Body {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Body::Shared(bytes) => bytes,
            Body::Own(bytes) => bytes,
        }
    }
}

/// Which kind of rule made an answer; logs and counters differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// `return`.
    Return,
    /// `redirect`.
    Redirect,
    /// `deny`, `tarpit`.
    Deny,
    /// `auth`.
    Auth,
    /// The proxy could not do better.
    Error,
}

/// What a rule answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The payload.
    pub content: Content,
    headers: Vec<(Box<[u8]>, Format)>,
}

/// The payload of a reply.
#[derive(Debug, Clone)]
pub enum Content {
    /// None.
    Empty,
    /// The proxy's error page of the status.
    Default,
    /// This page.
    Page(Arc<Page>),
    /// Bytes of this type.
    Bytes(Box<[u8]>, Arc<[u8]>),
    /// A format of this type.
    Text(Box<[u8]>, Format),
}

/// Which keyword's arguments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `return`: nothing said means 200 without a payload.
    Return,
    /// `deny`: nothing said means the error page of 403.
    Deny,
    /// `deny` of a response: nothing said means the error page of 502, since it is the server that failed.
    DenyResponse,
    /// `tarpit`: nothing said means the error page of 500.
    Tarpit,
    /// `http-error`: like `return`, for a status that is always given.
    HttpError,
}

/// What was read so far.
#[derive(Default)]
struct Draft {
    status: Option<u16>,
    kind: Option<Box<[u8]>>,
    content: Option<Content>,
    pages: Option<Arc<PageSet>>,
    headers: Vec<(Box<[u8]>, Format)>,
}

impl Reply {
    /// Reads the arguments up to the condition.
    ///
    /// # Errors
    /// HAProxy's sentence about the first argument that is wrong.
    pub fn parse(args: &mut Args<'_>, kind: Kind) -> Result<Reply, Diag> {
        let mut draft = Draft::default();
        while let Some(word) = args.cur.peek() {
            match word.str() {
                "status" | "deny_status" => draft.status = Some(status(args)?),
                "content-type" => {
                    draft.kind = Some(value(args, "<ctype>")?.into_boxed_slice());
                }
                "default-errorfiles" => {
                    args.cur.skip(1);
                    draft.set(args, Content::Default)?;
                }
                "errorfile" => {
                    let bytes = file(args)?;
                    let page = Page::parse(draft.status.unwrap_or(kind.status()), &bytes).map_err(
                        |why| {
                            args.fail(format!(
                                "unable to convert message in HTX for http return code {} : {why}.",
                                draft.status.unwrap_or(kind.status())
                            ))
                        },
                    )?;
                    draft.set(args, Content::Page(Arc::new(page)))?;
                }
                "errorfiles" => {
                    let name = value(args, "<name>")?;
                    draft.pages = Some(args.page_set(&name)?);
                }
                "file" => {
                    let bytes = file(args)?;
                    draft.set(args, Content::Bytes(Box::default(), bytes.into()))?;
                }
                "lf-file" => {
                    let bytes = file(args)?;
                    let format = args.format_of(&bytes, Purpose::Field)?;
                    draft.set(args, Content::Text(Box::default(), format))?;
                }
                "string" => {
                    let bytes = value(args, "<str>")?;
                    draft.set(args, Content::Bytes(Box::default(), bytes.into()))?;
                }
                "lf-string" => {
                    args.cur.skip(1);
                    let format = args.format("<fmt>", Purpose::Field)?;
                    draft.set(args, Content::Text(Box::default(), format))?;
                }
                "hdr" => draft.headers.push(header(args)?),
                _ => break,
            }
        }
        draft.finish(args, kind)
    }

    /// The answer for one request; `None` when the proxy's error page is to be used.
    #[must_use]
    pub fn answer(&self, scene: &mut Scene<'_>, cause: Cause) -> Option<Box<Answer>> {
        let (kind, body) = match &self.content {
            Content::Default => return None,
            Content::Page(page) => return Some(Box::new(page.answer(cause))),
            Content::Empty => (None, Body::Shared(Arc::from([]))),
            Content::Bytes(kind, bytes) => (Some(kind), Body::Shared(Arc::clone(bytes))),
            Content::Text(kind, format) => (Some(kind), Body::Own(scene.text(format))),
        };
        let mut head = Head::new();
        let status = Status::new(self.status);
        head.set_response(Version::Http11, status, status.reason().as_bytes());
        for (name, format) in &self.headers {
            let value = scene.text(format);
            // A field without a value is left out.
            if !value.is_empty() {
                head.push(name, &value);
            }
            scene.put_back(value);
        }
        // A 204 has no body whose length could be told (RFC 9110 section 8.6).
        if self.status != 204 {
            head.push(b"content-length", body.bytes().len().to_string().as_bytes());
        }
        if let Some(kind) = kind.filter(|_| !body.bytes().is_empty()) {
            head.push(b"content-type", kind);
        }
        Some(Box::new(Answer {
            status: self.status,
            head,
            body,
            cause,
            silent: false,
            closes: false,
        }))
    }

    /// Every format of the reply.
    pub fn formats(&self) -> impl Iterator<Item = &Format> {
        let body = match &self.content {
            Content::Text(_, format) => Some(format),
            Content::Empty | Content::Default | Content::Page(_) | Content::Bytes(..) => None,
        };
        self.headers.iter().map(|(_, format)| format).chain(body)
    }
}

impl Kind {
    fn status(self) -> u16 {
        match self {
            Kind::Return | Kind::HttpError => 200,
            Kind::Deny => 403,
            Kind::DenyResponse => 502,
            Kind::Tarpit => 500,
        }
    }
}

impl Draft {
    fn set(&mut self, args: &Args<'_>, content: Content) -> Result<(), Diag> {
        if self.content.is_some() || self.pages.is_some() {
            return Err(args.fail("a payload is already defined"));
        }
        self.content = Some(content);
        Ok(())
    }

    fn finish(self, args: &mut Args<'_>, kind: Kind) -> Result<Reply, Diag> {
        let status = self.status.unwrap_or(kind.status());
        let plain = self.headers.is_empty() && self.kind.is_none();
        let fallback = match kind {
            Kind::Deny | Kind::DenyResponse | Kind::Tarpit if plain => Content::Default,
            Kind::Deny | Kind::DenyResponse | Kind::Tarpit | Kind::Return | Kind::HttpError => {
                Content::Empty
            }
        };
        let mut content = match (self.content, self.pages) {
            (Some(content), _) => content,
            (None, Some(pages)) => Content::Page(Arc::clone(pages.page(status))),
            (None, None) => fallback,
        };
        match &mut content {
            Content::Default if !has_page(status) => {
                return Err(args.fail(format!(
                    "status code '{status}' not handled by default with 'default-errorfiles' argument."
                )));
            }
            Content::Default | Content::Page(_) if !plain => {
                args.warn("content-type and hdr parameters are ignored with an error file");
            }
            Content::Bytes(slot, bytes) => match self.kind {
                Some(kind) => *slot = kind,
                None if bytes.is_empty() => {}
                None => return Err(untyped(args)),
            },
            Content::Text(slot, _) => match self.kind {
                Some(kind) => *slot = kind,
                None => return Err(untyped(args)),
            },
            Content::Empty if self.kind.is_some() => {
                let text = "content-type parameter is ignored without a payload";
                let span = args.cur.last_span();
                args.context.warn(Diag::notice(span, text));
            }
            Content::Empty | Content::Default | Content::Page(_) => {}
        }
        Ok(Reply {
            status,
            content,
            headers: self.headers,
        })
    }
}

fn untyped(args: &Args<'_>) -> Diag {
    args.fail("a content type must be defined when non-empty payload is configured")
}

fn status(args: &mut Args<'_>) -> Result<u16, Diag> {
    let text = value(args, "<status_code>")?;
    let number = std::str::from_utf8(&text)
        .ok()
        .and_then(|t| t.parse::<u16>().ok());
    number
        .filter(|code| (200..=599).contains(code))
        .ok_or_else(|| {
            args.fail(format!(
                "Unexpected status code '{}'",
                super::scene::shown(&text)
            ))
        })
}

/// The word after a parameter's name.
fn value(args: &mut Args<'_>, what: &str) -> Result<Vec<u8>, Diag> {
    let name = args
        .cur
        .next()
        .map_or_else(String::new, |word| word.shown().into_owned());
    match args.cur.next() {
        Some(word) => Ok(word.bytes.to_vec()),
        None => Err(args.fail(format!("'{name}' expects {what} as argument"))),
    }
}

fn file(args: &mut Args<'_>) -> Result<Vec<u8>, Diag> {
    let path = value(args, "<file>")?;
    args.read_file(&path)
}

fn header(args: &mut Args<'_>) -> Result<(Box<[u8]>, Format), Diag> {
    args.cur.skip(1);
    let (Some(name), Some(_)) = (args.cur.next(), args.cur.peek()) else {
        return Err(args.fail("'hdr' expects <name> and <value> as arguments"));
    };
    let lower = name.bytes.to_ascii_lowercase();
    if [
        &b"content-length"[..],
        b"connection",
        b"transfer-encoding",
        b"content-type",
    ]
    .contains(&&*lower)
    {
        args.warn(&format!("header '{}' ignored", name.shown()));
    }
    let format = args.format("<fmt>", Purpose::Field)?;
    Ok((lower.into_boxed_slice(), format))
}
