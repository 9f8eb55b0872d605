//! Every scenario of tests/scenarios, through the program and through Debian's haproxy: bytes and log lines are what the
//! file says, for both.

#[path = "../scenarios/script.rs"]
mod script;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{self, Process, free_port, silent};
use script::{BESIDE_MS, Case, Script, Step, files, here, is_logged, unheaded, version};

const PATIENCE: Duration = Duration::from_secs(5);
/// How long a line that must not come is waited for.
const QUIET: Duration = Duration::from_millis(50);
/// How many files are at work at once.
const SIDE_BY_SIDE: usize = 4;

/// Where haproxy 2.6 does otherwise than the files say, and why they say what they say: `file/case`.
const DIFFERENCES: &[(&str, &[&str])] = &[
    (
        "a converter gives its text on, whether or not a capture was declared for it",
        &["converters-text/str(a.b.c),capture-req(0)"],
    ),
    (
        "a client that closes while the answer is waited for is gone where the option says so, not only in queues",
        &["abort-on-close/given", "abort-on-close/inherited"],
    ),
    (
        "who writes -i does not mean only methods that nobody knows",
        &["acl-matches/method -i get | method=GET"],
    ),
    (
        "a control byte belongs into no value (RFC 9110 section 5.5)",
        &[
            "request-framing/ctl in value",
            "request-framing/nul in value",
        ],
    ),
    (
        "what concerns one connection goes no further than that connection (RFC 9110 section 7.6.1)",
        &[
            "request-framing/hop by hop",
            "request-framing/te trailers",
            "request-framing/upgrade no connection",
            "response-framing/hop",
        ],
    ),
    (
        "who speaks HTTP/1.0 knows no chunks, neither as client nor as server",
        &[
            "request-framing/chunked 1.0",
            "response-framing/chunked to 1.0",
            "response-framing/trailers to 1.0",
        ],
    ),
    (
        "what follows a CONNECT that succeeded is no body (RFC 9110 section 9.3.6)",
        &["request-framing/connect"],
    ),
    (
        "what a head says of its body is what follows it, whatever rules made of the status; HTTP/1.0 knows no chunks",
        &[
            "framing-edited/an answer without its length to an old client",
            "framing-edited/something out of no content",
            "framing-edited/something out of unchanged",
        ],
    ),
    (
        "what a head says of its body stands before what it says of the connection",
        &[
            "framing-edited/an answer without its length",
            "framing-edited/an answer without its coding",
        ],
    ),
    (
        "a request says HTTP/1.0 or HTTP/1.1: nothing else is spoken on such a connection",
        &["request-framing/version 2.0"],
    ),
    (
        "who may send nothing more is told so",
        &[
            "request-old-bodies/get",
            "request-old-bodies/delete",
            "request-old-bodies/chunks",
        ],
    ),
    (
        "a status has three digits",
        &["response-framing/bad-status"],
    ),
    (
        "an answer is passed on as it comes: its head was sent when the bad chunk arrived",
        &["response-framing/badchunk"],
    ),
    (
        "an identifier is made while the request is there, also for answers of the proxy",
        &[
            "log-fields/deny",
            "log-fields/redirect",
            "log-fields/return",
        ],
    ),
    (
        "a page of one's own is sent also to who sends no request, or none in time",
        &["errorfiles/no request", "errorfiles/too slow a client"],
    ),
    (
        "a capture of nothing is shown as nothing is",
        &["log-fields/empty"],
    ),
    (
        "the method of what was no request is shown as its target is",
        &["log-fields/bad request"],
    ),
    (
        "a client that has closed its side is seen to do so before its request is answered",
        &["backend-more/a client that leaves takes its request along"],
    ),
    (
        "option httpclose closes the client's side where a frontend says it: the server's is the backend's to close",
        &["frontend-httpclose/two requests"],
    ),
];

