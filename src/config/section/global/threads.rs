//! How many threads there are, and where they run.

use std::ops::RangeInclusive;

use super::on;
use crate::config::draft::{CpuMapDraft, GlobalDraft};
use crate::config::section::numbers;
use crate::lang::{Cursor, Diag, Keyword};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("nbproc", "<number>", "Removed in 2.5: means that many threads.",
        nbproc),
    Keyword::of_global("nbthread", "<number>", "How many threads work.",
        nbthread),
    Keyword::of_global("thread-groups", "<number>", "How many groups threads form; sluice has one.",
        |cur, _| cur.integer(1..=16_u32).and_then(|_| cur.end())),
    Keyword::of_global("cpu-map", "[auto:]<thread-group>[/<thread-set>] <cpu>[-<cpu>] [...]", "Which processors threads run on.",
        cpu_map),
    Keyword::of_global("busy-polling", "", "Polls without sleeping.",
        |cur, g| on(cur, &mut g.site.busy_polling)),
];

/// The largest number of threads.
const THREADS_MAX: usize = 1024;

fn nbthread(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.threads = cur.integer(1..=THREADS_MAX)?;
    cur.end()
}

fn nbproc(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let processes = cur.integer(1..=64_u32)?;
    if processes > 1 {
        let said = Diag::warning(
            cur.line_span(),
            format!("'nbproc {processes}' now means {processes} threads of one process."),
        )
        .with_reason(
            "limits, counters and checks are shared by all threads, which is what several \
             processes could not do",
        )
        .with_fix(format!("nbthread {processes}"));
        cur.warn(said);
    }
    global.processes = Some(processes);
    cur.end()
}

fn cpu_map(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let what = "a thread group, and processor numbers or ranges";
    let word = cur.expect(what)?;
    let auto = word.str().starts_with("auto:");
    let sets = word.str().trim_start_matches("auto:");
    let malformed = || {
        cur.alert(format!(
            "'cpu-map' : invalid set '{}', expects 'all', 'odd', 'even', a number or a range.",
            word.shown()
        ))
    };
    let (groups, threads) = match sets.split_once('/') {
        None => (numbers(sets).ok_or_else(malformed)?, None),
        Some((groups, threads)) => {
            let threads = numbers(threads).ok_or_else(malformed)?;
            (numbers(groups).ok_or_else(malformed)?, Some(threads))
        }
    };
    cur.peek().ok_or_else(|| cur.missing(what))?;
    let mut cpus = Vec::new();
    while let Some(word) = cur.next() {
        for part in word.str().split(',') {
            let range = cpu_range(part).ok_or_else(|| {
                cur.alert(format!("'cpu-map' : invalid CPU range '{}'", word.shown()))
            })?;
            cpus.extend(range);
        }
    }
    global.cpu_maps.push(CpuMapDraft {
        auto,
        groups,
        threads,
        cpus,
    });
    Ok(())
}

fn cpu_range(text: &str) -> Option<RangeInclusive<usize>> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n < CPUS_MAX);
    match text {
        "all" => Some(0..=CPUS_MAX - 1),
        _ => match text.split_once('-') {
            None => number(text).map(|n| n..=n),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                Some(first.min(last)..=first.max(last))
            }
        },
    }
}

/// How many processors the system's masks count.
const CPUS_MAX: usize = 1024;
