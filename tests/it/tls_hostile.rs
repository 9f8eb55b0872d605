//! Hellos that no honest client sends, and clients that never finish theirs: each is refused or waited for, and nobody else is worse off.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tls::{PAGE, Running};

/// How long an answer is waited for; clients that say nothing are given up after 2 s.
const PATIENCE: Duration = Duration::from_secs(6);

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// The hello of OpenSSL, in one record.
fn hello(more: &[&str]) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = listener.local_addr().expect("an address").to_string();
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", &to, "-servername", "example.test"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs");
    let (mut stream, _) = listener.accept().expect("a client");
    let mut head = [0; 5];
    stream.read_exact(&mut head).expect("a record");
    let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut record).expect("all of it");
    let _ = client.kill();
    let _ = client.wait();
    [&head[..], &record].concat()
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", running.port(0))).expect("a listener");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// What comes back, up to the end or to as much as tells.
fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    while all.len() < 7 {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    all
}

fn sent(running: &Running, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(running);
    // Who is refused in the middle may find the other end closed.
    let _ = stream.write_all(bytes);
    answer(&mut stream)
}

/// The same message over records of `size` bytes.
fn reframed(hello: &[u8], size: usize) -> Vec<u8> {
    hello[5..]
        .chunks(size)
        .flat_map(|part| {
            let len = u16::try_from(part.len()).expect("short").to_be_bytes();
            [&[HANDSHAKE, 3, 1][..], &len, part].concat()
        })
        .collect()
}

fn running(name: &str) -> Running {
    let text = format!(
        "global\n stats socket @D/cli level admin\nfrontend f\n bind @0 ssl crt @Tecdsa.pem\n{PAGE}"
    );
    Running::new(name, 1, &text)
}

fn current(running: &Running, field: &str) -> u64 {
    let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
    cli.write_all(b"show info\n").expect("written");
    let mut shown = String::new();
    cli.read_to_string(&mut shown).expect("text");
    let value = shown
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
    value.expect(field).parse().expect("a number")
}

/// A column of the frontend's row.
fn counted(running: &Running, column: &str) -> u64 {
    let mut cli = UnixStream::connect(running.path("cli")).expect("the stats socket");
    cli.write_all(b"show stat\n").expect("written");
    let mut shown = String::new();
    cli.read_to_string(&mut shown).expect("text");
    let mut rows = shown.lines().map(|line| line.split(','));
    let mut names = rows.next().expect("a head");
    let at = names.position(|name| name == column).expect(column);
    let mut front = rows.find(|row| row.clone().nth(1) == Some("FRONTEND"));
    let value = front.as_mut().and_then(|row| row.nth(at));
    value.expect(column).parse().expect("a number")
}

/// Nobody is left over, and the next client is served.
fn all_is_well(running: &Running) {
    let end = Instant::now() + PATIENCE;
    while current(running, "CurrConns") > 1 {
        assert!(Instant::now() < end, "connections are left over");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(
        running
            .page(0, "example.test", &[])
            .starts_with("1 TLSv1.3 example.test")
    );
}

#[test]
fn hellos_in_pieces_are_hellos() {
    let running = running("pieces");
    for version in ["-tls1_2", "-tls1_3"] {
        let hello = hello(&[version]);
        let mut stream = connect(&running);
        for byte in &hello {
            stream.write_all(&[*byte]).expect("still listening");
        }
        assert_eq!(answer(&mut stream)[0], HANDSHAKE, "{version} byte by byte");
        for size in [1, 2, 50, 100] {
            // What is cut over too many records is refused in good order; the rest is as if in one.
            let first = sent(&running, &reframed(&hello, size)).first().copied();
            let records = (hello.len() - 5).div_ceil(size);
            let wanted = if records > 64 {
                [ALERT, HANDSHAKE]
            } else {
                [HANDSHAKE; 2]
            };
            assert!(
                first.is_some_and(|kind| wanted.contains(&kind)),
                "{version} by {size}: {first:?}"
            );
        }
    }
    all_is_well(&running);
}

#[test]
fn what_is_no_hello_is_refused() {
    let running = running("refused");
    let good = hello(&["-tls1_2"]);
    let mut cut_lists = good.clone();
    // The length of the session's identity, behind which nothing fits any more.
    cut_lists[43] = 0xff;
    let mut giant = vec![HANDSHAKE, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3];
    giant.resize(5 + 0x4000, 7);
    let mut old = good.clone();
    (old[9], old[10]) = (3, 1);
    let zeros = [HANDSHAKE, 3, 1, 0, 0].repeat(100);
    for (what, bytes) in [
        ("lists cut", &cut_lists[..]),
        ("giant", &giant),
        ("empty records", &zeros),
        ("zeros", &[0; 600]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n"),
        (
            "SSLv2",
            &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80],
        ),
        ("an alert", &[ALERT, 3, 1, 0, 2, 2, 40]),
        ("data", &[23, 3, 3, 0, 4, 1, 2, 3, 4]),
        ("a record too long", &[HANDSHAKE, 3, 1, 0xff, 0xff, 1]),
        ("TLS 1.0", &old),
    ] {
        let back = sent(&running, bytes);
        assert!(
            back.first().is_none_or(|kind| *kind == ALERT),
            "{what}: {back:?}"
        );
        assert!(
            back.is_empty() || back.len() >= 7 && back[5] == 2,
            "{what}: no fatal alert in {back:?}"
        );
    }
    // 70 is protocol_version.
    assert_eq!(sent(&running, &old).get(6), Some(&70));
    all_is_well(&running);
    // Each of them, and who came only to see whether somebody listens.
    assert!((11..=12).contains(&counted(&running, "ssl_failed_handshake")));
    assert_eq!(counted(&running, "ssl_sess"), 1);
}

#[test]
fn seeded_damage_ends_no_process() {
    let running = running("damage");
    let seed = 0x5bd1_e995_u64 ^ u64::from(std::process::id());
    let mut state = seed;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits")
    };
    let good = hello(&[]);
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..1 + next() % 8 {
            let at = next() % bytes.len();
            bytes[at] = u8::try_from(next() % 256).expect("a byte");
        }
        let mut stream = connect(&running);
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = answer(&mut stream);
    }
    println!("seed {seed}");
    all_is_well(&running);
}

#[test]
fn many_that_never_finish_hold_nobody_up() {
    let running = running("half-open");
    let hello = hello(&[]);
    let silent: Vec<TcpStream> = (0..400)
        .map(|at| {
            let mut stream = connect(&running);
            stream
                .write_all(&hello[..at % hello.len()])
                .expect("written");
            stream
        })
        .collect();
    let before = Instant::now();
    assert!(
        running
            .page(0, "example.test", &[])
            .starts_with("1 TLSv1.3")
    );
    assert!(before.elapsed() < Duration::from_secs(2), "others wait");
    // They are given up, not kept: each of them reads its end.
    for mut stream in silent {
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        let reset = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionReset;
        assert!(
            ended.as_ref().is_ok() || ended.as_ref().is_err_and(reset),
            "{ended:?}"
        );
    }
    all_is_well(&running);
}

#[test]
fn renegotiation_is_refused() {
    let running = running("again");
    let shown = running.s_client(0, &["-tls1_2", "-legacy_renegotiation"], "R\n");
    assert!(
        shown.contains("RENEGOTIATING") && !shown.contains("Secure Renegotiation IS NOT supported"),
        "{shown}"
    );
    all_is_well(&running);
}
