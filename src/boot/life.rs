//! The life of a serving process: sockets, rights, workers, signals, end.
//!
//! The order of birth is written out in [`serve`]: limits, listening sockets (all or none), a look at earlier processes, the
//! fork into the background, rights, handlers, workers, then the word that it serves, and only then the signal that
//! sends the earlier processes away. Whatever fails before that word leaves them serving.
//!
//! Afterwards the main thread waits for signals and deadlines; traffic belongs to the workers.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::id::ListenerId;
use crate::site::Site;
use crate::sys::signal::{self, Blocked, Signals};
use crate::sys::{clock, process};
use crate::time::Millis;
use crate::worker::Crew;

use super::args::Options;
use super::bind::{self, Bound, Failure, Wish};
use super::console::Console;
use super::daemon::{self, PidFile, Side, Start, Starting};
use super::handover::{self, Taken};
use super::limits::{self, Asked};
use super::load::{self, Loaded};
use super::notify::{self, Notifier};
use super::old::{self, Survey};
use super::privileges::{Privileges, text};

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Status(u8),
    /// By a signal, which whoever waits shall see.
    Signal(i32),
}

impl End {
    /// Everything went well.
    pub const DONE: Self = Self::Status(0);
    /// The start failed.
    pub const FAILED: Self = Self::Status(1);
}

/// How often an address that is in use is tried again while earlier processes give it up.
const BIND_RETRIES: u32 = 200;
/// How long to wait before each try.
const BIND_PAUSE: Duration = Duration::from_millis(10);
/// How often a draining process looks whether its last stream has ended.
const DRAIN_LOOK: u32 = 20;

/// Serves a configuration until told to end.
pub fn serve(loaded: Loaded, options: &Options, console: &Console) -> End {
    match birth(loaded, options, console) {
        Ok(Born::Parent(end)) => end,
        Ok(Born::Serving(serving)) => serving.live(console),
        Err(sentences) => {
            sentences
                .iter()
                .for_each(|sentence| console.alert(sentence));
            End::FAILED
        }
    }
}

enum Born {
    /// This is the process that went back to the shell.
    Parent(End),
    /// This is the process that serves.
    Serving(Serving),
}

fn birth(loaded: Loaded, options: &Options, console: &Console) -> Result<Born, Vec<String>> {
    let one = |sentence: String| vec![sentence];
    let mut site = loaded.site;
    if site.listeners.is_empty() {
        return Err(one(
            "[sluice.main()] No enabled listener found (check for 'bind' directives) ! Exiting."
                .into(),
        ));
    }
    settle_limits(&mut site, options, console).map_err(one)?;
    let taken = take_over(options, console).map_err(one)?;
    let wishes = load::wishes(&site, !options.no_reuseport);
    let addresses: Vec<_> = wishes.iter().map(|wish| wish.endpoint.clone()).collect();
    let former = old::survey(options, &addresses);
    former
        .warnings
        .iter()
        .for_each(|warning| console.warning(warning));
    let bound = bind_patiently(&wishes, &taken, &former)?;
    drop(taken);
    let mut pidfile = open_pidfile(&site).map_err(one)?;
    let notifier = open_notifier(options, console);
    let at_once = options.old.as_ref().is_some_and(|old| old.at_once);
    let mut starting = Starting::unwatched();
    if site.global.daemon {
        let fork = daemon::fork()
            .map_err(|e| one(format!("[sluice.main()] Cannot fork: {}.", text(&e))))?;
        match fork {
            Side::Parent(awaited) => {
                let end = see_off(awaited, &mut pidfile, &former, at_once, console);
                return Ok(Born::Parent(end));
            }
            Side::Child(child) => {
                starting = child;
                let _ = daemon::leave_terminal();
            }
        }
    }
    let serving = Serving::begin(site, bound, options, console)?;
    serving.announce(&mut starting, &notifier, &former, at_once, console);
    Ok(Born::Serving(Serving {
        notifier,
        ..serving
    }))
}

