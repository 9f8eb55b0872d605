//! What is offered to clients beside the certificate: versions, suites, protocols, what is asked of them. One for a `bind` line, and one for
//! each line of its lists that has options of its own.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, ServerConfig,
    StoresServerSessions,
};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{DistinguishedName, SignatureAlgorithm, SignatureScheme};

use super::court::{Authorities, Purpose};
use super::draft::{BindDraft, GlobalDraft, Verify, under};
use super::keylog::KeyDesk;
use super::offer;
use super::store::{Kind, State};
use super::trust::{ClientCheck, Policy};
use super::verdict::Desk;
use crate::lang::{Diag, Span, Word};

/// What is offered beside the certificate.
#[derive(Debug)]
pub(super) struct Profile {
    template: ServerConfig,
    /// How clients' certificates are checked, if they are asked for.
    pub(super) check: Option<Arc<ClientCheck>>,
    /// Where the secrets of a session are left, if they are kept.
    pub(super) keys: Option<Arc<KeyDesk>>,
    /// `sigalgs`
    schemes: Option<Arc<[SignatureScheme]>>,
    /// Whether clients may settle on TLS 1.3.
    pub(super) speaks_13: bool,
}

/// How sessions are taken up again; the same for all profiles of a line, whatever becomes of its certificates.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) tickets: Option<Arc<dyn ProducesTickets>>,
    pub(super) sessions: Arc<dyn StoresServerSessions>,
}

/// Early data that is taken from one client.
const EARLY_MAX: u32 = 16 * 1024;

impl Profile {
    /// Makes what `draft` and, where it is silent, `global` ask for; warnings are added to `notes`.
    ///
    /// # Errors
    /// A file is missing or wrong, or the wishes exclude each other.
    pub(super) fn new(
        draft: &BindDraft,
        global: &GlobalDraft,
        span: Span,
        memory: &Memory,
        (state, notes): (&mut State, &mut Vec<Diag>),
    ) -> Result<Self, Diag> {
        let offer = draft.offer.or(&global.bind);
        let provider = Arc::new(offer.provider(notes)?);
        let versions = offer.versions();
        if versions.is_empty() {
            return Err(Diag::alert(span, "'ssl-min-ver' is above 'ssl-max-ver'."));
        }
        let check = check(draft, global, span, &provider, state)?;
        let schemes = offer::schemes(offer.client_sigalgs.as_ref(), notes)?;
        let check = check.map(|check| Arc::new(ClientCheck { schemes, ..check }));
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| Diag::alert(span, format!("'ssl' : {error}.")))?;
        let builder = match &check {
            Some(check) => builder.with_client_cert_verifier(check.clone()),
            None => builder.with_no_client_auth(),
        };
        let mut template = builder.with_cert_resolver(Arc::new(Nothing));
        template.ignore_client_order = !offer.client_order.unwrap_or(false);
        template.alpn_protocols = draft.alpn.clone().unwrap_or_default();
        let records = global.record_max.into_iter().chain(global.record_bound);
        template.max_fragment_size = records.min();
        // rustls takes early data with sessions that are remembered only: what a ticket holds could be played again at will.
        match &memory.tickets {
            Some(tickets) if !draft.early_data => {
                template.ticketer = tickets.clone();
                template.session_storage = Arc::new(NoServerSessionStorage {});
            }
            _ => template.session_storage = memory.sessions.clone(),
        }
        if draft.early_data {
            template.max_early_data_size = EARLY_MAX;
        }
        let keys = global.keylog.then(Arc::<KeyDesk>::default);
        if let Some(keys) = &keys {
            template.key_log = keys.clone();
        }
        Ok(Self {
            template,
            check,
            keys,
            schemes: offer::schemes(offer.sigalgs.as_ref(), notes)?.map(Into::into),
            speaks_13: versions.contains(&&rustls::version::TLS13),
        })
    }

    /// The context for a client that is shown `key` and with whom one of the protocols is agreed on, or none.
    pub(super) fn config(&self, key: &Arc<CertifiedKey>, with_alpn: bool) -> Arc<ServerConfig> {
        let mut config = self.template.clone();
        if !with_alpn {
            config.alpn_protocols.clear();
        }
        let key = match &self.schemes {
            None => key.clone(),
            Some(schemes) => Arc::new(CertifiedKey {
                cert: key.cert.clone(),
                key: Arc::new(Limited {
                    key: key.key.clone(),
                    schemes: schemes.clone(),
                }),
                ocsp: key.ocsp.clone(),
            }),
        };
        config.cert_resolver = Arc::new(Only(key));
        Arc::new(config)
    }

    /// Whether a client that offers these protocols has one in common.
    pub(super) fn speaks<'a>(&self, mut offered: impl Iterator<Item = &'a [u8]>) -> bool {
        let ours = &self.template.alpn_protocols;
        offered.any(|name| ours.iter().any(|own| own == name))
    }

    /// Whether `key` can sign in one of these ways.
    pub(super) fn can_sign(&self, key: &CertifiedKey, wanted: &[SignatureScheme]) -> bool {
        match &self.schemes {
            None => key.key.choose_scheme(wanted).is_some(),
            Some(own) => {
                let both: Vec<_> = wanted.iter().copied().filter(|s| own.contains(s)).collect();
                key.key.choose_scheme(&both).is_some()
            }
        }
    }
}

