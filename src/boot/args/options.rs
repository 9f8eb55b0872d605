//! What a run was asked for.

use crate::codec::mask::Mask;

/// Options of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Configuration files and directories, in order (`-f`, `--`).
    pub files: Vec<String>,
    /// Read the configuration and exit (`-c`).
    pub check: bool,
    /// Say more (`-V`).
    pub verbose: bool,
    /// Say nothing (`-q`).
    pub quiet: bool,
    /// Stay in the foreground and print what happens (`-d`).
    pub debug: bool,
    /// Stay in the foreground (`-db`, `-d`).
    pub foreground: bool,
    /// Go to the background (`-D`).
    pub daemon: bool,
    /// A master and a worker process (`-W`).
    pub master: bool,
    /// Tell the service manager when ready (`-Ws`).
    pub notify: bool,
    /// Change to this directory first (`-C`).
    pub directory: Option<String>,
    /// Write the process's number there (`-p`).
    pub pidfile: Option<String>,
    /// Connections at once (`-n`).
    pub maxconn: Option<u32>,
    /// Connections at once for a proxy (`-N`).
    pub proxy_maxconn: Option<u32>,
    /// Memory in megabytes (`-m`).
    pub memory: Option<u64>,
    /// The name among peers (`-L`).
    pub peer: Option<String>,
    /// Addresses of the master's own command socket (`-S`).
    pub master_sockets: Vec<String>,
    /// What becomes of earlier processes (`-sf`, `-st`).
    pub old: Option<Old>,
    /// Take the listening sockets from the process behind this socket (`-x`).
    pub takeover: Option<String>,
    /// A warning is an error (`-dW`).
    pub zero_warning: bool,
    /// Also say what is merely suspicious (`-dD`).
    pub diagnostics: bool,
    /// Print the lines in force first (`-dC`), names and addresses hidden under a key.
    pub dump: Option<Mask>,
    /// Start although server names do not resolve (`-dr`).
    pub ignore_resolution: bool,
    /// Do not verify servers' certificates (`-dV`).
    pub no_verify: bool,
    /// No splicing (`-dS`).
    pub no_splice: bool,
    /// No fast forwarding of whole buffers (`-dF`).
    pub no_fast_forward: bool,
    /// No shared listening addresses (`-dR`).
    pub no_reuseport: bool,
    /// Leave earlier processes alone that no `-sf` named (`--leave-others`).
    pub leave_others: bool,
}

/// Earlier processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Whether they end at once (`-st`) instead of when their work is done (`-sf`).
    pub at_once: bool,
    /// Their numbers as the caller knew them.
    pub pids: Vec<i32>,
}
