//! The worker processes as the master knows them.

use std::os::fd::OwnedFd;

use crate::boot::link::{Link, Said};
use crate::boot::programs::Playbill;
use crate::site::Holding;
use crate::sys::{clock, io as bytes, process, signal};
use crate::time::Tick;

/// How much of what a start says is passed on.
const SAID_MAX: usize = 64 * 1024;

/// Workers that may be leaving at the same time; the oldest beyond are ended.
const LEAVING_MAX: usize = 256;

/// One process.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) pid: i32,
    pub(super) link: Link,
    /// When it was started, in milliseconds.
    pub(super) born: u64,
    /// Reloads since.
    pub(super) reloads: u32,
    /// How many it may outlive, by its own configuration.
    pub(super) max_reloads: Option<u32>,
    /// What it says while it starts, where that is kept.
    said: Option<OwnedFd>,
    /// What its configuration says of programs.
    pub(super) bill: Option<Playbill>,
    /// Whether it accepts nobody any more.
    pub(super) closed: bool,
    /// What keeps it while it leaves.
    pub(super) held: Option<Held>,
    pub(super) stage: Stage,
}

/// What keeps a worker that leaves, and when it said so first and last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) since: Tick,
    pub(super) told: Tick,
    pub(super) holding: Holding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not said yet that it serves.
    Starting,
    /// It serves.
    Serving,
    /// It was told to leave.
    Leaving,
}

impl Worker {
    /// A worker that was started this moment.
    pub(super) fn new(pid: i32, link: Link, said: Option<OwnedFd>) -> Self {
        Self {
            pid,
            link,
            born: clock::monotonic_ms(),
            reloads: 0,
            max_reloads: None,
            said,
            bill: None,
            closed: false,
            held: None,
            stage: Stage::Starting,
        }
    }

    /// It said what keeps it.
    pub(super) fn hold(&mut self, holding: Holding) {
        let now = Tick::from_millis(clock::monotonic_ms());
        self.held = Some(Held {
            since: self.held.map_or(now, |held| held.since),
            told: now,
            holding,
        });
    }

    /// Whether nothing more can come over its line.
    pub(super) fn is_mute(&self) -> bool {
        self.link.is_over()
    }

    /// What it has to say.
    pub(super) fn hear(&mut self) -> Option<Said> {
        if self.link.is_over() {
            return None;
        }
        self.link.heard()
    }

    /// What it said while it started.
    pub(super) fn take_said(&mut self) -> String {
        let mut text = vec![0; SAID_MAX];
        let said = self.said.take();
        let said = said.map(|file| bytes::read_at(&file, &mut text, 0));
        text.truncate(said.and_then(Result::ok).unwrap_or(0));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether it was told to leave.
    pub(super) fn is_leaving(&self) -> bool {
        self.stage == Stage::Leaving
    }

    /// Sends it a signal; one that is gone hears nothing.
    pub(super) fn tell(&self, number: i32) {
        let _ = process::kill(self.pid, number);
    }
}

/// All that live, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Workers(Vec<Worker>);

impl Workers {
    pub(super) fn add(&mut self, worker: Worker) {
        self.0.push(worker);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Worker> {
        self.0.iter()
    }

    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.0.len()
    }

    pub(super) fn at(&self, at: usize) -> &Worker {
        &self.0[at]
    }

    pub(super) fn at_mut(&mut self, at: usize) -> &mut Worker {
        &mut self.0[at]
    }

    /// The process with this number, which has ended.
    pub(super) fn remove(&mut self, pid: i32) -> Option<Worker> {
        let at = self.0.iter().position(|worker| worker.pid == pid)?;
        Some(self.0.remove(at))
    }

    /// The one that serves.
    pub(super) fn current(&self) -> Option<&Worker> {
        self.iter().find(|worker| worker.stage == Stage::Serving)
    }

    /// Whether one has not said yet that it serves.
    pub(super) fn is_starting(&self) -> bool {
        self.iter().any(|worker| worker.stage == Stage::Starting)
    }

    /// Those that were told to leave.
    pub(super) fn leaving(&self) -> impl Iterator<Item = &Worker> {
        self.iter().filter(|worker| worker.is_leaving())
    }

    /// Sends everyone a signal.
    pub(super) fn tell_all(&self, number: i32) {
        self.iter().for_each(|worker| worker.tell(number));
    }

    /// Everyone is told to leave by a signal.
    pub(super) fn dismiss(&mut self, number: i32) {
        self.tell_all(number);
        for worker in &mut self.0 {
            worker.stage = Stage::Leaving;
        }
    }

    /// The one in this place has taken over: others are told to leave by a signal, and ended where they outlived too many reloads
    /// or too many are left.
    pub(super) fn make_way(&mut self, at: usize, goodbye: i32) {
        let limit = self.0[at].max_reloads.unwrap_or(u32::MAX);
        let others = self.0.iter_mut().enumerate();
        for (_, worker) in others.filter(|(other, _)| *other != at) {
            worker.reloads += 1;
            if worker.stage == Stage::Serving {
                worker.stage = Stage::Leaving;
                worker.tell(goodbye);
            }
            if worker.reloads > limit {
                worker.tell(signal::SIGTERM);
            }
        }
        let beyond = self.leaving().count().saturating_sub(LEAVING_MAX);
        let oldest = self.leaving().take(beyond);
        oldest.for_each(|worker| worker.tell(signal::SIGTERM));
    }
}
