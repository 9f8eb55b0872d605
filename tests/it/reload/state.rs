//! State across reloads: counters, what operators ordered, stick tables.

use super::proxy::{Bench, Running, Style, ask, await_that};
use super::traffic::{self, Rush};

/// The value of a column in the statistics' row of `proxy` and `object`.
pub(crate) fn column(bench: &Bench, name: &str, object: &str) -> String {
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

pub(crate) fn requests(bench: &Bench) -> u64 {
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

#[test]
fn a_first_start_may_have_a_memory() {
    let bench = Bench::new("state-file");
    let file = bench.path("states");
    bench.add_global(&format!("server-state-file {}", file.display()));
    bench.add_backend("load-server-state-from-file global");
    bench.add_backend("server other 127.0.0.1:1 weight 9 backup");
    let running = Running::start(&bench, Style::NoPid);
    let socket = bench.path("stats.sock");
    ask(
        &socket,
        "set server b/other state drain;set server b/other weight 4\n",
    );
    let states = ask(&socket, "show servers state\n");
    std::fs::write(&file, states).expect("a writable directory");
    running.end();
    let running = Running::start(&bench, Style::NoPid);
    assert!(column(&bench, "status", "b,other").starts_with("DRAIN"));
    assert_eq!(column(&bench, "weight", "b,other"), "4");
    assert_eq!(column(&bench, "status", "b,s"), "no check");
    running.end();
}

#[test]
fn what_a_leaving_process_logs_to_a_ring_arrives() {
    let lines = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = lines.local_addr().expect("bound").port();
    let bench = Bench::new("state-ring");
    bench.add_section(&format!(
        "ring r\n    format raw\n    size 65536\n    server s 127.0.0.1:{port}\n\
         frontend g\n    bind 127.0.0.1:{}\n    log ring@r local0\n    log-format %HU\n    default_backend b\n",
        bench.port(1)
    ));
    let mut running = Running::start(&bench, Style::TakeOver);
    let mut held = traffic::tunnel(bench.port(1));
    running.reload();
    std::io::Write::write_all(&mut held, b"34567890").expect("the old process reads");
    let mut rest = [0; 16];
    let answered = std::io::Read::read(&mut held, &mut rest).expect("an answer");
    assert!(answered > 0);
    drop(held);
    running.assert_alone();
    lines.set_nonblocking(true).expect("a socket");
    let mut text = String::new();
    while let Ok((mut from, _)) = lines.accept() {
        from.set_read_timeout(Some(std::time::Duration::from_millis(200)))
            .expect("a socket");
        // The new process keeps its connection open.
        let mut bytes = Vec::new();
        let _ = std::io::Read::read_to_end(&mut from, &mut bytes);
        text += &String::from_utf8_lossy(&bytes);
    }
    assert!(text.contains("/held"), "{text:?}");
    running.end();
}
