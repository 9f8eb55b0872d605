//! The converters, by family: each file has its rows, its functions and their tests.

mod cipher;
mod codec;
mod date;
mod fix;
mod forwarded;
mod hash;
mod json;
mod jwe;
mod map;
mod message;
mod mqtt;
mod network;
mod number;
mod packet;
mod proxy;
mod replace;
mod stored;
mod table;
mod text;
mod token;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use jwe::{ALGORITHMS as JWE_ALGORITHMS, ENCRYPTIONS as JWE_ENCRYPTIONS};

use super::row::Conv;

/// Every family.
const FAMILIES: &[&[Conv]] = &[
    cipher::ROWS,
    codec::ROWS,
    date::ROWS,
    fix::ROWS,
    forwarded::ROWS,
    hash::ROWS,
    json::ROWS,
    jwe::ROWS,
    map::ROWS,
    message::ROWS,
    mqtt::ROWS,
    network::ROWS,
    number::ROWS,
    packet::ROWS,
    proxy::ROWS,
    replace::ROWS,
    stored::ROWS,
    table::ROWS,
    text::ROWS,
    token::ROWS,
];

/// Converters of HAProxy's that have no place here, and why.
pub(super) const UNSUPPORTED: &[(&str, &str)] = &[(
    "jwt_decrypt_cert",
    "the cryptographic library does not decrypt with RSA; jwt_decrypt_secret and jwt_decrypt_jwk open what a secret does",
)];

/// Every converter.
pub fn all() -> impl Iterator<Item = &'static Conv> {
    FAMILIES.iter().copied().flatten()
}

/// The converter of a keyword.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static Conv> {
    static BY_NAME: OnceLock<HashMap<&'static [u8], &'static Conv>> = OnceLock::new();
    BY_NAME
        .get_or_init(|| all().map(|c| (c.name.as_bytes(), c)).collect())
        .get(name)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().map(|c| c.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
