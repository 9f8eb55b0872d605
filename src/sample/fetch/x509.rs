//! The parts of a certificate (RFC 5280), read from its DER.
//!
//! What is read has been verified by TLS or is this side's own, so that a malformed certificate
//! is merely one without parts. Nothing is verified here.

/// One element of DER: tag, content, and the whole with its header.
#[derive(Clone, Copy)]
pub(in crate::sample) struct Element<'a> {
    pub(in crate::sample) tag: u8,
    pub(in crate::sample) content: &'a [u8],
}

/// Elements one after the other.
#[derive(Clone, Copy)]
pub(in crate::sample) struct Elements<'a>(pub(in crate::sample) &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let len = digits.iter().fold(0usize, |n, d| n << 8 | usize::from(*d));
                (len, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(Element { tag: *tag, content })
    }
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(in crate::sample) fn inner(self) -> Elements<'a> {
        Elements(self.content)
    }
}

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const OCTETS: u8 = 0x04;
const BMP_STRING: u8 = 0x1e;

/// The parts of a certificate.
pub(in crate::sample) struct Certificate<'a> {
    pub(in crate::sample) version: i64,
    pub(in crate::sample) serial: &'a [u8],
    pub(in crate::sample) signature: &'a [u8],
    pub(in crate::sample) issuer: Elements<'a>,
    pub(in crate::sample) not_before: Element<'a>,
    pub(in crate::sample) not_after: Element<'a>,
    pub(in crate::sample) subject: Elements<'a>,
    /// The algorithm of the key.
    pub(in crate::sample) key: &'a [u8],
    /// The key with its algorithm.
    pub(in crate::sample) key_info: Element<'a>,
    extensions: Elements<'a>,
}

/// Reads a certificate.
pub(in crate::sample) fn read(der: &[u8]) -> Option<Certificate<'_>> {
    let mut whole = Elements(der).next()?.inner();
    let mut body = whole.next().filter(|e| e.tag == SEQUENCE)?.inner();
    let mut first = body.next()?;
    let mut version = 1;
    if first.tag == VERSION {
        version = 1 + i64::from(*first.inner().next()?.content.last()?);
        first = body.next()?;
    }
    let signature = body.next()?.inner().next()?.content;
    let issuer = body.next()?.inner();
    let mut validity = body.next()?.inner();
    let subject = body.next()?.inner();
    let key_info = body.next()?;
    let key = key_info.inner().next()?.inner().next()?.content;
    let extensions = body
        .find(|e| e.tag == EXTENSIONS)
        .and_then(|e| e.inner().next())
        .map_or(Elements(&[]), Element::inner);
    Some(Certificate {
        version,
        serial: first.content,
        signature,
        issuer,
        not_before: validity.next()?,
        not_after: validity.next()?,
        subject,
        key,
        key_info,
        extensions,
    })
}

impl<'a> Certificate<'a> {
    /// The content of the extension with this identifier.
    pub(in crate::sample) fn extension(&self, id: &[u8]) -> Option<Element<'a>> {
        self.extensions.into_iter().find_map(|extension| {
            let mut parts = extension.inner();
            let found = parts.next()?.content == id;
            let value = parts.find(|p| p.tag == OCTETS)?;
            found.then(|| value.inner().next()).flatten()
        })
    }
}

/// A date as HAProxy shows it: two digits a part, from the year on.
pub(in crate::sample) fn date(time: Element<'_>) -> Vec<u8> {
    match time.tag {
        UTC_TIME => time.content.to_vec(),
        _ => time.content.get(2..).unwrap_or_default().to_vec(),
    }
}

/// One part of a name: its type's identifier and its text.
pub(in crate::sample) struct Part<'a> {
    id: &'a [u8],
    text: Vec<u8>,
}

impl Part<'_> {
    /// The short name of the type; the identifier in digits where it has none.
    pub(in crate::sample) fn kind(&self) -> String {
        named(PARTS, self.id)
    }

    /// The text.
    pub(in crate::sample) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// The parts of a name, in order.
pub(in crate::sample) fn parts(name: Elements<'_>) -> Vec<Part<'_>> {
    name.flat_map(Element::inner)
        .filter_map(|pair| {
            let mut pair = pair.inner();
            let id = pair.next().filter(|e| e.tag == OBJECT)?.content;
            let value = pair.next()?;
            let text = match value.tag {
                BMP_STRING => utf8_of_bmp(value.content),
                _ => value.content.to_vec(),
            };
            Some(Part { id, text })
        })
        .collect()
}

fn utf8_of_bmp(content: &[u8]) -> Vec<u8> {
    let units = content
        .chunks_exact(2)
        .map(|c| u16::from_be_bytes([c[0], c[1]]));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.into_bytes()
}

/// Types of name parts.
const PARTS: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (&[0x55, 4, 97], "organizationIdentifier"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        "emailAddress",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
];

/// Algorithms by OpenSSL's short names.
const ALGORITHMS: &[(&[u8], &str)] = &[
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1],
        "rsaEncryption",
    ),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], "RSA-SHA1"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], "rsassaPss"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
        "RSA-SHA256",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12],
        "RSA-SHA384",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13],
        "RSA-SHA512",
    ),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], "id-ecPublicKey"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], "ecdsa-with-SHA1"),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        "ecdsa-with-SHA256",
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
        "ecdsa-with-SHA384",
    ),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
        "ecdsa-with-SHA512",
    ),
    (&[0x2b, 0x65, 0x70], "ED25519"),
    (&[0x2b, 0x65, 0x71], "ED448"),
];

/// The name of an algorithm.
pub(in crate::sample) fn algorithm(id: &[u8]) -> String {
    named(ALGORITHMS, id)
}

fn named(list: &[(&[u8], &str)], id: &[u8]) -> String {
    match list.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => (*name).to_string(),
        None => digits(id),
    }
}

/// An object identifier in digits and dots.
pub(in crate::sample) fn digits(id: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0u64;
    for byte in id {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_digits() {
        assert_eq!(
            digits(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]),
            "1.2.840.113549"
        );
        assert_eq!(algorithm(&[0x2b, 0x65, 0x70]), "ED25519");
        assert_eq!(algorithm(&[0x2b, 0x01]), "1.3.1");
    }

    #[test]
    fn cut_certificates_have_no_parts() {
        let der = super::super::certificate::example::example();
        assert!(read(&der).is_some());
        for end in 0..der.len() {
            let _ = read(&der[..end]);
        }
        assert!(read(&der[..der.len() - 1]).is_none());
    }
}
