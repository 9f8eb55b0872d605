//! Connections that are there and do next to nothing: what they cost.

use crate::clients::{Progress, REQUEST, Reading};
use crate::contender::Running;
use crate::machine;
use crate::report::Figures;
use crate::scenario::Scenario;
use crate::secure::{Dial, Stream, Tls};
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

/// Connections one source address can hold to one destination, with a margin.
const PER_SOURCE: usize = 20_000;
/// Memory of connections that made one request and keep still, and the processor time of keeping them.
pub(crate) fn measure_idle(
    running: &Running,
    (scenario, count): (&Scenario, usize),
    window: Duration,
) -> io::Result<Figures> {
    let count = machine::holdable(count);
    let meter = running.meter().ok_or(io::Error::other("no process"))?;
    let dial = Dial::new(running.address, scenario.setup.tls)?;
    for _ in 0..64 {
        request(&mut dial.open(0)?)?;
    }
    std::thread::sleep(Duration::from_millis(200));
    let empty = meter.resident();
    let mut held = Vec::with_capacity(count);
    for nth in 0..count {
        let mut stream = dial.open(nth / PER_SOURCE)?;
        request(&mut stream)?;
        held.push(stream);
    }
    std::thread::sleep(Duration::from_millis(500));
    let full = meter.resident();
    let (before, start) = (meter.spent(), Instant::now());
    std::thread::sleep(window);
    let cpu = (meter.spent().total - before.total).as_secs_f64() / start.elapsed().as_secs_f64();
    // One of them after all that time: they are held, not forgotten.
    if let Some(stream) = held.first_mut() {
        request(stream)?;
    }
    let mut figures = Figures::default();
    figures.put("start KiB", empty as f64);
    figures.put("KiB/conn", full.saturating_sub(empty) as f64 / count as f64);
    figures.put("idle cpu %", cpu * 100.0);
    Ok(figures)
}

/// Clients that send their request a byte at a time.
pub(crate) fn measure_slow(
    running: &Running,
    count: usize,
    window: Duration,
) -> io::Result<Figures> {
    let meter = running.meter().ok_or(io::Error::other("no process"))?;
    let dial = Dial::new(running.address, Tls::None)?;
    let mut streams = Vec::with_capacity(count);
    for nth in 0..count {
        let stream = dial.open(nth / PER_SOURCE)?;
        streams.push(stream);
    }
    let (before, start) = (meter.spent(), Instant::now());
    let mut sent = 0_usize;
    while start.elapsed() < window {
        let round = Instant::now();
        // The request never ends within the window: headers keep coming.
        let byte = if sent < REQUEST.len() - 4 {
            REQUEST[sent]
        } else {
            b'x'
        };
        for stream in &mut streams {
            stream.write_all(&[byte])?;
        }
        sent += 1;
        std::thread::sleep(Duration::from_millis(100).saturating_sub(round.elapsed()));
    }
    let cpu = (meter.spent().total - before.total).as_secs_f64();
    let mut figures = Figures::default();
    figures.put("cpu us/byte", cpu * 1e6 / (sent * count) as f64);
    figures.put("peak KiB", meter.peak() as f64);
    Ok(figures)
}

/// So many requests, one after the other: over one connection, or over one each.
pub(crate) fn requests(
    running: &Running,
    (scenario, fresh): (&Scenario, bool),
    count: u64,
) -> io::Result<()> {
    let dial = Dial::new(running.address, scenario.setup.tls)?;
    let mut stream = dial.open(0)?;
    for _ in 0..count {
        request(&mut stream)?;
        if fresh {
            stream = dial.open(0)?;
        }
    }
    Ok(())
}

fn request(stream: &mut Stream) -> io::Result<()> {
    stream.set_read_timeout(Duration::from_secs(5))?;
    stream.write_all(REQUEST)?;
    let (mut reading, mut buffer) = (Reading::default(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Err(io::Error::other("a connection was closed"));
        }
        match reading.take(&buffer[..n]) {
            Progress::More => {}
            Progress::Complete => return Ok(()),
            Progress::Wrong => return Err(io::Error::other("a wrong answer")),
        }
    }
}
