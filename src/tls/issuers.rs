//! Chains of issuers (`issuers-chain-path`), for certificates that were given without theirs.
//!
//! Each file of the directory holds one chain; its first certificate is the one that issued those it is meant for. A certificate that
//! brings a chain of its own, or that issued itself, is left as it is.
//!
//! A chain is found by name and identifier of the key; whether the signature holds is for clients to judge.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::SectionKind;

use super::files;
use crate::x509::Certificate;

/// Chains, each from the issuer upwards.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Vec<Vec<CertificateDer<'static>>>);

/// What certificates are put together with.
#[derive(Debug)]
pub(super) struct Means {
    pub(super) provider: CryptoProvider,
    pub(super) issuers: Arc<Issuers>,
    /// `ssl-skip-self-issued-ca`
    pub(super) skips_roots: bool,
}

impl Default for Means {
    fn default() -> Self {
        Self {
            provider: default_provider(),
            issuers: Arc::default(),
            skips_roots: false,
        }
    }
}

impl Issuers {
    /// Reads the chains of a directory.
    ///
    /// # Errors
    /// It, or a file in it, cannot be read.
    pub(super) fn read(path: &str) -> Result<Self, String> {
        if !Path::new(path).is_dir() {
            return Err(format!("unable to open directory '{path}'."));
        }
        let mut chains = Vec::new();
        for file in files::directory(path)? {
            let sections = files::sections(file.as_ref())?;
            let certificates = sections
                .into_iter()
                .filter(|(kind, _)| *kind == SectionKind::Certificate);
            let chain: Vec<_> = certificates
                .map(|(_, der)| CertificateDer::from(der))
                .collect();
            if chain.is_empty() {
                return Err(format!("no certificate found in file '{file}'."));
            }
            chains.push(chain);
        }
        Ok(Self(chains))
    }

    /// Adds the chain above a certificate that stands alone.
    pub(super) fn complete(&self, chain: &mut Vec<CertificateDer<'static>>) {
        let [leaf] = &chain[..] else { return };
        let Some(leaf) = Certificate::read(leaf) else {
            return;
        };
        if leaf.is_self_issued() {
            return;
        }
        let issued = |above: &&Vec<CertificateDer<'static>>| {
            let issuer = Certificate::read(&above[0]);
            issuer.is_some_and(|issuer| {
                let ids = leaf.authority_key().zip(issuer.subject_key());
                issuer.subject == leaf.issuer && ids.is_none_or(|(wanted, own)| wanted == own)
            })
        };
        if let Some(above) = self.0.iter().find(issued).cloned() {
            chain.extend(above);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::bundle::Bundle;
    use crate::tls::files::Beside;

    fn fixture(name: &str) -> String {
        format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn shown(issuers: Issuers, name: &str) -> Vec<CertificateDer<'static>> {
        let means = Means {
            issuers: Arc::new(issuers),
            ..Means::default()
        };
        let made = Bundle::read(&fixture(name), Beside::default(), &means);
        made.expect("a certificate").key.cert.clone()
    }

    #[test]
    fn lone_certificates_are_completed() {
        let dir = std::env::temp_dir().join(format!("sluice-issuers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        std::fs::copy(fixture("ca.pem"), dir.join("ca.pem")).expect("a copy");
        let alone = shown(Issuers::default(), "ecdsa.pem");
        let issuers = Issuers::read(&dir.display().to_string()).expect("a chain");
        let completed = shown(issuers.clone(), "ecdsa.pem");
        assert_eq!((alone.len(), completed.len()), (1, 2));
        assert_eq!(completed[..1], alone);
        // Who issued itself needs nobody.
        let mut root = completed[1..].to_vec();
        issuers.complete(&mut root);
        assert_eq!(root.len(), 1);
        std::fs::remove_dir_all(&dir).expect("gone");
        assert!(Issuers::read(&dir.display().to_string()).is_err());
    }
}
