//! Certificates made on the fly (`generate-certificates`): for a name that no certificate of the line is for, one with that name,
//! issued by the authority of `ca-sign-file`.
//!
//! A made certificate has the key of the default certificate, so that nothing but a signature has to be computed, and is kept for
//! whoever asks for the name next: `tune.ssl.ssl-ctx-cache-size` of them, the one that was asked for the longest ago makes room.
//! They live with the shelf whose default certificate they borrow the key of, and go with it.
//!
//! Always true: only what may be a host's name gets a certificate, none outlives its authority, and the lock is never held while
//! one is signed. Keys with a passphrase are not read, as everywhere here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::bundle::Bundle;
use super::files::Beside;
use super::issuers::Means;
use super::shelf::Entry;
use crate::x509::Certificate;
use crate::x509::der::{self, element};

/// HAProxy's `tune.ssl.ssl-ctx-cache-size`.
pub(super) const MADE: usize = 1000;
/// How long a made certificate is good for.
const LIFETIME_SECS: i64 = 365 * DAY_SECS;
/// A clock may be behind that much, and a certificate is made anew that long before it ends.
const DAY_SECS: i64 = 86_400;
/// The longest name that a host can have (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;
/// The longest common name (RFC 5280, appendix A.1, ub-common-name).
const COMMON_NAME_MAX: usize = 64;

/// Ways to sign a certificate, each with its algorithm's identifier in DER.
// haproxy, `generate-certificates`: signs with SHA-256 whatever the key is; here: signs with SHA-384 by a key of P-384, because ring signs no
// other way with it.
const ALGORITHMS: [(SignatureScheme, &[u8]); 4] = [
    (
        SignatureScheme::ECDSA_NISTP256_SHA256,
        b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
    ),
    (
        SignatureScheme::ECDSA_NISTP384_SHA384,
        b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
    ),
    (SignatureScheme::ED25519, b"\x06\x03\x2b\x65\x70"),
    (
        SignatureScheme::RSA_PKCS1_SHA256,
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00",
    ),
];

/// Who issues what is made.
#[derive(Debug)]
pub(super) struct Authority {
    own: Bundle,
    made_max: usize,
}

impl Authority {
    /// Reads the authority's certificate and key.
    ///
    /// # Errors
    /// They cannot be read, do not fit, or cannot sign.
    pub(super) fn read(path: &str, made_max: usize) -> Result<Self, String> {
        let own = Bundle::read(path, Beside::default(), &Means::default())?;
        let authority = Authority { own, made_max };
        match authority.signed(b"") {
            Some(_) => Ok(authority),
            None => Err(format!(
                "the private key in file '{path}' cannot sign certificates."
            )),
        }
    }

    /// A certificate for `name` with the key of `base`, good from `now` on.
    fn issue(&self, name: &str, base: &Bundle, now: i64) -> Option<Bundle> {
        let issuer = Certificate::read(&self.own.key.cert[0])?;
        let leaf = Certificate::read(&base.key.cert[0])?;
        let until = issuer.not_after.min(now + LIFETIME_SECS);
        let times = [der::time(now - DAY_SECS), der::time(until)].concat();
        let subject = subject(issuer.subject, name)?;
        let seed = [leaf.key_info, &times, name.as_bytes()].concat();
        let mut parts = element(der::CONTEXT, &element(der::INTEGER, &[2]));
        parts.extend(element(der::INTEGER, &serial(&seed)));
        let (algorithm, _) = self.signed(b"")?;
        parts.extend(element(der::SEQUENCE, algorithm));
        parts.extend_from_slice(issuer.subject);
        parts.extend(element(der::SEQUENCE, &times));
        parts.extend(subject);
        parts.extend_from_slice(leaf.key_info);
        parts.extend(element(der::CONTEXT | 3, &extensions(&issuer, name)));
        let body = element(der::SEQUENCE, &parts);
        let (algorithm, signature) = self.signed(&body)?;
        let signature = [&[0], &signature[..]].concat();
        let whole = [
            body,
            element(der::SEQUENCE, algorithm),
            element(der::BIT_STRING, &signature),
        ];
        let whole = element(der::SEQUENCE, &whole.concat());
        let above = self
            .own
            .key
            .cert
            .iter()
            .filter(|der| Certificate::read(der).is_some_and(|above| !above.is_self_issued()));
        let chain = std::iter::once(CertificateDer::from(whole)).chain(above.cloned());
        Some(base.reissued(chain.collect(), name, until))
    }

    /// The authority's signature of these bytes, behind the identifier of how it was made.
    fn signed(&self, body: &[u8]) -> Option<(&'static [u8], Vec<u8>)> {
        let schemes = ALGORITHMS.map(|(scheme, _)| scheme);
        let signer = self.own.key.key.choose_scheme(&schemes)?;
        let scheme = signer.scheme();
        let (_, algorithm) = ALGORITHMS.iter().find(|(own, _)| *own == scheme)?;
        Some((algorithm, signer.sign(body).ok()?))
    }
}

/// The authority's name with the host's as another common name, as far as that has room.
fn subject(authority: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut parts = der::Reader(authority).one(der::SEQUENCE)?.content.to_vec();
    if name.len() <= COMMON_NAME_MAX {
        let value = element(der::UTF8_STRING, name.as_bytes());
        let pair = element(der::SEQUENCE, &[COMMON_NAME, &value].concat());
        parts.extend(element(der::SET, &pair));
    }
    Some(element(der::SEQUENCE, &parts))
}

/// A positive number of 16 bytes that another certificate hardly has.
fn serial(seed: &[u8]) -> [u8; 16] {
    let mut number = [0; 16];
    number.copy_from_slice(&digest(&SHA256, seed).as_ref()[..16]);
    number[0] = number[0] & 0x3f | 0x40;
    number
}

