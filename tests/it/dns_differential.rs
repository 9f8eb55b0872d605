//! The same questions to glibc's `getaddrinfo` and to `dns::explain`, on a host of the test's own: every order of sources,
//! shape of hosts file, search list and misbehaving server. Any difference that [`EXCUSES`] does not name fails the test.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use sluice::dns::{Family, Root, explain};

use crate::dns_namespace::{PYTHON, inside, run_inside};
use crate::dns_server::{A, AAAA, Answer, Asked, Deed, Script, Server};

#[test]
fn sluice_resolves_as_glibc_does() {
    // The time goes by waiting for servers that do not answer: hosts of their own wait side by side.
    let shares: Vec<Option<u32>> = thread::scope(|scope| {
        let share = |at: usize| {
            let at = at.to_string();
            let text = run_inside("dns_differential::inner", &[(SHARE, &at)])?;
            let known = text.lines().filter(|line| line.contains(" known: "));
            known.for_each(|line| eprintln!("{line}"));
            let count = text
                .lines()
                .find_map(|line| Some(line.split_once("compared ")?.1))
                .expect("a count");
            count.split(' ').next()?.parse().ok()
        };
        let threads: Vec<_> = (0..SHARES)
            .map(|at| scope.spawn(move || share(at)))
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|count| count.expect("no difference")).collect()
    });
    let count: u32 = shares.iter().flatten().sum();
    eprintln!("compared {count} cases in all");
    assert!(count >= 300 || shares.contains(&None), "only {count} cases");
}

/// The variable that says which share of the hosts an inner run tries.
const SHARE: &str = "SLUICE_TEST_SHARE";
/// How many inner runs share the hosts.
const SHARES: usize = 20;

#[test]
fn the_environment_counts_as_for_glibc() {
    for variables in [
        &[("LOCALDOMAIN", "two.test one.test")][..],
        &[("LOCALDOMAIN", ""), ("RES_OPTIONS", "ndots:3")],
        &[("RES_OPTIONS", "ndots:0 no-tld-query")],
    ] {
        if let Some(text) = run_inside("dns_differential::surrounded", variables) {
            assert!(text.contains("compared 66 cases"), "{text}");
        }
    }
}

#[test]
#[ignore = "runs only inside a namespace, started by the test above"]
fn surrounded() {
    if inside() {
        let mut all = Vec::new();
        for search in ["search one.test two.test\n", "domain one.test\n"] {
            let resolv = format!("{ONE}{search}");
            let files = (FILES_DNS, "", &*resolv);
            add(&mut all, search.trim(), files, SEARCH_NAMES);
        }
        compare(&all);
    }
}

#[test]
#[ignore = "runs only inside a namespace, started by the test above"]
fn inner() {
    if inside() {
        let share = std::env::var(SHARE).ok().and_then(|at| at.parse().ok());
        let share: usize = share.expect("started with a share");
        let own = hosts().into_iter().enumerate();
        let own = own.filter(|(at, _)| at % SHARES == share);
        compare(&own.map(|(_, host)| host).collect::<Vec<_>>());
    }
}

/// Asks both on each host.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a long comparison says where it is, and what it came to"
)]
fn compare(hosts: &[HostFiles]) {
    let _servers = servers();
    let (mut count, mut differences, mut known) = (0, String::new(), [0; EXCUSES.len()]);
    for host in hosts {
        host.install();
        let questions = host.questions();
        eprintln!("{}", host.name.replace('\n', " | "));
        let theirs = glibc(&questions);
        for (question, theirs) in questions.iter().zip(theirs) {
            let (ours, story) = ours(question);
            count += 1;
            if ours == theirs {
                continue;
            }
            let mut excuses = EXCUSES.iter();
            if let Some(at) = excuses.position(|excuse| (excuse.holds)(question, &theirs, &ours)) {
                known[at] += 1;
                continue;
            }
            let _ = writeln!(
                differences,
                "== {} | {:?}\n glibc  {theirs}\n sluice {ours}\n{story}",
                host.name, question
            );
        }
    }
    for (excuse, known) in EXCUSES.iter().zip(known).filter(|(_, known)| *known > 0) {
        println!("{known} known: {}", excuse.reason);
    }
    println!("compared {count} cases");
    assert!(differences.is_empty(), "{differences}");
}

/// A difference that stays.
struct Excuse {
    /// Why.
    reason: &'static str,
    /// Whether it is this one: the question, glibc's answer, ours.
    holds: fn(&Question, &str, &str) -> bool,
}

