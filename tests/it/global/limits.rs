//! How much a process takes on: connections, rates, threads, descriptors, buffers of the kernel, processors.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::{Bench, GET, PATIENCE, REST, Running, client, field};

#[test]
fn the_process_is_as_large_as_global_says() {
    let text = format!(
        "global\n stats socket @D/s level admin\n maxconn 123\n nbthread 2\n ulimit-n 3000\n maxpipes 7\n \
         cpu-map auto:1/1-2 all\n{REST} option splice-auto\n"
    );
    let bench = Bench::new("size", &text);
    let running = bench.start_by("ulimit -Sn 400;", "-db -f t.cfg");
    for (name, wanted) in [("Maxconn", "123"), ("Nbthread", "2"), ("Maxpipes", "7")] {
        assert_eq!(bench.figure(name), wanted, "{name}");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.pid())).expect("it runs");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().nth(3));
    assert_eq!(soft, Some("3000"));
    let mine = field("/proc/self/status", "Cpus_allowed_list:");
    if mine == "0" {
        return;
    }
    let found = processors(&running);
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|list| list.parse::<usize>().is_ok()),
        "one each: {found:?}"
    );
    assert_ne!(found[0], found[1]);
}

/// The processors of each worker.
fn processors(running: &Running) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", running.pid())).expect("it runs");
    let tasks = tasks.map(|task| task.expect("a thread").path());
    let workers = tasks.filter(|task| {
        let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
        name.starts_with("worker-")
    });
    workers
        .map(|task| {
            field(
                &task.join("status").display().to_string(),
                "Cpus_allowed_list:",
            )
        })
        .collect()
}

#[test]
fn processes_of_old_configurations_are_threads() {
    let text = format!("global\n stats socket @D/s level admin\n nbproc 2\n{REST}");
    let bench = Bench::new("nbproc", &text);
    let _running = bench.start();
    assert_eq!(bench.figure("Nbthread"), "2");
}

#[test]
fn connections_beyond_maxconn_wait() {
    let bench = Bench::new("maxconn", &format!("global\n maxconn 2\n{REST}"));
    let _running = bench.start();
    let held = [0; 2].map(|_| client(bench.ports[0]));
    let mut third = client(bench.ports[0]);
    third
        .write_all(GET.as_bytes())
        .expect("the kernel takes it");
    let patience = third.set_read_timeout(Some(Duration::from_millis(150)));
    patience.expect("a socket");
    let mut answer = String::new();
    assert!(third.read_to_string(&mut answer).is_err(), "{answer}");
    drop(held);
    third.set_read_timeout(Some(PATIENCE)).expect("a socket");
    third
        .read_to_string(&mut answer)
        .expect("its turn has come");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// How long several clients take one after the other.
fn time_of(name: &str, line: &str) -> Duration {
    let bench = Bench::new(name, &format!("global\n {line}\n{REST}"));
    let _running = bench.start();
    let begun = Instant::now();
    for _ in 0..4 {
        assert!(bench.exchange(0, GET).starts_with("HTTP/1.1 200 "));
    }
    begun.elapsed()
}

#[test]
fn rates_of_the_process_are_kept() {
    for line in ["maxconnrate 3", "maxsessrate 3"] {
        let took = time_of(&line[..7], line);
        assert!(took > Duration::from_millis(500), "{line}: {took:?}");
    }
}

#[test]
fn rates_and_counts_of_tls_are_kept() {
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/rsa.pem");
    let tls = |line: &str| {
        let bind = format!("bind @1 ssl crt {certificate}\n bind @0\n");
        format!("global\n {line}\n{}", REST.replace("bind @0\n", &bind))
    };
    let bench = Bench::new("sslrate", &tls("maxsslrate 2"));
    let running = bench.start();
    let begun = Instant::now();
    for _ in 0..3 {
        assert!(secured(&bench, "5"), "it is served in the end");
    }
    assert!(begun.elapsed() > Duration::from_millis(500));
    drop(running);
    let bench = Bench::new("sslconn", &tls("maxsslconn 1"));
    let _running = bench.start();
    let held = client(bench.ports[1]);
    assert!(!secured(&bench, "0.3"), "one is there already");
    assert!(bench.exchange(0, GET).starts_with("HTTP/1.1 200 "));
    drop(held);
    assert!(secured(&bench, "5"));
}

#[test]
fn compression_stops_at_its_limits() {
    let text = |line: &str| {
        let rest = REST.replace("frontend f\n", "frontend f\n compression algo gzip\n");
        format!("global\n stats socket @D/s level admin\n {line}\n{rest}")
    };
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let served = std::thread::spawn(move || {
        while let Ok((mut asked, _)) = server.accept() {
            let mut request = [0; 512];
            let count = asked.read(&mut request).unwrap_or(0);
            if request[..count].starts_with(b"GET /end ") {
                return;
            }
            let body = "x".repeat(3000);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 3000\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = asked.write_all(answer.as_bytes());
        }
    });
    let squeezed = |bench: &Bench| {
        let request =
            "GET /s HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
        let mut stream = client(bench.ports[0]);
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        String::from_utf8_lossy(&answer).contains("content-encoding: gzip")
    };
    let with = |line: &str| format!("{} server s {to}\n", text(line));
    let bench = Bench::new("comprate", &with("maxcomprate 1"));
    let running = bench.start();
    assert!(squeezed(&bench), "nothing was compressed before");
    assert!(!squeezed(&bench), "that was more than allowed");
    assert_eq!(bench.figure("CompressBpsRateLim"), "1024");
    bench.ask("s", "set rate-limit http-compression global 0");
    assert!(squeezed(&bench));
    drop(running);
    let bench = Bench::new("compcpu", &with("maxcompcpuusage 1\n busy-polling"));
    let _running = bench.start();
    super::await_that("a busy worker leaves bodies alone", || !squeezed(&bench));
    let stop = TcpStream::connect(to);
    let _ = stop.expect("it accepts").write_all(b"GET /end ");
    served.join().expect("it ends");
}

/// Whether curl gets an answer in so many seconds.
fn secured(bench: &Bench, seconds: &str) -> bool {
    let url = format!("https://127.0.0.1:{}/", bench.ports[1]);
    let mut curl = std::process::Command::new("curl");
    let output = curl
        .args(["-sk", "-o", "/dev/null", "-m", seconds, &url])
        .output();
    output.expect("curl is installed").status.success()
}

#[test]
fn buffers_of_the_kernel_are_as_large_as_asked() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let text = format!(
        "global\n tune.rcvbuf.client 20000\n tune.sndbuf.client 30000\n tune.rcvbuf.server 25000\n \
         tune.sndbuf.server 35000\n{REST} server s {to}\n"
    );
    let bench = Bench::new("buffers", &text);
    let running = bench.start();
    let mut asking = client(bench.ports[0]);
    asking
        .write_all(b"GET /s HTTP/1.0\r\n\r\n")
        .expect("it reads");
    let (_asked, from) = server.accept().expect("it asks the server");
    let mine = asking.local_addr().expect("connected");
    let sizes = |socket: &OwnedFd| {
        let both = (
            sockopt::socket_recv_buffer_size(socket),
            sockopt::socket_send_buffer_size(socket),
        );
        (both.0.expect("a socket"), both.1.expect("a socket"))
    };
    // The kernel doubles what it is asked for.
    let (mut client_side, mut server_side) = (None, None);
    for socket in sockets(&running) {
        let stream = TcpStream::from(socket);
        let (here, there) = (stream.local_addr().ok(), stream.peer_addr().ok());
        let socket = OwnedFd::from(stream);
        if there == Some(mine) {
            client_side = Some(sizes(&socket));
        } else if here == Some(from) {
            server_side = Some(sizes(&socket));
        }
    }
    assert_eq!(client_side, Some((40_000, 60_000)));
    assert_eq!(server_side, Some((50_000, 70_000)));
}

