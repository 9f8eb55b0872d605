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

impl Load {
    /// A line of which nothing was read yet.
    pub(super) fn at(span: Span) -> Self {
        Self {
            span,
            ..Self::default()
        }
    }

    /// Whether some of it is elsewhere than beside the certificate.
    pub(super) fn has_parts(&self) -> bool {
        self.key.is_some() || self.issuer.is_some() || self.ocsp.is_some()
    }

    /// Reads what `word` begins, if that is a part of a certificate.
    ///
    /// # Errors
    /// What belongs to it is missing.
    pub(super) fn take(&mut self, word: &Word, cur: &mut Cursor<'_>) -> Result<bool, Diag> {
        const SWITCH: &[(&str, bool)] = &[("on", true), ("off", false)];
        let place = match word.str() {
            "crt" => &mut self.crt,
            "alias" => &mut self.alias,
            "key" => &mut self.key,
            "issuer" => &mut self.issuer,
            "ocsp" => &mut self.ocsp,
            "ocsp-update" => {
                self.ocsp_update = Some(cur.choice("'on' or 'off'", SWITCH)?);
                return Ok(true);
            }
            // Every certificate may open and verify tokens that a converter names it for.
            "jwt" => {
                cur.choice("'on' or 'off'", SWITCH)?;
                return Ok(true);
            }
            // Certificate transparency has no place in what rustls sends.
            "sctl" => {
                cur.expect("a file name")?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        *place = Some(cur.expect("a file name")?.clone());
        Ok(true)
    }
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
    let mut load = Load::at(cur.line_span());
    while let Some(word) = cur.next() {
        if !load.take(word, cur)? {
            let text = format!("'load' : unknown keyword '{}'.", word.shown());
            return Err(Diag::alert(word.span, text));
        }
    }
    if load.crt.is_none() {
        return Err(Diag::alert(
            load.span,
            "'load' : mandatory 'crt' parameter not found.",
        ));
    }
    Ok(load)
}
