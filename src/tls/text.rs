//! Certificates, revocation lists and answers about certificates in words, as `show ssl …` and OpenSSL show them.

use std::fmt::Write as _;

use crate::codec::digest::Digest;
use crate::codec::hex;
use crate::time::date::Civil;
use crate::x509::name::{self, Part};
use crate::x509::{Certificate, RevocationList, der, oid};

/// A name in one line: `/C=FR/CN=…`.
pub(super) fn name(der: &[u8]) -> String {
    let parts = name::parts(der);
    parts.fold(String::new(), |text, part| text + "/" + &pair(&part, "="))
}

/// A name as OpenSSL's printing of answers has it: `C = FR, CN = …`.
pub(super) fn spaced_name(der: &[u8]) -> String {
    let pairs: Vec<String> = name::parts(der).map(|part| pair(&part, " = ")).collect();
    pairs.join(", ")
}

fn pair(part: &Part<'_>, sign: &str) -> String {
    part.kind().into_owned() + sign + &String::from_utf8_lossy(&part.text())
}

/// Digits and upper case letters.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    hex::encode(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A whole number's bytes without what only keeps it positive.
pub(super) fn serial(content: &[u8]) -> String {
    hexadecimal(der::unsigned(content))
}

/// `Jun 10 08:55:04 2021 GMT`
pub(super) fn time(seconds: i64) -> String {
    let at = Civil::at(seconds, 0);
    let (month, day, year) = (at.month_name(), at.day, at.year);
    let (hour, minute, second) = (at.hour, at.minute, at.second);
    format!("{month} {day:2} {hour:02}:{minute:02}:{second:02} {year} GMT")
}

/// A certificate's fingerprint.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let mut digest = Vec::new();
    Digest::Sha1.of(der, &mut digest);
    hexadecimal(&digest)
}

/// The lines about a certificate.
pub(super) fn certificate(der: &[u8], out: &mut String) {
    let Some(read) = Certificate::read(der) else {
        return;
    };
    let others: Vec<String> = read.other_names().map(name::other).collect();
    let _ = write!(
        out,
        "Serial: {}\nnotBefore: {}\nnotAfter: {}\nSubject Alternative Name: {}\nAlgorithm: {}\n\
         SHA1 FingerPrint: {}\nSubject: {}\nIssuer: {}\n",
        serial(read.serial),
        time(read.not_before),
        time(read.not_after),
        others.join(", "),
        algorithm(&read),
        fingerprint(der),
        name(read.subject),
        name(read.issuer),
    );
}

/// The kind of the key and its bits: `RSA2048`, `EC256`.
fn algorithm(read: &Certificate<'_>) -> String {
    let id = der::Reader(read.key_algorithm).next();
    match id.map(|id| id.content) {
        Some(oid::RSA) => {
            let modulus = der::Reader(read.key)
                .sequence()
                .and_then(|mut key| key.next());
            let bytes = modulus.map_or(&[][..], |number| number.content);
            let len = bytes.iter().skip_while(|byte| **byte == 0).count();
            format!("RSA{}", len * 8)
        }
        Some(oid::ELLIPTIC) => {
            let bits = match read.key.len() {
                len @ 2.. => (len - 1) / 2 * 8,
                _ => 0,
            };
            format!("EC{}", if bits == 528 { 521 } else { bits })
        }
        _ => "other".to_owned(),
    }
}

/// The lines about a revocation list.
pub(super) fn revocations(der: &[u8], out: &mut String) {
    let Some(list) = RevocationList::read(der) else {
        return;
    };
    let _ = write!(
        out,
        "Version {}\nSignature Algorithm: {}\nIssuer: {}\nLast Update: {}\nNext Update: {}\n",
        list.version,
        signature(list.signed.algorithm),
        name(list.issuer),
        time(list.this_update),
        list.next_update.map_or_else(|| "NONE".to_owned(), time),
    );
    let mut revoked = list.revoked().peekable();
    if revoked.peek().is_none() {
        out.push_str("No Revoked Certificates.\n");
        return;
    }
    out.push_str("Revoked Certificates:\n");
    for (number, when) in revoked {
        let when = when.map_or_else(|| "unknown".to_owned(), time);
        let _ = write!(
            out,
            "    Serial Number: {}\n        Revocation Date: {when}\n",
            serial(number)
        );
    }
}

fn signature(algorithm: &[u8]) -> &'static str {
    let id = der::Reader(algorithm).next();
    let name = id.and_then(|id| oid::algorithm_in_full(id.content));
    name.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers() {
        assert_eq!(time(1_623_315_304), "Jun 10 08:55:04 2021 GMT");
        assert_eq!(time(0), "Jan  1 00:00:00 1970 GMT");
        assert_eq!(serial(&[0, 0xab]), "AB");
        assert_eq!(serial(&[0x10, 0x0f]), "100F");
    }
}