/// Copies of another process's descriptors.
pub(super) fn sockets(running: &Running) -> Vec<OwnedFd> {
    let pid = i32::try_from(running.pid()).ok().and_then(Pid::from_raw);
    let process = pidfd_open(pid.expect("a process"), PidfdFlags::empty()).expect("our child");
    let all = fs::read_dir(format!("/proc/{}/fd", running.pid())).expect("our child");
    let numbers = all.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|number| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).ok())
        .collect()
}

#[test]
fn checks_are_spread() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = server.local_addr().expect("bound");
    let bench = Bench::new(
        "spread",
        &format!(
            "global\n spread-checks 50\n{REST} option tcp-check\n tcp-check expect string x\n server s {to} check inter 100ms\n"
        ),
    );
    let _running = bench.start();
    let times: Vec<Instant> = (0..10)
        .map(|_| {
            let _asked = server.accept().expect("a check");
            Instant::now()
        })
        .collect();
    let gaps = times.windows(2).map(|pair| pair[1].duration_since(pair[0]));
    let gaps: Vec<Duration> = gaps.collect();
    let (least, most) = (gaps.iter().min(), gaps.iter().max());
    let reach = most.copied().unwrap_or_default() - least.copied().unwrap_or_default();
    assert!(reach > Duration::from_millis(25), "{gaps:?}");
}

#[test]
fn too_few_descriptors_end_a_start_unless_limits_are_lenient() {
    // More than any kernel gives.
    let text = |more: &str| format!("global\n maxconn 1500000000\n{more}{REST}");
    let bench = Bench::new("strict", &text(""));
    let ended = bench.command("", "-db -f t.cfg").status().expect("a shell");
    assert_eq!(ended.code(), Some(1));
    bench.write(
        "t.cfg",
        &text(" no strict-limits\n stats socket @D/s level admin\n"),
    );
    let _running = bench.start();
    let maxconn: u64 = bench.figure("Maxconn").parse().expect("a number");
    assert!((10..1_500_000_000).contains(&maxconn), "{maxconn}");
}
