//! How the process is born: in the background or not, and with which rights.

use super::{number, on, path, word};
use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword};
use crate::sys::process::CAPABILITIES;

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("debug", "", "Stays in the foreground and says what happens, as -d does.",
        |cur, g| on(cur, &mut g.site.debug)),
    Keyword::of_global("daemon", "", "Goes to the background.",
        |cur, g| on(cur, &mut g.site.daemon)),
    Keyword::of_global("master-worker", "[no-exit-on-failure]", "Runs a master that watches over the worker.",
        master_worker),
    Keyword::of_global("quiet", "", "Says nothing during the start.",
        |cur, g| on(cur, &mut g.site.quiet)),
    Keyword::of_global("zero-warning", "", "Refuses to start with warnings.",
        |cur, g| on(cur, &mut g.site.zero_warning)),
    Keyword::of_global("pidfile", "<pidfile>", "Writes the process's number into a file.",
        |cur, g| path(cur, &mut g.site.pidfile)),
    Keyword::of_global("chroot", "<jail dir>", "Confines the process to a directory.",
        |cur, g| path(cur, &mut g.site.chroot)),
    Keyword::of_global("uid", "<number>", "The user to become, by number.",
        |cur, g| number(cur, &mut g.site.uid, 0..=u32::MAX)),
    Keyword::of_global("gid", "<number>", "The group to become, by number.",
        |cur, g| number(cur, &mut g.site.gid, 0..=u32::MAX)),
    Keyword::of_global("user", "<user name>", "The user to become, by name.",
        |cur, g| word(cur, &mut g.user)),
    Keyword::of_global("group", "<group name>", "The group to become, by name.",
        |cur, g| word(cur, &mut g.group)),
    Keyword::of_global("setcap", "<name>[,<name>...]", "Capabilities to keep when the user changes.",
        setcap),
    Keyword::of_global("sandbox", "{on|off}", "Whether a serving process gives up what it needs no more: privileges, files, system calls; on unless said.",
        sandbox),
    Keyword::of_global("set-dumpable", "", "Allows core dumps.",
        |cur, g| on(cur, &mut g.site.dumpable)),
];

fn master_worker(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    cur.take("no-exit-on-failure");
    on(cur, &mut global.site.master_worker)
}

fn setcap(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let word = cur.expect("a list of capabilities")?;
    let names: Vec<String> = word.text()?.split(',').map(str::to_owned).collect();
    let known = |name: &&String| CAPABILITIES.iter().any(|(known, _)| known == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let sentence = format!("'setcap' : unsupported capability '{name}'");
        return Err(Diag::alert(word.span, sentence));
    }
    global.site.capabilities = names;
    cur.end()
}

fn sandbox(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.site.no_sandbox = !cur.switch()?;
    Ok(())
}