fn settle_limits(site: &mut Site, options: &Options, console: &Console) -> Result<(), String> {
    let global = &mut site.global;
    if global.threads == 0 {
        global.threads = crate::sys::limits::cpus()
            .map_or(1, |cpus| cpus.len())
            .max(1);
    }
    let asked = Asked {
        maxconn: global.maxconn,
        ulimit_n: global.ulimit_n,
        hard_limit: global.fd_hard_limit,
        memory: options.memory.filter(|n| *n > 0),
        buffer: global.tune.buffer_size,
        listeners: site.listeners.iter().map(|l| l.shards.max(1)).sum(),
        workers: global.threads,
        checked: 0,
        splice: !global.no_splice,
    };
    let plan = limits::plan(&asked, crate::sys::limits::descriptors());
    if global.maxconn > plan.maxconn {
        console.warning(&format!(
            "[sluice.main()] maxconn {} does not fit into {} MB (-m); running with {}.",
            global.maxconn,
            asked.memory.unwrap_or(0),
            plan.maxconn
        ));
    }
    global.maxconn = plan.maxconn;
    limits::apply(&plan, &asked).map_err(|(sentence, _)| sentence)
}

/// The sockets of the process behind `-x`.
fn take_over(options: &Options, console: &Console) -> Result<Vec<Taken>, String> {
    let Some(path) = options
        .takeover
        .as_deref()
        .filter(|path| *path != "/dev/null")
    else {
        return Ok(Vec::new());
    };
    handover::take(path).map_err(|error| {
        console.warning(&format!(
            "Failed to connect to the old process socket '{path}': {}",
            text(&error)
        ));
        "Failed to get the sockets from the old process!".to_owned()
    })
}

/// Binds; addresses that are in use are tried again while the earlier processes pause.
fn bind_patiently(
    wishes: &[Wish],
    taken: &[Taken],
    former: &Survey,
) -> Result<Vec<Bound>, Vec<String>> {
    let last = |failure: Failure| {
        let mut sentences = failure.sentences;
        sentences.push(
            "[sluice.main()] Some protocols failed to start their listeners! Exiting.".into(),
        );
        sentences
    };
    let mut failure = match bind::bind_all(wishes, taken) {
        Ok(bound) => return Ok(bound),
        Err(failure) if former.former.is_empty() || !failure.in_use => return Err(last(failure)),
        Err(failure) => failure,
    };
    former.pause();
    for _ in 0..BIND_RETRIES {
        wait(BIND_PAUSE);
        match bind::bind_all(wishes, taken) {
            Ok(bound) => return Ok(bound),
            Err(again) => failure = again,
        }
    }
    former.resume();
    Err(last(failure))
}

fn wait(span: Duration) {
    let span = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(span.subsec_nanos()),
    };
    let _ = poll(&mut [], Some(&span));
}

/// Only processes that leave the terminal are found by their file; HAProxy writes none for others.
fn open_pidfile(site: &Site) -> Result<Option<PidFile>, String> {
    let global = &site.global;
    let Some(path) = global.pidfile.as_ref().filter(|_| global.daemon) else {
        return Ok(None);
    };
    let path = path.to_string_lossy();
    PidFile::open(&path).map(Some).map_err(|e| {
        format!(
            "[sluice.main()] Cannot create pidfile {path} ({})",
            text(&e)
        )
    })
}

fn open_notifier(options: &Options, console: &Console) -> Notifier {
    if !options.notify {
        return Notifier::default();
    }
    let name = std::env::var("NOTIFY_SOCKET").ok();
    Notifier::new(name.as_deref()).unwrap_or_else(|error| {
        console.warning(&format!(
            "the service manager cannot be told anything: {}",
            text(&error)
        ));
        Notifier::default()
    })
}

