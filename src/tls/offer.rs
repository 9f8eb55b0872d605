//! What is offered to a peer: versions, cipher suites, groups, by the names that configurations use.
//!
//! Configurations name what OpenSSL has; rustls has fewer, all of them sound. A name it lacks is skipped with a warning, and a
//! list that leaves nothing is an error, for otherwise no handshake could succeed.

use rustls::crypto::ring::{self, cipher_suite as suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{
    NamedGroup, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion, version,
};

use crate::lang::{Diag, Word};

/// The versions that may be spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.2
    #[default]
    Tls12,
    /// TLS 1.3
    Tls13,
}

/// The cryptographic wishes of a line; where it has none, those of `global` hold.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// `ssl-min-ver`
    pub min: Option<Version>,
    /// `ssl-max-ver`
    pub max: Option<Version>,
    /// `ciphers`: of TLS 1.2.
    pub ciphers: Option<Word>,
    /// `ciphersuites`: of TLS 1.3.
    pub ciphersuites: Option<Word>,
    /// `curves`, `ecdhe`
    pub curves: Option<Word>,
    /// `sigalgs`: the ways in which servers sign.
    pub sigalgs: Option<Word>,
    /// `client-sigalgs`: the ways in which clients sign.
    pub client_sigalgs: Option<Word>,
    /// `no-tls-tickets`
    pub no_tickets: Option<bool>,
    /// `prefer-client-ciphers`
    pub client_order: Option<bool>,
}

impl Offer {
    /// These wishes, and what they leave open from `others`.
    pub(super) fn or(&self, others: &Offer) -> Offer {
        Offer {
            min: self.min.or(others.min),
            max: self.max.or(others.max),
            ciphers: self.ciphers.clone().or_else(|| others.ciphers.clone()),
            ciphersuites: self
                .ciphersuites
                .clone()
                .or_else(|| others.ciphersuites.clone()),
            curves: self.curves.clone().or_else(|| others.curves.clone()),
            sigalgs: self.sigalgs.clone().or_else(|| others.sigalgs.clone()),
            client_sigalgs: self
                .client_sigalgs
                .clone()
                .or_else(|| others.client_sigalgs.clone()),
            no_tickets: self.no_tickets.or(others.no_tickets),
            client_order: self.client_order.or(others.client_order),
        }
    }

    /// The versions between the bounds.
    pub(super) fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let min = self.min.unwrap_or(Version::Tls12);
        let max = self.max.unwrap_or(Version::Tls13);
        [
            (Version::Tls13, &version::TLS13),
            (Version::Tls12, &version::TLS12),
        ]
        .into_iter()
        .filter(|(version, _)| (min..=max).contains(version))
        .map(|(_, version)| version)
        .collect()
    }

    /// The provider that offers nothing else; what was skipped is added to `notes`.
    ///
    /// # Errors
    /// A list leaves nothing to offer.
    pub(super) fn provider(&self, notes: &mut Vec<Diag>) -> Result<CryptoProvider, Diag> {
        let mut provider = ring::default_provider();
        let (mut new, mut old): (Vec<_>, Vec<_>) = provider
            .cipher_suites
            .iter()
            .copied()
            .partition(|suite| suite.tls13().is_some());
        if let Some(word) = &self.ciphersuites {
            new = chosen(word, "cipher suite", suite13, notes)?;
        }
        if let Some(word) = &self.ciphers {
            old = ciphers(word, old, notes)?;
        }
        provider.cipher_suites = new.into_iter().chain(old).collect();
        if let Some(word) = &self.curves {
            provider.kx_groups = chosen(word, "curve", group, notes)?;
        }
        Ok(provider)
    }
}

/// The ways to sign that a list names, in order; those that rustls lacks are left out.
///
/// # Errors
/// It leaves none.
pub(super) fn schemes(
    word: Option<&Word>,
    notes: &mut Vec<Diag>,
) -> Result<Option<Vec<SignatureScheme>>, Diag> {
    word.map(|word| chosen(word, "signature algorithm", scheme, notes))
        .transpose()
}

