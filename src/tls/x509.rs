//! Certificates and revocation lists (RFC 5280), read from their DER.
//!
//! Every version is read, the first too, which has no extensions and which rustls' own reader refuses. Reading checks form only;
//! [`court`](super::court) judges.

use super::der::{self, Element, Reader};

/// The parts of a certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certificate<'a> {
    /// What is signed.
    pub(super) body: &'a [u8],
    /// The signature's algorithm, without the head of its sequence.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// 1, 2 or 3.
    pub(super) version: u32,
    /// The serial number as it is written.
    pub(super) serial: &'a [u8],
    /// The issuer's name, head included.
    pub(super) issuer: &'a [u8],
    /// The subject's name, head included.
    pub(super) subject: &'a [u8],
    /// The first second it is valid, since the epoch.
    pub(super) not_before: i64,
    /// The last second it is valid, since the epoch.
    pub(super) not_after: i64,
    /// The key with its algorithm, head included.
    pub(super) key_info: &'a [u8],
    /// The key's algorithm, without the head of its sequence.
    pub(super) key_algorithm: &'a [u8],
    /// The key.
    pub(super) key: &'a [u8],
    extensions: Reader<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(der).sequence()?;
        let body = whole.one(der::SEQUENCE)?;
        let algorithm = whole.one(der::SEQUENCE)?.content;
        let signature = der::bits(whole.one(der::BIT_STRING)?.content)?;
        let mut parts = body.inner();
        let version = match parts.one(der::CONTEXT) {
            Some(version) => 1 + der::small(version.inner().one(der::INTEGER)?.content)?,
            None => 1,
        };
        let serial = parts.one(der::INTEGER)?.content;
        parts.one(der::SEQUENCE)?;
        let issuer = parts.one(der::SEQUENCE)?.whole;
        let mut validity = parts.sequence()?;
        let mut time = || validity.next().and_then(|t| der::seconds(t.tag, t.content));
        let (not_before, not_after) = (time()?, time()?);
        let subject = parts.one(der::SEQUENCE)?.whole;
        let key_info = parts.one(der::SEQUENCE)?;
        let mut key = key_info.inner();
        let key_algorithm = key.one(der::SEQUENCE)?.content;
        let key = der::bits(key.one(der::BIT_STRING)?.content)?;
        let extensions = parts
            .find(|part| part.tag == der::CONTEXT | 3)
            .and_then(|part| part.inner().sequence());
        Some(Self {
            body: body.whole,
            algorithm,
            signature,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key_info: key_info.whole,
            key_algorithm,
            key,
            extensions: extensions.unwrap_or(Reader(&[])),
        })
    }

    /// Its extensions: identifier, whether it is critical, value.
    pub(super) fn extensions(&self) -> impl Iterator<Item = (&'a [u8], bool, &'a [u8])> + use<'a> {
        extensions(self.extensions)
    }

    /// The value of an extension.
    pub(super) fn extension(&self, id: &[u8]) -> Option<&'a [u8]> {
        self.extensions()
            .find(|(found, _, _)| *found == id)
            .map(|(_, _, value)| value)
    }

    /// Whether it was issued by its own subject.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// `basicConstraints`: whether it is an authority, and how many authorities may follow it.
    pub(super) fn constraints(&self) -> Option<(bool, Option<u32>)> {
        let mut parts = Reader(self.extension(BASIC_CONSTRAINTS)?).sequence()?;
        let is_authority = parts
            .one(der::BOOLEAN)
            .is_some_and(|flag| flag.content != [0]);
        let length = parts.one(der::INTEGER).and_then(|n| der::small(n.content));
        Some((is_authority, length))
    }

    /// `keyUsage`: the bit of this number, or `None` without the extension.
    pub(super) fn usage(&self, bit: usize) -> Option<bool> {
        let content = Reader(self.extension(KEY_USAGE)?)
            .one(der::BIT_STRING)?
            .content;
        let byte = content.get(1 + bit / 8).copied().unwrap_or(0);
        Some(byte & (0x80 >> (bit % 8)) != 0)
    }

    /// `extKeyUsage`: whether this purpose is among those named, or `None` without the extension.
    pub(super) fn purpose(&self, id: &[u8]) -> Option<bool> {
        let mut list = Reader(self.extension(EXTENDED_USAGE)?).sequence()?;
        Some(list.any(|purpose| purpose.content == id || purpose.content == ANY_PURPOSE))
    }

    /// Whether `extKeyUsage` names this very purpose.
    pub(super) fn is_named_for(&self, id: &[u8]) -> bool {
        let list = self.extension(EXTENDED_USAGE).map(Reader);
        let list = list.and_then(|mut value| value.sequence());
        list.is_some_and(|mut list| list.any(|purpose| purpose.content == id))
    }

    /// The identifier of the key that signed it.
    pub(super) fn authority_key(&self) -> Option<&'a [u8]> {
        let mut parts = Reader(self.extension(AUTHORITY_KEY)?).sequence()?;
        parts.one(der::PLAIN).map(|id| id.content)
    }

    /// The identifier of its own key.
    pub(super) fn subject_key(&self) -> Option<&'a [u8]> {
        Reader(self.extension(SUBJECT_KEY)?)
            .one(der::OCTETS)
            .map(|id| id.content)
    }

    /// Where its issuer answers questions about it (OCSP): the first place named (RFC 5280, 4.2.2.1).
    pub(super) fn responder(&self) -> Option<&'a str> {
        let mut places = Reader(self.extension(AUTHORITY_ACCESS)?).sequence()?;
        places.find_map(|place| {
            let mut parts = place.inner();
            let answers = parts.one(der::OBJECT)?.content == OCSP_ACCESS;
            let place = parts.one(der::PLAIN | 6).filter(|_| answers)?;
            std::str::from_utf8(place.content).ok()
        })
    }

    /// The other names of its subject: their kind (RFC 5280, 4.2.1.6) and content.
    pub(super) fn other_names(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        self.extension(ALTERNATIVE_NAMES)
            .and_then(|value| Reader(value).sequence())
            .unwrap_or(Reader(&[]))
            .map(|name| (name.tag & 0x1f, name.content))
    }

    /// The hosts it is for: those among the other names, else the common name.
    pub(super) fn hosts(&self) -> Vec<String> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_ascii_lowercase);
        let mut names: Vec<String> = self
            .other_names()
            .filter(|(kind, _)| *kind == DNS_NAME)
            .filter_map(|(_, name)| text(name))
            .collect();
        if names.is_empty() {
            names.extend(common_name(self.subject).and_then(text));
        }
        names
    }
}

