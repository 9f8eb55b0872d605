//! The programs that a master runs beside its workers (`program` sections).
//!
//! The master starts them with its first worker. At a reload the new worker tells it what the configuration says of them
//! ([`Playbill`], over a nameless file); when that worker serves, the former programs get SIGUSR1, except those that are to stay, and
//! the new ones start. A configuration that fails changes nothing. A program that fails is started again after a pause, as a
//! worker is; one that ends well stays away until the next reload. They hold none of the master's descriptors but the standard ones.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::console::Console;
use super::privileges::text;
use crate::lang::Env;
use crate::site::Program;
use crate::sys::process::{self, Exit, Fork};
use crate::sys::signal::{self, Blocked};
use crate::sys::{clock, io as bytes, socket};

/// How long to wait before a program that failed is started again, in milliseconds.
const PAUSE: u64 = 1_000;
/// A longer list is not read.
const LIST_MAX: usize = 4 << 20;
/// Where programs are looked for without a PATH.
const USUAL_PATH: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// What a configuration says of programs, and the environment it leaves them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Playbill {
    programs: Vec<Program>,
    /// `NAME=value` each.
    env: Vec<Vec<u8>>,
}

impl Playbill {
    /// Of a configuration that was read.
    pub fn new(programs: &[Program], env: &Env) -> Self {
        let joined = |(name, value): (&str, &[u8])| [name.as_bytes(), b"=", value].concat();
        let own = |(name, _): &(&str, &[u8])| *name != super::link::VARIABLE;
        Self {
            programs: programs.to_vec(),
            env: env.iter().filter(own).map(joined).collect(),
        }
    }

    /// As a file to pass on: words behind their lengths.
    pub fn written(&self) -> io::Result<OwnedFd> {
        let mut out = Vec::new();
        push(&mut out, &number(self.programs.len()));
        for program in &self.programs {
            let id = |id: Option<u32>| id.map_or_else(String::new, |id| id.to_string());
            push(&mut out, program.name.as_bytes());
            push(&mut out, id(program.uid).as_bytes());
            push(&mut out, id(program.gid).as_bytes());
            push(&mut out, if program.stays { b"stays" } else { b"" });
            push(&mut out, &number(program.command.len()));
            program
                .command
                .iter()
                .for_each(|word| push(&mut out, word.as_bytes()));
        }
        push(&mut out, &number(self.env.len()));
        self.env.iter().for_each(|entry| push(&mut out, entry));
        let file = bytes::nameless_file()?;
        bytes::write_all(&file, &out)?;
        Ok(file)
    }

    /// Reads such a file; nothing where it is cut short.
    pub fn read(file: &OwnedFd) -> Option<Self> {
        let mut whole = vec![0; LIST_MAX];
        let len = bytes::read_at(file, &mut whole, 0).ok()?;
        whole.truncate(len);
        let mut rest = &whole[..];
        let mut bill = Self::default();
        for _ in 0..count(&mut rest)? {
            let name = string(&mut rest)?;
            let (uid, gid) = (string(&mut rest)?, string(&mut rest)?);
            let stays = !string(&mut rest)?.is_empty();
            let words = count(&mut rest)?;
            bill.programs.push(Program {
                name,
                uid: uid.parse().ok(),
                gid: gid.parse().ok(),
                stays,
                command: (0..words)
                    .map(|_| string(&mut rest))
                    .collect::<Option<_>>()?,
            });
        }
        for _ in 0..count(&mut rest)? {
            bill.env.push(pull(&mut rest)?.to_vec());
        }
        Some(bill)
    }

    /// What is asked of the program called `name`.
    fn of(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.name == name)
    }
}

fn number(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn push(out: &mut Vec<u8>, word: &[u8]) {
    let len = u32::try_from(word.len()).unwrap_or(0);
    out.extend_from_slice(&len.to_ne_bytes());
    out.extend_from_slice(&word[..len as usize]);
}

fn pull<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    let (word, after) = after.split_at_checked(u32::from_ne_bytes(*len) as usize)?;
    *rest = after;
    Some(word)
}

fn string(rest: &mut &[u8]) -> Option<String> {
    pull(rest).map(|word| String::from_utf8_lossy(word).into_owned())
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    string(rest)?.parse().ok()
}

