//! What a process and its children spend, by the kernel's count.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process group under measurement: a root process and whatever it has started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    root: u32,
}

/// Clock ticks a second in `/proc/PID/stat`: fixed by the kernel's interface.
const TICKS: u64 = 100;

/// Processor time at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// User and system time, exact.
    pub(crate) total: Duration,
    /// User time, in hundredths of a second.
    pub(crate) user: Duration,
}

impl Meter {
    pub(crate) fn new(root: u32) -> Self {
        Self { root }
    }

    /// The process itself.
    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    /// Time spent by all threads of all processes.
    pub(crate) fn spent(&self) -> Spent {
        let mut spent = Spent::default();
        for pid in self.family() {
            let (user, system) = stat_times(pid);
            let exact = scheduled(pid);
            spent.user += user;
            spent.total += exact.unwrap_or(user + system);
        }
        spent
    }

    /// Resident size at this moment, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory so far, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Begins to count, by `perf`, the system calls of the next `window`; none where it is not installed.
    pub(crate) fn count_calls(&self, window: Duration) -> Option<Counting> {
        let pids: Vec<String> = self.family().iter().map(u32::to_string).collect();
        let perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p"])
            .arg(pids.join(","))
            .args(["--", "sleep", &window.as_secs_f64().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Some(Counting(perf.ok()?))
    }

    fn status(&self, field: &str) -> u64 {
        let of = |pid: u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(field))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        self.family().into_iter().filter_map(of).sum()
    }

    fn family(&self) -> Vec<u32> {
        let mut all = vec![self.root];
        let mut next = 0;
        while let Some(&pid) = all.get(next) {
            next += 1;
            let tasks = fs::read_dir(format!("/proc/{pid}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let children = fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                all.extend(
                    children
                        .split_whitespace()
                        .filter_map(|c| c.parse::<u32>().ok()),
                );
            }
        }
        all
    }
}

fn stat_times(pid: u32) -> (Duration, Duration) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = match text.rsplit_once(") ") {
        Some((_, rest)) => rest.split(' ').collect(),
        None => return Default::default(),
    };
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    (time(ticks(11)), time(ticks(12)))
}

/// Nanoseconds on a processor, summed over the threads that live.
fn scheduled(pid: u32) -> Option<Duration> {
    let mut sum = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(sum))
}

/// System calls that are being counted.
pub(crate) struct Counting(Child);

impl Counting {
    /// How many there were; none where counting is not allowed.
    pub(crate) fn calls(self) -> Option<u64> {
        let output = self.0.wait_with_output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines()
            .find_map(|line| line.split(',').next()?.parse().ok())
    }
}
