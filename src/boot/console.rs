//! What the operator sees on the terminal: HAProxy's labelled lines on standard error, answers on standard output.
//!
//! Before the first warning or alert the program introduces itself, once. `-q` silences everything. A terminal that is
//! gone loses the text, nothing else.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;

use crate::lang::Severity;
use crate::sys::{clock, io as bytes, process};
use crate::time::{Millis, Tick};

use super::build_info;

/// The way to the operator.
#[derive(Debug)]
pub struct Console {
    quiet: bool,
    introduced: Cell<bool>,
    /// Where what is said at the start is written too.
    copy: RefCell<Option<OwnedFd>>,
    /// What was said, for `show startup-logs`.
    told: RefCell<String>,
    /// Since when there is somebody to tell something.
    since: Tick,
}

/// How much of it is kept.
const TOLD_MAX: usize = 256 * 1024;

impl Console {
    /// A console, or with `quiet` none.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            introduced: Cell::new(false),
            copy: RefCell::new(None),
            told: RefCell::default(),
            since: Tick::from_millis(clock::monotonic_ms()),
        }
    }

    /// How long ago the program began to talk.
    pub fn age(&self) -> Millis {
        Tick::from_millis(clock::monotonic_ms()).since(self.since)
    }

    /// Has what is said from here on written to `copy` too, even where it is not shown.
    pub fn copy_to(&self, copy: OwnedFd) {
        self.copy.replace(Some(copy));
    }

    /// The start is over: its copy is complete.
    pub fn end_copy(&self) {
        self.copy.replace(None);
    }

    /// The same for a configuration that says `quiet`.
    pub fn hush(&mut self) {
        self.quiet = true;
    }

    /// An error.
    pub fn alert(&self, text: &str) {
        self.say(Severity::Alert, text);
    }

    /// A warning.
    pub fn warning(&self, text: &str) {
        self.say(Severity::Warning, text);
    }

    /// A piece of information.
    pub fn notice(&self, text: &str) {
        self.say(Severity::Notice, text);
    }

    fn say(&self, severity: Severity, text: &str) {
        if severity >= Severity::Warning {
            self.introduce();
        }
        self.error(&line(severity, text));
    }

    /// Text that has its labels already; `grave` says whether it holds warnings or alerts.
    pub fn labelled(&self, text: &str, grave: bool) {
        if grave {
            self.introduce();
        }
        self.error(text);
    }

    fn introduce(&self) {
        if self.introduced.replace(true) {
            return;
        }
        let version = format!(
            "haproxy version is {} (sluice {})",
            build_info::LANGUAGE,
            build_info::VERSION
        );
        self.error(&line(Severity::Notice, &version));
        if let Ok(path) = std::env::current_exe() {
            let path = format!("path to executable is {}", path.display());
            self.error(&line(Severity::Notice, &path));
        }
    }

    /// What was said so far, as far as it is kept.
    pub fn told(&self) -> String {
        self.told.borrow().clone()
    }

    /// Text for standard error, as it is.
    pub fn error(&self, text: &str) {
        let mut told = self.told.borrow_mut();
        if told.len() + text.len() <= TOLD_MAX {
            told.push_str(text);
        }
        if let Some(copy) = &*self.copy.borrow() {
            let _ = bytes::write_all(copy, text.as_bytes());
        }
        if !self.quiet {
            let _ = bytes::write_all(io::stderr(), text.as_bytes());
        }
    }

    /// Text for standard output, as it is.
    pub fn answer(&self, text: &str) {
        self.answer_bytes(text.as_bytes());
    }

    /// Bytes for standard output, as they are.
    pub fn answer_bytes(&self, text: &[u8]) {
        if !self.quiet {
            let _ = bytes::write_all(io::stdout(), text);
        }
    }
}

fn line(severity: Severity, text: &str) -> String {
    format!("{} ({}) : {text}\n", severity.label(), process::pid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_labelled_with_the_process() {
        let pid = process::pid();
        assert_eq!(
            line(Severity::Alert, "x"),
            format!("[ALERT]    ({pid}) : x\n")
        );
        assert_eq!(
            line(Severity::Notice, "x"),
            format!("[NOTICE]   ({pid}) : x\n")
        );
    }
}
