//! The `global` section: users and groups by number, threads, processors.

use super::Host;
use crate::config::draft::{GlobalDraft, Numbers, UnixBind};
use crate::config::report::Report;
use crate::config::section::program::ProgramDraft;
use crate::lang::{Diag, Word};
use crate::site::{CpuMap, Program};

/// Fills in what names and several keywords together decide.
pub(super) fn resolve(draft: &mut GlobalDraft, host: &dyn Host, report: &mut Report) {
    if let Some(word) = &draft.user {
        draft.site.uid = user(word, host, report).or(draft.site.uid);
    }
    if let Some(word) = &draft.group {
        draft.site.gid = group(word, host, report).or(draft.site.gid);
    }
    owners(&mut draft.unix_bind, host, report);
    let processes = draft.processes.unwrap_or(1) as usize;
    if draft.site.threads == 0 && processes > 1 {
        draft.site.threads = processes;
    }
    for map in std::mem::take(&mut draft.cpu_maps) {
        // Several processes of old files are threads here, so their numbers are threads' numbers.
        let named = match map.threads {
            Some(threads) => threads,
            None if processes > 1 => map.groups,
            None if map.groups.holds(1) => Numbers::All,
            None => continue,
        };
        draft
            .site
            .cpu_map
            .extend(ranges(named).map(|threads| CpuMap {
                threads,
                cpus: map.cpus.clone(),
                one_each: map.auto,
            }));
    }
}

/// A set of thread numbers as ranges.
fn ranges(numbers: Numbers) -> impl Iterator<Item = (usize, usize)> {
    let (single, step) = match numbers {
        Numbers::All => (Some((1, usize::MAX)), 1),
        Numbers::Range(first, last) => (Some((first, last)), 1),
        Numbers::Odd => (None, 1),
        Numbers::Even => (None, 2),
    };
    let stepped = (step..=THREADS_MAX).step_by(2).map(|n| (n, n));
    let count = if single.is_some() { 0 } else { usize::MAX };
    single.into_iter().chain(stepped.take(count))
}

/// How many threads `odd` and `even` are spread out for.
const THREADS_MAX: usize = 64;

/// Turns the names of a unix socket's owners into numbers.
pub(super) fn owners(unix: &mut UnixBind, host: &dyn Host, report: &mut Report) {
    if let Some(word) = &unix.user {
        unix.uid = user(word, host, report).or(unix.uid);
    }
    if let Some(word) = &unix.group {
        unix.gid = group(word, host, report).or(unix.gid);
    }
}

/// Names of users become numbers; a section without a command is refused.
pub(super) fn programs(
    drafts: Vec<ProgramDraft>,
    host: &dyn Host,
    report: &mut Report,
) -> Vec<Program> {
    let mut programs = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if draft.command.is_empty() {
            let name = &draft.name;
            let text = format!("The program section '{name}' lacks a command to launch.");
            report.add(Diag::alert(draft.span, text).with_fix("command <program> <arguments>"));
        }
        programs.push(Program {
            uid: draft.user.and_then(|word| user(&word, host, report)),
            gid: draft.group.and_then(|word| group(&word, host, report)),
            name: draft.name,
            command: draft.command,
            stays: draft.stays,
        });
    }
    programs
}

fn user(word: &Word, host: &dyn Host, report: &mut Report) -> Option<u32> {
    let found = host.user(word.str());
    if found.is_none() {
        let text = format!("cannot find user id for '{}'", word.shown());
        report.add(Diag::alert(word.span, text));
    }
    found
}

fn group(word: &Word, host: &dyn Host, report: &mut Report) -> Option<u32> {
    let found = host.group(word.str());
    if found.is_none() {
        let text = format!("cannot find group id for '{}'", word.shown());
        report.add(Diag::alert(word.span, text));
    }
    found
}
