//! What an issuer says of the state of a certificate (OCSP, RFC 6960): the question, the answer read and shown.
//!
//! An answer from a file or an operator is passed on as it is, for clients check its signature; one that came over the network
//! has to be [vouched for](Answer::is_vouched) first. Nothing is sent from here.

use std::fmt::Write as _;

use rustls::crypto::WebPkiSupportedAlgorithms;

use super::court;
use super::text;
use crate::codec::digest::Digest;
use crate::x509::der::{self, Element, Reader, element};
use crate::x509::{Certificate, Signed};

/// The name of a certificate towards its issuer: digests of the issuer's name and key, and the serial number.
pub(super) fn certificate_id(leaf: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let (leaf, issuer) = (Certificate::read(leaf)?, Certificate::read(issuer)?);
    let digest = |bytes: &[u8]| {
        let mut digest = Vec::new();
        Digest::Sha1.of(bytes, &mut digest);
        element(der::OCTETS, &digest)
    };
    let algorithm = element(der::SEQUENCE, &[6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0]);
    let parts = [
        algorithm,
        digest(issuer.subject),
        digest(issuer.key),
        element(der::INTEGER, leaf.serial),
    ];
    Some(element(der::SEQUENCE, &parts.concat()))
}

/// The question about the certificate of this name.
pub(super) fn question(id: &[u8]) -> Vec<u8> {
    (0..4).fold(id.to_vec(), |inner, _| element(der::SEQUENCE, &inner))
}

/// An answer about one certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    responder: Element<'a>,
    produced: i64,
    /// Whom it is about.
    pub(super) id: &'a [u8],
    state: Element<'a>,
    this_update: i64,
    /// Until when it holds, where it says so.
    pub(super) next_update: Option<i64>,
    seal: Option<Seal<'a>>,
}

/// The signature of an answer.
#[derive(Clone, Copy, Debug)]
struct Seal<'a> {
    signed: Signed<'a>,
    /// Certificates of signers.
    signers: Reader<'a>,
}

impl<'a> Seal<'a> {
    /// Reads what follows the body.
    fn read(body: Element<'a>, mut rest: Reader<'a>) -> Option<Self> {
        let signed = Signed::read(body, &mut rest)?;
        let signers = rest
            .one(der::CONTEXT)
            .and_then(|own| own.inner().sequence());
        Some(Self {
            signed,
            signers: signers.unwrap_or(Reader(&[])),
        })
    }
}

/// Seconds that clocks may differ.
const CLOCKS_DIFFER: i64 = 300;
/// Certificates of signers that are looked at.
const SIGNERS_MAX: usize = 4;
/// 1.3.6.1.5.5.7.3.9
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

fn moment(part: Element<'_>) -> Option<i64> {
    der::seconds(part.tag, part.content)
}

