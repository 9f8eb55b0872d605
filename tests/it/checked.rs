//! Servers as configurations write them: where connections to them come from, how many they take at once, and what becomes of those
//! who are at a server that goes down.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::reload::proxy::ask;
use crate::program::{self, PATIENCE, Running, Scratch, await_that, free_port, silent};

/// A running program in a directory of its own.
struct Proxy {
    running: Running,
    port: u16,
}

impl Proxy {
    /// Starts with a frontend at `port` that leads to the backend the path begins with.
    fn start(folder: Scratch, port: u16, backends: &str) -> Self {
        let text = format!(
            "global\n nbthread 1\n stats socket {} level admin\ndefaults\n mode http\n retries 0\n timeout connect 1s\n \
             timeout client 5s\n timeout server 5s\nfrontend fe\n bind 127.0.0.1:{port}\n use_backend %[path,field(2,/)]\n{backends}",
            folder.path("cli")
        );
        let running = Running::by(silent(&program::path()), folder, &text);
        Self {
            running: running.listening(port),
            port,
        }
    }

    fn client(&self, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let request = format!("GET /{path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        client
            .write_all(request.as_bytes())
            .expect("a small request");
        client
    }

    fn get(&self, path: &str) -> String {
        answer(self.client(path))
    }

    /// A column of a server's statistics.
    fn column(&self, server: &str, column: usize) -> String {
        let stats = ask(&self.running.folder.join("cli"), "show stat\n");
        let start = format!("{server},");
        let line = stats.lines().find(|line| line.starts_with(&start));
        let field = line.and_then(|line| line.split(',').nth(column));
        field.unwrap_or_default().to_owned()
    }
}

fn answer(mut client: TcpStream) -> String {
    let mut text = String::new();
    let _ = client.read_to_string(&mut text);
    text
}

/// Answers one request with a text.
fn tell(mut stream: TcpStream, name: &str) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => seen.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let length = name.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all((head + name).as_bytes());
}

/// A server that says which address it was asked from.
fn tcp(address: SocketAddr) -> u16 {
    let listener = TcpListener::bind(address).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let from = stream.peer_addr().map(|peer| peer.ip().to_string());
            thread::spawn(move || tell(stream, &from.unwrap_or_default()));
        }
    });
    port
}

#[test]
fn servers_see_where_they_are_to_be_reached_from() {
    let server = tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
    let text = format!(
        "backend plain\n server s 127.0.0.1:{server}\nbackend from\n server s 127.0.0.1:{server} source 127.0.0.9\n"
    );
    let proxy = Proxy::start(Scratch::new("source"), free_port(), &text);
    assert!(proxy.get("plain").ends_with("\r\n127.0.0.1"));
    assert!(proxy.get("from").ends_with("\r\n127.0.0.9"));
}

/// A server whose connections are handed over as they come, and nothing is answered.
fn held() -> (u16, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (give, take): (Sender<TcpStream>, _) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Whoever only looks whether somebody listens says nothing.
            let said = matches!(stream.read(&mut [0; 4096]), Ok(1..));
            if said && give.send(stream).is_err() {
                return;
            }
        }
    });
    (port, take)
}

#[test]
fn servers_take_no_more_than_they_may() {
    let (port, waiting) = held();
    let (other, waiting_there) = held();
    let text = format!(
        "backend most\n balance source\n server s 127.0.0.1:{port} maxconn 2 maxqueue 1\n\
         backend least\n balance source\n fullconn 100\n server s 127.0.0.1:{other} minconn 1 maxconn 50\n"
    );
    let proxy = Proxy::start(Scratch::new("most"), free_port(), &text);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| proxy.client("most")).collect();
    let first = waiting.recv_timeout(PATIENCE).expect("a slot");
    let second = waiting.recv_timeout(PATIENCE).expect("another");
    await_that("one waits", || proxy.column("most,s", 2) == "1");
    // The line is full: whoever comes now goes to nobody else.
    let refused = proxy.get("most");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(waiting.try_recv().is_err());
    for stream in [first, second] {
        tell_at_once(stream);
    }
    tell_at_once(waiting.recv_timeout(PATIENCE).expect("its turn"));
    let answers: Vec<String> = clients.drain(..).map(answer).collect();
    assert!(answers.iter().all(|text| text.ends_with("served")));

    // With little to do in the backend the limit is the lower one.
    let clients = [proxy.client("least"), proxy.client("least")];
    let first = waiting_there.recv_timeout(PATIENCE).expect("a slot");
    await_that("one waits", || proxy.column("least,s", 2) == "1");
    tell_at_once(first);
    tell_at_once(waiting_there.recv_timeout(PATIENCE).expect("its turn"));
    assert!(
        clients
            .map(answer)
            .iter()
            .all(|text| text.ends_with("served"))
    );
}

fn tell_at_once(mut stream: TcpStream) {
    let _ = stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nserved");
}

#[test]
fn sessions_end_with_their_server_where_that_is_said() {
    let (port, waiting) = held();
    let judge = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let checked = judge.local_addr().expect("bound").port();
    let text = format!(
        "backend gone\n default-server check port {checked} inter 20ms fall 1\n \
         server s 127.0.0.1:{port} on-marked-down shutdown-sessions\n\
         backend kept\n default-server check port {checked} inter 20ms fall 1\n server s 127.0.0.1:{port}\n"
    );
    let proxy = Proxy::start(Scratch::new("gone"), free_port(), &text);
    let (gone, kept) = (proxy.client("gone"), proxy.client("kept"));
    let held: Vec<TcpStream> = (0..2)
        .map(|_| waiting.recv_timeout(PATIENCE).expect("both are served"))
        .collect();
    drop(judge);
    await_that("both servers are down", || {
        ["gone,s", "kept,s"]
            .iter()
            .all(|server| proxy.column(server, 17) == "DOWN")
    });
    let ended = answer(gone);
    assert!(ended.starts_with("HTTP/1.1 502 "), "{ended}");
    held.into_iter().for_each(tell_at_once);
    assert!(answer(kept).ends_with("served"));
}
