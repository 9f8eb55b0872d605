//! The words of TLS on `bind` lines and in `global`: each is there beside a line without it, and a client sees the difference.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::authority::Authority;
use crate::program::check;
use crate::tls::{PAGE, Running, fixture};

/// What a client of these options shows of its handshake, as openssl says it.
fn shaken(running: &Running, at: usize, more: &[&str]) -> String {
    running.s_client(at, more, "")
}

/// The suite that was agreed on; `(NONE)` where nothing was.
fn suite(running: &Running, at: usize, more: &[&str]) -> String {
    let shown = shaken(running, at, more);
    let (_, rest) = shown.split_once("Cipher is ").expect("it says the suite");
    rest.lines().next().unwrap_or_default().to_owned()
}

const TLS_1_0: &[&str] = &["-tls1", "-cipher", "ALL:@SECLEVEL=0"];
const TLS_1_1: &[&str] = &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
const TLS_1_2: &[&str] = &["-tls1_2"];
const TLS_1_3: &[&str] = &["-tls1_3"];
/// Both suites of TLS 1.2, the weaker first.
const WEAKER_FIRST: &[&str] = &[
    "-tls1_2",
    "-cipher",
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
];
const WEAKER: &str = "ECDHE-ECDSA-AES128-GCM-SHA256";
const STRONGER: &str = "ECDHE-ECDSA-AES256-GCM-SHA384";
const TICKET: &str = "TLS session ticket:";

/// The hello of a client that speaks SSLv3 and nothing else.
const HELLO_SSLV3: &[u8] = b"\x16\x03\x00\x00\x2d\x01\x00\x00\x29\x03\x00\
    0123456789abcdef0123456789abcdef\x00\x00\x02\x00\x2f\x01\x00";

/// How the program answers that: with an alert, or with a hello of its own.
fn sslv3(running: &Running, at: usize) -> u8 {
    let mut client = TcpStream::connect(("127.0.0.1", running.port(at))).expect("it listens");
    client.write_all(HELLO_SSLV3).expect("it reads");
    let mut kind = [0];
    client.read_exact(&mut kind).expect("it answers");
    kind[0]
}

#[test]
fn versions_of_bind_lines() {
    let own = "ssl crt @Tecdsa.pem";
    let text = format!(
        "frontend f\n bind @0 {own} no-sslv3 no-tlsv10 no-tlsv11\n bind @1 {own} no-tlsv12\n \
         bind @2 {own} no-tlsv13\n bind @3 {own} ssl-min-ver TLSv1.3\n bind @4 {own} ssl-max-ver TLSv1.2\n \
         bind @5 {own} force-tlsv12\n bind @6 {own} force-tlsv13\n{PAGE}"
    );
    let running = Running::new("versions", 7, &text);
    let speaks = |at, version| suite(&running, at, version) != "(NONE)";
    assert!(!speaks(0, TLS_1_0), "no-tlsv10");
    assert!(!speaks(0, TLS_1_1), "no-tlsv11");
    assert_eq!(sslv3(&running, 0), 0x15, "no-sslv3");
    assert!(speaks(0, TLS_1_2) && speaks(0, TLS_1_3));
    for newer in [1, 3, 6] {
        assert!(!speaks(newer, TLS_1_2) && speaks(newer, TLS_1_3), "{newer}");
    }
    for older in [2, 4, 5] {
        assert!(speaks(older, TLS_1_2) && !speaks(older, TLS_1_3), "{older}");
    }
}

#[test]
fn protocols_and_tickets_of_bind_lines() {
    let own = "ssl crt @Tecdsa.pem";
    let text = format!(
        "frontend f\n bind @0 {own} alpn own/1,http/1.1\n bind @1 {own} no-tls-tickets\n bind @2 {own}\n{PAGE}"
    );
    let running = Running::new("protocols", 3, &text);
    let own = &["-alpn", "own/1"][..];
    assert!(
        shaken(&running, 0, own).contains("ALPN protocol: own/1"),
        "alpn"
    );
    assert!(!shaken(&running, 2, own).contains("ALPN protocol: own/1"));
    assert!(
        !shaken(&running, 1, TLS_1_2).contains(TICKET),
        "no-tls-tickets"
    );
    assert!(shaken(&running, 2, TLS_1_2).contains(TICKET));
}

