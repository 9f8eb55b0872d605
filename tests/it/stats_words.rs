//! Each word of the statistics page, in the section itself and inherited: the page with it beside the page without.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{PATIENCE, Running, free_ports, with_ports};

/// `#n` stands for a port.
const CONFIGURATION: &str = "\
defaults plain
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    retries 0
defaults page from plain
    stats enable
    stats uri /given
    stats auth joe:secret
    stats realm Given
    stats refresh 9s
    stats hide-version
defaults alone from plain
    stats enable
listen usual from plain
    bind 127.0.0.1:#0
    stats enable
listen inherits from alone
    bind 127.0.0.1:#5
listen every from plain
    bind 127.0.0.1:#1
    stats enable
    stats uri /own
    stats refresh 7s
    stats hide-version
    stats show-node here-it-is
    stats show-legends
    stats show-desc what-it-is-for
    stats scope every
    stats admin if TRUE
    stats http-request deny if { hdr(x-bad) -m found }
    server s1 127.0.0.1:1
listen given from page
    bind 127.0.0.1:#2
listen asked from plain
    bind 127.0.0.1:#3
    stats auth joe:secret
    stats realm Own
listen none from plain
    bind 127.0.0.1:#4
    server s1 127.0.0.1:1
";

fn ask(port: u16, path: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn every_word_changes_the_page() {
    let ports = free_ports::<6>();
    let text = with_ports(CONFIGURATION, &ports);
    let [usual, every, given, asked, none, inherits] = ports;
    let _running = Running::new("stats-words", &text).listening(inherits);
    let plain = ask(usual, "/haproxy?stats", "");
    assert!(plain.starts_with("HTTP/1.1 200 "), "{plain}");
    assert!(ask(inherits, "/haproxy?stats", "").starts_with("HTTP/1.1 200 "));
    let page = ask(every, "/own", "");
    let with = [
        "refresh: 7\r\n",
        " on here-it-is",
        ": what-it-is-for",
        "<small>mode: http",
        "<form method=\"post\"",
    ];
    for part in with {
        assert!(page.contains(part), "{part} in {page}");
    }
    for part in with {
        assert!(!plain.contains(part), "{part} in {plain}");
    }
    assert!(plain.contains(" version ") && !page.contains(" version "));
    assert!(plain.contains("id=\"given\"") && !page.contains("id=\"given\""));
    assert!(page.contains("id=\"every\""));
    assert!(ask(every, "/own", "x-bad: 1\r\n").starts_with("HTTP/1.1 403 "));
    assert!(ask(every, "/haproxy?stats", "").starts_with("HTTP/1.1 503 "));
    for (port, path, realm) in [(given, "/given", "Given"), (asked, "/haproxy?stats", "Own")] {
        let refused = ask(port, path, "");
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
        assert!(refused.contains(&format!("realm=\"{realm}\"")), "{refused}");
    }
    let page = ask(given, "/given", "authorization: Basic am9lOnNlY3JldA==\r\n");
    assert!(page.contains("refresh: 9\r\n") && !page.contains(" version "));
    let page = ask(
        asked,
        "/haproxy?stats",
        "authorization: Basic am9lOnNlY3JldA==\r\n",
    );
    assert!(page.contains(" version "), "{page}");
    assert!(ask(none, "/haproxy?stats", "").starts_with("HTTP/1.1 503 "));
}
