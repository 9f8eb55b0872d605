//! Compression: which bodies are compressed, and how heads say so.
//!
//! [`Compression`] is what a proxy's `compression` lines say. [`Compression::choose`] reads the
//! request when it passes; [`Compression::apply`] reads the response's head, and edits it when the
//! body is to be compressed. The body itself goes through an [`Encoder`](super::Encoder).
//!
//! What is never compressed: answers to clients that did not ask, answers to HTTP/1.0, bodies that
//! are encoded already or must not be transformed, statuses other than 200 to 203, and types that
//! the configuration does not name.

use std::ops::RangeInclusive;

use crate::http::{Head, Known, Version, has_token};

use super::encoder::Algorithm;

/// What the `compression` lines of a proxy say about one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Direction {
    /// `algo`, in order of preference.
    pub algorithms: Vec<Algorithm>,
    /// `type`: beginnings of media types; without any, all but multipart.
    pub types: Vec<Box<[u8]>>,
    /// `minsize-…`: smaller bodies are left alone.
    pub size_min: u64,
}

/// What the `compression` lines of a proxy say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compression {
    /// About responses.
    pub responses: Direction,
    /// About requests (`direction request`).
    pub requests: Direction,
    /// `offload`: servers are not told that the client accepts encodings.
    pub offload: bool,
    /// Which directions are on: `direction`.
    pub response: bool,
    /// The request's direction is on.
    pub request: bool,
}

/// The statuses whose bodies are compressed.
const STATUSES: RangeInclusive<u16> = 200..=203;

impl Compression {
    /// The algorithm that request and configuration agree on for the response; removes
    /// `Accept-Encoding` when compression is offloaded.
    pub fn choose(&self, request: &mut Head) -> Option<Algorithm> {
        if !self.response || request.version() != Version::Http11 || is_buggy(request) {
            return None;
        }
        let named = self.negotiate(request);
        if named.is_some() && self.offload {
            request.remove_known(Known::AcceptEncoding);
        }
        // Everybody takes bytes as they are.
        let mut algorithms = self.responses.algorithms.iter().copied();
        named.or_else(|| algorithms.find(|algorithm| *algorithm == Algorithm::Identity))
    }

    fn negotiate(&self, request: &Head) -> Option<Algorithm> {
        let algorithms = &self.responses.algorithms;
        let mut best: Option<(u32, Algorithm)> = None;
        for value in request.values(b"accept-encoding") {
            let (token, weight) = weighted(value);
            if weight <= best.map_or(0, |(weight, _)| weight) {
                continue;
            }
            let found = match token {
                // haproxy: a star stands for the algorithm that was written last.
                b"*" => algorithms.last(),
                token => algorithms
                    .iter()
                    .find(|a| token.eq_ignore_ascii_case(a.token().as_bytes())),
            };
            best = found.map(|algorithm| (weight, *algorithm)).or(best);
        }
        best.map(|(_, algorithm)| algorithm)
    }

    /// Decides about a response, given what the request agreed on and the size it announces;
    /// edits its head when the body is to be compressed.
    pub fn apply(
        &self,
        chosen: Algorithm,
        response: &mut Head,
        announced: Option<u64>,
    ) -> Option<Algorithm> {
        let fits = response.version() == Version::Http11
            && STATUSES.contains(&response.status().code())
            && self.responses.takes(response, announced);
        if !fits || !weaken_etag(response) {
            return None;
        }
        response.remove_known(Known::ContentLength);
        response.set_known(Known::TransferEncoding, b"chunked");
        vary(response);
        if chosen != Algorithm::Identity {
            response.push(b"content-encoding", chosen.token().as_bytes());
        }
        Some(chosen)
    }

    /// Decides about a request's body; edits its head when it is to be compressed.
    pub fn apply_to_request(
        &self,
        request: &mut Head,
        announced: Option<u64>,
    ) -> Option<Algorithm> {
        let algorithm = *self.requests.algorithms.first()?;
        let fits = self.request
            && request.version() == Version::Http11
            && self.requests.takes(request, announced);
        if !fits || algorithm == Algorithm::Identity {
            return None;
        }
        request.remove_known(Known::ContentLength);
        request.set_known(Known::TransferEncoding, b"chunked");
        request.push(b"content-encoding", algorithm.token().as_bytes());
        Some(algorithm)
    }
}

