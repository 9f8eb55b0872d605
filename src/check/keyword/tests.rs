//! Lines of a configuration, and the scripts they become.

use std::sync::Arc;

use super::*;
use crate::check::{
    Act, Assign, Connect, Event, Order, Phrase, Run, Script, Style, Text, Tools, compile,
};
use crate::http::{Head, Status as Code, Version};
use crate::lang::{Cursor, Diag, Env, Span, Word};
use crate::proto::probe::{MysqlAuth, Service};
use crate::sample::Facts;

/// Formats that say what they were made of, variables that do nothing.
struct Stage;

#[derive(Debug)]
struct Said(String);

impl Phrase for Said {
    fn write(&self, _: &Facts<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

impl Assign for Said {
    fn run(&self, _: &Facts<'_>) {}
}

impl Tools for Stage {
    fn phrase(&mut self, format: &Word) -> Result<Arc<dyn Phrase>, Diag> {
        Ok(Arc::new(Said(format!("<{}>", format.shown()))))
    }

    fn assign(&mut self, _: &str, name: &Word, _: &[Word]) -> Result<Arc<dyn Assign>, Diag> {
        Ok(Arc::new(Said(name.shown().into_owned())))
    }
}

fn words(line: &str) -> Vec<Word> {
    line.split(' ')
        .map(|word| {
            Word::new(
                word.replace("_", " ").replace("\\r\\n", "\r\n"),
                Span::default(),
            )
        })
        .collect()
}

fn read(draft: &mut Draft, line: &str) -> Result<usize, Diag> {
    let words = words(line);
    let env = Env::default();
    let rows = KEYWORDS.iter().chain(RULES);
    let names = |row: &&Keyword<Draft>| {
        let name: Vec<&str> = row.name.split(' ').collect();
        words.len() >= name.len() && name.iter().zip(&words).all(|(name, word)| word.is(name))
    };
    let row = rows
        .filter(names)
        .max_by_key(|row| row.name.split(' ').count())
        .expect(line);
    let mut cur = Cursor::after(&words, row.name.split(' ').count(), &env);
    (row.parse)(&mut cur, draft)?;
    Ok(cur.into_warnings().len())
}

fn script(lines: &[&str]) -> Script {
    let mut draft = Draft::default();
    for line in lines {
        read(&mut draft, line).unwrap_or_else(|diag| panic!("{line}: {}", diag.message));
    }
    compile(&draft, &mut Stage).unwrap_or_else(|diag| panic!("{lines:?}: {}", diag.message))
}

/// What a script sends before it waits for the first time.
fn sent(lines: &[&str]) -> String {
    let mut run = Run::new(Arc::new(script(lines)), None);
    let mut out = Vec::new();
    let facts = Facts::none();
    assert!(matches!(
        run.advance(Event::Begin, &facts, false, &mut out),
        Order::Connect(_)
    ));
    let _ = run.advance(Event::Connected, &facts, false, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn the_four_forms_of_httpchk() {
    assert_eq!(sent(&["option httpchk"]), "OPTIONS / HTTP/1.0\r\n\r\n");
    assert_eq!(sent(&["option httpchk /x"]), "OPTIONS /x HTTP/1.0\r\n\r\n");
    assert_eq!(sent(&["option httpchk GET /x"]), "GET /x HTTP/1.0\r\n\r\n");
    assert_eq!(
        sent(&["option httpchk GET /x HTTP/1.1"]),
        "GET /x HTTP/1.1\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(
        sent(&["option httpchk GET /x HTTP/1.1 www"]),
        "GET /x HTTP/1.1\r\nhost: www\r\nconnection: close\r\n\r\n"
    );
    let mut draft = Draft::default();
    let hidden = "option httpchk HEAD /y HTTP/1.1\\r\\nHost:_a.b\\r\\nX:_y";
    assert_eq!(read(&mut draft, hidden).map_err(|diag| diag.message), Ok(1));
    assert_eq!(
        sent(&[hidden]),
        "HEAD /y HTTP/1.1\r\nhost: a.b\r\nx: y\r\nconnection: close\r\n\r\n"
    );
}

#[test]
fn the_first_request_completes_the_options() {
    let lines = [
        "option httpchk GET /status HTTP/1.1\\r\\nHdr:_gone",
        "http-check send hdr Host www hdr X-Test true body test",
    ];
    assert_eq!(
        sent(&lines),
        "GET /status HTTP/1.1\r\nhost: www\r\nx-test: true\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntest"
    );
    let lines = [
        "option httpchk",
        "http-check connect",
        "http-check set-var(check.path) str(/req1)",
        "http-check send meth GET uri-lf %[var(check.path)] ver HTTP/1.1",
        "http-check expect status 200",
        "http-check connect",
        "http-check send uri /2",
    ];
    let script = script(&lines);
    let acts: Vec<&str> = script
        .steps
        .iter()
        .map(|step| match &step.act {
            Act::Connect(_) => "connect",
            Act::Request(_) => "request",
            Act::Expect(_) => "expect",
            Act::Assign(_) => "assign",
            Act::Send(_) | Act::Greet(_) => "other",
        })
        .collect();
    assert_eq!(
        acts,
        [
            "connect", "assign", "request", "expect", "connect", "request", "expect"
        ]
    );
    let Act::Request(second) = &script.steps[5].act else {
        panic!("a request")
    };
    assert_eq!(second.method, b"OPTIONS");
}

#[test]
fn a_section_of_its_own_forgets_what_was_inherited() {
    let mut defaults = Draft::default();
    for line in [
        "option httpchk GET /status",
        "http-check send hdr Host a",
        "http-check disable-on-404",
    ] {
        read(&mut defaults, line).expect("good");
    }
    let mut section = defaults.inherit();
    read(&mut section, "http-check send hdr Host b").expect("good");
    let script = compile(&section, &mut Stage).expect("good");
    let Some(Act::Request(request)) = script.steps.get(1).map(|step| &step.act) else {
        panic!("a request")
    };
    assert_eq!(
        (request.method.as_slice(), request.fields.len()),
        (b"OPTIONS".as_slice(), 1)
    );
    assert!(script.disable_on_404);
    let untouched = compile(&defaults.inherit(), &mut Stage).expect("good");
    let Some(Act::Request(request)) = untouched.steps.get(1).map(|step| &step.act) else {
        panic!("a request")
    };
    assert_eq!(request.method, b"GET");
}

#[test]
fn an_address_brings_its_port_where_the_rule_says_none() {
    for (rule, wanted) in [
        ("tcp-check connect addr 127.0.0.2", None),
        ("tcp-check connect addr 127.0.0.2:81", Some("81")),
        ("tcp-check connect addr 127.0.0.2:81 port 82", Some("82")),
        ("tcp-check connect addr [::1]:81", Some("81")),
    ] {
        let script = script(&["option tcp-check", rule]);
        let Act::Connect(connect) = &script.steps[0].act else {
            panic!("a connection")
        };
        assert!(connect.address.is_some(), "{rule}");
        match (&connect.port, wanted) {
            (None, None) => {}
            (Some(Text::Plain(port)), Some(wanted)) => assert_eq!(port, wanted.as_bytes()),
            _ => panic!("{rule}"),
        }
    }
}

#[test]
fn tcp_rules() {
    let lines = [
        "option tcp-check",
        "tcp-check connect port 25 send-proxy linger comment one",
        "tcp-check send-binary 5049 comment two",
        "tcp-check expect min-recv 5 !rstring ^error comment three",
        "tcp-check expect ! binary 0304 error-status L4CON",
        "tcp-check send-lf %[src]",
        "tcp-check comment four",
    ];
    let script = script(&lines);
    assert_eq!(script.style, Style::Tcp);
    let comments: Vec<_> = script
        .steps
        .iter()
        .map(|step| step.comment.as_deref())
        .collect();
    assert_eq!(
        comments,
        [Some("one"), Some("two"), Some("three"), None, Some("four")]
    );
    let Act::Connect(Connect {
        port: Some(Text::Plain(port)),
        send_proxy: true,
        linger: true,
        ..
    }) = &script.steps[0].act
    else {
        panic!("a connection")
    };
    assert_eq!(port, b"25");
    let Act::Expect(expect) = &script.steps[2].act else {
        panic!("an expectation")
    };
    assert_eq!((expect.negated, expect.min_bytes), (true, Some(5)));
    assert_eq!(
        sent(&[
            "option tcp-check",
            "tcp-check send-lf %[src]",
            "tcp-check expect string x"
        ]),
        "<%[src]>"
    );
}

#[test]
fn expectations_of_heads() {
    for line in [
        "http-check expect status 200-399,404",
        "http-check expect ! rstatus ^5",
        "http-check expect hdr name x-test",
        "http-check expect header name -m beg x- value -m sub y log-format full",
        "http-check expect fhdr name x value -m reg ^a$",
        "http-check expect comment c on-error %[res.body] status-code res.status string x",
    ] {
        script(&["option httpchk", line]);
    }
}

#[test]
fn greetings_and_their_arguments() {
    for (line, out) in [
        ("option redis-check", "*1\r\n$4\r\nPING\r\n"),
        ("option mysql-check", ""),
        ("option smtpchk EHLO a.b", ""),
    ] {
        assert_eq!(sent(&[line]), out);
    }
    for line in [
        "option mysql-check user u pre-41",
        "option pgsql-check user p",
        "option ldap-check",
        "option ssl-hello-chk",
    ] {
        assert_eq!(script(&[line]).style, Style::Greeting);
    }
    let login = |auth| Service::Mysql(Some(("u".to_owned(), auth)));
    for (line, service) in [
        ("option mysql-check", Service::Mysql(None)),
        ("option mysql-check user u", login(MysqlAuth::Post41)),
        (
            "option mysql-check user u post-41",
            login(MysqlAuth::Post41),
        ),
        ("option mysql-check user u pre-41", login(MysqlAuth::Pre41)),
    ] {
        let script = script(&[line]);
        let greets =
            |step: &crate::check::Step| matches!(&step.act, Act::Greet(said) if *said == service);
        assert!(script.steps.iter().any(greets), "{line}");
    }
}

#[test]
fn refusals_name_what_is_wrong() {
    for (line, part) in [
        ("option pgsql-check", "'user <username>'"),
        ("option mysql-check usr x", "'user <username>' or nothing"),
        ("option mysql-check user x post41", "'post-41' or 'pre-41'"),
        ("option httpchk GET / HTTP/3", "not a supported version"),
        ("option redis-check now", "unexpected argument 'now'"),
        ("http-check expect", "a match and a pattern"),
        ("http-check expect status 20x", "invalid status codes '20x'"),
        ("http-check expect statsu 200", "unknown match 'statsu'"),
        ("http-check expect string a string b", "only one pattern"),
        ("http-check send hdr content-length 3", "not allowed"),
        ("http-check sendd", "unknown rule 'sendd'"),
        ("http-check set-var(x)", "wrong number of arguments"),
        (
            "tcp-check send-binary 0x",
            "no string of hexadecimal digits",
        ),
        ("tcp-check connect prot 1", "but got 'prot'"),
        (
            "tcp-check expect string a ok-status L7STS",
            "a check status",
        ),
    ] {
        let error = read(&mut Draft::default(), line).expect_err(line);
        assert!(error.message.contains(part), "{line}: {}", error.message);
    }
    let mut draft = Draft::default();
    for line in ["option tcp-check", "tcp-check expect rstring a(b"] {
        read(&mut draft, line).expect("read");
    }
    assert!(
        compile(&draft, &mut Stage)
            .expect_err("a bad pattern")
            .message
            .contains("regular expression")
    );
}

#[test]
fn patterns_of_field_names_know_no_case() {
    let mut draft = Draft::default();
    for line in [
        "option httpchk",
        "http-check expect hdr name -m reg ^x-Part[0-9]$",
    ] {
        read(&mut draft, line).expect("read");
    }
    let script = compile(&draft, &mut Stage).expect("compiled");
    let judged = |name: &[u8]| {
        let mut head = Head::new();
        head.set_response(Version::Http11, Code::new(200), b"");
        head.push(name, b"1");
        let mut acts = script.steps.iter().map(|step| &step.act);
        acts.find_map(|act| match act {
            Act::Expect(expect) => expect.what.found_in_head(&head, &Facts::none()),
            Act::Connect(_) | Act::Send(_) | Act::Request(_) | Act::Greet(_) | Act::Assign(_) => {
                None
            }
        })
    };
    assert_eq!(judged(b"X-part1"), Some(true));
    assert_eq!(judged(b"X-partA"), Some(false));
}

fn server(line: &str) -> Result<ServerDraft, Diag> {
    let words = words(line);
    let env = Env::default();
    let mut draft = ServerDraft::default();
    let mut cur = Cursor::new(&words, &env);
    while let Some(word) = cur.parameter() {
        let row = SERVER_KEYWORDS
            .iter()
            .find(|row| word.is(row.name))
            .expect("a known word");
        (row.parse)(&mut cur, &mut draft)?;
    }
    Ok(draft)
}

#[test]
fn servers() {
    let draft = server("check inter 1s fastinter 100 downinter 5s rise 3 fall 4 port 81 addr 127.0.0.1 check-ssl check-sni a observe layer7 error-limit 5 on-error mark-down on-marked-down shutdown-sessions agent-check agent-port 9 agent-send x")
        .expect("good");
    assert!(draft.enabled && draft.tls && draft.shut_when_down && draft.agent.enabled);
    assert_eq!(
        (
            draft.pace.inter.get(),
            draft.thresholds.rise,
            draft.thresholds.fall
        ),
        (1000, 3, 4)
    );
    assert_eq!(
        (draft.port, draft.agent.port, draft.agent.send.as_slice()),
        (Some(81), Some(9), b"x".as_slice())
    );
    for bad in [
        "rise 0",
        "inter 0",
        "port 0",
        "observe layer5",
        "on-error panic",
        "fall",
    ] {
        assert!(server(bad).is_err(), "{bad}");
    }
}
