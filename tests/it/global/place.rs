//! Where a process lives and how it comes and goes: user, background, directories, environment, masters, the end.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{Bench, GET, PATIENCE, REST, await_that, children, client, field, is_root, kill};

#[test]
fn users_and_groups_are_taken_by_name() {
    if !is_root() {
        return;
    }
    let bench = Bench::new(
        "user",
        &format!("global\n user nobody\n group nogroup\n{REST}"),
    );
    let running = bench.start();
    let status = format!("/proc/{}/status", running.pid());
    for name in ["Uid:", "Gid:"] {
        let all = field(&status, name);
        assert!(all.split('\t').all(|id| id == "65534"), "{name} {all}");
    }
}

#[test]
fn a_daemon_writes_its_number_and_debugging_keeps_it_in_front() {
    let text = |more: &str| format!("global\n daemon\n pidfile @D/pid\n{more}{REST}");
    let bench = Bench::new("daemon", &text(""));
    let status = bench.command("", "-f t.cfg").status().expect("a shell");
    assert!(status.success());
    let pid = fs::read_to_string(bench.path("pid")).expect("it was written");
    let pid: u32 = pid.trim().parse().expect("a number");
    assert!(bench.exchange(0, GET).starts_with("HTTP/1.1 200 "));
    kill(pid, "TERM");
    await_that("the daemon leaves", || {
        field(&format!("/proc/{pid}/status"), "Name:").is_empty()
    });
    bench.write("t.cfg", &text(" debug\n"));
    let mut running = bench.start_by("", "-f t.cfg");
    assert!(running.child.try_wait().expect("our own child").is_none());
}

#[test]
fn a_daemon_below_another_root_holds_nothing_of_whoever_started_it() {
    if !is_root() {
        return;
    }
    for words in ["-D", "-W -D"] {
        let text = format!("global\n chroot @D/jail\n pidfile @D/pid\n{REST}");
        let bench = Bench::new("jailed", &text);
        bench.write("jail/empty", "");
        let (mut ours, its) = UnixStream::pair().expect("a pair");
        ours.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut command = bench.command("", &format!("{words} -f t.cfg"));
        let status = command.stderr(OwnedFd::from(its)).status();
        drop(command);
        assert!(status.expect("a shell").success());
        let read = ours.read_to_end(&mut Vec::new());
        let answer = bench.exchange(0, GET);
        let pid = fs::read_to_string(bench.path("pid")).expect("it was written");
        let pid: u32 = pid.trim().parse().expect("a number");
        kill(pid, "TERM");
        await_that("the daemon leaves", || {
            field(&format!("/proc/{pid}/status"), "Name:").is_empty()
        });
        assert!(answer.starts_with("HTTP/1.1 200 "), "{words}");
        read.unwrap_or_else(|error| panic!("{words}: somebody holds it still: {error}"));
    }
}

#[test]
fn a_master_by_keyword_ends_workers_that_outlive_its_reloads() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let text = format!("global\n master-worker\n mworker-max-reloads 1\n{REST} server s {to}\n");
    let bench = Bench::new("master", &text);
    let running = bench.start_by("", "-f t.cfg");
    let first = children(running.pid());
    assert_eq!(first.len(), 1, "one worker serves");
    let mut held = client(bench.ports[0]);
    held.write_all(b"GET /s HTTP/1.0\r\n\r\n")
        .expect("it reads");
    let _asked = server.accept().expect("it asks the server");
    for known in 1..=2 {
        running.tell("USR2");
        let gone = || !children(running.pid()).contains(&first[0]);
        await_that("another worker", || {
            children(running.pid()).len() > known || gone()
        });
        assert!(known == 2 || !gone(), "it outlives one reload");
        if known == 2 {
            await_that("the first one is ended", gone);
        }
    }
}

#[test]
fn a_stop_has_an_end() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let bench = Bench::new(
        "stop",
        &format!("global\n hard-stop-after 200ms\n{REST} server s {to}\n"),
    );
    let mut running = bench.start();
    let mut held = client(bench.ports[0]);
    held.write_all(b"GET /s HTTP/1.0\r\n\r\n")
        .expect("it reads");
    let _asked = server.accept().expect("it asks the server");
    let begun = Instant::now();
    running.tell("USR1");
    running.ended();
    let took = begun.elapsed();
    assert!(
        took > Duration::from_millis(150) && took < Duration::from_secs(5),
        "{took:?}"
    );
}

