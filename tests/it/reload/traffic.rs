//! Clients that count what they see, and the server behind the proxy.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of the long transfers.
const TRANSFER: usize = 400 * 1024;
const PIECE: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(15);

/// What clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub good: usize,
    pub bad: Vec<String>,
}

impl Seen {
    fn count(&mut self, what: Result<(), String>) {
        match what {
            Ok(()) => self.good += 1,
            Err(error) => self.bad.push(error),
        }
    }

    fn add(mut self, other: Self) -> Self {
        self.good += other.good;
        self.bad.extend(other.bad);
        self
    }
}

struct Crowd {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

impl Crowd {
    fn start(
        count: usize,
        life: impl Fn(usize, &AtomicBool) -> Seen + Clone + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |number| {
            let (stop, life) = (Arc::clone(&stop), life.clone());
            std::thread::spawn(move || life(number, &stop))
        };
        let threads = (0..count).map(spawn).collect();
        Self { stop, threads }
    }

    fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self
            .threads
            .into_iter()
            .map(|t| t.join().expect("a client's thread"));
        seen.fold(Seen::default(), Seen::add)
    }
}

/// Clients that open a connection for every request.
pub(crate) struct Rush(Crowd);

impl Rush {
    pub(crate) fn start(port: u16, clients: usize) -> Self {
        Self(Crowd::start(clients, move |_, stop| {
            let mut seen = Seen::default();
            while !stop.load(Ordering::Relaxed) {
                seen.count(
                    once(port, PATIENCE)
                        .map_err(|e| format!("{} ({:?})", e, e.kind()))
                        .and_then(whole),
                );
            }
            seen
        }))
    }

    pub(crate) fn stop(self) -> Seen {
        self.0.stop()
    }
}

/// Clients that keep their connection and pause between requests. A connection that the server closes between two
/// answers is opened anew; a request that was sent and not answered is a loss.
pub(crate) struct Keepalive(Crowd);

impl Keepalive {
    pub(crate) fn start(port: u16, clients: usize) -> Self {
        Self(Crowd::start(clients, move |number, stop| {
            let mut seen = Seen::default();
            let pause = Duration::from_millis(5 + (number as u64 * 7) % 55);
            let mut kept: Option<TcpStream> = None;
            while !stop.load(Ordering::Relaxed) {
                let result =
                    kept.take()
                        .map_or_else(|| connect(port), Ok)
                        .and_then(|mut stream| {
                            stream.write_all(b"GET /k HTTP/1.1\r\nHost: t\r\n\r\n")?;
                            Ok((answer(&mut stream)?, stream))
                        });
                seen.count(match result {
                    Ok((text, stream)) => {
                        if !text.to_ascii_lowercase().contains("\r\nconnection: close") {
                            kept = Some(stream);
                        }
                        whole(text)
                    }
                    Err(error) => Err(format!("{error} ({:?})", error.kind())),
                });
                std::thread::sleep(pause);
            }
            seen
        }))
    }

    pub(crate) fn stop(self) -> Seen {
        self.0.stop()
    }
}

fn whole(text: String) -> Result<(), String> {
    if text.starts_with("HTTP/1.1 200") && text.ends_with("served\n") {
        Ok(())
    } else {
        Err(format!("answer {text:?}"))
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn once(port: u16, patience: Duration) -> io::Result<String> {
    let mut stream = connect(port)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Reads one answer whose length is given.
fn answer(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 2048];
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|t| t.lines().next()?.trim().parse::<usize>().ok());
            let length =
                length.ok_or_else(|| io::Error::other(format!("no length in {head:?}")))?;
            if bytes.len() >= end + 4 + length {
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        match stream.read(&mut piece)? {
            0 => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("end after {} bytes", bytes.len()),
                ));
            }
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

/// The generation that answers a new connection.
pub(crate) fn generation(port: u16) -> Result<u32, String> {
    generation_within(port, PATIENCE)
}

/// The same, of whoever answers in this time.
pub(crate) fn generation_within(port: u16, patience: Duration) -> Result<u32, String> {
    let text = once(port, patience).map_err(|e| e.to_string())?;
    let number = text
        .split("generation ")
        .nth(1)
        .and_then(|t| t.lines().next()?.parse().ok());
    number.ok_or(text)
}

pub(crate) fn answered_by(port: u16) -> u32 {
    generation(port).expect("an answer")
}

/// Connections that were used once and then rest.
pub(crate) fn idle(port: u16, count: usize) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = connect(port).expect("it listens");
        stream
            .write_all(b"GET /i HTTP/1.1\r\nHost: t\r\n\r\n")
            .expect("it reads");
        answer(&mut stream).expect("it answers");
        stream
    };
    (0..count).map(one).collect()
}