/// A program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// When it was started, in milliseconds.
    pub born: u64,
    /// Reloads since.
    pub reloads: u32,
    /// Whether it was told to go.
    pub leaves: bool,
}

/// All that a master runs.
#[derive(Debug, Default)]
pub struct Programs {
    bill: Playbill,
    running: Vec<Running>,
    /// Those to be started again, and when.
    due: Vec<(u64, String)>,
}

impl Programs {
    /// Starts what `bill` lists and does not run yet, in place of what an earlier one had listed.
    pub fn follow(&mut self, bill: Playbill, is_reload: bool, console: &Console) {
        self.due.clear();
        for running in self.running.iter_mut().filter(|_| is_reload) {
            running.reloads += 1;
        }
        for running in self.running.iter_mut().filter(|running| !running.leaves) {
            let stays = match bill.of(&running.name) {
                Some(wanted) => wanted.stays || !is_reload,
                None => false,
            };
            if !stays {
                running.leaves = true;
                let _ = process::kill(running.pid, signal::SIGUSR1);
            }
        }
        self.bill = bill;
        for program in self.bill.programs.clone() {
            if !self.runs(&program.name) {
                self.start(&program, console);
            }
        }
    }

    fn runs(&self, name: &str) -> bool {
        let mut running = self.running.iter().filter(|running| !running.leaves);
        running.any(|running| running.name == name)
    }

    fn start(&mut self, program: &Program, console: &Console) {
        let blocked = Blocked::all();
        match process::fork() {
            Ok(Fork::Child) => {
                let sentence = become_it(program, &self.bill.env);
                console.alert(&sentence);
                process::end_now(1);
            }
            Ok(Fork::Parent { child }) => {
                drop(blocked);
                let name = program.name.clone();
                console.notice(&format!("New program '{name}' ({child}) forked"));
                self.running.push(Running {
                    pid: child,
                    name,
                    born: clock::monotonic_ms(),
                    reloads: 0,
                    leaves: false,
                });
            }
            Err(error) => {
                let why = text(&error);
                console.alert(&format!("Cannot fork program '{}': {why}.", program.name));
                self.start_later(program.name.clone());
            }
        }
    }

    fn start_later(&mut self, name: String) {
        self.due.push((clock::monotonic_ms() + PAUSE, name));
    }

    /// A process ended: whether it was a program's.
    pub fn ended(&mut self, pid: i32, exit: Exit, console: &Console) -> bool {
        let Some(at) = self.running.iter().position(|running| running.pid == pid) else {
            return false;
        };
        let Running { name, leaves, .. } = self.running.remove(at);
        let how = match exit {
            Exit::Status(status) => format!("code {status} (Exit)"),
            Exit::Signal(number) => format!("code {} ({})", 128 + number, signal::name(number)),
        };
        if leaves {
            console.notice(&format!(
                "Former program '{name}' ({pid}) exited with {how}"
            ));
            return true;
        }
        console.alert(&format!(
            "Current program '{name}' ({pid}) exited with {how}"
        ));
        let orderly = matches!(
            exit,
            Exit::Status(0) | Exit::Signal(signal::SIGTERM | signal::SIGINT)
        );
        if !orderly {
            self.start_later(name);
        }
        true
    }

    /// Starts again what failed a while ago.
    pub fn start_what_is_due(&mut self, console: &Console) {
        let now = clock::monotonic_ms();
        let (due, later) = self.due.drain(..).partition(|(at, _)| *at <= now);
        self.due = later;
        let due: Vec<(u64, String)> = due;
        for (_, name) in due {
            if let Some(program) = self.bill.of(&name).cloned().filter(|_| !self.runs(&name)) {
                self.start(&program, console);
            }
        }
    }

    /// When something is due next.
    pub fn next(&self) -> Option<u64> {
        self.due.iter().map(|(at, _)| *at).min()
    }

    /// Passes a signal on to all of them, after which none is started any more.
    pub fn dismiss(&mut self, number: i32) {
        self.due.clear();
        self.bill = Playbill::default();
        for running in &mut self.running {
            running.leaves = true;
            let _ = process::kill(running.pid, number);
        }
    }

    /// Those that run.
    pub fn all(&self) -> &[Running] {
        &self.running
    }
}