/// What the certificate is for: a server of this name.
fn extensions(issuer: &Certificate<'_>, name: &str) -> Vec<u8> {
    let extension = |id: &[u8], critical: bool, value: &[u8]| {
        let critical = if critical { &b"\x01\x01\xff"[..] } else { b"" };
        let value = element(der::OCTETS, value);
        element(der::SEQUENCE, &[id, critical, &value].concat())
    };
    let host = element(der::SEQUENCE, &element(der::PLAIN | 2, name.as_bytes()));
    let mut all = [
        extension(b"\x06\x03\x55\x1d\x13", true, b"\x30\x00"),
        extension(b"\x06\x03\x55\x1d\x0f", true, b"\x03\x02\x05\xa0"),
        extension(
            b"\x06\x03\x55\x1d\x25",
            false,
            b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
        ),
        extension(b"\x06\x03\x55\x1d\x11", false, &host),
    ]
    .concat();
    let key = issuer.extension(SUBJECT_KEY);
    if let Some(key) = key.and_then(|value| der::Reader(value).one(der::OCTETS)) {
        let key = element(der::SEQUENCE, &element(der::PLAIN, key.content));
        all.extend(extension(b"\x06\x03\x55\x1d\x23", false, &key));
    }
    element(der::SEQUENCE, &all)
}

/// `id-at-commonName`, head included.
const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
/// `subjectKeyIdentifier`, without the head.
const SUBJECT_KEY: &[u8] = b"\x55\x1d\x0e";

/// Whether a name may be that of a host.
fn is_host(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(known)
}

/// What was made, by name.
#[derive(Debug)]
pub(super) struct Forge {
    authority: Arc<Authority>,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    /// With the turn in which it was last asked for.
    entries: HashMap<String, (Arc<Entry>, u64)>,
    turn: u64,
}

impl Forge {
    pub(super) fn new(authority: Arc<Authority>) -> Self {
        Self {
            authority,
            made: Mutex::default(),
        }
    }

    /// The certificate for a name, made with the key of `base` where there is none yet.
    pub(super) fn entry(&self, name: &str, base: &Entry) -> Option<Arc<Entry>> {
        if !is_host(name) {
            return None;
        }
        // The clock is the one by which rustls judges certificates.
        let now = i64::try_from(UnixTime::now().as_secs()).ok()?;
        if let Some(known) = self.known(name, now) {
            return Some(known);
        }
        let bundle = self.authority.issue(name, &base.bundle, now)?;
        let entry = Arc::new(base.with(Arc::new(bundle)));
        self.keep(name, &entry);
        Some(entry)
    }

    fn known(&self, name: &str, now: i64) -> Option<Arc<Entry>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.turn += 1;
        let turn = made.turn;
        let (entry, used) = made.entries.get_mut(name)?;
        *used = turn;
        (entry.bundle.not_after > now + DAY_SECS).then(|| entry.clone())
    }

    fn keep(&self, name: &str, entry: &Arc<Entry>) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let full = made.entries.len() >= self.authority.made_max;
        if full && !made.entries.contains_key(name) {
            let oldest = made.entries.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                return;
            };
            made.entries.remove(&oldest);
        }
        let turn = made.turn;
        made.entries.insert(name.to_owned(), (entry.clone(), turn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn fixture(name: &str) -> String {
        format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn issued(authority: &str, name: &str) -> (Authority, Bundle) {
        let authority = Authority::read(&fixture(authority), 2).expect("an authority");
        let base = Bundle::read(&fixture("rsa.pem"), Beside::default(), &Means::default());
        let made = authority.issue(name, &base.expect("a fixture"), NOW);
        (authority, made.expect("issued"))
    }

    #[test]
    fn a_certificate_is_for_its_name_and_of_its_authority() {
        for issuer in ["ecdsa.pem", "rsa.pem"] {
            let (authority, made) = issued(issuer, "new.example");
            let own = Certificate::read(&made.key.cert[0]).expect("well formed");
            let above = Certificate::read(&authority.own.key.cert[0]).expect("a fixture");
            assert_eq!(made.names, ["new.example"]);
            assert_eq!((own.version, own.issuer), (3, above.subject));
            assert!(own.names_served().contains(&"new.example".to_owned()));
            assert_eq!(own.not_before, NOW - DAY_SECS);
            assert!(own.not_after <= above.not_after && own.not_after > NOW);
            assert_eq!(own.constraints(), Some((false, None)));
            assert_eq!(
                made.key.key.public_key().expect("a key").as_ref(),
                own.key_info
            );
            let (_, signature) = authority.signed(own.signed.body).expect("signs");
            // RSA signs the same bytes alike, elliptic curves do not.
            assert_eq!(signature == own.signed.signature, issuer == "rsa.pem");
        }
    }

    #[test]
    fn long_names_are_no_common_names() {
        let long = format!("{}.example", "a".repeat(COMMON_NAME_MAX));
        let (authority, made) = issued("ecdsa.pem", &long);
        let own = Certificate::read(&made.key.cert[0]).expect("well formed");
        let above = Certificate::read(&authority.own.key.cert[0]).expect("a fixture");
        assert_eq!(own.subject, above.subject);
        assert_eq!(own.names_served()[0], long);
    }

    #[test]
    fn only_hosts_have_names() {
        assert!(is_host("a-b.example") && is_host("x"));
        for name in ["", "a b", "*.example", "a/b", &"a".repeat(NAME_MAX + 1)] {
            assert!(!is_host(name), "{name}");
        }
    }

    #[test]
    fn who_cannot_sign_is_refused() {
        let said = Authority::read(&fixture("ca.pem"), 1).expect_err("it has no key");
        assert!(said.starts_with("no private key found in file"), "{said}");
    }
}
