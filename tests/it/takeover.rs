//! Idle server connections and the threads of one process.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::program::{PATIENCE, Running, await_that, free_port};

/// More clients than one thread takes before it hands new ones to the other.
const CLIENTS_MAX: usize = 64;

/// A server that says over which of its connections it was asked, counted from one.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for (before, stream) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || answer_all(stream, before + 1));
        }
    });
    port
}

fn answer_all(mut stream: TcpStream, number: usize) {
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|count| count > 0) {
        let told = format!("HTTP/1.1 200 OK\r\nx-by: {number}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(told.as_bytes()).is_err() {
            return;
        }
    }
}

/// Clients that stay, each after one request, and which thread was asked over which server connection.
struct Crowd {
    port: u16,
    clients: Vec<TcpStream>,
    seen: BTreeSet<(String, String)>,
    _running: Running,
}

impl Crowd {
    fn new(name: &str, shared: &str) -> Self {
        let (port, server) = (free_port(), server());
        let text = format!(
            "global\n nbthread 2\n tune.idle-pool.shared {shared}\ndefaults\n mode http\n timeout connect 5s\n timeout client 30s\n \
             timeout server 30s\nlisten all\n bind 127.0.0.1:{port}\n http-response set-header x-thread %[thread]\n \
             server s 127.0.0.1:{server} pool-purge-delay 30s\n"
        );
        Self {
            port,
            clients: Vec::new(),
            seen: BTreeSet::new(),
            _running: Running::new(name, &text).listening(port),
        }
    }

    fn join(&mut self) {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let request = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        client.write_all(request).expect("it reads");
        let mut answer = [0; 4096];
        let count = client.read(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        let field = |name: &str| {
            let line = answer.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} in {answer}"))
                .to_owned()
        };
        self.seen.insert((field("x-by: "), field("x-thread: ")));
        self.clients.push(client);
        assert!(self.clients.len() <= CLIENTS_MAX, "{:?}", self.seen);
    }

    /// How many threads, and how many connections, have served.
    fn served(&self) -> (usize, usize) {
        let connections: BTreeSet<_> = self.seen.iter().map(|(by, _)| by).collect();
        let threads: BTreeSet<_> = self.seen.iter().map(|(_, thread)| thread).collect();
        (threads.len(), connections.len())
    }
}

#[test]
fn an_idle_connection_goes_to_the_thread_that_needs_it() {
    let mut crowd = Crowd::new("takeover", "on");
    await_that("one connection serves both threads", || {
        crowd.join();
        // More pairs than connections: one of them was seen on two threads.
        crowd.seen.len() > crowd.served().1
    });
}

#[test]
fn threads_keep_their_connections_where_the_operator_says_so() {
    let mut crowd = Crowd::new("no-takeover", "off");
    await_that("both threads serve", || {
        crowd.join();
        crowd.served().0 == 2
    });
    assert_eq!((crowd.seen.len(), crowd.served()), (2, (2, 2)));
}
