//! The scenarios of tests/scenarios on the rig: in one piece and byte by byte, with the same bytes, the same log lines, and
//! nothing left at the end.

#[path = "../../tests/scenarios/script.rs"]
mod script;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Peers;
use super::rig::Rig;
use crate::config::{self, Given, Host, Source};
use crate::lang::Env;
use crate::lang::cond::Predicates;
use crate::site::Site;
use crate::wire;
use script::{BESIDE_MS, Case, Script, Step, files, here, is_logged, unheaded};

struct Nothing;

impl Predicates for Nothing {
    fn feature(&self, _: &str) -> bool {
        false
    }
    fn enabled(&self, _: &str) -> bool {
        false
    }
    fn version(&self, _: &str) -> Ordering {
        Ordering::Equal
    }
}

impl Host for Nothing {
    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let local = (name == "localhost").then_some([127, 0, 0, 1].into());
        local.into_iter().collect()
    }
    fn user(&self, _: &str) -> Option<u32> {
        None
    }
    fn group(&self, _: &str) -> Option<u32> {
        None
    }
}

/// What differs when bytes come one by one: chunks are made of what has arrived.
const REFRAMED: &[&str] = &[
    "bandwidth/compression behind a limit",
    "bandwidth/a limit behind compression",
    "defaults-compression/text",
    "defaults-compression/a body that is sent",
    "compression/text",
    "compression/a type of the backend",
    "compression-sizes/large bodies",
    "response-framing/small chunks",
    "request-framing/length and chunked",
    "request-framing/chunked",
    "request-framing/chunk extension",
    "response-framing/chunked",
    "response-framing/trailers",
    "response-framing/both",
    "framing-edited/a request without its length",
    "framing-edited/a request without its coding",
    "framing-edited/an answer without its length",
    "framing-edited/an answer without its coding",
];

/// The configurations of all scenarios.
pub(super) fn all() -> Vec<PathBuf> {
    files()
}

/// Whether an exchange of a file goes otherwise when its configuration says `text`; what does not load does not count.
pub(super) fn differs(file: &Path, text: &str) -> bool {
    let source = Source::Text {
        name: file.to_string_lossy().into_owned(),
        text: text.into(),
    };
    let Some(site) = read(source) else {
        return false;
    };
    let site = RefCell::new(Some(site));
    let differences = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let site = site.take().expect("it is taken once");
        play(site, file, 0, true)
    }));
    differences.map_or(true, |differences| !differences.is_empty())
}

fn site(file: &Path) -> Site {
    read(Source::Path(file.into())).expect("scenarios are valid")
}

pub(super) fn read(source: Source) -> Option<Site> {
    let here = here();
    let here = here.to_str().expect("a path in words");
    let env: Env = [
        ("PORT", "80"),
        ("ORIGIN", "8000"),
        ("LOG", "9"),
        ("HERE", here),
    ]
    .into_iter()
    .collect();
    let given = Given {
        env: &env,
        program: &Nothing,
    };
    let mut site = config::read(&[source], given, &Nothing).site?;
    site.hostname = "rig".into();
    site.global.threads = 1;
    let closed = site.open_logs();
    assert!(closed.is_empty(), "{closed:?}");
    site.open_books();
    Some(site)
}

/// Runs every case of a file on one rig, pieces of `cut` bytes each way; what differs comes back.
fn run(file: &Path, cut: usize) -> Vec<String> {
    play(site(file), file, cut, false)
}

/// The same on a site at hand; with `hasty` up to the first difference.
fn play(site: Site, file: &Path, cut: usize, hasty: bool) -> Vec<String> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let script = Rc::new(Script::of(file));
    let origin = Rc::clone(&script);
    let mut rig = Rig::new(site, move |dialed| {
        while let Some(answer) = origin.reply(&mut dialed.seen) {
            let sized = |part: &[u8]| part == b"-length:" || part == b"chunked\r";
            dialed.script.send(&answer);
            if !answer.windows(8).any(sized) {
                dialed.script.end();
            }
        }
    });
    rig.cut_servers(cut);
    if script.cases.iter().any(|case| case.checked.is_some()) {
        rig.begin_checks();
    }
    let mut differences = Vec::new();
    for cases in script.groups() {
        let place = format!("{name}/{}", cases[0].name);
        if cut > 0 && REFRAMED.contains(&&*place) {
            continue;
        }
        if let Err(why) = exchange(&mut rig, cases, cut) {
            differences.push(format!("{name}/{} ({cut})", why));
            if hasty {
                return differences;
            }
        }
    }
    rig.end_checks();
    rig.assert_at_rest();
    differences
}

