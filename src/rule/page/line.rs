//! The lines that write error pages.

use crate::lang::{Cursor, Diag, Span, Word};
use crate::rule::ruleset::Written;

use super::has_page;

/// A line about error pages.
#[derive(Debug, Clone)]
pub struct PageLine {
    /// What it says.
    pub what: PageSource,
    /// Where it stands.
    pub span: Span,
}

/// Where error pages come from.
#[derive(Debug, Clone)]
pub enum PageSource {
    /// `errorfile <status> <path>`.
    File(u16, Word),
    /// `errorloc302 <status> <url>` and its kin: the status, the redirect's code, the location.
    Location(u16, u16, Word),
    /// `errorfiles <name> [<status>...]`.
    Section(Word, Vec<u16>),
    /// `http-error status <status> …`: the status and every word after the keyword.
    Reply(u16, Written),
}

/// `errorfile <status> <path>`.
pub(in crate::rule) fn errorfile(cur: &mut Cursor<'_>) -> Result<PageLine, Diag> {
    let (status, path) = status_and(cur, "<file>")?;
    ended(cur, PageSource::File(status, path))
}

/// `errorloc302 <status> <url>` and its kin; `code` is the redirect's.
pub(in crate::rule) fn errorloc(cur: &mut Cursor<'_>, code: u16) -> Result<PageLine, Diag> {
    let (status, url) = status_and(cur, "<url>")?;
    ended(cur, PageSource::Location(status, code, url))
}

/// `errorfiles <name> [<status>...]`.
pub(in crate::rule) fn errorfiles(cur: &mut Cursor<'_>) -> Result<PageLine, Diag> {
    let Some(name) = cur.next() else {
        return Err(Diag::alert(
            cur.here(),
            "'errorfiles' expects <name> as argument.",
        ));
    };
    let keyword = cur.keyword();
    let codes = cur
        .rest()
        .iter()
        .map(|word| status(word, &keyword))
        .collect::<Result<_, _>>()?;
    ended(cur, PageSource::Section(name.clone(), codes))
}

/// `http-error status <status> …`.
pub(in crate::rule) fn http_error(cur: &mut Cursor<'_>) -> Result<PageLine, Diag> {
    if cur.is_empty() {
        return Err(Diag::alert(
            cur.here(),
            "http-error : expects at least a <status> as arguments.",
        ));
    }
    let words = cur.remaining();
    let at = words.iter().position(|word| word.is("status"));
    let Some(code) = at.and_then(|at| words.get(at + 1)) else {
        return Err(Diag::alert(
            cur.here(),
            "http-error: expects at least a <status> as arguments.",
        ));
    };
    let code = status(code, "http-error").map_err(|diag| Diag {
        message: diag.message.replacen(" :", ":", 1),
        ..diag
    })?;
    let reply = Written::rest_of(cur);
    ended(cur, PageSource::Reply(code, reply))
}

/// The line, once nothing follows.
fn ended(cur: &Cursor<'_>, what: PageSource) -> Result<PageLine, Diag> {
    cur.end()?;
    Ok(PageLine {
        what,
        span: cur.line_span(),
    })
}

fn status_and(cur: &mut Cursor<'_>, what: &str) -> Result<(u16, Word), Diag> {
    let keyword = cur.keyword();
    let (Some(code), Some(word)) = (cur.next(), cur.next()) else {
        return Err(Diag::alert(
            cur.here(),
            format!("{keyword} : expects <status_code> and {what} as arguments."),
        ));
    };
    Ok((status(code, &keyword)?, word.clone()))
}

fn status(word: &Word, keyword: &str) -> Result<u16, Diag> {
    let status = word
        .str()
        .parse::<u16>()
        .ok()
        .filter(|status| has_page(*status));
    status.ok_or_else(|| {
        let shown = word.shown();
        Diag::alert(
            word.span,
            format!("{keyword} : status code '{shown}' not handled."),
        )
    })
}
