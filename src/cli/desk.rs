//! What commands work on: the site, the workers, and the facts of the process.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use super::command::Mode;
use super::exporter::{self, Exporter};
use super::{Endpoint, Page, figures};
use crate::id::ListenerId;
use crate::mux::Inner;
use crate::pattern::Library;
use crate::site::{Site, Visit};
use crate::stats::{Count, InfoView, Pace};
use crate::sys;
use crate::time::Tick;
use crate::tls::{Figures, Happening};
use crate::worker::{Cell, Inners, Moment, Office};

/// A command for experts was used.
const EXPERT_USED: u32 = 0x4;
/// One that is not finished was used.
const EXPERIMENTAL_USED: u32 = 0x8;

/// Takes a connection whose client wants the listening sockets.
type Export = Box<dyn FnMut(OwnedFd) + Send>;

/// The process, as its operators see it.
pub struct Desk {
    site: Arc<Site>,
    /// The version that tools see.
    version: String,
    /// The date of that version.
    release_date: String,
    /// The pattern sets of the configuration.
    patterns: Arc<Library>,
    /// Takes connections that ask for the listening sockets.
    export: Mutex<Option<Export>>,
    /// HAProxy's bits of what has been used that is for experts or not finished.
    modes_used: AtomicU32,
    /// Debugging commands issued.
    debugged: AtomicU32,
    /// `anonkey`, or what operators made of it.
    pub(super) anon_key: AtomicU32,
}

impl Desk {
    /// A desk for a running site.
    pub fn new(site: Arc<Site>, version: &str, release_date: &str) -> Self {
        let (version, release_date) = (version.to_owned(), release_date.to_owned());
        Self {
            version,
            release_date,
            patterns: site
                .library
                .clone()
                .unwrap_or_else(|| Arc::new(Library::without_files())),
            export: Mutex::new(None),
            modes_used: AtomicU32::new(0),
            debugged: AtomicU32::new(0),
            anon_key: AtomicU32::new(site.global.anon_key),
            site,
        }
    }

    /// The pattern sets of the configuration.
    pub fn patterns(&self) -> Arc<Library> {
        Arc::clone(&self.patterns)
    }