/// Differences that stay, with their reasons.
const EXCUSES: &[Excuse] = &[
    Excuse {
        reason: "glibc reports its own errno (EBUSY) when a source cannot be loaded and ends the search; sluice says that the name is not known",
        holds: |_, theirs, ours| {
            theirs.starts_with("failed by itself") && ours.starts_with("failed")
        },
    },
    Excuse {
        reason: "glibc 2.36 crashes on a line that begins with an action, and hangs where a server stops talking on a stream; sluice does neither",
        holds: |(name, _), theirs, ours| {
            theirs.ends_with("crashed or hung") && (name == "half.test" || !ours.is_empty())
        },
    },
    Excuse {
        reason: "glibc gives up on a server after a datagram shorter than a header; sluice drops it and waits for the answer",
        holds: |(name, _), theirs, ours| {
            name == "strays.test" && theirs.starts_with("failed") && !ours.starts_with("failed")
        },
    },
    Excuse {
        reason: "for IPv4 alone glibc goes through gethostbyname2, which turns a failed server into 'no such name'; sluice says 'try again' as glibc does for IPv6",
        holds: |(_, family), theirs, ours| {
            *family == Family::V4 && theirs == "failed for good" && ours == "failed again"
        },
    },
];

type Question = (String, Family);

/// One state of the files.
struct HostFiles {
    name: String,
    switch: &'static str,
    hosts: &'static str,
    resolv: String,
    multi: bool,
    names: &'static str,
}

impl HostFiles {
    fn install(&self) {
        fs::write("/etc/nsswitch.conf", self.switch).expect("writable");
        fs::write("/etc/hosts", self.hosts).expect("writable");
        fs::write("/etc/resolv.conf", &self.resolv).expect("writable");
        fs::write("/etc/host.conf", if self.multi { "multi on\n" } else { "" }).expect("writable");
    }

    fn questions(&self) -> Vec<Question> {
        let families = [Family::Any, Family::V4, Family::V6];
        self.names
            .split_ascii_whitespace()
            .flat_map(|name| families.map(|family| (name.to_owned(), family)))
            .collect()
    }
}

const HOSTS: &str = "# comment\n127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.1 Web1.corp.test web1 # ten\n10.0.0.2 web1\n\
    2001:db8::1 web1\n10.0.0.9 both.test\n ::ffff:10.0.0.3\tmapped\n::1 six-loop\n10.0.0.256 bad\nnonsense bad\n10.0.0.4 UPPER Alias\r\n10.0.0.5\n";
const FILES_DNS: &str = "hosts: files dns\n";
const ONE: &str = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";

/// The states that are tried.
fn hosts() -> Vec<HostFiles> {
    let mut all = Vec::new();
    add(
        &mut all,
        "files then dns",
        (FILES_DNS, HOSTS, ONE),
        FILE_NAMES,
    );
    for switch in SWITCHES {
        add(
            &mut all,
            switch.trim(),
            (switch, HOSTS, ONE),
            "both.test web1 four.test nosuch.test fail.test",
        );
    }
    add(&mut all, "the wire", (FILES_DNS, "", ONE), WIRE_NAMES);
    for (option, names) in OPTIONS {
        let resolv = format!("nameserver 127.0.0.1\noptions timeout:1 attempts:1 {option}\n");
        add(&mut all, option, (FILES_DNS, "", &resolv), names);
    }
    for search in SEARCHES {
        add(
            &mut all,
            search.trim(),
            (FILES_DNS, "", &format!("{ONE}{search}")),
            SEARCH_NAMES,
        );
    }
    for last in 2..=6 {
        let options = "options timeout:1 attempts:1";
        let bad = format!("nameserver 127.0.0.{last}\n{options}\n");
        add(
            &mut all,
            &bad,
            ("hosts: dns [!UNAVAIL=return] files\n", HOSTS, &bad),
            "both.test web1",
        );
        let both = format!("nameserver 127.0.0.{last}\nnameserver 127.0.0.1\n{options}\n");
        add(
            &mut all,
            &both,
            (FILES_DNS, "", &both),
            "both.test nosuch.test fail.test four.test",
        );
        let behind = format!("nameserver 127.0.0.1\nnameserver 127.0.0.{last}\n{options} rotate\n");
        add(&mut all, &behind, (FILES_DNS, "", &behind), "nosuch.test");
    }
    all
}

