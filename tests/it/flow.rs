//! Bodies that neither side takes in one go: whatever the two ends' pace, every byte arrives and nothing waits for an
//! event that will not come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::program::{PATIENCE, Running, free_port};

/// A body that fills every buffer between the two ends several times.
const BODY: usize = 6 << 20;

struct Proxy {
    port: u16,
    _running: Running,
}

impl Proxy {
    fn before(server: SocketAddr, name: &str, settings: &str) -> Self {
        let port = free_port();
        let text = format!(
            "global\n    nbthread 2\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n    \
             timeout server 30s\n{settings}frontend fe\n    bind 127.0.0.1:{port}\n    default_backend be\nbackend be\n    \
             server s1 {server}\n"
        );
        Self {
            port,
            _running: Running::new(name, &text).listening(port),
        }
    }

    fn client(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        // Silence as long as this proves a stall: everything here happens on one machine.
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }
}

/// How fast an end reads.
#[derive(Clone, Copy)]
struct Pace {
    piece: usize,
    pause: Duration,
}

const SWIFT: Pace = Pace {
    piece: 256 * 1024,
    pause: Duration::ZERO,
};
const HALTING: Pace = Pace {
    piece: 200_000,
    pause: Duration::from_millis(3),
};
const SMALL: Pace = Pace {
    piece: 30_000,
    pause: Duration::from_micros(300),
};

/// Reads until `done` says so of all that came; the number of bytes.
fn read_at(stream: &mut TcpStream, pace: Pace, done: impl Fn(&[u8]) -> bool) -> usize {
    let (mut buffer, mut tail, mut count) = (vec![0; pace.piece], Vec::new(), 0);
    while !done(&tail) {
        let n = stream.read(&mut buffer).expect("bytes keep coming");
        assert!(n > 0, "the end came after {count} bytes");
        count += n;
        tail.extend_from_slice(&buffer[..n]);
        std::thread::sleep(pace.pause);
    }
    count
}

fn holds_body(seen: &[u8], body: usize) -> bool {
    seen.windows(4)
        .take(4096)
        .position(|window| window == b"\r\n\r\n")
        .is_some_and(|end| seen.len() >= end + 4 + body)
}

/// A server that reads each request, with `upload` bytes of body, at its pace, and sends `answer`.
fn server(upload: usize, pace: Pace, answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, answer.clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                loop {
                    let mut first = [0];
                    if !matches!(stream.peek(&mut first), Ok(1)) {
                        return;
                    }
                    read_at(&mut stream, pace, |seen| holds_body(seen, upload));
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn sized(len: usize) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + len, b'x');
    answer
}

fn chunked(len: usize) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..len / 1024 {
        answer.extend_from_slice(b"400\r\n");
        answer.resize(answer.len() + 1024, b'x');
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";

#[test]
fn a_large_answer_reaches_clients_of_any_pace() {
    let proxy = Proxy::before(server(0, SWIFT, sized(BODY)), "down", "");
    for pace in [SWIFT, HALTING, SMALL] {
        let mut client = proxy.client();
        for _ in 0..2 {
            client.write_all(GET).expect("room for a request");
            read_at(&mut client, pace, |seen| holds_body(seen, BODY));
        }
    }
}

const SPLICE: &str = "    option splice-request\n    option splice-response\n";

#[test]
fn spliced_bodies_arrive_whole_at_any_pace() {
    for (name, answer, chunks) in [
        ("sized", sized(BODY), false),
        ("chunked", chunked(BODY), true),
    ] {
        let proxy = Proxy::before(server(0, SWIFT, answer), &format!("splice-{name}"), SPLICE);
        for pace in [SWIFT, HALTING, SMALL] {
            let mut client = proxy.client();
            for _ in 0..2 {
                client.write_all(GET).expect("room for a request");
                read_at(&mut client, pace, |seen| {
                    if chunks {
                        seen.ends_with(b"\r\n0\r\n\r\n")
                    } else {
                        holds_body(seen, BODY)
                    }
                });
            }
        }
    }
    for (name, pace) in [("swift", SWIFT), ("halting", HALTING)] {
        let server = server(BODY, pace, sized(10));
        let proxy = Proxy::before(server, &format!("splice-up-{name}"), SPLICE);
        upload_twice(&proxy);
    }
}

#[test]
fn a_large_answer_in_chunks_reaches_clients_of_any_pace() {
    let proxy = Proxy::before(server(0, SWIFT, chunked(BODY)), "chunks", "");
    for pace in [SWIFT, HALTING, SMALL] {
        let mut client = proxy.client();
        client.write_all(GET).expect("room for a request");
        read_at(&mut client, pace, |seen| seen.ends_with(b"\r\n0\r\n\r\n"));
    }
}

#[test]
fn a_large_request_reaches_servers_of_any_pace() {
    for (name, pace) in [("up", SWIFT), ("up-halting", HALTING), ("up-small", SMALL)] {
        let proxy = Proxy::before(server(BODY, pace, sized(10)), name, "");
        upload_twice(&proxy);
    }
}

/// The second time over a server connection that has served before.
fn upload_twice(proxy: &Proxy) {
    let mut client = proxy.client();
    let mut request =
        format!("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {BODY}\r\n\r\n").into_bytes();
    request.resize(request.len() + BODY, b'y');
    for _ in 0..2 {
        client.write_all(&request).expect("the proxy takes it all");
        read_at(&mut client, SWIFT, |seen| holds_body(seen, 10));
    }
}

#[test]
fn clients_beyond_the_rate_wait_and_are_all_served() {
    let proxy = Proxy::before(
        server(0, SWIFT, sized(10)),
        "rate",
        "    rate-limit sessions 20\n",
    );
    // Each waiting connection counts as one; let the second in which the proxy was found to listen pass.
    std::thread::sleep(Duration::from_millis(2100));
    let begun = Instant::now();
    let mut clients: Vec<TcpStream> = (0..50).map(|_| proxy.client()).collect();
    for client in &mut clients {
        client.write_all(GET).expect("room for a request");
    }
    let mut served = Vec::new();
    for client in &mut clients {
        read_at(client, SWIFT, |seen| holds_body(seen, 10));
        served.push(begun.elapsed());
    }
    let early = served
        .iter()
        .filter(|at| **at < Duration::from_millis(900))
        .count();
    assert!((10..=21).contains(&early), "{early} in the first second");
    assert!(served.iter().all(|at| *at < Duration::from_secs(6)));
}

/// What comes back until the proxy closes, or `answers` heads were read.
fn answers(client: &mut TcpStream, answers: usize) -> String {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while String::from_utf8_lossy(&text).matches("</html>\n").count() < answers {
        match client.read(&mut piece).expect("an answer in time") {
            0 => break,
            count => text.extend_from_slice(&piece[..count]),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A body that nobody wants keeps its connection when it is there, and is told that it does not when it is still to come.
#[test]
fn an_unwanted_body_is_passed_over_or_ends_the_connection() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("a bound socket");
    let proxy = Proxy::before(address, "unwanted", "    monitor-uri /\n");

    let mut whole = proxy.client();
    let post = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello";
    whole.write_all(post).expect("room for a request");
    let first = answers(&mut whole, 1);
    assert!(!first.contains("connection: close"), "{first}");
    whole.write_all(post).expect("room for a request");
    let second = answers(&mut whole, 1);
    assert!(second.starts_with("HTTP/1.1 200 "), "{second}");

    let mut half = proxy.client();
    half.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhe")
        .expect("room for half a request");
    let told = answers(&mut half, 2);
    assert!(told.contains("connection: close"), "{told}");
}
