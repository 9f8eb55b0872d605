//! The machine the figures belong to.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors the largest scenario needs, clients and proxy each.
const DESCRIPTORS: u64 = 120_000;

/// Raises the limit on descriptors as far as it goes.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: Some(DESCRIPTORS),
        maximum: Some(limit.maximum.unwrap_or(0).max(DESCRIPTORS)),
    };
    if setrlimit(Resource::Nofile, wanted).is_err() {
        let allowed = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Whatever it is then: scenarios look at it.
        let _ = setrlimit(Resource::Nofile, allowed);
    }
}

/// How many descriptors a process may have.
pub(crate) fn descriptors() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// As many of `count` connections as a proxy can hold at both its ends within the limit on descriptors.
pub(crate) fn holdable(count: usize) -> usize {
    let pairs = descriptors().saturating_sub(SPARE) / 2;
    count.min(usize::try_from(pairs).unwrap_or(count))
}

/// Descriptors left for everything else.
const SPARE: u64 = 600;

/// A sentence about the machine.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let memory = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores ({model}), {} MiB, Linux {}, load at the end {}",
        memory / 1024,
        kernel.trim(),
        load.split(' ').next().unwrap_or("?")
    )
}
