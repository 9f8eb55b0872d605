//! AES in the modes that converters ask for: CBC with padding (SP 800-38A), GCM (SP 800-38D), wrapped keys (RFC 3394).
//!
//! Keys are of 128, 192 or 256 bits. `None` is what did not fit: a key of another length, a tag or a padding that is not
//! what it has to be. GCM is ring's where ring has it, which is not for keys of 192 bits.

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::digest;

type Block = [u8; BLOCK];
const BLOCK: usize = 16;
/// The length of a tag of GCM.
const TAG: usize = 16;
/// What unwrapped keys begin with.
const UNWRAPPED: [u8; 8] = [0xa6; 8];

/// A key in use.
enum Cipher {
    Short(Aes128),
    Middle(Aes192),
    Long(Aes256),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Aes128::new_from_slice(key).ok()?),
            24 => Self::Middle(Aes192::new_from_slice(key).ok()?),
            32 => Self::Long(Aes256::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    fn encrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Self::Short(key) => key.encrypt_block(block),
            Self::Middle(key) => key.encrypt_block(block),
            Self::Long(key) => key.encrypt_block(block),
        }
    }

    fn decrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Self::Short(key) => key.decrypt_block(block),
            Self::Middle(key) => key.decrypt_block(block),
            Self::Long(key) => key.decrypt_block(block),
        }
    }
}

fn xor(into: &mut Block, other: &[u8]) {
    into.iter_mut().zip(other).for_each(|(a, b)| *a ^= b);
}

/// Encrypts with CBC, padded to whole blocks.
#[must_use]
pub fn cbc_encrypt(key: &[u8], iv: Block, bytes: &[u8]) -> Option<Vec<u8>> {
    let cipher = Cipher::new(key)?;
    let missing = BLOCK - bytes.len() % BLOCK;
    let mut out = Vec::with_capacity(bytes.len() + missing);
    let mut last = iv;
    for chunk in bytes
        .chunks(BLOCK)
        .chain((missing == BLOCK).then_some(&[][..]))
    {
        let mut block = [u8::try_from(BLOCK - chunk.len()).unwrap_or(0); BLOCK];
        block[..chunk.len()].copy_from_slice(chunk);
        xor(&mut last, &block);
        cipher.encrypt(&mut last);
        out.extend(last);
    }
    Some(out)
}

/// Decrypts what CBC has encrypted, and takes the padding off.
#[must_use]
pub fn cbc_decrypt(key: &[u8], iv: Block, bytes: &[u8]) -> Option<Vec<u8>> {
    let cipher = Cipher::new(key)?;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    if blocks.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut last = iv;
    for sealed in blocks {
        let mut block = *sealed;
        cipher.decrypt(&mut block);
        xor(&mut block, &last);
        out.extend(block);
        last = *sealed;
    }
    let missing = usize::from(*out.last()?);
    let end = out.len().checked_sub(missing)?;
    let is_padding = (1..=BLOCK).contains(&missing)
        && out[end..].iter().all(|byte| usize::from(*byte) == missing);
    is_padding.then(|| {
        out.truncate(end);
        out
    })
}

/// The key that was wrapped by another (RFC 3394).
#[must_use]
pub fn unwrap_key(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let cipher = Cipher::new(key)?;
    let (first, rest) = wrapped.split_first_chunk::<8>()?;
    let (parts, odd) = rest.as_chunks::<8>();
    if parts.len() < 2 || !odd.is_empty() {
        return None;
    }
    let (mut check, mut parts) = (*first, parts.to_vec());
    let count = parts.len() as u64;
    for round in (0..6).rev() {
        for (at, part) in parts.iter_mut().enumerate().rev() {
            let step = count * round + at as u64 + 1;
            let mut block = [0; BLOCK];
            block[..8].copy_from_slice(&(u64::from_be_bytes(check) ^ step).to_be_bytes());
            block[8..].copy_from_slice(part);
            cipher.decrypt(&mut block);
            check.copy_from_slice(&block[..8]);
            part.copy_from_slice(&block[8..]);
        }
    }
    digest::equal(&check, &UNWRAPPED).then(|| parts.concat())
}

