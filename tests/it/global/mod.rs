//! What the lines of `global` make of a running process: seen in /proc, on its sockets of commands, by its clients.

mod limits;
mod options;
mod peers;
mod place;
mod refused;
mod sockets;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitStatus, Stdio};

use crate::program::{self, PATIENCE, Process, Scratch, await_that, free_ports};

/// A directory, three addresses that were free, and a configuration.
struct Bench {
    directory: Scratch,
    ports: [u16; 3],
}

impl Bench {
    /// Writes a configuration in which `@D` stands for the directory and `@0` to `@2` for addresses.
    fn new(name: &str, text: &str) -> Self {
        let bench = Self {
            directory: Scratch::new(name),
            ports: free_ports(),
        };
        bench.write("t.cfg", text);
        bench
    }

    fn write(&self, name: &str, text: &str) {
        let mut text = text.replace("@D", &self.path(""));
        for (at, port) in self.ports.iter().enumerate() {
            text = text.replace(&format!("@{at}"), &format!("127.0.0.1:{port}"));
        }
        let path = self.directory.join(name);
        fs::create_dir_all(path.parent().expect("a file in the directory")).expect("writable");
        fs::write(path, text).expect("a writable directory");
    }

    fn path(&self, name: &str) -> String {
        self.directory.path(name)
    }

    /// The program with these words, as a shell starts it in the directory behind `before`.
    fn command(&self, before: &str, words: &str) -> Command {
        let program = program::path().display().to_string();
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(format!("{before} exec \"{program}\" {words}"))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts it and waits until the first address answers.
    fn start(&self) -> Running {
        self.start_by("", "-db -f t.cfg")
    }

    fn start_by(&self, before: &str, words: &str) -> Running {
        let mut running = Running {
            child: Process::start(&mut self.command(before, words)),
        };
        let port = self.ports[0];
        running.child.await_port(port);
        // It listens before it has become what it is told to be; it answers behind that.
        exchange(port, GET);
        running
    }

    /// What it says of a configuration without running it, and whether it would.
    fn checked(&self, file: &str) -> (String, bool) {
        let mut command = self.command("", &format!("-c -f {file}"));
        let output = command.stderr(Stdio::piped()).output();
        let output = output.expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (said, output.status.success())
    }

    /// What a socket of commands answers.
    fn ask(&self, socket: &str, command: &str) -> String {
        let mut stream = UnixStream::connect(self.path(socket)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        writeln!(stream, "{command}").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// A figure of `show info`.
    fn figure(&self, name: &str) -> String {
        let info = self.ask("s", "show info");
        let found = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.unwrap_or_default().to_owned()
    }

    /// What a client of an address gets for these bytes.
    fn exchange(&self, at: usize, request: &str) -> String {
        exchange(self.ports[at], request)
    }
}

/// The program at work, killed when dropped.
struct Running {
    child: Process,
}

impl Running {
    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn tell(&self, signal: &str) {
        kill(self.pid(), signal);
    }

    fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        await_that("the process ends", || {
            status = self.child.try_wait().expect("our own child");
            status.is_some()
        });
        status.expect("it ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in children(self.pid()) {
            kill(pid, "KILL");
        }
    }
}

fn kill(pid: u32, signal: &str) {
    let _ = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(pid.to_string())
        .status();
}

fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    let numbers = text.split_whitespace();
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn client(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

fn exchange(port: u16, request: &str) -> String {
    let mut stream = client(port);
    stream.write_all(request.as_bytes()).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// The field of a status file of /proc.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim().to_owned()
}

fn is_root() -> bool {
    field("/proc/self/status", "Uid:").starts_with("0\t")
}

/// Defaults, and a frontend that answers by itself.
const REST: &str = "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n\
    frontend f\n bind @0\n http-request return status 200 if { path / }\n default_backend b\nbackend b\n";

const GET: &str = "GET / HTTP/1.0\r\n\r\n";
