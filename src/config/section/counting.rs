//! What `global` sets up for stick counters: how many there are, and which statuses count as whose fault.

use crate::config::draft::GlobalDraft;
use crate::http::codes::Codes;
use crate::lang::{Cursor, Diag, Keyword};

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global(
        "http-err-codes",
        "[+-]<range>[,...] [...]",
        "Which statuses from servers count as errors of clients.",
        |cur, g| codes(cur, &mut g.site.blame.client),
    ),
    Keyword::of_global(
        "http-fail-codes",
        "[+-]<range>[,...] [...]",
        "Which statuses from servers count as their failures.",
        |cur, g| codes(cur, &mut g.site.blame.server),
    ),
    Keyword::of_global(
        "tune.stick-counters",
        "<number>",
        "How many stick counters there are; sluice needs no limit below its own.",
        |cur, _| {
            cur.integer(0..=STICK_COUNTERS_MAX)?;
            cur.end()
        },
    ),
];

/// As many stick counters as rules can name.
const STICK_COUNTERS_MAX: u32 = 12;

fn codes(cur: &mut Cursor<'_>, codes: &mut Codes) -> Result<(), Diag> {
    let keyword = cur.keyword();
    cur.peek()
        .ok_or_else(|| cur.missing("a list of status codes from 100 to 599"))?;
    while let Some(word) = cur.next() {
        codes.edit(word.str()).map_err(|_odd| {
            Diag::alert(
                word.span,
                format!(
                    "'{keyword}' expects ranges of status codes from 100 to 599, such as \
                     '400-499' or '-404' (got '{}').",
                    word.shown()
                ),
            )
        })?;
    }
    Ok(())
}
