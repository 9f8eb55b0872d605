//! A nameserver that does what the name tells it to, right or wrong. It writes its messages by hand, so that a mistake in
//! the resolver's library cannot hide on both sides.

#![expect(clippy::disallowed_methods, reason = "process tests wait and measure")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A question as it came.
pub(crate) struct Asked {
    /// The id.
    pub(crate) id: u16,
    /// The name in lower case without trailing dot.
    pub(crate) name: String,
    /// The record type's number.
    pub(crate) kind: u16,
    /// The question section's bytes.
    pub(crate) question: Vec<u8>,
    /// Whether it came over TCP.
    pub(crate) tcp: bool,
}

/// What to do with a question: messages to send, after a delay.
#[derive(Default)]
pub(crate) struct Deed {
    /// Messages in order; over TCP they are framed.
    pub(crate) messages: Vec<Vec<u8>>,
    /// How long to wait first.
    pub(crate) delay: Duration,
    /// TCP: one byte at a time with this pause.
    pub(crate) dribble: Option<Duration>,
    /// TCP: close without an answer.
    pub(crate) hang_up: bool,
}

impl Deed {
    /// One message at once.
    pub(crate) fn say(message: Vec<u8>) -> Self {
        Self {
            messages: vec![message],
            ..Self::default()
        }
    }

    /// Nothing at all.
    pub(crate) fn silence() -> Self {
        Self::default()
    }
}

/// The script of a server.
pub(crate) type Script = Arc<dyn Fn(&Asked) -> Deed + Send + Sync>;

/// A running server; it ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address`, both protocols; port 0 takes a free one.
    pub(crate) fn start(address: SocketAddr, script: Script) -> Self {
        let (udp, tcp) = listen(address);
        let address = udp.local_addr().expect("bound");
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicU64::new(0));
        udp.set_read_timeout(Some(POLL)).expect("a timeout");
        tcp.set_nonblocking(true).expect("non-blocking");
        let threads = vec![
            thread::spawn({
                let (stop, asked, script) = (stop.clone(), asked.clone(), script.clone());
                move || serve_udp(&Arc::new(udp), &stop, &asked, &script)
            }),
            thread::spawn({
                let (stop, asked) = (stop.clone(), asked.clone());
                move || serve_tcp(&tcp, &stop, &asked, &script)
            }),
        ];
        Self {
            address,
            stop,
            asked,
            threads,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Questions so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn listen(address: SocketAddr) -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind(address).expect("the address is free");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("bound")) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both protocols");
}

fn serve_udp(socket: &Arc<UdpSocket>, stop: &AtomicBool, asked: &AtomicU64, script: &Script) {
    let mut room = vec![0; 65_536];
    // Delayed answers leave in the order of their questions, so one thread with a queue is enough.
    let (later, due) = std::sync::mpsc::channel::<(std::time::Instant, SocketAddr, Vec<Vec<u8>>)>();
    let sender = socket.clone();
    let postman = thread::spawn(move || {
        for (at, peer, messages) in due {
            thread::sleep(at.saturating_duration_since(std::time::Instant::now()));
            for message in messages {
                let _ = sender.send_to(&message, peer);
            }
        }
    });
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, peer)) = socket.recv_from(&mut room) else {
            continue;
        };
        let Some(question) = parse(&room[..length], false) else {
            continue;
        };
        asked.fetch_add(1, Ordering::Relaxed);
        let deed = script(&question);
        if deed.delay.is_zero() {
            for message in &deed.messages {
                let _ = socket.send_to(message, peer);
            }
        } else {
            let _ = later.send((std::time::Instant::now() + deed.delay, peer, deed.messages));
        }
    }
    drop(later);
    let _ = postman.join();
}

fn serve_tcp(
    listener: &TcpListener,
    stop: &Arc<AtomicBool>,
    asked: &Arc<AtomicU64>,
    script: &Script,
) {
    while !stop.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        let (asked, script, stop) = (asked.clone(), script.clone(), stop.clone());
        thread::spawn(move || {
            let _ = serve_stream(stream, &stop, &asked, &script);
        });
    }
}