/// What the parent does while its child starts, and when it serves.
fn see_off(
    awaited: daemon::Awaited,
    pidfile: &mut Option<PidFile>,
    former: &Survey,
    at_once: bool,
    console: &Console,
) -> End {
    let pid = awaited.pid;
    match awaited.wait() {
        Ok(Start::Ready) => {
            tell(former, at_once, console);
            if let Some(file) = pidfile
                && let Err(error) = file.write(&[pid])
            {
                console.warning(&format!(
                    "[sluice.main()] Cannot write the pid file: {}",
                    text(&error)
                ));
            }
            End::DONE
        }
        Ok(Start::Ended(process::Exit::Status(status))) => {
            End::Status(u8::try_from(status).unwrap_or(1).max(1))
        }
        Ok(Start::Ended(process::Exit::Signal(_))) | Err(_) => End::FAILED,
    }
}

fn tell(former: &Survey, at_once: bool, console: &Console) {
    for failure in former.tell(at_once) {
        console.warning(&failure);
    }
}

/// What the configuration says about rights.
pub fn privileges(site: &Site) -> Privileges {
    let global = &site.global;
    Privileges {
        root: global
            .chroot
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned()),
        uid: global.uid,
        gid: global.gid,
        keep: Vec::new(),
        dumpable: global.dumpable,
    }
}

/// A process whose workers run.
struct Serving {
    site: Arc<Site>,
    crew: Crew,
    signals: Signals,
    notifier: Notifier,
    /// Copies of the listening sockets, to pass on.
    #[expect(
        dead_code,
        reason = "kept open so that a handover can be answered while workers pause"
    )]
    sockets: Vec<(ListenerId, OwnedFd)>,
}

const SIGNALS: [i32; 8] = [
    signal::SIGUSR1,
    signal::SIGUSR2,
    signal::SIGTERM,
    signal::SIGINT,
    signal::SIGHUP,
    signal::SIGQUIT,
    signal::SIGTTOU,
    signal::SIGTTIN,
];

impl Serving {
    /// Gives up rights and starts the workers, with handlers in place before anybody can know the process.
    fn begin(
        site: Site,
        bound: Vec<Bound>,
        _options: &Options,
        console: &Console,
    ) -> Result<Self, Vec<String>> {
        let blocked = Blocked::all();
        let dropped = privileges(&site)
            .give_up()
            .map_err(|sentence| vec![sentence])?;
        dropped
            .warnings
            .iter()
            .for_each(|warning| console.warning(warning));
        let fault = |e: io::Error| vec![format!("[sluice.main()] Cannot start: {}.", text(&e))];
        let signals = Signals::install(&SIGNALS).map_err(fault)?;
        let mut site = site;
        site.open_books();
        let site = Arc::new(site);
        let (mut sockets, mut copies) = (Vec::new(), Vec::new());
        for Bound {
            listener,
            sockets: list,
        } in bound
        {
            for fd in list {
                copies.push((listener, crate::sys::socket::duplicate(&fd).map_err(fault)?));
                sockets.push((listener, fd));
            }
        }
        // Workers inherit the blocked signals: only this thread is interrupted.
        let crew = Crew::start(Arc::clone(&site), sockets).map_err(fault)?;
        drop(blocked);
        signal::unblock_all();
        Ok(Self {
            site,
            crew,
            signals,
            notifier: Notifier::default(),
            sockets: copies,
        })
    }

    /// Says that it serves, to everyone who waits for it, and sends earlier processes away.
    fn announce(
        &self,
        starting: &mut Starting,
        notifier: &Notifier,
        former: &Survey,
        at_once: bool,
        console: &Console,
    ) {
        notifier.ready(process::pid());
        if self.site.global.daemon {
            // The parent has the rights and tells them.
            starting.ready();
            let _ = daemon::close_standard();
        } else {
            tell(former, at_once, console);
        }
    }

    /// Waits for signals and deadlines until the workers have left.
    fn live(self, console: &Console) -> End {
        let mut watch = Watch::new(&self.site);
        loop {
            self.sleep(watch.patience(clock::monotonic_ms()));
            while let Some(number) = self.signals.next() {
                match number {
                    signal::SIGUSR1 => {
                        watch.drain(clock::monotonic_ms(), &self.crew, &self.notifier)
                    }
                    signal::SIGTERM | signal::SIGINT => return self.end_by(number),
                    signal::SIGHUP => self.dump(console),
                    _ => {}
                }
            }
            let now = clock::monotonic_ms();
            watch.beat(now, &self.notifier);
            if watch.is_over(now) {
                self.crew.stop();
            }
            if self.crew.is_gone() {
                self.notifier.stopping();
                return match self.crew.join() {
                    Ok(()) => End::DONE,
                    Err(error) => {
                        console.alert(&format!("a worker failed: {}", text(&error)));
                        End::FAILED
                    }
                };
            }
        }
    }

