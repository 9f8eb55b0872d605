//! A list of certificates that are no good any more.

use super::Signed;
use super::certificate::extensions;
use super::der::{self, Reader};

/// The list.
#[derive(Clone, Copy, Debug)]
pub struct RevocationList<'a> {
    /// The signature, and what is signed.
    pub signed: Signed<'a>,
    /// 1 or 2.
    pub version: u32,
    /// The issuer's name, head included.
    pub issuer: &'a [u8],
    /// When it was made.
    pub this_update: i64,
    /// When the next is due.
    pub next_update: Option<i64>,
    revoked: Reader<'a>,
    extensions: Reader<'a>,
}

impl<'a> RevocationList<'a> {
    /// Reads a list.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(der).sequence()?;
        let body = whole.one(der::SEQUENCE)?;
        let signed = Signed::read(body, &mut whole)?;
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
            signed,
            version,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions: extensions.unwrap_or(Reader(&[])),
        })
    }

    /// The certificates it takes back: serial number and when.
    pub fn revoked(&self) -> impl Iterator<Item = (&'a [u8], Option<i64>)> + use<'a> {
        self.revoked.filter_map(|entry| {
            let mut parts = entry.inner();
            let serial = parts.one(der::INTEGER)?.content;
            let time = parts.next();
            Some((serial, time.and_then(|t| der::seconds(t.tag, t.content))))
        })
    }

    /// Whether it says something critical beyond what is understood: that it is a part of a list, say.
    pub fn is_special(&self) -> bool {
        extensions(self.extensions).any(|(_, critical, _)| critical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_list() {
        for cut in 0..64 {
            assert!(RevocationList::read(&vec![0x30; cut]).is_none());
        }
    }
}
