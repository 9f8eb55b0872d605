//! Certificates with their chains and keys, read from PEM.
//!
//! A bundle holds key, certificate and chain in any order; the certificate that fits the key leads. What is missing may stand beside it
//! in `FILE.key`, `FILE.issuer`, `FILE.ocsp`, as far as `ssl-load-extra-files` allows. Sentences are HAProxy's and name the file.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::SignatureAlgorithm;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::files::{self, Beside};
use super::issuers::Means;
use crate::x509::Certificate;

/// What a bundle is made of.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The certificate, and those above it.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Option<PrivateKeyDer<'static>>,
    /// The certificate of who issued it, where the chain lacks it.
    pub(super) issuer: Option<Arc<[u8]>>,
    /// What its issuer says of its state (RFC 6960).
    pub(super) ocsp: Option<Arc<[u8]>>,
}

impl Clone for Parts {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.as_ref().map(PrivateKeyDer::clone_key),
            issuer: self.issuer.clone(),
            ocsp: self.ocsp.clone(),
        }
    }
}

/// A certificate that can be shown, and for which names.
#[derive(Debug)]
pub(super) struct Bundle {
    /// What it was made of, but for the chain.
    parts: Parts,
    /// Chain and key.
    pub(super) key: Arc<CertifiedKey>,
    /// The names it is for, in lower case.
    pub(super) names: Vec<String>,
    /// Whether the key is an RSA key.
    pub(super) is_rsa: bool,
    /// When it ends, in seconds since the epoch.
    pub(super) not_after: i64,
    /// Where it came from.
    pub(super) path: Arc<str>,
    shared_leaf: OnceLock<Arc<[u8]>>,
}

impl Parts {
    /// Takes certificates and, where there is none yet, the key.
    pub(super) fn take(&mut self, sections: Vec<(SectionKind, Vec<u8>)>) {
        for (kind, der) in sections {
            if kind == SectionKind::Certificate {
                self.chain.push(CertificateDer::from(der));
            } else if self.key.is_none() {
                self.key = PrivateKeyDer::from_pem(kind, der);
            }
        }
    }

    /// Reads a file and what stands beside it.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(path: &str, beside: Beside) -> Result<Self, String> {
        let mut parts = Parts::default();
        parts.take(files::sections(path.as_ref())?);
        let key = beside.path(path, "key");
        if parts.key.is_none() && beside.key && Path::new(&key).exists() {
            parts.take(files::sections(key.as_ref())?);
        }
        parts.read_companions(path, beside);
        Ok(parts)
    }

    /// Reads the issuer and its answer from beside a file.
    fn read_companions(&mut self, path: &str, beside: Beside) {
        if beside.issuer {
            let text = files::content(beside.path(path, "issuer").as_ref()).ok();
            self.issuer = text.and_then(|text| files::certificate(&text));
        }
        if beside.ocsp {
            let answer = files::content(beside.path(path, "ocsp").as_ref()).ok();
            self.ocsp = answer.map(Into::into);
        }
    }
}

