//! Sockets of commands: where they are, whose, what may be done on them, how long.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{Bench, GET, REST, is_root};

#[test]
fn sockets_of_commands_have_their_address_owner_and_level() {
    let owner = if is_root() {
        "user nobody group nogroup"
    } else {
        ""
    };
    let text = format!(
        "global\n stats socket @D/s mode 640 level admin {owner}\n stats socket @D/u level user\n \
         stats socket @1 level operator\n stats socket ipv4@@2\n{REST}"
    );
    let bench = Bench::new("sockets", &text);
    let _running = bench.start();
    for (socket, level) in [("s", "admin"), ("u", "user")] {
        let found = bench.ask(socket, "show cli level");
        assert_eq!(found.trim(), level);
    }
    let answers = [1, 2].map(|at| bench.exchange(at, "show cli level\n"));
    assert_eq!(answers, ["operator\n\n", "operator\n\n"]);
    assert_eq!(bench.ask("u", "show env").trim(), "Permission denied");
    let file = fs::metadata(bench.path("s")).expect("a socket");
    assert_eq!(file.permissions().mode() & 0o777, 0o640);
    if is_root() {
        let number = |file: &str, name: &str| {
            let text = fs::read_to_string(file).expect("accounts");
            let line = text.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split(':').nth(2)?.parse().ok());
            number.expect("an account of every system")
        };
        assert_eq!(file.uid(), number("/etc/passwd", "nobody:"));
        assert_eq!(file.gid(), number("/etc/group", "nogroup:"));
    }
    let other = fs::metadata(bench.path("u")).expect("a socket");
    assert_ne!(other.permissions().mode() & 0o777, 0o640);
}

#[test]
fn figures_of_the_inside_follow_what_is_done() {
    let text = format!(
        "global\n stats socket @D/s level admin severity-output number\n nbthread 2\n{REST}"
    );
    let bench = Bench::new("inside", &text);
    let running = bench.start();
    for _ in 0..5 {
        bench.exchange(0, GET);
    }
    let all = bench.ask("s", "show activity");
    let line = |name: &str| {
        let found = all.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().to_owned()
    };
    let accepted = line("accepted: ");
    let mut numbers = accepted.split(['[', ']']);
    let total: u64 = numbers
        .next()
        .and_then(|n| n.trim().parse().ok())
        .expect("a total");
    assert!(total >= 6, "{all}");
    let each = numbers.next().expect("a column each").split_whitespace();
    let each: Vec<u64> = each.map(|n| n.parse().expect("a number")).collect();
    assert_eq!((each.len(), each.iter().sum()), (2, total), "{all}");
    let idle: u32 = bench.figure("Idle_pct").parse().expect("a number");
    assert!(idle <= 100);
    assert!(bench.ask("s", "show activity 0").contains("\naccepted: "));
    for (command, part) in [
        ("show pools", "  - Pool buffer (16384 bytes) : "),
        ("show threads", "  Thread 2 : id=worker-2 "),
        ("show tasks", "Running tasks: "),
        ("show libs", "/sluice\n"),
        ("show dev", "  OS name: Linux\n"),
        ("show profiling", "Per-task CPU profiling"),
    ] {
        let said = bench.ask("s", command);
        assert!(said.contains(part), "{command}: {said}");
    }
    let listens = format!("fam=ipv4 lport={} l.st=RDY", bench.ports[0]);
    assert!(bench.ask("s", "show fd").contains(&listens));
    bench.ask("s", "set maxconn global 7");
    assert_eq!(bench.figure("Maxconn"), "7");
    assert_eq!(
        bench.ask("s", "get weight").trim(),
        "[3]: Require 'backend/server'."
    );
    drop(running);
}

#[test]
fn what_was_said_at_the_start_can_be_read_again() {
    let text = format!(
        "global\n stats socket @D/s level admin\n nbthread 1\n tune.h2.log-errors none\n{REST} server s 127.0.0.1:1 maxconn 1\n"
    );
    let bench = Bench::new("startup", &text);
    let _running = bench.start();
    let said = bench.ask("s", "show startup-logs");
    assert!(
        said.contains("[NOTICE]") && said.contains("'tune.h2.log-errors'"),
        "{said}"
    );
}

#[test]
fn clients_from_ports_of_the_system_are_refused_on_request() {
    if !is_root() {
        return;
    }
    for (state, refused) in [("on", true), ("off", false)] {
        let text = format!("global\n harden.reject-privileged-ports.tcp {state}\n{REST}");
        let bench = Bench::new(&format!("ports-{state}"), &text);
        let _running = bench.start();
        let url = format!("http://127.0.0.1:{}/", bench.ports[0]);
        let mut curl = std::process::Command::new("curl");
        curl.args(["-s", "-m", "5", "--local-port", "600-1000", &url]);
        let status = curl.status().expect("curl is installed");
        assert_eq!(status.success(), !refused, "{state}");
    }
}

#[test]
fn listening_sockets_are_given_where_that_is_said() {
    for (said, passed) in [("expose-fd listeners", true), ("", false)] {
        let text = format!("global\n stats socket @D/s level admin {said}\n{REST}");
        let bench = Bench::new(&format!("expose-{passed}"), &text);
        let _running = bench.start();
        // The number of sockets comes first, or nothing at all.
        let mut stream = UnixStream::connect(bench.path("s")).expect("it listens");
        stream.write_all(b"_getsocks\n").expect("it reads");
        let count = stream.read_exact(&mut [0; 4]);
        assert_eq!(count.is_ok(), passed, "{said}");
    }
}

#[test]
fn operators_who_say_nothing_are_left() {
    let text = format!("global\n stats socket @D/s level admin\n stats timeout 150ms\n{REST}");
    let bench = Bench::new("silence", &text);
    let _running = bench.start();
    let mut stream = UnixStream::connect(bench.path("s")).expect("it listens");
    let patience = stream.set_read_timeout(Some(Duration::from_secs(5)));
    patience.expect("a socket");
    let begun = Instant::now();
    stream.write_all(b"prompt\n").expect("it reads");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it closes in time");
    assert!(begun.elapsed() >= Duration::from_millis(140), "{said}");
    assert!(bench.exchange(0, GET).starts_with("HTTP/1.1 200 "));
}
