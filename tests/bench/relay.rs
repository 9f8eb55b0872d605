//! The bare relay: two sockets, no parsing. What it spends, everybody must spend.
//!
//! It runs as a process of its own (this program, started with a flag) so that it can be measured like the others.

use crate::epoll::{Epoll, READ, WRITE};
use crate::turns;
use rustix::event::epoll::EventFlags;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::Duration;

/// What makes this program a relay: `--relay PORT BACKEND THREADS copy|splice|SERVERS`.
pub(crate) const FLAG: &str = "--relay";

pub(crate) fn main(words: &[String]) -> ExitCode {
    match start(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(words: &[String]) -> io::Result<()> {
    let wrong = || io::Error::other("usage: --relay PORT BACKEND THREADS copy|splice|SERVERS");
    let [port, backend, threads, how] = words else {
        return Err(wrong());
    };
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let backend: SocketAddr = backend.parse().map_err(|_| wrong())?;
    let threads: usize = threads.parse().map_err(|_| wrong())?;
    let listener = crate::epoll::listen(port)?;
    let (spliced, servers) = (how == "splice", how.parse().ok());
    let mut running = Vec::new();
    for _ in 0..threads {
        let listener = listener.try_clone()?;
        running.push(std::thread::spawn(move || match servers {
            Some(servers) => turns::run(&listener, backend, servers),
            None => run(&listener, backend, spliced),
        }));
    }
    for thread in running {
        thread
            .join()
            .map_err(|_| io::Error::other("a thread panicked"))??;
    }
    Ok(())
}

/// One direction: what was read and not yet written.
struct Flow {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    pipe: Option<(OwnedFd, OwnedFd)>,
    piped: usize,
    over: bool,
}

struct Pair {
    ends: [TcpStream; 2],
    flows: [Flow; 2],
    interest: [EventFlags; 2],
}

const LISTENER: u64 = u64::MAX;
const COPY: usize = 16 * 1024;
const PIPE: usize = 256 * 1024;

fn run(listener: &TcpListener, backend: SocketAddr, spliced: bool) -> io::Result<()> {
    let mut epoll = Epoll::new()?;
    epoll.add(listener, LISTENER, READ)?;
    let mut pairs: Vec<Option<Pair>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut ready = Vec::new();
    loop {
        epoll.wait(Duration::from_secs(3600), &mut ready)?;
        for event in &ready {
            if event.key == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    let pair = Pair::new(client, backend, spliced)?;
                    let at = free.pop().unwrap_or(pairs.len());
                    if at == pairs.len() {
                        pairs.push(None);
                    }
                    for (side, end) in pair.ends.iter().enumerate() {
                        epoll.add(end, (at * 2 + side) as u64, READ)?;
                    }
                    pairs[at] = Some(pair);
                }
                continue;
            }
            let (at, side) = ((event.key / 2) as usize, (event.key % 2) as usize);
            let Some(pair) = pairs[at].as_mut() else {
                continue;
            };
            let mut alive = true;
            if event.readable {
                alive &= pair.advance(side);
            }
            if event.writable {
                alive &= pair.advance(1 - side);
            }
            if alive {
                pair.watch(&epoll, at)?;
            } else {
                pairs[at] = None;
                free.push(at);
            }
        }
    }
}

impl Pair {
    fn new(client: TcpStream, backend: SocketAddr, spliced: bool) -> io::Result<Self> {
        let server = TcpStream::connect(backend)?;
        for end in [&client, &server] {
            end.set_nonblocking(true)?;
            end.set_nodelay(true)?;
        }
        let flow = || -> io::Result<Flow> {
            Ok(Flow {
                buffer: if spliced { Vec::new() } else { vec![0; COPY] },
                from: 0,
                to: 0,
                pipe: if spliced {
                    Some(pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?)
                } else {
                    None
                },
                piped: 0,
                over: false,
            })
        };
        Ok(Self {
            ends: [client, server],
            flows: [flow()?, flow()?],
            interest: [READ, READ],
        })
    }

    /// Moves what there is from `side` to the other; false when the pair is over.
    fn advance(&mut self, side: usize) -> bool {
        let [a, b] = &mut self.ends;
        let (source, sink) = if side == 0 { (a, b) } else { (b, a) };
        let flow = &mut self.flows[side];
        let moved = if flow.pipe.is_some() {
            flow.splice(source, sink)
        } else {
            flow.copy(source, sink)
        };
        moved.is_ok() && !flow.over
    }

    /// Reads from an end unless its last bytes are still held, and waits for room where they are to go.
    fn watch(&mut self, epoll: &Epoll, at: usize) -> io::Result<()> {
        for side in 0..2 {
            let mut interest = EventFlags::empty();
            if !self.flows[side].holds() {
                interest |= READ;
            }
            if self.flows[1 - side].holds() {
                interest |= WRITE;
            }
            if interest != self.interest[side] {
                self.interest[side] = interest;
                epoll.change(&self.ends[side], (at * 2 + side) as u64, interest)?;
            }
        }
        Ok(())
    }
}

impl Flow {
    fn holds(&self) -> bool {
        self.from < self.to || self.piped > 0
    }

    fn copy(&mut self, source: &mut TcpStream, sink: &mut TcpStream) -> io::Result<()> {
        if self.from == self.to {
            match source.read(&mut self.buffer) {
                Ok(0) => self.over = true,
                Ok(n) => (self.from, self.to) = (0, n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        while self.from < self.to {
            match sink.write(&self.buffer[self.from..self.to]) {
                Ok(n) => self.from += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn splice(&mut self, source: &TcpStream, sink: &TcpStream) -> io::Result<()> {
        let Some((outlet, inlet)) = &self.pipe else {
            return Ok(());
        };
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        if self.piped == 0 {
            match splice(source, None, inlet, None, PIPE, flags) {
                Ok(0) => self.over = true,
                Ok(n) => self.piped = n,
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        while self.piped > 0 {
            match splice(outlet, None, sink, None, self.piped, flags) {
                Ok(n) => self.piped -= n,
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
