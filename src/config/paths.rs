//! Where relative paths of a configuration begin: `default-path`.
//!
//! While a file is read the process is in the directory that the policy in force names, so that whatever opens a file while
//! its line is read finds it there; files are named on the command line from where the program was started. The process stays in the
//! last directory for what is read behind all lines (maps, certificates); whoever had the configuration read goes back.

use std::env;
use std::path::PathBuf;

use super::draft::Origin;
use crate::lang::{Diag, Span};
use crate::sys::{errno, process};

/// The way back, and the policy in force.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Where the program was started, once it has gone elsewhere.
    start: Option<PathBuf>,
    /// The policy, and where it was written.
    origin: Option<(Origin, Span)>,
    /// The file that is read.
    file: String,
}

impl Paths {
    /// A line names where paths begin from here on.
    pub(super) fn begin_at(&mut self, origin: Origin, span: Span) -> Result<(), Diag> {
        self.origin = Some((origin, span));
        self.go()
    }

    /// A file begins.
    pub(super) fn begin_file(&mut self, file: &str) -> Result<(), Diag> {
        file.clone_into(&mut self.file);
        self.go()
    }

    /// Back to where the program was started.
    pub(super) fn begin_at_start(&self) {
        if let Some(start) = &self.start {
            // It was there a moment ago; a directory that has gone since is missed by what is opened in it.
            let _ = process::chdir(&start.to_string_lossy());
        }
    }

    fn go(&mut self) -> Result<(), Diag> {
        let Some((origin, span)) = &self.origin else {
            return Ok(());
        };
        let start = match &self.start {
            Some(start) => start.clone(),
            None => env::current_dir().unwrap_or_default(),
        };
        let directory = start.join(origin.directory(&self.file));
        self.start = Some(start);
        process::chdir(&directory.to_string_lossy()).map_err(|error| {
            let text = format!(
                "'default-path' : cannot change to directory '{}' : {}.",
                directory.display(),
                errno::words(&error)
            );
            Diag::alert(*span, text)
        })
    }
}