/// A request whose answer takes as long as the client cares to wait.
pub(crate) fn tunnel(port: u16) -> TcpStream {
    let mut stream = connect(port).expect("it listens");
    let request = b"POST /held HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12";
    stream.write_all(request).expect("it reads");
    stream
}

/// What a long transfer carries: no two pieces are alike, so that one that is lost, doubled or misplaced shows.
fn piece(number: usize) -> Vec<u8> {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let byte = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..PIECE).map(byte).collect()
}

fn checksum(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn whole_checksum() -> u64 {
    checksum((0..TRANSFER / PIECE).flat_map(piece))
}

/// A slow upload; right when the server found every byte in its place.
pub(crate) fn upload(port: u16) -> JoinHandle<Result<(), String>> {
    std::thread::spawn(move || {
        let mut stream = connect(port).map_err(|e| e.to_string())?;
        let head = format!("POST /up HTTP/1.1\r\nHost: t\r\nContent-Length: {TRANSFER}\r\n\r\n");
        stream
            .write_all(head.as_bytes())
            .map_err(|e| e.to_string())?;
        for number in 0..TRANSFER / PIECE {
            stream
                .write_all(&piece(number))
                .map_err(|e| e.to_string())?;
            std::thread::sleep(Duration::from_millis(8));
        }
        let text = answer(&mut stream).map_err(|e| e.to_string())?;
        text.contains(&format!("body {TRANSFER} {:x}\n", whole_checksum()))
            .then_some(())
            .ok_or(text)
    })
}

/// A slow download; right when every byte came, in its place.
pub(crate) fn download(port: u16) -> JoinHandle<Result<(), String>> {
    std::thread::spawn(move || {
        let mut stream = connect(port).map_err(|e| e.to_string())?;
        let request = b"GET /down HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
        stream.write_all(request).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        let start = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .map_or(0, |at| at + 4);
        let got = bytes.len() - start;
        let right = checksum(bytes.drain(start..)) == whole_checksum();
        right.then_some(()).ok_or(format!("{got} bytes came"))
    })
}

/// The server behind the proxy. It says which generation forwarded the request, how long the body was, and can be slow.
pub(crate) struct Server {
    port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let thread = std::thread::Builder::new().stack_size(128 * 1024);
                let _ = thread.spawn(move || {
                    let _ = serve(stream);
                });
            }
        });
        Self { port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
            match stream.read(&mut piece)? {
                0 => return Ok(()),
                n => bytes.extend_from_slice(&piece[..n]),
            }
        }
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .map_or(0, |at| at + 4);
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        bytes.drain(..end);
        let length: usize = field(&head, "content-length: ")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        while bytes.len() < length {
            match stream.read(&mut piece)? {
                0 => return Ok(()),
                n => bytes.extend_from_slice(&piece[..n]),
            }
        }
        let sum = checksum(bytes.drain(..length));
        if head.starts_with("get /down ") {
            return slow_answer(&mut stream);
        }
        let generation =
            field(&head, "x-generation-").map_or("?", |t| t.split(':').next().unwrap_or("?"));
        let body = format!("generation {generation}\nbody {length} {sum:x}\nserved\n");
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(reply.as_bytes())?;
    }
}

fn slow_answer(stream: &mut TcpStream) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {TRANSFER}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    for number in 0..TRANSFER / PIECE {
        stream.write_all(&piece(number))?;
        std::thread::sleep(Duration::from_millis(8));
    }
    Ok(())
}

fn field<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    head.split(name).nth(1)?.lines().next()
}
