//! State across reloads: counters, what operators ordered, stick tables.

use super::proxy::{Bench, Running, Style, ask, await_that};
use super::traffic::{self, Rush};

/// The value of a column in the statistics' row of `proxy` and `object`.
fn column(bench: &Bench, name: &str, object: &str) -> String {
    let text = ask(&bench.path("stats.sock"), "show stat\n");
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default().trim_start_matches("# ");
    let at = head.split(',').position(|column| column == name);
    let row = lines.find(|line| line.starts_with(object));
    let row = row.unwrap_or_else(|| panic!("no row {object} in {text}"));
    row.split(',')
        .nth(at.expect("a column"))
        .unwrap_or_default()
        .to_owned()
}

fn requests(bench: &Bench) -> u64 {
    let total = column(bench, "hrsp_2xx", "b,BACKEND");
    total.parse().expect("a number")
}

fn table(bench: &Bench) -> Vec<String> {
    let text = ask(&bench.path("stats.sock"), "show table b\n");
    let entries = text.lines().filter(|line| line.contains("key="));
    // The number of an entry is the process's own.
    entries
        .filter_map(|line| Some(line.split_once("key=")?.1.to_owned()))
        .collect()
}

#[test]
fn counters_tables_and_orders_go_along() {
    for style in [Style::TakeOver, Style::Master] {
        let bench = Bench::new(&format!("state-{style:?}"));
        bench.add_backend("stick-table type ip size 100 store gpc0,http_req_cnt");
        bench.add_backend("server other 127.0.0.1:1 backup");
        let mut running = Running::start(&bench, style);
        let tell = |text: &str| ask(&bench.path("stats.sock"), text);
        tell("set server b/other state maint;set server b/s weight 7\n");
        tell("set table b key 192.0.2.1 data.gpc0 5 data.http_req_cnt 9\n");
        for _ in 0..20 {
            traffic::answered_by(bench.port(0));
        }
        let entries = table(&bench);
        assert_eq!(entries.len(), 1, "{entries:?}");
        for _ in 0..3 {
            let before = requests(&bench) - running.asked();
            assert_eq!(before, 20);
            running.reload();
            let all = before + running.asked();
            await_that("all requests are counted", || requests(&bench) >= all);
            assert_eq!(requests(&bench), all);
            assert_eq!(table(&bench), entries);
            assert_eq!(column(&bench, "status", "b,other"), "MAINT");
            assert_eq!(column(&bench, "weight", "b,s"), "7");
        }
        running.end();
    }
}

#[test]
fn the_stats_socket_tells_who_has_not_left() {
    for style in [Style::TakeOver, Style::Master] {
        let bench = Bench::new(&format!("state-drain-{style:?}"));
        let mut running = Running::start(&bench, style);
        let held = traffic::tunnel(bench.port(0));
        running.reload();
        let drains = || ask(&bench.path("stats.sock"), "show drain\n");
        await_that("the former process says what keeps it", || {
            let text = drains();
            let row = text.lines().nth(1).unwrap_or_default();
            row.split_whitespace().nth(2) == Some("1")
        });
        drop(held);
        await_that("it is gone", || drains().trim().lines().count() == 1);
        running.end();
    }
}

#[test]
fn nothing_that_was_counted_is_lost_under_load() {
    let bench = Bench::new("state-load");
    let mut running = Running::start(&bench, Style::TakeOver);
    let rush = Rush::start(bench.port(0), 3);
    for _ in 0..5 {
        running.reload();
    }
    let seen = rush.stop();
    assert_eq!(seen.bad, Vec::<String>::new());
    running.assert_alone();
    // Those that asked for the generation were answered too.
    let all = u64::try_from(seen.good).expect("few");
    await_that("every request is counted", || requests(&bench) >= all);
    assert!(requests(&bench) <= all + running.asked());
    running.end();
}