#[test]
fn variables_and_names_reach_lines_logs_and_peers() {
    let log = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    log.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let to = log.local_addr().expect("bound");
    let text = format!(
        "global\n stats socket @D/s level admin\n setenv GREETING hello\n log {to} local0\n \
         log-send-hostname over.there\n localpeer me\n\
         peers p\n peer me @1\n peer other @2\n{REST} stick-table type ip size 1k peers p\n\
         frontend g\n bind @D/g\n http-request set-var(proc.x) str(\"$GREETING\")\n"
    )
    .replace("frontend f\n", "frontend f\n log global\n option httplog\n http-request return status 200 hdr x-said \"${GREETING}\" if { path /said }\n");
    let bench = Bench::new("names", &text);
    let _running = bench.start();
    assert!(
        bench
            .exchange(0, "GET /said HTTP/1.0\r\n\r\n")
            .contains("x-said: hello\r\n")
    );
    assert_eq!(bench.ask("s", "show env GREETING"), "GREETING=hello\n\n");
    let peers = bench.ask("s", "show peers");
    assert!(
        peers.contains("id=me(local,") && peers.contains("id=other(remote,"),
        "{peers}"
    );
    let mut line = [0; 2048];
    let count = log.recv(&mut line).expect("a line in time");
    let line = String::from_utf8_lossy(&line[..count]).into_owned();
    assert!(line.contains(" over.there haproxy["), "{line}");
}

#[test]
fn programs_may_run_where_that_is_said() {
    for (said, shut) in [("", true), (" insecure-fork-wanted\n", false)] {
        let text = format!("global\n stats socket @D/s level admin\n{said}{REST}");
        let bench = Bench::new(&format!("fork-{shut}"), &text);
        let running = bench.start();
        let seccomp = field(&format!("/proc/{}/status", running.pid()), "Seccomp:");
        assert_eq!(seccomp == "2", shut);
    }
}

#[test]
fn relative_paths_begin_where_the_configuration_says() {
    let text = |path: &str| {
        format!("global\n{path}{REST} errorfile 503 errors/503.http\n")
            .replace("frontend f\n", "frontend f\n http-request return status 200 hdr x-map %[path,map(maps/m)] if { path /m }\n")
    };
    let bench = Bench::new("paths", "");
    bench.write("etc/conf/errors/503.http", "HTTP/1.0 503 Gone away\r\n\r\n");
    bench.write("etc/conf/maps/m", "/m found\n");
    bench.write("t.cfg", &text(""));
    assert!(!bench.checked("t.cfg").1, "nothing is there");
    bench.write(
        "t.cfg",
        &text(&format!(
            " default-path origin {}\n",
            bench.path("etc/conf")
        )),
    );
    let running = bench.start();
    assert!(
        bench
            .exchange(0, "GET /m HTTP/1.0\r\n\r\n")
            .contains("x-map: found\r\n")
    );
    assert!(
        bench
            .exchange(0, "GET /b HTTP/1.0\r\n\r\n")
            .contains(" 503 Gone away\r\n")
    );
    drop(running);
    for (policy, file) in [
        ("config", "etc/conf/t.cfg"),
        ("parent", "etc/conf/sub/t.cfg"),
    ] {
        bench.write(file, &text(&format!(" default-path {policy}\n")));
        let (said, valid) = bench.checked(file);
        assert!(valid, "{said}");
    }
}

#[test]
fn states_of_servers_are_found_in_their_directory() {
    let text = format!(
        "global\n stats socket @D/s level admin\n server-state-base @D/states\n server-state-file now\n{REST} \
         load-server-state-from-file global\n server s 127.0.0.1:1\n"
    );
    let bench = Bench::new("states", &text);
    let states = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n\
        3 b 1 s 127.0.0.1 0 1 1 1 9 1 0 0 0 0 0 0 - 1 - 0 0 - - 0\n";
    bench.write("states/now", states);
    let _running = bench.start();
    let rows = bench.ask("s", "show stat");
    let row = rows.lines().find(|row| row.starts_with("b,s,"));
    assert!(row.is_some_and(|row| row.contains(",MAINT,")), "{rows}");
}
