//! A nameserver that means harm, one that is slow, one that is dead: nothing hangs, nothing grows, nothing asks without end.

#![expect(clippy::disallowed_methods, reason = "process tests wait and measure")]

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sluice::dns::run::change::Change;
use sluice::dns::run::draft::Draft;
use sluice::dns::run::roster::Watched;
use sluice::dns::run::section::{Nameserver, Section, Timing};
use sluice::dns::run::wishes::Wishes;
use sluice::dns::startup::{Policy, Results, resolve_all};
use sluice::dns::{Family, News, Plan, Question, Resolver, Road, Root, Ticket, Transport, explain};
use sluice::id::{BackendId, ServerId};
use sluice::lang::Span;
use sluice::time::Millis;

use crate::dns_server::{A, AAAA, Answer, Asked, Deed, SRV, Server};
use crate::program::Scratch;

/// An `/etc` that names one nameserver; it goes with the test.
struct Etc(Scratch);

impl Etc {
    fn new(server: SocketAddr, options: &str) -> Self {
        let root = Scratch::new("hostile");
        fs::create_dir(root.join("etc")).expect("writable");
        root.write("etc/nsswitch.conf", "hosts: files dns\n");
        let text = format!("nameserver {server}\noptions {options}\nsearch .\n");
        root.write("etc/resolv.conf", &text);
        Self(root)
    }

