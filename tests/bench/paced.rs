//! Clients that keep a modest fixed pace: what a request has to wait.

use crate::clients::{Progress, REQUEST, Reading};
use crate::contender::Running;
use crate::epoll::{Epoll, READ};
use crate::report::Figures;
use crate::scenario::Paced;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

struct Client {
    stream: TcpStream,
    reading: Reading,
    /// When its request was due.
    due: Instant,
}

/// Time is counted from when a request was due, not from when it was sent: a proxy that stalls makes the following ones
/// late as well.
pub(crate) fn measure(running: &Running, paced: &Paced, window: Duration) -> io::Result<Figures> {
    let mut epoll = Epoll::new()?;
    let mut clients = Vec::new();
    let mut idle: VecDeque<usize> = VecDeque::new();
    for nth in 0..paced.clients {
        let client = connect(running)?;
        epoll.add(&client.stream, nth as u64, READ)?;
        clients.push(client);
        idle.push_back(nth);
    }
    let gap = Duration::from_nanos(1_000_000_000 / paced.per_second);
    let (start, mut latencies) = (Instant::now(), Vec::new());
    let (mut next, end) = (start, start + window);
    let (mut ready, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    let mut waiting = 0_usize;
    while next < end || waiting > 0 {
        let now = Instant::now();
        if now > end + Duration::from_secs(2) {
            return Err(io::Error::other(format!(
                "{waiting} requests had no answer"
            )));
        }
        while next <= now && next < end {
            let Some(nth) = idle.pop_front() else { break };
            if paced.fresh {
                let client = connect(running)?;
                epoll.add(&client.stream, nth as u64, READ)?;
                clients[nth] = client;
            }
            clients[nth].due = next;
            clients[nth].stream.write_all(REQUEST)?;
            waiting += 1;
            next += gap;
        }
        sleep_until(&epoll, next.max(now))?;
        epoll.wait(Duration::ZERO, &mut ready)?;
        for event in &ready {
            let nth = event.key as usize;
            let n = match clients[nth].stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("a connection was closed")),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            match clients[nth].reading.take(&buffer[..n]) {
                Progress::More => {}
                Progress::Wrong => return Err(io::Error::other("a wrong answer")),
                Progress::Complete => {
                    latencies.push(clients[nth].due.elapsed());
                    idle.push_back(nth);
                    waiting -= 1;
                }
            }
        }
    }
    latencies.sort_unstable();
    let at = |part: f64| {
        let place = ((latencies.len() as f64 * part) as usize).min(latencies.len() - 1);
        latencies[place].as_secs_f64() * 1e6
    };
    let mut figures = Figures::default();
    figures.put("p50 us", at(0.50));
    figures.put("p99 us", at(0.99));
    Ok(figures)
}

fn connect(running: &Running) -> io::Result<Client> {
    let stream = TcpStream::connect(running.address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(Client {
        stream,
        reading: Reading::default(),
        due: Instant::now(),
    })
}

/// Waits for an event, or for the moment, to the microsecond.
fn sleep_until(epoll: &Epoll, moment: Instant) -> io::Result<()> {
    let left = moment.saturating_duration_since(Instant::now());
    let left = left.min(Duration::from_millis(50));
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    let mut watched = [PollFd::new(epoll.queue(), PollFlags::IN)];
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