impl Certificate<'_> {
    /// The names it is chosen by: those of hosts, and the common name beside them.
    pub(super) fn names_served(&self) -> Vec<String> {
        let mut names = self.hosts();
        let common = common_name(self.subject).and_then(|name| std::str::from_utf8(name).ok());
        let common = common.map(str::to_ascii_lowercase);
        names.extend(common.filter(|common| !names.contains(common)));
        names
    }
}

fn extensions<'a>(list: Reader<'a>) -> impl Iterator<Item = (&'a [u8], bool, &'a [u8])> + use<'a> {
    list.filter_map(|extension| {
        let mut parts = extension.inner();
        let id = parts.one(der::OBJECT)?.content;
        let critical = parts
            .one(der::BOOLEAN)
            .is_some_and(|flag| flag.content != [0]);
        Some((id, critical, parts.one(der::OCTETS)?.content))
    })
}

/// The last common name among the parts of a name.
pub(super) fn common_name(name: &[u8]) -> Option<&[u8]> {
    parts(name)
        .filter(|(kind, _)| *kind == COMMON_NAME)
        .map(|(_, value)| value.content)
        .last()
}

/// The parts of a name: the identifier of each one's kind and its text.
pub(super) fn parts(name: &[u8]) -> impl Iterator<Item = (&[u8], Element<'_>)> {
    let sets = Reader(name).sequence().unwrap_or(Reader(&[]));
    sets.flat_map(Element::inner).filter_map(|pair| {
        let mut pair = pair.inner();
        Some((pair.one(der::OBJECT)?.content, pair.next()?))
    })
}

