//! `normalize-uri`: rewriting targets into one of their equal spellings (RFC 3986, section 6).

use crate::lang::Diag;

use super::super::flow::{Flow, Verdict};
use super::super::phase::Phase;
use super::super::scene::Scene;
use super::super::target::Parts;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[Row {
    name: "normalize-uri",
    arguments: false,
    phases: Phase::Request.only(),
    usage: "<normalizer> [ full | strict ]",
    doc: "Rewrites the target into a canonical spelling.",
    parse,
}];

/// The ways of rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Normalizer {
    FragmentEncode,
    FragmentStrip,
    MergeSlashes,
    StripDot,
    StripDotDot { full: bool },
    DecodeUnreserved { strict: bool },
    UpperCase { strict: bool },
    SortQuery,
}

fn parse(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("a normalizer")?;
    let normalizer = match word.str() {
        "fragment-encode" => Normalizer::FragmentEncode,
        "fragment-strip" => Normalizer::FragmentStrip,
        "path-merge-slashes" => Normalizer::MergeSlashes,
        "path-strip-dot" => Normalizer::StripDot,
        "path-strip-dotdot" => Normalizer::StripDotDot {
            full: args.cur.take("full"),
        },
        "percent-decode-unreserved" => Normalizer::DecodeUnreserved {
            strict: args.cur.take("strict"),
        },
        "percent-to-uppercase" => Normalizer::UpperCase {
            strict: args.cur.take("strict"),
        },
        "query-sort-by-name" => Normalizer::SortQuery,
        other => {
            let message = format!(
                "unknown normalizer '{other}', supported are fragment-encode, fragment-strip, \
                 path-merge-slashes, path-strip-dot, path-strip-dotdot, \
                 percent-decode-unreserved, percent-to-uppercase, query-sort-by-name"
            );
            return Err(args.fail(message));
        }
    };
    Ok(Box::new(normalizer))
}

impl Action for Normalizer {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(head) = scene.request.as_deref_mut() else {
            return Flow::Continue;
        };
        let target = head.target();
        match self.rewrite(target) {
            Ok(Some(text)) => {
                head.set_target(&text);
                Flow::Continue
            }
            Ok(None) => Flow::Continue,
            Err(Malformed) => Flow::Verdict(Verdict::Invalid),
        }
    }
}

/// The target is not well-formed, and the rule is strict about it.
struct Malformed;

