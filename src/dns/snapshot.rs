//! What the host's files say at one moment: the order of sources, the hosts table, the nameservers. Re-read when one of
//! the files changes on disk; a lookup works on one snapshot from start to end.

use std::sync::Arc;

use super::hosts::{HOST_CONF_FILE, HOSTS_FILE, Hosts};
use super::nss::{Database, Switch};
use super::resolv_conf::{RESOLV_CONF_FILE, ResolvConf};
use super::root::{Root, Stamp};
use crate::time::{Millis, Tick};

/// One state of the files.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where names are asked for.
    pub switch: Switch,
    /// The hosts table.
    pub hosts: Hosts,
    /// The nameservers and how to use them.
    pub conf: ResolvConf,
    /// The host's own name.
    pub hostname: String,
}

/// The newest snapshot, renewed when the files change.
#[derive(Debug)]
pub struct Files {
    root: Root,
    stamps: [Stamp; FILES.len()],
    current: Arc<Snapshot>,
    look_again: Tick,
}

impl Files {
    /// Reads the files below `root`.
    pub fn new(root: Root, now: Tick) -> Self {
        let stamps = stamps(&root);
        let current = Arc::new(Snapshot::load(&root));
        Self {
            root,
            stamps,
            current,
            look_again: now + LOOK_INTERVAL,
        }
    }

    /// The newest snapshot, and whether it differs from the one before.
    pub fn current(&mut self, now: Tick) -> (Arc<Snapshot>, bool) {
        let mut changed = false;
        if self.look_again.has_come(now) {
            self.look_again = now + LOOK_INTERVAL;
            let stamps = stamps(&self.root);
            changed = stamps != self.stamps;
            if changed {
                self.stamps = stamps;
                self.current = Arc::new(Snapshot::load(&self.root));
            }
        }
        (Arc::clone(&self.current), changed)
    }

    /// The directory that stands for `/`.
    pub fn root(&self) -> &Root {
        &self.root
    }
}

impl Snapshot {
    /// A file that is there but cannot be read counts as empty: the other sources still answer.
    fn load(root: &Root) -> Self {
        let hostname = hostname();
        let conf =
            ResolvConf::load(root, &hostname).unwrap_or_else(|_| ResolvConf::parse(b"", &hostname));
        let said = |variable| std::env::var(variable).ok();
        let conf = conf.overridden(
            said("LOCALDOMAIN").as_deref(),
            said("RES_OPTIONS").as_deref(),
        );
        Self {
            switch: Switch::load(root, Database::Hosts),
            hosts: Hosts::load(root).unwrap_or_default(),
            conf,
            hostname,
        }
    }
}

/// The host's name as the kernel has it.
fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn stamps(root: &Root) -> [Stamp; FILES.len()] {
    FILES.map(|file| root.stamp(file))
}

/// The files, in no particular order.
const FILES: [&str; 4] = [
    "etc/nsswitch.conf",
    HOSTS_FILE,
    HOST_CONF_FILE,
    RESOLV_CONF_FILE,
];
/// How often the disk is looked at.
const LOOK_INTERVAL: Millis = Millis::new(200);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::hosts::Family;
    use crate::dns::scratch::Scratch;

    #[test]
    fn changed_files_are_read_again() {
        let dir = Scratch::new("snapshot");
        let at = Tick::from_millis;
        let mut files = Files::new(dir.root(), at(0));
        assert!(!files.current(at(500)).1);
        dir.write("etc/hosts", b"10.0.0.1 a\n");
        assert!(!files.current(at(600)).1, "looked at the disk too early");
        let (snapshot, changed) = files.current(at(800));
        assert!(changed && snapshot.hosts.find("a", Family::Any).is_some());
    }
}