    fn resolve(&self, names: &[String]) -> (Results, Duration) {
        let begun = Instant::now();
        let results =
            resolve_all(&Root::at(&*self.0), names, Policy::default()).expect("an event queue");
        (results, begun.elapsed())
    }
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn four(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

/// Asks `script` for one name; returns the first address, the time and the number of questions it took.
fn torment(
    script: impl Fn(&Asked) -> Deed + Send + Sync + 'static,
) -> (Option<IpAddr>, Duration, u64) {
    let server = Server::start(local(), Arc::new(script));
    let etc = Etc::new(server.address(), "timeout:1 attempts:2");
    let (results, took) = etc.resolve(&["victim.test".to_owned()]);
    (
        results
            .of("victim.test")
            .ok()
            .map(|found| found.addresses[0]),
        took,
        server.asked(),
    )
}

#[test]
fn hostile_answers_do_no_harm() {
    for (what, script) in TORMENTS {
        let (address, took, asked) = torment(script);
        assert_eq!(address, None, "{what}");
        assert!(took < Duration::from_secs(9), "{what} took {took:?}");
        assert!(asked <= 40, "{what} was asked {asked} times");
    }
}

#[test]
fn an_answer_as_large_as_a_stream_allows_is_good() {
    let (address, took, _) = torment(|asked| match (asked.tcp, asked.kind) {
        (true, A) => {
            let one = |answer: Answer, at: u16| {
                answer.address(
                    "victim.test",
                    IpAddr::from([10, 1, at.to_be_bytes()[0], at.to_be_bytes()[1]]),
                )
            };
            Deed::say((0..2400).fold(Answer::to(asked), one).bytes())
        }
        (true, _) => Deed::say(Answer::to(asked).bytes()),
        (false, _) => Deed::say([Answer::to(asked).bytes(), vec![0; 9000]].concat()),
    });
    assert_eq!(address, Some(IpAddr::from([10, 1, 0, 0])));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

type Torment = fn(&Asked) -> Deed;

/// What harm is tried, and how.
const TORMENTS: [(&str, Torment); 9] = [
    ("garbage", |_| Deed {
        messages: vec![vec![0xff; 600]; 200],
        ..Deed::default()
    }),
    ("wrong ids", |asked| Deed {
        messages: vec![lie(asked).wrong_id().bytes(); 200],
        ..Deed::default()
    }),
    ("wrong questions", |asked| {
        Deed::say(lie(asked).wrong_question().bytes())
    }),
    ("pointer loops", pointer_loop),
    ("the question itself", |asked| {
        Deed::say(
            [
                &asked.id.to_be_bytes()[..],
                &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
                &asked.question,
            ]
            .concat(),
        )
    }),
    ("counts without records", |asked| {
        let mut bytes = Answer::to(asked).bytes();
        bytes[6..12].fill(0xff);
        Deed::say(bytes)
    }),
    ("endless aliases", |asked| {
        over_tcp(asked, || Deed::say(endless_aliases(asked)))
    }),
    ("a stream that hangs up", |asked| {
        over_tcp(asked, || Deed {
            hang_up: true,
            ..Deed::default()
        })
    }),
    ("one byte at a time", |asked| {
        over_tcp(asked, || Deed {
            dribble: Some(Duration::from_millis(300)),
            ..Deed::say(lie(asked).bytes())
        })
    }),
];

/// An answer that would be good.
fn lie(asked: &Asked) -> Answer {
    Answer::to(asked).address("victim.test", four(6))
}

/// Sends the resolver to TCP, and does `deed` there.
fn over_tcp(asked: &Asked, deed: impl Fn() -> Deed) -> Deed {
    if asked.tcp {
        deed()
    } else {
        Deed::say(Answer::to(asked).truncated().bytes())
    }
}

/// A record whose owner is a pointer to itself.
fn pointer_loop(asked: &Asked) -> Deed {
    let mut bytes = lie(asked).bytes();
    let owner = bytes.len() - 14 - 13;
    bytes[owner..owner + 2].copy_from_slice(&[0xc0, u8::try_from(owner).expect("early")]);
    Deed::say(bytes)
}

fn endless_aliases(asked: &Asked) -> Vec<u8> {
    let link = |answer: Answer, at: u32| {
        answer.alias(&format!("n{at}.test"), &format!("n{}.test", at + 1))
    };
    (0..1600)
        .fold(Answer::to(asked).alias("victim.test", "n0.test"), link)
        .bytes()
}

#[test]
fn strange_lifetimes_do_not_make_it_ask_without_end() {
    for ttl in [0, 1 << 31, u32::MAX] {
        let server = Server::start(
            local(),
            Arc::new(move |asked: &Asked| match asked.kind {
                A => Deed::say(
                    Answer::to(asked)
                        .address_for(&asked.name, four(1), ttl)
                        .bytes(),
                ),
                _ => Deed::say(Answer::to(asked).bytes()),
            }),
        );
        let mut rig = Rig::new(
            server.address(),
            "a.test",
            1,
            Timing {
                resolve: Millis::new(100),
                ..Timing::default()
            },
        );
        for key in 0..200 {
            rig.ask("a.test", key, Road::Host(Family::Any));
        }
        rig.wait_for(|news| {
            news.iter()
                .filter(|one| matches!(one, News::Answer { .. }))
                .count()
                == 200
        });
        std::thread::sleep(Duration::from_millis(1000));
        let asked = server.asked();
        // Twice (both families) for each of ten resolutions a second, twice for the kept lookup of each second.
        assert!(asked < 60, "{asked} questions in a second and a half");
    }
}

/// The program beside nameservers that do all the harm at once, many names, and questions as often as it may ask.
#[test]
fn a_program_among_hostile_nameservers_stays_small_and_asks_no_more_than_it_was_told() {
    let servers: Vec<Server> = TORMENTS
        .iter()
        .map(|(_, script)| Server::start(local(), Arc::new(*script)))
        .collect();
    let etc = Etc::new(servers[0].address(), "timeout:1");
    let mut text = format!(
        "global\n stats socket {} level admin\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n \
         timeout connect 1s\nresolvers r\n timeout resolve 200ms\n timeout retry 200ms\n resolve_retries 1\n \
         accepted_payload_size 8192\n",
        etc.0.join("socket").display()
    );
    for (at, server) in servers.iter().enumerate() {
        text.push_str(&format!(" nameserver n{at} {}\n", server.address()));
    }
    text.push_str("backend b\n");
    for at in 0..NAMES {
        text.push_str(&format!(
            " server s{at} n{at}.victim.test:80 resolvers r init-addr none\n"
        ));
    }
    fs::write(etc.0.join("cfg"), text).expect("writable");
    let mut child = std::process::Command::new(crate::program::path())
        .arg("-f")
        .arg(etc.0.join("cfg"))
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_secs(1));
    let resident = || {
        let path = format!("/proc/{}/statm", child.id());
        let pages = fs::read_to_string(path).expect("it runs");
        let pages = pages.split(' ').nth(1).and_then(|word| word.parse().ok());
        pages.unwrap_or(0u64) * 4
    };
    let asked = || servers.iter().map(Server::asked).sum::<u64>();
    let (small, few, begun) = (resident(), asked(), Instant::now());
    std::thread::sleep(Duration::from_secs(4));
    let (grown, seconds) = (
        resident().saturating_sub(small),
        begun.elapsed().as_secs_f64(),
    );
    let rate = (asked() - few) as f64 / seconds;
    let alive = child.try_wait().expect("ours").is_none();
    let _ = child.kill();
    let _ = child.wait();
    println!("{rate:.0} questions a second, {small} KiB and {grown} more after four seconds");
    assert!(alive && few > 0);
    // Both families, over UDP and again over TCP, at most once in each pause of 200 ms.
    let most = (NAMES * servers.len() * 4 * 5) as f64;
    assert!(
        rate < most,
        "{rate} questions a second, {most} are bearable"
    );
    assert!(grown < 16_384, "{small} KiB became {grown} more");
}

/// Names that a hostile nameserver is asked for.
const NAMES: usize = 20;

#[test]
fn without_any_file_localhost_and_addresses_are_known() {
    let empty = Root::at("/nonexistent");
    let story = |name: &str| {
        let mut out = Vec::new();
        let found = explain(&empty, name, Family::Any, &mut out).expect("writes to memory");
        (found, String::from_utf8(out).expect("text"))
    };
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "::1", "0x7f.1"] {
        assert!(story(name).0, "{}", story(name).1);
    }
    let (found, text) = story("name.invalid.");
    assert!(
        !found
            && text
                .lines()
                .last()
                .is_some_and(|line| line.starts_with("failed: ")),
        "{text}"
    );
}

#[test]
fn ten_thousand_names_side_by_side() {
    let server = Server::start(
        local(),
        Arc::new(|asked: &Asked| {
            let answer = match asked.kind {
                A => Answer::to(asked).address(&asked.name, four(1)),
                _ => Answer::to(asked),
            };
            Deed {
                delay: Duration::from_millis(50),
                ..Deed::say(answer.bytes())
            }
        }),
    );
    let etc = Etc::new(server.address(), "timeout:2");
    let names: Vec<String> = (0..10_000).map(|at| format!("n{at}.test.")).collect();
    let (results, took) = etc.resolve(&names);
    let good = names.iter().filter(|name| results.of(name).is_ok()).count();
    println!("10,000 names at 50 ms: {took:?}, {good} found");
    assert_eq!(good, names.len());
    let limit = if cfg!(debug_assertions) { 6 } else { 2 };
    assert!(took < Duration::from_secs(limit), "{took:?}");
}

#[test]
fn a_dead_nameserver_costs_one_wait() {
    let dead = UdpSocket::bind(local()).expect("a free port");
    let etc = Etc::new(dead.local_addr().expect("bound"), "timeout:1 attempts:2");
    let names: Vec<String> = (0..3_000).map(|at| format!("n{at}.test.")).collect();
    let (results, took) = etc.resolve(&names);
    assert!(names.iter().all(|name| results.of(name).is_err()));
    println!("3,000 names at a dead nameserver: {took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

/// A resolver thread that follows one name for some servers.
struct Rig {
    resolver: Option<Resolver>,
    thread: Option<std::thread::JoinHandle<()>>,
    news: Arc<Mutex<Vec<News>>>,
    _etc: Etc,
}

impl Rig {
    fn new(server: SocketAddr, host: &str, servers: usize, timing: Timing) -> Self {
        let etc = Etc::new(server, "timeout:1");
        let nameserver = Nameserver {
            name: "n1".into(),
            address: server,
            transport: Transport::Udp,
            span: Span::default(),
        };
        let draft = Draft {
            nameservers: vec![nameserver],
            timing,
            ..Draft::default()
        };
        let root = Root::at(&*etc.0);
        let watched = |at| Watched {
            server: ServerId::at(at),
            backend: BackendId::at(0),
            section: 0,
            host: Some(host.into()),
            wishes: Wishes::default(),
            ip: None,
        };
        let plan = Plan {
            sections: vec![Arc::new(Section::new("s".into(), &draft, &root))],
            root,
            watched: (0..servers).map(watched).collect(),
        };
        let news: Arc<Mutex<Vec<News>>> = Arc::default();
        let sink = Arc::clone(&news);
        let (resolver, thread) = Resolver::start(
            plan,
            Arc::new(move |one| {
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(one)
            }),
        )
        .expect("a thread");
        Self {
            resolver: Some(resolver),
            thread: Some(thread),
            news,
            _etc: etc,
        }
    }

    fn ask(&self, name: &str, key: u64, road: Road) {
        let question = Question {
            name: name.to_owned(),
            road,
        };
        self.resolver
            .as_ref()
            .expect("running")
            .lookup(question, Ticket { worker: 0, key })
            .expect("room");
    }

    /// Waits until the news satisfy `enough` and takes them.
    fn wait_for(&mut self, enough: impl Fn(&[News]) -> bool) -> Vec<News> {
        for _ in 0..1000 {
            {
                let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
                if enough(&news) {
                    return std::mem::take(&mut news);
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not happen: {:?}", self.news);
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        drop(self.resolver.take());
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

fn moves(news: &[News]) -> Vec<(usize, IpAddr, Option<u16>)> {
    let one = |news: &News| match news {
        News::Server {
            change: Change::Moved { server, ip, port },
            ..
        } => Some((server.index(), *ip, *port)),
        News::Server { .. } | News::Answer { .. } => None,
    };
    news.iter().filter_map(one).collect()
}

/// The last bytes of the addresses of `a.test`; none means that the name does not exist.
#[derive(Clone)]
struct Zone(Arc<Mutex<Vec<u8>>>);

impl Zone {
    fn set(&self, lasts: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = lasts.to_vec();
    }

    fn answer(&self, asked: &Asked) -> Deed {
        let lasts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match asked.kind {
            _ if lasts.is_empty() => Answer::to(asked).rcode(3),
            A => lasts.iter().fold(Answer::to(asked), |answer, last| {
                answer.address("a.test", four(*last))
            }),
            _ => Answer::to(asked),
        };
        Deed::say(answer.bytes())
    }
}

#[test]
fn servers_follow_their_name() {
    let zone = Zone(Arc::new(Mutex::new(vec![1, 2])));
    let server = Server::start(local(), {
        let zone = zone.clone();
        Arc::new(move |asked: &Asked| zone.answer(asked))
    });
    let mut timing = Timing {
        resolve: Millis::new(50),
        retry: Millis::new(100),
        retries: 0,
        ..Timing::default()
    };
    timing.hold.nx = Millis::new(300);
    let mut rig = Rig::new(server.address(), "a.test", 2, timing);
    let news = rig.wait_for(|news| moves(news).len() == 2);
    assert_eq!(moves(&news), [(0, four(1), None), (1, four(2), None)]);
    zone.set(&[3, 2]);
    let news = rig.wait_for(|news| !moves(news).is_empty());
    assert_eq!(moves(&news), [(0, four(3), None)]);
    rig.ask(
        "a.test",
        5,
        Road::Section {
            at: 0,
            prefer_v4: true,
        },
    );
    let news = rig.wait_for(|news| !news.is_empty());
    let answer = News::Answer {
        ticket: Ticket { worker: 0, key: 5 },
        answer: Ok(vec![four(3), four(2)]),
    };
    assert_eq!(news, [answer]);
    zone.set(&[]);
    let emptied = Instant::now();
    let news = rig.wait_for(|news| news.len() == 2);
    assert!(
        news.iter().all(|one| matches!(
            one,
            News::Server {
                change: Change::Down { .. },
                ..
            }
        )),
        "{news:?}"
    );
    assert!(
        emptied.elapsed() >= Duration::from_millis(200),
        "the hold was not kept"
    );
    let text = rig
        .resolver
        .as_ref()
        .expect("running")
        .show(Some("s"))
        .expect("the section");
    assert!(
        text.starts_with("Resolvers section s\n nameserver n1:\n  sent: "),
        "{text}"
    );
}

#[test]
fn services_give_addresses_ports_and_weights() {
    let script = |asked: &Asked| {
        let answer = match (asked.name.as_str(), asked.kind) {
            ("_http._tcp.test", SRV) => Answer::to(asked)
                .service("_http._tcp.test", 10, 8001, "n1.test")
                .service("_http._tcp.test", 512, 8002, "n2.test")
                .additional("n1.test", four(1)),
            ("n2.test", AAAA) => Answer::to(asked).rcode(3),
            ("n2.test", A) => Answer::to(asked).address("n2.test", four(2)),
            _ => Answer::to(asked).rcode(2),
        };
        Deed::say(answer.bytes())
    };
    let server = Server::start(local(), Arc::new(script));
    let mut rig = Rig::new(server.address(), "_http._tcp.test", 3, Timing::default());
    let news = rig.wait_for(|news| moves(news).len() == 2);
    assert_eq!(
        moves(&news),
        [(0, four(1), Some(8001)), (1, four(2), Some(8002))]
    );
    let weights: Vec<u16> = news
        .iter()
        .filter_map(|one| match one {
            News::Server {
                change: Change::Weight { weight, .. },
                ..
            } => Some(*weight),
            News::Server { .. } | News::Answer { .. } => None,
        })
        .collect();
    assert_eq!(weights, [1, 2]);
}
