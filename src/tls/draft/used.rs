//! `ssl-f-use` of frontends: a certificate that all their encrypted `bind` lines show, with options of its own.

use super::stock::{Load, StockDraft};
use super::{GlobalDraft, entry, under};
use crate::lang::{Cursor, Diag, Env, Keyword, Sections, Span, Word};
use crate::tls::store::{Line, Store};

/// An `ssl-f-use` line.
#[derive(Clone, Debug)]
pub struct Used {
    /// The certificate and its parts.
    load: Load,
    /// What is said of it as on a line of a list of certificates.
    options: Vec<Word>,
}

/// The row of frontends.
pub const FRONT_KEYWORDS: &[Keyword<Vec<Used>>] = &[Keyword::of(
    Sections::FRONTEND,
    "ssl-f-use",
    "crt <cert> [key <filename>] [issuer <filename>] [ocsp <filename>] [ocsp-update <on|off>] [<option>...]",
    "A certificate for all 'bind' lines of the frontend that have 'ssl', with options that are for it alone.",
    |cur, uses| {
        uses.push(used(cur)?);
        Ok(())
    },
)];

fn used(cur: &mut Cursor<'_>) -> Result<Used, Diag> {
    let mut used = Used {
        load: Load::at(cur.line_span()),
        options: Vec::new(),
    };
    while let Some(word) = cur.next() {
        if word.is("acme") || word.is("domains") {
            let text = format!(
                "'ssl-f-use' : '{}' is not supported by sluice.",
                word.shown()
            );
            return Err(Diag::alert(word.span, text).with_reason("it has no client for ACME"));
        }
        if !used.load.take(word, cur)? {
            used.options.push(word.clone());
        }
    }
    let place = |why: &str| Diag::alert(used.load.span, format!("'ssl-f-use' : {why}"));
    if used.load.crt.is_none() {
        return Err(place("mandatory 'crt' parameter not found."));
    }
    // Read for its errors: the draft is made where the list is.
    entry(&used.options, &Env::default()).map_err(|why| place(&why))?;
    Ok(used)
}

/// Makes a list of certificates of a frontend's lines; its name, as for `crt-list`.
///
/// # Errors
/// A certificate cannot be loaded.
pub fn list(
    frontend: &str,
    uses: &[Used],
    global: &GlobalDraft,
    store: &Store,
) -> Result<Word, Diag> {
    let name = format!("@{frontend}");
    let mut lines = Vec::with_capacity(uses.len());
    for used in uses {
        let place = |why: String| Diag::alert(used.load.span, format!("'ssl-f-use' : {why}"));
        if used.load.has_parts() {
            let stock = StockDraft::default();
            stock.load(&used.load, global, store).map_err(place)?;
        }
        let mut draft = entry(&used.options, &Env::default()).map_err(place)?;
        draft.ocsp_update = used.load.ocsp_update;
        let options: Vec<_> = used.options.iter().map(Word::shown).collect();
        let crt = used.load.crt.as_ref().map_or("", Word::str);
        lines.push(Line {
            crt: under(global.crt_base.as_deref(), crt).into(),
            number: used.load.span.line as usize,
            options: options.join(" "),
            draft: draft.into(),
            filters: Vec::new(),
        });
    }
    store.keep_list(&name, lines);
    let span = uses.first().map_or(Span::default(), |used| used.load.span);
    Ok(Word::new(name, span))
}
