//! The program as test drivers and units run it: through a shell, with listening sockets that it inherits by number, its
//! output in a pipe; and what a serving process has shut itself out of.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{self, PATIENCE, Process, await_that, free_port, silent};

struct Scratch(program::Scratch);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(program::Scratch::new(name))
    }

    fn path(&self, name: &str) -> String {
        self.0.path(name)
    }

    fn configuration(&self, global: &str, bind: &str) -> String {
        let path = self.path("t.cfg");
        let text = format!(
            "global\n    stats socket {} level admin\n{global}\
             defaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n\
             frontend f\n    bind {bind}\n    http-request return status 200\n",
            self.path("s"),
        );
        fs::write(&path, text).expect("a writable directory");
        path
    }

    fn ask(&self, command: &str) -> String {
        let mut answer = String::new();
        let mut stream = UnixStream::connect(self.0.join("s")).expect("it listens");
        writeln!(stream, "{command}").expect("it reads");
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

fn exchange(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(request.as_bytes()).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn serves(port: u16) -> bool {
    exchange(port, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.")
}

fn signal(child: &Child, name: &str) {
    let number = child.id().to_string();
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &number])
        .status();
}

/// Starts `line` in a shell, with two listening sockets under the numbers 7 and 8.
fn shell(line: &str, cfg: &str, sockets: [TcpListener; 2]) -> Child {
    let [web, commands] = sockets.map(OwnedFd::from);
    let whole = format!("exec {line} -dM -dI -dW -f \"$1\" 7<&0 8<&2 </dev/null 2>&1");
    Command::new("/bin/sh")
        .args([
            "-c",
            &whole.replace("PROGRAM", &program::path().to_string_lossy()),
            "sh",
            cfg,
        ])
        .env("web", "7")
        .env("commands", "8")
        .stdin(Stdio::from(web))
        .stdout(Stdio::piped())
        .stderr(Stdio::from(commands))
        .spawn()
        .expect("a shell")
}

#[test]
fn masters_and_lone_processes_end_as_drivers_expect() {
    for (words, status) in [("-W -S fd@8", Some(130)), ("-d", None)] {
        let scratch = Scratch::new("driver");
        let cfg = scratch.configuration("", "\"fd@${web}\"");
        let ((web, port), (commands, door)) = (listener(), listener());
        let pidfile = scratch.path("pid");
        let mut child = shell(
            &format!("PROGRAM {words} -p {pidfile}"),
            &cfg,
            [web, commands],
        );
        await_that("it serves", || serves(port));
        if status.is_some() {
            let told = || fs::read_to_string(&pidfile).unwrap_or_default();
            await_that("the pid file", || told().trim() == child.id().to_string());
            let info = exchange(door, "@1 show info\n");
            assert!(info.contains("Process_num: 1\n"), "{info}");
            assert!(exchange(door, "reload\n").starts_with("Success=1\n"));
        }
        signal(&child, "INT");
        // Ends when the last descendant has closed the pipe.
        let mut said = String::new();
        let begun = Instant::now();
        let pipe = child.stdout.as_mut().expect("a pipe");
        pipe.read_to_string(&mut said).expect("text");
        assert!(begun.elapsed() < Duration::from_secs(2), "{said}");
        assert!(!said.contains("[WARNING]"), "{said}");
        assert_eq!(
            child.wait().expect("our own child").code(),
            status,
            "{said}"
        );
    }
}

/// The program with these words, once it listens.
fn start(words: &[&str], port: u16) -> Process {
    let mut process = Process::start(silent(&program::path()).args(words));
    process.await_port(port);
    process
}

fn field(pid: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_serving_process_is_shut_in_unless_it_is_told_not_to_be() {
    for (global, shut) in [("", true), ("    sandbox off\n", false)] {
        let scratch = Scratch::new("sandbox");
        let port = free_port();
        let cfg = scratch.configuration(global, &format!("127.0.0.1:{port}"));
        let mut child = start(&["-db", "-f", &cfg], port);
        assert!(serves(port));
        let text = scratch.ask("show sandbox");
        assert_eq!(text.contains("no new privileges: yes\n"), shut, "{text}");
        assert_eq!(field(child.id(), "NoNewPrivs:") == "1", shut);
        assert_eq!(field(child.id(), "Seccomp:") == "2", shut);
        signal(&child, "TERM");
        let _ = child.wait();
    }
}

#[test]
fn a_process_that_was_root_serves_from_its_jail_as_nobody() {
    const NOBODY: &str = "65534";
    let scratch = Scratch::new("jail");
    if fs::metadata(&scratch.0).is_err()
        || field(std::process::id(), "Uid:").split('\t').nth(1) != Some("0")
    {
        return;
    }
    let port = free_port();
    let jail = scratch.path("jail");
    fs::create_dir(&jail).expect("a directory");
    let global = format!("    chroot {jail}\n    uid {NOBODY}\n    gid {NOBODY}\n");
    let cfg = scratch.configuration(&global, &format!("127.0.0.1:{port}"));
    let mut child = start(&["-db", "-f", &cfg], port);
    assert!(serves(port));
    let root = fs::read_link(format!("/proc/{}/root", child.id())).expect("it runs");
    assert_eq!(root, Path::new(&jail));
    for (name, wanted) in [
        ("Uid:", NOBODY),
        ("Gid:", NOBODY),
        ("CapEff:", "0000000000000000"),
    ] {
        let found = field(child.id(), name);
        assert_eq!(found.split('\t').next(), Some(wanted), "{name}");
    }
    signal(&child, "TERM");
    let _ = child.wait();
}

#[test]
fn memory_bounds_the_connections() {
    let scratch = Scratch::new("memory");
    let port = free_port();
    let cfg = scratch.configuration("", &format!("127.0.0.1:{port}"));
    let mut child = start(&["-db", "-m", "50", "-f", &cfg], port);
    let info = scratch.ask("show info");
    let most = info.lines().find_map(|line| line.strip_prefix("Maxconn: "));
    let most: u32 = most.and_then(|text| text.parse().ok()).expect("a number");
    assert!((100..1_500).contains(&most), "{most}");
    signal(&child, "TERM");
    let _ = child.wait();
}

#[test]
fn a_haproxy_cfg_is_offered_a_unit() {
    let scratch = Scratch::new("migrate");
    let cfg = scratch.configuration("", "127.0.0.1:1");
    let drop_ins = scratch.path("drop-ins");
    let run = |more: &[&str], file: &str| {
        let mut command = Command::new(program::path());
        command
            .args(["migrate", "--drop-ins", &drop_ins])
            .args(more)
            .arg(file);
        command.output().expect("the program starts")
    };
    let offered = run(&[], &cfg);
    assert!(offered.status.success());
    assert!(String::from_utf8_lossy(&offered.stdout).contains(&format!("CONFIG={cfg}")));
    assert!(!Path::new(&drop_ins).exists(), "nothing is written unasked");
    assert!(run(&["--write"], &cfg).status.success());
    let unit = fs::read_to_string(format!("{drop_ins}/haproxy-cfg.conf")).expect("it was written");
    assert!(unit.contains("Conflicts=haproxy.service"), "{unit}");
    fs::write(&cfg, "global\n  nonsense\n").expect("a writable directory");
    assert!(!run(&["--write"], &cfg).status.success());
}
