//! Certificates with their chains and keys, read from PEM files.
//!
//! A bundle holds key, certificate and chain in any order; the certificate that fits the key leads. A key may stand beside it in
//! `FILE.key`, a stapled answer in `FILE.ocsp`. Sentences are HAProxy's and name the file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureAlgorithm};

use super::der;

/// A certificate that can be shown, and for which names.
#[derive(Debug)]
pub(super) struct Bundle {
    /// Chain and key.
    pub(super) key: Arc<CertifiedKey>,
    /// The names it is for, in lower case.
    pub(super) names: Vec<String>,
    /// Whether the key is an RSA key.
    pub(super) is_rsa: bool,
    /// When it ends, in seconds since the epoch.
    pub(super) not_after: i64,
    /// Where it came from.
    pub(super) path: PathBuf,
}

/// The largest file that is read: certificates are small, and a wrong path may lead anywhere.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Files beside a bundle that belong to it.
const COMPANIONS: &[&str] = &["key", "ocsp", "issuer", "sctl"];

/// Kinds of keys a bundle may be split by.
const KINDS: &[&str] = &["ecdsa", "rsa", "dsa"];

/// Reads what `crt` names: a file, its variants by kind of key, or a directory of such files in order of their names.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn load(path: &Path, provider: &CryptoProvider) -> Result<Vec<Bundle>, String> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => directory(path, provider),
        Ok(_) => Ok(vec![read(path, provider)?]),
        Err(error) => {
            let variants: Vec<PathBuf> = KINDS
                .iter()
                .map(|kind| beside(path, kind))
                .filter(|path| path.exists())
                .collect();
            if variants.is_empty() {
                return Err(format!(
                    "unable to stat SSL certificate from file '{}' : {}.",
                    path.display(),
                    words(&error)
                ));
            }
            variants.iter().map(|path| read(path, provider)).collect()
        }
    }
}

fn directory(path: &Path, provider: &CryptoProvider) -> Result<Vec<Bundle>, String> {
    let unreadable = |error: io::Error| {
        format!(
            "unable to scan directory '{}' : {}.",
            path.display(),
            words(&error)
        )
    };
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let companion = entry
            .extension()
            .and_then(|end| end.to_str())
            .is_some_and(|end| COMPANIONS.contains(&end));
        if !hidden && !companion && entry.is_file() {
            files.insert(entry);
        }
    }
    files.iter().map(|path| read(path, provider)).collect()
}

/// `FILE.kind`.
fn beside(path: &Path, kind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    PathBuf::from(name)
}

/// Reads a file's sections.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn sections(path: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, String> {
    let text = content(path).map_err(|error| {
        format!(
            "unable to load certificate from file '{}' : {}.",
            path.display(),
            words(&error)
        )
    })?;
    let mut rest = &text[..];
    let mut sections = Vec::new();
    while let Some(section) = pem::from_buf(&mut rest)
        .map_err(|error| format!("malformed PEM in file '{}' : {error:?}.", path.display()))?
    {
        sections.push(section);
    }
    Ok(sections)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > FILE_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

/// Reads one bundle.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn read(path: &Path, provider: &CryptoProvider) -> Result<Bundle, String> {
    let shown = path.display();
    let mut certificates = Vec::new();
    let mut key = None;
    let mut take = |sections: Vec<(SectionKind, Vec<u8>)>| {
        for (kind, der) in sections {
            if kind == SectionKind::Certificate {
                certificates.push(CertificateDer::from(der));
            } else if key.is_none() {
                key = PrivateKeyDer::from_pem(kind, der);
            }
        }
        key.is_some()
    };
    if !take(sections(path)?) {
        let beside = beside(path, "key");
        if beside.exists() {
            take(sections(&beside)?);
        }
    }
    let key = key.ok_or_else(|| format!("no private key found in file '{shown}'."))?;
    if certificates.is_empty() {
        return Err(format!("no certificate found in file '{shown}'."));
    }
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| format!("unable to load private key from file '{shown}' : {error}."))?;
    let leaf = certificates.iter().position(|certificate| {
        let alone = CertifiedKey::new(vec![certificate.clone()], key.clone());
        !matches!(
            alone.keys_match(),
            Err(rustls::Error::InconsistentKeys(
                InconsistentKeys::KeyMismatch
            ))
        )
    });
    let leaf = leaf.ok_or_else(|| {
        format!(
            "inconsistencies between private key and certificate loaded from PEM file '{shown}'."
        )
    })?;
    let leaf = certificates.remove(leaf);
    certificates.insert(0, leaf);
    let fields = der::fields(&certificates[0])
        .ok_or_else(|| format!("malformed certificate in file '{shown}'."))?;
    let mut names = fields.dns_names;
    names.extend(fields.common_name.filter(|_| names.is_empty()));
    names
        .iter_mut()
        .for_each(|name| name.make_ascii_lowercase());
    let is_rsa = key.algorithm() == SignatureAlgorithm::RSA;
    let mut certified = CertifiedKey::new(certificates, key);
    certified.ocsp = content(&beside(path, "ocsp")).ok();
    Ok(Bundle {
        key: Arc::new(certified),
        names,
        is_rsa,
        not_after: fields.not_after,
        path: path.to_owned(),
    })
}

/// The system's words for an error, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/tls")
            .join(name)
    }

    #[test]
    fn bundles_of_every_kind_of_key() {
        let provider = default_provider();
        for (name, is_rsa) in [
            ("ecdsa.pem", false),
            ("rsa.pem", true),
            ("pkcs1.pem", true),
            ("sec1.pem", false),
            ("reversed.pem", false),
        ] {
            let bundle = read(&fixture(name), &provider).expect(name);
            assert_eq!(bundle.is_rsa, is_rsa, "{name}");
            assert!(bundle.names.contains(&"example.test".to_owned()), "{name}");
            assert!(bundle.not_after > 4_000_000_000, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_names_the_file() {
        let provider = default_provider();
        let said = |name: &str| load(&fixture(name), &provider).expect_err(name);
        assert!(said("none.pem").starts_with("unable to stat SSL certificate from file"));
        assert!(said("none.pem").ends_with("none.pem' : No such file or directory."));
        assert!(said("mismatch.pem").starts_with("inconsistencies between private key"));
        assert!(said("ca.pem").starts_with("no private key found in file"));
    }

    #[test]
    fn directories_in_order_of_names() {
        let found = load(&fixture("many"), &default_provider()).expect("a directory");
        let names: Vec<_> = found
            .iter()
            .map(|bundle| bundle.names[0].as_str())
            .collect();
        assert_eq!(names, ["a.test", "*.wild.test"]);
    }
}
