//! Programs that operators keep around HAProxy go on working around this one: each is the real one, from its package, called as its users do.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::{Command, Stdio};

use crate::program::{PATIENCE, Process, Running, Scratch, await_that, free_ports, silent};

/// The program under test before a server that answers, with a stats socket and logs.
struct Site {
    running: Running,
    port: u16,
    tls: u16,
    log: UdpSocket,
}

impl Site {
    fn start(name: &str) -> Self {
        let folder = Scratch::new(name);
        let [port, tls, origin] = free_ports();
        let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        log.set_read_timeout(Some(PATIENCE)).expect("not zero");
        let to = log.local_addr().expect("bound");
        let certificates = folder.path("certs");
        fs::create_dir(&certificates).expect("a writable folder");
        fs::copy("tests/tls/ecdsa.pem", format!("{certificates}/first.pem")).expect("a fixture");
        let text = format!(
            "global\n stats socket {} level admin\n log {to} local0\n log-send-hostname here\n\
             defaults\n mode http\n option dontlognull\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n\
             frontend web\n bind 127.0.0.1:{port}\n bind 127.0.0.1:{tls} ssl crt {certificates}/\n log global\n option httplog\n \
             default_backend app\nbackend app\n server one 127.0.0.1:{origin} check\n\
             frontend origin\n bind 127.0.0.1:{origin}\n http-request return status 200\n",
            folder.path("cli")
        );
        let silent = silent(&crate::program::path());
        let running = Running::by(silent, folder, &text).listening(port);
        Self {
            running,
            port,
            tls,
            log,
        }
    }

    fn path(&self, name: &str) -> String {
        self.running.folder.path(name)
    }
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("a small request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// What a program makes of its standard input.
fn filtered(command: &mut Command, input: &str) -> String {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("our own child");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn halog_counts_our_lines() {
    let site = Site::start("halog");
    let mut lines = String::new();
    for at in 0..3 {
        assert!(get(site.port, &format!("/{at}")).starts_with("HTTP/1.1 200"));
        let mut line = [0; 2048];
        let length = site.log.recv(&mut line).expect("a line in time");
        let line = String::from_utf8_lossy(&line[..length]).into_owned();
        lines += line.split_once('>').expect("a priority").1;
        lines += "\n";
    }
    let mut halog = Command::new("halog");
    halog.env("PATH", "/usr/sbin:/usr/bin");
    let counted = filtered(halog.args(["-q", "-srv"]), &lines);
    assert!(
        counted.contains("app/one 0 3 0 0 0 0 3 3 100.0 "),
        "{counted}\n{lines}"
    );
}

#[test]
fn the_exporter_for_prometheus_reads_our_statistics() {
    let site = Site::start("exporter");
    let [port] = free_ports();
    let mut command = Command::new("prometheus-haproxy-exporter");
    command
        .arg(format!("--haproxy.scrape-uri=unix:{}", site.path("cli")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stderr(Stdio::null());
    let mut exporter = Process::start(&mut command);
    exporter.await_port(port);
    let figures = get(port, "/metrics");
    for wanted in [
        "\nhaproxy_up 1\n",
        "\nhaproxy_exporter_csv_parse_failures_total 0\n",
        "\nhaproxy_server_up{backend=\"app\",server=\"one\"} 1\n",
    ] {
        assert!(figures.contains(wanted), "{wanted} in {figures}");
    }
}

#[test]
fn hatop_shows_our_servers() {
    let site = Site::start("hatop");
    let line = format!("stty rows 40 cols 150; exec hatop -s {}", site.path("cli"));
    let mut command = Command::new("timeout");
    command
        .args([
            "-k",
            "1",
            "9",
            "script",
            "-q",
            "-e",
            "-c",
            &line,
            "/dev/null",
        ])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut hatop = Process::start(&mut command);
    let mut screen = hatop.stdout.take().expect("a pipe");
    let mut shown = Vec::new();
    let mut pieces = [0; 4096];
    while !String::from_utf8_lossy(&shown).contains("L4OK") {
        let length = screen.read(&mut pieces).expect("a pipe");
        let text = String::from_utf8_lossy(&shown);
        assert!(length > 0, "it ended: {text}");
        shown.extend_from_slice(&pieces[..length]);
    }
    let mut keys = hatop.stdin.take().expect("a pipe");
    keys.write_all(b"q").expect("it reads");
    await_that("hatop ends", || {
        hatop.try_wait().expect("our own child").is_some()
    });
}

/// As those of certbot's and acme.sh's users: a certificate that is new to a directory, without a reload.
const HOOK: &str = r#"
new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
    -keyout - 2>/dev/null; }
tell() { socat -t5 "$cli" -; }
pem=$certs/new.pem
new new.test >"$pem"
echo "show ssl crt-list" | tell | grep -q "^$certs\$" || echo "no list"
echo "new ssl cert $pem" | tell | grep -q "New empty" || echo "not made"
printf 'set ssl cert %s <<\n%s\n\n' "$pem" "$(cat "$pem")" | tell | grep -q "Transaction created" || echo "not set"
echo "commit ssl cert $pem" | tell | grep -q "^Success!" || echo "not committed"
echo "add ssl crt-list $certs/ $pem" | tell | grep -q "^Success!" || echo "not added"
echo "add ssl crt-list $certs/ $pem" | tell | grep -q "already exists in this directory" || echo "added twice"
echo | openssl s_client -connect "127.0.0.1:$port" -servername new.test 2>/dev/null | grep -o "subject=.*"
echo "del ssl crt-list $certs/ $certs/first.pem" | tell | grep -q "used as default" || echo "the default went"
echo "del ssl crt-list $certs $pem" | tell | grep -q "deleted in crtlist" || echo "not deleted"
echo "del ssl cert $pem" | tell | grep -q "deleted" || echo "kept"
"#;

#[test]
fn a_deploy_hook_adds_a_certificate_to_a_directory() {
    let site = Site::start("hook");
    let mut shell = Command::new("sh");
    shell
        .env("cli", site.path("cli"))
        .env("certs", site.path("certs"))
        .env("port", site.tls.to_string());
    let said = filtered(&mut shell, HOOK);
    assert_eq!(said, "subject=CN = new.test\n");
}
