//! Signatures by the curve P-521 (FIPS 186-4, D.1.2.5), verified.
//!
//! ring has no P-521, and tokens signed by ES512 need it. Everything here is public (key, signature, message), so that nothing has to be done in
//! constant time; nothing here signs. Numbers are nine limbs of 64 bits, the least first; points are in Jacobian coordinates.

use super::digest::Digest;

const LIMBS: usize = 9;

type Number = [u64; LIMBS];

/// 2^521 - 1
const PRIME: Number = [
    u64::MAX,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    0x1ff,
];

/// The number of points.
const ORDER: Number = [
    0xbb6f_b71e_9138_6409,
    0x3bb5_c9b8_899c_47ae,
    0x7fcc_0148_f709_a5d0,
    0x5186_8783_bf2f_966b,
    0xffff_ffff_ffff_fffa,
    u64::MAX,
    u64::MAX,
    u64::MAX,
    0x1ff,
];

/// `b` of `y² = x³ - 3x + b`.
const B: Number = [
    0xef45_1fd4_6b50_3f00,
    0x3573_df88_3d2c_34f1,
    0x1652_c0bd_3bb1_bf07,
    0x5619_3951_ec7e_937b,
    0xb8b4_8991_8ef1_09e1,
    0xa2da_725b_99b3_15f3,
    0x929a_21a0_b685_40ee,
    0x953e_b961_8e1c_9a1f,
    0x051,
];

const BASE: (Number, Number) = (
    [
        0xf97e_7e31_c2e5_bd66,
        0x3348_b3c1_856a_429b,
        0xfe1d_c127_a2ff_a8de,
        0xa14b_5e77_efe7_5928,
        0xf828_af60_6b4d_3dba,
        0x9c64_8139_053f_b521,
        0x9e3e_cb66_2395_b442,
        0x858e_06b7_0404_e9cd,
        0x0c6,
    ],
    [
        0x88be_9476_9fd1_6650,
        0x353c_7086_a272_c240,
        0xc550_b901_3fad_0761,
        0x97ee_7299_5ef4_2640,
        0x17af_bd17_273e_662c,
        0x98f5_4449_579b_4468,
        0x5c8a_5fb4_2c7d_1bd9,
        0x3929_6a78_9a3b_c004,
        0x118,
    ],
);

/// Bytes of a number.
const BYTES: usize = 66;

