//! What a `bind … ssl` line offers its clients.
//!
//! Made once from the drafts and shared by all workers, together with the keys of its tickets, so that a client resumes wherever its next
//! connection lands.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring::Ticketer;
use rustls::server::{
    NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache, WebPkiClientVerifier,
};

use super::draft::{BindDraft, GlobalDraft, Verify};
use super::shelf::Shelf;
use super::{bundle, trust};
use crate::lang::{Diag, Span};

/// HAProxy's `tune.ssl.cachesize`.
const SESSIONS: usize = 20_000;

/// The offer of one `bind` line.
#[derive(Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    /// For clients that offer no protocol in common: they go on without one instead of failing.
    without_alpn: Arc<ServerConfig>,
}

impl Acceptor {
    /// Makes what the line asks for; warnings are added to `notes`. `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// A file is missing or wrong, or the wishes exclude each other.
    pub fn new(
        draft: &BindDraft,
        global: &GlobalDraft,
        span: Span,
        now: i64,
        notes: &mut Vec<Diag>,
    ) -> Result<Self, Diag> {
        let offer = draft.offer.or(&global.bind);
        let provider = Arc::new(offer.provider(notes)?);
        let versions = offer.versions();
        if versions.is_empty() {
            return Err(Diag::alert(span, "'ssl-min-ver' is above 'ssl-max-ver'."));
        }
        let shelf = certificates(draft, global, (span, now), &provider, notes)?;
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .map_err(|error| Diag::alert(span, format!("'ssl' : {error}.")))?;
        let verify = draft.verify.unwrap_or_default();
        let builder = match (verify, &draft.ca_file) {
            (Verify::None, _) => builder.with_no_client_auth(),
            (_, None) => {
                return Err(
                    Diag::alert(span, "verify is enabled but no CA file is specified.")
                        .with_fix("add 'ca-file <file>'"),
                );
            }
            (_, Some(file)) => {
                let roots = trust::authorities(file.str(), global.ca_base.as_deref())
                    .map_err(|text| Diag::alert(file.span, text))?;
                let checks =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
                let checks = match verify {
                    Verify::Required => checks,
                    Verify::Optional | Verify::None => checks.allow_unauthenticated(),
                };
                builder.with_client_cert_verifier(
                    checks
                        .build()
                        .map_err(|error| Diag::alert(file.span, format!("'ca-file' : {error}.")))?,
                )
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(shelf));
        config.ignore_client_order = !offer.client_order.unwrap_or(false);
        config.alpn_protocols = draft.alpn.clone().unwrap_or_default();
        config.max_fragment_size = global.record_max;
        if offer.no_tickets.unwrap_or(false) {
            let sessions = global.sessions_max.unwrap_or(SESSIONS);
            config.session_storage = match sessions {
                0 => Arc::new(NoServerSessionStorage {}),
                _ => ServerSessionMemoryCache::new(sessions),
            };
        } else {
            config.ticketer = Ticketer::new()
                .map_err(|error| Diag::alert(span, format!("'ssl' : no ticket keys : {error}.")))?;
        }
        Ok(Self::of(config))
    }

    fn of(config: ServerConfig) -> Self {
        let mut plain = config.clone();
        plain.alpn_protocols.clear();
        Self {
            config: Arc::new(config),
            without_alpn: Arc::new(plain),
        }
    }

    /// The context for a client that offers these protocols.
    pub(super) fn context<'a>(
        &self,
        mut offered: impl Iterator<Item = &'a [u8]>,
    ) -> Arc<ServerConfig> {
        let ours = &self.config.alpn_protocols;
        if offered.any(|name| ours.iter().any(|own| own == name)) {
            self.config.clone()
        } else {
            self.without_alpn.clone()
        }
    }
}

fn certificates(
    draft: &BindDraft,
    global: &GlobalDraft,
    (span, now): (Span, i64),
    provider: &rustls::crypto::CryptoProvider,
    notes: &mut Vec<Diag>,
) -> Result<Shelf, Diag> {
    let mut shelf = Shelf::new(draft.strict_sni);
    let base = global.crt_base.as_deref();
    let mut entries = Vec::new();
    for file in &draft.crts {
        entries.push((file.span, file.text()?.to_owned(), Vec::new()));
    }
    for list in &draft.lists {
        entries.extend(super::draft::read_list(list, base, notes)?);
    }
    let mut first: Option<PathBuf> = None;
    for (span, name, filters) in entries {
        let path = under(base, &name);
        let bundles = bundle::load(&path, provider).map_err(|text| Diag::alert(span, text))?;
        for bundle in &bundles {
            if bundle.not_after < now {
                let text = format!(
                    "certificate in file '{}' has expired.",
                    bundle.path.display()
                );
                notes.push(Diag::warning(span, text));
            }
            let stem = bundle.path.with_extension("");
            let is_variant = bundle.path != path && !path.is_dir();
            let is_first = first.is_none() || is_variant && first == Some(stem.clone());
            if is_first {
                first = Some(if is_variant {
                    stem
                } else {
                    bundle.path.clone()
                });
            }
            shelf.put(bundle, &filters, is_first);
        }
    }
    if shelf.is_empty() && !draft.strict_sni {
        return Err(
            Diag::alert(span, "no SSL certificate specified for bind (use 'crt')")
                .with_fix("add 'crt <file>'"),
        );
    }
    Ok(shelf)
}

/// A file's path, below the base directory unless it is absolute.
pub(super) fn under(base: Option<&str>, name: &str) -> PathBuf {
    match base {
        Some(base) if !name.starts_with('/') => PathBuf::from(base).join(name),
        _ => PathBuf::from(name),
    }
}
