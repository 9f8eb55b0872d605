//! The library: every reference of a configuration, by file name and number.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lines::Lines;
use super::reference::Reference;

/// Whether the lines of a reference have values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Keys alone.
    Acl,
    /// Keys with values.
    Map,
}

/// Reads a pattern file.
pub type FileReader = Box<dyn Fn(&str) -> io::Result<Vec<u8>> + Send + Sync>;

/// Every reference of a configuration. Filled while it is read; only looked into after that.
pub struct Library {
    read: FileReader,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    references: Vec<Arc<Reference>>,
    files: HashMap<String, Arc<Reference>>,
    word_edits: Arc<AtomicU64>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("references", &self.shelf().references.len())
            .finish_non_exhaustive()
    }
}

impl Library {
    /// An empty library that reads files with `read`.
    #[must_use]
    pub fn new(read: FileReader) -> Library {
        Library {
            read,
            shelf: Mutex::default(),
        }
    }

    /// An empty library in which every file is missing.
    #[must_use]
    pub fn without_files() -> Library {
        Library::new(Box::new(|_| Err(io::ErrorKind::NotFound.into())))
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reference of a file, read at the first asking. `virt@name` is a list without a file,
    /// `opt@name` one whose file may be missing.
    ///
    /// # Errors
    /// HAProxy's sentence about a file that cannot be read, or that is already read as the other
    /// kind of list.
    pub fn file(
        &self,
        name: &str,
        purpose: Purpose,
        display: &str,
    ) -> Result<Arc<Reference>, String> {
        let mut shelf = self.shelf();
        if let Some(known) = shelf.files.get(name) {
            if known.purpose != purpose {
                return Err(format!(
                    "The file \"{name}\" is already used as {}",
                    match known.purpose {
                        Purpose::Acl => "a pattern file without values",
                        Purpose::Map => "a map",
                    }
                ));
            }
            return Ok(Arc::clone(known));
        }
        let lines = self.lines(name, purpose)?;
        let reference = shelf.add(name, display, purpose, lines);
        shelf.files.insert(name.to_string(), Arc::clone(&reference));
        Ok(reference)
    }

    /// The bytes of a file that is no list of patterns: a key, a certificate.
    ///
    /// # Errors
    /// What reading it came to.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        (self.read)(path)
    }

    fn lines(&self, name: &str, purpose: Purpose) -> Result<Lines, String> {
        if name.starts_with("virt@") {
            return Ok(Lines::default());
        }
        let (path, optional) = match name.strip_prefix("opt@") {
            Some(path) => (path, true),
            None => (name.strip_prefix("file@").unwrap_or(name), false),
        };
        let text = match (self.read)(path) {
            Ok(text) => text,
            Err(fault) if optional && fault.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(_) => return Err(format!("failed to open pattern file <{path}>")),
        };
        if text.len() >= super::lines::TEXT_LEN_MAX {
            return Err(format!("pattern file <{path}> is too large"));
        }
        Ok(match purpose {
            Purpose::Acl => Lines::of_patterns(text),
            Purpose::Map => Lines::of_map(text),
        })
    }

    /// A reference of its own for the words of an ACL.
    #[must_use]
    pub fn words(&self, lines: Lines, display: &str) -> Arc<Reference> {
        self.shelf().add("", display, Purpose::Acl, lines)
    }

    /// The reference with this number.
    #[must_use]
    pub fn by_id(&self, id: u32) -> Option<Arc<Reference>> {
        self.shelf().references.get(id as usize).map(Arc::clone)
    }

    /// The reference of this file.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<Arc<Reference>> {
        self.shelf().files.get(name).map(Arc::clone)
    }

    /// Every reference, in the order of numbers.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Reference>> {
        self.shelf().references.clone()
    }
}

impl Shelf {
    fn add(&mut self, name: &str, display: &str, purpose: Purpose, lines: Lines) -> Arc<Reference> {
        let id = super::lines::narrow(self.references.len());
        let (name, display) = (name.to_string(), display.to_string());
        let edits = name.is_empty().then(|| Arc::clone(&self.word_edits));
        let reference = Arc::new(Reference::new(id, name, display, purpose, lines).counting(edits));
        self.references.push(Arc::clone(&reference));
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_once() {
        let library = Library::new(Box::new(|path| match path {
            "/m" => Ok(b"a 1\n".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }));
        let first = library.file("/m", Purpose::Map, "").expect("there");
        let second = library.file("/m", Purpose::Map, "").expect("there");
        assert!(Arc::ptr_eq(&first, &second));
        assert!(library.file("/m", Purpose::Acl, "").is_err());
        assert_eq!(
            library.file("/no", Purpose::Map, "").expect_err("missing"),
            "failed to open pattern file </no>"
        );
        assert!(
            library
                .file("opt@/no", Purpose::Map, "")
                .expect("optional")
                .is_empty()
        );
        assert!(
            library
                .file("virt@x", Purpose::Map, "")
                .expect("virtual")
                .is_empty()
        );
        assert_eq!(library.all().len(), 3);
        assert!(library.by_name("/m").is_some());
        assert!(library.by_id(9).is_none());
    }
}
