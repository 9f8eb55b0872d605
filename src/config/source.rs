//! Which files a configuration consists of: the arguments of `-f` and what stands after `--`.
//!
//! A directory stands for its regular files `*.cfg` that do not start with a dot, in byte order.
//! Files are read whole; nothing is parsed here.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::lang::{Diag, Shape};

/// How large a configuration file may be.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Where configuration text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file or a directory.
    Path(PathBuf),
    /// Text at hand, under a name for messages.
    Text {
        /// The name.
        name: String,
        /// The text.
        text: Vec<u8>,
    },
}

/// The text of every file of `source`, in order of loading, with its name.
///
/// # Errors
/// Something cannot be opened or read.
pub(super) fn read(source: &Source) -> Result<Vec<(String, Vec<u8>)>, Diag> {
    let path = match source {
        Source::Text { name, text } => return Ok(vec![(name.clone(), text.clone())]),
        Source::Path(path) => path,
    };
    let meta = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    let paths = if meta.is_dir() {
        directory(path).map_err(|error| cannot_open(path, &error))?
    } else {
        vec![path.clone()]
    };
    paths
        .into_iter()
        .map(|path| match file(&path) {
            Ok(text) => Ok((path.to_string_lossy().into_owned(), text)),
            Err(error) => Err(cannot_open(&path, &error)),
        })
        .collect()
}

/// The files that a path stands for: itself where it is no directory that can be read.
#[must_use]
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    directory(path).unwrap_or_else(|_| vec![path.to_path_buf()])
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut limited = io::Read::take(fs::File::open(path)?, FILE_BYTES_MAX + 1);
    io::Read::read_to_end(&mut limited, &mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("file too large"));
    }
    Ok(text)
}

fn directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_bytes();
        let wanted = name.ends_with(b".cfg") && !name.starts_with(b".");
        if wanted && fs::metadata(&path)?.is_file() {
            found.push(path);
        }
    }
    found.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    Ok(found)
}

fn cannot_open(path: &Path, error: &io::Error) -> Diag {
    let why = if error.kind() == io::ErrorKind::NotFound {
        "No such file or directory".to_string()
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "Permission denied".to_string()
    } else {
        error.to_string()
    };
    Diag::alert(
        None,
        format!(
            "Cannot open configuration file/directory {} : {why}",
            path.display()
        ),
    )
    .with_shape(Shape::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_loads_its_cfg_files_in_byte_order() {
        let dir = std::env::temp_dir().join(format!("sluice-source-{}", std::process::id()));
        fs::create_dir_all(dir.join("sub.cfg")).expect("a scratch directory");
        for name in ["9-x.cfg", "10-x.cfg", ".hidden.cfg", "note.txt", "B.cfg"] {
            fs::write(dir.join(name), name).expect("a scratch file");
        }
        let read = read(&Source::Path(dir.clone())).expect("readable");
        let texts: Vec<_> = read.iter().map(|(_, text)| text.as_slice()).collect();
        let expected: [&[u8]; 3] = [b"10-x.cfg", b"9-x.cfg", b"B.cfg"];
        assert_eq!(texts, expected);
        fs::remove_dir_all(dir).expect("the scratch directory goes");
    }

    #[test]
    fn what_is_missing_is_named_in_haproxys_words() {
        let error = read(&Source::Path("/nonexistent/x.cfg".into())).expect_err("absent");
        assert_eq!(
            error.message,
            "Cannot open configuration file/directory /nonexistent/x.cfg : No such file or \
             directory"
        );
    }
}