/// Cases that run beside each other, up to the first that goes otherwise.
fn exchange(rig: &mut Rig, cases: &[Case], cut: usize) -> Result<(), String> {
    rig.lines.borrow_mut().clear();
    let checked = cases[0].checked;
    rig.pass(checked.unwrap_or_default());
    let begun = rig.run_until(|| true, 0);
    let clients = converse(rig, cases, cut);
    for (own, (case, client)) in (0..).zip(cases.iter().zip(&clients)) {
        let Some((least, most)) = case.lasts else {
            continue;
        };
        let took = rig.run_until(|| client.is_ended(), 10_000) - begun - own * BESIDE_MS;
        if !(u64::from(least)..=u64::from(most)).contains(&took) {
            return Err(format!("{}: it lasts {took} ms", case.name));
        }
    }
    // Who has been told that nothing more comes leaves.
    let told = clients.iter().filter(|client| client.is_ended());
    told.for_each(wire::Script::end);
    rig.settle(10_000);
    let answers: Vec<_> = clients.iter().map(wire::Script::take).collect();
    clients.iter().for_each(wire::Script::end);
    rig.settle(10_000);
    for (case, answer) in cases.iter().zip(&answers) {
        if *answer != case.answer {
            let (got, wanted) = (answer.escape_ascii(), case.answer.escape_ascii());
            return Err(format!(
                "{}: the answer is\n  {got}\n not\n  {wanted}",
                case.name
            ));
        }
    }
    let lines = rig.lines.borrow();
    let logged = String::from_utf8_lossy(&lines);
    let logged: Vec<&str> = logged.lines().map(unheaded).collect();
    let expected: Vec<&String> = cases.iter().flat_map(|case| &case.logged).collect();
    let is_among = |expected: &&String| logged.iter().any(|line| is_logged(line, expected));
    let is_right = logged.len() == expected.len()
        && logged
            .iter()
            .zip(&expected)
            .all(|(line, expected)| is_logged(line, expected))
        || checked.is_some() && expected.iter().all(is_among);
    let minded = !expected.is_empty() || cases.iter().any(|case| case.unlogged);
    if minded && !is_right {
        let name = &cases[0].name;
        return Err(format!(
            "{name}: logged is\n  {logged:?}\n not\n  {expected:?}"
        ));
    }
    Ok(())
}

/// Plays the steps of all clients in the order of their time.
fn converse(rig: &mut Rig, cases: &[Case], cut: usize) -> Vec<wire::Script> {
    let local = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
    let mut timeline: Vec<(u64, usize, Option<&Step>)> = Vec::new();
    for (own, case) in cases.iter().enumerate() {
        let mut at = own as u64 * BESIDE_MS;
        timeline.push((at, own, None));
        for step in &case.steps {
            match step {
                Step::Wait(pause) => at += pause,
                Step::Send(_) | Step::End => timeline.push((at, own, Some(step))),
            }
        }
    }
    timeline.sort_by_key(|(at, own, _)| (*at, *own));
    let (mut clients, mut now): (Vec<wire::Script>, u64) = (Vec::new(), 0);
    for (at, own, step) in timeline {
        rig.pass(at - now);
        now = at;
        match step {
            None => {
                let client = rig.client_between(Peers {
                    src: local(40_000),
                    dst: local(80),
                });
                client.cut(cut);
                clients.push(client);
            }
            Some(Step::Send(bytes)) => clients[own].send(bytes),
            Some(Step::End) => clients[own].end(),
            Some(Step::Wait(_)) => {}
        }
        rig.run();
    }
    clients
}

#[test]
fn scenarios_hold_on_the_rig() {
    for cut in [0, 1] {
        let failures: Vec<String> = files().iter().flat_map(|file| run(file, cut)).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
