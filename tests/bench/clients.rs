//! Clients that make as many requests as go: over connections they keep, or over a new one each.

use crate::contender::Running;
use crate::epoll::{Epoll, READ};
use crate::meter::Counting;
use crate::report::Figures;
use crate::scenario::{Http, Scenario, Setup};
use crate::secure::{Dial, Stream, Tls};
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The request most clients send.
pub(crate) const REQUEST: &[u8] = b"GET /section/7/page HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

const REQUEST_CLOSE: &[u8] = b"GET /section/7/page HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\nConnection: close\r\n\r\n";

/// [`REQUEST_CLOSE`] behind a PROXY protocol header: 192.0.2.1:56324 to 198.51.100.7:443.
const REQUEST_INTRODUCED: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbbGET /section/7/page HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\nAccept: */*\r\nConnection: close\r\n\r\n";

const REQUEST_BROWSER: &[u8] = b"GET /section/7/page?id=1234567&lang=en HTTP/1.1\r\nHost: www.bench.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nReferer: http://www.bench.example/section/7/\r\nDNT: 1\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1; visits=42\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n\r\n";

/// Threads the clients run on.
const THREADS: usize = 2;
/// Time before measuring, in which pools fill and branches are learnt.
const WARM_UP: Duration = Duration::from_millis(300);
/// Answers of every client, server and backend before measuring: where there are many, opening the connections that then stay takes
/// longer than a window.
const WARM_ROUNDS: u64 = 4;
/// How long the crowd may take until everybody has had them.
const WARM_WITHIN: Duration = Duration::from_secs(15);
/// System calls are counted for so long, after the rest: counting them costs time.
const COUNTING: Duration = Duration::from_millis(300);
/// Until the counter counts.
const COUNTER_STARTS: Duration = Duration::from_millis(300);

pub(crate) fn measure(
    running: &Running,
    scenario: &Scenario,
    http: &Http,
    window: Duration,
) -> io::Result<Figures> {
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let failed = Arc::new(AtomicU64::new(0));
    let mut threads = Vec::new();
    for nth in 0..THREADS {
        let share = http.clients / THREADS + usize::from(nth < http.clients % THREADS);
        let (stop, done, failed) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(&failed));
        let (address, http, tls) = (running.address, *http, scenario.setup.tls);
        threads.push(crate::aside::spawn(move || {
            // Everybody has tickets of its own.
            let dials = (0..share).map(|_| Dial::new(address, tls));
            let crowd = Crowd::new(dials.collect::<Result<_, _>>()?, http, tls)?;
            crowd.run(&stop, &done, &failed)
        }));
    }
    warm_up(&done, &scenario.setup, http.clients);
    let meter = running.meter();
    let spent = || meter.map(|meter| meter.spent()).unwrap_or_default();
    let (before, start, cpu) = (done.load(Relaxed), Instant::now(), spent());
    std::thread::sleep(window);
    let (after, elapsed, cpu_after) = (done.load(Relaxed), start.elapsed(), spent());
    let peak = meter.map_or(0, |meter| meter.peak());
    let (mark, marked) = (done.load(Relaxed), Instant::now());
    let counting = meter.and_then(|meter| meter.count_calls(COUNTING));
    if counting.is_some() {
        std::thread::sleep(COUNTING + COUNTER_STARTS);
    }
    // The counter takes a while to start: both are turned into paces.
    let pace = (done.load(Relaxed) - mark) as f64 / marked.elapsed().as_secs_f64();
    stop.store(true, Relaxed);
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a client thread panicked"))??;
    }
    // The kernel takes the counter off when it has seen the proxy at rest: not while the clients are at work.
    let calls = counting.and_then(Counting::calls);
    let requests = (after - before) as f64;
    if requests == 0.0 {
        return Err(io::Error::other("no request was answered"));
    }
    let failed = failed.load(Relaxed);
    if failed as f64 > requests / 1000.0 {
        return Err(io::Error::other(format!("{failed} requests failed")));
    }
    let cpu_total = (cpu_after.total - cpu.total).as_secs_f64();
    let cpu_user = cpu_after.user.saturating_sub(cpu.user).as_secs_f64();
    let mut figures = Figures::default();
    figures.put("cpu us/req", cpu_total * 1e6 / requests);
    figures.put("user us/req", cpu_user * 1e6 / requests);
    if let Some(body) = scenario.answer.large() {
        figures.put("cpu s/GB", cpu_total * 1e9 / (requests * body as f64));
    }
    if let Some(calls) = calls {
        figures.put("calls/req", calls as f64 / COUNTING.as_secs_f64() / pace);
    }
    figures.put("req/s", requests / elapsed.as_secs_f64());
    figures.put("peak KiB", peak as f64);
    Ok(figures)
}

/// Waits until everybody has been served a few times.
fn warm_up(done: &AtomicU64, setup: &Setup, clients: usize) {
    let deadline = Instant::now() + WARM_WITHIN;
    let warm = WARM_ROUNDS * clients.max(setup.servers).max(setup.backends) as u64;
    while done.load(Relaxed) < warm && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(WARM_UP);
}

/// The clients of one thread.
struct Crowd {
    dials: Vec<Dial>,
    request: &'static [u8],
    fresh: bool,
    /// Connections go on with an earlier session, but for the first of each client.
    resumes: bool,
    epoll: Epoll,
    clients: Vec<Client>,
}

struct Client {
    stream: Stream,
    reading: Reading,
}

/// Where a response stands.
#[derive(Default)]
pub(crate) struct Reading {
    head: Vec<u8>,
    body: Body,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// The head is not whole yet.
    #[default]
    Unknown,
    Sized(usize),
    /// Chunked: bytes of the last chunk's `0\r\n\r\n` seen.
    Chunked(usize),
}

/// What some bytes meant.
#[derive(PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Complete,
    Wrong,
}

impl Crowd {
    fn new(dials: Vec<Dial>, http: Http, tls: Tls) -> io::Result<Self> {
        let count = dials.len();
        let request = match (http.fresh, http.browser) {
            (true, _) if http.introduced => REQUEST_INTRODUCED,
            (true, _) => REQUEST_CLOSE,
            (false, true) => REQUEST_BROWSER,
            (false, false) => REQUEST,
        };
        let mut crowd = Self {
            dials,
            request,
            fresh: http.fresh,
            resumes: tls.resumes(),
            epoll: Epoll::new()?,
            clients: Vec::with_capacity(count),
        };
        for nth in 0..count {
            let client = crowd.client(nth)?;
            crowd.epoll.add(&client.stream, nth as u64, READ)?;
            crowd.clients.push(client);
        }
        Ok(crowd)
    }

    /// A connection with its first request sent.
    fn client(&self, nth: usize) -> io::Result<Client> {
        let mut stream = self.dials[nth].open(0)?;
        stream.set_nonblocking()?;
        stream.write_all(self.request)?;
        Ok(Client {
            stream,
            reading: Reading::default(),
        })
    }

    fn run(mut self, stop: &AtomicBool, done: &AtomicU64, failed: &AtomicU64) -> io::Result<()> {
        let mut ready = Vec::new();
        let mut buffer = vec![0; 256 * 1024];
        let (mut answered, introduced) = (0, 2 * self.clients.len() as u64);
        while !stop.load(Relaxed) {
            self.epoll.wait(Duration::from_millis(50), &mut ready)?;
            let mut complete = 0;
            for event in &ready {
                let nth = event.key as usize;
                let client = &mut self.clients[nth];
                let progress = match client.stream.read(&mut buffer) {
                    Ok(0) if self.fresh && client.reading.is_idle() => {
                        self.renew(nth)?;
                        continue;
                    }
                    Ok(0) => Progress::Wrong,
                    Ok(n) => client.reading.take(&buffer[..n]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::More,
                    Err(_) => Progress::Wrong,
                };
                match progress {
                    Progress::More => {}
                    Progress::Complete => {
                        complete += 1;
                        answered += 1;
                        let known = answered > introduced;
                        if self.resumes && known && !client.stream.is_resumed() {
                            failed.fetch_add(1, Relaxed);
                        }
                        // A new connection follows when the other side has closed this one.
                        if !self.fresh && client.stream.write_all(self.request).is_err() {
                            self.renew(nth)?;
                        }
                    }
                    Progress::Wrong => {
                        failed.fetch_add(1, Relaxed);
                        self.renew(nth)?;
                    }
                }
            }
            done.fetch_add(complete, Relaxed);
        }
        Ok(())
    }

    fn renew(&mut self, nth: usize) -> io::Result<()> {
        let client = self.client(nth)?;
        self.epoll.add(&client.stream, nth as u64, READ)?;
        self.clients[nth] = client;
        Ok(())
    }
}

impl Reading {
    /// Whether no response is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.head.is_empty() && self.body == Body::Unknown
    }

    /// Takes bytes of a response.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Progress {
        if self.body == Body::Unknown {
            self.head.extend_from_slice(bytes);
            let Some(end) = self.head.windows(4).position(|w| w == b"\r\n\r\n") else {
                return Progress::More;
            };
            if !self.head.starts_with(b"HTTP/1.1 200") {
                return Progress::Wrong;
            }
            let rest = self.head.len() - (end + 4);
            self.body = framing(&self.head[..end]);
            bytes = &bytes[bytes.len() - rest..];
        }
        let complete = match &mut self.body {
            Body::Sized(left) => {
                *left = left.saturating_sub(bytes.len());
                *left == 0
            }
            Body::Chunked(seen) => {
                for &byte in bytes {
                    *seen = if byte == b"0\r\n\r\n"[*seen] {
                        *seen + 1
                    } else {
                        usize::from(byte == b'0')
                    };
                    if *seen == 5 {
                        break;
                    }
                }
                *seen == 5
            }
            Body::Unknown => false,
        };
        if complete {
            self.head.clear();
            self.body = Body::Unknown;
            return Progress::Complete;
        }
        Progress::More
    }
}

fn framing(head: &[u8]) -> Body {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| {
        text.split("\r\n")
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    match field("content-length").and_then(|len| len.parse().ok()) {
        Some(len) => Body::Sized(len),
        None if field("transfer-encoding").is_some() => Body::Chunked(0),
        None => Body::Sized(0),
    }
}
