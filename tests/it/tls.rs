//! TLS at both ends, seen by curl and OpenSSL.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::program::{self, PATIENCE, Scratch, check, free_port, silent};

/// A running program, ended when dropped.
pub(crate) struct Running {
    running: program::Running,
    ports: Vec<u16>,
}

impl Running {
    /// Starts with a configuration in which `@0`, `@1`, … stand for free addresses, `@T` for the fixtures and `@D` for its own
    /// directory.
    pub(crate) fn new(name: &str, ports: usize, text: &str) -> Self {
        let folder = Scratch::new(name);
        let ports: Vec<u16> = (0..ports).map(|_| free_port()).collect();
        let mut text = format!("{DEFAULTS}{text}").replace("@T", &fixture(""));
        text = text.replace("@D", &folder.path(""));
        for (at, port) in ports.iter().enumerate().rev() {
            text = text.replace(&format!("@{at}"), &format!("127.0.0.1:{port}"));
        }
        let running = program::Running::by(silent(&program::path()), folder, &text);
        let running = running.listening(ports[0]);
        Self { running, ports }
    }

    pub(crate) fn port(&self, at: usize) -> u16 {
        self.ports[at]
    }

    /// A file of its own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.running.folder.join(name)
    }

    fn curl(&self, at: usize, host: &str, more: &[&str]) -> Output {
        let port = self.ports[at];
        Command::new("curl")
            .args(["-s", "-m", "8", "--cacert", &fixture("ca.pem")])
            .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
            .args(more)
            .arg(format!("https://{host}:{port}/"))
            .output()
            .expect("curl runs")
    }

    pub(crate) fn page(&self, at: usize, host: &str, more: &[&str]) -> String {
        String::from_utf8(self.curl(at, host, more).stdout).expect("text")
    }

    /// What `openssl s_client` shows after sending `input`.
    pub(crate) fn s_client(&self, at: usize, more: &[&str], input: &str) -> String {
        let mut child = Command::new("openssl")
            .args([
                "s_client",
                "-connect",
                &format!("127.0.0.1:{}", self.ports[at]),
            ])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("a reader");
        drop(stdin);
        let output = child.wait_with_output().expect("openssl ends");
        let mut shown = String::from_utf8_lossy(&output.stdout).into_owned();
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
        shown
    }
}

const DEFAULTS: &str = "global\n nbthread 2\ndefaults\n mode http\n timeout connect 2s\n timeout client 2s\n timeout server 5s\n";

/// What the connection is, as a page.
pub(crate) const PAGE: &str = " http-request return status 200 content-type text/plain lf-string \"%[ssl_fc] %[ssl_fc_protocol] %[ssl_fc_sni] %[ssl_fc_alpn] %[ssl_fc_is_resumed] %[ssl_c_used] %[ssl_c_s_dn(CN)]\\n\"\n";

