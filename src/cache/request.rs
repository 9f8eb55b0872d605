//! What the cache reads out of a request: its key, its variant, and whether it may be answered from memory.

use super::encoding::Codings;
use crate::codec::hash::xxh3;
use crate::http::{Head, Known, Method, Values, Version};

/// Where answers to a request are kept: two independent hashes of scheme, host and target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub(super) u64, pub(super) u64);

/// What answers may vary with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// None where the request names too many codings.
    pub(super) codings: Option<Codings>,
    pub(super) referer: u64,
    pub(super) origin: u64,
}

/// A request as the cache sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where its answers are kept.
    pub key: Key,
    /// Which of them it wants.
    pub variant: Variant,
    /// Whether it may be answered from memory.
    pub wants_stored: bool,
    /// Whether its answer may be kept.
    pub may_store: bool,
    /// Whether it changes what is at the address, so that what is kept becomes invalid (RFC 9111 section 4.4).
    pub is_unsafe: bool,
}

impl Request {
    /// Reads a request's head; `seed` makes keys unpredictable, `secure` says whether the client came by TLS.
    pub fn read(head: &Head, secure: bool, seed: u64) -> Request {
        let method = head.method();
        let is_plain = head.version() == Version::Http11 && !has_credentials(head);
        let reads = matches!(method, Method::Get | Method::Head);
        Request {
            key: key(head, secure, seed),
            variant: Variant {
                codings: Codings::accepted(head),
                referer: first(head, Known::Referer, seed),
                origin: first(head, Known::Origin, seed),
            },
            wants_stored: reads && is_plain && !asks_afresh(head),
            may_store: method == Method::Get && is_plain,
            is_unsafe: !reads
                && !matches!(method, Method::Options | Method::Trace | Method::Connect),
        }
    }
}

fn key(head: &Head, secure: bool, seed: u64) -> Key {
    let target = head.target();
    let mut text = Vec::with_capacity(target.len() + 64);
    // A target in absolute form says the host itself.
    if target.starts_with(b"/") || target == b"*" {
        text.extend_from_slice(if secure { b"https://" } else { b"http://" });
        let host = head.get_known(Known::Host).unwrap_or_default();
        text.extend(host.iter().map(u8::to_ascii_lowercase));
    }
    text.extend_from_slice(target);
    Key(xxh3(&text, seed), xxh3(&text, !seed))
}

fn first(head: &Head, known: Known, seed: u64) -> u64 {
    head.get_known(known).map_or(0, |value| xxh3(value, seed))
}

fn has_credentials(head: &Head) -> bool {
    head.get_known(Known::Authorization).is_some()
}

/// Whether the client wants an answer that comes from the server.
fn asks_afresh(head: &Head) -> bool {
    let mut said = false;
    let lines = head.all_known(Known::CacheControl);
    for item in lines.flat_map(Values::of) {
        said = true;
        let refuses = [&b"no-cache"[..], b"no-store", b"max-age=0"];
        if refuses.iter().any(|word| item.eq_ignore_ascii_case(word)) {
            return true;
        }
    }
    // RFC 9111 section 5.4: `pragma` counts where `cache-control` is absent.
    !said
        && head
            .all_known(Known::Pragma)
            .flat_map(Values::of)
            .any(|item| item.eq_ignore_ascii_case(b"no-cache"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cache) fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Head {
        let mut head = Head::new();
        head.set_request(method.as_bytes(), target.as_bytes(), Version::Http11);
        for (name, value) in fields {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn read(method: &str, target: &str, fields: &[(&str, &str)]) -> Request {
        Request::read(&request(method, target, fields), false, 1)
    }

    #[test]
    fn the_key_is_the_whole_address() {
        let host = [("host", "a.example")];
        let plain = read("GET", "/x?1", &host).key;
        assert_eq!(plain, read("POST", "/x?1", &[("Host", "A.example")]).key);
        assert_eq!(plain, read("GET", "http://a.example/x?1", &[]).key);
        assert_ne!(plain, read("GET", "/x?2", &host).key);
        assert_ne!(plain, read("GET", "/x?1", &[("host", "b.example")]).key);
        let secure = Request::read(&request("GET", "/x?1", &host), true, 1);
        assert_ne!(plain, secure.key);
    }

    #[test]
    fn who_wants_the_servers_own_words_gets_them() {
        let wants = |fields: &[(&str, &str)]| read("GET", "/", fields).wants_stored;
        assert!(wants(&[]) && wants(&[("cache-control", "max-age=5")]));
        assert!(!wants(&[("cache-control", "foo, no-cache")]));
        assert!(!wants(&[("pragma", "no-cache")]) && !wants(&[("authorization", "x")]));
        assert!(read("HEAD", "/", &[]).wants_stored && !read("HEAD", "/", &[]).may_store);
        assert!(read("GET", "/", &[("cache-control", "no-cache")]).may_store);
        assert!(read("POST", "/", &[]).is_unsafe && !read("OPTIONS", "/", &[]).is_unsafe);
    }
}