fn serve_stream(
    mut stream: TcpStream,
    stop: &AtomicBool,
    asked: &AtomicU64,
    script: &Script,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut bytes)?;
        let Some(question) = parse(&bytes, true) else {
            return Ok(());
        };
        asked.fetch_add(1, Ordering::Relaxed);
        let deed = script(&question);
        thread::sleep(deed.delay);
        if deed.hang_up {
            return Ok(());
        }
        for message in deed.messages {
            let mut framed = u16::try_from(message.len())
                .expect("fits")
                .to_be_bytes()
                .to_vec();
            framed.extend(message);
            match deed.dribble {
                None => stream.write_all(&framed)?,
                Some(pause) => {
                    for byte in framed {
                        if stop.load(Ordering::Relaxed) {
                            return Ok(());
                        }
                        stream.write_all(&[byte])?;
                        thread::sleep(pause);
                    }
                }
            }
        }
    }
}

fn parse(bytes: &[u8], tcp: bool) -> Option<Asked> {
    let mut at = 12;
    let mut labels: Vec<String> = Vec::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(bytes.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
    Some(Asked {
        id: u16::from_be_bytes([bytes[0], bytes[1]]),
        name: labels.join("."),
        kind,
        question: bytes.get(12..at + 4)?.to_vec(),
        tcp,
    })
}

/// Record type numbers.
pub(crate) const A: u16 = 1;
pub(crate) const CNAME: u16 = 5;
pub(crate) const AAAA: u16 = 28;
pub(crate) const SRV: u16 = 33;

/// A message in the making.
pub(crate) struct Answer {
    id: u16,
    flags: u16,
    question: Vec<u8>,
    records: [Vec<Vec<u8>>; 3],
}

impl Answer {
    /// An empty answer of a resolver.
    pub(crate) fn to(asked: &Asked) -> Self {
        Self {
            id: asked.id,
            flags: 0x8180,
            question: asked.question.clone(),
            records: Default::default(),
        }
    }

    /// With this error.
    pub(crate) fn rcode(mut self, code: u16) -> Self {
        self.flags |= code;
        self
    }

    /// Marked as cut.
    pub(crate) fn truncated(mut self) -> Self {
        self.flags |= 0x0200;
        self
    }

    /// From neither the owner nor a resolver.
    pub(crate) fn lame(mut self) -> Self {
        self.flags &= !0x0080;
        self
    }

    /// With another id.
    pub(crate) fn wrong_id(mut self) -> Self {
        self.id = self.id.wrapping_add(1);
        self
    }

    /// To another question.
    pub(crate) fn wrong_question(mut self) -> Self {
        if let Some(byte) = self.question.get_mut(1) {
            *byte = byte.wrapping_add(1);
        }
        self
    }

    /// One record in the answer section.
    pub(crate) fn record(mut self, owner: &str, kind: u16, ttl: u32, data: &[u8]) -> Self {
        self.records[0].push(record(owner, kind, ttl, data));
        self
    }

    /// An address of `owner`.
    pub(crate) fn address(self, owner: &str, address: IpAddr) -> Self {
        self.address_for(owner, address, 300)
    }

    /// An address of `owner` with its lifetime.
    pub(crate) fn address_for(self, owner: &str, address: IpAddr, ttl: u32) -> Self {
        match address {
            IpAddr::V4(four) => self.record(owner, A, ttl, &four.octets()),
            IpAddr::V6(six) => self.record(owner, AAAA, ttl, &six.octets()),
        }
    }

    /// An alias.
    pub(crate) fn alias(self, owner: &str, target: &str) -> Self {
        self.record(owner, CNAME, 60, &encode_name(target))
    }

    /// A service.
    pub(crate) fn service(self, owner: &str, weight: u16, port: u16, target: &str) -> Self {
        let mut data = [0u16, weight, port]
            .iter()
            .flat_map(|n| n.to_be_bytes())
            .collect::<Vec<u8>>();
        data.extend(encode_name(target));
        self.record(owner, SRV, 60, &data)
    }

    /// One address in the additional section.
    pub(crate) fn additional(mut self, owner: &str, address: IpAddr) -> Self {
        let bytes = match address {
            IpAddr::V4(four) => record(owner, A, 300, &four.octets()),
            IpAddr::V6(six) => record(owner, AAAA, 300, &six.octets()),
        };
        self.records[2].push(bytes);
        self
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let counts = self
            .records
            .iter()
            .map(|section| u16::try_from(section.len()).expect("few records"));
        for number in [self.id, self.flags, u16::from(!self.question.is_empty())]
            .into_iter()
            .chain(counts)
        {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(&self.question);
        self.records
            .iter()
            .flatten()
            .for_each(|record| bytes.extend(record));
        bytes
    }
}

fn record(owner: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = encode_name(owner);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(1u16.to_be_bytes());
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
    bytes.extend(data);
    bytes
}

fn encode_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("short label"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

const POLL: Duration = Duration::from_millis(20);
