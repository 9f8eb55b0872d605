//! The line `balance`: an algorithm, and where a hashed key comes from.

use super::Draft;
use crate::balance::key::UriKey;
use crate::balance::policy::{Algorithm, KeyKind};
use crate::lang::{Cursor, Diag, Span, Word};

/// `balance`, as written.
#[derive(Clone, Debug)]
pub struct Balance {
    /// How the server is found.
    pub algorithm: Algorithm,
    /// Where the key of a hashed choice comes from.
    pub key: Option<KeySource>,
    /// Where the line stands.
    pub span: Span,
}

/// Where the bytes to hash come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The client's address.
    Source,
    /// The request target.
    Uri(UriKey),
    /// A parameter of the query string, and of a form's body where `in_body` says so.
    UrlParam {
        /// The name of the parameter.
        name: String,
        /// `check_post`: look into the body of a POST too.
        in_body: bool,
    },
    /// A header field.
    Header {
        /// The name of the field.
        name: String,
        /// `use_domain_only`.
        domain_only: bool,
    },
    /// A cookie of the remote desktop protocol.
    RdpCookie(String),
    /// Any sample expression, in its words.
    Expression(Vec<Word>),
    /// The log line itself, through converters if any are written.
    LogLine(Option<Word>),
}

pub(super) fn balance(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return set(cur, draft, Algorithm::RoundRobin, None);
    };
    let name = word.text()?;
    let (base, argument) = match name.split_once('(') {
        Some((base, rest)) => (base, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (name, None),
    };
    let by = |kind| Algorithm::Hash(kind);
    let (algorithm, key) = match (base, argument) {
        ("roundrobin", None) => (Algorithm::RoundRobin, None),
        ("static-rr", None) => (Algorithm::StaticRr, None),
        ("leastconn", None) => (Algorithm::LeastConn, None),
        ("first", None) => (Algorithm::First, None),
        ("source", None) => (by(KeyKind::Address), Some(KeySource::Source)),
        ("uri", None) => (by(KeyKind::Bytes), Some(KeySource::Uri(uri(cur)?))),
        ("url_param", None) => (by(KeyKind::Bytes), Some(url_param(cur)?)),
        ("hash", None) if cur.is_empty() => {
            return Err(cur.alert("balance hash requires a sample expression."));
        }
        ("hash", None) => {
            let words = cur.rest().to_vec();
            (by(KeyKind::Bytes), Some(KeySource::Expression(words)))
        }
        ("sticky", None) => (Algorithm::Sticky, None),
        ("log-hash", None) => {
            let converters = cur.next().cloned();
            (by(KeyKind::Bytes), Some(KeySource::LogLine(converters)))
        }
        ("hdr", Some(field)) => (by(KeyKind::Bytes), Some(header(cur, name, field)?)),
        ("rdp-cookie", argument) => {
            let cookie = argument.unwrap_or("msts");
            if cookie.is_empty() {
                return Err(cur.alert("balance rdp-cookie : missing cookie name."));
            }
            let source = KeySource::RdpCookie(cookie.to_owned());
            (by(KeyKind::Bytes), Some(source))
        }
        ("random", argument) => (Algorithm::Random(draws(cur, argument)?), None),
        _ => {
            let names = ALGORITHMS.iter().copied();
            let nearest = crate::lang::suggest(name, names);
            return Err(cur.alert(UNKNOWN_ALGORITHM).suggesting(nearest));
        }
    };
    set(cur, draft, algorithm, key)
}

fn set(
    cur: &mut Cursor<'_>,
    draft: &mut Draft,
    algorithm: Algorithm,
    key: Option<KeySource>,
) -> Result<(), Diag> {
    if let Some(extra) = cur.next() {
        cur.warn(
            Diag::warning(
                extra.span,
                format!("argument '{}' of 'balance' has no effect.", extra.shown()),
            )
            .with_reason("this algorithm takes no more arguments; HAProxy ignores them silently"),
        );
        cur.rest();
    }
    draft.balance = Some(Balance {
        algorithm,
        key,
        span: cur.line_span(),
    });
    Ok(())
}

fn draws(cur: &Cursor<'_>, argument: Option<&str>) -> Result<u32, Diag> {
    let text = argument.unwrap_or("");
    if text.is_empty() {
        return Ok(DEFAULT_DRAWS);
    }
    match text.parse::<u32>() {
        Ok(0) => Err(cur.alert("balance random : number of draws must be at least 1.")),
        Ok(draws) => Ok(draws.min(DRAWS_MAX)),
        Err(_) => {
            let at = text.find(|c: char| !c.is_ascii_digit());
            let bad = at.map_or("", |at| &text[at..]);
            Err(cur.alert(format!(
                "balance random : unexpected character '{bad}' after argument."
            )))
        }
    }
}

