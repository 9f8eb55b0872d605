//! The order of birth, written out.
//!
//! A process that serves comes to be in one of three ways: alone ([`alone`]), as a master's first worker or as one that the master
//! executed ([`worker`]); the master itself ([`master`]) serves nothing. The steps are the same: limits, listening sockets (all or none), rights,
//! handlers, workers; then the word that it serves, and only then the signal that sends earlier processes away. Whatever fails before
//! that word leaves those serving.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{Timespec, poll};

use crate::addr::SockAddr;
use crate::site::Site;
use crate::sys::process;

use super::again::Again;
use super::args::Options;
use super::bind::{self, Bound, Failure, Wish};
use super::console::Console;
use super::daemon::{self, Awaited, Nowhere, PidFile, Side, Start, Starting};
use super::handover::{self, Taken};
use super::heritage::Heritage;
use super::life::{End, Serving};
use super::limits::{self, Asked};
use super::link::Link;
use super::load::{self, Loaded};
use super::master::{Keepings, Master, Role};
use super::notify::{self, Notifier};
use super::old::{self, Survey};
use super::privileges::text;
use super::programs::Playbill;
use super::window::Window;

/// How often an address that is in use is tried again while earlier processes give it up.
const BIND_RETRIES: u32 = 200;
/// How long to wait before each try.
const BIND_PAUSE: Duration = Duration::from_millis(10);

/// Sentences that say why a start failed.
type Fault = Vec<String>;

/// Serves alone until told to end.
pub fn alone(loaded: Loaded, options: &Options, console: &Console) -> End {
    finish(born_alone(loaded.site, options, console), console)
}

/// Serves as a worker; one that was executed first takes the sockets that its master holds.
pub fn worker(
    loaded: Loaded,
    options: &Options,
    console: &Console,
    of: Link,
    executed: bool,
) -> End {
    finish(born_worker(loaded, options, console, of, executed), console)
}

/// Lives as a master; in its first worker, lives as that.
pub fn master(loaded: Loaded, options: &Options, console: &Console, again: Again) -> End {
    match born_master(&loaded, options, console, again) {
        Ok(Mastery::Parent(end)) => end,
        Ok(Mastery::Worker(link)) => worker(loaded, options, console, link, false),
        Ok(Mastery::Master(mut master, published)) => {
            drop(loaded);
            if let Err(end) = master.await_first() {
                return end;
            }
            published.announce(&mut master, console);
            master.live()
        }
        Err(sentences) => fail(&sentences, console),
    }
}

/// Which process goes on after a birth.
enum Born {
    /// The one that goes back to the shell.
    Parent(End),
    /// The one that serves.
    Serving(Box<Serving>),
}

fn born_alone(mut site: Site, options: &Options, console: &Console) -> Result<Born, Fault> {
    let daemon = site.global.daemon;
    let former = survey(&site, options, console);
    let held = notify::activated(process::pid());
    let (bound, heritage) = sockets(&mut site, options, held, &former, console)?;
    let mut pidfile = open_pidfile(&site, daemon)?;
    let nowhere = open_nowhere(daemon)?;
    let notifier = open_notifier(options, console);
    let at_once = options.old.as_ref().is_some_and(|old| old.at_once);
    let mut starting = Starting::unwatched();
    if daemon {
        match daemon::fork().map_err(|e| cannot("fork", &e))? {
            Side::Parent(awaited) => {
                let pid = awaited.pid;
                return Ok(Born::Parent(see_off(awaited, || {
                    tell(&former, at_once, console);
                    write_pid(pidfile.as_mut(), pid, console);
                })));
            }
            Side::Child(child) => starting = child,
        }
        let _ = daemon::leave_terminal();
    }
    let mut serving = Serving::begin(site, bound, heritage, console)?;
    // A process that dies before this line has accepted nobody; behind it, the former ones need not serve any more.
    starting.ready();
    if let Some(nowhere) = nowhere {
        let _ = nowhere.take_standard();
    } else {
        tell(&former, at_once, console);
    }
    serving.open();
    serving.report_to(notifier);
    Ok(Born::Serving(Box::new(serving)))
}

