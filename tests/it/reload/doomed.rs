//! New processes that are killed at a named step of the hand-over: whoever served goes on as if nothing had happened.
//!
//! strace kills the new process when it enters the system call that begins a step.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::PAUSE;
use super::proxy::{Bench, Running, Style, await_that, kill_process};
use super::traffic::{self, Rush};

const STRACE: &str = "/usr/bin/strace";

/// A step, and how strace is told where it begins.
const STEPS: &[(&str, &str)] = &[
    ("the configuration is read", "/^open:signal=KILL:when=1"),
    (
        "the former process is found",
        "pidfd_open:signal=KILL:when=1",
    ),
    ("the former process is asked", "connect:signal=KILL:when=1"),
    ("the sockets come", "recvmsg:signal=KILL:when=1"),
    ("the sockets are acknowledged", "sendto:signal=KILL:when=2"),
    ("the state is asked for", "sendto:signal=KILL:when=3"),
    ("the first socket listens", "listen:signal=KILL:when=1"),
    ("the last socket listens", "listen:signal=KILL:when=2"),
    ("the first thread starts", "/^clone:signal=KILL:when=1"),
    ("the last worker starts", "/^clone:signal=KILL:when=3"),
    (
        "the former process is told to leave",
        "pidfd_send_signal:signal=KILL:when=1",
    ),
];

#[test]
fn a_new_process_may_die_at_any_step() {
    if !Path::new(STRACE).exists() {
        return;
    }
    let bench = Bench::new("doomed");
    let mut running = Running::start(&bench, Style::TakeOver);
    for (step, call) in STEPS {
        let rush = Rush::start(bench.port(0), 2);
        let name = call.split(':').next().expect("a call");
        let (trace, inject) = (format!("trace={name}"), format!("inject={call}"));
        let log = bench.path("strace");
        let log = log.to_str().expect("scratch paths are plain");
        let mut wrapper = vec![STRACE, "-f", "-qq", "-o", log, "-e", &trace, "-e", &inject];
        let cfg = bench.path("t.cfg");
        if name == "/^open" {
            // The program opens other files before its configuration.
            wrapper.extend(["-P", cfg.to_str().expect("scratch paths are plain")]);
        }
        running.start_doomed(&wrapper);
        let text = std::fs::read_to_string(log).unwrap_or_default();
        assert!(text.contains("killed by SIGKILL"), "{step}: {text}");
        std::thread::sleep(PAUSE);
        let seen = rush.stop();
        assert!(
            seen.bad.is_empty(),
            "{step}: {} lost, {:?}",
            seen.bad.len(),
            seen.bad[0]
        );
        assert_eq!(
            traffic::answered_by(bench.port(0)),
            running.generation(),
            "{step}"
        );
    }
    running.reload();
    running.end();
}

/// The same of a master's worker. The master itself makes none of these calls, or fewer.
const WORKER_STEPS: &[(&str, &str)] = &[
    ("the program is executed", "execve:signal=KILL:when=1"),
    ("the first socket listens", "listen:signal=KILL:when=1"),
    ("the last socket listens", "listen:signal=KILL:when=2"),
    ("the last worker starts", "/^clone:signal=KILL:when=2"),
];

/// strace, which lets go of what it holds when it is dropped.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        kill_process(self.0.id(), "INT");
        let _ = self.0.wait();
    }
}

#[test]
fn a_new_worker_may_die_at_any_step() {
    if !Path::new(STRACE).exists() {
        return;
    }
    let bench = Bench::new("doomed-worker");
    let mut running = Running::start(&bench, Style::Master);
    let log = bench.path("strace");
    for (step, call) in WORKER_STEPS {
        let rush = Rush::start(bench.port(0), 2);
        let name = call.split(':').next().expect("a call");
        let _ = std::fs::remove_file(&log);
        let strace = Command::new(STRACE)
            .args(["-f", "-e", &format!("trace={name}")])
            .args(["-e", &format!("inject={call}"), "-o"])
            .arg(&log)
            .args(["-p", &running.pid().to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace starts");
        let mut strace = Holder(strace);
        let mut attached = [0; 8];
        let told = strace
            .0
            .stderr
            .as_mut()
            .map(|said| said.read(&mut attached));
        assert!(matches!(told, Some(Ok(1..))), "strace holds the master");
        running.prepare(false);
        kill_process(running.pid(), "USR2");
        let text = || std::fs::read_to_string(&log).unwrap_or_default();
        await_that(step, || text().contains("killed by SIGKILL"));
        drop(strace);
        std::thread::sleep(PAUSE);
        let seen = rush.stop();
        assert!(
            seen.bad.is_empty(),
            "{step}: {} lost, {:?}",
            seen.bad.len(),
            seen.bad[0]
        );
        // The master tries no broken start again by itself.
        let answered = traffic::answered_by(bench.port(0));
        assert!(answered < running.generation(), "{step}: {answered}");
        running.reload();
        running.settle();
    }
    running.end();
}
