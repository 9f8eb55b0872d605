//! What lines of a backend do that only real connections and pages show, each beside a backend without them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{PATIENCE, Running, await_that, check, free_port, refuses};

struct Proxy {
    port: u16,
    _running: Running,
}

impl Proxy {
    /// Starts with a frontend that leads to the backend the path begins with.
    fn start(name: &str, backends: &str) -> Self {
        let port = free_port();
        let text = format!(
            "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n\
             frontend fe\n bind 127.0.0.1:{port}\n use_backend %[path,field(2,/)]\n{backends}"
        );
        Self {
            port,
            _running: Running::new(name, &text).listening(port),
        }
    }

    /// A client that has asked for `path`.
    fn client(&self, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n{more}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        stream
    }

    fn ask(&self, path: &str, more: &str) -> String {
        let (mut client, mut answer) = (self.client(path, more), Vec::new());
        client.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Servers that answer each connection once with a text long enough to be worth compressing; asked with an encoding they say so.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let asked = request.contains("accept-encoding");
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2000\r\nx-asked: {asked}\r\n\r\n{:2000}",
                "text"
            );
        }
    });
    port
}

#[test]
fn the_page_is_what_its_backend_has_it_be() {
    let backends = "backend plain\n stats enable\n stats uri /plain\n\
        backend told\n description what told is for\n stats enable\n stats uri /told/page\n stats refresh 7s\n stats hide-version\n \
        stats show-node here-it-is\n stats show-legends\n stats show-desc what-the-page-is-for\n\
        backend asked\n stats uri /asked\n stats auth joe:secret\n stats realm Own\n\
        backend without\n server s 127.0.0.1:1\n";
    let proxy = Proxy::start("backend-page", backends);
    let (plain, told) = (proxy.ask("/plain", ""), proxy.ask("/told/page", ""));
    assert!(plain.starts_with("HTTP/1.1 200 "), "{plain}");
    for part in [
        "refresh: 7\r\n",
        " on here-it-is",
        ": what-the-page-is-for",
        "<small>mode: http",
    ] {
        assert!(told.contains(part), "{part} in {told}");
        assert!(!plain.contains(part), "{part} in {plain}");
    }
    assert!(told.contains("<small>what told is for"), "{told}");
    assert!(plain.contains(" version ") && !told.contains(" version "));
    let refused = proxy.ask("/asked", "");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(refused.contains("realm=\"Own\""), "{refused}");
    let joe = "authorization: Basic am9lOnNlY3JldA==\r\n";
    assert!(proxy.ask("/asked", joe).starts_with("HTTP/1.1 200 "));
    // Nobody is at its server, and `stats enable` is what it does not say.
    for path in ["/without", "/told", "/without/haproxy?stats"] {
        assert!(
            proxy.ask(path, "").starts_with("HTTP/1.1 503 "),
            "no page at {path}"
        );
    }
}

#[test]
fn answers_are_compressed_as_their_backend_says() {
    let server = server();
    let backends = format!(
        "backend plain\n server s 127.0.0.1:{server}\n\
         backend packed\n compression algo gzip\n server s 127.0.0.1:{server}\n\
         backend typed\n compression algo gzip\n compression type text/html\n server s 127.0.0.1:{server}\n\
         backend offloaded\n compression algo gzip\n compression offload\n server s 127.0.0.1:{server}\n"
    );
    let proxy = Proxy::start("backend-compression", &backends);
    let told: Vec<(bool, bool)> = ["/plain", "/packed", "/typed", "/offloaded"]
        .iter()
        .map(|path| {
            let answer = proxy.ask(path, "accept-encoding: gzip\r\n");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            let has = |part| answer.contains(part);
            (has("content-encoding: gzip\r\n"), has("x-asked: true\r\n"))
        })
        .collect();
    assert_eq!(
        told,
        [(false, true), (true, true), (false, true), (true, false)]
    );
}

#[test]
fn clients_stay_with_servers_where_a_table_says_so() {
    let server = server();
    let farm = format!(
        " balance roundrobin\n http-response set-header x-server %s\n server s1 127.0.0.1:{server}\n \
         server s2 127.0.0.1:{server}\n"
    );
    let backends = format!(
        "backend turns\n{farm}backend stays\n stick-table type ip size 10\n stick on src\n{farm}"
    );
    let proxy = Proxy::start("backend-table", &backends);
    let met = |path: &str| {
        let answers = [proxy.ask(path, ""), proxy.ask(path, "")];
        answers.map(|answer| answer.contains("x-server: s1\r\n"))
    };
    assert_eq!(met("/turns"), [true, false]);
    assert_eq!(met("/stays"), [true, true]);
}

