//! What rules and frontends do to connections: clients that are told nothing, clients that wait, what the statistics page is told
//! to say, and rules that are no part of the program, as `lua.*` is.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::program::{PATIENCE, Running, free_port, refuses};

/// How long nothing has to happen.
const QUIET: Duration = Duration::from_millis(200);
/// The capability that closing without a word takes, as its bit.
const NET_ADMIN: u64 = 1 << 12;

pub(crate) struct Proxy {
    pub(crate) ports: Vec<u16>,
    _running: Running,
}

impl Proxy {
    /// Runs a configuration whose `@0`, `@1`, … are addresses of its own.
    pub(crate) fn start(name: &str, text: &str) -> Self {
        let count = text.matches("bind @").count();
        let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let mut text = format!(
            "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n{text}"
        );
        for (at, port) in ports.iter().enumerate() {
            text = text.replace(&format!("@{at}"), &format!("127.0.0.1:{port}"));
        }
        let running = Running::new(name, &text).listening(ports[0]);
        Self {
            ports,
            _running: running,
        }
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

/// How many connections a server sees of two clients, one after the other, whose connections each bring two requests.
fn connections_seen(defaults: &str, backend: &str) -> usize {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let mut asked = [0; 1024];
                while matches!(stream.read(&mut asked), Ok(1..)) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    let text = format!(
        " {defaults}\nfrontend f\n bind @0\n default_backend b\nbackend b\n {backend}\n server s {to}\n"
    );
    let proxy = Proxy::start("reuse", &text);
    for _ in 0..2 {
        let mut client = TcpStream::connect(("127.0.0.1", proxy.ports[0])).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        for _ in 0..2 {
            let request = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
            client.write_all(request).expect("it reads");
            let mut answer = [0; 38];
            client.read_exact(&mut answer).expect("it answers");
        }
    }
    seen.load(Ordering::Relaxed)
}

#[test]
fn servers_see_one_connection_where_reuse_is_allowed() {
    for (defaults, backend, connections) in [
        ("", "http-reuse never", 2),
        ("http-reuse never", "", 2),
        ("http-reuse never", "http-reuse safe", 2),
        ("http-reuse never", "http-reuse always", 1),
        ("http-reuse always", "", 1),
    ] {
        let seen = connections_seen(defaults, backend);
        assert_eq!(seen, connections, "{defaults}, {backend}");
    }
}

#[test]
fn sockets_are_as_their_frontends_have_them() {
    let proxy = Proxy::start(
        "sockets",
        "frontend plain\n bind @0\n frontend both\n bind @1\n option tcpka\n\
         frontend client\n bind @2\n option clitcpka\nfrontend short\n bind @3\n backlog 7\n",
    );
    let clients: Vec<TcpStream> = (0..3)
        .map(|at| TcpStream::connect(("127.0.0.1", proxy.ports[at])).expect("it listens"))
        .collect();
    let shown = |args: &str| {
        let output = Command::new("ss").args(args.split(' ')).output();
        String::from_utf8_lossy(&output.expect("ss is here").stdout).into_owned()
    };
    for (client, probed) in clients.iter().zip([false, true, true]) {
        let (here, there) = (client.local_addr(), client.peer_addr());
        let ends = (there.expect("connected"), here.expect("connected"));
        let begun = Instant::now();
        // It is set when the connection is taken.
        while shown(&format!("-Htno src {} dst {}", ends.0, ends.1)).contains("keepalive") != probed
        {
            assert!(begun.elapsed() < PATIENCE, "{ends:?}");
        }
    }
    let listening = shown(&format!("-Hltn src 127.0.0.1:{}", proxy.ports[3]));
    let backlog = listening.split_ascii_whitespace().nth(2);
    assert_eq!(backlog, Some("7"), "{listening}");
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
            " option http-pretend-keepalive",
            "'option http-pretend-keepalive' ignored because frontend 'f' has no backend capability",
        ),
        (
            " option http_proxy",
            "'option http_proxy' ignored because frontend 'f' has no backend capability",
        ),
    ];
    refuses(
        "refused",
        "frontend f\n mode http\n bind 127.0.0.1:1\n",
        &lines,
    );
}
