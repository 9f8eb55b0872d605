//! What judging a peer's certificate came to, and which faults a configuration bears.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use rustls::{CertificateError, Error};

use super::court::{self, Charge};
use crate::codec::verification;

/// The faults found in a peer's certificates, by OpenSSL's numbers; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The last.
    pub result: u16,
    /// The first of the peer's own certificate.
    pub leaf_error: u16,
    /// The first above it.
    pub ca_error: u16,
    /// How far above.
    pub ca_depth: u8,
}

impl Verdict {
    /// Adds a fault.
    pub(super) fn add(&mut self, charge: Charge) {
        self.result = charge.number;
        if charge.depth == 0 {
            if self.leaf_error == 0 {
                self.leaf_error = charge.number;
            }
        } else if self.ca_error == 0 {
            self.ca_error = charge.number;
            self.ca_depth = u8::try_from(charge.depth).unwrap_or(u8::MAX);
        }
    }
}

/// Why a peer's certificates were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The peer's own is bad.
    Leaf,
    /// One above it is bad, or missing.
    Authority,
    /// It is for another name than `verifyhost` wants.
    Name,
    /// It is for another name than the one asked for.
    NameAsked,
}

/// What was seen of a peer that was refused.
#[derive(Clone, Debug)]
pub struct Examined {
    /// What the peer showed, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// What was found.
    pub verdict: Verdict,
    /// What it was refused for.
    pub refusal: Refusal,
}

/// Faults that are borne: `ca-ignore-err`, `crt-ignore-err`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Borne(u128);

impl Borne {
    /// Reads `all`, or numbers and names between commas.
    ///
    /// # Errors
    /// The part that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Borne(u128::MAX));
        }
        let mut borne = Borne::default();
        for part in text.split(',') {
            let number = verification::number(part).filter(|number| *number > 0 && *number < 128);
            borne.0 |= 1 << number.ok_or_else(|| part.to_owned())?;
        }
        Ok(borne)
    }

    /// Whether this fault is borne.
    pub(super) fn bears(self, number: u16) -> bool {
        number < 128 && self.0 & 1 << number != 0
    }

    /// Whether none is.
    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What rustls is told, which decides on the alert.
pub(super) fn error_of(number: u16) -> Error {
    Error::InvalidCertificate(match number {
        court::EXPIRED => CertificateError::Expired,
        court::NOT_YET_VALID => CertificateError::NotValidYet,
        court::REVOKED => CertificateError::Revoked,
        court::INVALID_PURPOSE => CertificateError::InvalidPurpose,
        court::UNSPECIFIED => CertificateError::BadEncoding,
        court::UNHANDLED_EXTENSION => CertificateError::UnhandledCriticalExtension,
        _ => CertificateError::UnknownIssuer,
    })
}

/// Where a verifier leaves what it saw of a peer that it refused. rustls calls verifiers in the middle of its own work and carries nothing
/// but an error; whoever called rustls takes what lies here right after, on the same thread.
#[derive(Default)]
pub(super) struct Desk(Mutex<Vec<(ThreadId, Examined)>>);

impl Desk {
    pub(super) fn leave(&self, examined: Examined) {
        let own = thread::current().id();
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|(thread, _)| *thread != own);
        left.push((own, examined));
    }

    pub(super) fn take(&self) -> Option<Examined> {
        let own = thread::current().id();
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = left.iter().position(|(thread, _)| *thread == own)?;
        Some(left.swap_remove(at).1)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_by_number_and_name() {
        let borne = Borne::parse("X509_V_ERR_CERT_REVOKED,10").expect("both known");
        assert!(borne.bears(23) && borne.bears(10) && !borne.bears(20));
        assert!(Borne::parse("all").expect("a word").bears(79));
        assert_eq!(Borne::parse("10,what"), Err("what".to_owned()));
        assert!(Borne::parse("").is_err());
    }

    #[test]
    fn the_first_of_each_and_the_last_of_all() {
        let mut verdict = Verdict::default();
        for (number, depth) in [(20, 0), (2, 1), (3, 2), (21, 0)] {
            verdict.add(Charge { number, depth });
        }
        let Verdict {
            result,
            leaf_error,
            ca_error,
            ca_depth,
        } = verdict;
        assert_eq!((result, leaf_error, ca_error, ca_depth), (21, 20, 2, 1));
    }
}