#[test]
fn clients_are_examined() {
    let mut authority = Authority::new("examined");
    let mut stranger = Authority::new("stranger");
    let good = authority.sign("good.test", 1, "");
    let bad = authority.sign("bad.test", 2, "");
    let strange = stranger.sign("strange.test", 3, "");
    let (list, ca) = (authority.revoke(2), authority.path("ca.pem"));
    let other = stranger.path("ca.pem");
    let own = "ssl crt @Tecdsa.pem verify";
    let text = format!(
        "frontend f\n bind @0 {own} required ca-file {ca}\n bind @1 {own} required ca-file {ca} crl-file {list}\n \
         bind @2 {own} required ca-file {other} ca-verify-file {ca}\n bind @3 {own} none ca-file {ca}\n \
         bind @4 {own} required ca-file {other}\n{PAGE}"
    );
    let running = Running::new("examined", 5, &text);
    let page = |at, cert: &str| running.page(at, "example.test", &["--cert", cert]);
    let let_in = |at, cert: &str| page(at, cert).ends_with(".test\n");
    assert!(
        let_in(0, &good) && let_in(0, &bad) && !let_in(0, &strange),
        "ca-file"
    );
    assert!(let_in(1, &good) && !let_in(1, &bad), "crl-file");
    assert!(let_in(2, &good) && let_in(2, &strange), "ca-verify-file");
    assert!(!let_in(4, &good));
    assert_eq!(running.page(0, "example.test", &[]), "", "verify required");
    assert!(
        running.page(3, "example.test", &[]).ends_with("0 0 \n"),
        "verify none"
    );
    let names = |at| shaken(&running, at, &[]).contains("CN = examined");
    assert!(
        names(0) && !names(2),
        "clients hear the names of ca-file, not of ca-verify-file"
    );
}

/// A program with these words in `global`, and one frontend that says nothing of it.
fn with_global(name: &str, global: &str, rest: &str) -> Running {
    let text = format!("global\n{global}\nfrontend f\n bind @0 ssl crt @Tecdsa.pem\n{PAGE}{rest}");
    Running::new(name, 1, &text)
}

#[test]
fn options_of_all_bind_lines() {
    let old = with_global(
        "old",
        " ssl-default-bind-options no-sslv3 no-tlsv10 no-tlsv11 no-tls-tickets prefer-client-ciphers",
        "",
    );
    assert_eq!(suite(&old, 0, TLS_1_0), "(NONE)", "no-tlsv10");
    assert_eq!(suite(&old, 0, TLS_1_1), "(NONE)", "no-tlsv11");
    assert_eq!(sslv3(&old, 0), 0x15, "no-sslv3");
    assert!(!shaken(&old, 0, TLS_1_2).contains(TICKET), "no-tls-tickets");
    assert_eq!(
        suite(&old, 0, WEAKER_FIRST),
        WEAKER,
        "prefer-client-ciphers"
    );
    let plain = with_global("plain", "", "");
    assert!(shaken(&plain, 0, TLS_1_2).contains(TICKET));
    assert_eq!(
        suite(&plain, 0, WEAKER_FIRST),
        STRONGER,
        "the server's order"
    );
    for (option, older, newer) in [
        ("no-tlsv12", false, true),
        ("ssl-min-ver TLSv1.3", false, true),
        ("ssl-max-ver TLSv1.2", true, false),
        ("ssl-min-ver TLSv1.2", true, true),
        ("ssl-min-ver TLSv1.1", true, true),
    ] {
        let running = with_global("option", &format!(" ssl-default-bind-options {option}"), "");
        assert_eq!(suite(&running, 0, TLS_1_2) != "(NONE)", older, "{option}");
        assert_eq!(suite(&running, 0, TLS_1_3) != "(NONE)", newer, "{option}");
        assert_eq!(suite(&running, 0, TLS_1_1), "(NONE)", "{option}");
    }
}

