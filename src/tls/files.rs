//! Files of certificates and keys: which of them a name means, and the sections of PEM in them.
//!
//! Sentences are HAProxy's and name the file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, SectionKind};

/// Which files beside a certificate's are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    /// `FILE.rsa`, `FILE.ecdsa` stand in for a missing `FILE`.
    pub kinds: bool,
    /// `FILE.key`
    pub key: bool,
    /// `FILE.ocsp`
    pub ocsp: bool,
    /// `FILE.issuer`
    pub issuer: bool,
    /// A `.crt` is taken off the name first.
    pub replaces_crt: bool,
}

impl Default for Beside {
    fn default() -> Self {
        Self {
            kinds: true,
            key: true,
            ocsp: true,
            issuer: true,
            replaces_crt: false,
        }
    }
}

impl Beside {
    /// The file beside `path` with this ending.
    pub(super) fn path(self, path: &str, end: &str) -> String {
        let stem = match self.replaces_crt {
            true => path.strip_suffix(".crt").unwrap_or(path),
            false => path,
        };
        format!("{stem}.{end}")
    }
}

/// The largest file that is read: certificates are small, and a wrong path may lead anywhere.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Files beside a bundle that belong to it.
const COMPANIONS: &[&str] = &["key", "ocsp", "issuer", "sctl"];

/// Kinds of keys a bundle may be split by.
const KINDS: &[&str] = &["rsa", "ecdsa", "dsa"];

/// The files that `crt` names: one, its variants by kind of key, or those of a directory in order of their names.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn of(name: &str, beside: Beside) -> Result<Vec<String>, String> {
    match fs::metadata(name) {
        Ok(found) if found.is_dir() => directory(name),
        Ok(_) => Ok(vec![name.to_owned()]),
        Err(error) => {
            let variants = KINDS.iter().map(|kind| format!("{name}.{kind}"));
            let variants: Vec<String> = variants
                .filter(|path| beside.kinds && Path::new(path).exists())
                .collect();
            if variants.is_empty() {
                return Err(format!(
                    "unable to stat SSL certificate from file '{name}' : {}.",
                    words(&error)
                ));
            }
            Ok(variants)
        }
    }
}

/// The certificates of a directory, in order of their names.
pub(super) fn directory(path: &str) -> Result<Vec<String>, String> {
    let unreadable =
        |error: io::Error| format!("unable to scan directory '{path}' : {}.", words(&error));
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry: PathBuf = entry.map_err(unreadable)?.path();
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let companion = entry
            .extension()
            .and_then(|end| end.to_str())
            .is_some_and(|end| COMPANIONS.contains(&end));
        if !hidden
            && !companion
            && entry.is_file()
            && let Some(name) = entry.to_str()
        {
            files.insert(name.to_owned());
        }
    }
    Ok(files.into_iter().collect())
}

/// Reads a file's sections.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn sections(path: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, String> {
    let shown = path.display().to_string();
    let text = content(path).map_err(|error| {
        format!(
            "unable to load certificate from file '{shown}' : {}.",
            words(&error)
        )
    })?;
    sections_of(&text, &shown)
}

/// The sections of a text that came from `shown`.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn sections_of(text: &[u8], shown: &str) -> Result<Vec<(SectionKind, Vec<u8>)>, String> {
    let mut rest = text;
    let mut sections = Vec::new();
    while let Some(section) = pem::from_buf(&mut rest)
        .map_err(|error| format!("malformed PEM in file '{shown}' : {error:?}."))?
    {
        sections.push(section);
    }
    Ok(sections)
}

/// Reads a small file.
pub(super) fn content(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > FILE_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read(path)
}

/// The first certificate of a text.
pub(super) fn certificate(text: &[u8]) -> Option<Arc<[u8]>> {
    let mut sections = sections_of(text, "").ok()?.into_iter();
    sections
        .find(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| der.into())
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

    #[test]
    fn the_place_beside() {
        let beside = Beside::default();
        assert_eq!(beside.path("a.crt", "key"), "a.crt.key");
        let beside = Beside {
            replaces_crt: true,
            ..beside
        };
        assert_eq!(beside.path("a.crt", "key"), "a.key");
        assert_eq!(beside.path("a.pem", "key"), "a.pem.key");
    }
}
