//! The keywords of TLS on `bind`, `server`, `global` and `crt-store` lines.
//!
//! Versions below TLS 1.2 do not exist here: asking for one as the least gives TLS 1.2 with a notice, excluding one says nothing.

mod bind;
mod global;
mod server;
mod stock;
mod used;

pub use bind::BIND_KEYWORDS;
pub(super) use bind::entry;
pub use global::KEYWORDS;
pub use server::SERVER_KEYWORDS;
pub use stock::{STOCK_KEYWORDS, StockDraft};
pub use used::{FRONT_KEYWORDS, Used, list};

use std::sync::Arc;

use super::files::Beside;
use super::issuers::Issuers;
use super::offer::{Offer, Version};
use super::verdict::Borne;
use crate::lang::{Cursor, Diag, Word};

/// Whether a peer has to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// It is not asked for one, or not looked at.
    #[default]
    None,
    /// One that is shown must be good.
    Optional,
    /// A good one must be shown.
    Required,
}

/// What `global` says for all lines.
#[derive(Clone, Debug, Default)]
pub struct GlobalDraft {
    /// `crt-base`
    pub crt_base: Option<String>,
    /// `key-base`
    pub key_base: Option<String>,
    /// `ssl-skip-self-issued-ca`
    pub skips_roots: bool,
    /// `ca-base`
    pub ca_base: Option<String>,
    /// `ssl-default-bind-…`
    pub bind: Offer,
    /// `ssl-default-server-…`
    pub server: Offer,
    /// `ssl-server-verify`
    pub server_verify: Option<Verify>,
    /// `tune.ssl.cachesize`
    pub sessions_max: Option<usize>,
    /// `tune.ssl.ssl-ctx-cache-size`
    pub made_max: Option<usize>,
    /// `tune.ssl.lifetime`, seconds.
    pub lifetime: Option<u32>,
    /// `tune.ssl.maxrecord`
    pub record_max: Option<usize>,
    /// `tune.ssl.hard-maxrecord`
    pub record_bound: Option<usize>,
    /// `tune.ssl.capture-buffer-size`
    pub capture_max: usize,
    /// `tune.ssl.keylog`
    pub keylog: bool,
    /// `ssl-load-extra-files`, `ssl-load-extra-del-ext`
    pub beside: Beside,
    /// `issuers-chain-path`
    pub issuers: Arc<Issuers>,
    /// `ocsp-update.mode`
    pub ocsp_update: bool,
    /// `ocsp-update.…`
    pub ocsp: OcspDraft,
}

/// How answers about certificates are kept fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspDraft {
    /// `ocsp-update.disable`
    pub disabled: bool,
    /// `ocsp-update.httpproxy`: a host and its port.
    pub proxy: Option<(String, u16)>,
    /// `ocsp-update.mindelay`, seconds.
    pub delay_min: u32,
    /// `ocsp-update.maxdelay`, seconds.
    pub delay_max: u32,
}

impl Default for OcspDraft {
    fn default() -> Self {
        Self {
            disabled: false,
            proxy: None,
            delay_min: 300,
            delay_max: 3600,
        }
    }
}

/// What a `bind` line says.
#[derive(Clone, Debug, Default)]
pub struct BindDraft {
    /// `ssl`
    pub ssl: bool,
    /// `crt`
    pub crts: Vec<Word>,
    /// `crt-list`
    pub lists: Vec<Word>,
    /// `strict-sni`
    pub strict_sni: bool,
    /// `alpn`
    pub alpn: Option<Vec<Vec<u8>>>,
    /// `default-crt`
    pub defaults: Vec<Word>,
    /// `no-alpn`
    pub no_alpn: bool,
    /// `ca-file`
    pub ca_file: Option<Word>,
    /// `ca-verify-file`
    pub ca_verify_file: Option<Word>,
    /// `crl-file`
    pub crl_file: Option<Word>,
    /// `ca-ignore-err`
    pub ca_borne: Borne,
    /// `crt-ignore-err`
    pub crt_borne: Borne,
    /// `no-ca-names`
    pub no_ca_names: bool,
    /// `verify`
    pub verify: Option<Verify>,
    /// `allow-0rtt`
    pub early_data: bool,
    /// `tls-ticket-keys`
    pub ticket_keys: Option<Word>,
    /// `generate-certificates`
    pub forges: bool,
    /// `ca-sign-file`
    pub sign_file: Option<Word>,
    /// `ocsp-update`, of a line in a list of certificates.
    pub ocsp_update: Option<bool>,
    /// Versions, suites, groups.
    pub offer: Offer,
}

