//! The parts of a request target that rules replace: path, query, and what stands before them.
//!
//! Targets come in the forms of RFC 9112 section 3.2: `/path?query`, `http://host/path?query`,
//! `host:port` and `*`. Nothing is decoded here.

use crate::http::Head;

/// A target taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Scheme and authority, empty in the usual form.
    pub before: &'a [u8],
    /// The path; empty when there is none.
    pub path: &'a [u8],
    /// The query with its `?`.
    pub query: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// The parts of `target`.
    #[must_use]
    pub fn of(target: &'a [u8]) -> Parts<'a> {
        let start = path_start(target);
        let (before, rest) = target.split_at(start);
        let mark = memchr::memchr(b'?', rest);
        let (path, query) = match mark {
            Some(at) => (&rest[..at], Some(&rest[at..])),
            None => (rest, None),
        };
        Parts {
            before,
            path,
            query,
        }
    }
}

fn path_start(target: &[u8]) -> usize {
    if target.starts_with(b"/") || target == b"*" {
        return 0;
    }
    let Some(colon) = memchr::memmem::find(target, b"://") else {
        return target.len();
    };
    let host = colon + 3;
    let end = target[host..].iter().position(|b| matches!(b, b'/' | b'?'));
    end.map_or(target.len(), |at| host + at)
}

/// Replaces the path, keeping the query.
pub(super) fn set_path(head: &mut Head, path: &[u8]) {
    let parts = Parts::of(head.target());
    let target = [parts.before, path, parts.query.unwrap_or_default()].concat();
    head.set_target(&target);
}

/// Replaces path and query.
pub(super) fn set_path_and_query(head: &mut Head, path: &[u8]) {
    let target = [Parts::of(head.target()).before, path].concat();
    head.set_target(&target);
}

/// Replaces the query, given without its `?`.
pub(super) fn set_query(head: &mut Head, query: &[u8]) {
    let parts = Parts::of(head.target());
    let target = [parts.before, parts.path, b"?", query].concat();
    head.set_target(&target);
}

/// Replaces the whole target; an absolute one renames the host with it (RFC 9112 section 3.2.2).
pub(super) fn set_uri(head: &mut Head, uri: &[u8]) {
    head.set_target(uri);
    let before = Parts::of(uri).before;
    if let Some(colon) = memchr::memmem::find(before, b"://") {
        let host = before[colon + 3..].to_vec();
        if let Some(at) = head.find(b"host", 0) {
            head.replace_value(at, &host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn edited(target: &str, edit: impl Fn(&mut Head)) -> String {
        let mut head = Head::new();
        head.set_request(b"GET", target.as_bytes(), Version::Http11);
        head.push(b"host", b"old");
        edit(&mut head);
        let host = head.get(b"host").unwrap_or_default();
        format!(
            "{} {}",
            String::from_utf8_lossy(head.target()),
            String::from_utf8_lossy(host)
        )
    }

    #[test]
    fn parts_of_every_form() {
        let parts = |t: &'static str| {
            let p = Parts::of(t.as_bytes());
            (p.before, p.path, p.query)
        };
        assert_eq!(parts("/a?b"), (&b""[..], &b"/a"[..], Some(&b"?b"[..])));
        assert_eq!(parts("http://h/a"), (&b"http://h"[..], &b"/a"[..], None));
        assert_eq!(
            parts("http://h?b"),
            (&b"http://h"[..], &b""[..], Some(&b"?b"[..]))
        );
        assert_eq!(parts("*"), (&b""[..], &b"*"[..], None));
        assert_eq!(parts("h:443"), (&b"h:443"[..], &b""[..], None));
    }

    #[test]
    fn replacing() {
        assert_eq!(edited("/p/q?x=1", |h| set_path(h, b"/n")), "/n?x=1 old");
        assert_eq!(
            edited("http://z/p/q?x=1", |h| set_path(h, b"/n")),
            "http://z/n?x=1 old"
        );
        assert_eq!(
            edited("http://z/p/q?x=1", |h| set_path_and_query(h, b"/n")),
            "http://z/n old"
        );
        assert_eq!(edited("/p/q?x=1", |h| set_query(h, b"a=b")), "/p/q?a=b old");
        assert_eq!(edited("/p/q?x=1", |h| set_query(h, b"")), "/p/q? old");
        assert_eq!(edited("/a", |h| set_uri(h, b"http://o/z")), "http://o/z o");
        assert_eq!(edited("/a", |h| set_uri(h, b"*")), "* old");
    }
}
