//! Digests and keyed digests, by the names the converters use.

use ring::{digest, hmac};
use sha2::Digest as _;

/// A digest function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MD5.
    Md5,
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
    /// SHA-512 cut to 224 bits, from a beginning of its own.
    Sha512To224,
    /// SHA-512 cut to 256 bits, from a beginning of its own.
    Sha512To256,
}

impl Digest {
    /// The functions there are.
    pub const NAMES: &str = "md5, sha1, sha224, sha256, sha384, sha512, sha512-224, sha512-256";

    /// Whether OpenSSL has a function of this name, in small letters.
    pub fn is_elsewhere(name: &[u8]) -> bool {
        let kinds: [&[u8]; 8] = [
            b"sha3-",
            b"shake",
            b"blake2",
            b"ripemd",
            b"rmd160",
            b"sm3",
            b"md4",
            b"whirlpool",
        ];
        kinds.iter().any(|kind| name.starts_with(kind))
    }

    /// The function of that name, as OpenSSL spells it, in either case.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('/', "-");
        let name = name.replace("sha2-", "sha").replace("sha-", "sha");
        Some(match name.as_str() {
            "md5" => Self::Md5,
            "sha512-224" => Self::Sha512To224,
            "sha512-256" => Self::Sha512To256,
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
            Self::Md5 => return out.extend_from_slice(&md5::Md5::digest(bytes)),
            Self::Sha224 => return out.extend_from_slice(&sha2::Sha224::digest(bytes)),
            Self::Sha512To224 => return out.extend_from_slice(&sha2::Sha512_224::digest(bytes)),
            Self::Sha512To256 => return out.extend_from_slice(&sha2::Sha512_256::digest(bytes)),
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
            Self::Md5 => return keyed_by::<md5::Md5>(64, key, bytes, out),
            Self::Sha224 => return keyed_by::<sha2::Sha224>(64, key, bytes, out),
            Self::Sha512To224 => return keyed_by::<sha2::Sha512_224>(128, key, bytes, out),
            Self::Sha512To256 => return keyed_by::<sha2::Sha512_256>(128, key, bytes, out),
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, key), bytes);
        out.extend_from_slice(tag.as_ref());
    }
}

/// The HMAC by a function that takes blocks of so many bytes.
fn keyed_by<D: sha2::Digest>(block_len: usize, key: &[u8], bytes: &[u8], out: &mut Vec<u8>) {
    let mut block = if key.len() > block_len {
        D::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(block_len, 0);
    let masked = |mask: u8| block.iter().map(|byte| byte ^ mask).collect::<Vec<u8>>();
    let inner = D::new().chain_update(masked(0x36)).chain_update(bytes);
    let outer = D::new()
        .chain_update(masked(0x5c))
        .chain_update(inner.finalize());
    out.extend_from_slice(&outer.finalize());
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
        assert_eq!(of("md5"), "900150983cd24fb0d6963f7d28e17f72");
        assert!(of("SHA512-256").starts_with("53048e2681941ef9"));
        assert!(of("sha-512/224").starts_with("4634270f707b6a54"));
        assert_eq!(of("SHA2-256"), of("sha256"));
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

    /// RFC 4231, test cases 2 and 6; RFC 2104.
    #[test]
    fn keyed_digests() {
        let keyed = |d: Digest, key: &[u8], m: &[u8]| text(|o| d.keyed(key, m, o));
        let question = b"what do ya want for nothing?";
        assert_eq!(
            keyed(Digest::Sha224, b"Jefe", question),
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"
        );
        assert_eq!(
            keyed(Digest::Md5, b"Jefe", question),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        let cut = keyed(Digest::Sha512To256, b"Jefe", question);
        assert!(cut.starts_with("6df7b24630d5ccb2"), "{cut}");
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