/// Becomes the program; says why not.
fn become_it(program: &Program, env: &[Vec<u8>]) -> String {
    for descriptor in descriptors() {
        socket::close_number(descriptor);
    }
    signal::set_default(signal::SIGPIPE);
    signal::unblock_all();
    let name = &program.command[0];
    if let Some(gid) = program.gid {
        // Without the right to leave them the groups stay; the change of group then fails too.
        let _ = process::set_groups(&[]);
        if let Err(error) = process::set_gid(gid) {
            return format!("[{name}.main()] Cannot set gid {gid}: {}.", text(&error));
        }
    }
    if let Some(uid) = program.uid
        && let Err(error) = process::set_uid(uid)
    {
        return format!("[{name}.main()] Cannot set uid {uid}: {}.", text(&error));
    }
    let words = program.command.iter().map(|word| word.as_bytes().to_vec());
    let args: Vec<CString> = words.filter_map(|word| CString::new(word).ok()).collect();
    let env: Vec<CString> = env
        .iter()
        .filter_map(|entry| CString::new(entry.clone()).ok())
        .collect();
    let mut why = io::Error::from(io::ErrorKind::NotFound);
    for path in candidates(name, &env) {
        let error = process::exec(&path, &args, &env);
        if error.kind() != io::ErrorKind::NotFound {
            why = error;
        }
    }
    format!("Cannot execute {name}: {}", text(&why))
}

/// The files that a command may mean: itself where it names a directory, else those of that name along PATH.
fn candidates(name: &str, env: &[CString]) -> Vec<CString> {
    let found = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok();
    if name.contains('/') {
        return found(Path::new(name)).into_iter().collect();
    }
    let mut set = env
        .iter()
        .filter_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
    let path = set.next().unwrap_or(USUAL_PATH);
    let directories = path.split(|byte| *byte == b':');
    let directories = directories.map(|directory| Path::new(OsStr::from_bytes(directory)));
    directories
        .filter_map(|directory| found(&directory.join(name)))
        .collect()
}

/// All open descriptors but the standard ones.
fn descriptors() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| *number > 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &str) -> Program {
        Program {
            name: name.to_owned(),
            command: vec!["sleep".to_owned(), "10 m".to_owned(), String::new()],
            uid: Some(7),
            gid: None,
            stays: name == "b",
        }
    }

    #[test]
    fn a_playbill_crosses_as_it_is() {
        let mut env = Env::default();
        env.set("A", "b=c\nd");
        env.set(super::super::link::VARIABLE, "3,4");
        let bill = Playbill::new(&[program("a"), program("b")], &env);
        assert_eq!(bill.env, [b"A=b=c\nd".to_vec()]);
        let file = bill.written().expect("a nameless file");
        assert_eq!(Playbill::read(&file), Some(bill));
        let cut = bytes::nameless_file().expect("a nameless file");
        bytes::write_all(&cut, &[1, 0, 0, 0, b'2']).expect("room");
        assert_eq!(Playbill::read(&cut), None);
    }

    #[test]
    fn commands_are_looked_up_like_a_shell_does() {
        let env = [c"X=1".to_owned(), c"PATH=/a:/b".to_owned()];
        assert_eq!(
            candidates("ls", &env),
            [c"/a/ls".to_owned(), c"/b/ls".to_owned()]
        );
        assert_eq!(candidates("./ls", &env), [c"./ls".to_owned()]);
        assert_eq!(candidates("ls", &[]).len(), 3);
    }

    #[test]
    fn one_that_fails_is_due_again_and_one_that_is_done_is_not() {
        let console = Console::new(true);
        let mut programs = Programs {
            bill: Playbill::new(&[program("a"), program("b")], &Env::default()),
            ..Programs::default()
        };
        let running = |name: &str, pid| Running {
            pid,
            name: name.to_owned(),
            born: 0,
            reloads: 0,
            leaves: false,
        };
        programs.running = vec![running("a", 0x3fff_fff0), running("b", 0x3fff_fff1)];
        assert!(programs.ended(0x3fff_fff0, Exit::Status(3), &console));
        assert!(programs.next().is_some());
        assert!(programs.ended(0x3fff_fff1, Exit::Status(0), &console));
        assert_eq!(programs.due.len(), 1);
        assert!(!programs.ended(0x3fff_fff1, Exit::Status(0), &console));
        programs.dismiss(signal::SIGTERM);
        assert_eq!(programs.next(), None);
    }
}
