//! What a scenario file says: exchanges one after the other, each with what the client sends, what it gets and what is logged.
//!
//! `NAME.cfg` is a configuration as it stands: it binds `127.0.0.1:${PORT}`, has its servers at `127.0.0.1:${ORIGIN}` and
//! may log to `127.0.0.1:${LOG}`; files beside it are in `${HERE}`. `NAME.expect` is lines:
//!
//! ```text
//! needs 3.0               haproxy has to be that new to know the keywords
//! until 2.0               haproxy must not be newer than that to know them
//! origin short            how the origin answers a request with the field `x-origin: short`; else it echoes
//! = HTTP/1.1 200 OK
//! origin GET /health      how it answers requests of this method and target; said twice, the second answer follows the first
//! silent never            the origin leaves a request with `x-origin: never` without an answer
//! case a name             an exchange on a connection of its own
//! > GET / HTTP/1.1        sent, a line break added
//! >+ body                 sent as it stands, `\r \n \t \\ \xHH` read
//! wait 100                milliseconds that pass before the client goes on
//! end                     the client sends nothing more
//! < HTTP/1.1 200 OK       expected
//! <+ body
//! log "GET / HTTP/1.1"    an expected log line without its syslog header; `…` stands for whatever has no space, `№` for a number
//! unlogged                nothing is logged
//! lasts 200 1500          the connection lasts so many milliseconds, at least and at most
//! checked 400             by then, in milliseconds, health checks have brought about what comes: that time passes on the rig,
//!                         a program is asked until it says so; expected log lines are among those of that time
//! beside another          a case that begins 50 ms after the one before it, which goes on
//! ```
//!
//! Servers at port 1 refuse connections, here and there. Files that a configuration names are in `tests/scenarios/files/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Where the files of scenarios are.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// The configurations of all scenarios.
pub(crate) fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(here()).expect("the directory is here");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "cfg"))
        .collect();
    files.sort();
    files
}

/// How long after the case before it one begins that runs beside it.
pub(crate) const BESIDE_MS: u64 = 50;

/// A scenario file.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The oldest haproxy that knows the keywords, as major and minor number.
    pub(crate) needs: Option<(u32, u32)>,
    /// The newest haproxy that knows them.
    pub(crate) until: Option<(u32, u32)>,
    /// Answers by name.
    pub(crate) origins: Vec<(String, Vec<u8>)>,
    /// Names of requests without an answer.
    pub(crate) silent: Vec<String>,
    /// The exchanges.
    pub(crate) cases: Vec<Case>,
    /// The answers given so far that others follow, by their place.
    given: Mutex<Vec<usize>>,
}

/// One exchange.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// What it is about.
    pub(crate) name: String,
    /// Whether it begins while the one before it goes on.
    pub(crate) beside: bool,
    /// What the client does.
    pub(crate) steps: Vec<Step>,
    /// What it gets until the connection ends.
    pub(crate) answer: Vec<u8>,
    /// What is logged.
    pub(crate) logged: Vec<String>,
    /// Whether nothing is.
    pub(crate) unlogged: bool,
    /// How many milliseconds the connection lasts, at least and at most.
    pub(crate) lasts: Option<(u32, u32)>,
    /// Milliseconds by which health checks have brought it about.
    pub(crate) checked: Option<u64>,
}

/// What a client does.
#[derive(Debug)]
pub(crate) enum Step {
    /// It sends.
    Send(Vec<u8>),
    /// It does nothing for so many milliseconds.
    Wait(u64),
    /// It says that it sends nothing more.
    End,
}

impl Case {
    /// Where what is sent next goes.
    fn sent(&mut self) -> &mut Vec<u8> {
        if !matches!(self.steps.last(), Some(Step::Send(_))) {
            self.steps.push(Step::Send(Vec::new()));
        }
        match self.steps.last_mut() {
            Some(Step::Send(bytes)) => bytes,
            _ => unreachable!("it was pushed"),
        }
    }
}

impl Script {
    /// The exchanges that belong to a configuration.
    pub(crate) fn of(configuration: &Path) -> Script {
        let text = fs::read_to_string(configuration.with_extension("expect"));
        Script::read(&text.expect("each configuration has its expectations"))
    }

