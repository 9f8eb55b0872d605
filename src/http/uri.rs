//! The parts of a request target (RFC 9112 section 3.2, RFC 3986), as HAProxy's fetches cut them.
//!
//! Functions over the target's bytes; nothing is decoded and nothing copied, but where a normalisation makes a new target.

use super::{Head, Known};

/// The scheme of an absolute target: `http` of `http://a/b`.
pub fn scheme(target: &[u8]) -> Option<&[u8]> {
    let len = target
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        .count();
    (target.first().is_some_and(u8::is_ascii_alphabetic) && target[len..].starts_with(b"://"))
        .then(|| &target[..len])
}

/// The authority of an absolute target, or of CONNECT's; without the user part unless `with_user`.
pub fn authority(target: &[u8], with_user: bool) -> Option<&[u8]> {
    let whole = match scheme(target) {
        Some(scheme) => {
            let rest = &target[scheme.len() + 3..];
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
                .unwrap_or(rest.len());
            &rest[..end]
        }
        None if matches!(target, [b'/', ..] | b"*" | []) => return None,
        None => target,
    };
    match memchr::memchr(b'@', whole) {
        Some(at) if !with_user => Some(&whole[at + 1..]),
        Some(_) | None => Some(whole),
    }
}

/// Host and port of an authority; the port is none without a colon and may be empty with it. Brackets stay.
pub fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let from = match authority {
        [b'[', ..] => memchr::memchr(b']', authority).unwrap_or(0),
        _ => 0,
    };
    match memchr::memchr(b':', &authority[from..]) {
        Some(colon) => (
            &authority[..from + colon],
            Some(&authority[from + colon + 1..]),
        ),
        None => (authority, None),
    }
}

/// Path and query: what an origin server is asked for. None for `*` and for CONNECT.
pub fn path_and_query(target: &[u8]) -> Option<&[u8]> {
    match scheme(target) {
        _ if target.first() == Some(&b'/') => Some(target),
        Some(scheme) => {
            let rest = &target[scheme.len() + 3..];
            let start = rest
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
                .unwrap_or(rest.len());
            Some(&rest[start..])
        }
        None => None,
    }
}

/// The path: from its first slash to before the question mark.
pub fn path(target: &[u8]) -> Option<&[u8]> {
    let both = path_and_query(target)?;
    Some(&both[..query_start(both)])
}

/// The query: what follows the first question mark.
pub fn query(target: &[u8]) -> Option<&[u8]> {
    let both = path_and_query(target).unwrap_or(target);
    both.get(query_start(both) + 1..)
}

fn query_start(target: &[u8]) -> usize {
    memchr::memchr(b'?', target).unwrap_or(target.len())
}

/// HAProxy's `base`: the first Host value and the path.
pub fn base(head: &Head, out: &mut Vec<u8>) {
    out.extend_from_slice(head.get_known(Known::Host).unwrap_or(b""));
    out.extend_from_slice(path(head.target()).unwrap_or(b""));
}

/// The parameters of a query: names and values between `&` or `;`, a missing `=` leaving no value.
pub fn params(query: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> + Clone {
    query
        .split(|byte| matches!(byte, b'&' | b';'))
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(equals) => (&pair[..equals], Some(&pair[equals + 1..])),
            None => (pair, None),
        })
}

/// HAProxy's `url_param(name,delim)`: the value of the first parameter of this name in what follows `delim` (usually `?`).
pub fn param<'a>(target: &'a [u8], name: &[u8], delim: u8, ignore_case: bool) -> Option<&'a [u8]> {
    let start = memchr::memchr(delim, target)? + 1;
    let mut pieces =
        target[start..].split(move |&byte| byte == b'&' || byte == b';' || byte == delim);
    pieces.find_map(|pair| {
        let (found, value) = (pair.get(..name.len())?, pair.get(name.len()..)?);
        let same = found == name || ignore_case && found.eq_ignore_ascii_case(name);
        value.strip_prefix(b"=").filter(|_| same)
    })
}

