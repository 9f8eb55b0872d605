//! Clients that begin a PROXY protocol header and never end it, beside clients that do; and the library's example server where a
//! database's pooler would stand.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{self, Running, Scratch, await_within, free_port, silent};

const PATIENCE: Duration = Duration::from_secs(15);
const CROWD: usize = 1_000;
/// What the crowd may cost at most: a buffer each, with room to spare.
const MEMORY_MAX_KIB: usize = 48 * 1024;
/// Hundredths of a second that the process may use while nothing happens but waiting.
const TICKS_MAX: u64 = 20;

struct Proxy(Running);

impl Proxy {
    fn start(name: &str, text: &str) -> Self {
        let folder = Scratch::new(name);
        let said = fs::File::create(folder.join("said")).expect("a writable folder");
        let mut command = silent(&program::path());
        command.stdout(said);
        Self(Running::by(command, folder, text))
    }

    fn said(&self) -> String {
        fs::read_to_string(self.0.folder.join("said")).unwrap_or_default()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.child.id())).expect("it runs")
    }

    /// Processor time used, in hundredths of a second.
    fn ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let field = |at: usize| fields[at].parse::<u64>().expect("a number");
        field(11) + field(12)
    }

    fn resident_kib(&self) -> usize {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|n| n.parse().ok()).expect("a number")
    }

    fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.0.child.id());
        fs::read_dir(folder).expect("it runs").count()
    }
}

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

fn await_that(what: &str, it: impl FnMut() -> bool) {
    await_within(PATIENCE, what, it);
}

/// What a client is answered that says who it is.
fn answer(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET / HTTP/1.0\r\n\r\n";
    stream.write_all(request).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

#[test]
fn half_headers_hold_nobody_up_and_are_gone_at_their_time() {
    // Both ends of the crowd's connections have to fit; what the system does not grant shows as a failed connect.
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
    let address = free();
    let proxy = Proxy::start(
        "half-headers",
        &format!(
            "global\n maxconn 2000\n log stdout format raw local0\ndefaults\n mode http\n log global\n timeout client 3s\n\
             frontend f\n bind {address} accept-proxy\n http-request return status 200 content-type text/plain lf-string %[src]\n"
        ),
    );
    let answered = || answer(address).is_some_and(|text| text.ends_with("192.0.2.1"));
    await_that("it answers", answered);
    let (memory, descriptors) = (proxy.resident_kib(), proxy.descriptors());
    let halves: [&[u8]; 2] = [b"PROXY TCP4 192.0", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"];
    let mut crowd: Vec<TcpStream> = Vec::with_capacity(CROWD);
    for nth in 0..CROWD {
        let mut stream = TcpStream::connect(address).expect("it accepts");
        // The second half announces more than a buffer holds, and may be refused before the write.
        let _ = stream.write_all(halves[nth % 2]);
        crowd.push(stream);
    }
    for _ in 0..20 {
        assert!(answered(), "the crowd is in nobody's way");
    }
    let before = proxy.ticks();
    std::thread::sleep(Duration::from_secs(1));
    let ticks = proxy.ticks() - before;
    assert!(ticks <= TICKS_MAX, "{ticks} hundredths for waiting");
    let grown = proxy.resident_kib().saturating_sub(memory);
    assert!(
        grown < MEMORY_MAX_KIB,
        "{grown} KiB for {CROWD} half headers"
    );
    for mut stream in crowd {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        assert!(!matches!(stream.read(&mut [0; 8]), Ok(1..)));
    }
    await_that("all are gone", || proxy.descriptors() <= descriptors + 4);
    assert!(answered());
    // Lines are written when a worker's turn is over, which the close of its connections may precede.
    for what in [
        "Timeout while waiting for PROXY protocol header",
        "Truncated PROXY protocol header received",
    ] {
        let end = format!(" f/1: {what}");
        let lines = || {
            proxy
                .said()
                .lines()
                .filter(|line| line.ends_with(&end))
                .count()
        };
        await_that(what, || lines() >= CROWD / 2);
        assert_eq!(lines(), CROWD / 2, "{what}");
    }
}

#[test]
fn in_the_place_of_a_pooler_the_example_sees_the_database_client() {
    let versions = fs::read_dir("/usr/lib/postgresql").ok();
    let newest = versions.and_then(|all| all.flatten().map(|entry| entry.path()).max());
    let Some(pgbench) = newest.map(|path| path.join("bin/pgbench")) else {
        return;
    };
    if !pgbench.exists() {
        return;
    }
    let (pooler, said) = super::proxy_protocol::acceptor();
    let address = free();
    let proxy = Proxy::start(
        "pooler",
        &format!(
            "global\n log stdout format raw local0\ndefaults\n mode tcp\n log global\n log-format \"from %ci:%cp\"\n timeout connect 5s\n \
             timeout client 4h\n timeout server 4h\nlisten db\n bind {address}\n balance leastconn\n \
             server pool {pooler} send-proxy-v2 maxconn 50 maxqueue 20\n"
        ),
    );
    await_that("it listens", || TcpStream::connect(address).is_ok());
    // An echo speaks no database's language: the client is told so and leaves, having been seen.
    let left = Command::new(pgbench)
        .args(["-h", "127.0.0.1", "-p", &address.port().to_string()])
        .args(["-U", "nobody", "-S", "-n", "-c", "1", "-t", "1", "postgres"])
        .env("PGCONNECT_TIMEOUT", "5")
        .stdin(Stdio::null())
        .output();
    assert!(!left.expect("pgbench starts").status.success());
    let mut seen = Vec::new();
    await_that(
        "the client that the proxy logs is the one that the server saw",
        || {
            seen.extend(said.try_iter());
            let logged = proxy.said();
            let clients = seen
                .iter()
                .filter(|line| line.contains(&format!("server={address} proxy V2")));
            let mut clients =
                clients.filter_map(|line| line.strip_prefix("client=")?.split(' ').next());
            let met: Vec<&str> = clients.by_ref().collect();
            let last = logged
                .lines()
                .filter_map(|line| line.strip_prefix("from "))
                .next_back();
            last.is_some_and(|last| met.len() >= 2 && met.contains(&last))
        },
    );
}
