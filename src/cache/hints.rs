//! What of an answer a client may be told before the answer comes: the `Link` fields that 103 (Early Hints) is for
//! (RFC 8297, RFC 8288).
//!
//! Strict on purpose: what is not written as RFC 8288 section 3 has it is nobody's hint.

use super::object::Shape;
use crate::http::{Head, Values};

/// HAProxy's unit of cache memory; hints take whole ones.
pub(super) const BLOCK: usize = 1024;

/// What makes a link worth a hint: a browser begins to fetch or to connect because of it.
const RELATIONS: [&[u8]; 5] = [
    b"preload",
    b"preconnect",
    b"prefetch",
    b"dns-prefetch",
    b"modulepreload",
];

/// The values of the `Link` fields that say what to fetch, one for each field that has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hints(Vec<Box<[u8]>>);

impl Hints {
    /// The hints in an answer's head, if it has any.
    pub(super) fn of(head: &Head) -> Option<Hints> {
        let worthy = |line| {
            let links: Vec<&[u8]> = Values::of(line).filter(|link| is_hint(link)).collect();
            (!links.is_empty()).then(|| links.join(&b", "[..]).into_boxed_slice())
        };
        let lines: Vec<Box<[u8]>> = head.all(b"link").filter_map(worthy).collect();
        (!lines.is_empty()).then_some(Hints(lines))
    }

    /// The value of each `Link` field of a 103 answer.
    pub fn into_lines(self) -> Vec<Box<[u8]>> {
        self.0
    }

    /// How many blocks they take.
    pub(super) fn blocks(&self) -> usize {
        let bytes: usize = self.0.iter().map(|line| line.len()).sum();
        bytes.div_ceil(BLOCK)
    }
}

/// What is left of an answer that had to give its room: its hints, and whom they are for.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) shape: Shape,
    pub(super) hints: Hints,
}

/// Whether one link says what to fetch: `<target>; rel=...`. Of several `rel` the first counts (RFC 8288 section 3.3).
fn is_hint(link: &[u8]) -> bool {
    let target = link.strip_prefix(b"<");
    let Some(end) = target.and_then(|rest| memchr::memchr(b'>', rest)) else {
        return false;
    };
    let mut rest = &link[end + 2..];
    while let Some((name, value, after)) = parameter(rest) {
        if name.eq_ignore_ascii_case(b"rel") {
            let mut relations = value.split(|byte| *byte == b' ');
            return relations.any(|own| RELATIONS.iter().any(|r| own.eq_ignore_ascii_case(r)));
        }
        rest = after;
    }
    false
}

/// The first parameter, its value without its quotes, and what follows; nothing where none is well written.
fn parameter(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let text = text.trim_ascii_start().strip_prefix(b";")?;
    let (name, rest) = token(text.trim_ascii_start())?;
    let (value, rest) = match rest.trim_ascii_start().strip_prefix(b"=") {
        None => (&b""[..], rest),
        Some(after) => match after.trim_ascii_start() {
            [b'"', inner @ ..] => quoted(inner)?,
            plain => token(plain)?,
        },
    };
    let next = rest.trim_ascii_start();
    (next.is_empty() || next.starts_with(b";")).then_some((name, value, next))
}

/// The token at the beginning, and what follows.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(|byte| !is_part(byte));
    let (token, rest) = text.split_at(end.unwrap_or(text.len()));
    (!token.is_empty()).then_some((token, rest))
}

/// What stands before the closing quote, and what follows it.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })?;
    Some((&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::freshness::tests::response;
    use super::*;

    fn hints(links: &[&str]) -> Vec<String> {
        let fields: Vec<(&str, &str)> = links.iter().map(|link| ("link", *link)).collect();
        let shown = |line: Box<[u8]>| line.escape_ascii().to_string();
        let hints = Hints::of(&response(&fields)).map(Hints::into_lines);
        hints.into_iter().flatten().map(shown).collect()
    }

    #[test]
    fn only_what_says_what_to_fetch_is_a_hint() {
        let worthy = "</a.css>; as=style; REL=\"next PreLoad\"";
        assert_eq!(hints(&[worthy]), [worthy.replace('"', "\\\"")]);
        let both = "</x>; rel=next, </a>; rel=preload, , </b> ; nopush ; rel = prefetch";
        assert_eq!(
            hints(&[both, "</y>; rel=license", "</c>; rel=preconnect"]),
            [
                "</a>; rel=preload, </b> ; nopush ; rel = prefetch",
                "</c>; rel=preconnect"
            ]
        );
    }

    #[test]
    fn of_two_relations_the_first_counts() {
        assert_eq!(hints(&["</a>; rel=next; rel=preload"]).len(), 0);
        assert_eq!(hints(&["</a>; rel=dns-prefetch; rel=next"]).len(), 1);
    }

    #[test]
    fn what_is_badly_written_is_no_hint() {
        for link in [
            "/a; rel=preload",
            "</a; rel=preload",
            "</a> rel=preload",
            "</a>; rel=preload next",
            "</a>; rel=",
            "</a>; rel=\"preload",
            "</a>; =x; rel=preload",
            r#"</a>; title="x\"; rel=preload; y=\"z""#,
            "</a,b>; rel=preload",
        ] {
            assert_eq!(hints(&[link]).len(), 0, "{link}");
        }
        assert_eq!(hints(&[r#"</a>; title="\"x\\"; rel=preload"#]).len(), 1);
    }
}
