//! Starting, telling and ending the program as units, scripts and test drivers do: exit statuses, inherited sockets, pid
//! files, notifications.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::program::{self, PATIENCE, await_that, free_port};

struct Scratch(program::Scratch);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(program::Scratch::new(name))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        self.0.write(name, text)
    }

    fn configuration(&self, bind: &str) -> PathBuf {
        let text = format!(
            "global\ndefaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n\
             frontend f\n    bind \"{bind}\"\n    default_backend b\nbackend b\n"
        );
        self.file("t.cfg", &text)
    }
}

fn sluice(args: &[&str]) -> Command {
    let mut command = Command::new(program::path());
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    command
}

fn status(args: &[&str]) -> Option<i32> {
    sluice(args)
        .output()
        .expect("the program starts")
        .status
        .code()
}

fn ended(child: &mut Child) -> ExitStatus {
    let mut status = None;
    await_that("the process ends", || {
        status = child.try_wait().expect("our own child");
        status.is_some()
    });
    status.expect("it ended")
}

fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(pid.to_string())
        .status();
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut text = String::new();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        .is_ok()
        && stream.read_to_string(&mut text).is_ok()
        && text.starts_with("HTTP/1.1 503 ")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("scratch paths are plain")
}

#[test]
fn checks_and_conditions_answer_by_their_status() {
    let scratch = Scratch::new("status");
    let good = scratch.configuration("127.0.0.1:1");
    let bad = scratch.file("bad.cfg", "global\n    nonsense\n");
    assert_eq!(status(&["-c", "-f", path(&good)]), Some(0));
    assert_eq!(status(&["-c", "-f", path(&bad)]), Some(1));
    assert_eq!(status(&["-c", "-f", "/no/such/file"]), Some(1));
    // Nothing is wrong with it, but it has nothing to listen on.
    let idle = scratch.file(
        "idle.cfg",
        "frontend f\n    disabled\n    mode tcp\n    bind :1\n",
    );
    assert_eq!(status(&["-c", "-f", path(&idle)]), Some(2));
    assert_eq!(status(&[]), Some(1));
    assert_eq!(status(&["-vv", "-dM"]), Some(0));
    assert_eq!(
        status(&[
            "-dM",
            "-dI",
            "-cc",
            "version_atleast(3.4-dev1) && feature(THREAD)"
        ]),
        Some(0)
    );
    assert_eq!(status(&["-cc", "feature(NONE)"]), Some(1));
    assert_eq!(status(&["-cc", "nonsense"]), Some(2));
    let quiet = sluice(&["-q", "-c", "-f", path(&bad)])
        .output()
        .expect("the program starts");
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn an_inherited_listener_is_used_and_an_interrupt_ends_the_started_process() {
    let scratch = Scratch::new("inherited");
    let cfg = scratch.configuration("fd@${web}");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    // The shell gets the socket as its standard input and passes it on under the number 7.
    let line = format!(
        "exec \"{}\" -d -dM -dI -dW -f \"$1\" 7<&0 </dev/null",
        program::path().display()
    );
    let copy = listener.try_clone().expect("a copy");
    let stdin = OwnedFd::from(copy);
    let mut child = Command::new("/bin/sh")
        .args(["-c", &line, "sh", path(&cfg)])
        .env("web", "7")
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    await_that("the inherited socket answers", || answers(port));
    kill(child.id(), "INT");
    assert_eq!(ended(&mut child).signal(), Some(2));
}

#[test]
fn a_daemon_is_ready_when_its_parent_ends() {
    let scratch = Scratch::new("daemon");
    let port = free_port();
    let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
    let pidfile = scratch.0.join("pid");
    assert_eq!(
        status(&["-D", "-f", path(&cfg), "-p", path(&pidfile)]),
        Some(0)
    );
    assert!(
        answers(port),
        "the daemon serves as soon as its parent has ended"
    );
    let pid: u32 = fs::read_to_string(&pidfile)
        .expect("a pid file")
        .trim()
        .parse()
        .expect("a number");
    let taken = scratch.configuration("192.0.2.1:1");
    assert_eq!(
        status(&[
            "-D",
            "-f",
            path(&taken),
            "-p",
            path(&pidfile),
            "-sf",
            &pid.to_string()
        ]),
        Some(1)
    );
    assert!(
        answers(port),
        "a start that fails leaves the former serving"
    );
    assert_eq!(
        fs::read_to_string(&pidfile).expect("a pid file").trim(),
        pid.to_string()
    );
    kill(pid, "USR1");
    await_that("the daemon leaves", || {
        !Path::new(&format!("/proc/{pid}")).exists()
    });
}

#[test]
fn a_master_tells_the_service_manager_and_ends_with_130() {
    let scratch = Scratch::new("notify");
    let port = free_port();
    let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
    let (pidfile, name) = (scratch.0.join("pid"), scratch.0.join("notify"));
    let manager = UnixDatagram::bind(&name).expect("a fresh name");
    manager.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let heard = || {
        let mut buf = [0; 512];
        let len = manager.recv(&mut buf).expect("a message in time");
        String::from_utf8_lossy(&buf[..len]).into_owned()
    };
    let mut child = sluice(&["-Ws", "-f", path(&cfg), "-p", path(&pidfile)])
        .env("NOTIFY_SOCKET", &name)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let first = heard();
    assert!(first.starts_with("READY=1\n"), "{first}");
    assert!(first.contains(&format!("MAINPID={}\n", child.id())));
    assert_eq!(
        fs::read_to_string(&pidfile).expect("a pid file").trim(),
        child.id().to_string()
    );
    assert!(answers(port));
    kill(child.id(), "USR2");
    assert!(heard().starts_with("RELOADING=1\n"));
    assert!(heard().starts_with("READY=1\n"));
    kill(child.id(), "INT");
    assert_eq!(heard(), "STOPPING=1\nSTATUS=Stopping.\n");
    assert_eq!(ended(&mut child).code(), Some(130));
}

#[test]
fn a_master_keeps_the_name_it_was_started_by_and_ends_in_order() {
    let scratch = Scratch::new("name");
    let port = free_port();
    let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
    let link = scratch.0.join("haproxy");
    std::os::unix::fs::symlink(program::path(), &link).expect("a fresh name");
    let mut command = Command::new(&link);
    let words = ["-W", "-f", path(&cfg)];
    let mut child = command.args(words).stderr(Stdio::null()).spawn();
    let master = child.as_mut().expect("the program starts");
    await_that("it serves", || answers(port));
    let children = format!("/proc/{0}/task/{0}/children", master.id());
    let worker = || fs::read_to_string(&children).unwrap_or_default();
    let first = worker();
    kill(master.id(), "USR2");
    await_that("another worker is alone", || {
        let now = worker();
        now != first && now.split_whitespace().count() == 1
    });
    let name = fs::read_to_string(format!("/proc/{}/comm", worker().trim()));
    assert_eq!(name.expect("the worker lives").trim(), "haproxy");
    kill(master.id(), "TERM");
    assert_eq!(ended(master).code(), Some(0));
}

#[test]
fn listeners_pause_and_resume_without_losing_who_waits() {
    let scratch = Scratch::new("pause");
    let port = free_port();
    let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
    let mut child = sluice(&["-db", "-f", path(&cfg)])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    await_that("it serves", || answers(port));
    kill(child.id(), "TTOU");
    std::thread::sleep(Duration::from_millis(200));
    let waiting = std::thread::spawn(move || answers(port));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished(), "nobody accepts while paused");
    kill(child.id(), "TTIN");
    assert!(waiting.join().expect("the client's thread"));
    kill(child.id(), "USR1");
    assert_eq!(ended(&mut child).code(), Some(0));
}