/// Encrypts with GCM; what comes of it, and the tag.
#[must_use]
pub fn gcm_seal(
    key: &[u8],
    nonce: [u8; 12],
    also: &[u8],
    bytes: &[u8],
) -> Option<(Vec<u8>, [u8; TAG])> {
    let mut bytes = bytes.to_vec();
    let Some(known) = of_ring(key)? else {
        let (cipher, hash) = by_hand(key)?;
        counted(&cipher, nonce, &mut bytes);
        let tag = tag(&cipher, hash, nonce, also, &bytes);
        return Some((bytes, tag));
    };
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = known.seal_in_place_separate_tag(nonce, Aad::from(also), &mut bytes);
    let tag = sealed.ok()?.as_ref().try_into().ok()?;
    Some((bytes, tag))
}

/// Decrypts what GCM has encrypted, if the tag is right.
#[must_use]
pub fn gcm_open(
    key: &[u8],
    nonce: [u8; 12],
    also: &[u8],
    bytes: &[u8],
    found: &[u8],
) -> Option<Vec<u8>> {
    if found.len() != TAG {
        return None;
    }
    let Some(known) = of_ring(key)? else {
        let (cipher, hash) = by_hand(key)?;
        let tag = tag(&cipher, hash, nonce, also, bytes);
        let mut bytes = bytes.to_vec();
        counted(&cipher, nonce, &mut bytes);
        return digest::equal(&tag, found).then_some(bytes);
    };
    let mut all = [bytes, found].concat();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let opened = known.open_in_place(nonce, Aad::from(also), &mut all);
    Some(opened.ok()?.to_vec())
}

/// The key as ring has it; nothing inside where it has none of that length.
fn of_ring(key: &[u8]) -> Option<Option<LessSafeKey>> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => return Some(None),
        32 => &AES_256_GCM,
        _ => return None,
    };
    Some(Some(LessSafeKey::new(
        UnboundKey::new(algorithm, key).ok()?,
    )))
}

/// The key and the point by which GCM hashes.
fn by_hand(key: &[u8]) -> Option<(Cipher, u128)> {
    let cipher = Cipher::new(key)?;
    let mut zeros = [0; BLOCK];
    cipher.encrypt(&mut zeros);
    Some((cipher, u128::from_be_bytes(zeros)))
}

/// The block of a nonce with this count.
fn count(nonce: [u8; 12], count: u32) -> Block {
    let mut block = [0; BLOCK];
    block[..12].copy_from_slice(&nonce);
    block[12..].copy_from_slice(&count.to_be_bytes());
    block
}

/// Encrypts or decrypts by counting.
fn counted(cipher: &Cipher, nonce: [u8; 12], bytes: &mut [u8]) {
    for (chunk, at) in bytes.chunks_mut(BLOCK).zip(2..) {
        let mut block = count(nonce, at);
        cipher.encrypt(&mut block);
        chunk.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
    }
}

fn tag(cipher: &Cipher, point: u128, nonce: [u8; 12], also: &[u8], bytes: &[u8]) -> [u8; TAG] {
    let mut hash = 0;
    for chunk in also.chunks(BLOCK).chain(bytes.chunks(BLOCK)) {
        let mut block = [0; BLOCK];
        block[..chunk.len()].copy_from_slice(chunk);
        hash = times(hash ^ u128::from_be_bytes(block), point);
    }
    let bits = |len: usize| len as u128 * 8;
    hash = times(hash ^ (bits(also.len()) << 64 | bits(bytes.len())), point);
    let mut tag = count(nonce, 1);
    cipher.encrypt(&mut tag);
    xor(&mut tag, &hash.to_be_bytes());
    tag
}

