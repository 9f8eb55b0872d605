//! The `global` section.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::http::codes::Codes;
use crate::log::Target;
use crate::proto::h1::{Forgiven, Spelling};
use crate::sample::VarLimits;
use crate::time::Millis;

/// What holds for the process (manual: section 3).
#[derive(Debug, Default)]
pub struct Global {
    /// `nbthread`: worker threads; zero until resolved against the machine.
    pub threads: usize,
    /// `maxconn`: connections from clients at once; zero until derived from the descriptor limit.
    pub maxconn: usize,
    /// `maxconnrate`: connections a second.
    pub max_conn_rate: Option<u32>,
    /// `maxsessrate`: sessions a second.
    pub max_sess_rate: Option<u32>,
    /// `maxsslconn`.
    pub max_ssl_conn: Option<u32>,
    /// `maxsslrate`.
    pub max_ssl_rate: Option<u32>,
    /// `maxcomprate`: kilobytes a second that are compressed.
    pub max_comp_rate: Option<u32>,
    /// `maxcompcpuusage`, turned around: how much of its time a worker has to be idle to compress, in percent.
    pub min_comp_idle: u32,
    /// `jwt.decrypt_alg_list`: the only ways in which keys of encrypted tokens may be had.
    pub token_algorithms: Option<Vec<&'static str>>,
    /// `jwt.decrypt_enc_list`: the only ways in which encrypted tokens may be encrypted.
    pub token_encryptions: Option<Vec<&'static str>>,
    /// `maxpipes`.
    pub max_pipes: usize,
    /// `ulimit-n`.
    pub ulimit_n: Option<u64>,
    /// `fd-hard-limit`.
    pub fd_hard_limit: Option<u64>,
    /// `no strict-limits`: a start goes on with fewer connections where the system gives fewer descriptors.
    pub lenient_limits: bool,
    /// `daemon`.
    pub daemon: bool,
    /// `debug`.
    pub debug: bool,
    /// `master-worker`.
    pub master_worker: bool,
    /// `quiet`.
    pub quiet: bool,
    /// `zero-warning`.
    pub zero_warning: bool,
    /// `pidfile`.
    pub pidfile: Option<PathBuf>,
    /// `chroot`.
    pub chroot: Option<PathBuf>,
    /// `uid`, or the number of `user`.
    pub uid: Option<u32>,
    /// `gid`, or the number of `group`.
    pub gid: Option<u32>,
    /// `anonkey`; zero for none.
    pub anon_key: u32,
    /// `node`.
    pub node: Option<Arc<str>>,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// `localpeer`.
    pub local_peer: Option<Arc<str>>,
    /// `log-send-hostname`: the name to put into syslog headers, empty for the host's.
    pub log_hostname: Option<Arc<str>>,
    /// `log` lines.
    pub logs: Arc<[Target]>,
    /// `log-tag`.
    pub log_tag: Option<Arc<str>>,
    /// `hard-stop-after`.
    pub hard_stop_after: Option<Millis>,
    /// `setcap`.
    pub capabilities: Vec<String>,
    /// `grace`.
    pub grace: Option<Millis>,
    /// `mworker-max-reloads`.
    pub max_reloads: Option<u32>,
    /// `close-spread-time`.
    pub close_spread: CloseSpread,
    /// `stats timeout`.
    pub stats_timeout: Option<Millis>,
    /// `max-spread-checks`: over how long the first checks of a backend's servers are spread at most.
    pub max_spread_checks: Option<Millis>,
    /// `spread-checks`, in percent.
    pub spread_checks: i8,
    /// `set-dumpable`.
    pub dumpable: bool,
    /// `stats-file`.
    pub stats_file: Option<PathBuf>,
    /// `sandbox off`.
    pub no_sandbox: bool,
    /// What the configuration names of the file system.
    pub named: Named,
    /// `external-check`: whether checks may run programs, and in which environment.
    pub external_check: Option<Environment>,
    /// `server-state-file`.
    pub server_state_file: Option<PathBuf>,
    /// `server-state-base`.
    pub server_state_base: Option<PathBuf>,
    /// `pp2-never-send-local`: PROXY headers of checks do not say that they are the proxy's own.
    pub checks_as_clients: bool,
    /// `busy-polling`.
    pub busy_polling: bool,
    /// `harden.reject-privileged-ports.tcp`: clients that come from the system's own ports are refused.
    pub refuses_system_ports: bool,
    /// `nosplice`: no splicing at all.
    pub no_splice: bool,
    /// `cpu-map` lines in order.
    pub cpu_map: Vec<CpuMap>,
    /// `h1-accept-payload-with-any-method`, `h1-do-not-close-on-insecure-transfer-encoding`.
    pub forgiven: Forgiven,
    /// `http-err-codes`, `http-fail-codes`.
    pub blame: Blame,
    /// `h1-case-adjust`, `h1-case-adjust-file`.
    pub spelling: Arc<Spelling>,
    /// `tune.*`.
    pub tune: Tune,
}

/// Over how long a process that leaves closes connections that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloseSpread {
    /// Over a time of our choice.
    #[default]
    Usual,
    /// Over this time.
    Over(Millis),
    /// Not at all: they end by their own timeouts, and responses do not ask clients to leave.
    Never,
}

