//! Scripts against servers that answer byte by byte.

use super::*;
use crate::check::{Text, What, unhex};
use crate::proto::probe::Service;

fn step(number: usize, act: Act) -> Step {
    Step {
        act,
        comment: None,
        number,
    }
}

fn script(style: Style, acts: Vec<Act>) -> Script {
    let implicit = Act::Connect(Connect {
        as_server: true,
        ..Connect::default()
    });
    let mut steps = vec![step(0, implicit)];
    steps.extend(
        acts.into_iter()
            .enumerate()
            .map(|(at, act)| step(at + 1, act)),
    );
    Script {
        style,
        steps,
        disable_on_404: false,
        send_state: false,
        program: None,
    }
}

fn text(text: &str) -> Text {
    Text::Plain(text.into())
}

fn bytes(want: &str) -> Act {
    Act::Expect(Expect::of(What::Bytes(text(want))))
}

/// Runs a script against a server that says `said` on its first connection, byte by byte, and then may close.
fn check(script: &Script, said: &[u8], closes: bool) -> (Report, String) {
    let facts = Facts::none();
    let mut run = Run::new(
        Arc::new(script.clone()),
        Some("UP".to_owned()).filter(|_| script.send_state),
    );
    let mut out = Vec::new();
    let mut said = said.iter();
    let mut event = Event::Begin;
    let mut piece;
    let mut closed = false;
    loop {
        match run.advance(event, &facts, false, &mut out) {
            Order::Connect(_) => event = Event::Connected,
            Order::Done(report) => return (report, String::from_utf8_lossy(&out).into_owned()),
            Order::Read => match said.next() {
                Some(byte) => {
                    piece = [*byte];
                    event = Event::Received(&piece);
                }
                None if closes && !closed => {
                    closed = true;
                    event = Event::Ended;
                }
                None => event = Event::TimedOut,
            },
        }
    }
}

#[test]
fn a_connection_is_enough() {
    let plain = script(Style::Connection, vec![]);
    assert_eq!(check(&plain, b"", false).0, Report::of(Status::L4Ok));
    let mut run = Run::new(Arc::new(plain.clone()), None);
    let mut out = Vec::new();
    assert!(matches!(
        run.advance(Event::Begin, &Facts::none(), true, &mut out),
        Order::Connect(_)
    ));
    let Order::Done(report) = run.advance(Event::Connected, &Facts::none(), true, &mut out) else {
        panic!("done")
    };
    assert_eq!(report, Report::of(Status::L6Ok));
}

#[test]
fn connections_fail_in_haproxys_words() {
    let fail = |script: &Script, event: Event<'_>| {
        let mut run = Run::new(Arc::new(script.clone()), None);
        let mut out = Vec::new();
        assert!(matches!(
            run.advance(Event::Begin, &Facts::none(), false, &mut out),
            Order::Connect(_)
        ));
        match run.advance(event, &Facts::none(), false, &mut out) {
            Order::Done(report) => report,
            other @ (Order::Connect(_) | Order::Read) => panic!("{other:?}"),
        }
    };
    let plain = script(Style::Connection, vec![]);
    let refused = fail(&plain, Event::Refused("Connection refused"));
    assert_eq!(
        refused,
        Report::with(Status::L4Connection, 0, "Connection refused")
    );
    assert_eq!(fail(&plain, Event::TimedOut), Report::of(Status::L4Timeout));
    assert_eq!(
        fail(&plain, Event::HandshakeFailed("x")),
        Report::with(Status::L6Response, 0, "x")
    );
    assert_eq!(
        fail(&plain, Event::NoSocket("x")),
        Report::with(Status::L4Connection, 0, "General socket error (x)")
    );
    assert_eq!(
        fail(&plain, Event::Shortage("Too many open files")),
        Report::with(Status::SocketError, 0, "Too many open files")
    );
    let mut ports = script(Style::Tcp, vec![]);
    ports.steps = vec![step(
        1,
        Act::Connect(Connect {
            port: Some(text("1")),
            ..Connect::default()
        }),
    )];
    assert_eq!(
        fail(&ports, Event::Refused("Connection refused")).text,
        "Connection refused at step 1 of tcp-check (connect port 1)"
    );
    let implicit = fail(&script(Style::Tcp, vec![bytes("x")]), Event::TimedOut);
    assert_eq!(
        implicit,
        Report::with(
            Status::L4Timeout,
            0,
            "at initial connection step of tcp-check"
        )
    );
}

