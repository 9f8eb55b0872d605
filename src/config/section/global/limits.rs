//! How much of everything the process takes.

use std::ops::RangeInclusive;

use super::{MANY, number};
use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword, Polarity};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("maxconn", "<number>", "How many connections the process has at once.",
        maxconn),
    Keyword::of_global("maxconnrate", "<number>", "How many connections a second are accepted.",
        |cur, g| rate(cur, &mut g.site.max_conn_rate)),
    Keyword::of_global("maxsessrate", "<number>", "How many sessions a second are begun.",
        |cur, g| rate(cur, &mut g.site.max_sess_rate)),
    Keyword::of_global("maxsslconn", "<number>", "How many TLS connections the process has at once.",
        |cur, g| rate(cur, &mut g.site.max_ssl_conn)),
    Keyword::of_global("maxsslrate", "<number>", "How many TLS sessions a second are begun.",
        |cur, g| rate(cur, &mut g.site.max_ssl_rate)),
    Keyword::of_global("maxcomprate", "<number>", "How many kilobytes a second are compressed; what begins beyond that goes as it is.",
        |cur, g| rate(cur, &mut g.site.max_comp_rate)),
    Keyword::of_global("maxcompcpuusage", "<number>", "How much of its time, in percent, a worker may be busy and still begin to compress.",
        busyness),
    Keyword::of_global("maxpipes", "<number>", "How many pipes splicing may use.",
        |cur, g| count(cur, &mut g.site.max_pipes)),
    Keyword::of_global("ulimit-n", "<number>", "How many descriptors the process may have.",
        |cur, g| number(cur, &mut g.site.ulimit_n, DESCRIPTORS)),
    Keyword::of_global("fd-hard-limit", "<number>", "How many descriptors are used at most, whatever the system allows.",
        |cur, g| number(cur, &mut g.site.fd_hard_limit, DESCRIPTORS)),
    Keyword::of_global("strict-limits", "", "Fails a start when the system gives fewer descriptors than are needed, which is so unless 'no' stands before.",
        strictness),
];

/// Descriptors that a process can have.
const DESCRIPTORS: RangeInclusive<u64> = 1..=u32::MAX as u64;

fn maxconn(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let span = cur.keyword_span();
    if global.seen.insert("maxconn", span).is_none() {
        return count(cur, &mut global.site.maxconn);
    }
    // haproxy, a second `maxconn` in `global`: is an alert that does not fail, and the first value stays; here: is a warning, because what
    // does not fail is one.
    let said = Diag::warning(span, "'maxconn' already specified. Continuing.");
    cur.warn(said.with_reason("the first one counts"));
    count(cur, &mut 0)
}

fn busyness(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.min_comp_idle = 100 - cur.integer(1..=100_u32)?;
    cur.end()
}

fn strictness(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.lenient_limits = cur.polarity() == Polarity::No;
    cur.end()
}

fn count(cur: &mut Cursor<'_>, count: &mut usize) -> Result<(), Diag> {
    *count = cur.integer(0..=MANY as usize)?;
    cur.end()
}

fn rate(cur: &mut Cursor<'_>, rate: &mut Option<u32>) -> Result<(), Diag> {
    *rate = Some(cur.integer(0..=MANY)?).filter(|rate| *rate > 0);
    cur.end()
}
