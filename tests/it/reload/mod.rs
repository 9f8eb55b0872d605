//! Reloads under load: nothing that was sent is lost, nobody is left behind.
//!
//! Every test starts the real program on free loopback ports in a directory of its own, loads it with real
//! connections, reloads it in one of the ways operators do, and counts what clients saw. Bounded in time; processes are ended by
//! their numbers.

mod doomed;
mod master_socket;
mod programs;
pub(crate) mod proxy;
mod state;
mod story;
mod table;
mod traffic;

use std::time::Duration;

use proxy::{Bench, Running, Style};
use traffic::{Keepalive, Rush};

/// Reloads of one run; enough to meet every race that has been seen, few enough for a test.
const RELOADS: usize = 15;
const PAUSE: Duration = Duration::from_millis(60);

fn reload_under_new_connections(style: Style) {
    let bench = Bench::new(&format!("rush-{style:?}"));
    let mut running = Running::start(&bench, style);
    let rush = Rush::start(bench.port(0), 4);
    for _ in 0..RELOADS {
        std::thread::sleep(PAUSE);
        running.reload();
    }
    std::thread::sleep(PAUSE);
    let seen = rush.stop();
    assert!(seen.good > 100, "the load was real: {seen:?}");
    assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
    running.end();
}

#[test]
fn no_new_connection_is_lost_when_sockets_are_passed() {
    reload_under_new_connections(Style::TakeOver);
}

#[test]
fn no_new_connection_is_lost_under_a_master() {
    reload_under_new_connections(Style::Master);
}

#[test]
fn no_request_of_a_kept_connection_is_lost() {
    for style in [Style::TakeOver, Style::Master] {
        let bench = Bench::new(&format!("keep-{style:?}"));
        let mut running = Running::start(&bench, style);
        let clients = Keepalive::start(bench.port(0), 40);
        for _ in 0..RELOADS {
            std::thread::sleep(PAUSE);
            running.reload();
        }
        let seen = clients.stop();
        assert!(seen.good > 200, "the load was real: {seen:?}");
        assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
        running.end();
    }
}

#[test]
fn former_processes_leave_whatever_numbers_the_script_passed() {
    let bench = Bench::new("forgotten");
    let mut running = Running::start(&bench, Style::TakeOver);
    let idle = traffic::idle(bench.port(0), 3);
    for style in [
        Style::LastPid,
        Style::StalePid,
        Style::NoPid,
        Style::StalePid,
    ] {
        running.restyle(style);
        running.reload();
    }
    drop(idle);
    running.assert_alone();
    assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    running.end();
}

#[test]
fn a_storm_of_reloads_ends_with_one_generation() {
    let bench = Bench::new("storm");
    let mut running = Running::start(&bench, Style::Master);
    let rush = Rush::start(bench.port(0), 2);
    for number in 0..30 {
        running.ask(number % 3 == 2);
        std::thread::sleep(Duration::from_millis(20));
    }
    running.reload();
    proxy::await_that("one worker is left", || running.workers() == 1);
    let seen = rush.stop();
    assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
    assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    running.end();
}

#[test]
fn haproxy_and_sluice_take_over_from_each_other() {
    const HAPROXY: &str = "/usr/sbin/haproxy";
    if !std::path::Path::new(HAPROXY).exists() {
        return;
    }
    let bench = Bench::new("turns");
    let mut running = Running::start(&bench, Style::TakeOver);
    let rush = Rush::start(bench.port(0), 4);
    for _ in 0..3 {
        for program in [HAPROXY.into(), crate::program::path()] {
            running.become_program(program);
            std::thread::sleep(PAUSE);
            running.reload();
        }
    }
    let seen = rush.stop();
    assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
    running.end();
}

#[test]
fn a_broken_configuration_changes_nothing() {
    for style in [Style::TakeOver, Style::Master] {
        let bench = Bench::new(&format!("broken-{style:?}"));
        let mut running = Running::start(&bench, style);
        let rush = Rush::start(bench.port(0), 2);
        running.reload_broken();
        std::thread::sleep(PAUSE);
        let seen = rush.stop();
        assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
        assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
        running.end();
    }
}

#[test]
fn a_killed_worker_is_replaced_and_waiting_connections_survive() {
    let bench = Bench::new("killed");
    let running = Running::start(&bench, Style::Master);
    for _ in 0..3 {
        running.kill_worker();
        assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    }
    running.end();
}

#[test]
fn threads_and_shards_may_change_under_load() {
    let bench = Bench::new("shards");
    let mut running = Running::start(&bench, Style::TakeOver);
    let rush = Rush::start(bench.port(0), 4);
    for (threads, shards) in [(4, 4), (1, 1), (4, 2), (1, 4), (2, 1)] {
        bench.set_threads(threads, shards);
        running.reload();
        std::thread::sleep(PAUSE);
    }
    let seen = rush.stop();
    assert_eq!(seen.bad, Vec::<String>::new(), "of {} requests", seen.good);
    running.end();
}

#[test]
fn transfers_cross_reloads_whole() {
    for style in [Style::TakeOver, Style::Master] {
        let bench = Bench::new(&format!("transfer-{style:?}"));
        let mut running = Running::start(&bench, style);
        let up = traffic::upload(bench.port(0));
        let down = traffic::download(bench.port(0));
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(150));
            running.reload();
        }
        assert_eq!(up.join().expect("the upload's thread"), Ok(()));
        assert_eq!(down.join().expect("the download's thread"), Ok(()));
        running.end();
    }
}

#[test]
fn an_address_that_is_not_shared_changes_hands() {
    let bench = Bench::new("unshared");
    bench.add_option("-dR");
    let mut running = Running::start(&bench, Style::LastPid);
    for _ in 0..2 {
        running.reload();
    }
    running.assert_alone();
    assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    running.end();
}

#[test]
fn the_watchdog_hears_of_a_master() {
    let bench = Bench::new("watchdog");
    let path = bench.path("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&path).expect("a scratch directory");
    manager
        .set_read_timeout(Some(proxy::PATIENCE))
        .expect("a socket");
    bench.add_environment("NOTIFY_SOCKET", path.to_str().expect("plain"));
    bench.add_environment("WATCHDOG_USEC", "100000");
    bench.add_option("-Ws");
    let running = Running::start(&bench, Style::Master);
    let mut heard = String::new();
    while !(heard.contains("READY=1\n") && heard.matches("WATCHDOG=1\n").count() > 3) {
        let mut message = [0; 512];
        let len = manager
            .recv(&mut message)
            .expect("the master goes on telling");
        heard += &String::from_utf8_lossy(&message[..len]);
    }
    running.end();
}
