//! The running program beside a real nameserver: servers move while clients keep asking, and nobody notices.

#![expect(clippy::disallowed_methods, reason = "process tests wait and measure")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::program::{self, Process, Scratch, await_that, free_ports};

/// Files that change while others read them.
struct Place(Scratch);

impl Place {
    fn write(&self, file: &str, text: &str) {
        // Replaced in one step, so that nobody reads half of it.
        let (beside, path) = (self.0.join(format!("{file}.new")), self.0.join(file));
        std::fs::write(&beside, text).expect("writable");
        std::fs::rename(beside, path).expect("writable");
    }
}

/// Answers every request with two bytes, on several addresses; counts them by address.
fn serve(port: u16, last: u8, count: Arc<AtomicU64>) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port)))
        .expect("a loopback address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || answer(stream, &count));
        }
    });
}

fn answer(mut stream: TcpStream, count: &AtomicU64) {
    let (mut room, mut got) = ([0; 4096], Vec::new());
    while let Ok(length @ 1..) = stream.read(&mut room) {
        got.extend_from_slice(&room[..length]);
        while let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            got.drain(..end + 4);
            count.fetch_add(1, Ordering::Relaxed);
            if stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .is_err()
            {
                return;
            }
        }
    }
}

/// Asks again and again over one connection; what is not a 200 counts as failed.
fn ask(port: u16, stop: Arc<AtomicBool>) -> JoinHandle<(u64, u64)> {
    thread::spawn(move || {
        let (mut good, mut bad) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            match converse(port, &stop, &mut good) {
                Ok(()) => {}
                Err(_) => bad += 1,
            }
        }
        (good, bad)
    })
}

fn converse(port: u16, stop: &AtomicBool, good: &mut u64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
        let (mut room, mut got) = ([0; 4096], Vec::new());
        while !got.ends_with(b"\r\n\r\nok") {
            let length = stream.read(&mut room)?;
            if length == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            got.extend_from_slice(&room[..length]);
        }
        if !got.starts_with(b"HTTP/1.1 200 ") {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        *good += 1;
    }
    Ok(())
}

fn nameserver(place: &Place, port: u16) -> Option<Process> {
    let hosts = format!("--addn-hosts={}", place.0.join("names").display());
    let mut command = Command::new("dnsmasq");
    command
        .args([
            "-k",
            "-i",
            "lo",
            "--bind-interfaces",
            "-a",
            "127.0.0.1",
            "--no-resolv",
            "--no-hosts",
            "--local-ttl=0",
        ])
        .args([
            "-C",
            "/dev/null",
            "--pid-file=",
            "--log-facility=-",
            "-u",
            "root",
            &hosts,
            "-p",
            &port.to_string(),
        ])
        .stderr(Stdio::null());
    Process::try_start(&mut command).ok()
}

fn command(socket: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the stats socket");
    stream.write_all(line.as_bytes()).expect("it listens");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

fn configuration(front: u16, back: u16, names: u16, socket: &Path) -> String {
    format!(
        "global\n stats socket {socket} level admin\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n\
         resolvers r\n nameserver n 127.0.0.1:{names}\n timeout resolve 100ms\n timeout retry 300ms\n hold valid 100ms\n hold nx 1s\n\
         frontend f\n bind 127.0.0.1:{front}\n default_backend b\n\
         backend b\n server-template s 3 app.test:{back} resolvers r resolve-prefer ipv4 init-addr none\n",
        socket = socket.display(),
    )
}

#[test]
fn servers_move_while_clients_ask() {
    let place = Place(Scratch::new("live"));
    let [front, back, names] = free_ports();
    let socket = place.0.join("socket");
    place.write("names", "127.0.0.21 app.test\n127.0.0.22 app.test\n");
    place.write("cfg", &configuration(front, back, names, &socket));
    let Some(dnsmasq) = nameserver(&place, names) else {
        eprintln!("skipped: no dnsmasq here");
        return;
    };
    let counts: [Arc<AtomicU64>; 4] = Default::default();
    for (last, count) in (21..).zip(&counts) {
        serve(back, last, Arc::clone(count));
    }
    let mut sluice = Command::new(program::path());
    let _sluice = Process::start(sluice.arg("-f").arg(place.0.join("cfg")));
    await_that("a first answer", || {
        let (stop, mut good) = (AtomicBool::new(false), 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                stop.store(true, Ordering::Relaxed);
            });
            let _ = converse(front, &stop, &mut good);
        });
        good > 0
    });
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4).map(|_| ask(front, Arc::clone(&stop))).collect();
    let turn = |text: &str, reached: usize| {
        place.write("names", text);
        let _ = Command::new("kill")
            .args(["-HUP", &dnsmasq.id().to_string()])
            .status();
        let before = counts[reached].load(Ordering::Relaxed);
        await_that("traffic at the new address", || {
            counts[reached].load(Ordering::Relaxed) > before + 20
        });
    };
    for _ in 0..3 {
        turn(
            "127.0.0.23 app.test\n127.0.0.24 app.test\n127.0.0.22 app.test\n",
            2,
        );
        turn("127.0.0.24 app.test\n", 3);
        turn("127.0.0.21 app.test\n127.0.0.22 app.test\n", 0);
    }
    stop.store(true, Ordering::Relaxed);
    let (good, bad) = clients
        .into_iter()
        .map(|client| client.join().expect("it ends"))
        .fold((0, 0), |(g, b), (good, bad)| (g + good, b + bad));
    println!("{good} requests over nine moves, {bad} failed");
    assert!(good > 500 && bad == 0, "{good} good, {bad} bad");
    let text = command(&socket, "show resolvers r\n");
    assert!(
        text.starts_with("Resolvers section r\n nameserver n:\n  sent: "),
        "{text}"
    );
}