/// A list of certificates that are no good any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevocationList<'a> {
    /// What is signed.
    pub(super) body: &'a [u8],
    /// The signature's algorithm, without the head of its sequence.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// 1 or 2.
    pub(super) version: u32,
    /// The issuer's name, head included.
    pub(super) issuer: &'a [u8],
    /// When it was made.
    pub(super) this_update: i64,
    /// When the next is due.
    pub(super) next_update: Option<i64>,
    revoked: Reader<'a>,
    extensions: Reader<'a>,
}

impl<'a> RevocationList<'a> {
    /// Reads a list.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(der).sequence()?;
        let body = whole.one(der::SEQUENCE)?;
        let algorithm = whole.one(der::SEQUENCE)?.content;
        let signature = der::bits(whole.one(der::BIT_STRING)?.content)?;
        let mut parts = body.inner();
        let version = match parts.one(der::INTEGER) {
            Some(version) => 1 + der::small(version.content)?,
            None => 1,
        };
        parts.one(der::SEQUENCE)?;
        let issuer = parts.one(der::SEQUENCE)?.whole;
        let this = parts.next()?;
        let this_update = der::seconds(this.tag, this.content)?;
        let mut next_update = None;
        if let Some(tag @ (der::UTC_TIME | der::GENERAL_TIME)) = parts.peek() {
            next_update = Some(der::seconds(tag, parts.next()?.content)?);
        }
        let revoked = parts.sequence().unwrap_or(Reader(&[]));
        let extensions = parts
            .one(der::CONTEXT)
            .and_then(|part| part.inner().sequence());
        Some(Self {
            body: body.whole,
            algorithm,
            signature,
            version,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions: extensions.unwrap_or(Reader(&[])),
        })
    }

    /// The certificates it takes back: serial number and when.
    pub(super) fn revoked(&self) -> impl Iterator<Item = (&'a [u8], Option<i64>)> + use<'a> {
        self.revoked.filter_map(|entry| {
            let mut parts = entry.inner();
            let serial = parts.one(der::INTEGER)?.content;
            let time = parts.next();
            Some((serial, time.and_then(|t| der::seconds(t.tag, t.content))))
        })
    }

    /// Whether it says something critical beyond what is understood: that it is a part of a list, say.
    pub(super) fn is_special(&self) -> bool {
        extensions(self.extensions).any(|(_, critical, _)| critical)
    }
}

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.14
pub(super) const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
/// 2.5.29.15
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// 2.5.29.17
pub(super) const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.29.19
pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// 2.5.29.30
pub(super) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
/// 2.5.29.32
pub(super) const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
/// 2.5.29.35
pub(super) const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
/// 2.5.29.37
pub(super) const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// 2.5.29.37.0
/// `authorityInfoAccess`: 1.3.6.1.5.5.7.1.1.
const AUTHORITY_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// 1.3.6.1.5.5.7.48.1, of answers about certificates.
const OCSP_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// The kind of host names among the other names.
pub(super) const DNS_NAME: u8 = 2;
/// The kind of addresses among the other names.
pub(super) const ADDRESS: u8 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_certificate() {
        for cut in 0..64 {
            assert!(Certificate::read(&vec![0x30; cut]).is_none());
            assert!(RevocationList::read(&vec![0x30; cut]).is_none());
        }
    }

    #[test]
    fn every_cut_of_a_certificate_is_none() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ecdsa.pem");
        let sections = super::super::bundle::sections(path.as_ref()).expect("a fixture");
        let is_certificate = |kind| kind == rustls::pki_types::pem::SectionKind::Certificate;
        let (_, der) = sections
            .iter()
            .find(|(kind, _)| is_certificate(*kind))
            .expect("one in it");
        let read = Certificate::read(der).expect("whole");
        assert!(read.hosts().contains(&"example.test".to_owned()));
        assert_eq!(read.version, 3);
        for cut in 0..der.len() {
            assert!(Certificate::read(&der[..cut]).is_none());
        }
    }
}