fn born_worker(
    loaded: Loaded,
    options: &Options,
    console: &Console,
    link: Link,
    executed: bool,
) -> Result<Born, Fault> {
    let Loaded { mut site, env, .. } = loaded;
    let nowhere = open_nowhere(site.global.daemon)?;
    if executed && let Ok(bill) = Playbill::new(&site.programs, &env).written() {
        // A master that does not hear of them keeps those it has.
        let _ = link.send_programs(&bill);
    }
    let held = if executed {
        let taken = link.take_sockets();
        taken.map_err(|e| cannot("take the master's sockets", &e))?
    } else {
        notify::activated(process::parent_pid())
    };
    let (bound, heritage) = sockets(&mut site, options, held, &Survey::default(), console)?;
    let asked = || executed.then(|| link.ask_for_state()).flatten();
    let heritage = heritage.or_else(|| asked().and_then(Heritage::ask));
    let mut serving = Serving::begin(site, bound, heritage, console)?;
    console.end_copy();
    serving.obey(link);
    serving.open();
    if let Some(nowhere) = nowhere {
        let _ = nowhere.take_standard();
    }
    Ok(Born::Serving(Box::new(serving)))
}

/// Which process goes on after a master's birth.
enum Mastery<'c> {
    /// The one that goes back to the shell.
    Parent(End),
    /// The first worker.
    Worker(Link),
    /// The master, and whom to tell when its worker serves.
    Master(Box<Master<'c>>, Publication),
}

fn born_master<'c>(
    loaded: &Loaded,
    options: &Options,
    console: &'c Console,
    again: Again,
) -> Result<Mastery<'c>, Fault> {
    let site = &loaded.site;
    let daemon = site.global.daemon;
    let keepings = Keepings {
        bill: Playbill::new(&site.programs, &loaded.env),
        again,
        notifier: open_notifier(options, console),
        former: survey(site, options, console),
        at_once: options.old.as_ref().is_some_and(|old| old.at_once),
    };
    let pidfile = open_pidfile(site, true)?;
    let nowhere = open_nowhere(daemon)?;
    let window = Window::open(options).map_err(|sentence| vec![sentence])?;
    let mut starting = Starting::unwatched();
    if daemon {
        match daemon::fork().map_err(|e| cannot("fork", &e))? {
            Side::Parent(awaited) => return Ok(Mastery::Parent(see_off(awaited, || {}))),
            Side::Child(child) => starting = child,
        }
        let _ = daemon::leave_terminal();
    }
    match Master::begin(keepings, window, console).map_err(|e| cannot("start a worker", &e))? {
        Role::Worker(link) => Ok(Mastery::Worker(link)),
        Role::Master(master) => {
            let publication = Publication {
                pidfile,
                starting,
                nowhere,
            };
            Ok(Mastery::Master(master, publication))
        }
    }
}

/// Whom a master tells that its first worker serves.
struct Publication {
    pidfile: Option<PidFile>,
    starting: Starting,
    nowhere: Option<Nowhere>,
}

impl Publication {
    fn announce(mut self, master: &mut Master<'_>, console: &Console) {
        write_pid(self.pidfile.as_mut(), process::pid(), console);
        master.publish();
        self.starting.ready();
        if let Some(nowhere) = self.nowhere {
            let _ = nowhere.take_standard();
        }
    }
}

fn finish(born: Result<Born, Fault>, console: &Console) -> End {
    match born {
        Ok(Born::Serving(serving)) => serving.live(console),
        Ok(Born::Parent(end)) => end,
        Err(sentences) => fail(&sentences, console),
    }
}

fn fail(sentences: &[String], console: &Console) -> End {
    for sentence in sentences {
        console.alert(sentence);
    }
    End::FAILED
}

fn cannot(what: &str, error: &std::io::Error) -> Fault {
    vec![format!("[sluice.main()] Cannot {what}: {}.", text(error))]
}

