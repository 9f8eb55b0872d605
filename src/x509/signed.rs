//! What certificates, revocation lists and answers of OCSP have in common: a body, and who stands for it.

use super::der::{self, Element, Reader};

/// A body and its signature.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// What is signed, head included.
    pub body: &'a [u8],
    /// The signature's algorithm, without the head of its sequence.
    pub algorithm: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the signature that follows a body.
    pub fn read(body: Element<'a>, rest: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            body: body.whole,
            algorithm: rest.one(der::SEQUENCE)?.content,
            signature: der::bits(rest.one(der::BIT_STRING)?.content)?,
        })
    }
}
