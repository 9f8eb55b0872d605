//! How a `server … ssl` line is reached: what is offered, whom to believe, what to show.
//!
//! Sessions are kept per server and name, and shared by all workers.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use super::draft::{GlobalDraft, ServerDraft, Verify};
use super::{acceptor, bundle, trust};
use crate::lang::{Diag, Span};

/// Sessions kept for one server.
const SESSIONS_MAX: usize = 256;

/// The way to one server.
#[derive(Debug)]
pub struct Connector {
    pub(super) config: Arc<ClientConfig>,
}

impl Connector {
    /// Makes what the line asks for; warnings are added to `notes`.
    ///
    /// # Errors
    /// A file is missing or wrong, or the wishes exclude each other.
    pub fn new(
        draft: &ServerDraft,
        global: &GlobalDraft,
        span: Span,
        notes: &mut Vec<Diag>,
    ) -> Result<Self, Diag> {
        let offer = draft.offer.or(&global.server);
        let provider = Arc::new(offer.provider(notes)?);
        let versions = offer.versions();
        if versions.is_empty() {
            return Err(Diag::alert(span, "'ssl-min-ver' is above 'ssl-max-ver'."));
        }
        let check = check(draft, global, span, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .map_err(|error| Diag::alert(span, format!("'ssl' : {error}.")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check));
        let mut config = match &draft.crt {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let path = acceptor::under(global.crt_base.as_deref(), file.text()?);
                let bundle =
                    bundle::read(&path, &provider).map_err(|text| Diag::alert(file.span, text))?;
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
                    bundle.key,
                )))
            }
        };
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
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// The name to ask for; an address, which no server is asked for, stands for none.
    pub(super) fn name(sni: Option<&[u8]>) -> ServerName<'static> {
        let nobody = ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into());
        sni.and_then(|name| std::str::from_utf8(name).ok())
            .and_then(|name| ServerName::try_from(name.to_owned()).ok())
            .unwrap_or(nobody)
    }
}

fn check(
    draft: &ServerDraft,
    global: &GlobalDraft,
    span: Span,
    provider: &CryptoProvider,
) -> Result<trust::ServerCheck, Diag> {
    let verify = draft
        .verify
        .or(global.server_verify)
        .unwrap_or(Verify::Required);
    let roots = match (verify, &draft.ca_file) {
        (Verify::None, _) => None,
        (_, Some(file)) => Some(
            trust::authorities(file.text()?, global.ca_base.as_deref())
                .map_err(|text| Diag::alert(file.span, text))?,
        ),
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
        Some(word) => Some(ServerName::try_from(word.text()?.to_owned()).map_err(|_| {
            Diag::alert(
                word.span,
                format!("'verifyhost' : '{}' is no host name.", word.shown()),
            )
        })?),
    };
    Ok(trust::ServerCheck {
        roots: roots.map(Arc::new),
        host,
        algorithms: provider.signature_verification_algorithms,
    })
}
