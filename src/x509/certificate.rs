//! A certificate and the questions it answers.
//!
//! Every version is read, the first too, which has no extensions and which rustls' own reader refuses.

use super::der::{self, Reader};
use super::{Signed, name, oid};

/// The parts of a certificate.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// The signature, and what is signed.
    pub signed: Signed<'a>,
    /// 1, 2 or 3.
    pub version: u32,
    /// The serial number as it is written.
    pub serial: &'a [u8],
    /// The issuer's name, head included.
    pub issuer: &'a [u8],
    /// The subject's name, head included.
    pub subject: &'a [u8],
    /// The first second it is valid, since the epoch.
    pub not_before: i64,
    /// The last second it is valid, since the epoch.
    pub not_after: i64,
    /// Both moments as they are written.
    pub validity: Reader<'a>,
    /// The key with its algorithm, head included.
    pub key_info: &'a [u8],
    /// The key's algorithm, without the head of its sequence.
    pub key_algorithm: &'a [u8],
    /// The key.
    pub key: &'a [u8],
    extensions: Reader<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(der).sequence()?;
        let body = whole.one(der::SEQUENCE)?;
        let signed = Signed::read(body, &mut whole)?;
        let mut parts = body.inner();
        let version = match parts.one(der::CONTEXT) {
            Some(version) => 1 + der::small(version.inner().one(der::INTEGER)?.content)?,
            None => 1,
        };
        let serial = parts.one(der::INTEGER)?.content;
        parts.one(der::SEQUENCE)?;
        let issuer = parts.one(der::SEQUENCE)?.whole;
        let validity = parts.sequence()?;
        let mut times = validity.map(|time| der::seconds(time.tag, time.content));
        let mut time = || times.next().flatten();
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
            signed,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            validity,
            key_info: key_info.whole,
            key_algorithm,
            key,
            extensions: extensions.unwrap_or(Reader(&[])),
        })
    }

    /// Its extensions: identifier, whether it is critical, value.
    pub fn extensions(&self) -> impl Iterator<Item = (&'a [u8], bool, &'a [u8])> + use<'a> {
        extensions(self.extensions)
    }

    /// The value of an extension.
    pub fn extension(&self, id: &[u8]) -> Option<&'a [u8]> {
        self.extensions()
            .find(|(found, _, _)| *found == id)
            .map(|(_, _, value)| value)
    }

    /// Whether it was issued by its own subject.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// `basicConstraints`: whether it is an authority, and how many authorities may follow it.
    pub fn constraints(&self) -> Option<(bool, Option<u32>)> {
        let mut parts = Reader(self.extension(oid::BASIC_CONSTRAINTS)?).sequence()?;
        let is_authority = parts
            .one(der::BOOLEAN)
            .is_some_and(|flag| flag.content != [0]);
        let length = parts.one(der::INTEGER).and_then(|n| der::small(n.content));
        Some((is_authority, length))
    }

    /// `keyUsage`: the bit of this number, or `None` without the extension.
    pub fn usage(&self, bit: usize) -> Option<bool> {
        let content = Reader(self.extension(oid::KEY_USAGE)?)
            .one(der::BIT_STRING)?
            .content;
        let byte = content.get(1 + bit / 8).copied().unwrap_or(0);
        Some(byte & (0x80 >> (bit % 8)) != 0)
    }

    /// `extKeyUsage`: whether this purpose is among those named, or `None` without the extension.
    pub fn purpose(&self, id: &[u8]) -> Option<bool> {
        let mut list = Reader(self.extension(oid::EXTENDED_USAGE)?).sequence()?;
        Some(list.any(|purpose| purpose.content == id || purpose.content == oid::ANY_PURPOSE))
    }

    /// Whether `extKeyUsage` names this very purpose.
    pub fn is_named_for(&self, id: &[u8]) -> bool {
        let list = self.extension(oid::EXTENDED_USAGE).map(Reader);
        let list = list.and_then(|mut value| value.sequence());
        list.is_some_and(|mut list| list.any(|purpose| purpose.content == id))
    }

    /// The identifier of the key that signed it.
    pub fn authority_key(&self) -> Option<&'a [u8]> {
        let mut parts = Reader(self.extension(oid::AUTHORITY_KEY)?).sequence()?;
        parts.one(der::PLAIN).map(|id| id.content)
    }

    /// The identifier of its own key.
    pub fn subject_key(&self) -> Option<&'a [u8]> {
        Reader(self.extension(oid::SUBJECT_KEY)?)
            .one(der::OCTETS)
            .map(|id| id.content)
    }

    /// Where its issuer answers questions about it (OCSP): the first place named (RFC 5280, 4.2.2.1).
    pub fn responder(&self) -> Option<&'a str> {
        let mut places = Reader(self.extension(oid::AUTHORITY_ACCESS)?).sequence()?;
        places.find_map(|place| {
            let mut parts = place.inner();
            let answers = parts.one(der::OBJECT)?.content == oid::OCSP_ACCESS;
            let place = parts.one(der::PLAIN | 6).filter(|_| answers)?;
            std::str::from_utf8(place.content).ok()
        })
    }

    /// The other names of its subject: their kind (RFC 5280, 4.2.1.6) and content.
    pub fn other_names(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        self.extension(oid::ALTERNATIVE_NAMES)
            .and_then(|value| Reader(value).sequence())
            .unwrap_or(Reader(&[]))
            .map(|name| (name.tag & 0x1f, name.content))
    }

    /// The hosts it is for: those among the other names, else the common name.
    pub fn hosts(&self) -> Vec<String> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_ascii_lowercase);
        let mut names: Vec<String> = self
            .other_names()
            .filter(|(kind, _)| *kind == name::HOST)
            .filter_map(|(_, name)| text(name))
            .collect();
        if names.is_empty() {
            names.extend(name::common(self.subject).and_then(text));
        }
        names
    }

    /// The names it is chosen by: those of hosts, and the common name beside them.
    pub fn names_served(&self) -> Vec<String> {
        let mut names = self.hosts();
        let common = name::common(self.subject).and_then(|name| std::str::from_utf8(name).ok());
        let common = common.map(str::to_ascii_lowercase);
        names.extend(common.filter(|common| !names.contains(common)));
        names
    }
}

/// Extensions: identifier, whether it is critical, value.
pub(super) fn extensions<'a>(
    list: Reader<'a>,
) -> impl Iterator<Item = (&'a [u8], bool, &'a [u8])> + use<'a> {
    list.filter_map(|extension| {
        let mut parts = extension.inner();
        let id = parts.one(der::OBJECT)?.content;
        let critical = parts
            .one(der::BOOLEAN)
            .is_some_and(|flag| flag.content != [0]);
        Some((id, critical, parts.one(der::OCTETS)?.content))
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn garbage_is_no_certificate() {
        for cut in 0..64 {
            assert!(Certificate::read(&vec![0x30; cut]).is_none());
        }
    }

    #[test]
    fn every_cut_of_a_certificate_is_none() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ecdsa.pem");
        let der = CertificateDer::from_pem_file(path).expect("a fixture");
        let read = Certificate::read(&der).expect("whole");
        assert!(read.hosts().contains(&"example.test".to_owned()));
        assert_eq!(read.version, 3);
        for cut in 0..der.len() {
            assert!(Certificate::read(&der[..cut]).is_none());
        }
    }
}
