//! `hash-type`: from a key to the 32-bit number that places it.

use crate::codec::hash::avalanche;

pub use crate::codec::hash::Function as HashFn;

/// `hash-type`: how a key finds its server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashType {
    /// On a ring, so that a server that comes or goes moves only its share of the keys; else by a map.
    pub consistent: bool,
    /// What turns bytes into a number.
    pub function: HashFn,
    /// Whether the number is stirred once more.
    pub avalanche: bool,
}

impl HashType {
    /// The number of a key.
    #[must_use]
    pub fn of_bytes(&self, key: &[u8]) -> u32 {
        self.stirred(self.function.of(key))
    }

    /// The number of an address: its 32-bit words laid over each other, whatever the function.
    #[must_use]
    pub fn of_address(&self, octets: &[u8]) -> u32 {
        let words = octets.chunks_exact(4).map(|word| {
            word.iter()
                .fold(0_u32, |sum, &octet| sum << 8 | u32::from(octet))
        });
        self.stirred(words.fold(0, |sum, word| sum ^ word))
    }

    fn stirred(&self, hash: u32) -> u32 {
        if self.avalanche {
            avalanche(hash)
        } else {
            hash
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_give_haproxys_numbers() {
        // Observed with the converters of the same names on haproxy 2.6.12.
        let of = |function, avalanche| {
            HashType {
                function,
                avalanche,
                consistent: false,
            }
            .of_bytes(b"hello")
        };
        assert_eq!(of(HashFn::Sdbm, false), 684_824_882);
        assert_eq!(of(HashFn::Sdbm, true), 2_061_535_398);
        assert_eq!(of(HashFn::Djb2, false), 261_238_937);
        assert_eq!(of(HashFn::Wt6, false), 3_538_347_703);
        assert_eq!(of(HashFn::Crc32, false), 907_060_870);
    }

    #[test]
    fn addresses_fold_word_by_word() {
        let plain = HashType::default();
        assert_eq!(plain.of_address(&[127, 0, 0, 1]), 0x7f00_0001);
        let v6 = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 8];
        assert_eq!(plain.of_address(&v6), 15);
        assert_eq!(kind_none().of_bytes(b"42"), 42);
    }

    fn kind_none() -> HashType {
        HashType {
            function: HashFn::None,
            ..HashType::default()
        }
    }
}