#[test]
fn suites_of_all_bind_lines() {
    let global = " ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256\n \
                  ssl-default-bind-ciphersuites TLS_CHACHA20_POLY1305_SHA256";
    let running = with_global("suites", global, "");
    assert_eq!(suite(&running, 0, WEAKER_FIRST), WEAKER);
    let other = ["-tls1_2", "-cipher", STRONGER];
    assert_eq!(
        suite(&running, 0, &other),
        "(NONE)",
        "ssl-default-bind-ciphers"
    );
    let shown = suite(&running, 0, TLS_1_3);
    assert_eq!(
        shown, "TLS_CHACHA20_POLY1305_SHA256",
        "ssl-default-bind-ciphersuites"
    );
}

#[test]
fn sessions_last_and_are_counted_as_said() {
    let text = "global\n tune.ssl.lifetime 77s\n tune.ssl.cachesize 0\nfrontend f\n bind @0 ssl crt @Tecdsa.pem\n \
                bind @1 ssl crt @Tecdsa.pem no-tls-tickets\n";
    let running = Running::new("lifetime", 2, &format!("{text}{PAGE}"));
    let shown = shaken(&running, 0, TLS_1_2);
    let hint = "ticket lifetime hint: 77 (seconds)";
    assert!(shown.contains(hint), "tune.ssl.lifetime: {shown}");
    let again = shaken(&running, 1, &["-tls1_2", "-reconnect"]);
    assert!(
        !again.contains("Reused, TLSv1.2"),
        "tune.ssl.cachesize: {again}"
    );
}

#[test]
fn files_are_found_below_their_bases() {
    let folder = fixture("");
    let text = format!(
        "global\n crt-base {folder}\n ca-base {folder}\ncrt-store own\n crt-base {folder}many\n key-base {folder}many\n \
         load crt a.pem key a.pem alias one\ncrt-store\n load crt {folder}rsa.pem key {folder}rsa.pem\n\
         frontend f\n bind @0 ssl crt ecdsa.pem verify required ca-file ca.pem\n bind @1 ssl crt @own/one\n{PAGE}"
    );
    let running = Running::new("bases", 2, &text);
    let client = fixture("client.pem");
    let page = running.page(0, "example.test", &["--cert", &client]);
    assert!(
        page.ends_with("1 test client\n"),
        "crt-base, ca-base: {page}"
    );
    let store = running.page(1, "a.test", &[]);
    assert!(
        store.starts_with("1 TLSv1.3 a.test"),
        "crt-base, key-base and load of a crt-store: {store}"
    );
}

