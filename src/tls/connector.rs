//! How a `server … ssl` line is reached: what is offered, whom to believe, what to show.
//!
//! Sessions are kept per server and name, shared by all workers, until the store changes what the line names.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustls::ClientConfig;
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;

use super::court::{Authorities, Purpose};
use super::draft::{GlobalDraft, ServerDraft, Verify, under};
use super::keylog::KeyDesk;
use super::offer;
use super::places::Places;
use super::store::{Kind, State, Store};
use super::trust::{Policy, ServerCheck};
use super::verdict::{Borne, Desk};
use crate::lang::{Diag, Span};
use crate::live::Live;

/// Sessions kept for one server.
const SESSIONS_MAX: usize = 256;

/// The way to one server.
#[derive(Debug)]
pub struct Connector {
    draft: ServerDraft,
    global: GlobalDraft,
    span: Span,
    way: Live<Way>,
    /// Its server was deleted.
    retired: AtomicBool,
    /// The places of connections.
    pub(super) places: Arc<Places>,
}

/// What one connection begins with.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) config: Arc<ClientConfig>,
    pub(super) check: Arc<ServerCheck>,
    pub(super) keys: Option<Arc<KeyDesk>>,
    /// The certificate that is shown, if there is one.
    pub(super) shown: Option<Arc<str>>,
}

impl Connector {
    /// Makes what the line asks for; warnings are added to `notes`.
    ///
    /// # Errors
    /// A file is missing or wrong, or the wishes exclude each other.
    pub fn new(
        draft: &ServerDraft,
        global: &GlobalDraft,
        store: &Store,
        span: Span,
        notes: &mut Vec<Diag>,
    ) -> Result<Arc<Self>, Diag> {
        let way = way((draft, global, span), &mut store.lock(), notes)?;
        let connector = Arc::new(Self {
            draft: draft.clone(),
            global: global.clone(),
            span,
            way: Live::new(way),
            retired: AtomicBool::new(false),
            places: store.places().clone(),
        });
        store.follow_connector(&connector);
        Ok(connector)
    }

    /// Its server was deleted: what it names is not in use by it any more.
    pub fn retire(&self) {
        self.retired.store(true, Relaxed);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Relaxed)
    }

    /// How often what new sessions are made of was replaced.
    pub fn version(&self) -> u64 {
        self.way.version()
    }

    /// What a connection begins with.
    pub(super) fn way(&self) -> Arc<Way> {
        self.way.load()
    }

    /// The way made anew from what the store has.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn remade(&self, state: &mut State) -> Result<Way, String> {
        let made = way(
            (&self.draft, &self.global, self.span),
            state,
            &mut Vec::new(),
        );
        made.map_err(|diag| diag.message)
    }

    /// Goes this way from here on.
    pub(super) fn publish(&self, way: Way) {
        self.way.publish(way);
    }

    /// Whether it names these authorities or revocation lists.
    pub(super) fn names_pile(&self, name: &str) -> bool {
        let base = self.global.ca_base.as_deref();
        [&self.draft.ca_file, &self.draft.crl_file]
            .into_iter()
            .flatten()
            .any(|word| under(base, word.str()) == name)
    }

    /// The name to ask for; an address, which no server is asked for, stands for none.
    pub(super) fn name(sni: Option<&[u8]>) -> ServerName<'static> {
        let nobody = ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into());
        sni.and_then(|name| std::str::from_utf8(name).ok())
            .and_then(|name| ServerName::try_from(name.to_owned()).ok())
            .unwrap_or(nobody)
    }
}

/// A server's line: what it says, what `global` says, where it stands.
type Written<'a> = (&'a ServerDraft, &'a GlobalDraft, Span);

fn way(written: Written<'_>, state: &mut State, notes: &mut Vec<Diag>) -> Result<Way, Diag> {
    let (draft, global, span) = written;
    let offer = draft.offer.or(&global.server);
    let provider = Arc::new(offer.provider(notes)?);
    let versions = offer.versions();
    if versions.is_empty() {
        return Err(Diag::alert(span, "'ssl-min-ver' is above 'ssl-max-ver'."));
    }
    let schemes = offer::schemes(offer.sigalgs.as_ref(), notes)?;
    let check = check(written, &provider, state)?;
    let check = Arc::new(ServerCheck { schemes, ..check });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| Diag::alert(span, format!("'ssl' : {error}.")))?
        .dangerous()
        .with_custom_certificate_verifier(check.clone());
    let mut shown = None;
    let mut config = match &draft.crt {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let path: Arc<str> = under(global.crt_base.as_deref(), file.text()?).into();
            let bundle = state
                .bundle(&path)
                .map_err(|text| Diag::alert(file.span, text))?;
            shown = Some(path);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(bundle.key.clone())))
        }
    };
    config.max_fragment_size = global.record_bound;
    config.alpn_protocols = draft.alpn.clone().unwrap_or_default();
    config.resumption = if draft.no_reuse {
        Resumption::disabled()
    } else {
        let kept = Resumption::in_memory_sessions(SESSIONS_MAX);
        if offer.no_tickets.unwrap_or(false) {
            kept.tls12_resumption(Tls12Resumption::SessionIdOnly)
        } else {
            kept
        }
    };
    // A server that ignores what it was offered goes on in HTTP/1, as behind HAProxy.
    config.check_selected_alpn = false;
    let keys = global.keylog.then(Arc::<KeyDesk>::default);
    if let Some(keys) = &keys {
        config.key_log = keys.clone();
    }
    Ok(Way {
        config: Arc::new(config),
        check,
        keys,
        shown,
    })
}

fn check(
    (draft, global, span): Written<'_>,
    provider: &CryptoProvider,
    state: &mut State,
) -> Result<ServerCheck, Diag> {
    let verify = draft
        .verify
        .or(global.server_verify)
        .unwrap_or(Verify::Required);
    let mut file = |word: &Option<crate::lang::Word>, kind| match word {
        None => Ok(None),
        Some(word) => {
            let path = under(global.ca_base.as_deref(), word.text()?);
            let found = state.pile(kind, &path);
            found.map(Some).map_err(|text| Diag::alert(word.span, text))
        }
    };
    // Files are loaded though nothing is checked: the stats socket may look at them.
    let known = file(&draft.ca_file, Kind::Authorities)?;
    let lists = file(&draft.crl_file, Kind::Revocations)?;
    let algorithms = provider.signature_verification_algorithms;
    let policy = match (verify, known) {
        (Verify::None, _) => None,
        (_, Some(known)) => {
            let mut authorities = Authorities::default();
            authorities.add(&known.items);
            Some(Policy {
                authorities,
                lists: lists.map(|pile| pile.items.clone()),
                above: Borne::default(),
                leaf: Borne::default(),
                purpose: Purpose::Server,
                algorithms,
            })
        }
        (_, None) => {
            let text = "verify is enabled by default but no CA file specified. If you're \
                        running on a LAN where you're certain to trust the server's certificate, \
                        please set an explicit 'verify none' statement on the 'server' line, or use \
                        'ssl-server-verify none' in the global section to disable server-side \
                        verifications by default.";
            return Err(Diag::alert(span, text));
        }
    };
    let host = match &draft.verify_host {
        None => None,
        Some(word) => Some(word.text()?.to_owned()),
    };
    Ok(ServerCheck {
        policy,
        host,
        algorithms,
        schemes: None,
        desk: Desk::default(),
    })
}
