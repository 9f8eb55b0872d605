//! Cookies inside Cookie and Set-Cookie values, cut as leniently as HAProxy cuts them (RFC 6265 with commas and quotes).

use std::ops::Range;

use super::grammar::trim;

/// One cookie of a line; positions are into the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// From its first byte to where the next cookie begins.
    pub whole: Range<usize>,
    /// The name.
    pub name: Range<usize>,
    /// The value with its quotes; none without an equals sign.
    pub value: Option<Range<usize>>,
}

/// The cookies of one Cookie line, in order.
pub fn crumbs(line: &[u8]) -> impl Iterator<Item = Crumb> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while matches!(line.get(at), Some(b' ' | b'\t' | b';' | b',')) {
            at += 1;
        }
        if at >= line.len() {
            return None;
        }
        let end = crumb_end(line, at);
        let crumb = cut(line, at..end);
        at = end + 1;
        Some(Crumb {
            whole: crumb.whole.start..at.min(line.len()),
            ..crumb
        })
    })
}

/// Where the cookie that begins at `from` ends: at a semicolon or comma outside quotes.
fn crumb_end(line: &[u8], from: usize) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in line.iter().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' | b',' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

fn cut(line: &[u8], whole: Range<usize>) -> Crumb {
    let bounds = |range: Range<usize>| {
        let text = &line[range.clone()];
        let start = range.start
            + text
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
        let start = start.min(range.end);
        start..start + trim(text).len()
    };
    match memchr::memchr(b'=', &line[whole.clone()]) {
        Some(equals) => Crumb {
            name: bounds(whole.start..whole.start + equals),
            value: Some(bounds(whole.start + equals + 1..whole.end)),
            whole,
        },
        None => Crumb {
            name: bounds(whole.clone()),
            value: None,
            whole,
        },
    }
}

/// The value of the cookie `name` in a Cookie line.
pub fn find<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let crumb = crumb(line, name)?;
    Some(&line[crumb.value?])
}

/// Name and value of the cookie that a Set-Cookie line sets.
pub fn set_cookie(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let crumb = crumbs(line).next()?;
    Some((&line[crumb.name], &line[crumb.value?]))
}

/// The cookie `name` of a Cookie line; names are case-sensitive.
pub fn crumb(line: &[u8], name: &[u8]) -> Option<Crumb> {
    crumbs(line).find(|crumb| &line[crumb.name.clone()] == name)
}

/// The line without that cookie, separators mended; empty when it was the only one.
pub fn without(line: &[u8], crumb: &Crumb) -> Vec<u8> {
    let before = trim(&line[..crumb.whole.start]);
    let after = trim(&line[crumb.whole.end..]);
    if !after.is_empty() && !before.is_empty() {
        return [before, b" ", after].concat();
    }
    let left = if before.is_empty() { after } else { before };
    trim(
        left.strip_suffix(b";")
            .or(left.strip_suffix(b","))
            .unwrap_or(left),
    )
    .to_vec()
}

/// The line with another value for that cookie.
pub fn with_value(line: &[u8], crumb: &Crumb, value: &[u8]) -> Vec<u8> {
    match &crumb.value {
        Some(old) => [&line[..old.start], value, &line[old.end..]].concat(),
        None => [
            &line[..crumb.name.end],
            b"=",
            value,
            &line[crumb.name.end..],
        ]
        .concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding() {
        let line = b"a=1; SRV = s1 ;b=\"x;y\", c=;d; e=f=g";
        for (name, value) in [
            ("a", Some("1")),
            ("SRV", Some("s1")),
            ("b", Some("\"x;y\"")),
            ("c", Some("")),
            ("d", None),
            ("e", Some("f=g")),
            ("srv", None),
        ] {
            assert_eq!(
                find(line, name.as_bytes()),
                value.map(str::as_bytes),
                "{name}"
            );
        }
        assert_eq!(crumbs(line).count(), 6);
        assert_eq!(crumbs(b" ;, ").count(), 0);
        assert_eq!(find(b"ab=1", b"b"), None);
    }

    #[test]
    fn set_cookie_lines_hold_one() {
        assert_eq!(
            set_cookie(b"id=7; Path=/; HttpOnly"),
            Some((b"id".as_slice(), b"7".as_slice()))
        );
        assert_eq!(set_cookie(b"HttpOnly"), None);
        assert_eq!(set_cookie(b""), None);
    }

    #[test]
    fn removing_mends_the_separators() {
        for (line, left) in [
            ("a=1; b=2; c=3", "a=1; c=3"),
            ("b=2; c=3", "c=3"),
            ("a=1; b=2", "a=1"),
            ("b=2", ""),
            ("a=1;b=2;c=3", "a=1; c=3"),
            ("b=2;", ""),
        ] {
            let found = crumb(line.as_bytes(), b"b").expect("present");
            assert_eq!(without(line.as_bytes(), &found), left.as_bytes(), "{line}");
        }
    }

    #[test]
    fn replacing_keeps_the_rest() {
        let found = crumb(b"a=1; b=2; c", b"b").expect("present");
        assert_eq!(
            with_value(b"a=1; b=2; c", &found, b"s1~2"),
            b"a=1; b=s1~2; c"
        );
        let bare = crumb(b"a=1; c", b"c").expect("present");
        assert_eq!(with_value(b"a=1; c", &bare, b"x"), b"a=1; c=x");
    }
}