impl Direction {
    /// Whether the message's own fields allow its body to be compressed.
    fn takes(&self, head: &Head, announced: Option<u64>) -> bool {
        if announced.is_some_and(|size| size == 0 || size < self.size_min) {
            return false;
        }
        if head.get(b"content-encoding").is_some() {
            return false;
        }
        if head
            .all(b"cache-control")
            .any(|line| has_token(line, b"no-transform"))
        {
            return false;
        }
        match head.get(b"content-type") {
            Some(kind) if self.types.is_empty() => !begins(kind, b"multipart"),
            Some(kind) => self.types.iter().any(|wanted| begins(kind, wanted)),
            None => self.types.is_empty(),
        }
    }
}

fn begins(text: &[u8], part: &[u8]) -> bool {
    text.get(..part.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(part))
}

/// Says that the response depends on what the client accepts; once, and behind what it depends on already.
fn vary(response: &mut Head) {
    if response
        .all_known(Known::Vary)
        .any(|line| has_token(line, b"accept-encoding"))
    {
        return;
    }
    let at = response.find(b"vary", 0).filter(|&at| {
        response
            .field(at)
            .is_some_and(|(_, value)| !value.is_empty())
    });
    match at {
        Some(at) => {
            let (_, value) = response.field(at).unwrap_or_default();
            let both = [value, b",Accept-Encoding"].concat();
            response.replace_value(at, &both);
        }
        None => response.set_known(Known::Vary, b"Accept-Encoding"),
    }
}

/// Marks a strong entity tag weak, since the compressed body is another one; false when the tag is
/// malformed or not the only one, and the response has to stay as it is.
fn weaken_etag(response: &mut Head) -> bool {
    if response.all_known(Known::Etag).nth(1).is_some() {
        return false;
    }
    let Some(at) = response.find(b"etag", 0) else {
        return true;
    };
    let Some((_, tag)) = response.field(at) else {
        return true;
    };
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
    if opaque.len() < 2 || !opaque.starts_with(b"\"") || !opaque.ends_with(b"\"") {
        return false;
    }
    if opaque.len() == tag.len() {
        let weak = [b"W/", tag].concat();
        response.replace_value(at, &weak);
    }
    true
}

/// A value of `Accept-Encoding` and its weight in thousandths.
fn weighted(value: &[u8]) -> (&[u8], u32) {
    let mut parts = value.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let token = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| {
        let text = part
            .strip_prefix(b"q=")
            .or_else(|| part.strip_prefix(b"Q="))?;
        Some(thousandths(text))
    });
    (token, weight.unwrap_or(1000))
}

/// A weight such as `0.5` in thousandths; what is none is 0.
fn thousandths(text: &[u8]) -> u32 {
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b""[..]),
    };
    let digit = |at: usize| match fraction.get(at) {
        Some(b @ b'0'..=b'9') => u32::from(b - b'0'),
        _ => 0,
    };
    let whole = if whole == b"1" { 1000 } else { 0 };
    (whole + digit(0) * 100 + digit(1) * 10 + digit(2)).min(1000)
}

