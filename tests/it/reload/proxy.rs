//! The program under test, started, reloaded and ended as an operator would.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::traffic;
use crate::program::{Scratch, await_within, free_ports};

/// How a reload is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A new process with `-x` and `-sf` and the right number.
    TakeOver,
    /// A new process with `-sf` and the right number.
    LastPid,
    /// A new process with `-sf` and a number that is nobody's.
    StalePid,
    /// A new process with `-sf` and no number.
    NoPid,
    /// SIGUSR2 to a master.
    Master,
}

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A directory, free ports and a configuration.
pub(crate) struct Bench {
    directory: Scratch,
    ports: [u16; 2],
    server: traffic::Server,
    shape: AtomicU32,
    /// More lines for the global section.
    global: RefCell<String>,
    /// More lines for the backend.
    backend: RefCell<String>,
    /// More sections.
    sections: RefCell<String>,
    /// More options, and variables of the environment.
    options: RefCell<Vec<String>>,
    environment: RefCell<Vec<(String, String)>>,
    /// Whether the generations to come listen on the second port too.
    both: Cell<bool>,
}

impl Bench {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            directory: Scratch::new(name),
            ports: free_ports(),
            server: traffic::Server::start(),
            shape: AtomicU32::new(2 << 8 | 1),
            global: RefCell::default(),
            backend: RefCell::default(),
            sections: RefCell::default(),
            options: RefCell::default(),
            environment: RefCell::default(),
            both: Cell::new(false),
        }
    }

    pub(crate) fn port(&self, index: usize) -> u16 {
        self.ports[index]
    }

    pub(crate) fn set_threads(&self, threads: u32, shards: u32) {
        self.shape.store(threads << 8 | shards, Ordering::Relaxed);
    }

    /// Has all generations to come listen on the second port too.
    pub(crate) fn listen_on_both(&self) {
        self.both.set(true);
    }

    /// Adds a line to the global section of all generations to come.
    pub(crate) fn add_global(&self, line: &str) {
        self.global.borrow_mut().push_str(line);
    }

    /// Adds a line to the backend of all generations to come.
    pub(crate) fn add_backend(&self, line: &str) {
        let mut lines = self.backend.borrow_mut();
        lines.push_str("    ");
        lines.push_str(line);
        lines.push('\n');
    }

    /// Has all processes to come started with an option.
    pub(crate) fn add_option(&self, option: &str) {
        self.options.borrow_mut().push(option.to_owned());
    }

    /// Has all processes to come see a variable.
    pub(crate) fn add_environment(&self, name: &str, value: &str) {
        let entry = (name.to_owned(), value.to_owned());
        self.environment.borrow_mut().push(entry);
    }

    /// Adds a section to all generations to come.
    pub(crate) fn add_section(&self, text: &str) {
        self.sections.borrow_mut().push_str(text);
    }

    /// Takes the sections that were added off all generations to come.
    pub(crate) fn drop_sections(&self) {
        self.sections.borrow_mut().clear();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Writes the configuration of one generation, which says its number in a header.
    fn write(&self, generation: u32, broken: bool) {
        let shape = self.shape.load(Ordering::Relaxed);
        let (threads, shards) = (shape >> 8, shape & 0xff);
        let stats = self.path("stats.sock");
        let text = format!(
            "global\n    {}\n    nbthread {threads}\n    maxconn 2000\n    hard-stop-after 20s\n    \
             stats socket {} level admin expose-fd listeners\n\
             defaults\n    mode http\n    timeout connect 5s\n    timeout client 20s\n    \
             timeout server 20s\n    timeout http-keep-alive 20s\n\
             frontend f{generation}\n    bind 127.0.0.1:{} shards {shards}\n{}    default_backend b\n\
             backend b\n    option forwardfor header x-generation-{generation}\n    server s 127.0.0.1:{}\n{}{}{}",
            self.global.borrow(),
            stats.display(),
            self.ports[0],
            match self.both.get() {
                true => format!("    bind 127.0.0.1:{}\n", self.ports[1]),
                false => String::new(),
            },
            self.server.port(),
            self.backend.borrow(),
            self.sections.borrow(),
            if broken {
                "    this is no keyword\n"
            } else {
                ""
            },
        );
        fs::write(self.path("t.cfg"), text).expect("a writable directory");
    }

    fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.path("log"));
        command
            .args(self.options.borrow().iter())
            .envs(self.environment.borrow().iter().cloned())
            .arg("-f")
            .arg(self.path("t.cfg"))
            .stdout(Stdio::null())
            .stderr(log.expect("a writable directory"));
        command
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

/// A running program: its current process and those that should be leaving.
pub(crate) struct Running<'b> {
    bench: &'b Bench,
    style: Style,
    current: Child,
    former: Vec<Child>,
    generation: u32,
    program: PathBuf,
    /// Requests that were answered to learn the generation.
    asked: Cell<u64>,
}

impl<'b> Running<'b> {
    pub(crate) fn start(bench: &'b Bench, style: Style) -> Self {
        Self::start_as(bench, style, &crate::program::path())
    }

    /// Starts another program.
    pub(crate) fn start_as(bench: &'b Bench, style: Style, program: &Path) -> Self {
        bench.write(1, false);
        let program = program.to_owned();
        let mut command = bench.program(&program);
        if style == Style::Master {
            command.arg("-W").arg("-S").arg(bench.path("master.sock"));
        }
        let current = command.spawn().expect("the program starts");
        let running = Self {
            bench,
            style,
            current,
            former: Vec::new(),
            generation: 1,
            program,
            asked: Cell::new(0),
        };
        running.await_generation();
        running
    }

    pub(crate) fn restyle(&mut self, style: Style) {
        self.style = style;
    }

