//! The workers' figures in HAProxy's layout: `show activity`, `show pools`, `show threads`, `show tasks`.
//!
//! Names are HAProxy's where a figure means the same; what its scheduler counts and ours has not is left out rather than
//! shown as zero.

use std::cmp::Reverse;
use std::fmt::Write;

use crate::sys::clock;
use crate::time::Tick;
use crate::worker::{Activity, Cell, Office};

/// Which column of `show activity` is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The total and every worker.
    All,
    /// The total alone.
    Total,
    /// One worker, counted from 1.
    Worker(usize),
}

/// How figures of workers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Sum,
    Mean,
}

type Reading = fn(&Activity) -> u64;

/// The lines of `show activity`.
const LINES: [(&str, Fold, Reading); 16] = [
    ("loops", Fold::Sum, |a| a.since_cleared(Cell::Turns)),
    ("wake_tasks", Fold::Sum, |a| a.since_cleared(Cell::Mail)),
    ("poll_io", Fold::Sum, |a| a.since_cleared(Cell::Events)),
    ("poll_exp", Fold::Sum, |a| a.since_cleared(Cell::Expired)),
    ("buf_wait", Fold::Sum, |a| a.since_cleared(Cell::Starved)),
    ("accepted", Fold::Sum, |a| a.since_cleared(Cell::Accepted)),
    ("accq_pushed", Fold::Sum, |a| a.since_cleared(Cell::Pushed)),
    ("avg_loop_us", Fold::Mean, |a| {
        a.since_cleared(Cell::Busy) / a.since_cleared(Cell::Turns).max(1)
    }),
    ("idle_pct", Fold::Mean, |a| {
        a.since_cleared(Cell::IdlePercent)
    }),
    ("busy_ms_tot", Fold::Sum, |a| {
        a.since_cleared(Cell::Busy) / 1_000
    }),
    ("cpu_ms_tot", Fold::Sum, |a| {
        a.since_cleared(Cell::Cpu) / 1_000_000
    }),
    ("streams", Fold::Sum, |a| a.since_cleared(Cell::Streams)),
    ("conns", Fold::Sum, |a| a.since_cleared(Cell::Conns)),
    ("run_queue", Fold::Sum, |a| a.since_cleared(Cell::Runnable)),
    ("timers", Fold::Sum, |a| a.since_cleared(Cell::Timers)),
    ("comp_states", Fold::Sum, |a| {
        a.since_cleared(Cell::Encoders)
    }),
];

/// `show activity`, asked of the worker of this number (from 1).
pub(super) fn activity(office: &Office, column: Column) -> String {
    let all = office.activities();
    let now = clock::realtime();
    let mut out = format!("thread_id: 1 (1..{})\n", all.len());
    let _ = writeln!(out, "date_now: {}.{:06}", now.secs, now.nanos / 1_000);
    for (name, fold, read) in LINES {
        let each: Vec<u64> = all.iter().map(|one| read(one)).collect();
        let total = total(&each, fold);
        let _ = match column {
            Column::All if each.len() > 1 => {
                let words: Vec<String> = each.iter().map(u64::to_string).collect();
                writeln!(out, "{name}: {total} [ {} ]", words.join(" "))
            }
            Column::All | Column::Total => writeln!(out, "{name}: {total}"),
            Column::Worker(number) => {
                let one = number.checked_sub(1).and_then(|at| each.get(at));
                writeln!(out, "{name}: {}", one.unwrap_or(&0))
            }
        };
    }
    out
}

fn total(each: &[u64], fold: Fold) -> u64 {
    let sum = each.iter().sum::<u64>();
    match fold {
        Fold::Sum => sum,
        Fold::Mean => sum / (each.len() as u64).max(1),
    }
}

/// The sum of a figure over all workers.
pub(super) fn sum(office: &Office, cell: Cell) -> u64 {
    office.activities().iter().map(|one| one.read(cell)).sum()
}

/// Bytes that all workers have sent in the last second.
pub(super) fn sent_rate(office: &Office, now: Tick) -> u64 {
    let all = office.activities();
    all.iter().map(|one| one.sent_rate(now)).sum()
}

/// The mean of a figure over all workers.
pub(super) fn mean(office: &Office, cell: Cell) -> u64 {
    sum(office, cell) / (office.workers() as u64).max(1)
}

/// Bytes that buffers take: with those that are kept, and those in use.
pub(super) fn buffer_bytes(office: &Office, size: usize) -> (u64, u64) {
    let used = sum(office, Cell::BuffersLent) * size as u64;
    (used + sum(office, Cell::BuffersKept) * size as u64, used)
}

/// Bytes of a compressor's state, roughly.
const ENCODER_BYTES: usize = 300 * 1024;