/// A modulus.
#[derive(Clone, Copy)]
struct Field(&'static Number);

const COORDINATES: Field = Field(&PRIME);
const SCALARS: Field = Field(&ORDER);

fn read(bytes: &[u8]) -> Number {
    let mut number = [0; LIMBS];
    for (at, byte) in bytes.iter().rev().enumerate() {
        number[at / 8] |= u64::from(*byte) << (at % 8 * 8);
    }
    number
}

fn is_less(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn is_zero(a: &Number) -> bool {
    a.iter().all(|limb| *limb == 0)
}

/// The sum and the difference never leave nine limbs, for moduli have 521 bits.
fn plus(a: &Number, b: &Number) -> Number {
    let (mut out, mut carry) = ([0; LIMBS], false);
    for at in 0..LIMBS {
        let (sum, over) = a[at].overflowing_add(b[at]);
        let (sum, again) = sum.overflowing_add(u64::from(carry));
        (out[at], carry) = (sum, over || again);
    }
    out
}

fn minus(a: &Number, b: &Number) -> Number {
    let (mut out, mut borrow) = ([0; LIMBS], false);
    for at in 0..LIMBS {
        let (rest, under) = a[at].overflowing_sub(b[at]);
        let (rest, again) = rest.overflowing_sub(u64::from(borrow));
        (out[at], borrow) = (rest, under || again);
    }
    out
}

impl Field {
    fn add(self, a: &Number, b: &Number) -> Number {
        let sum = plus(a, b);
        if is_less(&sum, self.0) {
            sum
        } else {
            minus(&sum, self.0)
        }
    }

    fn sub(self, a: &Number, b: &Number) -> Number {
        if is_less(a, b) {
            minus(&plus(a, self.0), b)
        } else {
            minus(a, b)
        }
    }

    /// By doubling and adding, which 521 bits can afford where few numbers are multiplied.
    fn mul_slowly(self, a: &Number, b: &Number) -> Number {
        let mut out = [0; LIMBS];
        for at in (0..521).rev() {
            out = self.add(&out, &out);
            if bit(b, at) {
                out = self.add(&out, a);
            }
        }
        out
    }

    /// The inverse, by Euclid's binary algorithm; the modulus is odd.
    fn invert(self, a: &Number) -> Number {
        let (mut u, mut v) = (*a, *self.0);
        let (mut x, mut y) = ([0; LIMBS], [0; LIMBS]);
        x[0] = 1;
        while !is_one(&u) && !is_one(&v) {
            while u[0] & 1 == 0 {
                u = half(&u);
                x = self.halve(&x);
            }
            while v[0] & 1 == 0 {
                v = half(&v);
                y = self.halve(&y);
            }
            if is_less(&u, &v) {
                v = minus(&v, &u);
                y = self.sub(&y, &x);
            } else {
                u = minus(&u, &v);
                x = self.sub(&x, &y);
            }
        }
        if is_one(&u) { x } else { y }
    }

    fn halve(self, a: &Number) -> Number {
        if a[0] & 1 == 0 {
            half(a)
        } else {
            half(&plus(a, self.0))
        }
    }
}

fn is_one(a: &Number) -> bool {
    a[0] == 1 && a[1..].iter().all(|limb| *limb == 0)
}

fn half(a: &Number) -> Number {
    std::array::from_fn(|at| a[at] >> 1 | a.get(at + 1).map_or(0, |next| next << 63))
}

fn bit(a: &Number, at: usize) -> bool {
    a[at / 64] >> (at % 64) & 1 == 1
}

/// The product of coordinates. What is above 521 bits is added below, for 2^521 is 1.
fn mul(a: &Number, b: &Number) -> Number {
    let mut wide = [0u64; 2 * LIMBS];
    for at in 0..LIMBS {
        let mut carry = 0u128;
        for other in 0..LIMBS {
            let place = &mut wide[at + other];
            let sum = u128::from(a[at]) * u128::from(b[other]) + u128::from(*place) + carry;
            (*place, carry) = (low(sum), sum >> 64);
        }
        wide[at + LIMBS] = low(carry);
    }
    let mut lower: Number = std::array::from_fn(|at| wide[at]);
    lower[8] &= 0x1ff;
    let upper: Number =
        std::array::from_fn(|at| wide[at + 8] >> 9 | wide.get(at + 9).map_or(0, |next| next << 55));
    COORDINATES.add(&lower, &upper)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn low(wide: u128) -> u64 {
    wide as u64
}

/// A point; `z` of zero is the one at infinity.
#[derive(Clone, Copy)]
struct Point {
    x: Number,
    y: Number,
    z: Number,
}

impl Point {
    const INFINITY: Point = Point {
        x: [0; LIMBS],
        y: [0; LIMBS],
        z: [0; LIMBS],
    };

    fn at((x, y): (Number, Number)) -> Self {
        let mut z = [0; LIMBS];
        z[0] = 1;
        Point { x, y, z }
    }

    fn double(&self) -> Point {
        let f = COORDINATES;
        if is_zero(&self.z) {
            return *self;
        }
        let delta = mul(&self.z, &self.z);
        let gamma = mul(&self.y, &self.y);
        let beta = mul(&self.x, &gamma);
        let alpha = mul(&f.sub(&self.x, &delta), &f.add(&self.x, &delta));
        let alpha = f.add(&f.add(&alpha, &alpha), &alpha);
        let twice = |a: &Number| f.add(a, a);
        let beta4 = twice(&twice(&beta));
        let x = f.sub(&mul(&alpha, &alpha), &twice(&beta4));
        let sum = f.add(&self.y, &self.z);
        let z = f.sub(&f.sub(&mul(&sum, &sum), &gamma), &delta);
        let gamma8 = twice(&twice(&twice(&mul(&gamma, &gamma))));
        let y = f.sub(&mul(&alpha, &f.sub(&beta4, &x)), &gamma8);
        Point { x, y, z }
    }

    fn add(&self, other: &Point) -> Point {
        let f = COORDINATES;
        if is_zero(&self.z) {
            return *other;
        }
        if is_zero(&other.z) {
            return *self;
        }
        let (z1, z2) = (mul(&self.z, &self.z), mul(&other.z, &other.z));
        let (u1, u2) = (mul(&self.x, &z2), mul(&other.x, &z1));
        let s1 = mul(&mul(&self.y, &other.z), &z2);
        let s2 = mul(&mul(&other.y, &self.z), &z1);
        let (h, r) = (f.sub(&u2, &u1), f.sub(&s2, &s1));
        if is_zero(&h) {
            return if is_zero(&r) {
                self.double()
            } else {
                Point::INFINITY
            };
        }
        let h2 = mul(&h, &h);
        let h3 = mul(&h2, &h);
        let v = mul(&u1, &h2);
        let x = f.sub(&f.sub(&mul(&r, &r), &h3), &f.add(&v, &v));
        let y = f.sub(&mul(&r, &f.sub(&v, &x)), &mul(&s1, &h3));
        let z = mul(&mul(&self.z, &other.z), &h);
        Point { x, y, z }
    }

    fn times(&self, scalar: &Number) -> Point {
        let mut out = Point::INFINITY;
        for at in (0..521).rev() {
            out = out.double();
            if bit(scalar, at) {
                out = out.add(self);
            }
        }
        out
    }
}

fn is_on_curve((x, y): &(Number, Number)) -> bool {
    let f = COORDINATES;
    let cube = mul(&mul(x, x), x);
    let thrice = f.add(&f.add(x, x), x);
    mul(y, y) == f.add(&f.sub(&cube, &thrice), &B)
}

/// Whether a signature, `r` and `s` in 66 bytes each, over the SHA-512 of a message is by this key, an uncompressed point.
pub fn is_signed(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Some((4, point)) = key.split_first().map(|(kind, point)| (*kind, point)) else {
        return false;
    };
    if point.len() != 2 * BYTES || signature.len() != 2 * BYTES {
        return false;
    }
    let key = (read(&point[..BYTES]), read(&point[BYTES..]));
    let (r, s) = (read(&signature[..BYTES]), read(&signature[BYTES..]));
    let good = |number: &Number| !is_zero(number) && is_less(number, &ORDER);
    let known = is_less(&key.0, &PRIME) && is_less(&key.1, &PRIME) && is_on_curve(&key);
    if !known || !good(&r) || !good(&s) {
        return false;
    }
    let mut digest = Vec::with_capacity(64);
    Digest::Sha512.of(message, &mut digest);
    let w = SCALARS.invert(&s);
    let (u1, u2) = (
        SCALARS.mul_slowly(&read(&digest), &w),
        SCALARS.mul_slowly(&r, &w),
    );
    let sum = Point::at(BASE).times(&u1).add(&Point::at(key).times(&u2));
    if is_zero(&sum.z) {
        return false;
    }
    let z = COORDINATES.invert(&sum.z);
    let x = mul(&sum.x, &mul(&z, &z));
    let x = if is_less(&x, &ORDER) {
        x
    } else {
        minus(&x, &ORDER)
    };
    x == r
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn the_base_point_is_on_the_curve_and_of_its_order() {
        assert!(is_on_curve(&BASE));
        let base = Point::at(BASE);
        assert!(is_zero(&base.times(&ORDER).z));
        let mut almost = ORDER;
        almost[0] -= 1;
        assert_eq!(COORDINATES.invert(&base.times(&almost).z).len(), LIMBS);
        assert!(is_zero(&base.times(&almost).add(&base).z));
    }

    #[test]
    fn inverses() {
        for field in [COORDINATES, SCALARS] {
            for text in ["02", "0305", "ffffffffffffffffffffffff01"] {
                let number = read(&hex::decode(text.as_bytes()).expect("digits"));
                assert!(is_one(&field.mul_slowly(&number, &field.invert(&number))));
            }
        }
    }

    /// RFC 6979, A.2.7, with SHA-512 and the message "sample".
    #[test]
    fn a_signature_of_rfc_6979() {
        let bytes = |text: &str| hex::decode(text.as_bytes()).expect("digits");
        let mut key = vec![4];
        key.extend(bytes("01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4"));
        key.extend(bytes("00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5"));
        let mut signature = bytes(
            "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
        );
        signature.extend(bytes("00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a"));
        assert!(is_signed(&key, b"sample", &signature));
        assert!(!is_signed(&key, b"samples", &signature));
        signature[131] ^= 1;
        assert!(!is_signed(&key, b"sample", &signature));
        assert!(!is_signed(&key[..100], b"sample", &signature));
    }
}