fn scheme(name: &str) -> Option<SignatureScheme> {
    use SignatureScheme as Own;
    Some(match name {
        "ecdsa_secp256r1_sha256" | "ECDSA+SHA256" => Own::ECDSA_NISTP256_SHA256,
        "ecdsa_secp384r1_sha384" | "ECDSA+SHA384" => Own::ECDSA_NISTP384_SHA384,
        "ed25519" => Own::ED25519,
        "rsa_pss_rsae_sha256" | "rsa_pss_pss_sha256" | "RSA-PSS+SHA256" => Own::RSA_PSS_SHA256,
        "rsa_pss_rsae_sha384" | "rsa_pss_pss_sha384" | "RSA-PSS+SHA384" => Own::RSA_PSS_SHA384,
        "rsa_pss_rsae_sha512" | "rsa_pss_pss_sha512" | "RSA-PSS+SHA512" => Own::RSA_PSS_SHA512,
        "rsa_pkcs1_sha256" | "RSA+SHA256" => Own::RSA_PKCS1_SHA256,
        "rsa_pkcs1_sha384" | "RSA+SHA384" => Own::RSA_PKCS1_SHA384,
        "rsa_pkcs1_sha512" | "RSA+SHA512" => Own::RSA_PKCS1_SHA512,
        _ => return None,
    })
}

/// The entries of a colon list that `find` knows, in order.
fn chosen<T>(
    word: &Word,
    what: &str,
    find: fn(&str) -> Option<T>,
    notes: &mut Vec<Diag>,
) -> Result<Vec<T>, Diag> {
    let text = word.text()?;
    let mut list = Vec::new();
    for name in text.split(':').filter(|name| !name.is_empty()) {
        match find(name) {
            Some(found) => list.push(found),
            None => notes.push(lacking(word, what, name)),
        }
    }
    if list.is_empty() {
        return Err(nothing(word));
    }
    Ok(list)
}

fn lacking(word: &Word, what: &str, name: &str) -> Diag {
    Diag::warning(
        word.span,
        format!("{what} '{name}' is not offered by sluice, it is left out."),
    )
}

fn nothing(word: &Word) -> Diag {
    Diag::alert(
        word.span,
        format!("'{}' leaves nothing that sluice offers.", word.shown()),
    )
    .with_reason("the suites are those of TLS 1.3 and ECDHE with AES-GCM or ChaCha20-Poly1305")
}

/// OpenSSL's cipher list: names add, `!` and `-` take away, groups of names stand for all that are offered.
fn ciphers(
    word: &Word,
    all: Vec<SupportedCipherSuite>,
    notes: &mut Vec<Diag>,
) -> Result<Vec<SupportedCipherSuite>, Diag> {
    let mut list: Vec<SupportedCipherSuite> = Vec::new();
    let mut banned: Vec<&str> = Vec::new();
    for item in word
        .text()?
        .split([':', ',', ' '])
        .filter(|item| !item.is_empty())
    {
        if item.starts_with('@') || item.starts_with('+') {
            continue;
        }
        if let Some(name) = item.strip_prefix(['!', '-']) {
            banned.push(name);
            continue;
        }
        let meant: Vec<_> = all
            .iter()
            .filter(|suite| meets(name_of(suite), item))
            .copied()
            .collect();
        if meant.is_empty() && !WEAK.iter().any(|weak| item.contains(weak)) {
            notes.push(lacking(word, "cipher", item));
        }
        for suite in meant {
            if !list.contains(&suite) {
                list.push(suite);
            }
        }
    }
    list.retain(|suite| !banned.iter().any(|item| meets(name_of(suite), item)));
    if list.is_empty() {
        return Err(nothing(word));
    }
    Ok(list)
}

/// Parts of names that old lists carry along for clients without TLS 1.2; leaving them out needs no word.
const WEAK: &[&str] = &[
    "DH",
    "SHA",
    "CBC",
    "DES",
    "RC4",
    "CCM",
    "AES",
    "DSS",
    "CAMELLIA",
    "SEED",
    "IDEA",
    "ARIA",
    "RSA",
    "MD5",
    "NULL",
    "PSK",
    "SRP",
    "EXP",
    "LOW",
    "MEDIUM",
    "COMPLEMENTOF",
    "TLSv1",
    "SSLv3",
];

/// Whether an item of a cipher list means this suite: its name, a class, or several classes joined by `+`.
fn meets(name: &str, item: &str) -> bool {
    name == item
        || item.split('+').all(|class| match class {
            "ALL" | "DEFAULT" | "HIGH" | "EECDH" | "ECDH" | "ECDHE" | "kECDHE" | "kEECDH"
            | "TLSv1.2" | "AEAD" => true,
            "aRSA" => name.contains("-RSA-"),
            "ECDSA" | "aECDSA" => name.contains("-ECDSA-"),
            "AESGCM" => name.contains("GCM"),
            "AES" => name.contains("AES"),
            "AES128" => name.contains("AES128"),
            "AES256" => name.contains("AES256"),
            "CHACHA20" => name.contains("CHACHA20"),
            "SHA256" | "SHA384" => name.ends_with(class),
            _ => false,
        })
}

