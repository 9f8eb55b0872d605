//! Hashed passwords as `crypt(3)` writes them.

use sha_crypt::{Sha256Params, Sha512Params, sha256_crypt_b64, sha512_crypt_b64};

use super::{is_same, md5};

/// A hash in one of the schemes that can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    scheme: Scheme,
    salt: String,
    sum: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Md5,
    Sha256 { rounds: usize },
    Sha512 { rounds: usize },
}

/// Rounds unless the hash says otherwise, and what it may say.
const ROUNDS_DEFAULT: usize = 5_000;
const ROUNDS: std::ops::RangeInclusive<usize> = 1_000..=999_999_999;
/// Characters of a salt that count.
const SALT_MAX: usize = 16;

/// Schemes that are not checked: what they begin with, and their name.
const OTHERS: [(&str, &str); 6] = [
    ("$2", "bcrypt"),
    ("$y$", "yescrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$7$", "scrypt"),
    ("$argon2", "Argon2"),
    ("_", "BSDi DES"),
];

impl Hash {
    /// Reads a hash.
    ///
    /// # Errors
    /// The name of its scheme, which cannot be checked.
    pub fn parse(text: &str) -> Result<Hash, &'static str> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("$1$") {
            (Scheme::Md5, rest)
        } else if let Some(rest) = text.strip_prefix("$5$") {
            let (rounds, rest) = rounds(rest);
            (Scheme::Sha256 { rounds }, rest)
        } else if let Some(rest) = text.strip_prefix("$6$") {
            let (rounds, rest) = rounds(rest);
            (Scheme::Sha512 { rounds }, rest)
        } else {
            let other = OTHERS.iter().find(|(mark, _)| text.starts_with(mark));
            return Err(other.map_or("DES", |(_, name)| name));
        };
        let (salt, sum) = rest.split_once('$').unwrap_or((rest, ""));
        let end = salt
            .char_indices()
            .nth(SALT_MAX)
            .map_or(salt.len(), |(at, _)| at);
        Ok(Hash {
            scheme,
            salt: salt[..end].to_owned(),
            sum: sum.to_owned(),
        })
    }

    /// Whether a password has this hash.
    pub fn fits(&self, password: &[u8]) -> bool {
        let salt = self.salt.as_bytes();
        let made = match self.scheme {
            Scheme::Md5 => Some(md5::crypt(password, salt)),
            Scheme::Sha256 { rounds } => Sha256Params::new(rounds)
                .and_then(|params| sha256_crypt_b64(password, salt, &params))
                .ok(),
            Scheme::Sha512 { rounds } => Sha512Params::new(rounds)
                .and_then(|params| sha512_crypt_b64(password, salt, &params))
                .ok(),
        };
        made.is_some_and(|made| is_same(made.as_bytes(), self.sum.as_bytes()))
    }
}

/// `rounds=N$`, where it stands.
fn rounds(text: &str) -> (usize, &str) {
    let said = text
        .strip_prefix("rounds=")
        .and_then(|text| text.split_once('$'));
    let said = said.and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
    match said {
        Some((number, rest)) => (number.clamp(*ROUNDS.start(), *ROUNDS.end()), rest),
        None => (ROUNDS_DEFAULT, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_fit_their_passwords() {
        // Made with openssl passwd -1, -5 and -6.
        for (hash, password) in HASHES {
            let read = Hash::parse(hash).expect("known");
            assert!(read.fits(password.as_bytes()), "{hash}");
            assert!(!read.fits(b"wrong") && !read.fits(b""), "{hash}");
        }
    }

    #[test]
    fn other_schemes_are_named() {
        assert_eq!(Hash::parse("$2y$05$abc"), Err("bcrypt"));
        assert_eq!(Hash::parse("$y$j9T$x"), Err("yescrypt"));
        assert_eq!(Hash::parse("abJnggxhB/yWI"), Err("DES"));
    }

    const HASHES: &[(&str, &str)] = &[
        ("$1$deadbeef$Q7g0UO4hRC0mgQUQ/qkjZ0", "password"),
        (
            "$1$ab$QPh5htJmMtcM8zDb4F4FT1",
            "a longer password than sixteen bytes",
        ),
        (
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            "Hello world!",
        ),
        (
            "$6$saltstringsaltst$/8i8Ph3EyV82HNhvQRX5v4sbaeRz4c7mUjGmnzXK24AcEkdrz9Do6lC8McBpJSycawjICjyqoOgs1Vw9i6A5O0",
            "x",
        ),
    ];
}