#[test]
fn scenarios_hold() {
    let failures = run_all(&program::path(), None);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn scenarios_are_haproxys() {
    let haproxy = PathBuf::from("haproxy");
    let said = Command::new(&haproxy)
        .arg("-v")
        .output()
        .expect("haproxy is not installed: build/test-tools.sh installs it");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let number = said.split("version ").nth(1).and_then(version);
    let mut failures = run_all(&haproxy, number);
    failures.retain(|failure| {
        let mut known = DIFFERENCES.iter().flat_map(|(_, cases)| *cases);
        !known.any(|name| failure.starts_with(&format!("{name}: ")))
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn there_are_enough() {
    let cases: usize = files()
        .iter()
        .map(|file| Script::of(file).cases.len())
        .sum();
    assert!(cases >= 300, "{cases} scenarios");
}

/// What differs, a line each. With a `version`, scenarios that need a later one are left out.
fn run_all(program: &Path, version: Option<(u32, u32)>) -> Vec<String> {
    let files = files();
    let share = files.len().div_ceil(SIDE_BY_SIDE);
    thread::scope(|scope| {
        let started: Vec<_> = files
            .chunks(share)
            .map(|files| {
                scope.spawn(move || {
                    let run = |file: &PathBuf| run(program, file, version);
                    files.iter().flat_map(run).collect::<Vec<_>>()
                })
            })
            .collect();
        let ended = started
            .into_iter()
            .flat_map(|one| one.join().expect("no panic"));
        ended.collect()
    })
}

fn run(program: &Path, file: &Path, version: Option<(u32, u32)>) -> Vec<String> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let script = Arc::new(Script::of(file));
    if version.is_some_and(|version| !suits(&script, version)) {
        return Vec::new();
    }
    let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    log.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let origin = origin(Arc::clone(&script));
    let proxy = Proxy::start(program, file, origin, &log);
    let mut differences = Vec::new();
    for cases in script.groups() {
        let answers = thread::scope(|scope| {
            let asked = (0..).zip(cases).map(|(own, case)| {
                let (proxy, begin) = (&proxy, Duration::from_millis(own * BESIDE_MS));
                scope.spawn(move || match case.checked {
                    Some(_) => proxy.ask_until(case),
                    None => proxy.ask(begin, &case.steps),
                })
            });
            let asked: Vec<_> = asked.collect();
            asked
                .into_iter()
                .map(|one| one.join().expect("no panic"))
                .collect::<Vec<_>>()
        });
        for (case, answer) in cases.iter().zip(answers) {
            if let Err(why) = compare(&answer, case, &log, version.is_some()) {
                differences.push(format!("{name}/{}: {why}", case.name));
            }
        }
    }
    differences
}

fn compare(answer: &Answer, case: &Case, log: &UdpSocket, lenient: bool) -> Result<(), String> {
    let (took, answer) = (answer.took, &*answer.bytes);
    let is_within = |(least, most)| (least..=most).contains(&took.as_millis());
    if !case
        .lasts
        .is_none_or(|(least, most)| is_within((least.into(), most.into())))
    {
        return Err(format!("it lasts {took:?}"));
    }
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    if answer != case.answer && !(lenient && is_page(answer, &case.answer)) {
        return Err(format!(
            "the answer is\n  {}\n not\n  {}",
            shown(answer),
            shown(&case.answer)
        ));
    }
    if case.unlogged {
        return unlogged(log);
    }
    if case.checked.is_some() {
        return all_heard(log, &case.logged);
    }
    case.logged.iter().try_for_each(|line| heard(log, line))
}

/// The next log line, without its header.
fn next_line(log: &UdpSocket) -> Option<String> {
    let mut buffer = [0; 8192];
    let len = log.recv(&mut buffer).ok()?;
    let line = String::from_utf8_lossy(&buffer[..len]);
    Some(unheaded(&line).to_owned())
}

/// Waits for a log line.
fn heard(log: &UdpSocket, expected: &str) -> Result<(), String> {
    match next_line(log) {
        Some(line) if is_logged(&line, expected) => Ok(()),
        Some(line) => Err(format!("logged is\n  {line}\n not\n  {expected}")),
        None => Err(format!("nothing is logged, not {expected}")),
    }
}

/// Waits for log lines among those that health checks write: which server's comes first is nobody's to say.
fn all_heard(log: &UdpSocket, expected: &[String]) -> Result<(), String> {
    let begun = Instant::now();
    let mut missing: Vec<&String> = expected.iter().collect();
    while !missing.is_empty() && begun.elapsed() < PATIENCE {
        let Some(line) = next_line(log) else { break };
        missing.retain(|expected| !is_logged(&line, expected));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("not logged is {missing:?}")),
    }
}

/// That no line arrives: what the exchange makes is written before its answer ends, or with it.
fn unlogged(log: &UdpSocket) -> Result<(), String> {
    let mut buffer = [0; 8192];
    log.set_read_timeout(Some(QUIET)).expect("a timeout");
    let got = log.recv(&mut buffer);
    log.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    got.map_or(Ok(()), |len| {
        let line = String::from_utf8_lossy(&buffer[..len]);
        Err(format!("logged is\n  {}", unheaded(&line)))
    })
}

/// Whether a haproxy of this version knows the keywords.
fn suits(script: &Script, version: (u32, u32)) -> bool {
    script.needs.is_none_or(|needs| needs <= version)
        && script.until.is_none_or(|until| version <= until)
}

/// Whether both are the same page of 400 or 408: haproxy sends it as it was compiled in, with capitals and in an order of its own.
fn is_page(answer: &[u8], expected: &[u8]) -> bool {
    let lines = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let early = [&b"HTTP/1.1 400 "[..], b"HTTP/1.1 408 "];
    early.iter().any(|start| expected.starts_with(start)) && lines(answer) == lines(expected)
}

/// A server that answers as the script says.
fn origin(script: Arc<Script>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            thread::spawn(move || {
                let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
                loop {
                    let (asked, mut answered) = (seen.len(), false);
                    while let Some(answer) = script.reply(&mut seen) {
                        answered = true;
                        let closes = !answer.windows(8).any(|part| part == b"-length:")
                            && !answer.windows(8).any(|part| part == b"chunked\r");
                        if stream.write_all(&answer).is_err() || closes {
                            return;
                        }
                    }
                    // Who is to be silent does not close either when nothing more comes.
                    if seen.len() < asked && !answered {
                        std::mem::forget(stream.try_clone());
                    }
                    match stream.read(&mut buffer) {
                        Ok(0) | Err(_) => return,
                        Ok(count) => seen.extend_from_slice(&buffer[..count]),
                    }
                }
            });
        }
    });
    port
}

