//! The master process: starts workers, replaces them on demand, and keeps what must not be lost between two of them.
//!
//! A reload executes the program anew as a fresh worker, which reads the configuration, takes the listening sockets over its
//! [`Link`] and says when it serves; only then the former worker is told to leave. A worker that does not get so far
//! changes nothing. Reloads never overlap: those that are asked for meanwhile become one. The master holds copies of the
//! listening sockets, reads no configuration itself after the first, and keeps its rights, so that every worker starts with them.

mod answers;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::site::Holding;
use crate::sys::process::{self, Exit, Fork};
use crate::sys::signal::{self, Blocked, Signals};
use crate::sys::socket;
use crate::sys::{clock, io as bytes};
use crate::time::Tick;

use super::console::Console;
use super::handover::{Given, Taken};
use super::life::End;
use super::link::{self, Link, Said};
use super::notify::{Heartbeat, Notifier};
use super::old::Survey;
use super::privileges::text;
use super::programs::{Playbill, Programs};
use super::window::{ClientKey, Window};

/// A worker that ends sooner than this after its start, in milliseconds, is not started again at once.
const SHORT_LIFE: u64 = 1_000;
/// How long to wait then.
const RESTART_PAUSE: u64 = 1_000;
/// Workers that may be leaving at the same time; the oldest beyond are ended.
const LEAVING_MAX: usize = 256;

/// How to execute the program again.
#[derive(Clone, Debug)]
pub struct Again {
    path: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    directory: Option<String>,
}

impl Again {
    /// Remembers how this process was started: its program, arguments, environment and directory.
    pub fn remember() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let bytes = path.as_os_str().as_bytes();
        let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
        let args = std::env::args_os().filter_map(|word| CString::new(word.as_bytes()).ok());
        let env = std::env::vars_os().filter(|(name, _)| name != link::VARIABLE);
        let env = env.filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        });
        Ok(Self {
            path: CString::new(bytes)?,
            args: args.collect(),
            env: env.collect(),
            directory: std::env::current_dir()
                .ok()
                .map(|d| d.to_string_lossy().into_owned()),
        })
    }

    /// Becomes a worker behind `link`. Comes back only when that failed.
    fn execute(mut self, link: &Link, said: &OwnedFd) -> io::Error {
        let numbers = match link.leave_open(said) {
            Ok(numbers) => numbers,
            Err(error) => return error,
        };
        self.env
            .extend(CString::new(format!("{}={numbers}", link::VARIABLE)));
        if let Some(directory) = &self.directory
            && let Err(error) = process::chdir(directory)
        {
            return error;
        }
        process::exec(&self.path, &self.args, &self.env)
    }
}

/// A worker process as the master knows it.
#[derive(Debug)]
struct Worker {
    pid: i32,
    link: Link,
    /// When it was started, in milliseconds.
    born: u64,
    /// Reloads since.
    reloads: u32,
    /// How many it may outlive, by its own configuration.
    max_reloads: Option<u32>,
    /// What it says while it starts, where that is kept.
    said: Option<OwnedFd>,
    /// What its configuration says of programs.
    bill: Option<Playbill>,
    /// Whether it accepts nobody any more.
    closed: bool,
    /// What keeps it while it leaves.
    held: Option<Held>,
    stage: Stage,
}

