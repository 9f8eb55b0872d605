//! Answers of issuers about certificates, asked for over HTTP and shown to clients: OpenSSL's responder at one end, its client
//! at the other.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::authority::Authority;
use crate::program::{PATIENCE, Process, check, free_ports};
use crate::tls::{PAGE, Running};

/// OpenSSL's responder, ended when dropped.
struct Responder {
    _child: Process,
    /// Its pipe stays open, for it goes on speaking.
    _said: BufReader<ChildStderr>,
}

impl Responder {
    /// Answers for certificates of `authority` on this port, signed by `signer`.
    fn new(authority: &Authority, signer: &Authority, port: u16) -> Self {
        authority.write_index();
        let mut command = Command::new("openssl");
        command
            .args(["ocsp", "-ndays", "1", "-ignore_err"])
            .args(["-port", &port.to_string()])
            .args(["-index", &authority.path("index")])
            .args(["-CA", &authority.path("ca.pem")])
            .args(["-rsigner", &signer.path("ca.pem")])
            .args(["-rkey", &signer.path("ca.key")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = Process::start(&mut command);
        let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        // A connection that says nothing would hold it up: it has to say itself that it listens.
        while !line.contains("waiting for OCSP client connections") {
            line.clear();
            assert_ne!(said.read_line(&mut line).expect("text"), 0, "no responder");
        }
        Self {
            _child: child,
            _said: said,
        }
    }
}

/// A certificate whose issuer answers on this port, its issuer beside it.
fn signed(authority: &mut Authority, name: &str, serial: u8, port: u16) -> String {
    let place = format!("authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/");
    let path = authority.sign(name, serial, &place);
    fs::copy(authority.path("ca.pem"), format!("{path}.issuer")).expect("copied");
    path
}

/// Reads log lines until one has this end.
fn await_line(log: &UdpSocket, wanted: &str) {
    let mut seen = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let mut buffer = [0; 2048];
        let Ok(len) = log.recv(&mut buffer) else {
            break;
        };
        let line = String::from_utf8_lossy(&buffer[..len])
            .trim_end()
            .to_owned();
        if line.ends_with(wanted) {
            return;
        }
        seen.push(line);
    }
    panic!("no {wanted} among {seen:#?}");
}

#[test]
fn answers_are_asked_for_and_shown() {
    let (mut own, stranger) = (Authority::new("kept"), Authority::new("unheard"));
    let [good, forged, silent] = free_ports();
    let kept = signed(&mut own, "kept.test", 1, good);
    let doubted = signed(&mut own, "doubted.test", 2, forged);
    let lost = signed(&mut own, "lost.test", 3, silent);
    let unasked = signed(&mut own, "unasked.test", 4, silent);
    let _good = Responder::new(&own, &own, good);
    let _forged = Responder::new(&own, &stranger, forged);
    let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    log.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let list = own.path("list");
    let lines = format!(
        "{kept} [ocsp-update on]\n{doubted} [ocsp-update on]\n{lost} [ocsp-update on]\n{unasked} [ocsp-update off]\n"
    );
    fs::write(&list, lines).expect("written");
    let text = format!(
        "global\n log {} local0\n stats socket @D/cli level admin\n ocsp-update.mindelay 1\n ocsp-update.maxdelay 1\n\
         frontend f\n bind @0 ssl crt-list {list}\n{PAGE}",
        log.local_addr().expect("an address")
    );
    let running = Running::new("ocsp", 1, &text);
    await_line(
        &log,
        &format!("<OCSP-UPDATE> {doubted} 4 \"OCSP response check failure\" 1 0"),
    );
    await_line(
        &log,
        &format!("<OCSP-UPDATE> {kept} 1 \"Update successful\" 0 2"),
    );
    await_line(&log, &format!("<OCSP-UPDATE> {lost} 2 \"HTTP error\" 2 0"));
    let shown = |name: &str| running.s_client(0, &["-servername", name, "-status"], "");
    assert!(
        shown("kept.test").contains("Cert Status: good"),
        "{}",
        shown("kept.test")
    );
    for name in ["doubted.test", "lost.test", "unasked.test"] {
        assert!(
            shown(name).contains("OCSP response: no response sent"),
            "{name}"
        );
    }
    let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
    cli.write_all(b"show ssl ocsp-updates\n").expect("written");
    let mut table = String::new();
    cli.read_to_string(&mut table).expect("text");
    assert!(
        table.contains(&format!("| {kept} |")) && table.contains("| 1 | Update successful\n"),
        "{table}"
    );
    assert!(!table.contains(&unasked), "{table}");
}

#[test]
fn answers_come_through_a_proxy_when_an_operator_asks() {
    let mut own = Authority::new("proxied");
    let [far, proxy] = free_ports();
    let kept = signed(&mut own, "kept.test", 1, far);
    let _responder = Responder::new(&own, &own, far);
    // The frontend is the proxy on the way: who asks directly does not pass it.
    let text = format!(
        "global\n stats socket @D/cli level admin\n ocsp-update.httpproxy 127.0.0.1:{proxy}\n\
         frontend f\n bind @0 ssl crt {kept}\n{PAGE}\
         listen way\n bind 127.0.0.1:{proxy}\n http-request deny unless {{ url_beg http://127.0.0.1:{far}/ }}\n \
         http-request set-uri %[path]\n server responder 127.0.0.1:{far}\n"
    );
    let running = Running::new("proxied", 1, &text);
    let ask = |command: &str| {
        let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
        cli.write_all(command.as_bytes()).expect("written");
        let mut answer = String::new();
        cli.read_to_string(&mut answer).expect("text");
        answer
    };
    let shown = || {
        running
            .s_client(0, &["-status"], "")
            .contains("Cert Status: good")
    };
    assert!(!shown(), "nothing is asked where nobody said so");
    assert!(ask("update ssl ocsp-response /none\n").contains("Can't find"));
    ask(&format!("update ssl ocsp-response {kept}\n"));
    let begun = Instant::now();
    while !shown() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{}",
            ask("show ssl ocsp-updates\n")
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let seen = ask("show stat way 1 -1\n");
    let requests = seen.lines().find(|line| line.starts_with("way,FRONTEND,"));
    let requests = requests.and_then(|line| line.split(',').nth(48));
    assert_eq!(requests, Some("1"), "{seen}");
}

#[test]
fn delays_fit_together() {
    for (words, sound) in [
        ("ocsp-update.mindelay 60", true),
        ("ocsp-update.mindelay 4000", false),
        ("ocsp-update.maxdelay 200", false),
        ("tune.ssl.ocsp-update.maxdelay 7200", true),
        ("ocsp-update.disable maybe", false),
    ] {
        let listener = "listen l\n bind 127.0.0.1:1\n mode tcp\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n";
        let checked = check("delays", &format!("global\n {words}\n{listener}"));
        let said = &checked.said;
        assert_eq!(checked.status == Some(0), sound, "{words}: {said}");
        assert!(sound || checked.tells(2, ""), "{said}");
    }
}
