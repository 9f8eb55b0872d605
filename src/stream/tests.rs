//! Exchanges on the rig: whole, byte by byte, broken off at each position.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::rig::{Dialed, Rig};
use crate::addr::SockAddr;
use crate::balance::{Algorithm, Policy, Tuning};
use crate::id::{BackendId, FrontendId, ListenerId, ServerId};
use crate::site::{
    Backend, Destination, Frontend, HttpConnections, Lineup, Listener, Mode, Port, Reuse, Server,
    Service, Site, Timeouts,
};
use crate::time::Millis;
use crate::time::date::{Dates, Zone};

fn address(text: &str) -> SockAddr {
    SockAddr::from(text.parse::<std::net::SocketAddr>().unwrap())
}

pub(super) fn site(mode: Mode) -> Site {
    let timeouts = Timeouts {
        client: Some(Millis::seconds(10)),
        server: Some(Millis::seconds(20)),
        connect: Some(Millis::seconds(5)),
        ..Timeouts::default()
    };
    let at = address("192.0.2.50:8000");
    let servers = vec![Server::new(
        Arc::from("s1"),
        BackendId::at(0),
        Destination::At(at),
        Port::Fixed(8000),
    )]
    .into();
    let ids = vec![ServerId::at(0)].into();
    let lineup = Lineup {
        servers: &servers,
        ids: &ids,
        load: 0,
    };
    let policy = Policy::new(Algorithm::RoundRobin, Tuning::default(), &lineup);
    let backend = Backend {
        mode,
        timeouts,
        reuse: Reuse::Always,
        ..Backend::new(Arc::from("be"), ids, policy)
    };
    Site {
        frontends: vec![Frontend {
            name: Arc::from("fe"),
            mode,
            listeners: vec![ListenerId::at(0)],
            timeouts,
            default_backend: Some(BackendId::at(0)),
            connections: AtomicUsize::new(0),
            ..Frontend::default()
        }],
        backends: vec![backend],
        servers,
        listeners: vec![Listener::new(
            Service::Frontend(FrontendId::at(0)),
            address("192.0.2.9:80"),
        )],
        ..Site::default()
    }
}

/// A server that answers each complete request head with `response`.
pub(super) fn answering(response: &'static str) -> impl FnMut(&mut Dialed) {
    move |dialed| {
        while let Some(end) = dialed
            .seen
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        {
            dialed.seen.drain(..end + 4);
            dialed.script.send(response.as_bytes());
        }
    }
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
pub(super) const GET: &[u8] = b"GET /x HTTP/1.1\r\nhost: example.org\r\n\r\n";

#[test]
fn a_request_passes_and_its_response_comes_back() {
    for cut in [0, 1, 2, 7] {
        let mut rig = Rig::new(site(Mode::Http), answering(OK));
        rig.cut_servers(cut);
        let client = rig.client();
        client.cut(cut);
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK, "cut {cut}");
        client.end();
        rig.run();
        rig.assert_at_rest();
    }
}

#[test]
fn both_connections_serve_again() {
    let mut rig = Rig::new(site(Mode::Http), answering(OK));
    let client = rig.client();
    for _ in 0..5 {
        client.send(GET);
        rig.run();
        assert_eq!(String::from_utf8_lossy(&client.take()), OK);
    }
    assert_eq!(rig.dials(), 1);
    rig.assert_at_rest();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut rig = Rig::new(site(Mode::Http), answering(OK));
    let client = rig.client();
    client.send(&GET.repeat(3));
    rig.run();
    assert_eq!(String::from_utf8_lossy(&client.take()), OK.repeat(3));
    rig.assert_at_rest();
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let mut rig = Rig::new(site(Mode::Http), |dialed: &mut Dialed| {
        if dialed.seen.ends_with(b"\r\n\r\n") {
            dialed.seen.clear();
            dialed.script.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end");
            dialed.script.end();
        }
    });
    let client = rig.client();
    client.send(GET);
    rig.run();
    let expected = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end";
    assert_eq!(String::from_utf8_lossy(&client.take()), expected);
    assert!(client.is_gone());
    rig.assert_at_rest();
}

