//! The section `global` as written.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{BindDraft, UnixBind};
use crate::config::Host;
use crate::dns::Family;
use crate::lang::{Span, Word};
use crate::log::Target;
use crate::site::Global;
use crate::tls;

/// The `global` section.
#[derive(Debug, Default)]
pub struct GlobalDraft {
    /// What needs no resolving.
    pub site: Global,
    /// `default-path`, until the loader has carried it out.
    pub default_path: Option<Origin>,
    /// `setenv` and its kind, in order; the loader carries them out after each line.
    pub env_edits: Vec<EnvEdit>,
    /// `stats socket` lines.
    pub sockets: Vec<BindDraft>,
    /// `log` lines.
    pub logs: Vec<Target>,
    /// `unix-bind`.
    pub unix_bind: UnixBind,
    /// `user`.
    pub user: Option<Word>,
    /// `group`.
    pub group: Option<Word>,
    /// `nbproc`.
    pub processes: Option<u32>,
    /// `cpu-map` lines, whose meaning depends on `nbproc`.
    pub cpu_maps: Vec<CpuMapDraft>,
    /// Directories and defaults of TLS.
    pub tls: tls::draft::GlobalDraft,
    /// `dns-accept-family`.
    pub families: FamiliesDraft,
    /// `set-var` and `set-var-fmt`, in order.
    pub variables: Vec<VariableDraft>,
    /// The keywords that may come once and came.
    pub seen: HashMap<&'static str, Span>,
}

/// Which addresses of names are wanted. Nothing said: all.
#[derive(Debug, Clone, Copy, Default)]
pub struct FamiliesDraft {
    /// `ipv4`
    pub v4: bool,
    /// `ipv6`
    pub v6: bool,
    /// `auto`: those of IPv4, and those of IPv6 where the host has a way to them.
    pub auto: bool,
}

impl FamiliesDraft {
    /// What that is on this host.
    pub fn wanted(self, host: &dyn Host) -> Family {
        let v4 = self.v4 || self.auto;
        let v6 = self.v6 || (self.auto && host.reaches_v6());
        match (v4, v6) {
            (true, false) => Family::V4,
            (false, true) => Family::V6,
            (true, true) | (false, false) => Family::Any,
        }
    }
}

/// A variable of the process that gets its value while the configuration is read.
#[derive(Debug, Clone)]
pub struct VariableDraft {
    /// Its name.
    pub name: Word,
    /// The expression's words, or the format.
    pub value: Vec<Word>,
    /// Whether the value is a format.
    pub is_format: bool,
}

/// Where relative paths begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Where the program was started.
    Start,
    /// In the directory of the file that is read.
    File,
    /// In the directory above that one.
    AboveFile,
    /// In this directory.
    Directory(PathBuf),
}

impl Origin {
    /// The directory that this means for a file, seen from where the program was started.
    #[must_use]
    pub fn directory(&self, file: &str) -> PathBuf {
        let own = file.rsplit_once('/').map_or("", |(own, _)| own);
        let own = if own.is_empty() && file.starts_with('/') {
            "/"
        } else {
            own
        };
        match self {
            Self::Start => PathBuf::new(),
            Self::File => own.into(),
            Self::AboveFile => PathBuf::from(own).join(".."),
            Self::Directory(path) => path.clone(),
        }
    }
}

/// One change of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvEdit {
    /// `setenv`
    Set(String, Vec<u8>),
    /// `presetenv`: only if unset.
    Preset(String, Vec<u8>),
    /// `unsetenv`
    Unset(String),
    /// `resetenv`: unset everything but these.
    Reset(Vec<String>),
}

/// A `cpu-map` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuMapDraft {
    /// `auto:`
    pub auto: bool,
    /// The processes, or thread groups, it names.
    pub groups: Numbers,
    /// The threads, if named after a slash.
    pub threads: Option<Numbers>,
    /// The processors.
    pub cpus: Vec<usize>,
}

/// A set of numbers from 1 as `cpu-map` and `process` write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Every one.
    All,
    /// The odd ones.
    Odd,
    /// The even ones.
    Even,
    /// From the first to the last.
    Range(usize, usize),
}

impl Numbers {
    /// Whether the set holds `number`.
    #[must_use]
    pub fn holds(self, number: usize) -> bool {
        match self {
            Numbers::All => true,
            Numbers::Odd => !number.is_multiple_of(2),
            Numbers::Even => number.is_multiple_of(2),
            Numbers::Range(first, last) => (first..=last).contains(&number),
        }
    }
}
