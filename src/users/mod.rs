//! `userlist` sections: users, their passwords and groups.
//!
//! A [`Draft`] is what a section says, a [`List`] what it became. `http_auth` and its kin ask a list through the census. A list never
//! changes; it decides nothing about traffic and reads no request.
//!
//! Always true: every hash in a list is of a scheme that [`crypt`] can check, because others are refused where they are written; a
//! password that was right once is remembered as a keyed digest only, so that asking again costs no thousands of rounds.

mod crypt;
mod draft;
mod md5;

pub use crypt::Hash;
pub use draft::{Draft, KEYWORDS};

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

/// The users of one section.
#[derive(Debug)]
pub struct List {
    name: String,
    users: HashMap<Vec<u8>, User>,
    /// Keys the digests of passwords that were right.
    key: RandomState,
}

/// A user.
#[derive(Debug)]
struct User {
    secret: Secret,
    groups: Vec<String>,
    /// The digest of the password that was right last.
    proved: Mutex<Option<[u64; 2]>>,
}

/// How a password is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// No password fits.
    None,
    /// As it is.
    Plain(Vec<u8>),
    /// By its hash.
    Hashed(Hash),
}

impl List {
    fn new(name: String, users: impl Iterator<Item = (String, Secret, Vec<String>)>) -> List {
        let user = |(name, secret, groups): (String, Secret, Vec<String>)| {
            let proved = Mutex::default();
            let user = User {
                secret,
                groups,
                proved,
            };
            (name.into_bytes(), user)
        };
        List {
            name,
            users: users.map(user).collect(),
            key: RandomState::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a user has this password.
    pub fn admits(&self, user: &[u8], password: &[u8]) -> bool {
        let Some(user) = self.users.get(user) else {
            return false;
        };
        match &user.secret {
            Secret::None => false,
            Secret::Plain(own) => is_same(own, password),
            Secret::Hashed(hash) => self.proves(user, hash, password),
        }
    }

    fn proves(&self, user: &User, hash: &Hash, password: &[u8]) -> bool {
        let digest = [
            self.key.hash_one((password, false)),
            self.key.hash_one((password, true)),
        ];
        let proved = || user.proved.lock().unwrap_or_else(PoisonError::into_inner);
        if *proved() == Some(digest) {
            return true;
        }
        let right = hash.fits(password);
        if right {
            *proved() = Some(digest);
        }
        right
    }

    /// Whether a user belongs to a group.
    pub fn has_member(&self, user: &[u8], group: &[u8]) -> bool {
        let groups = self.users.get(user).map(|user| &user.groups);
        groups.is_some_and(|groups| groups.iter().any(|own| own.as_bytes() == group))
    }
}

/// Compares in a time that does not tell where the difference is.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let differences = left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b));
    left.len() == right.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_groups_and_passwords() {
        let hash = Hash::parse("$1$deadbeef$Q7g0UO4hRC0mgQUQ/qkjZ0").expect("known");
        let users = [
            ("tiger", Secret::Plain(b"elgato".to_vec()), vec!["G1"]),
            ("scott", Secret::Hashed(hash), vec!["G1", "G2"]),
            ("none", Secret::None, vec![]),
        ];
        let users = users.into_iter().map(|(name, secret, groups)| {
            let groups = groups.into_iter().map(str::to_owned).collect();
            (name.to_owned(), secret, groups)
        });
        let list = List::new("L1".to_owned(), users);
        assert!(list.admits(b"tiger", b"elgato") && !list.admits(b"tiger", b"elgat"));
        assert!(!list.admits(b"none", b"") && !list.admits(b"who", b""));
        for _ in 0..2 {
            assert!(list.admits(b"scott", b"password"));
            assert!(!list.admits(b"scott", b"password1"));
        }
        assert!(list.has_member(b"scott", b"G2") && !list.has_member(b"tiger", b"G2"));
    }
}
