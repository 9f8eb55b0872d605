//! Where the host's files are read from: one directory that stands for `/`, so that tests, containers and chroots read
//! their own. Files come in whole, bounded, and a file that is missing is an ordinary answer, not an error.
//!
//! Nothing here interprets what it reads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The directory that stands for `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// The host's own root.
    pub fn host() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Another directory in the place of `/`.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The full path of `file`, which is written as below `/` (`etc/hosts`).
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(Path::new(file.trim_start_matches('/')))
    }

    /// The bytes of `file` up to `limit`; `None` if there is no such file. A longer file ends at its last whole line
    /// below the limit.
    pub fn read(&self, file: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let opened = match File::open(self.path(file)) {
            Ok(opened) => opened,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        opened.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            let whole = memchr::memrchr(b'\n', &bytes[..limit]).map_or(0, |at| at + 1);
            bytes.truncate(whole);
        }
        Ok(Some(bytes))
    }

    /// What tells two states of `file` apart without reading it.
    pub fn stamp(&self, file: &str) -> Stamp {
        match fs::metadata(self.path(file)) {
            Ok(meta) => Stamp(Some((
                meta.ino(),
                meta.size(),
                meta.mtime(),
                meta.mtime_nsec(),
            ))),
            Err(_) => Stamp(None),
        }
    }
}

/// A file's identity at one moment: inode, size and time of modification, or that there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(Option<(u64, u64, i64, i64)>);

/// Whether the error says that the file is not there, as opposed to not readable.
fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_below_the_directory_and_stops_at_a_whole_line() {
        let dir = crate::dns::scratch::Scratch::new("root");
        dir.write("etc/hosts", b"one\ntwo\nthree\n");
        let root = dir.root();
        assert_eq!(
            root.read("/etc/hosts", 100).unwrap().unwrap(),
            b"one\ntwo\nthree\n"
        );
        assert_eq!(root.read("etc/hosts", 9).unwrap().unwrap(), b"one\ntwo\n");
        assert_eq!(root.read("etc/nothing", 9).unwrap(), None);
        let before = root.stamp("etc/hosts");
        dir.write("etc/hosts", b"one\n");
        assert_ne!(before, root.stamp("etc/hosts"));
    }
}