#[test]
fn tcp_scripts() {
    let ping = script(
        Style::Tcp,
        vec![Act::Send(text("PING\r\n")), bytes("+PONG")],
    );
    assert_eq!(
        check(&ping, b"+PONG\r\n", false),
        (
            Report::with(Status::L7Ok, 0, "(tcp-check)"),
            "PING\r\n".into()
        )
    );
    assert_eq!(
        check(&ping, b"-NO\r\n", true).0,
        Report::with(
            Status::L7Response,
            0,
            "TCPCHK did not match content '+PONG' at step 2"
        )
    );
    assert_eq!(
        check(&ping, b"", true).0,
        Report::with(
            Status::L7Response,
            0,
            "TCPCHK got an empty response at step 2"
        )
    );
    assert_eq!(
        check(&ping, b"+PO", false).0,
        Report::with(
            Status::L7Timeout,
            0,
            "at step 2 of tcp-check (expect string '+PONG')"
        )
    );
    let binary = What::Binary(Text::Plain(unhex(b"0304").expect("hexadecimal")));
    let binary = script(Style::Tcp, vec![Act::Expect(Expect::of(binary))]);
    assert_eq!(
        check(&binary, b"\x01\x03\x04", false).0.status,
        Status::L7Ok
    );
}

#[test]
fn what_must_not_come() {
    let unwanted = Expect {
        negated: true,
        ..Expect::of(What::Bytes(text("err")))
    };
    let waits = script(Style::Tcp, vec![Act::Expect(unwanted.clone())]);
    assert_eq!(
        check(&waits, b"some err\r\n", false).0,
        Report::with(
            Status::L7Response,
            0,
            "TCPCHK matched unwanted content 'err' at step 1"
        )
    );
    assert_eq!(check(&waits, b"valid", false).0.status, Status::L7Timeout);
    let bounded = script(
        Style::Tcp,
        vec![
            Act::Expect(Expect {
                min_bytes: Some(5),
                ..unwanted
            }),
            bytes("valid"),
        ],
    );
    assert_eq!(check(&bounded, b"valid", false).0.status, Status::L7Ok);
}

#[test]
fn comments_and_statuses_of_their_own() {
    let mut told = script(Style::Tcp, vec![bytes("x")]);
    told.steps[1].comment = Some("greeting".to_owned());
    if let Act::Expect(expect) = &mut told.steps[1].act {
        expect.error = Some(Status::L4Connection);
        expect.timeout = Some(Status::L6Timeout);
    }
    assert_eq!(
        check(&told, b"no", true).0,
        Report::with(
            Status::L4Connection,
            0,
            "TCPCHK did not match content 'x' at step 1 comment: greeting"
        )
    );
    assert_eq!(check(&told, b"no", false).0.status, Status::L6Timeout);
}

fn http(request: Request, expects: Vec<Expect>) -> Script {
    let acts = std::iter::once(Act::Request(request))
        .chain(expects.into_iter().map(Act::Expect))
        .collect();
    script(Style::Http, acts)
}