/// What a client got, and how long its connection lasted.
struct Answer {
    bytes: Vec<u8>,
    took: Duration,
}

struct Proxy {
    port: u16,
    _process: Process,
}

impl Proxy {
    fn start(program: &Path, file: &Path, origin: u16, log: &UdpSocket) -> Self {
        let port = free_port();
        let log = log.local_addr().expect("an address").port();
        let mut command = silent(program);
        command
            .args(["-db", "-f"])
            .arg(file)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("PORT", port.to_string())
            .env("ORIGIN", origin.to_string())
            .env("LOG", log.to_string())
            .env("HERE", here());
        let mut process = Process::start(&mut command);
        process.await_port(port);
        Self {
            port,
            _process: process,
        }
    }

    /// Asks until the answer is the expected one, or patience ends.
    fn ask_until(&self, case: &Case) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.ask(Duration::ZERO, &case.steps);
            if answer.bytes == case.answer || begun.elapsed() > PATIENCE {
                return answer;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What a client gets that begins after `pause` and takes the steps.
    fn ask(&self, pause: Duration, steps: &[Step]) -> Answer {
        thread::sleep(pause);
        let begun = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the proxy listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        for step in steps {
            // A proxy that refuses early may have closed before all was sent.
            let _ = match step {
                Step::Send(bytes) => stream.write_all(bytes),
                Step::Wait(pause) => {
                    thread::sleep(Duration::from_millis(*pause));
                    Ok(())
                }
                Step::End => stream.shutdown(Shutdown::Write),
            };
        }
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let took = begun.elapsed();
        Answer { bytes, took }
    }
}
