//! The server behind every contender: answers each request with the same bytes, or is one end of a bulk transfer.

use crate::epoll::{self, Epoll, READ, WRITE};
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the backend does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A response with a body of so many bytes.
    Sized(usize),
    /// The same in chunks of 1 KiB.
    Chunked(usize),
    /// Bytes without end, to whoever connects.
    Source,
    /// Takes bytes without end.
    Sink,
}

impl Answer {
    /// The length of a body that is large enough for its bytes to be what costs.
    pub(crate) fn large(self) -> Option<usize> {
        match self {
            Self::Sized(len) | Self::Chunked(len) if len >= LARGE => Some(len),
            Self::Sized(_) | Self::Chunked(_) | Self::Source | Self::Sink => None,
        }
    }
}

const LARGE: usize = 64 << 10;

pub(crate) struct Backend {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Backend {
    pub(crate) fn start(answer: &Answer) -> io::Result<Self> {
        let listener = epoll::listen(0)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let bytes: Arc<[u8]> = response(*answer).into();
        let mut threads = Vec::new();
        for _ in 0..THREADS {
            let (listener, stop) = (listener.try_clone()?, Arc::clone(&stop));
            let bytes = Arc::clone(&bytes);
            let answer = *answer;
            threads.push(crate::aside::spawn(move || {
                let served = match answer {
                    Answer::Sized(_) | Answer::Chunked(_) => serve(&listener, &bytes, &stop),
                    Answer::Source | Answer::Sink => pump(&listener, answer, &stop),
                };
                if let Err(error) = served {
                    eprintln!("bench: backend: {error}");
                }
            }));
        }
        Ok(Self {
            address,
            stop,
            threads,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// The bytes of the answer.
fn response(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Sized(len) => {
            let mut all = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n").into_bytes();
            all.resize(all.len() + len, b'x');
            all
        }
        Answer::Chunked(len) => {
            let mut all = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for _ in 0..len.div_ceil(CHUNK) {
                all.extend_from_slice(format!("{CHUNK:x}\r\n").as_bytes());
                all.resize(all.len() + CHUNK, b'x');
                all.extend_from_slice(b"\r\n");
            }
            all.extend_from_slice(b"0\r\n\r\n");
            all
        }
        Answer::Source | Answer::Sink => vec![b'x'; BULK],
    }
}

struct Peer {
    stream: TcpStream,
    /// Of the blank line that ends a request, how much has come.
    matched: usize,
    /// Bytes of answers still to be sent.
    due: usize,
    at: usize,
    wants_write: bool,
    close: bool,
    /// Nothing has come yet: what comes may be a PROXY protocol header.
    fresh: bool,
}

/// Answers requests until told to stop.
fn serve(listener: &TcpListener, answer: &[u8], stop: &AtomicBool) -> io::Result<()> {
    let mut epoll = Epoll::new()?;
    epoll.add(listener, LISTENER, READ)?;
    let mut peers: HashMap<u64, Peer> = HashMap::new();
    let (mut next, mut ready) = (0_u64, Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    while !stop.load(Relaxed) {
        epoll.wait(POLL, &mut ready)?;
        for event in &ready {
            if event.key == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    epoll.add(&stream, next, READ)?;
                    peers.insert(next, Peer::new(stream));
                    next += 1;
                }
                continue;
            }
            let Some(peer) = peers.get_mut(&event.key) else {
                continue;
            };
            let alive = peer.turn(event.readable, answer, &mut buffer);
            if !alive {
                peers.remove(&event.key);
                continue;
            }
            let wants = peer.due > 0;
            if wants != peer.wants_write {
                peer.wants_write = wants;
                let interest = if wants { READ | WRITE } else { READ };
                epoll.change(&peer.stream, event.key, interest)?;
            }
        }
    }
    Ok(())
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            matched: 0,
            due: 0,
            at: 0,
            wants_write: false,
            close: false,
            fresh: true,
        }
    }

    /// Reads requests and writes answers; false when the connection is over.
    fn turn(&mut self, readable: bool, answer: &[u8], buffer: &mut [u8]) -> bool {
        if readable {
            match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(n) => {
                    let header = if self.fresh {
                        header_len(&buffer[..n])
                    } else {
                        0
                    };
                    self.fresh = false;
                    self.scan(&buffer[header.min(n)..n], answer.len());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
        while self.due > 0 {
            match self.stream.write(&answer[self.at..]) {
                Ok(n) => {
                    self.due -= n;
                    self.at = (self.at + n) % answer.len();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        !self.close
    }

    /// Finds the blank lines that end requests; bodies are not sent to this backend.
    fn scan(&mut self, bytes: &[u8], answer_len: usize) {
        let lower = bytes
            .windows(17)
            .any(|w| w.eq_ignore_ascii_case(b"connection: close"));
        self.close |= lower;
        for &byte in bytes {
            let expected = b"\r\n\r\n"[self.matched];
            self.matched = match byte {
                _ if byte == expected => self.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if self.matched == 4 {
                self.matched = 0;
                self.due += answer_len;
            }
        }
    }
}

/// How long the PROXY protocol header (version 2) is that the bytes begin with; proxies send it in one piece.
fn header_len(bytes: &[u8]) -> usize {
    if !bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return 0;
    }
    let len = bytes
        .get(14..16)
        .map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
    16 + len
}

/// One end of bulk transfers: a thread a connection.
fn pump(listener: &TcpListener, answer: Answer, stop: &Arc<AtomicBool>) -> io::Result<()> {
    let mut threads = Vec::new();
    while !stop.load(Relaxed) {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(POLL))?;
        stream.set_read_timeout(Some(POLL))?;
        let stop = Arc::clone(stop);
        threads.push(std::thread::spawn(move || {
            let mut buffer = vec![b'x'; BULK];
            while !stop.load(Relaxed) {
                let moved = match answer {
                    Answer::Source => stream.write(&buffer),
                    _ => stream.read(&mut buffer),
                };
                match moved {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }));
    }
    for thread in threads {
        // A thread that panicked has said so.
        let _ = thread.join();
    }
    Ok(())
}

const THREADS: usize = 2;
const LISTENER: u64 = u64::MAX;
const CHUNK: usize = 1024;
const BULK: usize = 256 * 1024;
const POLL: Duration = Duration::from_millis(50);
