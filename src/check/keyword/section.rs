//! `healthcheck` sections: a check by itself, which servers name.

use super::option;
use crate::check::draft::Draft;
use crate::lang::{Cursor, Diag, Keyword, Sections, suggest};

/// The rows beside the rules.
pub(super) const KEYWORDS: &[Keyword<Draft>] = &[Keyword {
    name: "type",
    sections: Sections::HEALTHCHECK,
    usage: "<kind> [<argument>]*",
    doc: "What is asked, as the option of that name has it in a backend.",
    parse: kind,
}];

/// Programs are asked for backends only.
fn kinds() -> impl Iterator<Item = (&'static str, &'static Keyword<Draft>)> {
    let own = |row: &'static Keyword<Draft>| Some((row.name.strip_prefix("option ")?, row));
    let rows = option::KEYWORDS.iter().filter_map(own);
    rows.filter(|(name, _)| *name != "external-check")
}

fn kind(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let word = cur.expect("a type of health check as argument.")?;
    if let Some((_, row)) = kinds().find(|(name, _)| word.is(name)) {
        return (row.parse)(cur, draft);
    }
    let text = format!("unknown type of health check '{}'.", word.shown());
    let diag = Diag::alert(word.span, text);
    let meant = suggest(word.str(), kinds().map(|(name, _)| name));
    Err(match meant {
        Some(name) => diag.with_fix(name),
        None => diag,
    })
}
