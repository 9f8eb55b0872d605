//! What rules and frontends do to connections: clients that are told nothing, clients that wait, what the statistics page is told
//! to say, and rules that are no part of the program, as `lua.*` is.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing has to happen.
const QUIET: Duration = Duration::from_millis(200);
/// The capability that closing without a word takes, as its bit.
const NET_ADMIN: u64 = 1 << 12;

pub(crate) struct Proxy {
    child: Child,
    file: PathBuf,
    pub(crate) ports: Vec<u16>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.file);
    }
}

impl Proxy {
    /// Runs a configuration whose `@0`, `@1`, … are addresses of its own.
    pub(crate) fn start(name: &str, text: &str) -> Self {
        let held: Vec<_> = (0..text.matches("bind @").count())
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"))
            .collect();
        let ports: Vec<u16> = held
            .iter()
            .map(|held| held.local_addr().expect("bound").port())
            .collect();
        drop(held);
        let mut text = format!(
            "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n{text}"
        );
        for (at, port) in ports.iter().enumerate() {
            text = text.replace(&format!("@{at}"), &format!("127.0.0.1:{port}"));
        }
        let file = written(name, &text);
        let child = Command::new(program::path())
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", ports[0])).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the proxy does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, file, ports }
    }

    /// A client that has asked for `path`.
    pub(crate) fn client(&self, frontend: usize, path: &str) -> TcpStream {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.ports[frontend])).expect("it listens");
        stream.set_read_timeout(Some(QUIET)).expect("a timeout");
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        // Who is refused early may not get this far.
        let _ = stream.write_all(request.as_bytes());
        stream
    }
}

fn written(name: &str, text: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("sluice-rules-{name}-{}.cfg", std::process::id()));
    fs::write(&file, text).expect("a writable folder");
    file
}

/// What a client gets until its connection ends.
pub(crate) fn answer(mut client: TcpStream) -> String {
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut got = String::new();
    client.read_to_string(&mut got).expect("an answer");
    got
}

/// Whether programs that this one starts may close without a word.
fn may_vanish() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = line.and_then(|held| u64::from_str_radix(held.trim(), 16).ok());
    held.is_some_and(|held| held & NET_ADMIN != 0)
}

#[test]
fn silent_drops_tell_clients_nothing() {
    let proxy = Proxy::start(
        "silent",
        "frontend requests\n bind @0\n\
         \x20http-request silent-drop if { path /request }\n\
         \x20http-response silent-drop if { res.hdr(x-drop) -m found }\n default_backend b\n\
         frontend origin\n bind @1\n http-request return status 200 hdr x-drop 1 if { path /response }\n\
         \x20http-request return status 200\n\
         frontend connections\n bind @2\n tcp-request connection silent-drop\n\
         frontend contents\n bind @3\n tcp-request content silent-drop if { path /content }\n\
         \x20http-request return status 200\n\
         backend b\n server s @1\n",
    );
    assert!(answer(proxy.client(0, "/")).starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(answer(proxy.client(3, "/")).starts_with("HTTP/1.1 200 OK\r\n"));
    for (frontend, path) in [(0, "/request"), (0, "/response"), (2, "/"), (3, "/content")] {
        let mut client = proxy.client(frontend, path);
        let heard = client.read(&mut [0; 64]).map_err(|error| error.kind());
        // Without the right to it, a reset is sent that goes no further than one device: here it arrives. And who speaks to a
        // connection that vanished is told so by the kernel.
        let expected: &[ErrorKind] = match may_vanish() && frontend != 2 {
            true => &[ErrorKind::WouldBlock],
            false => &[ErrorKind::ConnectionReset, ErrorKind::WouldBlock],
        };
        let heard = heard.expect_err("neither bytes nor an end");
        assert!(expected.contains(&heard), "{frontend} {path}: {heard}");
    }
}

#[test]
fn clients_of_a_full_frontend_wait() {
    let full = [
        ("full", "frontend f\n bind @0\n maxconn 1\n"),
        ("full-defaults", " maxconn 1\nfrontend f\n bind @0\n"),
        ("full-listen", "listen f\n bind @0\n maxconn 1\n"),
    ];
    for (name, text) in full {
        let proxy = Proxy::start(name, &format!("{text} http-request return status 200\n"));
        let begun = Instant::now();
        let first = TcpStream::connect(("127.0.0.1", proxy.ports[0])).expect("it listens");
        let mut second = proxy.client(0, "/");
        let heard = second.read(&mut [0; 64]).map_err(|error| error.kind());
        assert_eq!(heard, Err(ErrorKind::WouldBlock), "{name}");
        drop(first);
        assert!(answer(second).starts_with("HTTP/1.1 200 OK\r\n"), "{name}");
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn the_page_says_what_its_frontend_has_it_say() {
    let proxy = Proxy::start(
        "page",
        "frontend plain\n bind @0\n stats enable\n\
         frontend told\n bind @1\n description what told is for\n stats enable\n stats hide-version\n stats show-node node-of-told\n\
         \x20stats show-desc what the page is for\n stats show-legends\n option socket-stats\n",
    );
    let (plain, told) = (
        answer(proxy.client(0, "/haproxy?stats")),
        answer(proxy.client(1, "/haproxy?stats")),
    );
    for page in [&plain, &told] {
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    }
    let address = format!("127.0.0.1:{}", proxy.ports[1]);
    for words in [
        "node-of-told",
        "what the page is for",
        "what told is for",
        &*address,
    ] {
        assert!(told.contains(words), "{words} in {told}");
        assert!(
            words == "what told is for" || !plain.contains(words),
            "{words}"
        );
    }
    assert!(plain.contains("version 3.") && !told.contains("version 3."));
}

#[test]
fn rules_that_are_no_part_are_refused_by_name_and_line() {
    let lines = [
        (
            " filter spoe engine e config /x",
            "'spoe' is not supported by sluice: there is no SPOE",
        ),
        (
            " http-request send-spoe-group e g",
            "'send-spoe-group' is not supported by sluice",
        ),
        (
            " http-request lua.hello",
            "'lua.hello' is not supported by sluice: there is no Lua",
        ),
        (
            " tcp-request content lua.hi",
            "'lua.hi' is not supported by sluice: there is no Lua",
        ),
        (
            " rsprep ^(a)(.*) \\1",
            "The 'rsprep' directive is not supported anymore",
        ),
        (
            " option http_proxy",
            "'option http_proxy' is accepted, but has no effect yet",
        ),
    ];
    let text: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let text = format!("frontend f\n mode http\n bind 127.0.0.1:1\n{text}");
    let file = written("refused", &text);
    let output = Command::new(program::path())
        .arg("-c")
        .arg("-f")
        .arg(&file)
        .output()
        .expect("the program starts");
    let _ = fs::remove_file(&file);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for ((_, sentence), number) in lines.iter().zip(4..) {
        let place = format!("{}:{number}]", file.display());
        let told = said
            .lines()
            .any(|line| line.contains(&place) && line.contains(sentence));
        assert!(told, "{number}: {sentence} in {said}");
    }
}
