//! Authorities and revocation lists: many of a kind in one file, or in the files of a directory.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::SectionKind;

use crate::tls::files;
use crate::x509::{Certificate, RevocationList};

/// What is piled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ca-file`
    Authorities,
    /// `crl-file`
    Revocations,
}

impl Kind {
    /// How HAProxy calls a file of them.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Kind::Authorities => "CA file",
            Kind::Revocations => "CRL file",
        }
    }

    fn reads(self, der: &[u8]) -> bool {
        match self {
            Kind::Authorities => Certificate::read(der).is_some(),
            Kind::Revocations => RevocationList::read(der).is_some(),
        }
    }

    fn section(self) -> SectionKind {
        match self {
            Kind::Authorities => SectionKind::Certificate,
            Kind::Revocations => SectionKind::Crl,
        }
    }
}

/// Those of one name.
#[derive(Debug, Default)]
pub(in crate::tls) struct Pile {
    pub(in crate::tls) items: Vec<Arc<[u8]>>,
}

/// Where distributions keep the authorities they trust.
const SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
];

impl Pile {
    /// Reads a file, a directory, or for `@system-ca` what the system trusts.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(kind: Kind, name: &str) -> Result<Self, String> {
        let mut pile = Pile::default();
        if name == "@system-ca" {
            for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
                // A file the system keeps badly does not hide the next.
                let _ = pile.add_path(kind, path);
                if !pile.items.is_empty() {
                    return Ok(pile);
                }
            }
            return Err("unable to load the system's certificate authorities.".to_owned());
        }
        pile.add_path(kind, name.as_ref())?;
        if pile.items.is_empty() {
            return Err(format!("unable to load {name}"));
        }
        Ok(pile)
    }

    /// Those of a text.
    ///
    /// # Errors
    /// It has none, or one of them cannot be read.
    pub(super) fn parse(kind: Kind, text: &[u8]) -> Result<Self, String> {
        let mut pile = Pile::default();
        let sections = files::sections_of(text, "payload")?;
        pile.take(kind, sections);
        match pile.items.is_empty() {
            true => Err("the payload has none that can be read.".to_owned()),
            false => Ok(pile),
        }
    }

    fn take(&mut self, kind: Kind, sections: Vec<(SectionKind, Vec<u8>)>) {
        let wanted = sections
            .into_iter()
            .filter(|(own, _)| *own == kind.section());
        self.items.extend(
            wanted
                .filter(|(_, der)| kind.reads(der))
                .map(|(_, der)| Arc::from(der)),
        );
    }

    fn add_path(&mut self, kind: Kind, path: &Path) -> Result<(), String> {
        let cannot = |error: std::io::Error| {
            format!(
                "unable to load {} '{}' : {}.",
                kind.file(),
                path.display(),
                files::words(&error)
            )
        };
        if path.is_dir() {
            let mut files: Vec<_> = std::fs::read_dir(path)
                .map_err(cannot)?
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_file())
                .collect();
            files.sort();
            for file in files {
                // As HAProxy: what is no certificate in a directory is passed over.
                if let Ok(sections) = files::sections(&file) {
                    self.take(kind, sections);
                }
            }
            return Ok(());
        }
        std::fs::metadata(path).map_err(cannot)?;
        self.take(kind, files::sections(path)?);
        Ok(())
    }
}