    /// Has connections that ask for the listening sockets given to `export`, which must not block.
    pub fn export_with(&self, export: impl FnMut(OwnedFd) + Send + 'static) {
        *self.export.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(export));
    }

    /// Notes that a command was used that a mode had to be switched on for.
    pub(super) fn note_use(&self, mode: Mode) {
        let bit = match mode {
            Mode::Usual => return,
            Mode::Expert => {
                self.debugged.fetch_add(1, Relaxed);
                EXPERT_USED
            }
            Mode::Experimental => EXPERIMENTAL_USED,
        };
        self.modes_used.fetch_or(bit, Relaxed);
    }

    /// A number that nobody foresees.
    pub(super) fn random(&self) -> u32 {
        let mut bytes = [0; 4];
        match SystemRandom::new().fill(&mut bytes) {
            Ok(()) => u32::from_ne_bytes(bytes),
            // A system that has no chance to offer still has a clock.
            Err(_) => sys::clock::realtime().nanos,
        }
    }

    /// What runs.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The version that tools see.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The present moment.
    pub fn now(&self) -> Tick {
        Moment::read().tick
    }

    /// The figures of `show info`.
    pub fn info(&self, office: &Office) -> InfoView {
        let now = self.now();
        let site = &self.site;
        let limit = sys::limits::descriptors();
        let maxconn = number(site.global.maxconn as u64);
        let pooled = figures::buffer_bytes(office, site.global.tune.buffer_size);
        let begun = sys::clock::realtime().secs - i64::from(now.since(site.begun).get() / 1000);
        let peers = site.peers.iter().map(|peers| peers.section.connected());
        let peers = number(peers.sum::<usize>() as u64);
        InfoView {
            product: "HAProxy".to_owned(),
            version: self.version.clone(),
            release_date: self.release_date.clone(),
            threads: number(site.global.threads as u64),
            pid: u32::try_from(sys::process::pid()).unwrap_or(0),
            uptime: f64::from(now.since(site.begun).get()) / 1000.0,
            descriptors_max: number(limit.soft.unwrap_or(u64::MAX)),
            sockets_max: number(limit.soft.unwrap_or(u64::MAX)),
            conns_max: number(site.maxconn() as u64),
            conns_hard_max: maxconn,
            conns: number(office.clients() as u64),
            busy_polling: site.global.busy_polling,
            node: site
                .global
                .node
                .as_deref()
                .unwrap_or(&site.hostname)
                .to_owned(),
            description: site.global.description.as_deref().map(str::to_owned),
            stopping: site.stopping.load(Relaxed),
            start_time: u64::try_from(begun).unwrap_or(0),
            streams: number(figures::sum(office, Cell::Streams)),
            warnings: number(warnings(&site.startup_logs)),
            build: self.version.clone(),
            connected_peers: peers,
            active_peers: peers,
            dropped_logs: number(site.outlets.as_ref().map_or(0, |all| all.dropped())),
            jobs: number(office.clients() as u64 + site.listeners.len() as u64),
            listeners: number(site.listeners.len() as u64),
            pipes_max: if site.splices() {
                number(site.global.pipes_max() as u64)
            } else {
                0
            },
            pipes_used: number(site.pipes.used.load(Relaxed) as u64),
            pipes_free: number(
                site.pipes
                    .open
                    .load(Relaxed)
                    .saturating_sub(site.pipes.used.load(Relaxed)) as u64,
            ),
            idle_percent: number(figures::mean(office, Cell::IdlePercent)),
            streams_total: figures::sum(office, Cell::Begun),
            bytes_out_rate: figures::sent_rate(office, now),
            limit_reached: office.filled(),
            boot_millis: site.boot_time.get(),
            tainted: match self.modes_used.load(Relaxed) {
                0 => "0".to_owned(),
                bits => format!("{bits:#x}"),
            },
            debugged: self.debugged.load(Relaxed),
            received_logs: number(site.outlets.as_ref().map_or(0, |all| all.received())),
            tasks: number(figures::sum(office, Cell::Streams) + figures::sum(office, Cell::Timers)),
            run_queue: number(figures::sum(office, Cell::Runnable)),
            pool_allocated: pooled.0,
            pool_used: pooled.1,
            ..counted(site, now)
        }
        .finish()
    }
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What `show info` says of what is counted and how fast it comes.
fn counted(site: &Site, now: Tick) -> InfoView {
    let folded = site.tally.fold(now);
    let (comp_in, comp_out) = site.squeeze.rates(now);
    InfoView {
        conns_total: number(folded.count(Count::Connections)),
        requests_total: number(folded.count(Count::Requests)),
        conn_rate: folded.rate_exact(Pace::Connections),
        conn_rate_limit: site.paces.connections.limit(),
        conn_rate_max: folded.rate_peak(Pace::Connections),
        sess_rate: folded.rate_exact(Pace::Sessions),
        sess_rate_limit: site.paces.sessions.limit(),
        sess_rate_max: folded.rate_peak(Pace::Sessions),
        spliced_out: folded.count(Count::SplicedOut),
        comp_in_rate: comp_in,
        comp_out_rate: comp_out,
        comp_rate_limit: site.squeeze.limit(),
        bytes_out: folded.count(Count::BytesOut),
        ..secured(&site.tls.figures(now), site.paces.tls.limit())
    }
}

/// How many warnings a start has given.
fn warnings(said: &str) -> u64 {
    said.lines()
        .filter(|line| line.starts_with("[WARNING]"))
        .count() as u64
}

/// What `show info` says of TLS.
fn secured(tls: &Figures, rate_limit: u32) -> InfoView {
    InfoView {
        tls_max: tls.max,
        tls: tls.current,
        tls_total: tls.total,
        tls_reuse_percent: tls.resumed_percent,
        tls_rate: f64::from(tls.rates[Happening::Client as usize]),
        tls_rate_max: tls.peaks[Happening::Client as usize],
        front_key_rate: tls.rates[Happening::ClientKeys as usize],
        front_key_rate_max: tls.peaks[Happening::ClientKeys as usize],
        back_key_rate: tls.rates[Happening::ServerKeys as usize],
        back_key_rate_max: tls.peaks[Happening::ServerKeys as usize],
        tls_cache_lookups: tls.lookups,
        tls_cache_misses: tls.misses,
        tls_rate_limit: rate_limit,
        ..InfoView::default()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Opens sessions for the workers.
impl Inners for Arc<Desk> {
    fn operator(&self, office: &Arc<Office>, listener: ListenerId) -> Box<dyn Inner> {
        let listener = self.site.listener(listener);
        Box::new(Endpoint::new(
            Arc::clone(self),
            Arc::clone(office),
            listener,
        ))
    }

    fn page(&self, office: &Arc<Office>, visit: Visit) -> Box<dyn Inner> {
        Box::new(Page::new(Arc::clone(self), Arc::clone(office), visit))
    }

    fn service(&self, office: &Arc<Office>, name: &str) -> Option<Box<dyn Inner>> {
        match name {
            exporter::NAME => Some(Box::new(Exporter::new(
                Arc::clone(self),
                Arc::clone(office),
            ))),
            _ => None,
        }
    }

    fn surrender(&self, connection: OwnedFd) {
        let mut export = self.export.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(export) = export.as_mut() {
            export(connection);
        }
    }
}
