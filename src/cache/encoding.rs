//! Content codings as the cache compares them: which a client accepts, which an answer has.
//!
//! An answer in codings that the client accepts may be given to it, whatever else the client accepts. Codings that nobody
//! registered are one bit: they can be accepted, but an answer in one is not kept.

use crate::http::{Head, Known, Values};

/// A set of content codings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Codings(u16);

/// The registered codings (IANA HTTP content coding registry), each a bit by its place.
const REGISTERED: [&str; 13] = [
    "identity",
    "gzip",
    "x-gzip",
    "deflate",
    "compress",
    "x-compress",
    "br",
    "zstd",
    "aes128gcm",
    "exi",
    "pack200-gzip",
    "dcb",
    "dcz",
];
const IDENTITY: u16 = 1;
const OTHER: u16 = 1 << 13;
const ALL: u16 = (1 << 14) - 1;

/// Codings that one request may name; with more its answers are not kept.
pub(super) const CODINGS_MAX: usize = 16;

impl Codings {
    /// What a request accepts; none: it names too many.
    pub(super) fn accepted(request: &Head) -> Option<Codings> {
        let mut lines = request.all_known(Known::AcceptEncoding).peekable();
        if lines.peek().is_none() {
            return Some(Codings(ALL));
        }
        let (mut accepted, mut refused) = (0, 0);
        let mut rest = None;
        let mut count = 0;
        for item in lines.flat_map(Values::of).filter(|item| !item.is_empty()) {
            count += 1;
            let (name, wanted) = weighed(item);
            match (name, wanted) {
                (b"*", _) => rest = Some(wanted),
                (_, true) => accepted |= bit(name),
                (_, false) => refused |= bit(name),
            }
        }
        if count > CODINGS_MAX {
            return None;
        }
        // RFC 9110 section 12.5.3: identity is acceptable unless excluded by name, or by a refused star; an empty field accepts
        // nothing but identity.
        let unnamed = ALL & !accepted & !refused;
        let starred = match rest {
            Some(true) => unnamed,
            Some(false) => 0,
            None => IDENTITY & unnamed,
        };
        Some(Codings(accepted | starred))
    }

    /// In which codings an answer is; none: one of them is not registered.
    pub(super) fn applied(response: &Head) -> Option<Codings> {
        let mut applied = 0;
        let lines = response.all_known(Known::ContentEncoding);
        for item in lines.flat_map(Values::of).filter(|item| !item.is_empty()) {
            applied |= bit(item);
        }
        if applied == 0 {
            applied = IDENTITY;
        }
        (applied & OTHER == 0).then_some(Codings(applied))
    }

    /// Whether all of `other` are in the set.
    pub(super) fn contains(self, other: Codings) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, for operators.
    pub(super) fn bits(self) -> u16 {
        self.0
    }
}

fn bit(name: &[u8]) -> u16 {
    let found = REGISTERED
        .iter()
        .position(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    found.map_or(OTHER, |at| 1 << at)
}

/// A coding's name and whether its weight is above zero.
fn weighed(item: &[u8]) -> (&[u8], bool) {
    let mut parts = item.split(|&byte| byte == b';');
    let name = parts.next().unwrap_or_default().trim_ascii();
    let weight = parts.find_map(|part| {
        let text = part.trim_ascii();
        text.strip_prefix(b"q=").or(text.strip_prefix(b"Q="))
    });
    let is_zero = weight.is_some_and(|text| text.iter().all(|byte| matches!(byte, b'0' | b'.')));
    (name, !is_zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn request(fields: &[&str]) -> Option<Codings> {
        let mut head = Head::new();
        head.set_request(b"GET", b"/", Version::Http11);
        for field in fields {
            head.push_known(Known::AcceptEncoding, field.as_bytes());
        }
        Codings::accepted(&head)
    }

    fn fits(fields: &[&str], encoding: &str) -> bool {
        let mut head = Head::new();
        if !encoding.is_empty() {
            head.push_known(Known::ContentEncoding, encoding.as_bytes());
        }
        let applied = Codings::applied(&head).expect("registered");
        request(fields).expect("not too many").contains(applied)
    }

    #[test]
    fn a_client_gets_what_it_accepts() {
        assert!(fits(&[], "br") && fits(&[], ""));
        assert!(fits(&["GZIP"], "gzip") && fits(&["gzip"], ""));
        assert!(fits(&["a, b", "gzip  ; q=0.8"], "gzip"));
        assert!(!fits(&["deflate;q=0.8, gzip;q=0"], "gzip"));
        assert!(!fits(&[""], "gzip") && fits(&[""], ""));
        assert!(!fits(&["deflate, identity;q=0.0"], ""));
        assert!(fits(&["deflate, gzip"], "deflate, gzip"));
    }

    #[test]
    fn a_star_stands_for_what_is_not_named() {
        assert!(fits(&["gzip;q=0, *"], "br") && !fits(&["gzip;q=0, *"], "gzip"));
        assert!(!fits(&["gzip, *;q=0"], "br") && !fits(&["gzip, *;q=0"], ""));
        assert!(fits(&["gzip, *;q=0"], "gzip"));
    }

    #[test]
    fn strange_codings_are_not_kept() {
        let mut head = Head::new();
        head.push_known(Known::ContentEncoding, b"own");
        assert_eq!(Codings::applied(&head), None);
        let many: Vec<String> = (0..=CODINGS_MAX).map(|n| format!("a{n}")).collect();
        assert_eq!(request(&[&many.join(",")]), None);
    }
}
