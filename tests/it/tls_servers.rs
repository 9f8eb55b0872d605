//! The words of TLS and of the PROXY protocol on `server` lines, and the options of all servers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::tls::{PAGE, Running, fixture};

const PATIENCE: Duration = Duration::from_secs(10);

/// The last part of the page that this frontend gives.
fn page(running: &Running, at: usize) -> String {
    running.page(at, "example.test", &[])
}

#[test]
fn sessions_with_servers_are_as_their_lines_say() {
    let ways = [
        ("ssl verify none", "TLSv1.3 "),
        ("ssl verify none sni str(a.test)", "TLSv1.3 a.test"),
        ("ssl verify none alpn own/1 no-sni-auto", "TLSv1.3  own/1"),
        (
            "ssl verify none no-sni-auto crt @Tclient.pem",
            "test client",
        ),
        ("ssl verify none ssl-max-ver TLSv1.2", "TLSv1.2"),
        ("ssl verify required ca-file @Tclient.pem", "503"),
        ("", "502"),
    ];
    let mut text = String::from(
        "frontend inner\n bind @0 ssl crt @Tecdsa.pem alpn own/1,http/1.1 verify optional ca-file @Tca.pem\n",
    );
    text.push_str(PAGE);
    for (at, (words, _)) in ways.iter().enumerate() {
        let at = at + 1;
        text.push_str(&format!(
            "listen l{at}\n bind @{at} ssl crt @Tecdsa.pem\n retries 0\n server s @0 {words}\n"
        ));
    }
    let running = Running::new("lines", ways.len() + 1, &text);
    for (at, (words, wanted)) in ways.iter().enumerate() {
        let shown = page(&running, at + 1);
        assert!(shown.contains(wanted), "{words}: {shown}");
    }
}

/// What is shown by a server of a program with these words in `global`.
fn by_default(global: &str, inner: &str, more: &str) -> String {
    let text = format!(
        "global\n{global}\nfrontend inner\n bind @0 ssl crt @Tecdsa.pem {inner}\n \
         http-request return status 200 content-type text/plain lf-string \"%[ssl_fc_protocol] %[ssl_fc_cipher] %[ssl_fc_is_resumed]\"\n\
         listen l\n bind @1 ssl crt @Tecdsa.pem\n retries 0\n http-reuse never\n server s @0 ssl {more}\n"
    );
    let running = Running::new("default", 2, &text);
    let first = page(&running, 1);
    first + " | " + &page(&running, 1)
}

#[test]
fn options_of_all_servers() {
    let said = |words: &str, inner: &str| {
        let global = format!(" ssl-server-verify none\n ssl-default-server-options {words}");
        by_default(&global, inner, "")
    };
    let old = said("no-sslv3 no-tlsv10 no-tlsv11", "");
    assert!(old.starts_with("TLSv1.3"), "{old}");
    let newer = said("no-tlsv12", "ssl-max-ver TLSv1.2");
    assert!(newer.contains("503"), "no-tlsv12: {newer}");
    let older = said("ssl-max-ver TLSv1.2", "");
    assert!(older.starts_with("TLSv1.2"), "ssl-max-ver: {older}");
    let tickets = said("no-tls-tickets ssl-max-ver TLSv1.2", "");
    assert!(tickets.ends_with(" 0"), "no-tls-tickets: {tickets}");
    let resumed = said("ssl-max-ver TLSv1.2", "");
    assert!(resumed.ends_with(" 1"), "{resumed}");
}

#[test]
fn suites_of_all_servers() {
    let global = " ssl-server-verify none\n ssl-default-server-ciphers ECDHE-ECDSA-AES128-GCM-SHA256\n \
                  ssl-default-server-ciphersuites TLS_CHACHA20_POLY1305_SHA256";
    let newer = by_default(global, "", "");
    assert!(
        newer.contains("TLS_CHACHA20_POLY1305_SHA256"),
        "ssl-default-server-ciphersuites: {newer}"
    );
    let older = by_default(global, "", "ssl-max-ver TLSv1.2");
    assert!(
        older.contains("ECDHE-ECDSA-AES128-GCM-SHA256"),
        "ssl-default-server-ciphers: {older}"
    );
    let checked = by_default("", "", &format!("ca-file {}", fixture("client.pem")));
    assert!(
        checked.contains("503"),
        "without ssl-server-verify none a stranger is refused: {checked}"
    );
}

#[test]
fn checks_speak_as_their_lines_say() {
    let text = "global\n stats socket @D/cli level admin\n\
        frontend secret\n bind @0 ssl crt @Tecdsa.pem\n http-request return status 200\n\
        frontend told\n bind @1 accept-proxy\n http-request return status 200\n\
        frontend plain\n bind @2\n http-request return status 200\n\
        frontend picky\n bind @3 ssl crt @Tecdsa.pem\n http-request return status 200 if { ssl_fc_sni www.test }\n\
        backend c\n option httpchk\n http-check send hdr Host www.test:8443\n \
        default-server inter 50ms rise 1 fall 1 check-ssl verify none\n \
        server auto @3 check\n server mute @3 check no-check-sni-auto\n server said @3 check check-sni other.test\n\
        backend b\n option httpchk\n default-server inter 50ms rise 1 fall 1 verify none\n \
        server tls @0 check check-ssl\n server named @0 check check-ssl check-sni a.test\n server bare @0 check\n \
        server told @1 check check-send-proxy\n server untold @1 check\n \
        default-server check-ssl\n server clear @2 check no-check-ssl\n server unclear @2 check\n";
    let running = Running::new("checks", 4, text);
    let begun = Instant::now();
    loop {
        let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
        cli.write_all(b"show stat -1 4 -1\n").expect("written");
        let mut shown = String::new();
        cli.read_to_string(&mut shown).expect("text");
        let status = |server: &str| {
            let line = shown
                .lines()
                .find(|line| line.contains(&format!(",{server},")));
            line.and_then(|line| line.split(',').nth(36))
                .unwrap_or_default()
                .to_owned()
        };
        let good = ["tls", "named", "told", "clear", "auto"].map(status);
        let bad = ["bare", "untold", "unclear", "mute", "said"].map(status);
        if good.iter().all(|own| own == "L7OK")
            && bad.iter().all(|own| own != "L7OK" && own != "INI")
        {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{good:?} {bad:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn servers_are_told_of_the_client_and_its_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = listener.local_addr().expect("an address");
    let text = format!(
        "listen l\n mode tcp\n bind @0 ssl crt @Tecdsa.pem verify required ca-file @Tca.pem\n server s {server} send-proxy-v2-ssl-cn\n"
    );
    let running = Running::new("told", 1, &text);
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        // The start of the program is seen by a connection that says nothing.
        while !heard.ends_with(b"hello") {
            let (mut client, _) = listener.accept().expect("a connection");
            heard.clear();
            client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            let mut piece = [0; 512];
            while let Ok(count @ 1..) = client.read(&mut piece) {
                heard.extend_from_slice(&piece[..count]);
            }
        }
        heard
    });
    let client = fixture("client.pem");
    running.s_client(0, &["-cert", &client, "-quiet", "-no_ign_eof"], "hello");
    let heard = heard.join().expect("it was told");
    assert!(
        heard.starts_with(b"\r\n\r\n\0\r\nQUIT\n\x21\x11"),
        "{heard:?}"
    );
    // The type of the certificate's name, its length, itself.
    let told = heard
        .windows(14)
        .any(|part| part == b"\x22\x00\x0btest client");
    assert!(told, "send-proxy-v2-ssl-cn: {}", heard.escape_ascii());
}
