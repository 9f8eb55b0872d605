//! MD5-crypt, the scheme `$1$`: weak, and still found in old files.

use md5::{Digest, Md5};

const ROUNDS: u32 = 1_000;
/// Characters of a salt that count in this scheme.
const SALT_MAX: usize = 8;
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The hash of a password, as it stands behind the salt.
pub(super) fn crypt(password: &[u8], salt: &[u8]) -> String {
    let salt = &salt[..salt.len().min(SALT_MAX)];
    let mut sum = first(password, salt);
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        let odd = round % 2 == 1;
        next.update(if odd { password } else { &sum });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &sum } else { password });
        sum = next.finalize().into();
    }
    encode(&sum)
}

fn first(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner: [u8; 16] = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize()
        .into();
    let mut outer = Md5::new()
        .chain_update(password)
        .chain_update(b"$1$")
        .chain_update(salt);
    for piece in password.chunks(inner.len()) {
        outer.update(&inner[..piece.len()]);
    }
    let mut left = password.len();
    while left > 0 {
        let zero = left & 1 == 1;
        outer.update(if zero { &[0][..] } else { &password[..1] });
        left >>= 1;
    }
    outer.finalize().into()
}

/// Six bits a character, three bytes at a time in the scheme's own order.
fn encode(sum: &[u8; 16]) -> String {
    const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut out = String::with_capacity(22);
    let mut digits = |mut bits: u32, count| {
        for _ in 0..count {
            out.push(char::from(DIGITS[(bits & 63) as usize]));
            bits >>= 6;
        }
    };
    for [high, middle, low] in ORDER {
        let byte = |at: usize| u32::from(sum[at]);
        digits(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    digits(u32::from(sum[11]), 2);
    out
}
