//! Bulk transfers: processor time per gigabyte.

use crate::contender::Running;
use crate::report::Figures;
use crate::scenario::Direction;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 4;
const PIECE: usize = 256 * 1024;
const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) fn measure(
    running: &Running,
    direction: Direction,
    window: Duration,
) -> io::Result<Figures> {
    let stop = Arc::new(AtomicBool::new(false));
    let moved = Arc::new(AtomicU64::new(0));
    let mut threads = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(running.address)?;
        stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        stream.set_write_timeout(Some(Duration::from_millis(100)))?;
        let (stop, moved) = (Arc::clone(&stop), Arc::clone(&moved));
        threads.push(crate::aside::spawn(move || {
            let mut piece = vec![b'x'; PIECE];
            while !stop.load(Relaxed) {
                let done = match direction {
                    Direction::Down => stream.read(&mut piece),
                    Direction::Up => stream.write(&piece),
                };
                match done {
                    Ok(0) => return,
                    Ok(n) => drop(moved.fetch_add(n as u64, Relaxed)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }));
    }
    std::thread::sleep(WARM_UP);
    let meter = running.meter();
    let spent = || meter.map(|meter| meter.spent()).unwrap_or_default();
    let (before, start, cpu) = (moved.load(Relaxed), Instant::now(), spent());
    std::thread::sleep(window);
    let (after, elapsed, cpu_after) = (moved.load(Relaxed), start.elapsed(), spent());
    let peak = meter.map_or(0, |meter| meter.peak());
    stop.store(true, Relaxed);
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a client thread panicked"))?;
    }
    let gigabytes = (after - before) as f64 / 1e9;
    if gigabytes == 0.0 {
        return Err(io::Error::other("nothing was transferred"));
    }
    let mut figures = Figures::default();
    let cpu = (cpu_after.total - cpu.total).as_secs_f64();
    figures.put("cpu s/GB", cpu / gigabytes);
    figures.put("GB/s", gigabytes / elapsed.as_secs_f64());
    figures.put("peak KiB", peak as f64);
    Ok(figures)
}