/// Whether the kernel will probe the connection from `client` to `server` when nothing is said on it.
fn is_probed(client: SocketAddr, server: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").expect("there is a table of connections");
    let (own, other) = (format!(":{:04X}", client.port()), format!(":{server:04X}"));
    let line = table.lines().find(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.len() > 5 && fields[1].ends_with(&own) && fields[2].ends_with(&other)
    });
    let timer = line.and_then(|line| line.split_whitespace().nth(5));
    timer.is_some_and(|timer| timer.starts_with("02:"))
}

#[test]
fn servers_are_probed_where_that_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let backends = format!(
        "backend plain\n server s 127.0.0.1:{port}\nbackend both\n option tcpka\n server s 127.0.0.1:{port}\n\
         backend servers\n option srvtcpka\n server s 127.0.0.1:{port}\n"
    );
    let proxy = Proxy::start("backend-probes", &backends);
    for (path, probed) in [("/plain", false), ("/both", true), ("/servers", true)] {
        let _client = proxy.client(path, "");
        let (mut stream, from) = listener.accept().expect("a connection");
        let count = stream.read(&mut [0; 4096]).expect("a request");
        assert!(count > 0);
        // The timer of what was sent gives way to that of probes once the acknowledgement is in.
        if probed {
            await_that(path, || is_probed(from, port));
        }
        assert_eq!(is_probed(from, port), probed, "{path}");
    }
}

#[test]
fn a_backend_logs_what_becomes_of_its_servers() {
    let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    log.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let to = log.local_addr().expect("bound");
    let _proxy = Proxy::start(
        "backend-log",
        &format!(
            "backend silent\n server s 127.0.0.1:1 check inter 20ms fall 1\n\
             backend told\n log {to} local0\n server s 127.0.0.1:1 check inter 20ms fall 1\n"
        ),
    );
    let mut buffer = [0; 4096];
    let count = log.recv(&mut buffer).expect("a line");
    let line = String::from_utf8_lossy(&buffer[..count]).into_owned();
    assert!(line.contains("Server told/s is DOWN"), "{line}");
}

#[test]
fn servers_have_not_long_to_end_where_that_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = listener.local_addr().expect("bound").port();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let _proxy = Proxy::start(
        "backend-end",
        &format!(
            "frontend relay\n mode tcp\n bind {address}\n default_backend ends\n\
             backend ends\n mode tcp\n timeout server-fin 100ms\n server s 127.0.0.1:{server}\n"
        ),
    );
    let mut client = TcpStream::connect(address).expect("it listens");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let (_server, _) = listener.accept().expect("a connection");
    let begun = Instant::now();
    client.shutdown(Shutdown::Write).expect("it is there");
    // Without it a server that stays has its five seconds.
    assert_eq!(client.read(&mut [0; 1]).expect("an end"), 0);
    let lasted = begun.elapsed();
    assert!(
        (Duration::from_millis(90)..Duration::from_secs(3)).contains(&lasted),
        "{lasted:?}"
    );
}

#[test]
fn what_backends_cannot_do_is_said_by_name_and_line() {
    let lines = [
        (
            " filter spoe engine e config /x",
            "'spoe' is not supported by sluice: there is no SPOE",
        ),
        (
            " use-fcgi-app x",
            "'use-fcgi-app' is not supported by sluice",
        ),
        (
            " option httplog",
            "backend 'b' : 'option httplog' directive is ignored in backends.",
        ),
        (
            " option tcplog",
            "backend 'b' : 'option tcplog' directive is ignored in backends.",
        ),
    ];
    refuses("backend-refused", "backend b\n mode http\n", &lines);
}

#[test]
fn an_option_that_became_the_only_way_changes_nothing() {
    let told = |option: &str| {
        let text = format!(
            "listen l\n bind 127.0.0.1:1\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n option {option}\n \
             server s 127.0.0.1:1\n"
        );
        check("option", &text)
    };
    let known = told("http-use-htx");
    assert_eq!(known.status, Some(0), "{}", known.said);
    assert!(!known.said.contains("http-use-htx"), "{}", known.said);
    assert_eq!(told("http-use-hxt").status, Some(1));
}

#[test]
fn a_backend_is_published_by_operators() {
    let socket = std::env::temp_dir().join(format!("sluice-published-{}.sock", std::process::id()));
    let lines = format!(
        "backend be\n be-unpublished\n http-request return status 200\n\
         global\n stats socket {} level admin\n",
        socket.display()
    );
    let proxy = Proxy::start("published", &lines);
    let say = |command: &str| {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        writeln!(stream, "{command}").expect("it reads");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        proxy.ask("/be", "")
    };
    assert!(proxy.ask("/be", "").starts_with("HTTP/1.1 503 "));
    assert!(say("publish backend be").starts_with("HTTP/1.1 200 "));
    assert!(say("unpublish backend be").starts_with("HTTP/1.1 503 "));
    let _ = fs::remove_file(&socket);
}