/// How clients' certificates are checked.
fn check(
    draft: &BindDraft,
    global: &GlobalDraft,
    span: Span,
    provider: &CryptoProvider,
    state: &mut State,
) -> Result<Option<ClientCheck>, Diag> {
    let verify = draft.verify.unwrap_or_default();
    let mut files = |word: &Option<Word>, kind| match word {
        None => Ok(None),
        Some(word) => {
            let path = under(global.ca_base.as_deref(), word.text()?);
            let found = state.pile(kind, &path);
            found.map(Some).map_err(|text| Diag::alert(word.span, text))
        }
    };
    // Files are loaded though nobody is asked: the stats socket may look at them.
    let named = files(&draft.ca_file, Kind::Authorities)?;
    let silent = files(&draft.ca_verify_file, Kind::Authorities)?;
    let lists = files(&draft.crl_file, Kind::Revocations)?;
    if verify == Verify::None {
        return Ok(None);
    }
    if named.is_none() && silent.is_none() {
        return Err(
            Diag::alert(span, "verify is enabled but no CA file is specified.")
                .with_fix("add 'ca-file <file>'"),
        );
    }
    let mut authorities = Authorities::default();
    authorities.add(named.iter().flat_map(|pile| &pile.items));
    let hints = match draft.no_ca_names {
        true => Vec::new(),
        false => authorities
            .subjects()
            .map(|name| DistinguishedName::from(name.to_vec()))
            .collect(),
    };
    authorities.add(silent.iter().flat_map(|pile| &pile.items));
    let algorithms = provider.signature_verification_algorithms;
    Ok(Some(ClientCheck {
        policy: Policy {
            authorities,
            lists: lists.map(|pile| pile.items.clone()),
            above: draft.ca_borne,
            leaf: draft.crt_borne,
            purpose: Purpose::Client,
            algorithms,
        },
        mandatory: verify == Verify::Required,
        hints,
        algorithms,
        schemes: None,
        desk: Desk::default(),
    }))
}

/// Shows nothing.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// Shows one certificate, which was chosen before rustls saw the hello.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// A key that signs in some ways only.
#[derive(Debug)]
struct Limited {
    key: Arc<dyn SigningKey>,
    schemes: Arc<[SignatureScheme]>,
}

impl SigningKey for Limited {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let both: Vec<_> = offered
            .iter()
            .copied()
            .filter(|scheme| self.schemes.contains(scheme))
            .collect();
        self.key.choose_scheme(&both)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