/// What is asked about pools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pools {
    by: Option<By>,
    prefix: String,
    most: Option<usize>,
}

/// In which order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Name,
    Size,
    /// And none that are not in use.
    Usage,
}

impl Pools {
    /// What the words behind `show pools` ask.
    pub(super) fn read(words: &[String]) -> Self {
        let mut asked = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "byname" => asked.by = Some(By::Name),
                "bysize" => asked.by = Some(By::Size),
                "byusage" => asked.by = Some(By::Usage),
                "match" => asked.prefix = words.next().cloned().unwrap_or_default(),
                word => asked.most = word.parse().ok().filter(|most| *most > 0),
            }
        }
        asked
    }

    /// The rows that are asked for, in their order: name, bytes of each, how many there are, how many are used.
    fn choose(&self, mut rows: Vec<Row>) -> Vec<Row> {
        rows.retain(|row| row.0.starts_with(&self.prefix));
        match self.by {
            None => {}
            Some(By::Name) => rows.sort_by_key(|row| row.0),
            Some(By::Size) => rows.sort_by_key(|row| Reverse(row.1)),
            Some(By::Usage) => {
                rows.retain(|row| row.3 > 0);
                rows.sort_by_key(|row| Reverse(row.3 * row.1 as u64));
            }
        }
        rows.truncate(self.most.unwrap_or(usize::MAX));
        rows
    }
}

type Row = (&'static str, usize, u64, u64);

/// `show pools`.
pub(super) fn pools(office: &Office, asked: &Pools, buffer: usize) -> String {
    let (lent, kept) = (
        sum(office, Cell::BuffersLent),
        sum(office, Cell::BuffersKept),
    );
    let encoders = sum(office, Cell::Encoders);
    let rows = asked.choose(vec![
        ("buffer", buffer, lent + kept, lent),
        ("comp_state", ENCODER_BYTES, encoders, encoders),
    ]);
    let mut out = String::from("Dumping pools usage. Use SIGQUIT to flush them.\n");
    let (mut all, mut in_use) = (0, 0);
    for (name, size, allocated, used) in &rows {
        let bytes = allocated * *size as u64;
        (all, in_use) = (all + bytes, in_use + used * *size as u64);
        let _ = writeln!(
            out,
            "  - Pool {name} ({size} bytes) : {allocated} allocated ({bytes} bytes), {used} used, needed_avg {used}, 0 failures, {} users",
            office.workers()
        );
    }
    let count = rows.len();
    let _ = writeln!(
        out,
        "Total: {count} pools, {all} bytes allocated, {in_use} used."
    );
    out
}

/// `show threads`.
pub(super) fn threads(office: &Office) -> String {
    let mut out = String::new();
    for (at, one) in office.activities().iter().enumerate() {
        let (timers, runnable) = (one.read(Cell::Timers), one.read(Cell::Runnable));
        let _ = writeln!(
            out,
            "  Thread {:<2}: id=worker-{} act={} wq={timers} rq={runnable} loops={} idle={}%",
            at + 1,
            at + 1,
            u8::from(runnable > 0),
            one.read(Cell::Turns),
            one.read(Cell::IdlePercent),
        );
        let _ = writeln!(
            out,
            "             cpu_ns: now={} streams={} conns={} buf_wait={}\n",
            one.read(Cell::Cpu),
            one.read(Cell::Streams),
            one.read(Cell::Conns),
            one.read(Cell::Starved),
        );
    }
    out
}

/// `show tasks`.
pub(super) fn tasks(office: &Office) -> String {
    let running = sum(office, Cell::Runnable);
    let mut out = format!("Running tasks: {running} ({} threads)\n", office.workers());
    out.push_str("  function                     places     %    lat_tot   lat_avg\n");
    if running > 0 {
        let _ = writeln!(
            out,
            "  stream                   {running:>10} 100.0         -         -"
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_chosen_and_sorted() {
        let rows = vec![("buffer", 10, 3, 1), ("comp", 50, 2, 0), ("buf", 5, 9, 9)];
        let chosen = |words: &str| {
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            let rows = Pools::read(&words).choose(rows.clone());
            rows.iter().map(|row| row.0).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(chosen(""), "buffer comp buf");
        assert_eq!(chosen("byname"), "buf buffer comp");
        assert_eq!(chosen("bysize 2"), "comp buffer");
        assert_eq!(chosen("byusage"), "buf buffer");
        assert_eq!(chosen("match buf 1"), "buffer");
    }

    #[test]
    fn figures_are_added_up_or_averaged() {
        assert_eq!(total(&[10, 20], Fold::Sum), 30);
        assert_eq!(total(&[10, 20], Fold::Mean), 15);
        assert_eq!(total(&[], Fold::Mean), 0);
    }
}
