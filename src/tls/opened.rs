//! What a handshake settled, or failed by, in the words and numbers of OpenSSL.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{
    AlertDescription, CommonState, Error, HandshakeKind, InvalidMessage, PeerIncompatible,
    ProtocolVersion,
};

use super::offer;
use super::session::{Known, Session};
use super::verdict::{Examined, Refusal, Verdict, error_of};
use crate::proto::hello::Hello;

/// Why a client is refused that asks for a name without a certificate.
pub(super) const NO_CERTIFICATE: &str = "no certificate for the name asked for";

/// Why a connection beyond `maxsslconn` ends.
pub(super) const TOO_MANY: &str = "too many connections";

/// What the handshake settled.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// `TLSv1.2`, `TLSv1.3`
    pub version: &'static str,
    /// The cipher suite.
    pub cipher: &'static str,
    /// The bits of its key.
    pub bits: u32,
    /// The group of the key exchange.
    pub curve: Option<&'static str>,
    /// The name asked for.
    pub sni: Option<Vec<u8>>,
    /// The protocol agreed on.
    pub alpn: Option<Vec<u8>>,
    /// Whether an earlier session goes on.
    pub resumed: bool,
    /// Whether early data was taken.
    pub early: bool,
    /// The peer's certificates, leaf first.
    pub peer: Vec<Vec<u8>>,
    /// What was found in them.
    pub verdict: Verdict,
    /// Why they were refused.
    pub refusal: Option<Refusal>,
    /// The certificate that was shown, and its file.
    pub own: Option<(Arc<[u8]>, Arc<str>)>,
    /// Why the handshake failed, by OpenSSL's number; 0 while it did not.
    pub error: u32,
    /// The client's hello, as far as it is kept.
    pub hello: Option<Vec<u8>>,
    /// The random bytes of client and server.
    pub randoms: Option<([u8; 32], [u8; 32])>,
    /// The secrets, if they are kept.
    pub secrets: Vec<(&'static str, Vec<u8>)>,
}

impl Known {
    /// Remembers what a client's hello says.
    pub(super) fn greet(&mut self, hello: &Hello<'_>, capture_max: usize) {
        self.sni = hello.server_name().map(<[u8]>::to_vec);
        self.randoms[0] = hello.random().try_into().ok();
        if capture_max > 0 {
            self.hello = Some(hello.body().to_vec());
        }
    }

    /// What a verifier has just left of the peer.
    pub(super) fn take_examined(&self) -> Option<Examined> {
        let server = self
            .entry
            .as_ref()
            .and_then(|entry| entry.profile.check.as_ref());
        let client = self.way.as_ref().map(|way| &way.check);
        match (server, client) {
            (Some(check), _) => check.desk.take(),
            (None, Some(check)) => check.desk.take(),
            (None, None) => None,
        }
    }

    /// Why a client that goes on with an earlier session may not: its certificates are judged again, by what holds for this session.
    pub(super) fn faults_of_resumed(&self, state: Option<&CommonState>) -> Option<Error> {
        let check = self.entry.as_ref()?.profile.check.as_ref()?;
        let state = state?;
        if state.handshake_kind() != Some(HandshakeKind::Resumed) {
            return None;
        }
        let chain: Vec<&[u8]> = match state.peer_certificates() {
            Some(chain) if !chain.is_empty() => chain.iter().map(AsRef::as_ref).collect(),
            _ if check.mandatory => return Some(Error::NoCertificatesPresented),
            _ => return None,
        };
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
        let (_, refused) = check.policy.judge(&chain, now);
        refused.map(|charge| error_of(charge.number))
    }

    /// The faults that were borne in a client's certificates: where none may be, there are none.
    fn verdict(&self, chain: &[Vec<u8>], resumed: bool, now: i64) -> Verdict {
        let check = self
            .entry
            .as_ref()
            .and_then(|entry| entry.profile.check.as_ref());
        match check {
            Some(check) if !chain.is_empty() && (resumed || check.policy.bears_some()) => {
                let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
                check.policy.judge(&chain, now).0
            }
            _ => Verdict::default(),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let server = self
            .entry
            .as_ref()
            .and_then(|entry| entry.profile.keys.as_ref());
        let client = self.way.as_ref().and_then(|way| way.keys.as_ref());
        match (server.or(client), &self.randoms[0]) {
            (Some(keys), Some(random)) => keys.take(random),
            _ => Vec::new(),
        }
    }
}

impl Opened {
    pub(super) fn of(session: &Session, now: i64) -> Self {
        let known = &session.known;
        let state = session.state();
        let suite = state.and_then(|state| state.negotiated_cipher_suite());
        let group = state.and_then(|state| state.negotiated_key_exchange_group());
        let der = |certificates: &[CertificateDer<'static>]| -> Vec<Vec<u8>> {
            certificates.iter().map(|der| der.to_vec()).collect()
        };
        let resumed =
            state.and_then(|state| state.handshake_kind()) == Some(HandshakeKind::Resumed);
        let shown = state.and_then(|state| state.peer_certificates());
        let (peer, verdict, refusal) = match &known.examined {
            Some(examined) => (
                examined.chain.clone(),
                examined.verdict,
                Some(examined.refusal),
            ),
            None => {
                let peer = shown.map(der).unwrap_or_default();
                let verdict = known.verdict(&peer, resumed, now);
                (peer, verdict, None)
            }
        };
        let version = state.and_then(|state| state.protocol_version());
        Self {
            version: match version {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            cipher: suite.as_ref().map_or("", offer::name_of),
            bits: suite.as_ref().map_or(0, offer::bits_of),
            curve: group.and_then(|group| offer::group_name(group.name())),
            sni: known.sni.clone(),
            alpn: state
                .and_then(|state| state.alpn_protocol())
                .map(<[u8]>::to_vec),
            resumed,
            early: known.early,
            peer,
            verdict,
            refusal,
            own: known
                .entry
                .as_ref()
                .map(|entry| (entry.bundle.leaf(), entry.bundle.path.clone())),
            error: session.failure().map_or(0, number_of),
            hello: known.hello.clone(),
            randoms: known.randoms[0].zip(known.randoms[1]),
            secrets: known.secrets(),
        }
    }
}

/// OpenSSL's number of a failure: its library in the upper bits, the reason in the lower.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls may learn of more failures, and those without a number of their own are 1"
)]
fn number_of(error: &Error) -> u32 {
    const SSL: u32 = 20 << 23;
    SSL | match error {
        Error::InvalidCertificate(_) => 134,
        Error::NoCertificatesPresented => 199,
        Error::AlertReceived(alert) => 1000 + alert_number(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::Tls13RequiredForQuic
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => 258,
        Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon) => 101,
        Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon) => 118,
        Error::PeerIncompatible(_) => 193,
        Error::NoApplicationProtocol => 235,
        Error::PeerSentOversizedRecord => 146,
        Error::DecryptError => 147,
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => 244,
        Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => 267,
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => 156,
        Error::InvalidMessage(_) => 159,
        Error::General(text) if text == NO_CERTIFICATE => 234,
        _ => 1,
    }
}

fn alert_number(alert: AlertDescription) -> u32 {
    u32::from(u8::from(alert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_openssls_numbers() {
        let alert = Error::AlertReceived(AlertDescription::UnknownCA);
        assert_eq!(number_of(&alert), 0x0A00_0418);
        let expired = Error::InvalidCertificate(rustls::CertificateError::Expired);
        assert_eq!(number_of(&expired), 0x0A00_0086);
    }
}
