//! The beginning of TLS, read without ending it: what a ClientHello says before anybody decides where it goes.
//!
//! [`peek`] gets the first bytes of a connection and either wants more, sees that this is no TLS, or gives the whole [`Message`]
//! of a hello. That may be cut over any number of pieces and records (RFC 8446 section 5.1); nothing is consumed, for whoever
//! ends the TLS must get the same bytes. A client's is then asked as a [`Hello`]: by content rules, which pass it on, and by
//! the side of TLS that chooses a certificate for it.
//!
//! Always true: what a `Hello` gives lies within its bytes and lives as long as they do. It judges form only as far as it is
//! asked: unknown versions, suites and extensions are shown as they came, and what stands behind damage is not seen.

#[cfg(test)]
pub(crate) mod example;
mod records;

pub use records::{CLIENT_HELLO, Message, Peek, peek};

/// A client's hello (RFC 8446 section 4.1.2), its parts as they stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    body: &'a [u8],
    version: u16,
    random: &'a [u8],
    suites: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Hello<'a> {
    /// Reads a client's hello without the head of its message; `None` for what ends before its extensions.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Hello<'a>> {
        let mut rest = Fields(body);
        let version = rest.short()?;
        let random = rest.take(RANDOM_LEN)?;
        let _session = rest.field8()?;
        let suites = rest.field16()?;
        let _compressions = rest.field8()?;
        Some(Hello {
            body,
            version,
            random,
            suites,
            extensions: rest.field16().unwrap_or_default(),
        })
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The version in the hello itself: 0x0303 since TLS 1.2; what TLS 1.3 wants is in [`Hello::versions`].
    #[must_use]
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The random bytes.
    #[must_use]
    pub fn random(&self) -> &'a [u8] {
        self.random
    }

    /// The cipher suites, two bytes each.
    #[must_use]
    pub fn suites(&self) -> &'a [u8] {
        self.suites
    }

    /// The extensions in order: number and content.
    pub fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = Fields(self.extensions);
        std::iter::from_fn(move || Some((rest.short()?, rest.field16()?)))
    }

    /// The content of the first extension of this number.
    fn extension(&self, number: u16) -> Option<&'a [u8]> {
        self.extensions()
            .find(|(found, _)| *found == number)
            .map(|(_, content)| content)
    }

    /// The content of an extension that is one list with its length in two bytes.
    fn list(&self, number: u16) -> Option<&'a [u8]> {
        Fields(self.extension(number)?).field16()
    }

    /// The content of an extension that is one list with its length in one byte.
    fn short_list(&self, number: u16) -> Option<&'a [u8]> {
        Fields(self.extension(number)?).field8()
    }

    /// The server name asked for (RFC 6066 section 3).
    #[must_use]
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let mut names = Fields(self.list(SERVER_NAME)?);
        loop {
            let kind = names.byte()?;
            let name = names.field16()?;
            if kind == HOST_NAME {
                return Some(name);
            }
        }
    }

    /// The application protocols offered (RFC 7301), the most wanted first.
    pub fn protocols(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = Fields(self.list(ALPN).unwrap_or_default());
        std::iter::from_fn(move || rest.field8())
    }

    /// The versions that are supported, two bytes each; clients older than TLS 1.3 do not list them.
    #[must_use]
    pub fn versions(&self) -> Option<&'a [u8]> {
        self.short_list(SUPPORTED_VERSIONS)
    }

    /// Whether groups for key exchange are listed.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.extension(SUPPORTED_GROUPS).is_some()
    }

    /// The groups offered for key exchange, two bytes each.
    #[must_use]
    pub fn groups(&self) -> Option<&'a [u8]> {
        self.list(SUPPORTED_GROUPS)
    }

    /// The groups that keys are sent of, in order; ends at the first key that is not whole.
    pub fn key_share_groups(&self) -> Option<impl Iterator<Item = [u8; 2]> + use<'a>> {
        let mut shares = Fields(self.list(KEY_SHARE)?);
        Some(std::iter::from_fn(move || {
            let group = shares.short()?;
            shares.field16()?;
            Some(group.to_be_bytes())
        }))
    }

    /// The formats of points on curves, a byte each.
    #[must_use]
    pub fn point_formats(&self) -> Option<&'a [u8]> {
        self.short_list(POINT_FORMATS)
    }

    /// The signature algorithms offered, two bytes each.
    #[must_use]
    pub fn signatures(&self) -> Option<&'a [u8]> {
        self.list(SIGNATURES)
    }

    /// The session ticket (RFC 5077 section 3.2); an empty one asks for one.
    #[must_use]
    pub fn ticket(&self) -> Option<&'a [u8]> {
        self.extension(SESSION_TICKET)
    }
}