    /// Reads a file.
    pub(crate) fn read(text: &str) -> Script {
        let mut script = Script::default();
        for (line, number) in text.lines().zip(1..) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let case = script.cases.last_mut();
            match (word, case) {
                ("" | "#", _) => {}
                ("needs", _) => script.needs = version(rest),
                ("until", _) => script.until = version(rest),
                ("origin", _) => script.origins.push((rest.to_owned(), Vec::new())),
                ("=" | "=+", _) => {
                    let origin = script.origins.last_mut().expect("a name before the answer");
                    append(word, rest, &mut origin.1);
                }
                ("silent", _) => script.silent.push(rest.to_owned()),
                ("case" | "beside", _) => script.cases.push(Case {
                    name: rest.to_owned(),
                    beside: word == "beside",
                    ..Case::default()
                }),
                (">" | ">+", Some(case)) => append(word, rest, case.sent()),
                ("wait", Some(case)) => {
                    let pause = rest.parse().expect("milliseconds");
                    case.steps.push(Step::Wait(pause));
                }
                ("end", Some(case)) => case.steps.push(Step::End),
                ("<" | "<+", Some(case)) => append(word, rest, &mut case.answer),
                ("log", Some(case)) => case.logged.push(rest.to_owned()),
                ("lasts", Some(case)) => case.lasts = version(rest),
                ("unlogged", Some(case)) => case.unlogged = true,
                ("checked", Some(case)) => case.checked = rest.parse().ok(),
                _ => panic!("line {number} is none of a scenario: {line}"),
            }
        }
        script
    }

    /// The exchanges, each with those that run beside it.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[Case]> {
        self.cases.chunk_by(|_, next| next.beside)
    }

    /// The next answer of an origin: each of several is given once, the last one from then on.
    fn turn(&self, named: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
        let mut given = self.given.lock().expect("nobody panics with it");
        let mut own = (0..self.origins.len()).filter(|&at| named(&self.origins[at].0));
        let last = own.clone().last()?;
        let at = own.find(|at| *at == last || !given.contains(at))?;
        given.push(at);
        Some(self.origins[at].1.clone())
    }

    /// How the origin answers the requests at the front of `seen`, which it takes; nothing while the first is incomplete or
    /// when it is one to be silent about.
    pub(crate) fn reply(&self, seen: &mut Vec<u8>) -> Option<Vec<u8>> {
        let end = complete(seen)?;
        let request: Vec<u8> = seen.drain(..end).collect();
        let text = String::from_utf8_lossy(&request);
        let asked = text
            .lines()
            .find_map(|line| line.strip_prefix("x-origin: "));
        if asked.is_some_and(|asked| self.silent.iter().any(|silent| silent == asked)) {
            return None;
        }
        let named = |name: &str| match name.split_once(' ') {
            Some(_) => text
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' ')),
            None => Some(name) == asked,
        };
        if let Some(answer) = self.turn(named) {
            return Some(answer);
        }
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {end}\r\n\r\n").into_bytes();
        if !text.starts_with("HEAD ") {
            answer.extend_from_slice(&request);
        }
        Some(answer)
    }
}

/// `2.8`, or `200 1500`, as two numbers.
pub(crate) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn append(word: &str, text: &str, to: &mut Vec<u8>) {
    if !word.ends_with('+') {
        to.extend_from_slice(text.as_bytes());
        to.extend_from_slice(b"\r\n");
        return;
    }
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let (escaped, used) = match (byte, tail) {
            (b'\\', [b'r', ..]) => (b'\r', 1),
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', high, low, ..]) => (digit(*high) << 4 | digit(*low), 3),
            (byte, _) => (byte, 0),
        };
        to.push(escaped);
        rest = &rest[used..];
    }
}

fn digit(byte: u8) -> u8 {
    let value = char::from(byte).to_digit(16).expect("a hexadecimal digit");
    u8::try_from(value).expect("below sixteen")
}

/// Where the first request in `bytes` ends, if it is there as a whole.
fn complete(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if text.contains("transfer-encoding: chunked") {
        let last = |window: &[u8]| window == b"0\r\n\r\n";
        let end = bytes[head..].windows(5).position(last)?;
        return Some(head + end + 5);
    }
    let length = text
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let end = head + length.unwrap_or(0);
    (bytes.len() >= end).then_some(end)
}

/// A log line without its syslog header.
pub(crate) fn unheaded(line: &str) -> &str {
    let line = line.trim_end_matches(['\r', '\n', '\0']);
    line.split_once("]: ").map_or(line, |(_, text)| text)
}

/// Whether a log line is the expected one, in which `…` stands for whatever has no space and `№` for a number.
pub(crate) fn is_logged(line: &str, expected: &str) -> bool {
    let Some(at) = expected.find(['…', '№']) else {
        return line == expected;
    };
    let (before, rest) = expected.split_at(at);
    let Some(line) = line.strip_prefix(before) else {
        return false;
    };
    let number = rest.starts_with('№');
    let rest = rest.trim_start_matches(['…', '№']);
    let fits = |c: char| if number { c.is_ascii_digit() } else { c != ' ' };
    let run = line.find(|c| !fits(c)).unwrap_or(line.len());
    let first = usize::from(number);
    (first..=run).any(|end| line.is_char_boundary(end) && is_logged(&line[end..], rest))
}