fn suite13(name: &str) -> Option<SupportedCipherSuite> {
    Some(match name {
        "TLS_AES_128_GCM_SHA256" => suite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => suite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => suite::TLS13_CHACHA20_POLY1305_SHA256,
        _ => return None,
    })
}

fn group(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    Some(match name {
        "X25519" | "x25519" => kx_group::X25519,
        "P-256" | "prime256v1" | "secp256r1" => kx_group::SECP256R1,
        "P-384" | "secp384r1" => kx_group::SECP384R1,
        _ => return None,
    })
}

/// OpenSSL's name of a suite.
pub(super) fn name_of(suite: &SupportedCipherSuite) -> &'static str {
    use rustls::CipherSuite as Id;
    SUITES
        .iter()
        .find(|(id, _, _): &&(Id, &str, u32)| *id == suite.suite())
        .map_or("UNKNOWN", |(_, name, _)| name)
}

/// The key bits of a suite's cipher.
pub(super) fn bits_of(suite: &SupportedCipherSuite) -> u32 {
    SUITES
        .iter()
        .find(|(id, _, _)| *id == suite.suite())
        .map_or(0, |(_, _, bits)| *bits)
}

/// OpenSSL's name of a group.
pub(super) fn group_name(group: NamedGroup) -> Option<&'static str> {
    const NAMES: &[(NamedGroup, &str)] = &[
        (NamedGroup::X25519, "X25519"),
        (NamedGroup::secp256r1, "prime256v1"),
        (NamedGroup::secp384r1, "secp384r1"),
    ];
    NAMES
        .iter()
        .find(|(known, _)| *known == group)
        .map(|(_, name)| *name)
}

const SUITES: &[(rustls::CipherSuite, &str, u32)] = {
    use rustls::CipherSuite as Id;
    &[
        (Id::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", 128),
        (Id::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", 256),
        (
            Id::TLS13_CHACHA20_POLY1305_SHA256,
            "TLS_CHACHA20_POLY1305_SHA256",
            256,
        ),
        (
            Id::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            128,
        ),
        (
            Id::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            256,
        ),
        (
            Id::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            256,
        ),
        (
            Id::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            "ECDHE-RSA-AES128-GCM-SHA256",
            128,
        ),
        (
            Id::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            "ECDHE-RSA-AES256-GCM-SHA384",
            256,
        ),
        (
            Id::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            "ECDHE-RSA-CHACHA20-POLY1305",
            256,
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Span;

    fn offered(offer: &Offer) -> (Vec<&'static str>, usize) {
        let mut notes = Vec::new();
        let provider = offer.provider(&mut notes).expect("something is left");
        (
            provider.cipher_suites.iter().map(name_of).collect(),
            notes.len(),
        )
    }

    fn word(text: &str) -> Option<Word> {
        Some(Word::new(text, Span::default()))
    }

    #[test]
    fn lists_choose_and_order() {
        let offer = Offer {
            ciphers: word(
                "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:!aNULL",
            ),
            ciphersuites: word("TLS_AES_128_GCM_SHA256"),
            ..Offer::default()
        };
        let (names, notes) = offered(&offer);
        let expected = [
            "TLS_AES_128_GCM_SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
        ];
        assert_eq!((names, notes), (expected.to_vec(), 0));
    }

    #[test]
    fn classes_and_bans() {
        let offer = Offer {
            ciphers: word("ECDHE+AESGCM:!ECDSA:SOMETHING-ELSE"),
            ..Offer::default()
        };
        let (names, notes) = offered(&offer);
        assert_eq!(
            names[3..],
            ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert_eq!(notes, 1);
    }

    #[test]
    fn nothing_left_is_an_error() {
        for ciphers in ["RC4-SHA", "!ALL:ALL:-ALL"] {
            let offer = Offer {
                ciphers: word(ciphers),
                ..Offer::default()
            };
            assert!(offer.provider(&mut Vec::new()).is_err());
        }
    }

    #[test]
    fn versions_between_the_bounds() {
        let offer = |min, max| {
            Offer {
                min,
                max,
                ..Offer::default()
            }
            .versions()
            .len()
        };
        assert_eq!(offer(None, None), 2);
        assert_eq!(offer(Some(Version::Tls13), None), 1);
        assert_eq!(offer(Some(Version::Tls13), Some(Version::Tls12)), 0);
    }
}
