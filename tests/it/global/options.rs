//! What options of proxies make of a running process: probes of the kernel, connections that serve several clients, places of log lines.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use super::limits::sockets;
use super::{Bench, PATIENCE, Running, await_that, client};

const DEFAULTS: &str =
    "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n";
const FRONT: &str = " bind @0\n http-request return status 200 if { path / }\n";
const ASK: &[u8] = b"GET /s HTTP/1.1\r\nHost: h\r\nX-Mixed: 1\r\n\r\n";

fn server() -> (TcpListener, SocketAddr) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    (server, to)
}

fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("there is more");
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Whether the kernel probes the client's and the server's connection of a process.
fn probed(running: &Running, client: SocketAddr, own: SocketAddr) -> (Option<bool>, Option<bool>) {
    let (mut client_side, mut server_side) = (None, None);
    for socket in sockets(running) {
        let stream = TcpStream::from(socket);
        let (here, there) = (stream.local_addr().ok(), stream.peer_addr().ok());
        let is_probed = sockopt::socket_keepalive(OwnedFd::from(stream)).ok();
        if there == Some(client) {
            client_side = is_probed;
        } else if here == Some(own) {
            server_side = is_probed;
        }
    }
    (client_side, server_side)
}

#[test]
fn kernels_ask_whether_silent_ends_are_still_there() {
    let (server, to) = server();
    let server_line = format!(" server s {to}\n");
    let split = |defaults: &str, front: &str, back: &str| {
        format!(
            "{DEFAULTS}{defaults}frontend f\n{FRONT}{front} default_backend b\n\
             backend b\n{back}{server_line}"
        )
    };
    let listen = |option: &str| format!("{DEFAULTS}listen f\n{FRONT}{option}{server_line}");
    let cases = [
        (split("", "", ""), (false, false)),
        (split(" option tcpka\n", "", ""), (true, true)),
        (split("", " option tcpka\n", ""), (true, false)),
        (split("", "", " option tcpka\n"), (false, true)),
        (split("", " option clitcpka\n", ""), (true, false)),
        (split("", "", " option srvtcpka\n"), (false, true)),
        (listen(" option tcpka\n"), (true, true)),
        (listen(" option clitcpka\n"), (true, false)),
    ];
    for (at, (text, (to_client, to_server))) in cases.into_iter().enumerate() {
        let bench = Bench::new(&format!("probes-{at}"), &text);
        let running = bench.start();
        let mut asking = client(bench.ports[0]);
        asking.write_all(ASK).expect("it reads");
        let (_asked, from) = server.accept().expect("it asks the server");
        let mine = asking.local_addr().expect("connected");
        let found = probed(&running, mine, from);
        assert_eq!(found, (Some(to_client), Some(to_server)), "{text}");
    }
}