/// What a `server` line says.
#[derive(Clone, Debug, Default)]
pub struct ServerDraft {
    /// `ssl`
    pub ssl: bool,
    /// Whether `ssl` was ever written, be it in `default-server`.
    pub offered: bool,
    /// `no-ssl`
    pub refused: bool,
    /// `alpn`
    pub alpn: Option<Vec<Vec<u8>>>,
    /// `ca-file`
    pub ca_file: Option<Word>,
    /// `crl-file`
    pub crl_file: Option<Word>,
    /// `crt`
    pub crt: Option<Word>,
    /// `verify`
    pub verify: Option<Verify>,
    /// `verifyhost`
    pub verify_host: Option<Word>,
    /// `sni`: an expression.
    pub sni: Option<Word>,
    /// `no-sni-auto`: without `sni`, the server is not asked for the host of the request.
    pub no_sni_auto: bool,
    /// `no-ssl-reuse`
    pub no_reuse: bool,
    /// Versions, suites, groups.
    pub offer: Offer,
}

const SERVER_VERIFY: &[(&str, Verify)] = &[("none", Verify::None), ("required", Verify::Required)];

/// A file's path, below the base directory unless it is absolute or is no file.
pub(super) fn under(base: Option<&str>, name: &str) -> String {
    match base {
        Some(base) if !name.starts_with(['/', '@']) => format!("{base}/{name}"),
        _ => name.to_owned(),
    }
}

fn set<T>(place: &mut Option<T>, value: T) -> Result<(), Diag> {
    *place = Some(value);
    Ok(())
}

fn only(offer: &mut Offer, version: Version) -> Result<(), Diag> {
    (offer.min, offer.max) = (Some(version), Some(version));
    Ok(())
}

fn word(cur: &mut Cursor<'_>, place: &mut Option<Word>) -> Result<(), Diag> {
    *place = Some(cur.expect("an argument")?.clone());
    Ok(())
}

fn whole(cur: &mut Cursor<'_>, place: &mut Option<Word>) -> Result<(), Diag> {
    word(cur, place)?;
    cur.end()
}

/// A bound of versions; one below TLS 1.2 is TLS 1.2.
fn bound(cur: &mut Cursor<'_>, place: &mut Option<Version>) -> Result<(), Diag> {
    let keyword = cur.keyword();
    let name = cur.expect("a TLS version")?;
    *place = Some(match name.str() {
        "TLSv1.2" => Version::Tls12,
        "TLSv1.3" => Version::Tls13,
        "SSLv3" | "TLSv1.0" | "TLSv1.1" => {
            let text = format!(
                "'{keyword} {}' : TLSv1.2 is the least that sluice speaks.",
                name.shown()
            );
            cur.warn(Diag::notice(name.span, text));
            Version::Tls12
        }
        _ => {
            return Err(cur.alert(format!(
                "'{keyword}' : unknown version '{}' (expects 'TLSv1.2' or 'TLSv1.3')",
                name.shown()
            )));
        }
    });
    Ok(())
}

/// The options of `ssl-default-bind-options` and its twin.
fn options(cur: &mut Cursor<'_>, offer: &mut Offer) -> Result<(), Diag> {
    while let Some(word) = cur.next() {
        match word.str() {
            "ssl-min-ver" => bound(cur, &mut offer.min)?,
            "ssl-max-ver" => bound(cur, &mut offer.max)?,
            "no-sslv3" | "no-tlsv10" | "no-tlsv11" => {}
            "no-tlsv12" => offer.min = Some(Version::Tls13),
            "no-tlsv13" => offer.max = Some(Version::Tls12),
            "force-tlsv12" => only(offer, Version::Tls12)?,
            "force-tlsv13" => only(offer, Version::Tls13)?,
            "no-tls-tickets" => offer.no_tickets = Some(true),
            "tls-tickets" => offer.no_tickets = Some(false),
            "prefer-client-ciphers" => offer.client_order = Some(true),
            "force-sslv3" | "force-tlsv10" | "force-tlsv11" => {
                return Err(cur
                    .alert(format!("'{}' is not supported by sluice.", word.shown()))
                    .with_reason("sluice speaks TLS 1.2 and 1.3 only"));
            }
            _ => {
                return Err(cur.alert(format!(
                    "unknown option '{}' on global statement '{}'.",
                    word.shown(),
                    cur.keyword()
                )));
            }
        }
    }
    Ok(())
}

/// A comma list of ALPN names without what sluice does not speak.
fn protocols(cur: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, Diag> {
    let list = cur.expect("a comma-delimited list of protocols")?;
    let mut names = Vec::new();
    for name in list.text()?.split(',').filter(|name| !name.is_empty()) {
        if name.len() > usize::from(u8::MAX) {
            return Err(cur.alert("'alpn' : the protocol name is too long."));
        }
        if name == "h2" || name == "h3" {
            let text = format!("'alpn' : sluice does not speak '{name}'; HTTP/1.1 is negotiated.");
            cur.warn(Diag::notice(list.span, text).said_once());
        } else {
            names.push(name.as_bytes().to_vec());
        }
    }
    if names.is_empty() && !list.is("") {
        names.push(b"http/1.1".to_vec());
    }
    Ok(names)
}