pub(crate) fn fixture(name: &str) -> String {
    format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn clients_of_both_versions_and_names() {
    let text = format!(
        "frontend f\n bind @0 ssl crt @Tecdsa.pem crt @Trsa.pem crt @Tmany alpn h2,http/1.1\n{PAGE}"
    );
    let running = Running::new("names", 1, &text);
    let page = |host: &str, more: &[&str]| running.page(0, host, more);
    let common = "http/1.1 0 0 \n";
    assert_eq!(
        page("example.test", &[]),
        format!("1 TLSv1.3 example.test {common}")
    );
    assert_eq!(
        page("a.test", &["--tls-max", "1.2"]),
        format!("1 TLSv1.2 a.test {common}")
    );
    assert_eq!(
        page("x.wild.test", &[]),
        format!("1 TLSv1.3 x.wild.test {common}")
    );
    assert_eq!(
        page("example.test", &["--no-alpn"]),
        "1 TLSv1.3 example.test  0 0 \n"
    );
    let strange = running.curl(0, "two.x.wild.test", &[]);
    assert_eq!(
        strange.status.code(),
        Some(60),
        "the default certificate is not for it"
    );
    let rsa = running.s_client(
        0,
        &[
            "-servername",
            "example.test",
            "-sigalgs",
            "rsa_pss_rsae_sha256",
        ],
        "",
    );
    assert!(rsa.contains("Peer signature type: RSA-PSS"), "{rsa}");
    let ecdsa = running.s_client(0, &["-servername", "example.test"], "");
    assert!(ecdsa.contains("Peer signature type: ECDSA"), "{ecdsa}");
    let old = running.s_client(0, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "");
    assert!(old.contains("alert"), "{old}");
}

#[test]
fn sessions_go_on_in_every_worker() {
    let text = format!("frontend f\n bind @0 ssl crt @Tecdsa.pem\n{PAGE}");
    let running = Running::new("resumed", 1, &text);
    let shown = running.s_client(0, &["-tls1_2", "-reconnect"], "");
    assert_eq!(shown.matches("Reused, TLSv1.2").count(), 5, "{shown}");
    let kept = running.running.folder.path("session");
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let first = running.s_client(0, &["-tls1_3", "-ign_eof", "-sess_out", &kept], request);
    assert!(first.contains("New, TLSv1.3"), "{first}");
    let second = running.s_client(0, &["-tls1_3", "-ign_eof", "-sess_in", &kept], request);
    assert!(second.contains("Reused, TLSv1.3"), "{second}");
    assert!(second.contains("1 TLSv1.3   1 0"), "{second}");
}

#[test]
fn sessions_are_remembered_without_tickets() {
    let text = format!("frontend f\n bind @0 ssl crt @Tecdsa.pem no-tls-tickets\n{PAGE}");
    let running = Running::new("remembered", 1, &text);
    let shown = running.s_client(0, &["-tls1_2", "-reconnect"], "");
    assert_eq!(shown.matches("Reused, TLSv1.2").count(), 5, "{shown}");
    assert!(!shown.contains("TLS session ticket:"), "{shown}");
}

#[test]
fn clients_show_certificates() {
    let text = format!(
        "frontend f\n bind @0 ssl crt @Tecdsa.pem ca-file @Tca.pem verify required\n bind @1 ssl crt @Tecdsa.pem ca-file @Tca.pem verify optional strict-sni\n{PAGE}"
    );
    let running = Running::new("verify", 2, &text);
    let own = fixture("client.pem");
    assert_eq!(running.page(0, "example.test", &[]), "");
    assert!(
        running
            .page(0, "example.test", &["--cert", &own])
            .ends_with("1 test client\n")
    );
    assert!(
        running
            .page(1, "example.test", &["--cert", &own])
            .ends_with("1 test client\n")
    );
    assert!(running.page(1, "example.test", &[]).ends_with("0 0 \n"));
    assert_eq!(running.page(1, "other.test", &["-k"]), "", "strict-sni");
}

#[test]
fn servers_are_reached_and_checked() {
    let text = format!(
        "frontend f\n bind @0 ssl crt @Tecdsa.pem\n bind @1 ssl crt @Trsa.pem accept-proxy\n bind @2 ssl crt @Trsa.pem ca-file @Tca.pem verify required\n{PAGE}\
         frontend good\n bind @3 ssl crt @Tecdsa.pem\n default_backend good\n\
         backend good\n server s @0 ssl verify required ca-file @Tca.pem sni str(www.example.test) check inter 100ms\n\
         frontend wrong\n bind @4 ssl crt @Tecdsa.pem\n default_backend wrong\n\
         backend wrong\n retries 0\n server s @0 ssl verify required ca-file @Tca.pem verifyhost other.test\n\
         frontend proxied\n bind @5 ssl crt @Tecdsa.pem\n default_backend proxied\n\
         backend proxied\n server s @1 ssl verify none send-proxy-v2\n\
         frontend known\n bind @6 ssl crt @Tecdsa.pem\n default_backend known\n\
         backend known\n server s @2 ssl verify none crt @Tclient.pem ssl-max-ver TLSv1.2\n"
    );
    let running = Running::new("servers", 7, &text);
    std::thread::sleep(Duration::from_millis(400));
    let page = |at: usize| running.page(at, "example.test", &[]);
    assert!(
        page(3).starts_with("1 TLSv1.3 www.example.test"),
        "{}",
        page(3)
    );
    assert!(page(4).contains("503 Service Unavailable"));
    assert!(page(5).starts_with("1 TLSv1.3"));
    assert!(page(6).starts_with("1 TLSv1.2"));
    assert!(page(6).ends_with("1 test client\n"));
}

#[test]
fn what_is_no_handshake_ends() {
    let text = format!("frontend f\n bind @0 ssl crt @Tecdsa.pem\n{PAGE}");
    let running = Running::new("hostile", 1, &text);
    let hellos: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x16, 0x03, 0x01, 0x00, 0x00],
        &[0x16, 0x03, 0x01, 0xff, 0xff, 0x01],
        &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28],
        &[0x80, 0x2e, 0x01, 0x00, 0x02],
        &[0; 20_000],
        &[0x16, 0x03, 0x01],
        b"",
    ];
    for hello in hellos {
        let mut client = TcpStream::connect(("127.0.0.1", running.ports[0])).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let _ = client.write_all(hello);
        let mut answer = Vec::new();
        let end = client.read_to_end(&mut answer);
        let timed_out =
            matches!(&end, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "{hello:?} is waited for without an end");
        assert!(answer.len() < 16, "{answer:?}");
    }
    assert!(running.page(0, "example.test", &[]).starts_with("1 TLS"));
}

#[test]
fn wrong_files_are_named() {
    let shown = |line: &str| {
        let text = format!("{DEFAULTS}frontend f\n bind 127.0.0.1:1 ssl {line}\n");
        check("tls-files", &text.replace("@T", &fixture(""))).said
    };
    for (line, said) in [
        (
            "crt /none.pem",
            "unable to stat SSL certificate from file '/none.pem' : No such file or directory.",
        ),
        (
            "crt @Tmismatch.pem",
            "inconsistencies between private key and certificate",
        ),
        ("crt @Texpired.pem", "expired.pem' has expired."),
        ("", "no SSL certificate specified"),
        (
            "crt @Tecdsa.pem verify required",
            "verify is enabled but no CA file is specified",
        ),
        (
            "crt @Tecdsa.pem ca-file /none verify required",
            "unable to load CA file '/none'",
        ),
        (
            "crt @Tecdsa.pem curves X448:P-256",
            "curve 'X448' is not offered by sluice",
        ),
        ("crt @Tecdsa.pem ciphers RC4", "leaves nothing"),
        (
            "crt @Tecdsa.pem ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2",
            "above 'ssl-max-ver'",
        ),
    ] {
        let shown = shown(line);
        assert!(shown.contains(said), "{line}: {shown}");
    }
}