/// What programs of checks find in their environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// What checks say, nothing else.
    Clean,
    /// The process's own beside it.
    Kept,
}

/// What a configuration names of the file system, for whoever has to know without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Absolute paths, wherever they stand; some may be no paths at all.
    pub paths: BTreeSet<PathBuf>,
    /// Whether it has programs executed.
    pub programs: bool,
}

impl Named {
    /// Takes note of what a word may name: `/a`, `unix@/a`, `map(/a,b)`.
    pub fn note(&mut self, word: &[u8]) {
        /// More are not kept; the rest is then not readable for a sandboxed process.
        const PATHS_MAX: usize = 10_000;
        self.programs |= matches!(word, b"external-check" | b"insecure-fork-wanted");
        if !word.contains(&b'/') {
            return;
        }
        let stops = |byte: &u8| b"()[]{},@\"'%=: \t".contains(byte);
        let pieces = word.split(stops).filter(|piece| piece.starts_with(b"/"));
        for piece in pieces.filter_map(|piece| std::str::from_utf8(piece).ok()) {
            if self.paths.len() < PATHS_MAX {
                self.paths.insert(piece.into());
            }
        }
    }
}

/// Whom a status from a server speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blame {
    /// The client: what counts as its error.
    pub client: Codes,
    /// The server: what counts as its failure.
    pub server: Codes,
}

impl Default for Blame {
    fn default() -> Self {
        Self {
            client: Codes::range(400, 499),
            server: Codes::range(500, 599).without(501).without(505),
        }
    }
}

impl Global {
    /// How many pipes splicing may use: `maxpipes`, or a quarter of the connections.
    pub fn pipes_max(&self) -> usize {
        if self.max_pipes > 0 {
            self.max_pipes
        } else {
            (self.maxconn / 4).max(1)
        }
    }
}

/// One `cpu-map` line: which threads run on which processors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuMap {
    /// First and last thread, counted from 1.
    pub threads: (usize, usize),
    /// Processor numbers.
    pub cpus: Vec<usize>,
    /// `auto:`: the threads take the processors one each, in order.
    pub one_each: bool,
}

/// The `tune.*` keywords that the engine reads.
#[derive(Clone, Copy, Debug)]
pub struct Tune {
    /// `tune.bufsize`, in bytes.
    pub buffer_size: usize,
    /// `tune.maxrewrite`, in bytes.
    pub max_rewrite: usize,
    /// `tune.http.maxhdr`.
    pub max_headers: usize,
    /// `tune.http.cookielen`, in bytes.
    pub cookie_len: usize,
    /// `tune.http.logurilen`, in bytes.
    pub log_uri_len: usize,
    /// `tune.maxaccept`: connections accepted in one go.
    pub max_accept: usize,
    /// `tune.maxpollevents`.
    pub max_poll_events: usize,
    /// `tune.idle-pool.shared`: whether workers take idle connections over from one another.
    pub idle_pool_shared: bool,
    /// `tune.pool-low-fd-ratio`: from this percentage of all descriptors on, nothing more is kept idle.
    // haproxy: 20 where nothing is said; here: as long as there are descriptors, for an idle one gives way where there are none.
    pub idle_low: Option<u8>,
    /// `tune.pool-high-fd-ratio`: from this percentage on, an idle connection gives way to each new one.
    pub idle_high: Option<u8>,
    /// `tune.buffers.limit`; zero means none.
    pub buffers_limit: usize,
    /// `tune.buffers.reserve`.
    pub buffers_reserve: usize,
    /// `tune.pipesize`, in bytes; zero means the system's.
    pub pipe_size: usize,
    /// `tune.rcvbuf.client`.
    pub client_rcvbuf: Option<usize>,
    /// `tune.rcvbuf.server`.
    pub server_rcvbuf: Option<usize>,
    /// `tune.sndbuf.client`.
    pub client_sndbuf: Option<usize>,
    /// `tune.sndbuf.server`.
    pub server_sndbuf: Option<usize>,
    /// `tune.notsent-lowat.client`.
    pub client_unsent: Option<usize>,
    /// `tune.notsent-lowat.server`.
    pub server_unsent: Option<usize>,
    /// `tune.rcvbuf.frontend`: of sockets that take datagrams.
    pub datagram_rcvbuf: Option<usize>,
    /// `tune.comp.maxlevel`.
    pub compression_level: u8,
    /// `tune.vars.…-max-size`.
    pub variables: VarLimits,
}

impl Default for Tune {
    fn default() -> Self {
        Self {
            buffer_size: 16_384,
            max_rewrite: 1024,
            max_headers: 101,
            cookie_len: 63,
            log_uri_len: 1024,
            max_accept: 64,
            max_poll_events: 200,
            idle_pool_shared: true,
            idle_low: None,
            idle_high: None,
            buffers_limit: 0,
            buffers_reserve: 2,
            pipe_size: 0,
            client_rcvbuf: None,
            server_rcvbuf: None,
            client_sndbuf: None,
            server_sndbuf: None,
            client_unsent: None,
            server_unsent: None,
            datagram_rcvbuf: None,
            compression_level: 1,
            variables: VarLimits::default(),
        }
    }
}
