//! Whom to believe: authorities from files, and the check of a server's certificate.
//!
//! HAProxy checks a server's chain and, separately, its name: the one of `verifyhost`, or else the one that was asked for by SNI. rustls
//! checks both together, so the two steps are put together here from its parts.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::SectionKind;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::bundle;

/// Where distributions keep the authorities they trust.
const SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
];

/// Reads the authorities of a file, of a directory, or the system's.
///
/// # Errors
/// HAProxy's sentence.
pub(super) fn authorities(name: &str, base: Option<&str>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if name == "@system-ca" {
        for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
            // A file the system keeps badly does not hide the next.
            let _ = add(&mut roots, path);
            if !roots.is_empty() {
                return Ok(roots);
            }
        }
        return Err("unable to load the system's certificate authorities.".to_owned());
    }
    let path = super::acceptor::under(base, name);
    add(&mut roots, &path)?;
    if roots.is_empty() {
        return Err(format!("no usable CA certificate in '{}'.", path.display()));
    }
    Ok(roots)
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| cannot_load(path, &error))?;
        for entry in entries.flatten().map(|entry| entry.path()) {
            if entry.is_file() {
                // As HAProxy: what is no certificate in a directory is passed over.
                let _ = add(roots, &entry);
            }
        }
        return Ok(());
    }
    if let Err(error) = std::fs::metadata(path) {
        return Err(cannot_load(path, &error));
    }
    let certificates = bundle::sections(path)?
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der));
    roots.add_parsable_certificates(certificates);
    Ok(())
}

fn cannot_load(path: &Path, error: &std::io::Error) -> String {
    format!(
        "unable to load CA file '{}' : {}.",
        path.display(),
        bundle::words(error)
    )
}

/// Checks a server's certificate.
#[derive(Debug)]
pub(super) struct ServerCheck {
    /// Nothing is checked without authorities.
    pub(super) roots: Option<Arc<RootCertStore>>,
    /// `verifyhost`
    pub(super) host: Option<ServerName<'static>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        asked: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else {
            return Ok(ServerCertVerified::assertion());
        };
        let leaf = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&leaf, roots, chain, now, self.algorithms.all)?;
        match (&self.host, asked) {
            (Some(host), _) => verify_server_name(&leaf, host)?,
            (None, ServerName::DnsName(_)) => verify_server_name(&leaf, asked)?,
            // Without SNI only the chain counts.
            (None, _) => {}
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
