//! The request line and what it is made of.

use std::borrow::Cow;

use crate::codec::hash;
use crate::http::{Head, Known, Version, uri};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use super::header::parse_address;
use Source::{RequestHead, RequestKept};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "base",
        Kind::Str,
        RequestHead,
        base,
        "The host field and the path.",
    ),
    Fetch::once(
        "base32",
        Kind::Int,
        RequestHead,
        base32,
        "The hash of `base`.",
    ),
    Fetch::once(
        "base32+src",
        Kind::Bin,
        RequestHead,
        base32_src,
        "The hash of `base` and the client's address.",
    ),
    Fetch::once(
        "baseq",
        Kind::Str,
        RequestHead,
        baseq,
        "The host field, the path and the query.",
    ),
    Fetch::each("method", Kind::Method, RequestKept, method, "The method."),
    Fetch::each("path", Kind::Str, RequestHead, path, "The path."),
    Fetch::each(
        "pathq",
        Kind::Str,
        RequestHead,
        pathq,
        "The path and the query.",
    ),
    Fetch::each("query", Kind::Str, RequestHead, query, "The query.")
        .with(Spec::opt(&[Wants::Str]))
        .checked(check_query),
    Fetch::each(
        "req.proto_http",
        Kind::Bool,
        RequestKept,
        proto_http,
        "Whether the request is one of HTTP.",
    ),
    Fetch::each(
        "req_proto_http",
        Kind::Bool,
        RequestKept,
        proto_http,
        "As `req.proto_http`.",
    ),
    Fetch::each(
        "req.ver",
        Kind::Str,
        RequestHead,
        version,
        "The version: `1.0`, `1.1`.",
    ),
    Fetch::each("req_ver", Kind::Str, RequestHead, version, "As `req.ver`."),
    Fetch::each(
        "url",
        Kind::Str,
        RequestHead,
        url,
        "The target as the client wrote it.",
    ),
    Fetch::once(
        "url32",
        Kind::Int,
        RequestHead,
        url32,
        "The hash of host field, path and query.",
    ),
    Fetch::once(
        "url32+src",
        Kind::Bin,
        RequestHead,
        url32_src,
        "That hash and the client's address.",
    ),
    Fetch::once(
        "url_ip",
        Kind::Ip4,
        RequestHead,
        url_ip,
        "The address in an absolute target.",
    ),
    Fetch::once(
        "url_port",
        Kind::Int,
        RequestHead,
        url_port,
        "The port in an absolute target.",
    ),
];

/// What `read` finds in the request's head; waits for the head where it has not arrived.
pub(super) fn from_head<'a>(
    facts: &'a Facts<'a>,
    read: impl FnOnce(&'a Head) -> Sampled<'a>,
) -> Sampled<'a> {
    match facts.request {
        Some(head) => read(head),
        None if may_come(facts) => Sampled::NotYet,
        None => Sampled::Absent,
    }
}

/// Whether the bytes at hand may still become a request.
fn may_come(facts: &Facts<'_>) -> bool {
    !facts.last_call && !facts.payload.complete
}

fn method<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    let line = facts.request_line;
    let kept = || {
        let len = memchr::memchr(b' ', line)?;
        Some(Sampled::Got(Value::Method(Cow::Borrowed(&line[..len]))))
    };
    match facts.request {
        None if !line.is_empty() => kept().unwrap_or(Sampled::Absent),
        _ => from_head(facts, |head| {
            Sampled::Got(Value::Method(Cow::Borrowed(head.method_bytes())))
        }),
    }
}

fn proto_http<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    match facts.request {
        Some(_) => Sampled::truth(true),
        None if facts.exchange.is_some_and(|x| x.is_http) => Sampled::truth(true),
        None => looks_like_http(facts),
    }
}

/// Whether the bytes of a TCP stream begin a request of HTTP/1.
fn looks_like_http<'a>(facts: &Facts<'_>) -> Sampled<'a> {
    let bytes = facts.payload.bytes;
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let odd = bytes
            .iter()
            .any(|b| !b.is_ascii_graphic() && !matches!(b, b' ' | b'\r'));
        return match may_come(facts) && !odd && bytes.len() < LINE_LEN_MAX {
            true => Sampled::NotYet,
            false => Sampled::truth(false),
        };
    };
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let shaped = matches!(words.as_slice(), [method, target, version]
        if crate::http::is_token(method) && !target.is_empty() && version.starts_with(b"HTTP/1."));
    Sampled::truth(shaped)
}

/// How long a first line may be before it is none.
const LINE_LEN_MAX: usize = 8192;

fn version<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| Sampled::str(number(head.version())))
}

/// The number of a version.
pub(super) fn number(version: Version) -> &'static [u8] {
    version.number().as_bytes()
}

fn url<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| Sampled::str(head.target()))
}

fn path<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| Sampled::maybe_str(uri::path(head.target())))
}

fn pathq<'a>(_: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| {
        Sampled::maybe_str(uri::path_and_query(head.target()))
    })
}

fn query<'a>(args: &'a [Arg], facts: &'a Facts<'a>, _: &mut Walk) -> Sampled<'a> {
    from_head(facts, |head| {
        let target = head.target();
        let with_mark = args.int(0).is_some();
        let Some(mark) = memchr::memchr(b'?', target) else {
            return Sampled::Absent;
        };
        Sampled::str(&target[mark + usize::from(!with_mark)..])
    })
}

fn check_query(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    args[0] = match args.text_or_empty(0) {
        b"with_qm" => Arg::Int(1),
        b"" => Arg::Absent,
        other => {
            return Err(format!(
                "unsupported option '{}', only 'with_qm' is known",
                String::from_utf8_lossy(other)
            ));
        }
    };
    Ok(())
}

