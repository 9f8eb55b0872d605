//! Names: the distinguished ones of issuers and subjects, and the other ones beside a subject's, in OpenSSL's words.

use std::borrow::Cow;

use super::der::{self, Element, Reader};
use super::oid;

/// One part of a distinguished name.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    id: &'a [u8],
    value: Element<'a>,
}

/// The parts of a name, which comes with its head.
pub fn parts(name: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let sets = Reader(name).sequence().unwrap_or(Reader(&[]));
    sets.flat_map(Element::inner).filter_map(|pair| {
        let mut pair = pair.inner();
        let id = pair.one(der::OBJECT)?.content;
        Some(Part {
            id,
            value: pair.next()?,
        })
    })
}

/// The last common name among the parts of a name.
pub fn common(name: &[u8]) -> Option<&[u8]> {
    let common = parts(name).filter(|part| part.id == oid::COMMON_NAME);
    common.map(|part| part.value.content).last()
}

impl<'a> Part<'a> {
    /// The short name of its kind; the identifier in digits where it has none.
    pub fn kind(&self) -> Cow<'static, str> {
        oid::part(self.id)
    }

    /// Its text.
    pub fn text(&self) -> Cow<'a, [u8]> {
        match self.value.tag {
            der::BMP_STRING => Cow::Owned(utf8_of_bmp(self.value.content)),
            _ => Cow::Borrowed(self.value.content),
        }
    }
}

fn utf8_of_bmp(content: &[u8]) -> Vec<u8> {
    let units = content
        .chunks_exact(2)
        .map(|two| u16::from_be_bytes([two[0], two[1]]));
    let letters = char::decode_utf16(units);
    let text: String = letters
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.into_bytes()
}

/// The kinds of other names (RFC 5280, 4.2.1.6): of persons,
pub const MAIL: u8 = 1;
/// of hosts,
pub const HOST: u8 = 2;
/// of resources,
pub const RESOURCE: u8 = 6;
/// of addresses,
pub const ADDRESS: u8 = 7;
/// and of what has an object's identifier.
pub const REGISTERED: u8 = 8;

/// One other name: its kind and content.
pub fn other((kind, content): (u8, &[u8])) -> String {
    let text = String::from_utf8_lossy(content);
    match (kind, content) {
        (MAIL, _) => format!("email:{text}"),
        (HOST, _) => format!("DNS:{text}"),
        (RESOURCE, _) => format!("URI:{text}"),
        (ADDRESS, [a, b, c, d]) => format!("IP Address:{a}.{b}.{c}.{d}"),
        (ADDRESS, bytes) => {
            let units = bytes.chunks_exact(2);
            let units = units.map(|two| format!("{:X}", u16::from_be_bytes([two[0], two[1]])));
            format!("IP Address:{}", units.collect::<Vec<_>>().join(":"))
        }
        (REGISTERED, id) => format!("Registered ID:{}", oid::digits(id)),
        _ => "othername:<unsupported>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_shown_by_their_kind() {
        assert_eq!(other((HOST, b"a.test")), "DNS:a.test");
        assert_eq!(other((ADDRESS, &[10, 0, 0, 1])), "IP Address:10.0.0.1");
        let six = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(other((ADDRESS, &six)), "IP Address:2001:DB8:0:0:0:0:0:1");
        assert_eq!(other((REGISTERED, &[0x2a, 3])), "Registered ID:1.2.3");
        assert_eq!(other((4, b"x")), "othername:<unsupported>");
    }

    #[test]
    fn parts_have_kinds_and_texts() {
        let pair = |kind: &[u8], tag, text: &[u8]| {
            let both = [der::element(der::OBJECT, kind), der::element(tag, text)].concat();
            der::element(der::SET, &der::element(der::SEQUENCE, &both))
        };
        let pairs = [
            pair(oid::COMMON_NAME, der::UTF8_STRING, b"one"),
            pair(&[0x2a, 3], der::BMP_STRING, b"\0t\0w\0o"),
        ];
        let name = der::element(der::SEQUENCE, &pairs.concat());
        let shown: Vec<_> = parts(&name)
            .map(|part| (part.kind(), part.text()))
            .collect();
        assert_eq!(shown[0], ("CN".into(), b"one"[..].into()));
        assert_eq!(shown[1], ("1.2.3".into(), b"two"[..].into()));
        assert_eq!(common(&name), Some(&b"one"[..]));
        assert_eq!(common(b""), None);
    }
}
