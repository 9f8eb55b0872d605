//! The same configuration and the same requests to this program and to Debian's haproxy: the answers must not differ.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::program::{self, PATIENCE, Running, Scratch, free_port, silent};

/// Requests and nothing else differs from one exchange to the next; each ends with its connection.
const REQUESTS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /denied HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /old/page?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /secure HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n",
    "GET /returned?name=joe HTTP/1.1\r\nHost: a\r\nX-Mixed: Case\r\nConnection: close\r\n\r\n",
    "GET /auth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /nobody HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /edited HTTP/1.1\r\nHost: a\r\nX-Drop: 1\r\nX-Drop: 2\r\nX-Keep: one, two\r\nConnection: close\r\n\r\n",
    "GET /rewritten/deep?q=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /vars HTTP/1.1\r\nHost: A.Example.ORG\r\nUser-Agent: Probe/1.0\r\nConnection: close\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /chunked HTTP/1.0\r\n\r\n",
    "GET /cookie HTTP/1.1\r\nHost: a\r\nCookie: x=1; SRV=s1; y=2\r\nConnection: close\r\n\r\n",
    "GET /monitor HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "BAD REQUEST LINE\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
];

/// Requests whose answers differ, and why; their status lines and bodies are equal all the same where haproxy's body can be
/// read by who asked.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "GET /chunked HTTP/1.0",
        "haproxy 2.6 sends chunks to a client that cannot know them",
    ),
    (
        "BAD REQUEST",
        "haproxy sends this page as it was compiled in, with capitals",
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1",
        "the same page",
    ),
    ("GET / HTTP/1.1\r\nHost: a\r\nBad Name", "the same page"),
];

/// What both programs are given; `@` stands for the address to bind, `#` for the server's.
const CONFIGURATION: &str = r#"
global
defaults
    mode http
    timeout connect 1s
    timeout client 2s
    timeout server 2s
frontend fe
    bind @
    monitor-uri /monitor
    acl old path_beg /old
    http-request deny if { path /denied }
    http-request deny deny_status 429 if { path /status }
    http-request auth realm Here if { path /auth } !{ hdr(authorization) -m found }
    http-request return status 200 content-type text/plain lf-string "%[url_param(name)],%[req.hdr(x-mixed),lower]\n" if { path /returned }
    redirect prefix /new code 301 if old
    redirect scheme https if { path /secure }
    http-request set-var(txn.host) req.hdr(host),lower
    http-request set-header X-Host %[var(txn.host)]
    http-request del-header X-Drop
    http-request add-header X-Added "a b"
    http-request replace-header X-Keep "one(.*)" "three\1"
    http-request replace-path /rewritten(/.*) \1 if { path_beg /rewritten }
    option forwardfor except 10.0.0.0/8
    http-response set-header X-Status %[status]
    http-response del-header Server
    use_backend nobody if { path /nobody }
    default_backend be
backend be
    cookie SRV insert indirect nocache
    server s1 # cookie s1
backend nobody
"#;

#[test]
fn answers_are_haproxys() {
    if Command::new("haproxy")
        .arg("-v")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        panic!("haproxy is not installed: build/test-tools.sh installs it");
    }
    let server = echo_server();
    let ours = Proxy::start("sluice", &program::path(), server);
    let theirs = Proxy::start("haproxy", Path::new("haproxy"), server);
    let mut differences = Vec::new();
    for request in REQUESTS {
        let (mine, other) = (ours.ask(request), theirs.ask(request));
        let excused = DIFFERENCES
            .iter()
            .any(|(start, _why)| request.starts_with(start));
        if mine != other && !(excused && status_line(&mine) == status_line(&other)) {
            differences.push(format!(
                "{request:?}\n  ours:   {mine:?}\n  theirs: {other:?}"
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "answers differ:\n{}",
        differences.join("\n")
    );
}

fn status_line(answer: &str) -> Option<&str> {
    answer.lines().next()
}

/// A server that answers each request with the request itself, in the order its head came.
fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream));
        }
    });
    port
}

fn echo(mut stream: TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Some(end) = complete(&seen) else {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => seen.extend_from_slice(&buffer[..count]),
            }
            continue;
        };
        let request: Vec<u8> = seen.drain(..end).collect();
        let chunked = request.starts_with(b"GET /chunked");
        let answer = if chunked {
            let text = String::from_utf8_lossy(&request).into_owned();
            format!(
                "HTTP/1.1 200 OK\r\nServer: echo\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n0\r\n\r\n",
                text.len()
            )
        } else {
            let body = if request.starts_with(b"HEAD") {
                String::new()
            } else {
                String::from_utf8_lossy(&request).into_owned()
            };
            format!(
                "HTTP/1.1 200 OK\r\nServer: echo\r\nContent-Length: {}\r\n\r\n{body}",
                request.len()
            )
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Where the first request in `bytes` ends, if it is there as a whole.
fn complete(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if text.contains("transfer-encoding: chunked") {
        let end = bytes[head..]
            .windows(5)
            .position(|window| window == b"0\r\n\r\n")?;
        return Some(head + end + 5);
    }
    let length = text
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let end = head + length.unwrap_or(0);
    (bytes.len() >= end).then_some(end)
}

struct Proxy {
    port: u16,
    _running: Running,
}

impl Proxy {
    fn start(name: &str, path: &Path, server: u16) -> Self {
        let port = free_port();
        let text = CONFIGURATION
            .replace('@', &format!("127.0.0.1:{port}"))
            .replace(" # ", &format!(" 127.0.0.1:{server} "));
        let running = Running::by(silent(path), Scratch::new(name), &text);
        Self {
            port,
            _running: running.listening(port),
        }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
            .write_all(request.as_bytes())
            .expect("the proxy reads");
        let mut answer = Vec::new();
        // A reset behind the answer ends it as well as a close does.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}
