//! The life of a serving process: workers, signals, deadlines, end.
//!
//! Born by `birth` with its sockets; from then on the main thread waits for signals, for its master if it has one, and for
//! deadlines, and tells the workers. Traffic belongs to the workers. A serving process ends when it was told to leave and its last
//! stream has ended, at `hard-stop-after`, or at once by SIGTERM and SIGINT, which then show in its status.

mod dump;
mod names;
mod watch;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cli::{Desk, Modes};
use crate::courier::{self, Courier};
use crate::site::{Holding, Level, Service, Site};
use crate::sys::signal::{self, Blocked, Signals};
use crate::sys::{clock, process, socket};
use crate::time::Tick;
use crate::worker::{Crew, Inners};

use super::bind::Bound;
use super::build_info;
use super::console::Console;
use super::export::Copies;
use super::heritage::Heritage;
use super::link::{Link, Said};
use super::notify::Notifier;
use super::privileges::{Privileges, text};
use super::sandbox;

use dump::dump;
use names::follow;
use watch::Watch;

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
    /// `-c`: nothing is wrong, and nothing would be done.
    pub const IDLE: Self = Self::Status(2);
}

/// How often workers are asked what keeps them, in milliseconds.
const HOLDING_EVERY: u64 = 1_000;

/// A process whose workers run.
pub struct Serving {
    site: Arc<Site>,
    crew: Crew,
    courier: Option<Courier>,
    signals: Signals,
    notifier: Notifier,
    link: Option<Link>,
    /// Copies of the listening sockets, to pass on.
    copies: Arc<Copies>,
    desk: Arc<Desk>,
}

