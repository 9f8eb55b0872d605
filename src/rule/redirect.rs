//! Redirects: `redirect location|prefix|scheme`, as an action and as a keyword of its own.
//!
//! A [`Redirect`] holds what the configuration says and makes the answer for one request.

use std::sync::Arc;

use crate::http::{Head, Known, Status, Version};
use crate::lang::Diag;
use crate::log::{Format, Purpose};

use super::action::Args;
use super::reply::{Answer, Body, Cause};
use super::scene::Scene;
use super::target::Parts;

/// What a redirect says.
#[derive(Debug, Clone)]
pub struct Redirect {
    to: To,
    text: Format,
    code: u16,
    cookie: Option<Box<[u8]>>,
    drop_query: bool,
    append_slash: bool,
    keep_query: bool,
    ignore_empty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    /// The text is the location.
    Location,
    /// The text goes before the request's path.
    Prefix,
    /// The text is the scheme before the request's host and path.
    Scheme,
}

impl Redirect {
    /// Reads the arguments up to the condition.
    ///
    /// # Errors
    /// HAProxy's sentence about the first argument that is wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Redirect, Diag> {
        let mut to = None;
        let mut redirect = Redirect {
            to: To::Location,
            text: Format::default(),
            code: 302,
            cookie: None,
            drop_query: false,
            append_slash: false,
            keep_query: false,
            ignore_empty: false,
        };
        while let Some(word) = args.cur.peek() {
            match word.str() {
                "location" => to = Some((To::Location, destination(args)?)),
                "prefix" => to = Some((To::Prefix, destination(args)?)),
                "scheme" => to = Some((To::Scheme, destination(args)?)),
                "code" => redirect.code = code(args)?,
                "set-cookie" => redirect.cookie = Some(cookie(args, "; path=/;")?),
                "clear-cookie" => redirect.cookie = Some(cookie(args, "; path=/; Max-Age=0;")?),
                "drop-query" => redirect.drop_query = args.flag(),
                "append-slash" => redirect.append_slash = args.flag(),
                "keep-query" => redirect.keep_query = args.flag(),
                "ignore-empty" => redirect.ignore_empty = args.flag(),
                "if" | "unless" => break,
                other => return Err(args.fail(format!(
                    "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', \
                     'drop-query', 'ignore-empty' or 'append-slash' (was '{other}')"
                ))),
            }
        }
        let Some((to, text)) = to else {
            return Err(args.fail("redirection type expected ('prefix', 'location', or 'scheme')"));
        };
        redirect.to = to;
        redirect.text = text;
        Ok(redirect)
    }

    /// Whether there are requests that it lets through.
    pub(super) fn may_pass(&self) -> bool {
        self.ignore_empty
    }

    /// The answer for one request; `None` when the location is empty and that is to be ignored.
    #[must_use]
    pub fn answer(&self, scene: &mut Scene<'_>) -> Option<Box<Answer>> {
        let mut location = scene.text(&self.text);
        if self.ignore_empty && location.is_empty() {
            scene.put_back(location);
            return None;
        }
        match (self.to, scene.request.as_deref()) {
            (To::Location, Some(request)) if self.keep_query => {
                let query = Parts::of(request.target()).query;
                let joint: &[u8] = if location.contains(&b'?') { b"&" } else { b"?" };
                if let Some(query) = query.filter(|q| q.len() > 1) {
                    location.extend_from_slice(joint);
                    location.extend_from_slice(&query[1..]);
                }
            }
            (To::Location, _) | (_, None) => {}
            (To::Prefix, Some(request)) => {
                // A lone slash stands for the site itself: the path brings its own.
                if location == b"/" {
                    location.clear();
                }
                self.append_path(request, &mut location);
            }
            (To::Scheme, Some(request)) => {
                location.extend_from_slice(b"://");
                location.extend_from_slice(request.get_known(Known::Host).unwrap_or_default());
                self.append_path(request, &mut location);
            }
        }
        let mut head = Head::new();
        let status = Status::new(self.code);
        head.set_response(Version::Http11, status, status.reason().as_bytes());
        head.push(b"content-length", b"0");
        head.push(b"location", &location);
        if matches!(self.code, 302 | 303 | 307) {
            head.push(b"cache-control", b"no-cache");
        }
        if let Some(cookie) = &self.cookie {
            head.push(b"set-cookie", cookie);
        }
        scene.put_back(location);
        Some(Box::new(Answer {
            status: self.code,
            head,
            body: Body::Shared(Arc::from([])),
            cause: Cause::Redirect,
            silent: false,
            closes: false,
        }))
    }

    fn append_path(&self, request: &Head, location: &mut Vec<u8>) {
        let parts = Parts::of(request.target());
        location.extend_from_slice(if parts.path.is_empty() {
            b"/"
        } else {
            parts.path
        });
        if !self.drop_query {
            location.extend_from_slice(parts.query.unwrap_or_default());
        }
        // haproxy: at the very end, behind a query that is kept; so here.
        if self.append_slash && location.last() != Some(&b'/') {
            location.push(b'/');
        }
    }

    /// The format of the destination.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.text
    }
}

fn destination(args: &mut Args<'_>) -> Result<Format, Diag> {
    let name = args
        .cur
        .next()
        .map_or_else(String::new, |word| word.shown().into_owned());
    if args.cur.is_empty() {
        return Err(args.fail(format!("missing argument for '{name}'")));
    }
    args.format("<fmt>", Purpose::Field)
}

fn code(args: &mut Args<'_>) -> Result<u16, Diag> {
    args.cur.skip(1);
    let Some(word) = args.cur.next() else {
        return Err(args.fail("missing argument for 'code'"));
    };
    match word.str().parse::<u16>() {
        Ok(code @ (301 | 302 | 303 | 307 | 308)) => Ok(code),
        _ => Err(args.fail(format!(
            "'code': unsupported HTTP code '{}' (must be one of 301, 302, 303, 307 or 308)",
            word.shown()
        ))),
    }
}

fn cookie(args: &mut Args<'_>, tail: &str) -> Result<Box<[u8]>, Diag> {
    let name = args
        .cur
        .next()
        .map_or_else(String::new, |word| word.shown().into_owned());
    let Some(word) = args.cur.next() else {
        return Err(args.fail(format!("missing argument for '{name}'")));
    };
    let mut cookie = word.bytes.clone();
    cookie.extend_from_slice(tail.as_bytes());
    Ok(cookie.into_boxed_slice())
}
