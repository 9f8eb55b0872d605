//! What `defaults` and `listen` sections say about sockets and books, as a running program shows it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::program::{PATIENCE, await_that};
use crate::rules::{Proxy, answer};

#[test]
fn clients_wait_in_a_backlog() {
    let proxy = Proxy::start(
        "backlog",
        " backlog 20\nfrontend f\n bind @0\n maxconn 1\n http-request return status 200\n",
    );
    // Who comes when the line is full is not let into it: the kernel says nothing.
    let address = SocketAddr::from(([127, 0, 0, 1], proxy.ports[0]));
    let waiting: Vec<_> = (0..12)
        .map(|_| TcpStream::connect_timeout(&address, PATIENCE / 10).map_err(|why| why.kind()))
        .collect();
    assert!(waiting.iter().all(Result::is_ok), "{waiting:?}");
}

/// Whether the kernel probes the proxy's end of a connection, once nothing is under way on it.
fn is_probed(client: &TcpStream) -> bool {
    let port = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let own = port(client.local_addr().expect("connected"));
    let ends = format!(
        " {} {own} 01 ",
        port(client.peer_addr().expect("connected"))
    );
    let mut probed = false;
    await_that("the kernel shows the connection at rest", || {
        let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
        let row = table.lines().find_map(|row| row.split_once(&ends));
        let timer = row.and_then(|(_, row)| row.split(' ').nth(1)?.split(':').next());
        probed = timer == Some("02");
        matches!(timer, Some("00" | "02"))
    });
    probed
}

#[test]
fn quiet_clients_are_probed() {
    let answers = "http-request return status 200\n";
    let proxy = Proxy::start(
        "probed",
        &format!(
            "listen none\n bind @0\n {answers}listen both\n bind @1\n option tcpka\n {answers}\
             listen clients\n bind @2\n option clitcpka\n {answers}\
             defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n option tcpka\n\
             frontend inherits\n bind @3\n {answers}"
        ),
    );
    let probed = proxy.ports.iter().map(|&port| {
        let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        let request = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";
        client.write_all(request).expect("it reads");
        let heard = client.read(&mut [0; 256]).expect("it answers");
        assert!(heard > 0);
        is_probed(&client)
    });
    assert_eq!(probed.collect::<Vec<_>>(), [false, true, true, true]);
}

/// An origin that answers and keeps connections; how many there were.
fn origin() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    (port, count)
}

#[test]
fn connections_to_servers_are_shared_or_not() {
    let ((own, some), (shared, more)) = (origin(), origin());
    let proxy = Proxy::start(
        "reuse",
        &format!(
            "listen own\n bind @0\n http-reuse safe\n server s 127.0.0.1:{own}\n\
             defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n http-reuse always\n\
             listen shares\n bind @1\n server s 127.0.0.1:{shared}\n\
             global\n nbthread 1\n"
        ),
    );
    for frontend in [0, 1] {
        let mut first =
            TcpStream::connect(("127.0.0.1", proxy.ports[frontend])).expect("it listens");
        for end in ["", "connection: close\r\n"] {
            let request = format!("GET / HTTP/1.1\r\nhost: h\r\n{end}\r\n");
            first.write_all(request.as_bytes()).expect("it reads");
            assert!(first.read(&mut [0; 256]).expect("it answers") > 0);
        }
        assert!(answer(first).is_empty());
        assert!(answer(proxy.client(frontend, "/")).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let counts = [some, more].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counts, [2, 1]);
}

#[test]
fn a_listen_section_has_a_table() {
    let proxy = Proxy::start(
        "table",
        "listen f\n bind @0\n stick-table type ip size 10 store http_req_cnt\n http-request track-sc0 src\n\
         \x20http-request deny if { src_http_req_cnt(f) gt 1 }\n http-request return status 200\n",
    );
    for status in ["200", "403"] {
        let got = answer(proxy.client(0, "/"));
        assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{got}");
    }
}

#[test]
fn bytes_are_counted_while_they_flow() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let proxy = Proxy::start(
        "flowing",
        &format!(
            " option contstats\nlisten f\n bind @0\n mode tcp\n server s 127.0.0.1:{port}\n\
             listen page\n bind @1\n stats enable\n stats uri /\n"
        ),
    );
    let mut client = TcpStream::connect(("127.0.0.1", proxy.ports[0])).expect("it listens");
    client.write_all(b"ask").expect("it reads");
    let counted = || {
        let page = answer(proxy.client(1, "/;csv"));
        let row = page.lines().find(|row| row.starts_with("f,BACKEND,"));
        row.and_then(|row| row.split(',').nth(8).map(str::to_owned))
    };
    await_that("three bytes are counted", || {
        counted().as_deref() == Some("3")
    });
}

#[test]
fn who_has_gone_is_not_worked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let text = format!(" option abortonclose\nlisten f\n bind @0\n server s 127.0.0.1:{port}\n");
    let proxy = Proxy::start("gone", &text);
    let client = proxy.client(0, "/");
    let (_server, _) = listener.accept().expect("the proxy asks");
    let begun = Instant::now();
    client.shutdown(Shutdown::Write).expect("connected");
    assert!(!answer(client).contains("504"));
    assert!(begun.elapsed() < Duration::from_secs(4));
}
