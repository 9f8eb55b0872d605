//! What the program says to others than clients and servers: programs that check servers, log backends, mail servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::program::{self, PATIENCE, Running, Scratch, await_that, free_port, silent};

struct Proxy(Running);

impl Proxy {
    /// Starts on a configuration in this folder, with a stats socket in it.
    fn start(folder: Scratch, global: &str, rest: &str) -> Self {
        let text = format!(
            "global\n    nbthread 1\n    stats socket {} level admin\n{global}defaults\n    mode http\n    \
             timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n{rest}",
            folder.path("cli")
        );
        Self(Running::by(silent(&program::path()), folder, &text))
    }

    /// Asks until the answer has what is looked for.
    fn ask(&self, command: &str, wanted: &str) -> String {
        let mut answer = String::new();
        await_that(&format!("{wanted:?} in {command:?}"), || {
            answer.clear();
            if let Ok(mut cli) = UnixStream::connect(self.0.folder.join("cli")) {
                let _ = writeln!(cli, "{command}");
                let _ = cli.read_to_string(&mut answer);
            }
            answer.contains(wanted)
        });
        answer
    }
}

#[test]
fn a_program_says_whether_a_server_is_up() {
    let folder = Scratch::new("program");
    let text = "#!/bin/sh\ntest -z \"$HOME\" || exit 9\ncase \"$HAPROXY_SERVER_NAME $1 $2 $3 $4\" in \
                'good NOT_USED NOT_USED 127.0.0.1 81') exit 0;; bad*) exit 7;; *) sleep 20;; esac\n";
    let script = folder.write("asks", text);
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("our file");
    let proxy = Proxy::start(
        folder,
        "    external-check\n    insecure-fork-wanted\n",
        &format!(
            "backend b\n{0}    server slow 127.0.0.1:83\nlisten l\n{0}",
            format_args!(
                "    option external-check\n    external-check path /usr/bin:/bin\n    external-check command {}\n    \
                 default-server check inter 500ms rise 1 fall 1\n    server good 127.0.0.1:81\n    server bad 127.0.0.1:82\n",
                script.display()
            )
        ),
    );
    let stats = proxy.ask("show stat", "PROCTOUT");
    let status = |name: &str| {
        let start = format!("{name},");
        let line = stats.lines().find(|line| line.starts_with(&start));
        let fields: Vec<&str> = line.expect("a line").split(',').collect();
        (
            fields[17].to_owned(),
            fields[36].trim_start_matches("* ").to_owned(),
            fields[37].to_owned(),
        )
    };
    let told = |state: &str, check: &str, code: &str| (state.into(), check.into(), code.into());
    for section in ["b", "l"] {
        let status = |name: &str| status(&format!("{section},{name}"));
        assert_eq!(status("good"), told("UP", "PROCOK", "0"));
        assert_eq!(status("bad"), told("DOWN", "PROCERR", "7"));
    }
    assert_eq!(status("b,slow").0, "DOWN");
}

fn receiver() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let port = socket.local_addr().expect("bound").port();
    (socket, port)
}

fn line(socket: &UdpSocket) -> String {
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).expect("a line in time");
    String::from_utf8_lossy(&buffer[..length])
        .trim_end()
        .to_owned()
}

fn get(port: u16, path: &str) {
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    client
        .write_all(request.as_bytes())
        .expect("a small request");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{answer:?}");
}

#[test]
fn a_log_backend_spreads_lines_and_changes_its_server() {
    let ((one, first), (two, second), (three, third)) = (receiver(), receiver(), receiver());
    let stream = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (port, tcp) = (free_port(), stream.local_addr().expect("bound").port());
    let proxy = Proxy::start(
        Scratch::new("lines"),
        "",
        &format!(
            "frontend f\n    bind 127.0.0.1:{port}\n    log backend@stays format raw local0\n    log backend@hashed format raw \
             local0\n    log backend@joined format raw local0\n    log-format %HU\n    http-request return status 200\n\
             backend stays\n    mode log\n    balance sticky\n    server a udp@127.0.0.1:{first}\n    server b \
             udp@127.0.0.1:{second}\n\
             backend hashed\n    mode log\n    balance log-hash 'field(2,/)'\n    hash-type map-based none\n    server a \
             udp@127.0.0.1:{third} weight 1\n\
             backend joined\n    mode log\n    server a 127.0.0.1:{tcp} log-proto octet-count\n"
        ),
    );
    proxy.ask("show info", "Uptime");
    get(port, "/x");
    assert_eq!(
        (line(&one), line(&three)),
        ("/x".to_owned(), "/x".to_owned())
    );
    proxy.ask("disable server stays/a", "\n");
    get(port, "/y");
    assert_eq!(line(&two), "/y");
    proxy.ask("enable server stays/a", "\n");
    get(port, "/z");
    assert_eq!(line(&two), "/z");
    let (mut joined, _) = stream.accept().expect("the courier connects");
    joined.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let mut all = [0; 12];
    joined.read_exact(&mut all).expect("three lines");
    assert_eq!(&all, b"2 /x2 /y2 /z");
}

#[test]
fn a_server_that_goes_down_is_mailed() {
    let mailer = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = mailer.local_addr().expect("bound").port();
    let proxy = Proxy::start(
        Scratch::new("mail"),
        "",
        &format!(
            "mailers m\n    timeout mail 5s\n    mailer a 127.0.0.1:{port}\nbackend b\n    email-alert mailers m\n    \
             email-alert from us@x.example\n    email-alert to ops@x.example\n    email-alert myhostname here\n    \
             email-alert level notice\n    server s 127.0.0.1:9\n"
        ),
    );
    proxy.ask("disable server b/s", "\n");
    let (stream, _) = mailer.accept().expect("the courier connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
    let mut said = |reply: &str| {
        (&stream).write_all(reply.as_bytes()).expect("it listens");
        lines.next().expect("a command").expect("in time")
    };
    assert_eq!(said("220-be\r\n220 welcome\r\n"), "HELO here");
    assert_eq!(said("250 hello\r\n"), "MAIL FROM:<us@x.example>");
    assert_eq!(said("250 ok\r\n"), "RCPT TO:<ops@x.example>");
    assert_eq!(said("250 ok\r\n"), "DATA");
    assert_eq!(said("354 go on\r\n"), "From: us@x.example");
    let letter: Vec<String> =
        std::iter::from_fn(|| lines.next()?.ok().filter(|line| line != ".")).collect();
    assert_eq!(letter[0], "To: ops@x.example");
    assert!(letter[1].starts_with("Date: "), "{letter:?}");
    let subject = "Subject: [HAProxy Alert] Server b/s is going DOWN for maintenance.";
    assert!(letter[2].starts_with(subject), "{letter:?}");
    assert_eq!(letter[3], "");
    (&stream).write_all(b"250 taken\r\n").expect("it listens");
    assert_eq!(lines.next().expect("a command").expect("in time"), "QUIT");
}
