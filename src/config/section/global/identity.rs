//! What the process is called by those who hear of it.

use super::text;
use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword, Word};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("node", "<name>", "The node's name in statistics.",
        |cur, g| text(cur, &mut g.site.node)),
    Keyword::of_global("description", "<text>", "A text for statistics.",
        description),
    Keyword::of_global("anonkey", "<key>", "The key under which names and addresses are hidden for those who ask for it.",
        |cur, g| { g.site.anon_key = cur.integer(0..=u32::MAX)?; cur.end() }),
    Keyword::of_global("log-tag", "<string>", "The program's name in syslog headers.",
        log_tag),
    Keyword::of_global("log-send-hostname", "[<string>]", "Puts the host's name, or the one given, into syslog headers.",
        log_hostname),
    Keyword::of_global("localpeer", "<name>", "The name under which peers know this process.",
        |cur, g| text(cur, &mut g.site.local_peer)),
];

fn description(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    cur.peek().ok_or_else(|| cur.missing("a string argument"))?;
    let words: Vec<_> = cur.rest().iter().map(Word::shown).collect();
    global.site.description = Some(words.join(" ").into());
    Ok(())
}

fn log_tag(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.log_tag = Some(cur.expect("a tag for use in syslog")?.text()?.into());
    cur.end()
}

fn log_hostname(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.log_hostname = Some(match cur.next() {
        Some(word) => word.text()?.into(),
        None => "".into(),
    });
    cur.ignore_rest()
}