impl Normalizer {
    /// The rewritten target, or nothing when it is canonical already.
    fn rewrite(self, target: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        let parts = Parts::of(target);
        let around =
            |path: Vec<u8>| [parts.before, &path[..], parts.query.unwrap_or_default()].concat();
        let text = match self {
            Normalizer::FragmentEncode => replace_fragment(target, true),
            Normalizer::FragmentStrip => replace_fragment(target, false),
            Normalizer::MergeSlashes => around(merge_slashes(parts.path)),
            Normalizer::StripDot => around(strip_dot(parts.path)),
            Normalizer::StripDotDot { full } => around(strip_dot_dot(parts.path, full)),
            Normalizer::DecodeUnreserved { strict } => {
                percents(target, strict, |byte, high, low, out| {
                    if is_unreserved(byte) {
                        out.push(byte);
                    } else {
                        out.extend_from_slice(&[b'%', high, low]);
                    }
                })?
            }
            Normalizer::UpperCase { strict } => percents(target, strict, |_, high, low, out| {
                out.extend_from_slice(&[b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
            })?,
            Normalizer::SortQuery => match parts.query {
                Some(query) => [parts.before, parts.path, &sorted(query)].concat(),
                None => return Ok(None),
            },
        };
        Ok((text != target).then_some(text))
    }
}

fn replace_fragment(target: &[u8], encode: bool) -> Vec<u8> {
    let Some(at) = memchr::memchr(b'#', target) else {
        return target.to_vec();
    };
    if encode {
        target
            .iter()
            .flat_map(|b| {
                if *b == b'#' {
                    b"%23".to_vec()
                } else {
                    vec![*b]
                }
            })
            .collect()
    } else {
        target[..at].to_vec()
    }
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for &byte in path {
        if byte != b'/' || out.last() != Some(&b'/') {
            out.push(byte);
        }
    }
    out
}

/// Removes segments that are a single dot (RFC 3986, section 5.2.4).
fn strip_dot(path: &[u8]) -> Vec<u8> {
    let segments: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
    let last = segments.len() - 1;
    let mut out: Vec<&[u8]> = Vec::with_capacity(segments.len());
    for (at, segment) in segments.into_iter().enumerate() {
        match (segment, at == last) {
            (b".", true) => out.push(b""),
            (b".", false) => {}
            _ => out.push(segment),
        }
    }
    out.join(&b'/')
}

/// Removes segments with the `..` after them; `full` also removes `..` at the root.
fn strip_dot_dot(path: &[u8], full: bool) -> Vec<u8> {
    let segments: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
    let (first, rest) = segments
        .split_first()
        .map_or((&b""[..], &[][..]), |(f, r)| (*f, r));
    let mut out: Vec<&[u8]> = vec![first];
    let mut kept_dots = 0;
    for (at, segment) in rest.iter().enumerate() {
        let last = at + 1 == rest.len();
        if *segment != b".." {
            out.push(segment);
            continue;
        }
        if out.len() > 1 + kept_dots {
            out.pop();
        } else if !full {
            out.push(segment);
            kept_dots += 1;
        }
        if last {
            out.push(b"");
        }
    }
    out.join(&b'/')
}

/// Hands each percent-encoded byte to `each`; a `%` without two digits stays, or is an error.
fn percents(
    target: &[u8],
    strict: bool,
    each: impl Fn(u8, u8, u8, &mut Vec<u8>),
) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(target.len());
    let mut rest = target;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match tail {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                each(nibble(*high) << 4 | nibble(*low), *high, *low, &mut out);
                rest = after;
            }
            _ if strict => return Err(Malformed),
            _ => out.push(byte),
        }
    }
    Ok(out)
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The query with its parameters in order of their names.
fn sorted(query: &[u8]) -> Vec<u8> {
    let mut params: Vec<&[u8]> = query[1..].split(|b| *b == b'&').collect();
    params.sort_by_key(|param| param.split(|b| *b == b'=').next().unwrap_or_default());
    [b"?", &params.join(&b'&')[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(normalizer: Normalizer, target: &str) -> String {
        match normalizer.rewrite(target.as_bytes()) {
            Ok(Some(text)) => String::from_utf8(text).expect("text"),
            Ok(None) => target.to_owned(),
            Err(Malformed) => "malformed".to_owned(),
        }
    }

    const TARGETS: [&str; 6] = [
        "/a//b///c?z//y",
        "/a/./b/../../../c/.",
        "/%41%2f%zz/..%2e?b=1&a=%41&&a",
        "/a/..",
        "/..",
        "//../x",
    ];

    /// Checks what becomes of each target; an empty text means that it stays.
    fn check(normalizer: Normalizer, expected: [&str; 6]) {
        for (target, expected) in TARGETS.iter().zip(expected) {
            let expected = if expected.is_empty() {
                target
            } else {
                expected
            };
            assert_eq!(
                rewritten(normalizer, target),
                expected,
                "{normalizer:?} {target}"
            );
        }
    }

    #[test]
    fn paths_lose_what_says_nothing() {
        check(
            Normalizer::MergeSlashes,
            ["/a/b/c?z//y", "", "", "", "", "/../x"],
        );
        check(
            Normalizer::StripDot,
            ["", "/a/b/../../../c/", "", "", "", ""],
        );
        check(
            Normalizer::StripDotDot { full: false },
            ["", "/c/.", "", "/", "/../", "/x"],
        );
        check(
            Normalizer::StripDotDot { full: true },
            ["", "/c/.", "", "/", "/", "/x"],
        );
    }

    #[test]
    fn percents_are_canonical_or_refused() {
        let decoded = "/A%2f%zz/...?b=1&a=A&&a";
        check(
            Normalizer::DecodeUnreserved { strict: false },
            ["", "", decoded, "", "", ""],
        );
        check(
            Normalizer::DecodeUnreserved { strict: true },
            ["", "", "malformed", "", "", ""],
        );
        let raised = "/%41%2F%zz/..%2E?b=1&a=%41&&a";
        check(
            Normalizer::UpperCase { strict: false },
            ["", "", raised, "", "", ""],
        );
        check(
            Normalizer::UpperCase { strict: true },
            ["", "", "malformed", "", "", ""],
        );
    }

    #[test]
    fn queries_are_sorted_and_fragments_removed() {
        let sorted = "/%41%2f%zz/..%2e?&a=%41&a&b=1";
        check(Normalizer::SortQuery, ["", "", sorted, "", "", ""]);
        check(Normalizer::FragmentStrip, [""; 6]);
        assert_eq!(rewritten(Normalizer::FragmentEncode, "/a#b"), "/a%23b");
        assert_eq!(rewritten(Normalizer::FragmentStrip, "/a#b"), "/a");
    }
}