/// Clients that claim to decode and fail: old browsers that call themselves Mozilla/4, except
/// Internet Explorer 6 with its second service pack, and later ones.
fn is_buggy(request: &Head) -> bool {
    let Some(agent) = request.get(b"user-agent") else {
        return false;
    };
    if !agent.starts_with(b"Mozilla/4") {
        return false;
    }
    let version = agent
        .get(30)
        .copied()
        .filter(|_| agent.get(25..30) == Some(b"MSIE "));
    match version {
        None => true,
        Some(b'6') => agent.get(51..54) != Some(b"SV1"),
        Some(version) => version < b'6',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Status;

    fn conf() -> Compression {
        let responses = Direction {
            algorithms: vec![Algorithm::Gzip, Algorithm::Deflate],
            types: vec![b"text/"[..].into()],
            size_min: 0,
        };
        Compression {
            responses,
            response: true,
            ..Compression::default()
        }
    }

    fn request(accepts: &str) -> Head {
        let mut head = Head::new();
        head.set_request(b"GET", b"/", Version::Http11);
        head.push(b"accept-encoding", accepts.as_bytes());
        head
    }

    fn applied(fields: &[(&str, &str)]) -> Option<String> {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::OK, b"OK");
        for (name, value) in fields {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head.push(b"content-length", b"2000");
        conf().apply(Algorithm::Gzip, &mut head, Some(2000))?;
        let shown = head.fields().map(|(n, v)| {
            format!(
                "{}: {}",
                String::from_utf8_lossy(n),
                String::from_utf8_lossy(v)
            )
        });
        Some(shown.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn algorithms_are_negotiated_as_haproxy_does() {
        let chosen = |accepts| conf().choose(&mut request(accepts));
        for (accepts, algorithm) in [
            ("gzip", Some(Algorithm::Gzip)),
            ("GZIP", Some(Algorithm::Gzip)),
            ("deflate;q=0.5, gzip;q=0.1", Some(Algorithm::Deflate)),
            ("*", Some(Algorithm::Deflate)),
            ("gzip;q=0, *", Some(Algorithm::Deflate)),
            ("br, deflate", Some(Algorithm::Deflate)),
            ("gzip;q=0.5,deflate;q=0.5", Some(Algorithm::Gzip)),
            ("identity", None),
            ("gzip;q=0", None),
            ("x-gzip", None),
        ] {
            assert_eq!(chosen(accepts), algorithm, "{accepts}");
        }
    }

    #[test]
    fn heads_say_what_was_done() {
        assert_eq!(
            applied(&[("content-type", "text/html"), ("etag", "\"abc\"")]).as_deref(),
            Some(
                "content-type: text/html|etag: W/\"abc\"|transfer-encoding: chunked|vary: Accept-Encoding|content-encoding: gzip"
            )
        );
        assert!(applied(&[("content-type", "TEXT/A"), ("etag", "W/\"q\"")]).is_some());
    }

    #[test]
    fn what_a_response_depends_on_is_said_once() {
        let varied = |fields: &[(&str, &str)]| {
            let all = [&[("content-type", "text/a")], fields].concat();
            let shown = applied(&all).expect("compressed");
            let lines = shown.split('|').filter(|line| line.starts_with("vary"));
            lines.collect::<Vec<_>>().join("|")
        };
        assert_eq!(varied(&[]), "vary: Accept-Encoding");
        assert_eq!(varied(&[("vary", "")]), "vary: Accept-Encoding");
        assert_eq!(varied(&[("vary", "Other")]), "vary: Other,Accept-Encoding");
        assert_eq!(
            varied(&[("vary", "Other, accept-encoding")]),
            "vary: Other, accept-encoding"
        );
    }

    #[test]
    fn identity_needs_nobodys_consent() {
        let mut plain = Head::new();
        plain.set_request(b"GET", b"/", Version::Http11);
        let mut conf = conf();
        assert_eq!(conf.choose(&mut plain), None);
        conf.responses.algorithms.push(Algorithm::Identity);
        assert_eq!(conf.choose(&mut plain), Some(Algorithm::Identity));
        let mut other = request("br");
        conf.offload = true;
        assert_eq!(conf.choose(&mut other), Some(Algorithm::Identity));
        assert!(
            other.get(b"accept-encoding").is_some(),
            "nothing was agreed on"
        );
    }

    #[test]
    fn what_must_stay_stays() {
        for fields in [
            &[("content-type", "image/x")][..],
            &[("x", "y")],
            &[
                ("content-type", "text/a"),
                ("cache-control", "private, no-transform"),
            ],
            &[("content-type", "text/a"), ("etag", "bad")],
            &[
                ("content-type", "text/a"),
                ("etag", "\"a\""),
                ("etag", "\"a\""),
            ],
            &[("content-type", "text/a"), ("content-encoding", "x")],
        ] {
            assert_eq!(applied(fields), None, "{fields:?}");
        }
    }

    #[test]
    fn offloading_hides_what_the_client_accepts() {
        let mut head = request("gzip");
        let conf = Compression {
            offload: true,
            ..conf()
        };
        assert_eq!(conf.choose(&mut head), Some(Algorithm::Gzip));
        assert_eq!(head.get(b"accept-encoding"), None);
    }

    #[test]
    fn old_browsers_get_plain_bodies() {
        let agent = |text: &str| {
            let mut head = request("gzip");
            head.push(b"user-agent", text.as_bytes());
            conf().choose(&mut head)
        };
        assert_eq!(
            agent("Mozilla/4.0 (compatible; MSIE 5.5; Windows NT 5.1)"),
            None
        );
        assert!(agent("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1)").is_some());
        assert!(agent("Mozilla/5.0 (X11)").is_some());
    }
}
