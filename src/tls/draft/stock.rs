//! The rows of `crt-store` sections: certificates whose parts are in files of any name.

use super::{GlobalDraft, under};
use crate::lang::{Cursor, Diag, Keyword, Parse, Sections, Span, Word};
use crate::tls::store::{LoadedFrom, Store};

/// A `crt-store` section.
#[derive(Clone, Debug, Default)]
pub struct StockDraft {
    /// Its name, if it has one.
    pub name: String,
    /// `crt-base`
    pub crt_base: Option<String>,
    /// `key-base`
    pub key_base: Option<String>,
    /// `load` lines.
    pub loads: Vec<Load>,
}

/// A `load` line.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Where it stands.
    pub span: Span,
    /// `crt`
    pub crt: Option<Word>,
    /// `alias`
    pub alias: Option<Word>,
    /// `key`
    pub key: Option<Word>,
    /// `issuer`
    pub issuer: Option<Word>,
    /// `ocsp`
    pub ocsp: Option<Word>,
    /// `ocsp-update`
    pub ocsp_update: Option<bool>,
}

impl StockDraft {
    /// Loads what a line names.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn load(&self, load: &Load, global: &GlobalDraft, store: &Store) -> Result<(), String> {
        let base = self.crt_base.as_deref().or(global.crt_base.as_deref());
        let keys = self.key_base.as_deref().or(global.key_base.as_deref());
        let keys = keys.or(base);
        let path = |word: &Option<Word>, base: Option<&str>| {
            word.as_ref().map(|word| under(base, word.str()))
        };
        let (crt, key) = (path(&load.crt, base), path(&load.key, keys));
        let (issuer, ocsp) = (path(&load.issuer, base), path(&load.ocsp, base));
        let file = crt.unwrap_or_default();
        let name = match (&load.alias, self.name.as_str()) {
            (Some(alias), own) => format!("@{own}/{}", alias.shown()),
            (None, "") => file.clone(),
            (None, own) => {
                let crt = load.crt.as_ref().map_or("".into(), Word::shown);
                format!("@{own}/{crt}")
            }
        };
        let from = LoadedFrom {
            certificate: Some(&file),
            key: key.as_deref(),
            issuer: issuer.as_deref(),
            ocsp: ocsp.as_deref(),
        };
        let mut state = store.lock();
        state.load(&name, &from)?;
        let wanted = load.ocsp_update.unwrap_or(global.ocsp_update);
        state.agree_on_update(&name.into(), wanted)
    }
}

const fn row(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<StockDraft>,
) -> Keyword<StockDraft> {
    Keyword::of(Sections::CRT_STORE, name, usage, doc, parse)
}

/// The rows.
pub const STOCK_KEYWORDS: &[Keyword<StockDraft>] = &[
    row(
        "crt-base",
        "<dir>",
        "The directory of certificates that are not absolute.",
        |cur, s| directory(cur, &mut s.crt_base),
    ),
    row(
        "key-base",
        "<dir>",
        "The directory of keys that are not absolute.",
        |cur, s| directory(cur, &mut s.key_base),
    ),
    row(
        "load",
        "crt <filename> [alias <name>] [key <filename>] [issuer <filename>] [ocsp <filename>] [ocsp-update <on|off>]",
        "Loads a certificate.",
        |cur, s| {
            let load = load(cur)?;
            s.loads.push(load);
            Ok(())
        },
    ),
];

fn directory(cur: &mut Cursor<'_>, place: &mut Option<String>) -> Result<(), Diag> {
    let path = cur.expect("a directory path as an argument.")?;
    *place = Some(path.text()?.to_owned());
    cur.end()
}

fn load(cur: &mut Cursor<'_>) -> Result<Load, Diag> {
    let mut load = Load {
        span: cur.line_span(),
        ..Load::default()
    };
    while let Some(word) = cur.next() {
        let place = match word.str() {
            "crt" => &mut load.crt,
            "alias" => &mut load.alias,
            "key" => &mut load.key,
            "issuer" => &mut load.issuer,
            "ocsp" => &mut load.ocsp,
            "ocsp-update" => {
                load.ocsp_update =
                    Some(cur.choice("'on' or 'off'", &[("on", true), ("off", false)])?);
                continue;
            }
            // Every certificate may open and verify tokens that a converter names it for.
            "jwt" => {
                cur.choice("'on' or 'off'", &[("on", true), ("off", false)])?;
                continue;
            }
            // Certificate transparency has no place in what rustls sends.
            "sctl" => {
                cur.expect("a file name")?;
                continue;
            }
            _ => {
                let text = format!("'load' : unknown keyword '{}'.", word.shown());
                return Err(Diag::alert(word.span, text));
            }
        };
        *place = Some(cur.expect("a file name")?.clone());
    }
    if load.crt.is_none() {
        return Err(Diag::alert(
            load.span,
            "'load' : mandatory 'crt' parameter not found.",
        ));
    }
    Ok(load)
}
