//! The hash functions of `hash-type` and of the converters of the same names.

use std::str::FromStr;

/// A function of `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Function {
    /// From the sdbm database: the default.
    #[default]
    Sdbm,
    /// Bernstein's.
    Djb2,
    /// HAProxy's own, which spreads short keys evenly.
    Wt6,
    /// The checksum of Ethernet and gzip.
    Crc32,
    /// No hash: the key read as a number.
    None,
}

impl Function {
    /// The hash of a key.
    pub fn of(self, key: &[u8]) -> u32 {
        match self {
            Self::Sdbm => sdbm(key),
            Self::Djb2 => djb2(key),
            Self::Wt6 => wt6(key),
            Self::Crc32 => crc32(key),
            Self::None => number(key),
        }
    }
}

/// The names the configuration uses; anything else is an error without content.
impl FromStr for Function {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "sdbm" => Ok(Self::Sdbm),
            "djb2" => Ok(Self::Djb2),
            "wt6" => Ok(Self::Wt6),
            "crc32" => Ok(Self::Crc32),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

/// sdbm.
pub fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0, |h: u32, b| {
        u32::from(*b)
            .wrapping_add(h << 6)
            .wrapping_add(h << 16)
            .wrapping_sub(h)
    })
}

/// djb2.
pub fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381, |h: u32, b| {
        (h << 5).wrapping_add(h).wrapping_add(u32::from(*b))
    })
}

/// wt6: two words that rotate each other by amounts taken from their own bits.
pub fn wt6(key: &[u8]) -> u32 {
    let (mut a, mut b) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut left, mut right) = (6, 18);
    for byte in key {
        let byte = u32::from(*byte);
        a = !(a ^ byte);
        b = !b.wrapping_add(byte);
        (a, b) = (b.rotate_left(left), a.rotate_left(right));
        let mixed = ((a >> 16) ^ b) & 0xffff;
        (left, right) = (mixed & 0x1f, mixed >> 11);
    }
    a ^ b
}

/// CRC-32 (IEEE 802.3).
pub fn crc32(key: &[u8]) -> u32 {
    crc32fast::hash(key)
}

/// CRC-32C (Castagnoli), as PROXY v2 headers carry it.
pub fn crc32c(key: &[u8]) -> u32 {
    !key.iter().fold(u32::MAX, |crc, b| {
        (crc >> 8) ^ CASTAGNOLI[((crc ^ u32::from(*b)) & 0xff) as usize]
    })
}

/// The number a key spells, as C's `strtol` finds it: the length is cut to 32 bits, no digits make 0.
fn number(key: &[u8]) -> u32 {
    let text = key.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let value = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0_u32, |n, b| {
            n.wrapping_mul(10).wrapping_add(u32::from(b - b'0'))
        });
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}

/// A full avalanche: each input bit changes half of the output bits. `hash-type … avalanche`, and where HAProxy
/// mixes an integer (server identities on the ring, source addresses).
pub fn avalanche(value: u32) -> u32 {
    // Bob Jenkins' integer mix, then a large prime close to three quarters of the space, as a ring needs it.
    let mut a = value;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

/// XXH32.
pub fn xxh32(key: &[u8], seed: u32) -> u32 {
    xxhash_rust::xxh32::xxh32(key, seed)
}

/// XXH64.
pub fn xxh64(key: &[u8], seed: u64) -> u64 {
    xxhash_rust::xxh64::xxh64(key, seed)
}

/// XXH3, 64 bits.
pub fn xxh3(key: &[u8], seed: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(key, seed)
}

const CASTAGNOLI: [u32; 256] = castagnoli();

const fn castagnoli() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut crc = index;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected figures were printed by HAProxy's converters.

    #[test]
    fn families_agree_with_haproxy() {
        assert_eq!(sdbm(b"abc"), 807_794_786);
        assert_eq!(djb2(b"abc"), 193_485_963);
        assert_eq!(wt6(b"abc"), 2_483_038_440);
        assert_eq!(wt6(b"abcdefghijklmnop"), 2_269_216_868);
        assert_eq!(crc32(b"abc"), 891_568_578);
        assert_eq!(crc32c(b"abc"), 910_901_175);
    }

    #[test]
    fn high_bytes_are_unsigned() {
        let key = b"\xe9\xff";
        assert_eq!(sdbm(key), 15_284_822);
        assert_eq!(djb2(key), 5_867_853);
        assert_eq!(wt6(key), 3_988_370_829);
        assert_eq!(crc32(key), 3_815_224_791);
    }

    #[test]
    fn the_avalanche_agrees_with_haproxy() {
        assert_eq!(avalanche(sdbm(b"abc")), 659_243_622);
        assert_eq!(avalanche(djb2(b"abc")), 2_235_766_107);
        assert_eq!(avalanche(wt6(b"abc")), 266_135_527);
        assert_eq!(avalanche(crc32(b"abc")), 930_845_320);
    }

    #[test]
    fn xxhash_takes_its_seed() {
        assert_eq!(xxh32(b"abc", 0), 852_579_327);
        assert_eq!(xxh32(b"abc", 7), 1_473_238_068);
        assert_eq!(xxh64(b"abc", 0), 4_952_883_123_889_572_249);
        assert_eq!(xxh3(b"abc", 0), 8_696_274_497_037_089_104);
        assert_eq!(xxh3(b"abc", 5), 6_167_986_026_487_092_235);
    }

    #[test]
    fn names_and_numbers() {
        assert_eq!("wt6".parse(), Ok(Function::Wt6));
        assert_eq!("md5".parse::<Function>(), Err(()));
        assert_eq!(Function::None.of(b" 42abc"), 42);
        assert_eq!(Function::None.of(b"x"), 0);
        assert_eq!(Function::None.of(b"-1"), u32::MAX);
    }
}
