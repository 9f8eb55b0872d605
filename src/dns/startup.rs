//! All names of a configuration at once, before the first worker runs.
//!
//! The calling thread waits, but never longer than the policy says, however many names there are: they are looked up side by
//! side, and what is unanswered at the end counts as failed.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::timeout;

use super::host::{Failure, Found, Host};
use super::hosts::Family;
use super::root::Root;

/// How names are looked up at start.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The families that are wanted.
    pub family: Family,
    /// How long all names together may take.
    pub wait: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            family: Family::Any,
            wait: WAIT,
        }
    }
}

/// What became of the names.
#[derive(Clone, Debug, Default)]
pub struct Results {
    by_name: BTreeMap<String, Result<Found, Failure>>,
    skipped: Vec<String>,
}

impl Results {
    /// The outcome for `name`; a name that was not asked for is not found.
    pub fn of(&self, name: &str) -> Result<&Found, Failure> {
        match self.by_name.get(name) {
            Some(Ok(found)) => Ok(found),
            Some(Err(failure)) => Err(*failure),
            None => Err(Failure::NotFound),
        }
    }

    /// The sources of `/etc/nsswitch.conf` that could not be asked, for one warning each. Empty when every name was found.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

/// Looks up `names` below `root`. Fails only if the host gives no event queue.
pub fn resolve_all(root: &Root, names: &[String], policy: Policy) -> io::Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut results = Results::default();
    runtime.block_on(async {
        let host = Host::new(root.clone());
        let all = drain(&host, names, policy.family, &mut results.by_name);
        let _late = timeout(policy.wait, all).await;
        if results.by_name.values().any(Result::is_err) || results.by_name.len() < names.len() {
            results.skipped = host
                .snapshot()
                .switch
                .skipped()
                .into_iter()
                .map(str::to_owned)
                .collect();
        }
    });
    for name in names {
        results
            .by_name
            .entry(name.clone())
            .or_insert(Err(Failure::TryAgain));
    }
    Ok(results)
}

/// Runs the lookups, a bounded number at a time.
async fn drain(
    host: &Host,
    names: &[String],
    family: Family,
    done: &mut BTreeMap<String, Result<Found, Failure>>,
) {
    let mut waiting = names.iter();
    let mut running = FuturesUnordered::new();
    let room = lookups_max();
    loop {
        while running.len() < room {
            let Some(name) = waiting.next() else { break };
            running.push(async move { (name, host.lookup(name, family, &mut ()).await) });
        }
        let Some((name, outcome)) = running.next().await else {
            return;
        };
        done.insert(name.clone(), outcome);
    }
}

/// How many lookups run at a time: each holds one socket.
pub(super) fn lookups_max() -> usize {
    let open = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let open = open.map_or(LOOKUPS_MAX, |open| {
        usize::try_from(open).unwrap_or(LOOKUPS_MAX)
    });
    (open / 4).clamp(1, LOOKUPS_MAX)
}

/// What glibc would wait for one name at three dead servers: (5 + 3 + 6) seconds, twice.
const WAIT: Duration = Duration::from_secs(28);
/// Lookups at a time.
const LOOKUPS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::scratch::Scratch;

    #[test]
    fn without_any_file_localhost_and_literals_work() {
        let dir = Scratch::new("startup");
        dir.write("etc/nsswitch.conf", b"hosts: mdns4 files");
        let names: Vec<String> = ["localhost", "127.0.0.1", "::1", "nowhere"]
            .map(String::from)
            .to_vec();
        let results = resolve_all(
            &dir.root(),
            &names,
            Policy {
                family: Family::V4,
                ..Policy::default()
            },
        )
        .unwrap();
        assert_eq!(
            results.of("localhost").unwrap().addresses[0].to_string(),
            "127.0.0.1"
        );
        assert!(results.of("127.0.0.1").is_ok());
        assert_eq!(results.of("::1"), Err(Failure::OtherFamily));
        assert_eq!(results.of("nowhere"), Err(Failure::NotFound));
        assert_eq!(results.of("never asked"), Err(Failure::NotFound));
        assert_eq!(results.skipped(), ["mdns4"]);
    }
}