/// The product in GCM's field, whose bits count from the left; its time does not tell the factors.
fn times(a: u128, b: u128) -> u128 {
    const FOLD: u128 = 0xe1 << 120;
    let (mut product, mut shifted) = (0, b);
    for at in (0..128).rev() {
        product ^= shifted & (a >> at & 1).wrapping_neg();
        shifted = (shifted >> 1) ^ (FOLD & (shifted & 1).wrapping_neg());
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    fn raw(text: &str) -> Vec<u8> {
        hex::decode(text.as_bytes()).expect("hexadecimal")
    }

    fn exact<const N: usize>(text: &str) -> [u8; N] {
        raw(text).try_into().expect("of that length")
    }

    /// SP 800-38A, F.2.1, F.2.3 and F.2.5: the first block.
    #[test]
    fn chained_blocks() {
        let iv = exact("000102030405060708090a0b0c0d0e0f");
        let plain = raw("6bc1bee22e409f96e93d7e117393172a");
        for (key, sealed) in [
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "7649abac8119b246cee98e9b12e9197d",
            ),
            (
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "4f021db243bc633d7178183a9fa071e8",
            ),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
            ),
        ] {
            let key = raw(key);
            let all = cbc_encrypt(&key, iv, &plain).expect("a key");
            assert_eq!((all.len(), &all[..16]), (32, &*raw(sealed)));
            assert_eq!(cbc_decrypt(&key, iv, &all).as_deref(), Some(&*plain));
            assert_eq!(cbc_decrypt(&key, iv, &all[..31]), None);
            assert_eq!(cbc_decrypt(&key, iv, &all[..16]), None, "no padding");
        }
        let none = cbc_encrypt(&[0; 16], iv, b"").expect("a key");
        assert_eq!(none.len(), 16);
        assert_eq!(cbc_decrypt(&[0; 16], iv, &none).as_deref(), Some(&[][..]));
        assert_eq!(cbc_encrypt(&[0; 17], iv, b""), None);
    }

    /// RFC 3394, 4.1 and 4.6.
    #[test]
    fn wrapped_keys() {
        let short = raw("000102030405060708090a0b0c0d0e0f");
        let wrapped = raw("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
        let plain = raw("00112233445566778899aabbccddeeff");
        assert_eq!(unwrap_key(&short, &wrapped), Some(plain));
        let long = raw("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
        let wrapped =
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
        let plain = raw("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        assert_eq!(unwrap_key(&long, &raw(wrapped)), Some(plain));
        let mut wrong = raw(wrapped);
        wrong[0] ^= 1;
        assert_eq!(unwrap_key(&long, &wrong), None);
        assert_eq!(unwrap_key(&long, &wrong[..12]), None);
    }

    /// The specification of GCM, test cases 4, 10 and 16, which differ in the length of the key.
    #[test]
    fn counters_with_tags() {
        let nonce = exact("cafebabefacedbaddecaf888");
        let also = raw("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = raw(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        for (len, first, tag) in [
            (16, "42831ec221777424", "5bc94fbc3221a5db94fae95ae7121a47"),
            (24, "3980ca0b3c00e841", "2519498e80f1478f37ba55bd6d27618c"),
            (32, "522dc1f099567d07", "76fc6ece0f4e1768cddf8853bb2d551b"),
        ] {
            let mut key = raw("feffe9928665731c6d6a8f9467308308").repeat(2);
            key.truncate(len);
            let (sealed, own) = gcm_seal(&key, nonce, &also, &plain).expect("a key");
            assert_eq!(
                (&sealed[..8], &own[..]),
                (&*raw(first), &*raw(tag)),
                "{len}"
            );
            let opened = gcm_open(&key, nonce, &also, &sealed, &own);
            assert_eq!(opened.as_deref(), Some(&*plain));
            assert_eq!(gcm_open(&key, nonce, b"", &sealed, &own), None);
            assert_eq!(gcm_open(&key, nonce, &also, &sealed, &own[..15]), None);
        }
    }
}
