//! `hash-type`: from a key to the 32-bit number that places it.

/// The function of `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFn {
    /// Spreads words and addresses well; the default.
    #[default]
    Sdbm,
    /// Bernstein's, better for some short words.
    Djb2,
    /// Wei Dai's candidate of 1993 with sixteen-bit feedback.
    Wt6,
    /// CRC-32 as Ethernet computes it.
    Crc32,
    /// The key is a number already: its decimal text is read as such.
    None,
}

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
        self.stirred(match self.function {
            HashFn::Sdbm => sdbm(key),
            HashFn::Djb2 => djb2(key),
            HashFn::Wt6 => wt6(key),
            HashFn::Crc32 => crc32fast::hash(key),
            HashFn::None => number(key),
        })
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

fn number(key: &[u8]) -> u32 {
    key.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |sum: u32, &digit| {
            sum.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        })
}

fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0_u32, |hash, &byte| {
        u32::from(byte)
            .wrapping_add(hash << 6)
            .wrapping_add(hash << 16)
            .wrapping_sub(hash)
    })
}

fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381_u32, |hash, &byte| {
        hash.wrapping_mul(33).wrapping_add(u32::from(byte))
    })
}

fn wt6(key: &[u8]) -> u32 {
    let (mut h0, mut h1) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut left, mut right) = (6, 18);
    for &byte in key {
        h0 = !(h0 ^ u32::from(byte));
        h1 = !h1.wrapping_add(u32::from(byte));
        (h0, h1) = (h1.rotate_left(left), h0.rotate_left(right));
        let feedback = ((h0 >> 16) ^ h1) & 0xffff;
        left = feedback & 31;
        right = feedback >> 11;
    }
    h0 ^ h1
}

/// Stirs all bits of a number, reversibly: Jenkins' six-step integer hash, then a multiplication that spreads
/// neighbours over the whole circle.
pub(super) fn avalanche(number: u32) -> u32 {
    let mut a = number;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
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
