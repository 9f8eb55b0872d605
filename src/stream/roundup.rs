//! What operators are told about streams: each worker describes its own, and the last one completes the list.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::engine::Engine;
use super::{Kit, Stage, Stream};
use crate::addr::SockAddr;
use crate::codec::mask::Mask;
use crate::slab::Key;
use crate::time::{Millis, Tick};

/// Which streams are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Every one.
    #[default]
    All,
    /// The one of this number.
    One(u64),
    /// Those that have lasted longer.
    Older(Millis),
    /// Those that no timer will end.
    Endless,
}

/// What is asked about streams.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inquiry {
    /// Which of them.
    pub wanted: Wanted,
    /// All about each of them, or a line.
    pub detailed: bool,
    /// What hides names and addresses.
    pub mask: Mask,
}

/// A list of streams in the making.
#[derive(Debug)]
pub struct Roundup {
    asked: Inquiry,
    lines: Mutex<Vec<String>>,
    /// Workers that have not answered.
    left: AtomicUsize,
}

/// Where the worker's number begins in a stream's.
const WORKER_SHIFT: u32 = 52;

impl Roundup {
    /// A list that so many workers complete.
    pub fn new(asked: Inquiry, workers: usize) -> Self {
        Self {
            asked,
            lines: Mutex::new(Vec::new()),
            left: AtomicUsize::new(workers),
        }
    }

    /// A list that is complete.
    #[cfg(test)]
    pub(crate) fn complete(lines: Vec<String>) -> Self {
        let roundup = Self::new(Inquiry::default(), 0);
        *roundup.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        roundup
    }

    /// The list, once it is complete.
    pub fn take(&self) -> Option<Vec<String>> {
        if self.left.load(Ordering::Acquire) > 0 {
            return None;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut lines))
    }

    fn add(&self, lines: Vec<String>) {
        let mut all = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(lines);
        drop(all);
        self.left.fetch_sub(1, Ordering::Release);
    }
}

/// The worker and the key that a stream's number stands for.
pub fn stream_of(number: u64) -> (usize, u64) {
    let worker = usize::try_from(number >> WORKER_SHIFT).unwrap_or(usize::MAX);
    (worker, number & ((1 << WORKER_SHIFT) - 1))
}

impl Engine {
    /// Describes the streams that are asked for.
    pub(super) fn describe(&self, roundup: &Roundup) {
        let here = (self.kit.worker.index() as u64) << WORKER_SHIFT;
        let all = self.streams.iter().map(|(key, stream)| {
            let number = here | key.to_bits() & ((1 << WORKER_SHIFT) - 1);
            (number, stream)
        });
        let wanted = all.filter(|(number, stream)| match roundup.asked.wanted {
            Wanted::All => true,
            Wanted::One(only) => only == *number,
            Wanted::Older(age) => self.kit.now.since(stream.txn.begun) > age,
            Wanted::Endless => !stream.deadline.is_set(),
        });
        let mask = roundup.asked.mask;
        let lines = wanted.map(|(number, stream)| match roundup.asked.detailed {
            false => stream.line((&self.kit, mask), number),
            true => stream.page((&self.kit, mask), number),
        });
        roundup.add(lines.collect());
    }

    /// The stream that a part of a number stands for.
    pub(super) fn stream_numbered(&self, part: u64) -> Option<Key<Box<Stream>>> {
        let found = self
            .streams
            .iter()
            .find(|(key, _)| key.to_bits() & ((1 << WORKER_SHIFT) - 1) == part);
        found.map(|(key, _)| key)
    }
}

/// One end of a stream.
struct End {
    proto: &'static str,
    source: String,
    fd: i64,
}

impl Stream {
    fn front_end(&self, (kit, mask): (&Kit, Mask)) -> End {
        let held = kit.conns.get(self.front);
        let src = held.and_then(|held| held.front()?.peers.src);
        let fd = held.and_then(|held| held.conn.wire.fd());
        End {
            proto: match src {
                Some(src) if src.is_ipv4() => "tcpv4",
                Some(_) => "tcpv6",
                None => "unix_stream",
            },
            source: src.map_or_else(
                || "unix:1".to_owned(),
                |src| mask.address(&src.to_string()).into_owned(),
            ),
            fd: fd.map_or(-1, number),
        }
    }

    fn back_fd(&self, kit: &Kit) -> i64 {
        let held = self.back.and_then(|back| kit.conns.get(back));
        held.and_then(|held| held.conn.wire.fd()).map_or(-1, number)
    }