impl<'a> Answer<'a> {
    /// Reads the first answer of a response that says it is one.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut response = Reader(der).sequence()?;
        let status = response.one(der::ENUMERATED)?.content;
        if status != [0] {
            return None;
        }
        let mut bytes = response.one(der::CONTEXT)?.inner().sequence()?;
        bytes.one(der::OBJECT)?;
        let mut basic = Reader(bytes.one(der::OCTETS)?.content).sequence()?;
        let body = basic.one(der::SEQUENCE)?;
        let seal = Seal::read(body, basic);
        let mut data = body.inner();
        data.one(der::CONTEXT);
        let responder = data.next()?;
        let produced = moment(data.next()?)?;
        let mut single = data.sequence()?.sequence()?;
        let id = single.one(der::SEQUENCE)?.whole;
        let state = single.next()?;
        let this_update = moment(single.next()?)?;
        let next = single.one(der::CONTEXT);
        Some(Self {
            responder,
            produced,
            id,
            state,
            this_update,
            next_update: next.and_then(|part| moment(part.inner().next()?)),
            seal,
        })
    }

    /// Whether it holds now, and the issuer signed it, or somebody whom the issuer made a signer of answers.
    pub(super) fn is_vouched(
        &self,
        issuer: &[u8],
        algorithms: &WebPkiSupportedAlgorithms,
        now: i64,
    ) -> bool {
        let (Some(seal), Some(issuer)) = (self.seal, Certificate::read(issuer)) else {
            return false;
        };
        let in_time = self.this_update <= now + CLOCKS_DIFFER
            && self.next_update.is_none_or(|end| end > now - CLOCKS_DIFFER);
        let by = |signer: &Certificate<'_>| court::is_signed(algorithms, signer, seal.signed);
        let appointed = |signer: &Certificate<'_>| {
            signer.issuer == issuer.subject
                && signer.not_before <= now
                && signer.not_after >= now
                && signer.is_named_for(OCSP_SIGNING)
                && court::is_signed(algorithms, &issuer, signer.signed)
        };
        let signers = seal.signers.take(SIGNERS_MAX);
        in_time
            && (by(&issuer)
                || signers
                    .filter_map(|signer| Certificate::read(signer.whole))
                    .any(|signer| appointed(&signer) && by(&signer)))
    }

    /// As `openssl ocsp -text` shows it.
    pub(super) fn shown(&self) -> String {
        let mut out = String::from(
            "OCSP Response Data:\n    OCSP Response Status: successful (0x0)\n    \
             Response Type: Basic OCSP Response\n    Version: 1 (0x0)\n    Responder Id: ",
        );
        match self.responder.tag {
            tag if tag == der::CONTEXT | 1 => {
                out.push_str(&text::spaced_name(self.responder.content))
            }
            _ => {
                let key = self.responder.inner().next();
                out.push_str(&text::hexadecimal(key.map_or(&[], |key| key.content)));
            }
        }
        let _ = write!(
            out,
            "\n    Produced At: {}\n    Responses:\n    Certificate ID:\n      Hash Algorithm: sha1\n",
            text::time(self.produced)
        );
        id_lines(self.id, "      ", &mut out);
        match self.state.tag {
            tag if tag == der::PLAIN => out.push_str("    Cert Status: good\n"),
            tag if tag == der::CONTEXT | 1 => {
                out.push_str("    Cert Status: revoked\n");
                let when = self.state.inner().next().and_then(moment);
                let when = when.map_or_else(String::new, text::time);
                let _ = writeln!(out, "    Revocation Time: {when}");
            }
            _ => out.push_str("    Cert Status: unknown\n"),
        }
        let _ = writeln!(out, "    This Update: {}", text::time(self.this_update));
        if let Some(next) = self.next_update {
            let _ = writeln!(out, "    Next Update: {}", text::time(next));
        }
        out
    }
}

/// The lines about whom an answer is for.
pub(super) fn id_lines(id: &[u8], indent: &str, out: &mut String) {
    let Some(mut parts) = Reader(id).sequence() else {
        return;
    };
    parts.next();
    let mut next = || parts.next().map_or(&[][..], |part| part.content);
    let (name, key, serial) = (next(), next(), next());
    let _ = write!(
        out,
        "{indent}Issuer Name Hash: {}\n{indent}Issuer Key Hash: {}\n{indent}Serial Number: {}\n",
        text::hexadecimal(name),
        text::hexadecimal(key),
        text::serial(serial)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_answer() {
        for bytes in [&[][..], &[0x30, 3, 10, 1, 1], &[0x30; 40]] {
            assert!(Answer::read(bytes).is_none());
        }
    }

    #[test]
    fn an_answer_is_read_and_shown() {
        let digest = element(der::OCTETS, &[0xaa; 20]);
        let algorithm = element(der::SEQUENCE, &[6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0]);
        let serial = element(der::INTEGER, &[0x10, 0x0f]);
        let id = element(
            der::SEQUENCE,
            &[algorithm, digest.clone(), digest.clone(), serial].concat(),
        );
        let time = element(der::GENERAL_TIME, b"20210610085504Z");
        let single = [id.clone(), element(der::PLAIN, &[]), time.clone()].concat();
        let responses = element(der::SEQUENCE, &element(der::SEQUENCE, &single));
        let data = [element(der::CONTEXT | 2, &digest), time, responses].concat();
        let basic = element(der::SEQUENCE, &element(der::SEQUENCE, &data));
        let kind = element(der::OBJECT, &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]);
        let bytes = [kind, element(der::OCTETS, &basic)].concat();
        let bytes = element(der::CONTEXT, &element(der::SEQUENCE, &bytes));
        let whole = [element(der::ENUMERATED, &[0]), bytes].concat();
        let whole = element(der::SEQUENCE, &whole);
        let answer = Answer::read(&whole).expect("an answer");
        assert_eq!(answer.id, &id[..]);
        let shown = answer.shown();
        for line in [
            "Cert Status: good",
            "Serial Number: 100F",
            "This Update: Jun 10 08:55:04 2021 GMT",
        ] {
            assert!(shown.contains(line), "{line} in {shown}");
        }
        for cut in 0..whole.len() {
            assert!(Answer::read(&whole[..cut]).is_none());
        }
    }
}
