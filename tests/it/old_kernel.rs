//! Kernels that lack what later ones have: strace answers "no such call" in the kernel's place.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{self, Process, await_within, free_port};

const STRACE: &str = "/usr/bin/strace";
const PATIENCE: Duration = Duration::from_secs(15);

/// What Linux got after 3.10 that a program of our kind, its libraries or its runtime might call. strace passes over those that
/// it does not know itself.
const SINCE_3_10: &str = "?sched_setattr,?sched_getattr,?renameat2,?seccomp,?getrandom,?memfd_create,?bpf,?execveat,\
    ?membarrier,?mlock2,?copy_file_range,?preadv2,?pwritev2,?statx,?io_pgetevents,?rseq,?pidfd_send_signal,?io_uring_setup,\
    ?io_uring_enter,?io_uring_register,?clone3,?close_range,?openat2,?pidfd_open,?pidfd_getfd,?faccessat2,?process_madvise,\
    ?epoll_pwait2,?landlock_create_ruleset,?landlock_add_rule,?landlock_restrict_self";

/// A folder with a site without servers; the process that wrote its number down in it goes with it.
struct Scratch(program::Scratch);

impl Scratch {
    fn new(name: &str, port: u16) -> Self {
        let folder = program::Scratch::new(name);
        let site = format!(
            "defaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n\
             frontend f\n    bind 127.0.0.1:{port}\n    http-request return status 200 content-type text/plain string here\n"
        );
        folder.write("t.cfg", &site);
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name)
    }

    /// The program under a kernel that lacks `calls`.
    fn start(&self, calls: &str, options: &[&str]) -> Process {
        let mut command = Command::new(STRACE);
        command
            .args(["-f", "-qq", "-o", &self.path("log")])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error=ENOSYS")])
            .arg(program::path())
            .args(["-f", &self.path("t.cfg"), "-p", &self.path("pid")])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Process::start(&mut command)
    }

    /// The process that wrote its number down.
    fn pid(&self) -> String {
        let text = fs::read_to_string(self.path("pid")).unwrap_or_default();
        text.trim().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        signal(&self.pid(), "KILL");
    }
}

fn signal(pid: &str, name: &str) {
    if !pid.is_empty() {
        let _ = Command::new("kill")
            .args([&format!("-{name}"), pid])
            .status();
    }
}

fn await_that(what: &str, it: impl FnMut() -> bool) {
    await_within(PATIENCE, what, it);
}

fn answers(port: u16) -> bool {
    let url = format!("http://127.0.0.1:{port}/");
    let curl = Command::new("curl").args(["-sS", "-m", "5", &url]).output();
    curl.is_ok_and(|output| output.stdout == b"here")
}

fn children(pid: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
}

#[test]
fn nothing_later_than_linux_3_10_is_needed() {
    if !Path::new(STRACE).exists() {
        return;
    }
    let port = free_port();
    let scratch = Scratch::new("old", port);
    let mut traced = scratch.start(SINCE_3_10, &["-W", "-db"]);
    await_that("it serves", || answers(port));
    let log = fs::read_to_string(scratch.path("log")).unwrap_or_default();
    assert!(log.contains("(INJECTED)"), "the calls are refused: {log}");

    // The worker serves before the master has written its number down.
    await_that("the pid file", || !scratch.pid().is_empty());
    let (master, former) = (scratch.pid(), children(&scratch.pid()));
    signal(&master, "USR2");
    await_that("another worker serves", || {
        let workers = children(&master);
        let fresh = |worker: &str| !former.split_whitespace().any(|old| old == worker);
        workers.split_whitespace().any(fresh) && !workers.contains(former.trim())
    });
    assert!(answers(port), "after a reload");
    signal(&master, "TERM");
    await_that("it ends", || matches!(traced.try_wait(), Ok(Some(_))));
}

#[test]
fn what_a_kernel_lacks_is_named() {
    if !Path::new(STRACE).exists() {
        return;
    }
    let port = free_port();
    let scratch = Scratch::new("older", port);
    let mut traced = scratch.start("epoll_create1,accept4", &["-db"]);
    let mut text = String::new();
    let said = traced.stderr.as_mut().expect("piped");
    said.read_to_string(&mut text).expect("text");
    let status = traced.wait().expect("our own child");
    assert_eq!(status.code(), Some(1), "{text}");
    let named = "epoll_create1 (Linux 2.6.27), accept4 (Linux 2.6.28)";
    assert!(text.contains(named) && text.contains("3.10"), "{text}");
}
