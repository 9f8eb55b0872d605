//! Programs beside a master's workers.

use super::proxy::{Bench, Running, Style, ask, await_that, kill_process};

/// A row of `show proc`: number, type, reloads.
fn rows(bench: &Bench, name: &str) -> Vec<(u32, u32)> {
    let text = ask(&bench.path("master.sock"), "show proc\n");
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let pid = words.next()?.parse().ok()?;
        (words.next()? == name).then_some(())?;
        Some((pid, words.next()?.parse().ok()?))
    });
    rows.collect()
}

fn reload(bench: &Bench, running: &mut Running<'_>) {
    running.prepare(false);
    let answer = ask(&bench.path("master.sock"), "reload\n");
    assert!(answer.starts_with("Success=1\n"), "{answer}");
}

#[test]
fn programs_are_started_replaced_and_ended() {
    let bench = Bench::new("programs");
    bench.add_section("program anew\n    command sleep 60\n");
    bench.add_section(
        "program stays\n    command sh -c \"exec sleep 61\"\n    no option start-on-reload\n",
    );
    let mut running = Running::start(&bench, Style::Master);
    let (anew, stays) = (rows(&bench, "anew"), rows(&bench, "stays"));
    assert_eq!((anew.len(), stays.len()), (1, 1));
    reload(&bench, &mut running);
    await_that("one was replaced", || {
        let now = rows(&bench, "anew");
        now.len() == 1 && now != anew && now[0].1 == 0
    });
    assert_eq!(rows(&bench, "stays"), [(stays[0].0, 1)]);
    let anew = rows(&bench, "anew");
    running.reload_broken();
    assert_eq!(rows(&bench, "anew"), anew);
    kill_process(anew[0].0, "KILL");
    await_that("what failed runs again", || {
        let now = rows(&bench, "anew");
        now.len() == 1 && now != anew
    });
    bench.drop_sections();
    reload(&bench, &mut running);
    await_that("nobody is left of those that are not wanted", || {
        rows(&bench, "anew").is_empty() && rows(&bench, "stays").is_empty()
    });
    running.end();
}
