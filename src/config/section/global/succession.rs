//! What one process leaves to the next, and how long it takes to leave.

use super::{number, path, time};
use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword};
use crate::site::CloseSpread;

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("grace", "<time>", "How long a stop goes on accepting.",
        |cur, g| time(cur, &mut g.site.grace)),
    Keyword::of_global("hard-stop-after", "<time>", "How long a stop waits for connections.",
        |cur, g| time(cur, &mut g.site.hard_stop_after)),
    Keyword::of_global("close-spread-time", "{<time>|infinite}", "Over how long a stop spreads closing idle connections.",
        close_spread),
    Keyword::of_global("mworker-max-reloads", "<number>", "How many reloads a worker may outlive before its master ends it.",
        |cur, g| number(cur, &mut g.site.max_reloads, 0..=u32::MAX)),
    Keyword::of_global("stats-file", "<path>", "The file that counters of an earlier process are read from.",
        |cur, g| path(cur, &mut g.site.stats_file)),
    Keyword::of_global("server-state-file", "<file>", "The file that servers' states are read from.",
        |cur, g| path(cur, &mut g.site.server_state_file)),
    Keyword::of_global("server-state-base", "<directory>", "The directory of server state files.",
        |cur, g| path(cur, &mut g.site.server_state_base)),
];

fn close_spread(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    if cur.take("infinite") {
        global.site.close_spread = CloseSpread::Never;
        return cur.end();
    }
    let mut over = None;
    time(cur, &mut over)?;
    global.site.close_spread = over.map_or(CloseSpread::Usual, CloseSpread::Over);
    Ok(())
}
