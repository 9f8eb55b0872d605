//! Whom to believe: the checks that rustls has a peer's certificate go through.
//!
//! rustls' own reader refuses certificates of the first version, so that chains are judged by [`court`](super::court) and handshakes'
//! signatures are checked here, with rustls' algorithms. HAProxy checks a server's chain and, separately, its name: that of
//! `verifyhost`, or else the one that was asked for by SNI.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};

use super::court::{Authorities, Charge, Court, Purpose};
use super::names;
use super::verdict::{Borne, Desk, Examined, Refusal, Verdict, error_of};
use crate::x509::Certificate;

/// What chains are judged by.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) authorities: Authorities,
    /// `crl-file`
    pub(super) lists: Option<Vec<Arc<[u8]>>>,
    /// `ca-ignore-err`
    pub(super) above: Borne,
    /// `crt-ignore-err`
    pub(super) leaf: Borne,
    pub(super) purpose: Purpose,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl Policy {
    /// Judges a chain, leaf first; with the number of the fault that is not borne, if there is one.
    pub(super) fn judge(&self, chain: &[&[u8]], now: i64) -> (Verdict, Option<Charge>) {
        let court = Court {
            authorities: &self.authorities,
            lists: self.lists.as_deref(),
            purpose: self.purpose,
            algorithms: self.algorithms,
            now,
        };
        let mut verdict = Verdict::default();
        let mut last = None;
        let outcome = court.judge(chain, &mut |charge: Charge| {
            verdict.add(charge);
            last = Some(charge);
            let borne = if charge.depth == 0 {
                self.leaf
            } else {
                self.above
            };
            borne.bears(charge.number)
        });
        (verdict, last.filter(|_| outcome.is_err()))
    }

    /// Whether a chain may be accepted in spite of faults.
    pub(super) fn bears_some(&self) -> bool {
        !self.leaf.is_none() || !self.above.is_none()
    }

    /// Judges a chain for rustls; what is refused is left on the desk.
    fn examine(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
        desk: &Desk,
    ) -> Result<(), Error> {
        let chain: Vec<&[u8]> = std::iter::once(leaf)
            .chain(rest)
            .map(AsRef::as_ref)
            .collect();
        let (verdict, refused) = self.judge(&chain, seconds(now));
        let Some(charge) = refused else {
            return Ok(());
        };
        desk.leave(Examined {
            chain: chain.iter().map(|der| der.to_vec()).collect(),
            verdict,
            refusal: if charge.depth == 0 {
                Refusal::Leaf
            } else {
                Refusal::Authority
            },
        });
        Err(error_of(charge.number))
    }
}

fn seconds(now: UnixTime) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// Checks a handshake's signature by the key of any certificate.
fn signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
    only_first: bool,
) -> Result<HandshakeSignatureValid, Error> {
    let unadvertised = PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme;
    let mapping = algorithms.mapping.iter();
    let found = mapping.clone().find(|(scheme, _)| *scheme == signed.scheme);
    let (_, fitting) = found.ok_or(unadvertised)?;
    let bad = Error::InvalidCertificate(CertificateError::BadSignature);
    let read = Certificate::read(certificate)
        .ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let count = if only_first { 1 } else { fitting.len() };
    let own = fitting
        .iter()
        .take(count)
        .find(|own| own.public_key_alg_id().as_ref() == read.key_algorithm)
        .ok_or_else(|| bad.clone())?;
    own.verify_signature(read.key, message, signed.signature())
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(|_invalid| bad)
}

/// Whether a scheme may sign handshakes of TLS 1.3 (RFC 8446, section 4.2.3).
fn is_modern(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::ECDSA_NISTP256_SHA256
            | SignatureScheme::ECDSA_NISTP384_SHA384
            | SignatureScheme::ECDSA_NISTP521_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::ED25519
    )
}

macro_rules! handshake_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            signature(message, certificate, signed, &self.algorithms, false)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            if !is_modern(signed.scheme) {
                return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
            }
            signature(message, certificate, signed, &self.algorithms, true)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.schemes
                .clone()
                .unwrap_or_else(|| self.algorithms.supported_schemes())
        }
    };
}

/// Checks clients' certificates.
#[derive(Debug)]
pub(super) struct ClientCheck {
    pub(super) policy: Policy,
    /// `verify required`
    pub(super) mandatory: bool,
    /// The authorities a client is told to choose by.
    pub(super) hints: Vec<DistinguishedName>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// `client-sigalgs`
    pub(super) schemes: Option<Vec<SignatureScheme>>,
    pub(super) desk: Desk,
}

impl ClientCertVerifier for ClientCheck {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.policy.examine(leaf, rest, now, &self.desk)?;
        Ok(ClientCertVerified::assertion())
    }

    handshake_signatures!();
}

/// Checks a server's certificate.
#[derive(Debug)]
pub(super) struct ServerCheck {
    /// Nothing is checked without.
    pub(super) policy: Option<Policy>,
    /// `verifyhost`
    pub(super) host: Option<String>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// `sigalgs`
    pub(super) schemes: Option<Vec<SignatureScheme>>,
    pub(super) desk: Desk,
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        asked: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(policy) = &self.policy else {
            return Ok(ServerCertVerified::assertion());
        };
        policy.examine(leaf, rest, now, &self.desk)?;
        let (host, refusal) = match (&self.host, asked) {
            (Some(host), _) => (host.as_str(), Refusal::Name),
            (None, ServerName::DnsName(name)) => (name.as_ref(), Refusal::NameAsked),
            // Without SNI only the chain counts.
            (None, _) => return Ok(ServerCertVerified::assertion()),
        };
        let read = Certificate::read(leaf);
        if read.is_some_and(|read| names::is_for(&read, host)) {
            return Ok(ServerCertVerified::assertion());
        }
        self.desk.leave(Examined {
            chain: std::iter::once(leaf)
                .chain(rest)
                .map(|der| der.to_vec())
                .collect(),
            verdict: Verdict::default(),
            refusal,
        });
        Err(Error::InvalidCertificate(CertificateError::NotValidForName))
    }

    handshake_signatures!();
}