#[test]
fn a_body_that_is_cut_off_ends_the_exchange_at_once() {
    let mut rig = Rig::new(site(Mode::Http), |_: &mut Dialed| {});
    let client = rig.client();
    client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12");
    rig.run();
    client.end();
    rig.run();
    // Nobody's timeout was waited for.
    rig.assert_at_rest();
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12";
    let mut rig = Rig::new(site(Mode::Http), move |dialed: &mut Dialed| {
        if dialed.seen.ends_with(b"\r\n\r\n") {
            dialed.seen.clear();
            dialed.script.send(half.as_bytes());
            dialed.script.end();
        }
    });
    let client = rig.client();
    client.send(GET);
    rig.run();
    assert!(
        client.is_gone(),
        "a short answer must not look like a whole one"
    );
    assert!(client.take().ends_with(b"\r\n\r\n12"));
    rig.assert_at_rest();
}

#[test]
fn a_refused_server_is_a_503() {
    let mut rig = Rig::new(site(Mode::Http), answering(OK));
    rig.refuse_servers();
    let client = rig.client();
    client.send(GET);
    rig.run();
    rig.run_out(4_000);
    assert!(client.take().starts_with(b"HTTP/1.1 503 "));
    rig.assert_at_rest();
}

#[test]
fn a_silent_server_is_a_504_and_a_silent_client_a_408() {
    let mut rig = Rig::new(site(Mode::Http), |_: &mut Dialed| {});
    let client = rig.client();
    client.send(GET);
    rig.run();
    rig.run_out(60_000);
    assert!(client.take().starts_with(b"HTTP/1.1 504 "));
    let silent = rig.client();
    rig.run();
    rig.run_out(60_000);
    assert_eq!(&silent.take()[..13], b"HTTP/1.1 408 ");
    rig.assert_at_rest();
}

#[test]
fn a_reset_at_any_byte_leaves_nothing() {
    for position in 0..OK.len() {
        let mut rig = Rig::new(site(Mode::Http), move |dialed: &mut Dialed| {
            dialed.script.reset_after(position);
            dialed.script.send(OK.as_bytes());
        });
        let client = rig.client();
        client.send(GET);
        rig.run();
        rig.run_out(60_000);
        let seen = client.take();
        assert!(
            seen.starts_with(b"HTTP/1.1 502 ") || OK.as_bytes().starts_with(&seen),
            "reset after {position}"
        );
        assert!(client.is_ended());
        rig.assert_at_rest();
    }
}

#[test]
fn bytes_pass_both_ways_and_each_end_passes_alone() {
    for cut in [0, 1, 3] {
        let mut rig = Rig::new(site(Mode::Tcp), |dialed: &mut Dialed| {
            if dialed.script.is_ended() && !dialed.seen.is_empty() {
                let seen = std::mem::take(&mut dialed.seen);
                dialed.script.send(&seen);
                dialed.script.end();
            }
        });
        rig.cut_servers(cut);
        let client = rig.client();
        client.cut(cut);
        client.send(b"ping pong");
        client.end();
        rig.run();
        assert_eq!(client.take(), b"ping pong", "cut {cut}");
        assert!(client.is_gone());
        rig.assert_at_rest();
    }
}

#[test]
fn a_client_returns_to_the_server_its_cookie_names() {
    let mut configured = site(Mode::Http);
    let mut persist = crate::balance::persist::Persist::named("SRV");
    persist.mode = crate::balance::persist::Mode::Insert;
    persist.indirect = true;
    configured.backends[0].persist = Some(persist);
    configured.servers[0].cookie = Some(Box::from(&b"one"[..]));
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let kept = std::rc::Rc::clone(&seen);
    let mut rig = Rig::new(configured, move |dialed: &mut Dialed| {
        kept.borrow_mut().append(&mut dialed.seen);
        dialed.script.send(OK.as_bytes());
    });
    let client = rig.client();
    client.send(GET);
    rig.run();
    let first = String::from_utf8_lossy(&client.take()).into_owned();
    assert!(first.contains("set-cookie: SRV=one; path=/\r\n"), "{first}");
    client.send(b"GET / HTTP/1.1\r\nhost: example.org\r\ncookie: a=b; SRV=one\r\n\r\n");
    rig.run();
    let second = String::from_utf8_lossy(&client.take()).into_owned();
    assert!(!second.contains("set-cookie"), "{second}");
    let sent = String::from_utf8_lossy(&seen.borrow()).into_owned();
    assert!(sent.contains("cookie: a=b\r\n"), "{sent}");
    rig.assert_at_rest();
}