/// The host field and what `part` takes of the target.
fn host_and<'a>(head: &Head, part: fn(&[u8]) -> Option<&[u8]>) -> Option<Value<'a>> {
    let mut out = head.get_known(Known::Host)?.to_vec();
    out.extend_from_slice(part(head.target()).filter(|p| p.first() == Some(&b'/'))?);
    Some(Value::string(out))
}

/// The same; nothing but the path where there is no host, as HAProxy's hashes do.
fn hashed(head: &Head, part: fn(&[u8]) -> Option<&[u8]>) -> u32 {
    let mut out = head.get_known(Known::Host).unwrap_or_default().to_vec();
    out.extend_from_slice(part(head.target()).unwrap_or_default());
    hash::avalanche(hash::sdbm(&out))
}

fn base<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| match host_and(head, uri::path) {
        Some(value) => Sampled::Got(value),
        None => Sampled::maybe_str(uri::path(head.target())),
    })
}

fn baseq<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| match host_and(head, uri::path_and_query) {
        Some(value) => Sampled::Got(value),
        None => Sampled::maybe_str(uri::path_and_query(head.target())),
    })
}

fn base32<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| {
        Sampled::int(i64::from(hashed(head, uri::path)))
    })
}

fn url32<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| {
        Sampled::int(i64::from(hashed(head, uri::path_and_query)))
    })
}

fn with_source<'a>(hash: u32, facts: &Facts<'_>) -> Sampled<'a> {
    let mut out = hash.to_be_bytes().to_vec();
    match facts.src.map(|a| a.ip()) {
        Some(std::net::IpAddr::V4(a)) => out.extend_from_slice(&a.octets()),
        Some(std::net::IpAddr::V6(a)) => out.extend_from_slice(&a.octets()),
        None => return Sampled::Absent,
    }
    Sampled::Got(Value::bytes(out))
}

fn base32_src<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| with_source(hashed(head, uri::path), facts))
}

fn url32_src<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| {
        with_source(hashed(head, uri::path_and_query), facts)
    })
}

fn url_ip<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| {
        let authority =
            uri::scheme(head.target()).and_then(|_| uri::authority(head.target(), false));
        let host = authority.map(|a| uri::split_port(a).0);
        Sampled::of(host.and_then(parse_address).map(Value::ip))
    })
}

fn url_port<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    from_head(facts, |head| {
        let scheme = uri::scheme(head.target());
        let authority = scheme.and_then(|_| uri::authority(head.target(), false));
        let written = authority.and_then(|a| uri::split_port(a).1);
        let number = written.and_then(crate::value::parse_int);
        let implied = authority.map(|_| if scheme == Some(b"https") { 443 } else { 80 });
        Sampled::maybe_int(number.or(implied))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::Payload;
    use crate::sample::rig::{absent_with, refused, request, yields_with};

    #[test]
    fn the_parts_of_a_request() {
        let head = request("POST /p/a;x?a=1&b=2 HTTP/1.1\r\nhost: h:80\r\n");
        let facts = Facts {
            request: Some(&head),
            src: "127.0.0.1:9".parse().ok(),
            ..Facts::none()
        };
        for (text, want) in [
            ("method", "POST"),
            ("url", "/p/a;x?a=1&b=2"),
            ("path", "/p/a;x"),
            ("pathq", "/p/a;x?a=1&b=2"),
            ("query", "a=1&b=2"),
            ("query(with_qm)", "?a=1&b=2"),
            ("base", "h:80/p/a;x"),
            ("baseq", "h:80/p/a;x?a=1&b=2"),
            ("req.ver", "1.1"),
            ("req_ver", "1.1"),
            ("req.proto_http", "1"),
            ("req_proto_http", "1"),
        ] {
            yields_with(&facts, text, want);
        }
        absent_with(&facts, "url_ip");
        absent_with(&facts, "url_port");
        refused("query(x)", "with_qm");
    }

    #[test]
    fn hashes_are_haproxys() {
        let head =
            request("GET /p/a/th;x?a=1&b=2&A=3&c&d=&a=5 HTTP/1.1\r\nhost: 127.0.0.1:19443\r\n");
        let facts = Facts {
            request: Some(&head),
            src: "127.0.0.1:9".parse().ok(),
            ..Facts::none()
        };
        yields_with(&facts, "base32", "4150078728");
        yields_with(&facts, "url32", "3105938638");
        let bytes = crate::sample::rig::bytes_of(&facts, "base32+src");
        assert_eq!(bytes, [0xF7, 0x5D, 0x2D, 0x08, 127, 0, 0, 1]);
        let bytes = crate::sample::rig::bytes_of(&facts, "url32+src");
        assert_eq!(bytes[4..], [127, 0, 0, 1]);
    }

    #[test]
    fn absolute_targets() {
        let head = request("GET http://10.0.0.1:81/x HTTP/1.0\r\n");
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        yields_with(&facts, "url_ip", "10.0.0.1");
        yields_with(&facts, "url_port", "81");
        yields_with(&facts, "path", "/x");
        yields_with(&facts, "req.ver", "1.0");
        yields_with(&facts, "base", "/x");
    }

    #[test]
    fn a_stream_may_turn_out_to_be_http() {
        let facts = |bytes: &'static [u8]| Facts {
            payload: Payload {
                bytes,
                complete: false,
            },
            last_call: false,
            ..Facts::none()
        };
        yields_with(&facts(b"GET / HT"), "req.proto_http", "NOT YET");
        yields_with(&facts(b"GET / HTTP/1.1\r\n"), "req.proto_http", "1");
        yields_with(&facts(b"\x16\x03\x01"), "req.proto_http", "0");
        yields_with(&facts(b"GET"), "path", "NOT YET");
    }
}
