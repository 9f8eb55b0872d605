//! The example server of the PROXY protocol library, and sluice in front of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::program::{Running, free_port};

#[path = "../acceptor/server.rs"]
mod server;

/// Starts the example server in a thread; returns its address and what it says.
pub(crate) fn acceptor() -> (SocketAddr, Receiver<String>) {
    let any = "127.0.0.1:0".parse().expect("an address");
    let listener = mio::net::TcpListener::bind(any).expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut say = |line| {
            sender
                .send(line)
                .map_err(|_| io::ErrorKind::BrokenPipe.into())
        };
        let _ = server::serve(listener, &mut say);
    });
    (address, said)
}

fn line(said: &Receiver<String>) -> String {
    said.recv_timeout(PATIENCE)
        .expect("the server says something")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("a socket");
    stream
}

fn echoed(stream: &mut TcpStream, text: &[u8]) {
    stream.write_all(text).expect("it reads");
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).expect("it echoes");
    assert_eq!(back, text);
}

#[test]
fn a_header_cut_at_every_byte_names_the_client() {
    let (address, said) = acceptor();
    let header = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
    for cut in 0..header.len() {
        let mut stream = connect(address);
        stream.write_all(&header[..cut]).expect("it reads");
        stream.write_all(&header[cut..]).expect("it reads");
        echoed(&mut stream, b"the connection's own");
        let expected = "client=192.0.2.1:56324 server=198.51.100.7:443 proxy V1";
        assert!(line(&said).starts_with(expected), "cut at {cut}");
    }
}

#[test]
fn strangers_are_refused() {
    let (address, said) = acceptor();
    let mut stream = connect(address);
    stream
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .expect("it reads");
    assert_eq!(line(&said), "refused: not a PROXY protocol header");
    assert!(!matches!(stream.read(&mut [0; 10]), Ok(1..)));
}

/// Starts sluice in TCP mode in front of `server`; returns it and where it listens.
fn proxy(server: SocketAddr, options: &str) -> (Running, SocketAddr) {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let text = format!(
        "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n\
         listen p\n bind {address}\n server s {server} {options}\n"
    );
    (Running::new("header", &text).listening(port), address)
}

#[test]
fn sluice_says_who_its_client_is() {
    for (options, version) in [("send-proxy", "V1"), ("send-proxy-v2", "V2")] {
        let (server, said) = acceptor();
        let (_proxy, address) = proxy(server, options);
        let mut stream = connect(address);
        echoed(&mut stream, b"hello");
        let own = stream.local_addr().expect("connected");
        let expected = format!("client={own} server={address} proxy {version}");
        // The connection that found out whether the proxy listens may have come through first.
        let mut lines = std::iter::repeat_with(|| line(&said)).take(2);
        assert!(
            lines.any(|line| line.starts_with(&expected)),
            "{options}: {expected}"
        );
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