/// One state, without `multi on` and, where there is a hosts file, with it.
fn add(
    all: &mut Vec<HostFiles>,
    name: &str,
    files: (&'static str, &'static str, &str),
    names: &'static str,
) {
    let (switch, hosts, resolv) = files;
    for multi in [false, true] {
        if !multi || !hosts.is_empty() {
            let name = format!("{name}, multi {multi}");
            all.push(HostFiles {
                name,
                switch,
                hosts,
                resolv: resolv.to_owned(),
                multi,
                names,
            });
        }
    }
}

const FILE_NAMES: &str = "localhost web1 WEB1 web1.corp.test web1. both.test mapped six-loop bad alias ip6-localhost \
    127.0.0.1 127.1 0x7f.1 ::1 fe80::1%lo 1.2.3.4. 256.1.1.1 nosuch";
const WIRE_NAMES: &str = "both.test four.test six.test many.test alias.test chain.test loop.test dangling.test \
    nosuch.test empty.test fail.test refused.test notimp.test formerr.test cut.test lame.test strays.test half.test \
    aaaafail.test four-nx.test BOTH.test both.test. _under.test";
const SEARCH_NAMES: &str =
    "host host. a.b a.b. both.test deep.a.b nodata failing late absolute twice";
const SWITCHES: [&str; 13] = [
    "hosts: files\n",
    "hosts: dns\n",
    "hosts: dns files\n",
    "hosts: dns [NOTFOUND=return] files\n",
    "hosts: dns [!UNAVAIL=return] files\n",
    "hosts: dns [UNAVAIL=return] files\n",
    "hosts: files [NOTFOUND=return] dns\n",
    "hosts: files [SUCCESS=continue] dns\n",
    "hosts: nosuchmodule files dns\n",
    "hosts: nosuchmodule [UNAVAIL=return] files\n",
    "hosts: [bad files\n",
    "passwd: files\n",
    "",
];
const OPTIONS: [(&str, &str); 3] = [
    ("use-vc", "both.test cut.test nosuch.test half.test"),
    ("single-request", "both.test six.test aaaafail.test"),
    ("edns0", "both.test cut.test"),
];
const SEARCHES: [&str; 9] = [
    "search one.test two.test\n",
    "domain one.test\n",
    "search one.test two.test\noptions ndots:2\n",
    "search one.test two.test\noptions ndots:0\n",
    "search two.test .\n",
    "search two.test one.test\noptions ndots:3\n",
    "search one.test two.test\noptions no-tld-query\n",
    "search one.test.\n",
    "",
];

/// The honest server, a dead one, one that fails, one that refuses, one that knows nothing. On 127.0.0.3 nobody listens.
fn servers() -> Vec<Server> {
    let at = |last: u8| SocketAddr::from(([127, 0, 0, last], 53));
    let code = |code: u16| -> Script {
        Arc::new(move |asked: &Asked| Deed::say(Answer::to(asked).rcode(code).bytes()))
    };
    vec![
        Server::start(at(1), Arc::new(honest)),
        Server::start(at(2), Arc::new(|_: &Asked| Deed::silence())),
        Server::start(at(4), code(2)),
        Server::start(at(5), code(5)),
        Server::start(at(6), code(3)),
    ]
}

fn four(last: u8) -> IpAddr {
    IpAddr::from([10, 1, 0, last])
}

fn six(last: u16) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, last])
}

/// The zone: what each name answers.
fn honest(asked: &Asked) -> Deed {
    let name = asked.name.as_str();
    let answer = match name {
        "half.test" if asked.kind != A => return Deed::silence(),
        "strays.test" => {
            let wrong = [
                both(asked, 66).wrong_id().bytes(),
                both(asked, 67).wrong_question().bytes(),
                b"garbage".to_vec(),
            ];
            return Deed {
                messages: wrong.into_iter().chain([both(asked, 8).bytes()]).collect(),
                ..Deed::default()
            };
        }
        "fail.test" | "failing.one.test" => Answer::to(asked).rcode(2),
        "refused.test" => Answer::to(asked).rcode(5),
        "notimp.test" => Answer::to(asked).rcode(4),
        "formerr.test" => Answer::to(asked).rcode(1),
        "lame.test" => Answer::to(asked).lame(),
        "alias.test" | "chain.test" | "loop.test" | "dangling.test" => aliases(asked),
        _ => addresses(asked),
    };
    Deed::say(answer.bytes())
}

/// One address of the asked family.
fn both(asked: &Asked, last: u8) -> Answer {
    match asked.kind {
        A => Answer::to(asked).address(&asked.name, four(last)),
        AAAA => Answer::to(asked).address(&asked.name, six(u16::from(last))),
        _ => Answer::to(asked),
    }
}