    fn sleep(&self, patience: Option<u32>) {
        let mut fds = [PollFd::from_borrowed_fd(
            self.signals.as_fd(),
            PollFlags::IN,
        )];
        let timeout = patience.map(|ms| Timespec {
            tv_sec: i64::from(ms / 1000),
            tv_nsec: i64::from(ms % 1000) * 1_000_000,
        });
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn end_by(self, number: i32) -> End {
        self.notifier.stopping();
        self.crew.stop();
        // Whether a worker failed does not matter any more.
        let _ = self.crew.join();
        End::Signal(number)
    }

    /// `SIGHUP`: the state of everything, for an operator who cannot reach the stats socket.
    fn dump(&self, console: &Console) {
        for backend in &self.site.backends {
            console.notice(&format!(
                "SIGHUP received, dumping servers states for proxy {}.",
                backend.name
            ));
        }
        let clients = self.crew.office().clients();
        console.notice(&format!("SIGHUP: {clients} clients are connected."));
    }
}

/// Deadlines of the main thread.
struct Watch {
    /// When draining began.
    drains: Option<u64>,
    hard_stop: Option<Millis>,
    /// How often the service manager wants to hear from us, and when next.
    heartbeat: Option<(u32, u64)>,
}

impl Watch {
    fn new(site: &Site) -> Self {
        let var = |name| std::env::var(name).ok();
        let (usec, pid) = (var("WATCHDOG_USEC"), var("WATCHDOG_PID"));
        let every = notify::watchdog_interval(usec.as_deref(), pid.as_deref(), process::pid());
        Self {
            drains: None,
            hard_stop: site.global.hard_stop_after,
            heartbeat: every.map(|every| (every, clock::monotonic_ms())),
        }
    }

    fn drain(&mut self, now: u64, crew: &Crew, notifier: &Notifier) {
        if self.drains.is_none() {
            self.drains = Some(now);
            notifier.status("Leaving when the last connection ends.");
            crew.drain();
        }
    }

    fn is_over(&self, now: u64) -> bool {
        let end = self.drains.zip(self.hard_stop);
        end.is_some_and(|(began, span)| now >= began + u64::from(span.get()))
    }

    fn beat(&mut self, now: u64, notifier: &Notifier) {
        if let Some((every, next)) = &mut self.heartbeat
            && now >= *next
        {
            notifier.alive();
            *next = now + u64::from(*every);
        }
    }

    fn patience(&self, now: u64) -> Option<u32> {
        let look = self.drains.map(|_| DRAIN_LOOK);
        let beat = self
            .heartbeat
            .map(|(_, next)| u32::try_from(next.saturating_sub(now)).unwrap_or(u32::MAX));
        [look, beat].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch {
            drains: None,
            hard_stop: Some(Millis::seconds(5)),
            heartbeat: None,
        }
    }

    #[test]
    fn a_drain_ends_at_the_hard_stop_and_not_before() {
        let mut watch = watch();
        assert!(!watch.is_over(1_000_000));
        assert_eq!(watch.patience(0), None);
        watch.drains = Some(1_000);
        assert!(!watch.is_over(5_999));
        assert!(watch.is_over(6_000));
        assert_eq!(watch.patience(0), Some(DRAIN_LOOK));
    }

    #[test]
    fn heartbeats_keep_their_pace() {
        let mut watch = watch();
        watch.heartbeat = Some((100, 1_000));
        assert_eq!(watch.patience(950), Some(50));
        watch.beat(1_000, &Notifier::default());
        assert_eq!(watch.heartbeat, Some((100, 1_100)));
    }
}