/// The date that tools see beside the version.
const RELEASE_DATE: &str = "2026/11/21";

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
    pub fn begin(
        mut site: Site,
        bound: Vec<Bound>,
        heritage: Option<Heritage>,
        console: &Console,
    ) -> Result<Self, Vec<String>> {
        let blocked = Blocked::all();
        // Read while files can be: a root directory of its own may hide it. A first start has none.
        let counters = site.global.stats_file.as_ref();
        let counters = counters.and_then(|path| std::fs::read_to_string(path).ok());
        let (datagrams, faults) = courier::bind_datagrams(&site);
        if !faults.is_empty() {
            return Err(faults);
        }
        let dropped = Privileges::of(&site)
            .give_up()
            .map_err(|sentence| vec![sentence])?;
        for warning in &dropped.warnings {
            console.warning(warning);
        }
        let shut = sandbox::enter(&site);
        for fault in &shut.missing {
            console.notice(fault);
        }
        site.sandbox = shut.text();
        site.open_books();
        if let Some(counters) = counters {
            site.read_stats_file(&counters);
        }
        for fault in site.open_logs() {
            console.warning(&fault);
        }
        for notice in site.recall(Tick::from_millis(clock::monotonic_ms())) {
            console.notice(&notice.text);
        }
        site.startup_logs = console.told();
        site.boot_time = console.age();
        let site = Arc::new(site);
        if let Some(heritage) = heritage {
            heritage.settle(&site);
        }
        Self::start(site, bound, datagrams, blocked)
            .map_err(|e| vec![format!("[sluice.main()] Cannot start: {}.", text(&e))])
    }

    fn start(
        site: Arc<Site>,
        bound: Vec<Bound>,
        datagrams: Vec<(usize, OwnedFd)>,
        blocked: Blocked,
    ) -> io::Result<Self> {
        let signals = Signals::install(&SIGNALS)?;
        let (mut sockets, mut copies) = (Vec::new(), Vec::new());
        let mut couriers = Vec::new();
        for Bound {
            listener,
            sockets: list,
        } in bound
        {
            for fd in list {
                copies.push((listener, socket::duplicate(&fd)?));
                match site.listener(listener).service {
                    Service::Frontend(_) | Service::Stats => sockets.push((listener, fd)),
                    Service::Peers(_) | Service::LogForward(_) => couriers.push((listener, fd)),
                }
            }
        }
        // Workers inherit the blocked signals: only this thread is interrupted.
        let desk = Arc::new(Desk::new(
            Arc::clone(&site),
            build_info::LANGUAGE,
            RELEASE_DATE,
        ));
        let copies = Copies::new(Arc::clone(&site), copies);
        copies.serve(&desk);
        let inners: Arc<dyn Inners> = Arc::new(Arc::clone(&desk));
        let crew = Crew::start(Arc::clone(&site), sockets, &inners)?;
        follow(&site, crew.office())?;
        let courier = Courier::start(&site, couriers, datagrams)?;
        courier::keep_answers_fresh(&site)?;
        drop(blocked);
        signal::unblock_all();
        Ok(Self {
            site,
            crew,
            courier,
            signals,
            notifier: Notifier::default(),
            link: None,
            copies,
            desk,
        })
    }

    /// Begins to accept. Until then whoever waits is in the kernel's queues, and lost with nobody's death.
    pub fn open(&self) {
        self.crew.unpause();
    }

    /// Tells the service manager that this process serves, and of what becomes of it.
    pub fn report_to(&mut self, notifier: Notifier) {
        notifier.ready(process::pid());
        self.notifier = notifier;
    }

    /// Tells the master that this process serves, and answers it from here on.
    pub fn obey(&mut self, link: Link) {
        link.say_ready(self.site.global.max_reloads);
        self.link = Some(link);
    }

    /// Waits for signals, the master and deadlines until the workers have left.
    pub fn live(mut self, console: &Console) -> End {
        let mut watch = Watch::new(&self.site);
        loop {
            self.sleep(watch.patience(clock::monotonic_ms()));
            self.hear_master(&mut watch);
            while let Some(number) = self.signals.next() {
                match number {
                    signal::SIGUSR1 => watch.be_gracious(clock::monotonic_ms()),
                    signal::SIGTERM | signal::SIGINT => return self.end_by(number),
                    signal::SIGHUP => dump(&self.site, self.crew.office(), console),
                    signal::SIGQUIT => self.crew.shrink(),
                    signal::SIGTTOU => self.crew.pause(),
                    signal::SIGTTIN => self.crew.unpause(),
                    _ => {}
                }
            }
            let now = clock::monotonic_ms();
            if let Some(heart) = &mut watch.heartbeat {
                heart.beat(now, &self.notifier);
            }
            if watch.grace_ends.is_some_and(|end| now >= end) {
                self.drain(&mut watch);
            }
            self.say_closed(&mut watch);
            self.say_what_holds(&mut watch, now);
            if watch.drains.is_some() {
                self.copies.tell_heirs(watch.holding);
            }
            if watch.is_over(now) {
                self.crew.stop();
                self.courier.iter().for_each(Courier::stop);
            }
            if self.crew.is_gone() {
                self.courier.iter().for_each(Courier::finish);
            }
            if self.crew.is_gone() && self.courier.as_ref().is_none_or(Courier::is_gone) {
                return self.end(console);
            }
        }
    }

    fn drain(&mut self, watch: &mut Watch) {
        if watch.drains.is_none() {
            watch.drains = Some(clock::monotonic_ms());
            self.notifier
                .status("Leaving when the last connection ends.");
            self.copies.drop_all();
            self.crew.drain();
            self.courier.iter().for_each(Courier::drain);
            self.site.tls.stop_asking();
        }
    }

    /// Tells the master, once, that no client can reach this process any more.
    fn say_closed(&self, watch: &mut Watch) {
        if watch.drains.is_some() && !watch.closed && self.crew.office().is_closed() {
            watch.closed = true;
            self.link.iter().for_each(Link::say_closed);
        }
    }

    /// Tells the master what keeps this process: whenever a client leaves, and now and then as the workers say.
    fn say_what_holds(&self, watch: &mut Watch, now: u64) {
        if watch.drains.is_none() {
            return;
        }
        let office = self.crew.office();
        let answered = watch.asks_at.is_some_and(|at| now < at) && !watch.answered;
        if watch.asks_at.is_none_or(|at| now >= at) {
            office.ask_what_holds();
            watch.asks_at = Some(now + HOLDING_EVERY);
            watch.answered = false;
        } else {
            watch.answered = true;
        }
        let clients = office.clients() as u64;
        if answered || watch.holding.clients != clients {
            watch.holding = Holding {
                left: watch.left(now),
                ..office.holding()
            };
            self.link
                .iter()
                .for_each(|link| link.say_holds(watch.holding));
        }
    }

    fn end(self, console: &Console) -> End {
        self.notifier.stopping();
        let ended = self.crew.join();
        self.copies.tell_heirs(Holding::default());
        match ended {
            Ok(()) => End::DONE,
            Err(error) => {
                console.alert(&format!("a worker failed: {}", text(&error)));
                End::FAILED
            }
        }
    }

    /// Answers the master. Without it nobody could replace this process: it leaves when its work is done.
    fn hear_master(&mut self, watch: &mut Watch) {
        while let Some(link) = self.link.as_mut().filter(|link| !link.is_over()) {
            match link.heard() {
                Some(Said::WantsSockets) => self.pass_sockets(),
                Some(Said::Gone) => self.drain(watch),
                Some(Said::Operator(may, connection)) => self.receive(may, connection),
                Some(Said::Heir(connection)) => self.copies.welcome(connection),
                Some(
                    Said::Ready
                    | Said::Closed
                    | Said::Holds(..)
                    | Said::MaxReloads(_)
                    | Said::WantsState
                    | Said::Programs(_)
                    | Said::Unknown,
                ) => {}
                None => return,
            }
        }
    }

    /// Has a thread serve an operator; without one the operator sees the connection end.
    fn receive(&self, may: (Level, Modes), connection: OwnedFd) {
        let (desk, office) = (Arc::clone(&self.desk), Arc::clone(self.crew.office()));
        let _ = thread::Builder::new()
            .name("operator".to_owned())
            .spawn(move || desk.converse(&office, may, &connection));
    }

    fn pass_sockets(&self) {
        if let Some(link) = &self.link {
            // A master that does not take them does without; it is heard of again when its line ends.
            let _ = self.copies.lend(|given| link.give_sockets(given));
        }
    }

    fn sleep(&self, patience: Option<u32>) {
        let watched = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let link = self.link.iter().filter(|link| !link.is_over());
        let mut fds: Vec<PollFd<'_>> = std::iter::once(self.signals.as_fd())
            .chain(link.map(AsFd::as_fd))
            .map(watched)
            .collect();
        let timeout = patience.map(|ms| Timespec {
            tv_sec: i64::from(ms / 1000),
            tv_nsec: i64::from(ms % 1000) * 1_000_000,
        });
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn end_by(self, number: i32) -> End {
        self.notifier.stopping();
        self.crew.stop();
        self.courier.iter().for_each(Courier::stop);
        // Whether a worker failed does not matter any more.
        let _ = self.crew.join();
        self.copies.tell_heirs(Holding::default());
        End::Signal(number)
    }
}