#[test]
fn sockets_of_the_service_manager_are_taken_with_who_waits_on_them() {
    for more in ["", " -W"] {
        let scratch = Scratch::new(&format!("activated{}", more.trim()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
        let mut early = TcpStream::connect(("127.0.0.1", port)).expect("it waits in the queue");
        let line = format!(
            "LISTEN_PID=$$ LISTEN_FDS=1 exec \"{}\"{more} -f \"$1\" 3<&0 </dev/null",
            program::path().display()
        );
        let mut child = Command::new("/bin/sh")
            .args(["-c", &line, "sh", path(&cfg)])
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let patience = early.set_read_timeout(Some(PATIENCE));
        patience.expect("a socket");
        early
            .write_all(b"GET / HTTP/1.0\r\n\r\n")
            .expect("it is connected");
        let mut answer = String::new();
        early.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1."), "{answer}");
        kill(child.id(), "INT");
        ended(&mut child);
    }
}

#[test]
fn a_process_in_grace_goes_on_accepting() {
    let scratch = Scratch::new("grace");
    let port = free_port();
    let cfg = scratch.configuration(&format!("127.0.0.1:{port}"));
    let text = fs::read_to_string(&cfg).expect("it was written");
    fs::write(&cfg, format!("global\n grace 600ms\n{text}")).expect("a writable directory");
    let mut child = Command::new(program::path())
        .args(["-f", path(&cfg)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    await_that("it serves", || answers(port));
    for signal in ["HUP", "QUIT", "USR1"] {
        kill(child.id(), signal);
    }
    std::thread::sleep(Duration::from_millis(150));
    assert!(answers(port), "the grace has not ended");
    assert!(ended(&mut child).success());
    assert!(!answers(port));
}
