//! A directory of a test's own that stands for `/` and disappears with the test.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::root::Root;

/// A temporary tree.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// An empty tree; `what` only makes its name readable.
    pub(crate) fn new(what: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("sluice-dns-{what}-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        Self(path)
    }

    /// Writes one file and the directories above it.
    pub(crate) fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("writable");
        fs::write(path, bytes).expect("writable");
    }

    /// The tree as a root.
    pub(crate) fn root(&self) -> Root {
        Root::at(&self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