/// Reads fields off the front of bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// A field with its length in one byte before it.
    fn field8(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.take(usize::from(len))
    }

    /// A field with its length in two bytes before it.
    fn field16(&mut self) -> Option<&'a [u8]> {
        let len = self.short()?;
        self.take(usize::from(len))
    }
}

const RANDOM_LEN: usize = 32;
const HOST_NAME: u8 = 0;

// The numbers of extensions.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const SESSION_TICKET: u16 = 35;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixed(content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&len, content].concat()
    }

    #[test]
    fn what_it_says() {
        let body = example::body();
        let hello = Hello::read(&body).expect("a hello");
        assert_eq!((hello.version(), hello.random()), (0x303, &[9; 32][..]));
        assert_eq!(hello.suites(), [0x13, 1, 0xc0, 0x2f]);
        assert_eq!(hello.server_name(), Some(&b"a.example"[..]));
        assert!(hello.protocols().eq([&b"h2"[..], b"http/1.1"]));
        assert_eq!(hello.versions(), Some(&[3, 4, 3, 3][..]));
        assert!(hello.has_groups());
        assert_eq!(hello.groups(), Some(&[0, 29, 0, 23][..]));
        assert_eq!(hello.signatures(), Some(&[4, 3][..]));
        assert!(
            hello
                .key_share_groups()
                .is_some_and(|groups| groups.eq([[0, 29]]))
        );
        assert_eq!(hello.point_formats(), None);
        assert_eq!(hello.ticket(), Some(&b""[..]));
        assert_eq!(hello.extensions().count(), 7);
        assert_eq!(hello.body(), body);
    }

    #[test]
    fn damage_never_panics() {
        let body = example::body();
        let ask = |body: &[u8]| {
            if let Some(hello) = Hello::read(body) {
                let _ = (hello.server_name(), hello.protocols().count());
                let _ = (hello.versions(), hello.groups(), hello.signatures());
                let _ = hello.key_share_groups().map(Iterator::count);
                let _ = (hello.ticket(), hello.point_formats());
                let _ = hello.extensions().count();
            }
        };
        for at in 0..body.len() {
            ask(&body[..at]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = body.clone();
                damaged[at] = value;
                ask(&damaged);
            }
        }
    }

    #[test]
    fn what_stands_before_damage_is_seen() {
        let start = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
        let name = prefixed(&[&[HOST_NAME][..], &prefixed(b"a")].concat());
        let extension = [&[0, 0][..], &prefixed(&name)].concat();
        let damaged = [&extension[..], &[0, 43, 0, 9, 4]].concat();
        for (extensions, names) in [
            (prefixed(&extension), 1),
            ([&prefixed(&extension)[..], b"more"].concat(), 1),
            (prefixed(&damaged), 1),
            (
                prefixed(&[&damaged[4 + name.len()..], &extension].concat()),
                0,
            ),
            (Vec::new(), 0),
        ] {
            let body = [&start[..], &extensions].concat();
            let hello = Hello::read(&body).expect("a hello");
            assert_eq!(hello.server_name().iter().count(), names, "{extensions:?}");
        }
        assert_eq!(Hello::read(&start[..start.len() - 1]), None);
    }
}