impl Bundle {
    /// Puts parts together.
    ///
    /// # Errors
    /// Parts are missing or do not fit; HAProxy's sentence.
    pub(super) fn of(path: &str, mut parts: Parts, means: &Means) -> Result<Self, String> {
        let key = parts
            .key
            .as_ref()
            .ok_or_else(|| format!("no private key found in file '{path}'."))?;
        if parts.chain.is_empty() {
            return Err(format!("no certificate found in file '{path}'."));
        }
        let key = means
            .provider
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(|error| format!("unable to load private key from file '{path}' : {error}."))?;
        let own = key.public_key();
        let fits = |der: &CertificateDer<'_>| match (&own, Certificate::read(der)) {
            (Some(own), Some(read)) => own.as_ref() == read.key_info,
            _ => false,
        };
        let leaf = parts.chain.iter().position(fits).ok_or_else(|| {
            format!(
                "inconsistencies between private key and certificate loaded from PEM file '{path}'."
            )
        })?;
        let leaf = parts.chain.remove(leaf);
        parts.chain.insert(0, leaf);
        means.issuers.complete(&mut parts.chain);
        let is_root = |der: &CertificateDer<'_>| {
            Certificate::read(der).is_some_and(|own| own.is_self_issued())
        };
        if means.skips_roots && parts.chain.len() == 2 && is_root(&parts.chain[1]) {
            let root = parts.chain.remove(1);
            parts.issuer.get_or_insert_with(|| root.as_ref().into());
        }
        let read = Certificate::read(&parts.chain[0])
            .ok_or_else(|| format!("malformed certificate in file '{path}'."))?;
        let is_rsa = key.algorithm() == SignatureAlgorithm::RSA;
        let (names, not_after) = (read.names_served(), read.not_after);
        let mut certified = CertifiedKey::new(std::mem::take(&mut parts.chain), key);
        certified.ocsp = parts.ocsp.as_deref().map(<[u8]>::to_vec);
        Ok(Bundle {
            key: Arc::new(certified),
            names,
            is_rsa,
            not_after,
            path: path.into(),
            parts,
            shared_leaf: OnceLock::new(),
        })
    }

    /// Reads a bundle from a file and what stands beside it.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(path: &str, beside: Beside, means: &Means) -> Result<Self, String> {
        let made = Parts::read(path, beside).and_then(|parts| Self::of(path, parts, means));
        made.map_err(|text| match has_passphrase(path) {
            true => format!("the private key in file '{path}' has a passphrase, and sluice reads keys without one."),
            false => text,
        })
    }

    /// The same key under another chain, whose certificate is for `name` until `not_after`.
    pub(super) fn reissued(
        &self,
        chain: Vec<CertificateDer<'static>>,
        name: &str,
        not_after: i64,
    ) -> Bundle {
        Bundle {
            parts: Parts::default(),
            key: Arc::new(CertifiedKey::new(chain, self.key.key.clone())),
            names: vec![name.to_owned()],
            is_rsa: self.is_rsa,
            not_after,
            path: self.path.clone(),
            shared_leaf: OnceLock::new(),
        }
    }

    /// The certificate itself, for many to hold.
    pub(super) fn leaf(&self) -> Arc<[u8]> {
        let make = || Arc::from(self.key.cert[0].as_ref());
        self.shared_leaf.get_or_init(make).clone()
    }

    /// The first and the last second it is valid, since the epoch.
    pub(super) fn validity(&self) -> (i64, i64) {
        let read = Certificate::read(&self.key.cert[0]);
        read.map_or((0, self.not_after), |read| {
            (read.not_before, read.not_after)
        })
    }

    /// The certificate of who issued it, if it is known.
    pub(super) fn issuer(&self) -> Option<&[u8]> {
        let above = self.key.cert.get(1).map(AsRef::as_ref);
        self.parts.issuer.as_deref().or(above)
    }

    /// What its issuer says of its state.
    pub(super) fn ocsp(&self) -> Option<&[u8]> {
        self.parts.ocsp.as_deref()
    }

    /// What it was made of.
    pub(super) fn parts(&self) -> Parts {
        Parts {
            chain: self.key.cert.clone(),
            ..self.parts.clone()
        }
    }
}

/// Whether a file holds a key that cannot be read without a passphrase (RFC 7468, section 11, and RFC 1421).
fn has_passphrase(path: &str) -> bool {
    const MARKS: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    let text = files::content(path.as_ref()).unwrap_or_default();
    MARKS
        .iter()
        .any(|mark| memchr::memmem::find(&text, mark).is_some())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn fixture(name: &str) -> String {
        format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn read(name: &str) -> Result<Bundle, String> {
        Bundle::read(&fixture(name), Beside::default(), &Means::default())
    }

    #[test]
    fn bundles_of_every_kind_of_key() {
        for (name, is_rsa) in [
            ("ecdsa.pem", false),
            ("rsa.pem", true),
            ("pkcs1.pem", true),
            ("sec1.pem", false),
            ("reversed.pem", false),
        ] {
            let bundle = read(name).expect(name);
            assert_eq!(bundle.is_rsa, is_rsa, "{name}");
            assert!(bundle.names.contains(&"example.test".to_owned()), "{name}");
            assert!(bundle.not_after > 4_000_000_000, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_names_the_file() {
        let said = files::of(&fixture("none.pem"), Beside::default()).expect_err("none there");
        assert!(said.starts_with("unable to stat SSL certificate from file"));
        assert!(said.ends_with("none.pem' : No such file or directory."));
        let said = |name: &str| read(name).expect_err(name);
        assert!(said("mismatch.pem").starts_with("inconsistencies between private key"));
        assert!(said("ca.pem").starts_with("no private key found in file"));
        let path = std::env::temp_dir().join(format!("sluice-locked-{}.pem", std::process::id()));
        for mark in [
            "BEGIN ENCRYPTED PRIVATE KEY",
            "BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED",
        ] {
            let text = format!("-----{mark}-----\nAAAA\n");
            fs::write(&path, text).expect("a writable directory");
            let name = path.to_string_lossy();
            let said = Bundle::read(&name, Beside::default(), &Means::default());
            assert!(
                said.is_err_and(|text| text.contains("has a passphrase")),
                "{mark}"
            );
        }
        let _ = fs::remove_file(path);
    }

    #[test]
    fn directories_in_order_of_names() {
        let found = files::of(&fixture("many"), Beside::default()).expect("a directory");
        let names: Vec<_> = found
            .iter()
            .map(|path| {
                let bundle = Bundle::read(path, Beside::default(), &Means::default());
                bundle.expect(path).names[0].clone()
            })
            .collect();
        assert_eq!(names[0], "a.test");
        assert!(names.len() > 1);
    }
}
