//! Workers that are kept from their processor: what arrived in time is not late because it was looked at late.

use super::rig::Rig;
use super::scenarios;
use super::tests::{OK, answering};
use crate::config::Source;
use crate::site::Site;

fn site(text: &str) -> Site {
    let source = Source::Text {
        name: "stalls".into(),
        text: text.into(),
    };
    scenarios::read(source).expect("it is valid")
}

const DEFAULTS: &str =
    "defaults\n mode http\n timeout connect 50ms\n timeout client 1s\n timeout server 1s\n";

#[test]
fn a_connection_that_stands_has_not_failed() {
    let text = format!(
        "{DEFAULTS} retries 0\nfrontend f\n bind 127.0.0.1:80\n default_backend b\nbackend b\n server s 127.0.0.1:8000\n"
    );
    let mut rig = Rig::new(site(&text), answering(OK));
    let client = rig.client();
    client.send(b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    rig.turn();
    assert_eq!(rig.dials(), 1);
    rig.advance(60);
    let got = client.take();
    assert!(got.starts_with(b"HTTP/1.1 200 "), "{}", got.escape_ascii());
}

#[test]
fn a_client_that_has_asked_is_not_told_to_hurry() {
    let text = format!(
        "{DEFAULTS} timeout http-request 50ms\nfrontend f\n bind 127.0.0.1:80\n http-request return status 200\n"
    );
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: h\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\n", "408"),
    ] {
        let mut rig = Rig::new(site(&text), answering(OK));
        let client = rig.client();
        rig.turn();
        client.send(request.as_bytes());
        rig.advance(60);
        let got = client.take();
        let start = format!("HTTP/1.1 {status} ");
        assert!(got.starts_with(start.as_bytes()), "{}", got.escape_ascii());
    }
}

#[test]
fn a_server_that_has_answered_its_check_is_up() {
    let text = format!(
        "{DEFAULTS}backend b\n option httpchk GET /\n server s 127.0.0.1:8000 check inter 50ms fall 1\n"
    );
    for (answer, is_down) in [(OK, false), ("", true)] {
        let mut rig = Rig::new(site(&text), answering(answer));
        rig.begin_checks();
        // It connects; once it has asked, the answer comes while nobody looks.
        while rig.dials() == 0 {
            rig.begin_turn(1);
        }
        rig.turn();
        rig.advance(60);
        let lines = String::from_utf8_lossy(&rig.lines.borrow()).into_owned();
        assert_eq!(lines.contains("is DOWN"), is_down, "{lines}");
        rig.end_checks();
    }
}
