//! Object identifiers that certificates use, as DER has them, and their names in OpenSSL.

use std::borrow::Cow;

/// `commonName`: 2.5.4.3.
pub const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// `subjectKeyIdentifier`: 2.5.29.14.
pub const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
/// `keyUsage`: 2.5.29.15.
pub const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// `subjectAltName`: 2.5.29.17.
pub const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// `basicConstraints`: 2.5.29.19.
pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// `nameConstraints`: 2.5.29.30.
pub const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
/// `certificatePolicies`: 2.5.29.32.
pub const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
/// `authorityKeyIdentifier`: 2.5.29.35.
pub const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
/// `extKeyUsage`: 2.5.29.37.
pub const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// `anyExtendedKeyUsage`: 2.5.29.37.0.
pub const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0];
/// `authorityInfoAccess`: 1.3.6.1.5.5.7.1.1.
pub const AUTHORITY_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// `id-ad-ocsp`, of answers about certificates: 1.3.6.1.5.5.7.48.1.
pub const OCSP_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// `rsaEncryption`: 1.2.840.113549.1.1.1.
pub const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// `id-ecPublicKey`: 1.2.840.10045.2.1.
pub const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

/// Kinds of parts of names, by their short names.
#[rustfmt::skip]
const PARTS: &[(&[u8], &str)] = &[
    (COMMON_NAME,   "CN"),
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
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

/// Algorithms, by their short and their long names.
#[rustfmt::skip]
const ALGORITHMS: &[(&[u8], &str, &str)] = &[
    (RSA, "rsaEncryption", "rsaEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],  "RSA-SHA1",   "sha1WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10], "RSASSA-PSS", "rsassaPss"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], "RSA-SHA256", "sha256WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], "RSA-SHA384", "sha384WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], "RSA-SHA512", "sha512WithRSAEncryption"),
    (ELLIPTIC, "id-ecPublicKey", "id-ecPublicKey"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],    "ecdsa-with-SHA1",   "ecdsa-with-SHA1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], "ecdsa-with-SHA256", "ecdsa-with-SHA256"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], "ecdsa-with-SHA384", "ecdsa-with-SHA384"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], "ecdsa-with-SHA512", "ecdsa-with-SHA512"),
    (&[0x2b, 0x65, 0x70], "ED25519", "ED25519"),
    (&[0x2b, 0x65, 0x71], "ED448",   "ED448"),
];

/// The short name of a kind of part; the identifier in digits where it has none.
pub fn part(id: &[u8]) -> Cow<'static, str> {
    let known = PARTS.iter().find(|(known, _)| *known == id);
    known.map_or_else(|| digits(id).into(), |(_, name)| (*name).into())
}

/// The short name of an algorithm; the identifier in digits where it has none.
pub fn algorithm(id: &[u8]) -> Cow<'static, str> {
    let known = ALGORITHMS.iter().find(|(known, ..)| *known == id);
    known.map_or_else(|| digits(id).into(), |(_, short, _)| (*short).into())
}

/// The long name of an algorithm.
pub fn algorithm_in_full(id: &[u8]) -> Option<&'static str> {
    let known = ALGORITHMS.iter().find(|(known, ..)| *known == id);
    known.map(|(.., long)| *long)
}

/// An object identifier in digits and dots.
pub fn digits(id: &[u8]) -> String {
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
        assert_eq!(part(COMMON_NAME), "CN");
    }
}