    /// Reloads with another program from here on.
    pub(crate) fn become_program(&mut self, path: impl Into<PathBuf>) {
        self.program = path.into();
    }

    /// Asks a master for a reload and does not wait for it.
    pub(crate) fn ask(&mut self, broken: bool) {
        self.generation += 1;
        self.bench.write(self.generation, broken);
        kill(self.current.id(), "USR2");
    }

    /// How many workers a master has.
    pub(crate) fn workers(&self) -> usize {
        self.worker_numbers().len()
    }

    /// A master's workers.
    pub(crate) fn worker_numbers(&self) -> Vec<u32> {
        children(self.current.id())
    }

    /// Waits until a master has one worker.
    pub(crate) fn settle(&self) {
        await_that("one worker is left", || self.workers() == 1);
    }

    /// How many former processes have not left.
    pub(crate) fn left(&mut self) -> usize {
        let lives = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        self.former
            .iter_mut()
            .filter_map(|child| lives(child).then_some(()))
            .count()
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Reloads and waits until the new generation answers.
    pub(crate) fn reload(&mut self) {
        self.generation += 1;
        self.bench.write(self.generation, false);
        if self.style == Style::Master {
            kill(self.current.id(), "USR2");
        } else {
            let child = self.start_beside(self.style);
            self.former
                .push(std::mem::replace(&mut self.current, child));
        }
        self.await_generation();
    }

    fn start_beside(&self, style: Style) -> Child {
        let mut command = self.bench.program(&self.program);
        if self.program.ends_with("haproxy") {
            command.arg("-db");
        }
        if style == Style::TakeOver {
            command.arg("-x").arg(self.bench.path("stats.sock"));
        }
        command.arg("-sf");
        match style {
            Style::StalePid => command.arg("1073741823"),
            Style::NoPid | Style::Master => &mut command,
            Style::TakeOver | Style::LastPid => command.arg(self.current.id().to_string()),
        };
        command.spawn().expect("the program starts")
    }

    /// Starts the next generation, which `wrapper` has in its hands, and waits until it has ended.
    pub(crate) fn start_doomed(&mut self, wrapper: &[&str]) {
        self.bench.write(self.generation + 1, false);
        let program = self.bench.program(&self.program);
        let mut command = Command::new(wrapper[0]);
        command
            .args(&wrapper[1..])
            .arg(program.get_program())
            .args(program.get_args())
            .arg("-x")
            .arg(self.bench.path("stats.sock"))
            .arg("-sf")
            .arg(self.current.id().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the wrapper starts");
        await_that("the doomed process ends", || {
            child.try_wait().expect("our own child").is_some()
        });
    }

    /// Tries a configuration that is wrong; the present one has to go on.
    pub(crate) fn reload_broken(&mut self) {
        self.bench.write(self.generation + 1, true);
        if self.style == Style::Master {
            kill(self.current.id(), "USR2");
            let told = || self.bench.log().contains("failed to start");
            await_that("the master says that the worker failed", told);
        } else {
            let mut child = self.start_beside(self.style);
            let status = child.wait().expect("our own child");
            assert_eq!(status.code(), Some(1));
        }
    }

    /// The number of the process that was started.
    pub(crate) fn pid(&self) -> u32 {
        self.current.id()
    }

    /// Writes the next generation, right or wrong, and leaves the reload to the caller.
    pub(crate) fn prepare(&mut self, broken: bool) {
        if !broken {
            self.generation += 1;
        }
        self.bench.write(self.generation, broken);
    }

    fn await_generation(&self) {
        let port = self.bench.port(0);
        let what = format!(
            "generation {} answers; {}",
            self.generation,
            self.bench.log()
        );
        let mut asked = Instant::now();
        await_that(&what, || {
            // haproxy's master loses a signal that comes while it executes itself again.
            let deaf = self.program.ends_with("haproxy") && self.style == Style::Master;
            if deaf && asked.elapsed() > PATIENCE / 10 {
                kill(self.current.id(), "USR2");
                asked = Instant::now();
            }
            let found = traffic::generation(port);
            self.asked.set(self.asked.get() + u64::from(found.is_ok()));
            found == Ok(self.generation)
        });
    }

    /// Requests that were answered to learn the generation.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.get()
    }

    pub(crate) fn kill_worker(&self) {
        let worker = children(self.current.id());
        assert_eq!(worker.len(), 1, "one worker serves");
        kill(worker[0], "KILL");
        await_that("another worker", || {
            let now = children(self.current.id());
            now.len() == 1 && now != worker
        });
    }

    /// Waits until no former process is left, without telling any of them again.
    pub(crate) fn assert_alone(&mut self) {
        for mut child in self.former.drain(..) {
            let pid = child.id();
            await_that(&format!("process {pid} leaves"), || {
                child.try_wait().expect("our own child").is_some()
            });
        }
    }

    /// Ends everything; former processes must go by themselves.
    pub(crate) fn end(mut self) {
        self.assert_alone();
        kill(self.current.id(), "USR1");
        let current = &mut self.current;
        await_that("the last process leaves", || {
            current.try_wait().expect("our own child").is_some()
        });
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        for child in self.former.iter_mut().chain([&mut self.current]) {
            for pid in children(child.id()) {
                kill(pid, "KILL");
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a socket of commands answers to `text`, after which nothing more is said.
pub(crate) fn ask(path: &Path, text: &str) -> String {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(text.as_bytes()).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

pub(crate) fn await_that(what: &str, it: impl FnMut() -> bool) {
    await_within(PATIENCE, what, it);
}

pub(crate) fn kill_process(pid: u32, signal: &str) {
    kill(pid, signal);
}

fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(pid.to_string())
        .status();
}

/// The direct children of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect()
}