/// What keeps a worker that leaves, and when it said so first and last.
#[derive(Clone, Copy, Debug)]
struct Held {
    since: Tick,
    told: Tick,
    holding: Holding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said yet that it serves.
    Starting,
    /// It serves.
    Serving,
    /// It was told to leave.
    Leaving,
}

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
    workers: Vec<Worker>,
    programs: Programs,
    sockets: Vec<Taken>,
    plan: Plan,
    /// A reload was asked for.
    wanted: bool,
    /// Whether it shall end the former workers at once.
    hard: bool,
    /// When a worker may be started again after one ended too soon.
    not_before: u64,
    /// How often the service manager wants to hear from us.
    heartbeat: Option<Heartbeat>,
    /// Whether the start was announced.
    published: bool,
    window: Window,
    /// When this process began, in milliseconds.
    born: u64,
    /// Starts of workers on demand, and how many of all failed.
    reloads: u32,
    failures: u32,
    /// The number of the last start.
    begun: u64,
    /// Clients who wait for the end of the start with this number.
    awaiting: Vec<(ClientKey, u64)>,
    /// What the last start said.
    said: String,
    /// The number of a start that succeeded, while that is still to be reported.
    succeeded: Option<u64>,
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
                Ok(Role::Master(Box::new(Self {
                    keepings,
                    console,
                    signals,
                    workers: vec![Worker::new(child, mine, None)],
                    programs: Programs::default(),
                    sockets: Vec::new(),
                    plan: Plan::Serve,
                    wanted: false,
                    hard: false,
                    not_before: 0,
                    heartbeat: Heartbeat::asked(clock::monotonic_ms()),
                    published: false,
                    window,
                    born: clock::monotonic_ms(),
                    reloads: 0,
                    failures: 0,
                    begun: 0,
                    awaiting: Vec::new(),
                    said: String::new(),
                    succeeded: None,
                })))
            }
        }
    }

    /// Waits until the first worker serves; an error with its status when it does not.
    pub fn await_first(&mut self) -> Result<(), End> {
        let bill = std::mem::take(&mut self.keepings.bill);
        self.programs.follow(bill, false, self.console);
        while self.current().is_none() {
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

    fn current(&self) -> Option<&Worker> {
        self.workers
            .iter()
            .find(|worker| worker.stage == Stage::Serving)
    }

    fn current_but(&self, at: usize) -> Option<&Worker> {
        let mut others = self.workers.iter().enumerate();
        let serves = |worker: &Worker| worker.stage == Stage::Serving;
        let other = others.find(|(other, worker)| *other != at && serves(worker));
        other.map(|(_, worker)| worker)
    }

    fn is_starting(&self) -> bool {
        self.workers
            .iter()
            .any(|worker| worker.stage == Stage::Starting)
    }

    /// One round: wait, hear signals, hear workers, start what is due.
    fn turn(&mut self) -> Option<End> {
        self.sleep();
        if let Some(heart) = &mut self.heartbeat {
            heart.beat(clock::monotonic_ms(), &self.keepings.notifier);
        }
        while let Some(number) = self.signals.next() {
            match number {
                signal::SIGUSR2 | signal::SIGHUP => self.wanted = true,
                signal::SIGUSR1 => self.leave(signal::SIGUSR1, Some(0)),
                signal::SIGTERM | signal::SIGINT => {
                    self.leave(signal::SIGTERM, u8::try_from(128 + number).ok());
                }
                signal::SIGTTOU | signal::SIGTTIN => self.tell_all(number),
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
        let due = self.wants_worker() && !self.is_starting();
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
        self.plan == Plan::Serve && (self.wanted || self.current().is_none())
    }

    fn hear_workers(&mut self) {
        for at in 0..self.workers.len() {
            while let Some(said) = self.workers[at].hear() {
                match said {
                    Said::WantsSockets => self.pass_sockets(at),
                    Said::Ready => self.promote(at),
                    Said::MaxReloads(limit) => self.workers[at].max_reloads = Some(limit),
                    Said::Holds(holding) => self.workers[at].hold(holding),
                    Said::Closed => self.workers[at].closed = true,
                    Said::WantsState => self.introduce(at),
                    Said::Programs(file) => self.workers[at].bill = Playbill::read(&file),
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
        if let Err(error) = self.workers[at].link.give_sockets(&given) {
            let pid = self.workers[at].pid;
            self.console.warning(&format!(
                "worker {pid} did not take the sockets: {}",
                text(&error)
            ));
        }
    }

    /// Connects a starting worker with the one that it is to follow.
    fn introduce(&self, at: usize) {
        let pair = self.current().and_then(|current| {
            let (mine, theirs) = socket::pair(socket::Kind::Stream).ok()?;
            current.link.send_heir(&theirs).ok()?;
            Some(mine)
        });
        // A worker that does not hear of it begins at zero.
        let _ = self.workers[at].link.answer_state(pair.as_ref());
    }

    /// A worker serves: it becomes the current one, all others leave.
    fn promote(&mut self, at: usize) {
        if self.workers[at].stage != Stage::Starting {
            return;
        }
        self.workers[at].stage = Stage::Serving;
        match self.workers[at].link.take_sockets() {
            Ok(sockets) => self.sockets = sockets,
            Err(error) => self.console.warning(&format!(
                "cannot keep the worker's sockets: {}",
                text(&error)
            )),
        }
        let is_reload = self.current_but(at).is_some();
        if let Some(bill) = self.workers[at].bill.take() {
            self.programs.follow(bill, is_reload, self.console);
        }
        let limit = self.workers[at].max_reloads.unwrap_or(u32::MAX);
        let goodbye = match std::mem::take(&mut self.hard) {
            true => signal::SIGTERM,
            false => signal::SIGUSR1,
        };
        for (other, worker) in self.workers.iter_mut().enumerate() {
            if other == at {
                continue;
            }
            worker.reloads += 1;
            if worker.stage == Stage::Serving {
                worker.stage = Stage::Leaving;
                let _ = process::kill(worker.pid, goodbye);
            }
            if worker.reloads > limit {
                let _ = process::kill(worker.pid, signal::SIGTERM);
            }
        }
        let leaving = self.workers.iter().filter(|w| w.stage == Stage::Leaving);
        for worker in leaving
            .clone()
            .take(leaving.count().saturating_sub(LEAVING_MAX))
        {
            let _ = process::kill(worker.pid, signal::SIGTERM);
        }
        for failure in self.keepings.former.tell(self.keepings.at_once) {
            self.console.warning(&failure);
        }
        self.keepings.former = Survey::default();
        if self.published {
            self.keepings.notifier.ready(process::pid());
        }
        self.console.notice("Loading success.");
        self.said = self.workers[at].said();
        self.workers[at].said = None;
        self.succeeded = Some(self.begun);
    }

    fn leave(&mut self, number: i32, status: Option<u8>) {
        self.plan = Plan::Leave(status);
        self.tell_all(number);
        self.programs.dismiss(number);
        for worker in &mut self.workers {
            worker.stage = Stage::Leaving;
        }
    }

    fn tell_all(&self, number: i32) {
        for worker in &self.workers {
            let _ = process::kill(worker.pid, number);
        }
    }

    /// Takes note of workers that ended; the master's own end when none is left and none is to come.
    fn reap(&mut self) -> Option<End> {
        let (mut last, mut last_left) = (None, false);
        while let Ok(Some((pid, exit))) = process::reap() {
            let Some(at) = self.workers.iter().position(|worker| worker.pid == pid) else {
                self.programs.ended(pid, exit, self.console);
                continue;
            };
            let worker = self.workers.remove(at);
            last_left = self.workers.is_empty();
            last = self.mourn(&worker, exit).or(last);
        }
        match self.plan {
            Plan::Leave(status) if self.workers.is_empty() => {
                // Nobody is left for whom they could still do anything.
                if last_left {
                    self.programs.dismiss(signal::SIGTERM);
                }
                let gone = self.programs.all().is_empty();
                gone.then_some(End::Status(status.unwrap_or(0)))
            }
            Plan::Serve | Plan::Leave(_) => last,
        }
    }

    /// Says why a worker ended. A first worker that never served is the end of the master too.
    fn mourn(&mut self, worker: &Worker, exit: Exit) -> Option<End> {
        let pid = worker.pid;
        let (how, status) = match exit {
            Exit::Status(status) => (
                format!("code {status} (Exit)"),
                u8::try_from(status).unwrap_or(1),
            ),
            Exit::Signal(number) => (
                format!("code {} ({})", 128 + number, signal::name(number)),
                u8::try_from(128 + number).unwrap_or(1),
            ),
        };
        match worker.stage {
            Stage::Leaving => self
                .console
                .notice(&format!("Former worker ({pid}) exited with {how}")),
            Stage::Starting => {
                self.console.alert(&format!(
                    "Worker ({pid}) failed to start: it exited with {how}"
                ));
                if self.current().is_none() && self.sockets.is_empty() {
                    self.programs.dismiss(signal::SIGTERM);
                    return Some(End::Status(status.max(1)));
                }
                self.failures += 1;
                self.hard = false;
                self.said = worker.said();
                self.report_reload(self.begun, false);
                self.keepings.notifier.reload_failed(process::pid());
                self.rest();
            }
            Stage::Serving if is_orderly(exit) => {
                self.console
                    .notice(&format!("Current worker ({pid}) exited with {how}"));
                self.leave(signal::SIGUSR1, Some(status));
            }
            Stage::Serving => {
                self.console.alert(&format!(
                    "Current worker ({pid}) exited with {how}; starting another."
                ));
                if clock::monotonic_ms() < worker.born + SHORT_LIFE {
                    self.rest();
                }
            }
        }
        None
    }

    fn rest(&mut self) {
        self.not_before = clock::monotonic_ms() + RESTART_PAUSE;
    }

    fn start_what_is_due(&mut self) {
        let rests = self.current().is_none() && clock::monotonic_ms() < self.not_before;
        if self.is_starting() || !self.wants_worker() || rests {
            return;
        }
        self.wanted = false;
        if self.current().is_some() {
            self.keepings.notifier.reloading();
            self.console.notice("Reloading.");
            self.reloads += 1;
        }
        if let Err(error) = self.start() {
            self.said = format!("cannot start a worker: {}", text(&error));
            self.console.alert(&self.said);
            self.failures += 1;
            self.report_reload(self.begun, false);
            self.keepings.notifier.reload_failed(process::pid());
            self.rest();
        }
    }

    fn start(&mut self) -> io::Result<()> {
        self.begun += 1;
        let (mine, theirs) = Link::pair()?;
        let said = bytes::nameless_file()?;
        let blocked = Blocked::all();
        let again = self.keepings.again.clone();
        match process::fork()? {
            Fork::Child => {
                drop(mine);
                let error = again.execute(&theirs, &said);
                self.console
                    .alert(&format!("cannot execute the program: {}", text(&error)));
                process::end_now(1);
            }
            Fork::Parent { child } => {
                drop(blocked);
                self.workers.push(Worker::new(child, mine, Some(said)));
                Ok(())
            }
        }
    }
}

impl Worker {
    fn new(pid: i32, link: Link, said: Option<OwnedFd>) -> Self {
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

    fn hold(&mut self, holding: Holding) {
        let now = Tick::from_millis(clock::monotonic_ms());
        self.held = Some(Held {
            since: self.held.map_or(now, |held| held.since),
            told: now,
            holding,
        });
    }

    /// Whether nothing more can come over its line.
    fn is_mute(&self) -> bool {
        self.link.is_over()
    }

    fn hear(&mut self) -> Option<Said> {
        if self.link.is_over() {
            return None;
        }
        self.link.heard()
    }
}

/// Whether a worker ended because somebody told it to.
fn is_orderly(exit: Exit) -> bool {
    matches!(
        exit,
        Exit::Status(0) | Exit::Signal(signal::SIGTERM | signal::SIGINT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_are_told_from_orders() {
        assert!(is_orderly(Exit::Status(0)));
        assert!(is_orderly(Exit::Signal(signal::SIGTERM)));
        assert!(!is_orderly(Exit::Signal(signal::SIGKILL)));
        assert!(!is_orderly(Exit::Status(1)));
    }

    #[test]
    fn the_program_is_remembered_with_all_it_was_given() {
        let again = Again::remember().expect("the program has a path");
        assert!(!again.args.is_empty());
        assert!(again.path.to_bytes().starts_with(b"/"));
        assert!(
            again
                .env
                .iter()
                .all(|e| !e.to_bytes().starts_with(b"SLUICE_LINK="))
        );
    }
}
