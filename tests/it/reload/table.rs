//! `make reload-bench`: longer runs of the same loads, and what they lose, as a table with haproxy beside it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::proxy::{Bench, PATIENCE, Running, Style, ask, kill_process};
use super::traffic::{self, Keepalive, Rush, Seen};
use super::{state, story};

const HAPROXY: &str = "/usr/sbin/haproxy";
const RELOADS: usize = 100;
const PAUSE: Duration = Duration::from_millis(60);

/// One line of the table: what is done, and what was lost of how much.
type Scenario = (&'static str, fn(&Path) -> String);

const SCENARIOS: &[Scenario] = &[
    ("1 new connections, 100 reloads with -x -sf", |program| {
        new_connections(program, Style::TakeOver)
    }),
    ("1 new connections, 100 reloads of a master", |program| {
        new_connections(program, Style::Master)
    }),
    (
        "2 200 kept connections, 100 reloads with -x -sf",
        |program| kept_connections(program, Style::TakeOver),
    ),
    (
        "2 200 kept connections, 100 reloads of a master",
        |program| kept_connections(program, Style::Master),
    ),
    ("3 a minute of reloads with wrong numbers", the_story),
    ("4 nbthread and shards 4-1-4, 20 times", changing_threads),
    ("4 60 reloads 20 ms apart, every third broken", a_storm),
    ("5 40 new workers killed while they start", killed_starts),
    ("5 a serving worker killed, 20 times", killed_workers),
    ("6 by turns with haproxy, 20 times", by_turns),
    (
        "7 counts, entries and orders across 20 reloads",
        state_across,
    ),
    ("8 upload and download across three reloads", transfers),
];

#[test]
#[ignore = "takes minutes; make reload-bench"]
fn what_reloads_lose() {
    let sluice = crate::program::path();
    let haproxy = Some(Path::new(HAPROXY)).filter(|path| path.exists());
    println!("\n{:<50} {:<28} haproxy", "scenario", "sluice");
    for (name, run) in SCENARIOS {
        let other = haproxy.map_or("-".to_owned(), run);
        println!("{name:<50} {:<28} {other}", run(&sluice));
    }
}

fn lost(seen: &Seen) -> String {
    format!("{} lost of {}", seen.bad.len(), seen.bad.len() + seen.good)
}

fn reload_many(running: &mut Running<'_>, pause: Duration) {
    for _ in 0..RELOADS {
        std::thread::sleep(pause);
        running.reload();
    }
    std::thread::sleep(pause);
}

fn new_connections(program: &Path, style: Style) -> String {
    let bench = Bench::new("table-rush");
    let mut running = Running::start_as(&bench, style, program);
    let rush = Rush::start(bench.port(0), 4);
    reload_many(&mut running, PAUSE);
    lost(&rush.stop())
}

fn kept_connections(program: &Path, style: Style) -> String {
    let bench = Bench::new("table-keep");
    let mut running = Running::start_as(&bench, style, program);
    let clients = Keepalive::start(bench.port(0), 200);
    reload_many(&mut running, PAUSE);
    lost(&clients.stop())
}

/// A reload a second with wrong process numbers, long connections, and in the end another listener.
fn the_story(program: &Path) -> String {
    let bench = Bench::new("table-story");
    let mut running = Running::start_as(&bench, Style::LastPid, program);
    let outcome = story::replay(&bench, &mut running, 60, Duration::from_secs(1));
    let asked = 2 * story::ASKED;
    format!(
        "{} of {asked} wrong, {} stay",
        outcome.wrong, outcome.stayed
    )
}

fn changing_threads(program: &Path) -> String {
    let bench = Bench::new("table-threads");
    let mut running = Running::start_as(&bench, Style::TakeOver, program);
    let rush = Rush::start(bench.port(0), 4);
    for round in 0..20 {
        let (threads, shards) = [(4, 4), (1, 1), (4, 1), (1, 1)][round % 4];
        bench.set_threads(threads, shards);
        running.reload();
        std::thread::sleep(PAUSE);
    }
    lost(&rush.stop())
}

/// Kills new workers at forty moments between their start and when they would serve.
fn killed_starts(program: &Path) -> String {
    const KILLS: u32 = 40;
    let bench = Bench::new("table-killed");
    let mut running = Running::start_as(&bench, Style::Master, program);
    let begun = Instant::now();
    running.reload();
    let whole = begun.elapsed();
    running.settle();
    let rush = Rush::start(bench.port(0), 4);
    let mut killed = 0;
    for moment in 0..KILLS {
        let before = running.worker_numbers();
        running.ask(false);
        std::thread::sleep(whole * moment / KILLS);
        let new = running.worker_numbers();
        let new = new.into_iter().find(|pid| !before.contains(pid));
        if let Some(pid) = new {
            // Stopped, it cannot take over between the question and its end.
            kill_process(pid, "STOP");
            let answering = traffic::generation_within(bench.port(0), PAUSE * 5);
            if answering.is_ok_and(|number| number != running.generation()) {
                kill_process(pid, "KILL");
                killed += 1;
            } else {
                kill_process(pid, "CONT");
            }
        }
        std::thread::sleep(PAUSE);
        running.reload();
        running.settle();
    }
    format!("{}, {killed} killed", lost(&rush.stop()))
}

/// Reloads that come faster than they can be carried out, every third of them with a wrong configuration.
fn a_storm(program: &Path) -> String {
    let bench = Bench::new("table-storm");
    let mut running = Running::start_as(&bench, Style::Master, program);
    let rush = Rush::start(bench.port(0), 4);
    for number in 0..60 {
        running.ask(number % 3 == 2);
        std::thread::sleep(Duration::from_millis(20));
    }
    running.reload();
    let begun = Instant::now();
    while running.workers() > 1 && begun.elapsed() < PATIENCE {
        std::thread::sleep(PAUSE);
    }
    let answered = traffic::generation(bench.port(0)) == Ok(running.generation());
    let serving = if answered {
        "newest serves"
    } else {
        "OLD SERVES"
    };
    let workers = running.workers();
    format!("{}, {serving}, {workers} left", lost(&rush.stop()))
}

/// Kills the worker that serves: what it had is lost with it, what waits to be accepted is not.
fn killed_workers(program: &Path) -> String {
    if program.ends_with("haproxy") {
        // Its master ends with its worker.
        return "-".to_owned();
    }
    let bench = Bench::new("table-murder");
    let running = Running::start_as(&bench, Style::Master, program);
    let rush = Rush::start(bench.port(0), 4);
    for _ in 0..20 {
        running.kill_worker();
        std::thread::sleep(PAUSE);
    }
    let seen = rush.stop();
    let refused = seen.bad.iter().filter(|error| error.contains("refused"));
    format!("{} refused, {}", refused.count(), lost(&seen))
}

/// Reads counters, a table and a server's state before and after each reload.
fn state_across(program: &Path) -> String {
    let bench = Bench::new("table-state");
    bench.add_backend("stick-table type ip size 100 store gpc0");
    bench.add_backend("server other 127.0.0.1:1 backup");
    let mut running = Running::start_as(&bench, Style::TakeOver, program);
    let socket = bench.path("stats.sock");
    ask(&socket, "set server b/other state maint\n");
    ask(&socket, "set table b key 192.0.2.1 data.gpc0 5\n");
    let (mut fell, mut lost, mut before) = (0, 0, 0);
    for _ in 0..20 {
        traffic::answered_by(bench.port(0));
        running.reload();
        let counted = state::requests(&bench);
        let table = ask(&socket, "show table b\n");
        let kept =
            table.contains("gpc0=5") && state::column(&bench, "status", "b,other") == "MAINT";
        fell += u32::from(counted < before);
        lost += u32::from(!kept);
        before = counted;
    }
    format!("{fell} falls of counts, {lost} losses")
}

fn by_turns(program: &Path) -> String {
    if program.ends_with("haproxy") {
        return "-".to_owned();
    }
    let bench = Bench::new("table-turns");
    let mut running = Running::start_as(&bench, Style::TakeOver, program);
    let rush = Rush::start(bench.port(0), 4);
    for round in 0..20 {
        running.become_program(if round % 2 == 0 {
            HAPROXY.into()
        } else {
            program.to_path_buf()
        });
        running.reload();
        std::thread::sleep(PAUSE);
    }
    lost(&rush.stop())
}

fn transfers(program: &Path) -> String {
    let bench = Bench::new("table-transfer");
    let mut running = Running::start_as(&bench, Style::TakeOver, program);
    let (up, down) = (
        traffic::upload(bench.port(0)),
        traffic::download(bench.port(0)),
    );
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(150));
        running.reload();
    }
    let whole = [up, down].map(|thread| matches!(thread.join(), Ok(Ok(()))));
    let whole = whole.iter().filter(|whole| **whole).count();
    format!("{whole} of 2 whole")
}