fn survey(site: &Site, options: &Options, console: &Console) -> Survey {
    // A socket that was inherited is meant to be shared with whoever passed it on.
    let own = site.listeners.iter().filter(|l| l.fd.is_none());
    let addresses: Vec<SockAddr> = own.map(|l| l.endpoint.clone()).collect();
    let former = old::survey(options, &addresses);
    for notice in &former.notices {
        console.notice(notice);
    }
    for warning in &former.warnings {
        console.warning(warning);
    }
    former
}

/// Settles the limits and binds everything, with what another process passed.
fn sockets(
    site: &mut Site,
    options: &Options,
    mut held: Vec<Taken>,
    former: &Survey,
    console: &Console,
) -> Result<(Vec<Bound>, Option<Heritage>), Fault> {
    if site.listeners.is_empty() {
        return Err(vec![
            "[sluice.main()] No enabled listener found (check for 'bind' directives) ! Exiting."
                .into(),
        ]);
    }
    settle_limits(site, options, console).map_err(|sentence| vec![sentence])?;
    let taken = take_over(options, console).map_err(|sentence| vec![sentence])?;
    let heritage = taken.and_then(|(sockets, connection)| {
        held.extend(sockets);
        Heritage::ask(connection)
    });
    let bound = bind_patiently(&load::wishes(site, !options.no_reuseport), &held, former)?;
    Ok((bound, heritage))
}

fn settle_limits(site: &mut Site, options: &Options, console: &Console) -> Result<(), String> {
    let splice = site.splices();
    let clients = site.listeners.iter().any(|listener| listener.tls.is_some());
    let servers = site.servers.iter().any(|server| server.speaks_tls());
    let tls_sides = u64::from(clients) + u64::from(servers);
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
        tls_sides,
        buffer: global.tune.buffer_size,
        listeners: site.listeners.iter().map(|l| l.shards.max(1)).sum(),
        workers: global.threads,
        checked: 0,
        splice,
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
    match limits::apply(&plan, &asked) {
        Err((sentence, less)) if global.lenient_limits => {
            console.warning(&sentence);
            global.maxconn = global.maxconn.min(less.maxconn);
        }
        outcome => outcome.map_err(|(sentence, _)| sentence)?,
    }
    let maxconn = global.maxconn;
    site.settle_full_loads(maxconn);
    Ok(())
}

/// The sockets of the process behind `-x`.
fn take_over(
    options: &Options,
    console: &Console,
) -> Result<Option<(Vec<Taken>, OwnedFd)>, String> {
    let Some(path) = options
        .takeover
        .as_deref()
        .filter(|path| *path != "/dev/null")
    else {
        return Ok(None);
    };
    handover::take(path).map(Some).map_err(|error| {
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
fn open_pidfile(site: &Site, wanted: bool) -> Result<Option<PidFile>, Fault> {
    let Some(path) = site.global.pidfile.as_ref().filter(|_| wanted) else {
        return Ok(None);
    };
    let path = path.to_string_lossy();
    PidFile::open(&path).map(Some).map_err(|e| {
        let why = text(&e);
        vec![format!(
            "[sluice.main()] Cannot create pidfile {path} ({why})"
        )]
    })
}

fn open_nowhere(wanted: bool) -> Result<Option<Nowhere>, Fault> {
    wanted
        .then(Nowhere::open)
        .transpose()
        .map_err(|e| cannot("open /dev/null", &e))
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

/// What the parent does while its child starts; `serves` when it has.
fn see_off(awaited: Awaited, serves: impl FnOnce()) -> End {
    match awaited.wait() {
        Ok(Start::Ready) => {
            serves();
            End::DONE
        }
        Ok(Start::Ended(process::Exit::Status(status))) => {
            End::Status(u8::try_from(status).unwrap_or(1).max(1))
        }
        Ok(Start::Ended(process::Exit::Signal(_))) | Err(_) => End::FAILED,
    }
}

fn write_pid(file: Option<&mut PidFile>, pid: i32, console: &Console) {
    if let Some(Err(error)) = file.map(|file| file.write(&[pid])) {
        let why = text(&error);
        console.warning(&format!("[sluice.main()] Cannot write the pid file: {why}"));
    }
}

fn tell(former: &Survey, at_once: bool, console: &Console) {
    for failure in former.tell(at_once) {
        console.warning(&failure);
    }
}