fn uri(cur: &mut Cursor<'_>) -> Result<UriKey, Diag> {
    let mut key = UriKey::default();
    while let Some(word) = cur.next() {
        match word.str() {
            "len" => key.len = Some(positive(cur, "len")?),
            "depth" => key.depth = Some(positive(cur, "depth")?),
            "whole" => key.whole = true,
            "path-only" => key.path_only = true,
            other => {
                return Err(cur
                    .alert(format!(
                        "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '{other}')."
                    ))
                    .suggesting(crate::lang::suggest(
                        other,
                        ["len", "depth", "path-only", "whole"],
                    )));
            }
        }
    }
    Ok(key)
}

fn positive(cur: &mut Cursor<'_>, name: &str) -> Result<usize, Diag> {
    let text = cur.next().map_or("", Word::str);
    let number = text.parse().ok().filter(|&number: &usize| number > 0);
    number.ok_or_else(|| {
        cur.alert(format!(
            "balance uri : '{name}' expects a positive integer (got '{text}')."
        ))
    })
}

fn url_param(cur: &mut Cursor<'_>) -> Result<KeySource, Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("balance url_param requires an URL parameter name."));
    };
    let name = word.text()?.to_owned();
    let in_body = cur.take("check_post");
    if in_body && cur.peek().is_some_and(|w| w.str().parse::<u32>().is_ok()) {
        // The number of body bytes to wait for had a meaning up to 1.5; whole buffers are looked at since.
        cur.next();
    }
    Ok(KeySource::UrlParam { name, in_body })
}

fn header(cur: &mut Cursor<'_>, whole: &str, field: &str) -> Result<KeySource, Diag> {
    if field.is_empty() {
        return Err(cur.alert("balance hdr requires an http header field name."));
    }
    let domain_only = cur.take("use_domain_only");
    if !domain_only && let Some(other) = cur.next() {
        return Err(cur
            .alert(format!(
                "balance {whole} only accepts 'use_domain_only' modifier (got '{}').",
                other.shown()
            ))
            .with_fix("use_domain_only"));
    }
    let name = field.to_owned();
    Ok(KeySource::Header { name, domain_only })
}

/// Draws of `random` where none are asked for.
const DEFAULT_DRAWS: u32 = 2;
/// More draws than this only cost time.
const DRAWS_MAX: u32 = 256;

const ALGORITHMS: &[&str] = &[
    "roundrobin",
    "static-rr",
    "leastconn",
    "first",
    "source",
    "uri",
    "url_param",
    "hash",
    "hdr",
    "rdp-cookie",
    "random",
    "log-hash",
    "sticky",
];

const UNKNOWN_ALGORITHM: &str = "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.";

#[cfg(test)]
mod tests {
    use super::super::KEYWORDS;
    use super::super::tests::{read, refused};
    use super::*;

    #[test]
    fn every_algorithm_is_read() {
        let algorithm = |line: &str| {
            let (draft, warnings) = read(KEYWORDS, line).expect(line);
            assert_eq!(warnings, 0, "{line}");
            draft.balance.expect("set").algorithm
        };
        assert_eq!(algorithm("balance roundrobin"), Algorithm::RoundRobin);
        assert_eq!(algorithm("balance"), Algorithm::RoundRobin);
        assert_eq!(algorithm("balance static-rr"), Algorithm::StaticRr);
        assert_eq!(algorithm("balance leastconn"), Algorithm::LeastConn);
        assert_eq!(algorithm("balance first"), Algorithm::First);
        assert_eq!(algorithm("balance random"), Algorithm::Random(2));
        assert_eq!(algorithm("balance random(3)"), Algorithm::Random(3));
        let bytes = Algorithm::Hash(KeyKind::Bytes);
        assert_eq!(algorithm("balance uri whole len 8 depth 2"), bytes);
        assert_eq!(algorithm("balance hdr(Host) use_domain_only"), bytes);
        assert_eq!(algorithm("balance url_param u check_post 64"), bytes);
        assert_eq!(algorithm("balance rdp-cookie"), bytes);
        assert_eq!(algorithm("balance hash src,ipmask(24)"), bytes);
        let source = Algorithm::Hash(KeyKind::Address);
        assert_eq!(algorithm("balance source"), source);
    }

    #[test]
    fn mistakes_are_refused_in_haproxys_words() {
        assert!(refused("balance foo").starts_with("balance only supports"));
        assert!(refused("balance none").starts_with("balance only supports"));
        assert!(refused("balance hdr").starts_with("balance only supports"));
        assert_eq!(
            refused("balance hdr(host) foo"),
            "balance hdr(host) only accepts 'use_domain_only' modifier (got 'foo')."
        );
        assert_eq!(
            refused("balance uri len 0"),
            "balance uri : 'len' expects a positive integer (got '0')."
        );
        assert_eq!(
            refused("balance random(0)"),
            "balance random : number of draws must be at least 1."
        );
    }

    #[test]
    fn a_word_too_many_is_told() {
        assert_eq!(read(KEYWORDS, "balance leastconn 3").map(|(_, w)| w), Ok(1));
    }
}
