//! The master's command socket: processes, workers' commands, reloads and their answers.

use super::proxy::{Bench, Running, Style, ask, await_that, children};
use super::traffic;

fn worker(running: &Running<'_>) -> u32 {
    let workers = children(running.pid());
    assert_eq!(workers.len(), 1, "one worker serves");
    workers[0]
}

#[test]
fn commands_reach_the_master_and_its_workers() {
    let bench = Bench::new("master-socket");
    let running = Running::start(&bench, Style::Master);
    let socket = bench.path("master.sock");
    let (master, pid) = (running.pid(), worker(&running));
    let processes = ask(&socket, "show proc\n");
    assert!(
        processes.starts_with("#<PID>          <type>"),
        "{processes}"
    );
    assert!(processes.contains(&format!("\n{master:<15} master          0 [failed: 0]")));
    assert!(processes.contains(&format!("\n{pid:<15} worker          0 ")));
    let info = ask(&socket, "@1 show info\n");
    assert!(info.contains("Process_num: 1\n"), "{info}");
    assert!(info.contains(&format!("\nPid: {pid}\n")), "{info}");
    let both = ask(&socket, &format!("@!{pid}; show version; show version\n"));
    assert_eq!(both.matches("\n\n").count(), 2, "{both}");
    assert_eq!(
        ask(&socket, "@2 show info\n"),
        "Can't find the target PID matching the prefix '@2'\n"
    );
    let prompted = ask(
        &socket,
        "prompt\n@1\nshow cli level\n@master\nshow cli level\n",
    );
    assert_eq!(
        prompted,
        format!("master> {pid}> admin\n\n{pid}> master> admin\n\nmaster> ")
    );
    assert_eq!(
        ask(&socket, "experimental-mode on;@1 experimental-mode\n"),
        "\nexperimental-mode is ON\n\n"
    );
    let prompted = ask(
        &socket,
        "expert-mode on;prompt\nexpert-mode\nexperimental-mode on\n@1\nexpert-mode\n@\noperator\nexpert-mode\n",
    );
    assert_eq!(
        prompted,
        format!(
            "\nmaster(e)> expert-mode is ON\n\nmaster(e)> \nmaster(xe)> {pid}(xe)> expert-mode is ON\n\n\
             {pid}(xe)> master(xe)> \nmaster> Permission denied\n\nmaster> "
        )
    );
    assert_eq!(
        ask(&socket, "@!x show info\n"),
        "Can't find the target PID matching the prefix '@!x'\n"
    );
    assert!(ask(&socket, "user;reload\n").ends_with("Permission denied\n\n"));
    assert!(ask(&socket, "help\n").contains("  @!<pid>  "));
    running.end();
}

#[test]
fn the_master_answers_for_itself_in_its_debug_mode() {
    let bench = Bench::new("master-debug");
    let running = Running::start(&bench, Style::Master);
    let socket = bench.path("master.sock");
    let pid = worker(&running);
    let debugging = ask(
        &socket,
        "mcli-debug-mode on;prompt\nexpert-mode on\nmcli-debug-mode\n@1\n@\noperator\nmcli-debug-mode on\n",
    );
    assert_eq!(
        debugging,
        format!(
            "\nmaster(d)> \nmaster(ed)> mcli-debug-mode is ON\n\nmaster(ed)> {pid}(ed)> master(ed)> \nmaster> \
             Permission denied\n\nmaster> "
        )
    );
    assert!(ask(&socket, "show fd\n").starts_with("Unknown command"));
    let inside = ask(
        &socket,
        "mcli-debug-mode on;show fd l;show env PATH;show libs;help\n",
    );
    for said in ["path=", "PATH=", "/sluice\n", "  show libs "] {
        assert!(inside.contains(said), "{said}: {inside}");
    }
    let timed = ask(&socket, "prompt timed\nshow cli level\n@1\nprompt timed\n");
    assert!(
        timed.starts_with("[0:00:00:") && timed.contains(&format!("] {pid}> ")),
        "{timed}"
    );
    running.end();
}

#[test]
fn a_reload_is_answered_when_it_is_over() {
    let bench = Bench::new("master-reload");
    let mut running = Running::start(&bench, Style::Master);
    let socket = bench.path("master.sock");
    running.prepare(false);
    let answer = ask(&socket, "reload\n");
    assert!(answer.starts_with("Success=1\n--\n"), "{answer}");
    assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    running.prepare(true);
    let answer = ask(&socket, "reload\n");
    assert!(answer.starts_with("Success=0\n--\n"), "{answer}");
    assert!(answer.contains("unknown keyword"), "{answer}");
    assert_eq!(ask(&socket, "prompt\n"), "master[ReloadFailed]> ");
    assert_eq!(traffic::answered_by(bench.port(0)), running.generation());
    let processes = ask(&socket, "show proc\n");
    assert!(processes.contains("2 [failed: 1]"), "{processes}");
    running.end();
}

#[test]
fn workers_do_not_outlive_more_reloads_than_they_may() {
    let bench = Bench::new("max-reloads");
    bench.add_global("mworker-max-reloads 2");
    let mut running = Running::start(&bench, Style::Master);
    let socket = bench.path("master.sock");
    let first = worker(&running);
    let held = traffic::tunnel(bench.port(0));
    for reload in 1..=3 {
        running.prepare(false);
        assert!(ask(&socket, "reload\n").starts_with("Success=1\n"));
        if reload < 3 {
            let processes = ask(&socket, "show proc\n");
            assert!(processes.contains("# old workers\n"), "{processes}");
            let held = format!("\n{first:<15} 0d00h00m0");
            await_that("the old worker says what keeps it", || {
                let drain = ask(&socket, "show drain\n");
                let row = drain.split(&held).nth(1).unwrap_or_default();
                row.get(2..)
                    .is_some_and(|row| row.trim_start().starts_with("1 "))
            });
            assert!(processes.contains(&format!("\n{first:<15} worker          {reload} ")));
        }
    }
    await_that("the oldest worker is ended", || {
        !children(running.pid()).contains(&first)
    });
    drop(held);
    running.end();
}