#[test]
fn keys_and_issuers_are_where_global_says() {
    let mut authority = Authority::new("issuer");
    let own = authority.sign("own.test", 1, "");
    let pem = fs::read_to_string(&own).expect("readable");
    let root = fs::read_to_string(authority.path("ca.pem")).expect("readable");
    fs::write(&own, pem + &root).expect("written");
    let begin = |global: &str| {
        let (folder, long) = (fixture(""), "x".repeat(1500));
        let text = format!(
            "global\n{global} key-base {folder}\ncrt-store\n load crt {folder}rsa.pem key rsa.pem\n\
             frontend f\n bind @0 ssl crt {own}\n bind @1 ssl crt {folder}rsa.pem\n \
             http-request return status 200 content-type text/plain string {long} if {{ path /long }}\n{PAGE}"
        );
        Running::new("keys", 2, &text)
    };
    let sent = |running: &Running| {
        let shown = shaken(running, 0, &["-showcerts"]);
        shown.matches("BEGIN CERTIFICATE").count()
    };
    let plain = begin("");
    assert_eq!(sent(&plain), 2);
    let page = plain.page(1, "example.test", &[]);
    assert!(page.starts_with("1 TLS"), "key-base: {page}");
    let skipping = begin(" ssl-skip-self-issued-ca\n tune.ssl.hard-maxrecord 1024\n");
    assert_eq!(sent(&skipping), 1, "ssl-skip-self-issued-ca");
    let request = "GET /long HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let longest = |running: &Running| {
        let shown = running.s_client(0, &["-msg", "-tls1_2", "-ign_eof"], request);
        // The head of a record with data: its type, the version, the length in two bytes.
        let heads = shown
            .lines()
            .filter_map(|line| line.trim().strip_prefix("17 03 03 "));
        let lengths =
            heads.filter_map(|length| usize::from_str_radix(&length.replace(' ', ""), 16).ok());
        lengths.max().unwrap_or(0)
    };
    assert!(longest(&plain) > 1500, "{}", longest(&plain));
    assert!(
        (1000..1100).contains(&longest(&skipping)),
        "tune.ssl.hard-maxrecord: {}",
        longest(&skipping)
    );
}

/// What `-c` says of a configuration.
fn checked(name: &str, text: &str) -> (Option<i32>, String) {
    let checked = check(name, &text.replace("@T", &fixture("")));
    (checked.status, checked.said)
}

#[test]
fn key_exchange_over_primes_is_never_offered() {
    let text = "global\n tune.ssl.default-dh-param 2048\nfrontend f\n bind @0 ssl crt @Trsa.pem\n";
    let running = Running::new("primes", 1, &format!("{text}{PAGE}"));
    let primes = ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"];
    assert_eq!(suite(&running, 0, &primes), "(NONE)");
    const LISTENER: &str = "frontend f\n bind 127.0.0.1:1\n mode tcp\n timeout client 1s\n";
    let said_of = |name: &str, line: &str| checked(name, &format!("global\n {line}\n{LISTENER}"));
    let (status, said) = said_of("primes", "tune.ssl.default-dh-param 2048");
    assert_eq!(
        (status, said.contains("tune.ssl")),
        (Some(0), false),
        "nothing is lost, nothing is said: {said}"
    );
    let (status, said) = said_of("parameters", "ssl-dh-param-file /etc/dh.pem");
    assert_eq!(status, Some(0));
    assert!(
        said.contains(":2]") && said.contains("'ssl-dh-param-file'"),
        "{said}"
    );
}

#[test]
fn what_openssl_alone_has_is_refused() {
    let (status, said) = checked("openssl", "global\n ssl-mode-async\n");
    assert_eq!(status, Some(1));
    assert!(
        said.contains(":2]") && said.contains("'ssl-mode-async'"),
        "{said}"
    );
    let (status, said) = checked(
        "quic",
        "frontend f\n mode http\n bind quic4@127.0.0.1:443 ssl crt @Tecdsa.pem\n",
    );
    assert_eq!(status, Some(1));
    assert!(said.contains(":3]") && said.contains("quic4@"), "{said}");
}

#[test]
fn a_protocol_that_is_not_spoken_is_named() {
    let (_, said) = checked(
        "proto",
        "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nlisten f\n bind 127.0.0.1:1 proto h2\nlisten g\n bind 127.0.0.1:2\n server s 127.0.0.1:1 proto h2\n",
    );
    assert!(
        said.contains(":7] : 'proto h2' is accepted, but has no effect yet."),
        "{said}"
    );
    let (_, said) = checked(
        "proto",
        "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nlisten g\n bind 127.0.0.1:2\n server s 127.0.0.1:1 proto h2\n",
    );
    assert!(
        said.contains(":8] : 'proto h2' is accepted, but has no effect yet."),
        "{said}"
    );
}