/// Answers every request with the number of the connection that it came by.
fn number_connections(server: TcpListener) {
    for (number, stream) in server.incoming().enumerate() {
        let Ok(mut stream) = stream else { return };
        std::thread::spawn(move || {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}");
            let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                seen.extend_from_slice(&bytes[..count]);
                if seen.ends_with(b"\r\n\r\n") && stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }
}

/// The number of the connection that a client's request takes.
fn taken(client: &mut TcpStream) -> char {
    client.write_all(ASK).expect("it reads");
    until(client, "\r\n\r\n");
    let mut number = [0];
    client.read_exact(&mut number).expect("a body");
    char::from(number[0])
}

#[test]
fn connections_to_servers_serve_other_clients_where_that_is_said() {
    let cases = [
        ("", "", ['0', '0']),
        ("", " http-reuse safe\n", ['0', '1']),
        (" http-reuse safe\n", "", ['0', '1']),
        (" http-reuse safe\n", " http-reuse always\n", ['0', '0']),
        (" http-reuse always\n", " http-reuse safe\n", ['0', '1']),
    ];
    for (at, (defaults, back, expected)) in cases.into_iter().enumerate() {
        let (server, to) = server();
        std::thread::spawn(move || number_connections(server));
        let text = format!(
            "global\n nbthread 1\n{DEFAULTS}{defaults}frontend f\n{FRONT} default_backend b\n\
             backend b\n{back} server s {to}\n"
        );
        let bench = Bench::new(&format!("reuse-{at}"), &text);
        let _running = bench.start();
        let (mut first, mut second) = (client(bench.ports[0]), client(bench.ports[0]));
        let found = [taken(&mut first), taken(&mut second)];
        assert_eq!(found, expected, "{defaults}{back}");
    }
}

#[test]
fn connections_that_one_side_has_ended_have_times_of_their_own() {
    let cases = [
        (" timeout server-fin 150ms\n", "", "", true),
        ("", "", " timeout server-fin 150ms\n", true),
        (" timeout client-fin 150ms\n", "", "", false),
        ("", " timeout client-fin 150ms\n", "", false),
    ];
    for (at, (defaults, front, back, client_ends)) in cases.into_iter().enumerate() {
        let (server, to) = server();
        let plain = DEFAULTS.replace("http", "tcp");
        let text = format!(
            "{DEFAULTS}frontend ready\n{FRONT}{plain}{defaults}frontend f\n bind @1\n{front} default_backend b\n\
             backend b\n{back} server s {to}\n"
        );
        let bench = Bench::new(&format!("half-closed-{at}"), &text);
        let _running = bench.start();
        let mut asking = client(bench.ports[1]);
        asking.write_all(ASK).expect("it reads");
        let (mut asked, _) = server.accept().expect("it asks the server");
        asked.set_read_timeout(Some(PATIENCE)).expect("a socket");
        until(&mut asked, "\r\n\r\n");
        let (ended, stays) = match client_ends {
            true => (asking, asked),
            false => (asked, asking),
        };
        let begun = Instant::now();
        ended.shutdown(Shutdown::Write).expect("a socket");
        for mut end in [&ended, &stays] {
            let closed = end.read(&mut [0; 9]);
            assert_ne!(
                closed.map_err(|error| error.kind()),
                Err(ErrorKind::WouldBlock)
            );
        }
        assert!(begun.elapsed() > Duration::from_millis(100), "{text}");
    }
}

/// A program whose lines say by which address it reached its server; `words` follow its command.
fn tells(name: &str, logs: &str, before: &str, words: &str, seen: impl Fn(&Bench, &str) -> bool) {
    let (server, to) = server();
    let text = format!(
        "{DEFAULTS}frontend f\n{FRONT}{logs} log-format \"%ST at %bi:%bp\"\n default_backend b\n\
         backend b\n server s {to}\n"
    );
    let bench = Bench::new(name, &text);
    let socket = UnixDatagram::bind(bench.path("log")).expect("a place in the directory");
    socket.set_nonblocking(true).expect("a socket");
    let _running = bench.start_by(before, &format!("-db -f t.cfg {words}"));
    let mut asking = client(bench.ports[0]);
    asking.write_all(ASK).expect("it reads");
    let (mut asked, from) = server.accept().expect("it asks the server");
    until(&mut asked, "\r\n\r\n");
    asked
        .write_all(b"HTTP/1.1 204 No\r\n\r\n")
        .expect("it reads");
    let line = format!("200 at {from}").replace("200", "204");
    await_that("the line is where it belongs", || {
        let mut bytes = [0; 4096];
        let sent = socket.recv(&mut bytes).unwrap_or_default();
        let sent = String::from_utf8_lossy(&bytes[..sent]);
        sent.trim_end().ends_with(&line) || seen(&bench, &line)
    });
}

#[test]
fn lines_go_to_paths_and_to_what_the_process_was_given() {
    let holds = |file: &'static str| {
        move |bench: &Bench, line: &str| {
            let text = fs::read_to_string(bench.path(file)).unwrap_or_default();
            text.lines().any(|own| own == line)
        }
    };
    let nowhere = |_: &Bench, _: &str| false;
    let raw = |place: &str| format!(" log {place} format raw local0\n");
    tells("log-path", " log @D/log local0\n", "", "", nowhere);
    tells("log-out", &raw("stdout"), "", "> out", holds("out"));
    tells("log-err", &raw("stderr"), "", "2> err", holds("err"));
}

/// Runs what follows where `/dev/log` is the `log` of the working directory.
const WITH_DEV_LOG: &str = "exec unshare -rm sh -c 'mkdir old && mount --rbind /dev old && \
    mount -t tmpfs own /dev && touch /dev/null /dev/urandom && mount --bind old/null /dev/null && \
    mount --bind old/urandom /dev/urandom && ln -s \"$PWD/log\" /dev/log && \"$@\"'";

#[test]
fn lines_go_to_the_log_of_the_system() {
    let mut tried = Command::new("unshare");
    let tried = tried.args(["-rm", "mount", "-t", "tmpfs", "own", "/dev"]);
    if !tried.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no namespaces here");
        return;
    }
    let nowhere = |_: &Bench, _: &str| false;
    tells(
        "log-dev",
        " log /dev/log local0\n",
        WITH_DEV_LOG,
        "",
        nowhere,
    );
}

#[test]
fn clients_that_say_nothing_are_spoken_of_where_that_is_said() {
    let text = format!(
        "{DEFAULTS} option dontlognull\nfrontend f\n{FRONT} no option dontlognull\n option httplog\n log @D/log local0\n"
    );
    let bench = Bench::new("silent", &text);
    let socket = UnixDatagram::bind(bench.path("log")).expect("a place in the directory");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let _running = bench.start();
    drop(client(bench.ports[0]));
    let mut line = String::new();
    while !line.contains(" \"<BADREQ>\"") {
        let mut bytes = [0; 4096];
        let sent = socket.recv(&mut bytes).expect("a line of a silent client");
        line = String::from_utf8_lossy(&bytes[..sent]).into_owned();
    }
}

#[test]
fn what_is_always_so_is_so_where_it_is_said() {
    let (server, to) = server();
    let text = format!(
        "{DEFAULTS} option http-no-delay\n\
         frontend f\n{FRONT} default_backend b\nbackend b\n option http-use-htx\n server s {to}\n"
    );
    let bench = Bench::new("always", &text);
    let _running = bench.start();
    let mut asking = client(bench.ports[0]);
    asking.write_all(ASK).expect("it reads");
    let (mut asked, _) = server.accept().expect("it asks the server");
    let names = until(&mut asked, "\r\n\r\n");
    assert!(names.contains("\r\nx-mixed: 1\r\n"), "{names}");
    asked.set_read_timeout(Some(PATIENCE)).expect("a socket");
    asked
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\nfirst")
        .expect("it reads");
    // The client has what there is before the answer is whole.
    until(&mut asking, "first");
}