fn addresses(asked: &Asked) -> Answer {
    let name = asked.name.as_str();
    let empty = || Answer::to(asked);
    match (name, asked.kind) {
        (
            "both.test" | "_under.test" | "host.one.test" | "host.two.test" | "late.two.test"
            | "absolute" | "a.b.one.test",
            _,
        ) => both(asked, 1),
        ("a.b" | "deep.a.b" | "twice" | "twice.two.test", _) => both(asked, 2),
        ("failing.two.test", _) => both(asked, 3),
        ("four.test", A) => empty().address(name, four(4)),
        ("four-nx.test", A) => empty().address(name, four(7)),
        ("half.test" | "aaaafail.test", A) => empty().address(name, four(5)),
        ("aaaafail.test", _) => empty().rcode(2),
        ("six.test", AAAA) => empty().address(name, six(6)),
        ("four.test" | "six.test" | "empty.test" | "nodata.one.test" | "nodata.two.test", _) => {
            empty()
        }
        ("many.test", A) => (1..9).fold(empty(), |answer, last| answer.address(name, four(last))),
        ("many.test", AAAA) => (1..5).fold(empty(), |answer, last| answer.address(name, six(last))),
        ("cut.test", A) if asked.tcp => {
            (1..100).fold(empty(), |answer, last| answer.address(name, four(last)))
        }
        ("cut.test", AAAA) if asked.tcp => empty().address(name, six(1)),
        ("cut.test", _) => empty().truncated(),
        _ => empty().rcode(3),
    }
}

fn aliases(asked: &Asked) -> Answer {
    let (name, answer) = (asked.name.as_str(), Answer::to(asked));
    let end = if asked.kind == A { four(1) } else { six(1) };
    match name {
        "alias.test" => answer.alias(name, "both.test").address("both.test", end),
        "loop.test" => answer.alias(name, "loop2.test").alias("loop2.test", name),
        "dangling.test" => answer.alias(name, "nowhere.test"),
        _ => {
            let chain = answer
                .alias(name, "c1.test")
                .alias("c1.test", "c2.test")
                .alias("c2.test", "both.test");
            if asked.kind == A {
                chain.address("both.test", end)
            } else {
                chain
            }
        }
    }
}

/// What the C library says, one line a question. It does not survive every question; then it is started again.
fn glibc(questions: &[Question]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    while lines.len() < questions.len() {
        let more = glibc_once(&questions[lines.len()..]);
        let survived = lines.len() + more.len() == questions.len();
        lines.extend(more);
        if !survived {
            lines.push("failed by itself: it crashed or hung".to_owned());
        }
    }
    lines
}

fn glibc_once(questions: &[Question]) -> Vec<String> {
    let mut child = Command::new(PYTHON)
        .args(["-c", GETADDRINFO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut input = child.stdin.take().expect("piped");
    for (name, family) in questions {
        writeln!(input, "{} {name}", family_number(*family)).expect("python reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("python ends");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

fn family_number(family: Family) -> u32 {
    match family {
        Family::Any => 0,
        Family::V4 => 2,
        Family::V6 => 10,
    }
}

const GETADDRINFO: &str = "
import signal, socket, sys
words = {socket.EAI_AGAIN: 'again'}
for line in sys.stdin:
    family, name = line.rstrip('\\n').split(' ', 1)
    signal.alarm(8)
    try:
        print(*[r[4][0].split('%')[0] for r in socket.getaddrinfo(name, None, int(family), socket.SOCK_STREAM)], flush=True)
    except socket.gaierror as e:
        print('failed', words.get(e.errno, 'for good'), flush=True)
    except OSError as e:
        print('failed', 'by itself:', e, flush=True)
";

/// What sluice says in the same words, and its story.
fn ours((name, family): &Question) -> (String, String) {
    let mut out = Vec::new();
    explain(&Root::host(), name, *family, &mut out).expect("writes to memory");
    let story = String::from_utf8(out).expect("text");
    let addresses: Vec<&str> = story
        .lines()
        .filter_map(|line| line.strip_prefix("address "))
        .collect();
    let addresses: Vec<&str> = addresses
        .iter()
        .map(|address| address.split('%').next().unwrap_or_default())
        .collect();
    let verdict = match story.lines().last() {
        Some("failed: no nameserver gave an answer") => "failed again".to_owned(),
        Some(line) if line.starts_with("failed: ") => "failed for good".to_owned(),
        _ => addresses.join(" "),
    };
    (verdict, story)
}
