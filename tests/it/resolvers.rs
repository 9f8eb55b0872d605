//! `resolvers` sections at work: each keyword makes servers find an address, or not find it, that they would not without it.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::reload::proxy::ask;
use crate::dns_server::{A, AAAA, Answer, Asked, Deed, Server};
use crate::program::{self, Running, Scratch, await_that, silent};

/// How many questions about some names stay without an answer.
const UNHEARD: usize = 4;

/// How often each name was asked for.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<String, usize>>>);

impl Counts {
    fn count(&self, name: &str) -> usize {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn of(&self, name: &str) -> usize {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(name).copied().unwrap_or_default()
    }

    /// What a nameserver does with a question.
    fn deed(&self, asked: &Asked) -> Deed {
        let name = asked.name.as_str();
        let before = self.count(name);
        let four = |last| IpAddr::from([127, 0, 0, last]);
        let answer = match (name, asked.kind) {
            ("deaf.test" | "deafer.test", _) if before <= UNHEARD => return Deed::silence(),
            // Only what fits into a datagram is to be had.
            ("large.test" | "larger.test", _) if asked.tcp => return Deed::silence(),
            ("large.test" | "larger.test", A) => (1..=40)
                .fold(Answer::to(asked), |answer, last| {
                    answer.address(name, four(last))
                }),
            (_, A) => Answer::to(asked).address(name, four(1)),
            (_, AAAA) => Answer::to(asked).address(name, IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
            _ => Answer::to(asked),
        };
        Deed::say(answer.bytes())
    }
}

struct Site(Running);

impl Site {
    fn start(text: &str) -> Self {
        let folder = Scratch::new("resolvers");
        let socket = folder.join("cli");
        let text = format!(
            "global\n stats socket {} level admin\n{text}",
            socket.display()
        );
        let running = Running::by(silent(&program::path()), folder, &text);
        await_that("it listens", || socket.exists());
        Self(running)
    }

    fn says(&self, command: &str) -> String {
        ask(&self.0.folder.join("cli"), command)
    }

    /// The address that a backend's server has.
    fn address(&self, backend: &str) -> String {
        let states = self.says("show servers state\n");
        let mut rows = states.lines().map(|line| line.split(' '));
        let row = rows.find(|row| row.clone().nth(1) == Some(backend));
        let field = row.and_then(|mut row| row.nth(4));
        field.unwrap_or_default().to_owned()
    }
}

/// A section of `lines` and a backend of the same name with a server that is looked up in it.
fn watched(name: &str, lines: &[&str], more: &str) -> String {
    let lines: String = lines.iter().map(|line| format!(" {line}\n")).collect();
    format!(
        "resolvers {name}\n{lines}backend {name}\n server s {name}.test:80 resolvers {name} init-addr none {more}\n"
    )
}

#[test]
fn sections_ask_as_they_are_told() {
    let counts = Counts::default();
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), {
        let counts = counts.clone();
        Arc::new(move |asked: &Asked| counts.deed(asked))
    });
    let here = format!("nameserver n {}", server.address());
    let here = here.as_str();
    let seldom = "timeout resolve 1h";
    let text = [
        "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n"
            .to_owned(),
        watched("four", &[here, seldom], "resolve-prefer ipv4"),
        watched("six", &[here, seldom], ""),
        watched("nobody", &[seldom], ""),
        watched(
            "often",
            &[here, "timeout resolve 50ms", "hold valid 50ms"],
            "",
        ),
        watched(
            "deaf",
            &[here, seldom, "timeout retry 20ms", "resolve_retries 6"],
            "",
        ),
        watched(
            "deafer",
            &[here, seldom, "timeout retry 20ms", "resolve_retries 1"],
            "",
        ),
        watched(
            "large",
            &[here, seldom, "accepted_payload_size 4096"],
            "resolve-prefer ipv4",
        ),
        watched("larger", &[here, seldom], "resolve-prefer ipv4"),
        watched("host", &["parse-resolv-conf", seldom], ""),
        "backend unwatched\n server s four.test:80 init-addr none\n".to_owned(),
    ];
    let begun = Instant::now();
    let running = Site::start(&text.concat());
    let has = |name: &str, address: &str| running.address(name) == address;
    await_that("an IPv4 address is preferred", || has("four", "127.0.0.1"));
    await_that("an IPv6 address is, where nothing is said", || {
        has("six", "::1")
    });
    await_that("it is asked again soon", || has("deaf", "::1"));
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "four questions without an answer, a second each, take longer"
    );
    await_that("larger datagrams are read", || {
        running.address("large").starts_with("127.")
    });
    await_that("it is asked again and again", || {
        counts.of("often.test") > 8
    });
    assert!(
        begun.elapsed() < Duration::from_secs(7),
        "eight questions, a second each, take longer"
    );
    assert_eq!(counts.of("deafer.test"), 2, "one question and one more");
    for name in ["nobody", "deafer", "larger", "unwatched"] {
        assert!(!running.address(name).contains("127."), "{name}");
    }
    assert_eq!(counts.of("six.test"), 1, "it is asked once an hour");
    lists_those_of_the_host(&running);
}

#[test]
fn families_that_are_not_accepted_are_not_looked_for() {
    let counts = Counts::default();
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), {
        let counts = counts.clone();
        Arc::new(move |asked: &Asked| counts.deed(asked))
    });
    let here = format!("nameserver n {}", server.address());
    let lines = [here.as_str(), "timeout resolve 1h"];
    for (family, wish, address) in [
        ("ipv4", "", "127.0.0.1"),
        ("ipv6", "resolve-prefer ipv4", "::1"),
        ("ipv6,ipv4", "resolve-prefer ipv4", "127.0.0.1"),
        ("ipv4,auto", "resolve-prefer ipv4", "127.0.0.1"),
    ] {
        let site = watched("some", &lines, wish);
        let text = format!(
            " dns-accept-family {family}\ndefaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n{site}"
        );
        let running = Site::start(&text);
        await_that("one that is accepted is found", || {
            running.address("some") == address
        });
    }
    assert_eq!(counts.of("some.test"), 4, "one question each");
}

/// `parse-resolv-conf` takes the nameservers of /etc/resolv.conf.
fn lists_those_of_the_host(running: &Site) {
    let shown = running.says("show resolvers host\n");
    let file = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    for line in file.lines() {
        if let Some(address) = line.strip_prefix("nameserver ") {
            assert!(shown.contains(address.trim()), "{shown}");
        }
    }
}
