//! The master process: starts workers, replaces them on demand, and keeps what must not be lost between two of them.
//!
//! A reload executes the program anew as a fresh worker, which reads the configuration, takes the listening sockets over its
//! [`Link`] and says when it serves; only then the former worker is told to leave. A worker that does not get so far
//! changes nothing. Reloads never overlap: those that are asked for meanwhile become one. The master holds copies of the
//! listening sockets, reads no configuration itself after the first, and keeps its rights, so that every worker starts with them.

mod answers;
mod help;
mod reloads;
mod succession;
mod workers;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sys::process::{self, Fork};
use crate::sys::signal::{self, Blocked, Signals};
use crate::sys::{clock, socket};

use super::again::Again;
use super::console::Console;
use super::handover::{Given, Taken};
use super::life::End;
use super::link::{Link, Said};
use super::notify::{Heartbeat, Notifier};
use super::old::Survey;
use super::privileges::text;
use super::programs::{Playbill, Programs};
use super::window::Window;

use reloads::Reloads;
use workers::{Worker, Workers};

/// What the master is doing beside waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Keep one worker serving.
    Serve,
    /// Leave with the last worker, with this status or the last worker's.
    Leave(Option<u8>),
}

/// What the master needs from the birth of the process.
#[derive(Debug)]
pub struct Keepings {
    /// How to start workers.
    pub again: Again,
    /// The way to the service manager.
    pub notifier: Notifier,
    /// Processes to send away once the first worker serves.
    pub former: Survey,
    /// Whether those end at once.
    pub at_once: bool,
    /// What runs beside the first worker.
    pub bill: Playbill,
}

/// The master.
pub struct Master<'c> {
    keepings: Keepings,
    console: &'c Console,
    signals: Signals,
    workers: Workers,
    programs: Programs,
    sockets: Vec<Taken>,
    plan: Plan,
    reloads: Reloads,
    /// When a worker may be started again after one ended too soon.
    not_before: u64,
    /// How often the service manager wants to hear from us.
    heartbeat: Option<Heartbeat>,
    /// Whether the start was announced.
    published: bool,
    window: Window,
    /// When this process began, in milliseconds.
    born: u64,
}

const SIGNALS: [i32; 8] = [
    signal::SIGCHLD,
    signal::SIGUSR1,
    signal::SIGUSR2,
    signal::SIGHUP,
    signal::SIGTERM,
    signal::SIGINT,
    signal::SIGTTOU,
    signal::SIGTTIN,
];

/// The status of a master that was interrupted.
const INTERRUPTED: u8 = 130;

/// Which process goes on.
pub enum Role<'c> {
    /// The master, its first worker started.
    Master(Box<Master<'c>>),
    /// The first worker, with its end of the line; signals are held back until it has handlers.
    Worker(Link),
}

