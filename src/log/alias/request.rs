//! Parts of the request line, as it was received.

use crate::log::record::Record;
use crate::log::style::{Guard, Pen, Style};

/// Appends the part of the request line that `of` finds.
pub(super) fn write(of: fn(&[u8]) -> Option<&[u8]>, record: &Record<'_>, pen: &mut Pen<'_>) {
    let line = record.http.and_then(|http| http.request_line);
    let text = line.and_then(of).unwrap_or(b"<BADREQ>");
    if !text.is_empty() || pen.style.is_encoded() {
        pen.guarded(Guard::Url, Some(text));
    } else if pen.style.has(Style::QUOTE) {
        // What was there but empty is not missing.
        pen.out.extend_from_slice(b"\"\"");
    }
}

/// All of it.
pub(super) fn line(line: &[u8]) -> Option<&[u8]> {
    Some(line)
}

pub(super) fn method(line: &[u8]) -> Option<&[u8]> {
    Some(split(line)?.0)
}

pub(super) fn target(line: &[u8]) -> Option<&[u8]> {
    Some(split(line)?.1)
}

/// The version, if there is one.
pub(super) fn version(line: &[u8]) -> Option<&[u8]> {
    Some(split(line)?.2).filter(|version| !version.is_empty())
}

/// The target without its query.
pub(super) fn target_path(line: &[u8]) -> Option<&[u8]> {
    let target = target(line)?;
    Some(&target[..mark(target)])
}

/// The query with its mark.
pub(super) fn query(line: &[u8]) -> Option<&[u8]> {
    let target = target(line)?;
    Some(&target[mark(target)..])
}

/// The path of the target: of `/p`, of `http://host/p`; `*` has an empty one.
pub(super) fn path(line: &[u8]) -> Option<&[u8]> {
    let target = target_path(line)?;
    if target.starts_with(b"/") {
        return Some(target);
    }
    if target == b"*" {
        return Some(b"");
    }
    let host = memchr::memmem::find(target, b"://")? + 3;
    let slash = memchr::memchr(b'/', &target[host..])?;
    Some(&target[host + slash..])
}

/// Method, target and version.
fn split(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (method, rest) = line.split_at(memchr::memchr(b' ', line)?);
    let rest = rest.trim_ascii_start();
    let (target, version) = rest.split_at(memchr::memchr(b' ', rest).unwrap_or(rest.len()));
    Some((method, target, version.trim_ascii()))
}

fn mark(target: &[u8]) -> usize {
    memchr::memchr(b'?', target).unwrap_or(target.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_request_lines() {
        let part = |of: fn(&[u8]) -> Option<&[u8]>, line: &'static str| {
            of(line.as_bytes()).map(|b| String::from_utf8_lossy(b).into_owned())
        };
        let line = "GET http://h.x/a/b?q=1&x HTTP/1.1";
        assert_eq!(part(method, line).as_deref(), Some("GET"));
        assert_eq!(part(target_path, line).as_deref(), Some("http://h.x/a/b"));
        assert_eq!(part(path, line).as_deref(), Some("/a/b"));
        assert_eq!(part(query, line).as_deref(), Some("?q=1&x"));
        assert_eq!(part(target, line).as_deref(), Some("http://h.x/a/b?q=1&x"));
        assert_eq!(part(version, line).as_deref(), Some("HTTP/1.1"));
        assert_eq!(part(query, "GET /a HTTP/1.1").as_deref(), Some(""));
        assert_eq!(part(path, "OPTIONS * HTTP/1.1").as_deref(), Some(""));
        assert_eq!(part(path, "CONNECT a:1 HTTP/1.1"), None);
        assert_eq!(part(method, "JUNK"), None);
    }
}
