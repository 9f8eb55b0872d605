//! Earlier processes: who they are, and telling them to go.
//!
//! Scripts pass numbers that are stale, foreign or incomplete. A number that was passed is signalled only while it
//! belongs to a proxy; beyond those, every process of this program that serves one of our addresses or was started
//! for the same configuration is an earlier generation and is told too. Everything is read from `/proc`; where that is not
//! readable, passed numbers are signalled as they are and nothing else is found.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::addr::SockAddr;
use crate::sys::{process, signal};

use super::args::{self, Command, Old, Options};
use super::listening::listening_on;

/// A process that is to go.
#[derive(Debug)]
pub struct Former {
    /// Its number.
    pub pid: i32,
    /// Keeps the number from meaning another process later.
    watched: Option<OwnedFd>,
}

/// What is known before anybody is told.
#[derive(Debug, Default)]
pub struct Survey {
    /// Processes to tell.
    pub former: Vec<Former>,
    /// Sentences for the operator.
    pub warnings: Vec<String>,
    /// Sentences that only inform.
    pub notices: Vec<String>,
}

/// Names under which proxies of our kind run.
const PROXIES: [&str; 2] = ["sluice", "haproxy"];
/// More processes than are looked at.
const PROCESSES_MAX: usize = 100_000;

/// Finds whom `-sf` and `-st` mean: those named, and unless `leave_others` is set, those that were forgotten.
pub fn survey(options: &Options, addresses: &[SockAddr]) -> Survey {
    let mut survey = Survey::default();
    let own = process::pid();
    let mut known = BTreeSet::from([own]);
    let Some(old) = &options.old else {
        note_others(&mut survey, addresses, own);
        return survey;
    };
    for &pid in &old.pids {
        if pid > 0 && known.insert(pid) {
            name(&mut survey, old, pid);
        }
    }
    if !options.leave_others {
        let family = Family::of(options, addresses);
        for pid in processes().filter(|pid| !known.contains(pid)) {
            if family.has(pid) {
                survey.former.extend(Former::watch(pid));
            }
        }
    }
    survey
}

fn name(survey: &mut Survey, old: &Old, pid: i32) {
    let option = if old.at_once { "-st" } else { "-sf" };
    match program(pid) {
        Some(program) if !is_proxy(&program) => survey.warnings.push(format!(
            "{option} option: process {pid} is '{program}', not a proxy; it is left alone."
        )),
        _ => survey.former.extend(Former::watch(pid)),
    }
}

impl Former {
    fn watch(pid: i32) -> Option<Self> {
        process::exists(pid).then(|| Self {
            pid,
            watched: process::watch(pid).ok(),
        })
    }

    /// Sends a signal to exactly this process.
    pub fn signal(&self, number: i32) -> std::io::Result<()> {
        match &self.watched {
            Some(watched) => process::kill_watched(watched, number),
            None => process::kill(self.pid, number),
        }
    }
}

impl Survey {
    /// Tells everybody to end: at once, or when their work is done. Answers what could not be told.
    pub fn tell(&self, at_once: bool) -> Vec<String> {
        let number = if at_once {
            signal::SIGTERM
        } else {
            signal::SIGUSR1
        };
        self.send(number)
    }

    /// Asks everybody to stop listening for a moment, so that an address that is not shared becomes free.
    pub fn pause(&self) {
        self.send(signal::SIGTTOU);
    }

    /// Asks everybody to listen again.
    pub fn resume(&self) {
        self.send(signal::SIGTTIN);
    }

    fn send(&self, number: i32) -> Vec<String> {
        let sent = self
            .former
            .iter()
            .map(|former| (former.pid, former.signal(number)));
        sent.filter_map(|(pid, result)| {
            let error = result.err()?;
            // A process that is gone has done what it was asked for.
            (error.raw_os_error() != Some(libc_esrch())).then(|| {
                let why = super::privileges::text(&error);
                format!(
                    "process {pid} could not be sent SIG{}: {why}.",
                    signal::name(number)
                )
            })
        })
        .collect()
    }
}

fn libc_esrch() -> i32 {
    rustix::io::Errno::SRCH.raw_os_error()
}

/// What makes a process an earlier generation of this one.
struct Family {
    program: Option<PathBuf>,
    files: Vec<PathBuf>,
    sockets: BTreeSet<u64>,
}