impl<'c> Master<'c> {
    /// Forks the first worker, which already has its configuration.
    pub(super) fn begin(
        keepings: Keepings,
        mut window: Window,
        console: &'c Console,
    ) -> io::Result<Role<'c>> {
        let blocked = Blocked::all();
        let (mine, theirs) = Link::pair()?;
        match process::fork()? {
            Fork::Child => {
                drop(mine);
                window.close();
                std::mem::forget(blocked);
                Ok(Role::Worker(theirs))
            }
            Fork::Parent { child } => {
                drop(theirs);
                let signals = Signals::install(&SIGNALS)?;
                drop(blocked);
                signal::unblock_all();
                let mut workers = Workers::default();
                workers.add(Worker::new(child, mine, None));
                Ok(Role::Master(Box::new(Self {
                    keepings,
                    console,
                    signals,
                    workers,
                    programs: Programs::default(),
                    sockets: Vec::new(),
                    plan: Plan::Serve,
                    reloads: Reloads::default(),
                    not_before: 0,
                    heartbeat: Heartbeat::asked(clock::monotonic_ms()),
                    published: false,
                    window,
                    born: clock::monotonic_ms(),
                })))
            }
        }
    }

    /// Waits until the first worker serves; an error with its status when it does not.
    pub fn await_first(&mut self) -> Result<(), End> {
        let bill = std::mem::take(&mut self.keepings.bill);
        self.programs.follow(bill, false, self.console);
        while self.workers.current().is_none() {
            if let Some(end) = self.turn() {
                return Err(end);
            }
        }
        Ok(())
    }

    /// Tells the service manager that everything stands; from here on each reload is told too.
    pub fn publish(&mut self) {
        self.published = true;
        self.keepings.notifier.ready(process::pid());
    }

    /// Lives until the last worker has left.
    pub fn live(mut self) -> End {
        loop {
            if let Some(end) = self.turn() {
                self.keepings.notifier.stopping();
                return end;
            }
        }
    }

    /// One round: wait, hear signals, hear workers, start what is due.
    fn turn(&mut self) -> Option<End> {
        self.sleep();
        if let Some(heart) = &mut self.heartbeat {
            heart.beat(clock::monotonic_ms(), &self.keepings.notifier);
        }
        while let Some(number) = self.signals.next() {
            match number {
                signal::SIGUSR2 | signal::SIGHUP => self.reloads.wanted = true,
                signal::SIGUSR1 => self.leave(signal::SIGUSR1, Some(0)),
                // An end in order, as supervisors take it; that of somebody at the terminal is told apart.
                signal::SIGTERM => self.leave(signal::SIGTERM, Some(0)),
                signal::SIGINT => self.leave(signal::SIGTERM, Some(INTERRUPTED)),
                signal::SIGTTOU | signal::SIGTTIN => self.workers.tell_all(number),
                _ => {}
            }
        }
        self.hear_workers();
        self.serve_clients();
        self.reap().or_else(|| {
            self.report_success();
            self.start_what_is_due();
            self.programs.start_what_is_due(self.console);
            None
        })
    }

    fn sleep(&self) {
        let now = clock::monotonic_ms();
        let due = self.wants_worker() && !self.workers.is_starting();
        let worker = due.then_some(self.not_before);
        let beat = self.heartbeat.map(|heart| heart.next());
        let timeout = [worker, beat, self.programs.next()]
            .into_iter()
            .flatten()
            .min();
        let timeout = timeout.map(|at| {
            let ms = i64::try_from(at.saturating_sub(now)).unwrap_or(0);
            Timespec {
                tv_sec: ms / 1000,
                tv_nsec: ms % 1000 * 1_000_000,
            }
        });
        let links = self.workers.iter().filter(|worker| !worker.is_mute());
        let descriptors = links.map(|worker| worker.link.as_fd());
        let own = std::iter::once(self.signals.as_fd()).chain(descriptors);
        let mut fds: Vec<PollFd<'_>> = own
            .map(|fd: BorrowedFd<'_>| (fd, PollFlags::IN))
            .chain(self.window.watched())
            .map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags))
            .collect();
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn wants_worker(&self) -> bool {
        self.plan == Plan::Serve && (self.reloads.wanted || self.workers.current().is_none())
    }

    fn hear_workers(&mut self) {
        for at in self.workers.places() {
            while let Some(said) = self.workers.at_mut(at).hear() {
                match said {
                    Said::WantsSockets => self.pass_sockets(at),
                    Said::Ready => self.promote(at),
                    Said::MaxReloads(limit) => self.workers.at_mut(at).max_reloads = Some(limit),
                    Said::Holds(holding) => self.workers.at_mut(at).hold(holding),
                    Said::Closed => self.workers.at_mut(at).closed = true,
                    Said::WantsState => self.introduce(at),
                    Said::Programs(file) => self.workers.at_mut(at).bill = Playbill::read(&file),
                    Said::Operator(..) | Said::Heir(_) | Said::Unknown => {}
                    Said::Gone => break,
                }
            }
        }
    }

    /// Gives a starting worker the sockets.
    fn pass_sockets(&self, at: usize) {
        let given: Vec<Given<'_>> = self
            .sockets
            .iter()
            .map(|taken| Given {
                socket: taken.socket.as_fd(),
                interface: &taken.interface,
                namespace: &taken.namespace,
            })
            .collect();
        if let Err(error) = self.workers.at(at).link.give_sockets(&given) {
            let pid = self.workers.at(at).pid;
            self.console.warning(&format!(
                "worker {pid} did not take the sockets: {}",
                text(&error)
            ));
        }
    }

    /// Connects a starting worker with the one that it is to follow.
    fn introduce(&self, at: usize) {
        let pair = self.workers.current().and_then(|current| {
            let (mine, theirs) = socket::pair(socket::Kind::Stream).ok()?;
            current.link.send_heir(&theirs).ok()?;
            Some(mine)
        });
        // A worker that does not hear of it begins at zero.
        let _ = self.workers.at(at).link.answer_state(pair.as_ref());
    }
}
