//! Limits of the process and the processors it may use.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CpuSet;

/// How many processors a set of them can name.
pub const CPUS_MAX: usize = CpuSet::MAX_CPU;

/// A soft limit and the hard one above it; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What counts.
    pub soft: Option<u64>,
    /// How far it can be raised.
    pub hard: Option<u64>,
}

impl From<Rlimit> for Limit {
    fn from(raw: Rlimit) -> Self {
        Self {
            soft: raw.current,
            hard: raw.maximum,
        }
    }
}

impl From<Limit> for Rlimit {
    fn from(limit: Limit) -> Self {
        Self {
            current: limit.soft,
            maximum: limit.hard,
        }
    }
}

/// How many descriptors the process may hold.
pub fn descriptors() -> Limit {
    getrlimit(Resource::Nofile).into()
}

/// Changes it.
pub fn set_descriptors(limit: Limit) -> io::Result<()> {
    Ok(setrlimit(Resource::Nofile, limit.into())?)
}

/// The processors the calling thread may run on, ascending.
pub fn cpus() -> io::Result<Vec<usize>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..CPUS_MAX).filter(|cpu| set.is_set(*cpu)).collect())
}

/// Binds the calling thread to `cpus`; those beyond [`CPUS_MAX`] are refused.
pub fn set_cpus(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CPUS_MAX {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        set.set(cpu);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_can_be_read_and_set_to_what_they_are() {
        let now = descriptors();
        assert!(now.soft.is_none_or(|soft| soft > 16));
        set_descriptors(now).expect("no change is always allowed");
        assert_eq!(descriptors(), now);
    }

    #[test]
    fn a_thread_can_be_bound_to_one_processor() {
        let all = cpus().expect("the kernel answers");
        assert!(!all.is_empty());
        let first = all[0];
        let bound = std::thread::spawn(move || {
            set_cpus(&[first]).expect("one of ours");
            cpus().expect("the kernel answers")
        });
        assert_eq!(bound.join().ok(), Some(vec![first]));
        assert!(set_cpus(&[CPUS_MAX]).is_err());
    }
}