/// `target` with its path replaced, scheme, authority and query kept.
pub fn with_path(target: &[u8], path: &[u8]) -> Vec<u8> {
    let both = path_and_query(target).unwrap_or(target);
    let query = &both[query_start(both)..];
    [&target[..target.len() - both.len()], path, query].concat()
}

/// `target` with path and query replaced, scheme and authority kept.
pub fn with_path_and_query(target: &[u8], both: &[u8]) -> Vec<u8> {
    let old = path_and_query(target).unwrap_or(target);
    [&target[..target.len() - old.len()], both].concat()
}

/// `target` with its query replaced; an empty one takes its question mark along.
pub fn with_query(target: &[u8], query: &[u8]) -> Vec<u8> {
    let both = path_and_query(target).unwrap_or(target);
    let kept = &target[..target.len() - both.len() + query_start(both)];
    if query.is_empty() {
        kept.to_vec()
    } else {
        [kept, b"?", query].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn text(bytes: Option<&[u8]>) -> Option<String> {
        bytes.map(|bytes| bytes.escape_ascii().to_string())
    }

    #[test]
    fn parts_of_every_form() {
        for (target, want_scheme, want_authority, want_path, want_query) in [
            ("/a/b?c=d?e", None, None, Some("/a/b"), Some("c=d?e")),
            ("/", None, None, Some("/"), None),
            ("/a://b", None, None, Some("/a://b"), None),
            (
                "http://u@h:1/p?q",
                Some("http"),
                Some("h:1"),
                Some("/p"),
                Some("q"),
            ),
            ("http://h", Some("http"), Some("h"), Some(""), None),
            ("http://h?q", Some("http"), Some("h"), Some(""), Some("q")),
            ("*", None, None, None, None),
            ("h:443", None, Some("h:443"), None, None),
        ] {
            let target = target.as_bytes();
            assert_eq!(text(scheme(target)).as_deref(), want_scheme);
            assert_eq!(text(authority(target, false)).as_deref(), want_authority);
            assert_eq!(text(path(target)).as_deref(), want_path);
            assert_eq!(text(query(target)).as_deref(), want_query);
        }
        assert_eq!(
            authority(b"http://u@h:1/p", true),
            Some(b"u@h:1".as_slice())
        );
    }

    #[test]
    fn ports() {
        assert_eq!(
            split_port(b"h:80"),
            (b"h".as_slice(), Some(b"80".as_slice()))
        );
        assert_eq!(split_port(b"h"), (b"h".as_slice(), None));
        assert_eq!(
            split_port(b"[::1]:"),
            (b"[::1]".as_slice(), Some(b"".as_slice()))
        );
        assert_eq!(split_port(b"[::1]"), (b"[::1]".as_slice(), None));
    }

    #[test]
    fn parameters() {
        let target = b"/p?a=1&b;c=&A=2;a=3";
        assert_eq!(param(target, b"a", b'?', false), Some(b"1".as_slice()));
        assert_eq!(param(target, b"A", b'?', false), Some(b"2".as_slice()));
        assert_eq!(param(target, b"C", b'?', true), Some(b"".as_slice()));
        assert_eq!(param(target, b"b", b'?', false), None);
        assert_eq!(param(b"/p", b"a", b'?', false), None);
        assert_eq!(params(query(target).expect("has one")).count(), 5);
    }

    #[test]
    fn replacing_parts() {
        assert_eq!(with_path(b"http://h/a?b", b"/c"), b"http://h/c?b");
        assert_eq!(with_query(b"/a?b", b"c"), b"/a?c");
        assert_eq!(with_query(b"/a?b", b""), b"/a");
        assert_eq!(with_path_and_query(b"http://h", b"/x?y"), b"http://h/x?y");
    }

    #[test]
    fn base_is_host_and_path() {
        let mut head = Head::new();
        head.set_request(b"GET", b"/a?b", Version::Http11);
        head.push(b"host", b"h:1");
        let mut out = Vec::new();
        base(&head, &mut out);
        assert_eq!(out, b"h:1/a");
    }
}
