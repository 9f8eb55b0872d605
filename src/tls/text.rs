//! Certificates, revocation lists and answers about certificates in words, as `show ssl …` and OpenSSL show them.

use std::fmt::Write as _;

use super::der;
use super::x509::{self, Certificate, RevocationList};
use crate::codec::digest::Digest;
use crate::codec::hex;
use crate::time::date::Civil;

/// A name in one line: `/C=FR/CN=…`.
pub(super) fn name(der: &[u8]) -> String {
    let mut text = String::new();
    for (kind, value) in x509::parts(der) {
        let _ = write!(text, "/{}={}", kind_of(kind), part(value));
    }
    text
}

/// A name as OpenSSL's printing of answers has it: `C = FR, CN = …`.
pub(super) fn spaced_name(der: &[u8]) -> String {
    let parts = x509::parts(der);
    let texts: Vec<String> = parts
        .map(|(kind, value)| format!("{} = {}", kind_of(kind), part(value)))
        .collect();
    texts.join(", ")
}

fn part(value: der::Element<'_>) -> String {
    match value.tag {
        der::BMP_STRING => {
            let units = value.content.chunks_exact(2);
            let units = units.map(|two| u16::from_be_bytes([two[0], two[1]]));
            char::decode_utf16(units)
                .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        _ => String::from_utf8_lossy(value.content).into_owned(),
    }
}

/// Short names of the parts of names.
const KINDS: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
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

fn kind_of(id: &[u8]) -> String {
    match KINDS.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => (*name).to_owned(),
        None => hexadecimal(id),
    }
}

/// Digits and upper case letters.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    hex::encode(bytes, &mut out);
    String::from_utf8(out)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

/// A whole number's bytes without what only keeps it positive.
pub(super) fn serial(content: &[u8]) -> String {
    let zero = content.len() > 1 && content[0] == 0;
    hexadecimal(&content[usize::from(zero)..])
}

/// `Jun 10 08:55:04 2021 GMT`
pub(super) fn time(seconds: i64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let at = Civil::at(seconds, 0);
    let month = MONTHS[usize::from(at.month.clamp(1, 12)) - 1];
    format!(
        "{month} {:2} {:02}:{:02}:{:02} {} GMT",
        at.day, at.hour, at.minute, at.second, at.year
    )
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
    let others: Vec<String> = read.other_names().map(other_name).collect();
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

fn other_name((kind, content): (u8, &[u8])) -> String {
    let text = String::from_utf8_lossy(content);
    match (kind, content) {
        (1, _) => format!("email:{text}"),
        (x509::DNS_NAME, _) => format!("DNS:{text}"),
        (6, _) => format!("URI:{text}"),
        (x509::ADDRESS, [a, b, c, d]) => format!("IP Address:{a}.{b}.{c}.{d}"),
        (x509::ADDRESS, _) => format!("IP Address:{}", hexadecimal(content)),
        _ => "othername:<unsupported>".to_owned(),
    }
}

/// The kind of the key and its bits: `RSA2048`, `EC256`.
fn algorithm(read: &Certificate<'_>) -> String {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let id = der::Reader(read.key_algorithm).next();
    match id.map(|id| id.content) {
        Some(RSA) => {
            let modulus = der::Reader(read.key)
                .sequence()
                .and_then(|mut key| key.next());
            let bytes = modulus.map_or(&[][..], |number| number.content);
            let len = bytes.iter().skip_while(|byte| **byte == 0).count();
            format!("RSA{}", len * 8)
        }
        Some(ELLIPTIC) => {
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
        signature(list.algorithm),
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
    const KNOWN: &[(&[u8], &str)] = &[
        (
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
            "sha1WithRSAEncryption",
        ),
        (
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
            "sha256WithRSAEncryption",
        ),
        (
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12],
            "sha384WithRSAEncryption",
        ),
        (
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13],
            "sha512WithRSAEncryption",
        ),
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
    ];
    let id = der::Reader(algorithm)
        .next()
        .map_or(&[][..], |id| id.content);
    let known = KNOWN.iter().find(|(known, _)| *known == id);
    known.map_or("unknown", |(_, name)| name)
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
