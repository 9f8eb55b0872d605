//! Digests and keyed digests, by the names the converters use.

use ring::{digest, hmac};
use sha2::Digest as _;

/// A digest function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The function of that name, as OpenSSL spells it, in either case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The SHA-2 function of so many bits.
    pub fn sha2(bits: u32) -> Option<Self> {
        Some(match bits {
            224 => Self::Sha224,
            256 => Self::Sha256,
            384 => Self::Sha384,
            512 => Self::Sha512,
            _ => return None,
        })
    }

    /// Appends the digest of `bytes`.
    pub fn of(self, bytes: &[u8], out: &mut Vec<u8>) {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => return out.extend_from_slice(&sha2::Sha224::digest(bytes)),
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        out.extend_from_slice(digest::digest(algorithm, bytes).as_ref());
    }

    /// Appends the HMAC (RFC 2104) of `bytes` under `key`.
    pub fn keyed(self, key: &[u8], bytes: &[u8], out: &mut Vec<u8>) {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => return hmac_sha224(key, bytes, out),
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, key), bytes);
        out.extend_from_slice(tag.as_ref());
    }
}

fn hmac_sha224(key: &[u8], bytes: &[u8], out: &mut Vec<u8>) {
    const BLOCK: usize = 64;
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        block[..28].copy_from_slice(&sha2::Sha224::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = sha2::Sha224::new()
        .chain_update(block.map(|b| b ^ 0x36))
        .chain_update(bytes)
        .finalize();
    let outer = sha2::Sha224::new()
        .chain_update(block.map(|b| b ^ 0x5c))
        .chain_update(inner)
        .finalize();
    out.extend_from_slice(&outer);
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let (mut raw, mut out) = (Vec::new(), Vec::new());
        write(&mut raw);
        hex::encode_lower(&raw, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// FIPS 180 examples.
    #[test]
    fn digests_of_abc() {
        let of = |name: &str| text(|o| Digest::named(name).expect(name).of(b"abc", o));
        assert_eq!(of("sha1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            of("SHA224"),
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"
        );
        assert!(of("sha256").starts_with("ba7816bf8f01cfea"));
        assert!(of("sha384").starts_with("cb00753f45a35e8b"));
        assert!(of("sha512").starts_with("ddaf35a193617aba"));
        assert_eq!(Digest::sha2(160), None);
    }

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn keyed_digests() {
        let keyed = |d: Digest, key: &[u8], m: &[u8]| text(|o| d.keyed(key, m, o));
        let question = b"what do ya want for nothing?";
        assert_eq!(
            keyed(Digest::Sha224, b"Jefe", question),
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"
        );
        assert!(keyed(Digest::Sha256, b"Jefe", question).starts_with("5bdcc146bf60754e"));
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert!(keyed(Digest::Sha224, &[0xaa; 131], long).starts_with("95e9a0db962095ad"));
    }

    #[test]
    fn secrets_compare_by_content() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
