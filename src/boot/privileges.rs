//! Giving up rights: the root directory, groups, user, capabilities, core files.
//!
//! Runs once, after everything that needs rights was opened and before the first worker starts, so that every thread
//! inherits the result. The order is fixed: the root directory needs root, groups need root, the user is last; the
//! capabilities that were asked for are kept across the change of user and everything else is dropped. A step that fails ends the
//! start: a proxy with more rights than it was told to have is worse than none.

use std::io;

use rustix::thread::CapabilitySet;

use crate::site::Site;
use crate::sys::{errno, process};

/// What the configuration says about rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// `chroot`.
    pub root: Option<String>,
    /// `uid`, `user`; 0 changes nothing, as in HAProxy.
    pub uid: Option<u32>,
    /// `gid`, `group`; likewise.
    pub gid: Option<u32>,
    /// `setcap`: capabilities to keep, by the kernel's names.
    pub keep: Vec<String>,
    /// Whether the process may leave a core file although its user changed (`set-dumpable`).
    pub dumpable: bool,
}

/// What `drop` did besides what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Things an operator should know.
    pub warnings: Vec<String>,
}

impl Privileges {
    /// What the configuration says.
    pub fn of(site: &Site) -> Self {
        let global = &site.global;
        let root = global.chroot.as_ref();
        Self {
            root: root.map(|path| path.to_string_lossy().into_owned()),
            uid: global.uid,
            gid: global.gid,
            keep: global.capabilities.clone(),
            dumpable: global.dumpable,
        }
    }

    /// Whether the user will change, so that afterwards other users' processes cannot be signalled.
    pub fn changes_user(&self) -> bool {
        self.uid
            .is_some_and(|uid| uid != 0 && uid != process::effective_ids().0)
    }

    /// Gives up what is to be given up. The error is the sentence to print.
    pub fn give_up(&self) -> Result<Dropped, String> {
        let mut dropped = Dropped::default();
        if let Some(root) = self.root.as_deref() {
            process::chroot(root)
                .map_err(|e| format!("[sluice.main()] Cannot chroot({root}): {}.", text(&e)))?;
        }
        let keep = self.capabilities()?;
        if !keep.is_empty() && self.changes_user() {
            process::set_keep_capabilities(true)
                .map_err(|e| format!("[sluice.main()] Cannot keep capabilities: {}.", text(&e)))?;
        }
        self.leave_groups(&mut dropped)?;
        if let Some(uid) = self.uid.filter(|uid| *uid != 0) {
            process::set_uid(uid)
                .map_err(|e| format!("[sluice.main()] Cannot set uid {uid}: {}.", text(&e)))?;
        }
        if !keep.is_empty() && self.changes_or_changed() {
            process::set_capabilities(keep)
                .map_err(|e| format!("[sluice.main()] Cannot set capabilities: {}.", text(&e)))?;
        }
        if self.dumpable && process::set_dumpable(true).is_err() {
            dropped.warnings.push(
                "[sluice.main()] Failed to set the dumpable flag, no core will be dumped.".into(),
            );
        }
        Ok(dropped)
    }

    fn changes_or_changed(&self) -> bool {
        self.uid.is_some_and(|uid| uid != 0)
    }

    fn leave_groups(&self, dropped: &mut Dropped) -> Result<(), String> {
        let Some(gid) = self.gid.filter(|gid| *gid != 0) else {
            return Ok(());
        };
        if process::set_groups(&[]).is_err() && self.uid.is_none() {
            dropped.warnings.push(
                "[sluice.main()] Failed to drop supplementary groups. Using 'gid'/'group' without 'uid'/'user' is generally useless."
                    .into(),
            );
        }
        process::set_gid(gid)
            .map_err(|e| format!("[sluice.main()] Cannot set gid {gid}: {}.", text(&e)))
    }

    fn capabilities(&self) -> Result<CapabilitySet, String> {
        let mut keep = CapabilitySet::empty();
        for name in &self.keep {
            let known = process::CAPABILITIES
                .iter()
                .find(|(known, _)| known == name);
            let Some((_, bit)) = known else {
                return Err(format!("[sluice.main()] unknown capability '{name}'."));
            };
            keep |= *bit;
        }
        Ok(keep)
    }
}

/// The system's words for an error.
pub fn text(error: &io::Error) -> String {
    errno::words(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_is_nothing_done() {
        assert_eq!(Privileges::default().give_up(), Ok(Dropped::default()));
        assert!(!Privileges::default().changes_user());
    }

    #[test]
    fn failures_name_what_failed() {
        let wrong = Privileges {
            root: Some("/no/such/dir".into()),
            ..Privileges::default()
        };
        let error = wrong.give_up().expect_err("the directory does not exist");
        assert!(error.contains("Cannot chroot(/no/such/dir)"), "{error}");
        let wrong = Privileges {
            keep: vec!["cap_fly".into()],
            ..Privileges::default()
        };
        assert!(wrong.give_up().is_err());
    }

    #[test]
    fn system_words_lose_their_number() {
        assert_eq!(
            text(&io::Error::from_raw_os_error(2)),
            "No such file or directory"
        );
        assert_eq!(text(&io::Error::other("x")), "x");
    }
}