/// What a server gets and what a client gets, of one request and its response, at a site that `edit` has changed.
fn passed(edit: impl FnOnce(&mut Site), request: &str, response: &'static str) -> (String, String) {
    let mut site = site(Mode::Http);
    edit(&mut site);
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let kept = std::rc::Rc::clone(&seen);
    let mut rig = Rig::new(site, move |dialed: &mut Dialed| {
        if !dialed.seen.is_empty() {
            kept.borrow_mut().append(&mut dialed.seen);
            dialed.script.send(response.as_bytes());
        }
    });
    let client = rig.client();
    client.send(request.as_bytes());
    rig.run();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let got = text(&client.take());
    client.end();
    rig.run();
    rig.run_out(2_000);
    rig.assert_at_rest();
    let sent = text(&seen.borrow());
    (sent, got)
}

#[test]
fn httpclose_closes_the_side_where_it_stands() {
    let closes = HttpConnections::Close;
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let (sent, got) = passed(
        |site| site.frontends[0].options.http_connections = closes,
        request,
        OK,
    );
    assert!(!sent.contains("connection: close"), "{sent}");
    assert!(got.contains("connection: close"), "{got}");
    let (sent, got) = passed(
        |site| site.backends[0].options.http_connections = closes,
        request,
        OK,
    );
    assert!(sent.contains("connection: close"), "{sent}");
    assert!(!got.contains("connection: close"), "{got}");
}

#[test]
fn trailers_pass_unless_they_are_to_be_dropped() {
    let request = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-up: 1\r\n\r\n";
    let response =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nx-down: 1\r\n\r\n";
    for drops in [false, true] {
        let edit = |site: &mut Site| {
            site.frontends[0].options.drop_trailers = drops;
            site.backends[0].options.drop_trailers = drops;
        };
        let (sent, got) = passed(edit, request, response);
        assert_eq!(sent.contains("x-up: 1"), !drops, "{sent}");
        assert_eq!(got.contains("x-down: 1"), !drops, "{got}");
        assert!(sent.ends_with("\r\n\r\n") && got.ends_with("\r\n\r\n"));
    }
}

#[test]
fn names_are_spelled_for_the_side_that_needs_it() {
    let edit = |site: &mut Site| {
        let mut spelling = crate::proto::h1::Spelling::default();
        spelling.add(b"x-a", b"X-A").expect("the same name");
        site.global.spelling = Arc::new(spelling);
        site.backends[0].options.adjust_case = true;
    };
    let response = "HTTP/1.1 200 OK\r\nX-A: 2\r\ncontent-length: 0\r\n\r\n";
    let (sent, got) = passed(
        edit,
        "GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n\r\n",
        response,
    );
    assert!(sent.contains("\r\nX-A: 1\r\n"), "{sent}");
    assert!(got.contains("\r\nx-a: 2\r\n"), "{got}");
}

#[test]
fn a_malformed_message_is_kept_for_the_operator() {
    let mut rig = Rig::new(site(Mode::Http), answering(OK));
    let site = rig.engine.kit.site.clone();
    let client = rig.client();
    client.send(b"GET / HTTP/9\r\n\r\n");
    rig.run();
    assert!(client.take().starts_with(b"HTTP/1.1 400 "));
    let shown = site
        .faults
        .show((None, Some(false)), &mut Dates::new(Zone::UTC), (0, 0));
    assert!(shown.contains("GET / HTTP/9"), "{shown}");
}

#[test]
fn a_turn_ends_however_much_one_stream_has_to_move() {
    const LEN: usize = 4 << 20;
    let mut rig = Rig::new(site(Mode::Tcp), |dialed: &mut Dialed| {
        if !dialed.script.is_ended() {
            dialed.script.end();
        }
    });
    let client = rig.client();
    rig.run();
    client.send(&vec![b'x'; LEN]);
    rig.tell();
    assert!(rig.engine.run(), "there is more");
    let moved = |rig: &Rig| {
        rig.engine
            .kit
            .conns
            .iter()
            .map(|(_, held)| held.conn.bytes_in)
            .max()
    };
    let first = moved(&rig).unwrap_or(0);
    assert!(first > 0 && first < LEN as u64 / 4, "{first} in one turn");
}