#[test]
fn http_checks() {
    let plain = http(Request::default(), vec![Expect::of(What::good_status())]);
    let (report, sent) = check(&plain, b"HTTP/1.0 200 OK\r\n\r\n", false);
    assert_eq!(
        (report, sent.as_str()),
        (
            Report::with(Status::L7Ok, 200, ""),
            "OPTIONS / HTTP/1.0\r\n\r\n"
        )
    );
    assert_eq!(
        check(&plain, b"HTTP/1.0 404 Nope\r\n\r\n", false).0,
        Report::with(Status::L7Status, 404, "Nope")
    );
    assert_eq!(
        check(&plain, b"hello world\r\n\r\n", false).0,
        Report::of(Status::L7Response)
    );
    assert_eq!(
        check(&plain, b"HTTP/1.1 200 O", true).0,
        Report::of(Status::L7Response)
    );
    assert_eq!(
        check(&plain, b"HTTP/1.1 200 O", false).0,
        Report::of(Status::L7Timeout)
    );
    let lenient = Script {
        disable_on_404: true,
        ..plain
    };
    let conditional = check(&lenient, b"HTTP/1.0 404 Nope\r\n\r\n", false).0;
    assert_eq!(conditional, Report::with(Status::L7Conditional, 404, ""));
}

#[test]
fn http_requests_are_haproxys() {
    let request = Request {
        method: b"POST".to_vec(),
        target: text("/z"),
        version: Version::Http11,
        fields: vec![("x-a".into(), text("b")), ("host".into(), text("h.h"))],
        body: Some(text("hello")),
    };
    let mut check_it = http(request, vec![Expect::of(What::good_status())]);
    check_it.send_state = true;
    let (_, sent) = check(
        &check_it,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        false,
    );
    assert_eq!(
        sent,
        "POST /z HTTP/1.1\r\nx-a: b\r\nhost: h.h\r\nx-haproxy-server-state: UP\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    );
}

#[test]
fn http_contents() {
    let content = |negated| {
        http(
            Request::default(),
            vec![Expect {
                negated,
                ..Expect::of(What::Bytes(text("abc")))
            }],
        )
    };
    let with_body = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    assert_eq!(
        check(&content(false), with_body("xabc").as_bytes(), false).0,
        Report::with(Status::L7Ok, 200, "")
    );
    for (body, negated, text) in [
        ("xyz", false, "HTTP content check did not match"),
        (
            "",
            false,
            "HTTP content check could not find a response body",
        ),
        ("abc", true, "HTTP check matched unwanted content"),
    ] {
        let report = check(&content(negated), with_body(body).as_bytes(), false).0;
        assert_eq!(report, Report::with(Status::L7Response, 0, text));
    }
    assert_eq!(
        check(&content(true), with_body("xyz").as_bytes(), false)
            .0
            .status,
        Status::L7Ok
    );
}

#[test]
fn greetings() {
    let redis = script(Style::Greeting, vec![Act::Greet(Service::Redis)]);
    let (report, sent) = check(&redis, b"+PONG\r\n", false);
    assert_eq!(report, Report::with(Status::L7Ok, 0, "Redis server is ok"));
    assert_eq!(sent, "*1\r\n$4\r\nPING\r\n");
    assert_eq!(
        check(&redis, b"-ERR\r\n", false).0,
        Report::with(Status::L7Status, 0, "-ERR")
    );
    let tls = script(Style::Greeting, vec![Act::Greet(Service::Tls)]);
    assert_eq!(
        check(&tls, b"\x15\x03\0\0\x02", false).0,
        Report::of(Status::L6Ok)
    );
    assert_eq!(
        check(&tls, b"", true).0,
        Report::with(
            Status::L6Response,
            0,
            "TCPCHK got an empty response at step 2"
        )
    );
}

#[test]
fn a_second_connection_begins_anew() {
    let mut twice = http(Request::default(), vec![Expect::of(What::good_status())]);
    twice.steps.push(step(3, Act::Connect(Connect::default())));
    twice.steps.push(step(
        4,
        Act::Request(Request {
            target: text("/2"),
            ..Request::default()
        }),
    ));
    twice.steps.push(step(
        5,
        Act::Expect(Expect::of(What::Status(vec![(201, 201)]))),
    ));
    let said = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 201 Made\r\n\r\n";
    let (report, sent) = check(&twice, said, false);
    assert_eq!(report, Report::with(Status::L7Ok, 201, ""));
    assert!(sent.ends_with("OPTIONS /2 HTTP/1.0\r\n\r\n"));
}