impl Family {
    fn of(options: &Options, addresses: &[SockAddr]) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self {
            program: executable(process::pid()),
            files: resolved(options, &here),
            sockets: listening_on(addresses),
        }
    }

    fn has(&self, pid: i32) -> bool {
        let same_program = self.program.is_some() && executable(pid) == self.program;
        same_program
            && process::parent_pid() != pid
            && (holds_any(pid, &self.sockets) || self.same_files(pid))
    }

    fn same_files(&self, pid: i32) -> bool {
        let Ok(raw) = fs::read(format!("/proc/{pid}/cmdline")) else {
            return false;
        };
        let words: Vec<String> = raw
            .split(|b| *b == 0)
            .filter(|word| !word.is_empty())
            .skip(1)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let here = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let Command::Run(theirs) = args::parse(&words) else {
            return false;
        };
        let files = resolved(&theirs, &here);
        !theirs.check && !files.is_empty() && files == self.files
    }
}

/// The configuration files as absolute paths.
fn resolved(options: &Options, here: &Path) -> Vec<PathBuf> {
    let base = options
        .directory
        .as_ref()
        .map_or_else(|| here.to_owned(), |d| here.join(d));
    options.files.iter().map(|file| base.join(file)).collect()
}

/// Names proxies that listen on our addresses although nobody said that we take their place. Whoever else holds such a socket
/// (a launcher, a child that inherited it) accepts nobody.
fn note_others(survey: &mut Survey, addresses: &[SockAddr], own: i32) {
    let sockets = listening_on(addresses);
    if sockets.is_empty() {
        return;
    }
    for pid in processes().filter(|pid| *pid != own && *pid != process::parent_pid()) {
        let Some(program) = program(pid).filter(|program| is_proxy(program)) else {
            continue;
        };
        if holds_any(pid, &sockets) {
            survey.notices.push(format!(
                "process {pid} ('{program}') listens on an address of this configuration too and will get a share of its connections; -sf {pid} would take its place."
            ));
        }
    }
}

fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .take(PROCESSES_MAX)
}

/// The name a process shows, none where `/proc` does not tell.
fn program(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

fn is_proxy(program: &str) -> bool {
    PROXIES.contains(&program) || self::program(process::pid()).as_deref() == Some(program)
}

/// The file a process runs, also when it was replaced since.
fn executable(pid: i32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = path.to_string_lossy();
    Some(PathBuf::from(
        text.strip_suffix(" (deleted)").unwrap_or(&text),
    ))
}

fn holds_any(pid: i32, sockets: &BTreeSet<u64>) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    !sockets.is_empty()
        && entries.flatten().any(|entry| {
            fs::read_link(entry.path())
                .ok()
                .and_then(|link| socket_number(&link.to_string_lossy()))
                .is_some_and(|number| sockets.contains(&number))
        })
}

/// `socket:[123]` names socket 123.
fn socket_number(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::socket;

    fn options(line: &str) -> Options {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let command = args::parse(&words);
        let Command::Run(options) = command else {
            panic!("{command:?}")
        };
        *options
    }

    #[test]
    fn our_own_listener_is_found_and_it_is_ours() {
        let any = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
        let fd = socket::socket(socket::Family::V4, socket::Kind::Stream).expect("a socket");
        socket::bind(&fd, &any.into()).expect("a port");
        socket::listen(&fd, 4).expect("listening");
        let addr = SockAddr::from_raw(socket::local_addr(&fd).ok());
        let sockets = listening_on(&[addr]);
        assert_eq!(sockets.len(), 1);
        assert!(holds_any(process::pid(), &sockets));
        assert!(!holds_any(process::pid(), &BTreeSet::new()));
    }

    #[test]
    fn numbers_of_strangers_duplicates_and_the_dead_are_passed_over() {
        let mut stranger = std::process::Command::new("sleep")
            .arg("30")
            .spawn()
            .unwrap();
        let pid = stranger.id();
        // Between its start and its own name a child bears the name of this thread.
        while fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() != "sleep\n" {
            std::thread::yield_now();
        }
        let own = process::pid();
        let line = format!("-f /no/such/t.cfg -sf {pid} {pid} {own} 1073741823");
        let survey = survey(&options(&line), &[]);
        assert!(survey.former.is_empty(), "{survey:?}");
        assert_eq!(survey.warnings.len(), 1);
        assert!(survey.warnings[0].contains("'sleep', not a proxy"));
        assert!(survey.tell(false).is_empty());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn files_are_compared_where_they_lie() {
        let here = Path::new("/work");
        assert_eq!(
            resolved(&options("-f a.cfg -C etc"), here),
            [Path::new("/work/etc/a.cfg")]
        );
        assert_eq!(
            resolved(&options("-f /x/a.cfg"), here),
            [Path::new("/x/a.cfg")]
        );
    }
}