    /// Its line in `show sess`.
    fn line(&self, (kit, mask): (&Kit, Mask), number: u64) -> String {
        let end = self.front_end((kit, mask));
        let site = &kit.site;
        let (backend, server) = (self.backend, self.server);
        let backend = backend.map_or("<NONE>".into(), |id| mask.name(&site.backend(id).name));
        let server = server.map_or("<none>".into(), |id| mask.name(&site.server(id).name));
        let age = kit.now.since(self.txn.begun).get() / 1000;
        let waits = left(self.deadline, kit.now);
        format!(
            "{number:#x}: proto={} src={} fe={} be={backend} srv={server} ts=00 epoch=0 age={age}s calls=0 rate=0 \
             cpu=0 lat=0 rq[f={:x}h,i={},an=00h,rx=,wx=,ax=] rp[f={:x}h,i={},an=00h,rx=,wx=,ax=] \
             scf=[8,0h,fd={}] scb=[8,0h,fd={}] exp={waits} rc={} c_exp=",
            end.proto,
            end.source,
            mask.name(&site.frontend(self.frontend).name),
            u8::from(self.request.end() != crate::mux::End::Open),
            self.request.queued(),
            u8::from(self.response.end() != crate::mux::End::Open),
            self.response.queued(),
            end.fd,
            self.back_fd(kit),
            self.txn.retries,
        )
    }

    /// All about it, as `show sess all` shows it.
    fn page(&self, (kit, mask): (&Kit, Mask), number: u64) -> String {
        let end = self.front_end((kit, mask));
        let site = &kit.site;
        let frontend = site.frontend(self.frontend);
        let mode = if self.http { "http" } else { "tcp" };
        let age = kit.now.since(self.txn.begun).get() / 1000;
        let mut page = format!(
            "{number:#x}: id={number} proto={} source={}\n  flags=0x0, conn_retries={}, conn_exp={} conn_et=0x000 \
             srv_conn=(nil), pend_pos=(nil) waiting={} epoch=0\n  frontend={} (id={} mode={})",
            end.proto,
            end.source,
            self.txn.retries,
            if self.stage == Stage::Connect {
                left(self.deadline, kit.now)
            } else {
                NEVER.to_owned()
            },
            u8::from(self.stage == Stage::Queue),
            mask.name(&frontend.name),
            frontend.uuid,
            mode,
        );
        self.places((kit, mask), &mut page);
        let _ = write!(
            page,
            "\n  task={number:#x} (state=0x00 nice=0 calls=0 rate=0 exp={} tmask=0x{:x} age={age}s)\n  stage={:?}\n  \
             scf={number:#x} flags=0x00000000 state=EST fd={}\n  scb={number:#x} flags=0x00000000 state={} fd={}\n  \
             req=(total={} i={})\n  res=(total={} i={})\n",
            left(self.deadline, kit.now),
            1_u64
                .checked_shl(u32::try_from(kit.worker.index()).unwrap_or(u32::MAX))
                .unwrap_or(0),
            self.stage,
            end.fd,
            if self.back.is_some() { "EST" } else { "INI" },
            self.back_fd(kit),
            self.txn.bytes_up,
            self.request.queued(),
            self.txn.bytes_down,
            self.response.queued(),
        );
        page
    }

    /// The listener, backend and server it went through, a line each.
    fn places(&self, (kit, mask): (&Kit, Mask), page: &mut String) {
        let site = &kit.site;
        let listener = kit
            .conns
            .get(self.front)
            .and_then(|held| Some(held.front()?.listener));
        if let Some(listener) = listener.map(|id| site.listener(id)) {
            // Writing to a string cannot fail; here and below.
            let name = if listener.name.is_empty() {
                "?"
            } else {
                &*listener.name
            };
            let address = listener.endpoint.to_string();
            let _ = write!(
                page,
                ", listener={} (id={}) addr={}",
                mask.name(name),
                listener.uuid,
                mask.address(&address)
            );
        }
        match self.backend.map(|id| site.backend(id)) {
            Some(backend) => {
                let _ = write!(
                    page,
                    "\n  backend={} (id={} mode={})",
                    mask.name(&backend.name),
                    backend.uuid,
                    if self.http { "http" } else { "tcp" }
                );
            }
            None => page.push_str("\n  backend=<NONE> (id=-1 mode=-)"),
        }
        match self.server.map(|id| site.server(id)) {
            Some(server) => {
                let address = server.address();
                let address = address
                    .as_ref()
                    .map_or_else(String::new, SockAddr::to_string);
                let _ = write!(
                    page,
                    "\n  server={} (id={}) addr={}",
                    mask.name(&server.name),
                    server.uuid,
                    mask.address(&address)
                );
            }
            None => page.push_str("\n  server=<NONE> (id=-1)"),
        }
    }
}

const NEVER: &str = "<NEVER>";

fn number(fd: std::os::fd::BorrowedFd<'_>) -> i64 {
    i64::from(std::os::fd::AsRawFd::as_raw_fd(&fd))
}

/// How long until a deadline.
fn left(deadline: Tick, now: Tick) -> String {
    if !deadline.is_set() {
        return NEVER.to_owned();
    }
    match deadline.since(now).get() {
        ms if ms < 1000 => format!("{ms}ms"),
        ms => format!("{}s", ms / 1000),
    }
}
