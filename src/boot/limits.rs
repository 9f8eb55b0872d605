//! How many connections the process can carry, and the descriptors and memory they need.
//!
//! The configuration may say both, one, or none of `maxconn` and `ulimit-n`; the rest follows from the machine. [`plan`] is the
//! arithmetic, [`apply`] asks the kernel. A start that cannot have its descriptors fails and says how many are missing, unless
//! `no strict-limits` lets it go on with fewer connections.

use crate::sys::limits::{self, Limit};

/// What the configuration and the command line ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `maxconn`, `-n`; zero when unsaid.
    pub maxconn: usize,
    /// `ulimit-n`.
    pub ulimit_n: Option<u64>,
    /// `fd-hard-limit`.
    pub hard_limit: Option<u64>,
    /// `-m`, in megabytes.
    pub memory: Option<u64>,
    /// On how many sides TLS is spoken.
    pub tls_sides: u64,
    /// Bytes of a buffer.
    pub buffer: usize,
    /// Listening sockets.
    pub listeners: usize,
    /// Worker threads.
    pub workers: usize,
    /// Servers that are checked.
    pub checked: usize,
    /// Whether connections may be spliced, which takes pipes.
    pub splice: bool,
}

/// What was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Connections from clients at once.
    pub maxconn: usize,
    /// Descriptors for them and everything else.
    pub descriptors: u64,
}

/// Connections when nothing limits them: what a machine without limits gets.
const MAXCONN_UNLIMITED: usize = 500_000;
/// Connections at least: fewer would not be a proxy.
const MAXCONN_LEAST: usize = 10;
/// Descriptors of the process itself: standard ones, logs, pid file, resolver, files being read.
const RESERVED: u64 = 64;
/// Descriptors of a worker: its poll, its waker, a spare to refuse connections with, pipes that are kept.
const PER_WORKER: u64 = 8;
/// Bytes of a connection pair's own state, without buffers.
// haproxy: what its structures take; here: as much, so that a limit in megabytes leads to as many connections.
const STATE_BYTES: u64 = 2132;
/// Bytes of a TLS session, and of a handshake under way.
const TLS_SESSION_BYTES: u64 = 16 * 1024;
const TLS_HANDSHAKE_BYTES: u64 = 76 * 1024;
/// Bytes of the sessions that are remembered.
const TLS_CACHE_BYTES: u64 = 20_000 * 200;
/// How much of the memory connections may have, in percent.
const MEMORY_USABLE: u64 = 97;

/// Settles connections and descriptors from what is asked and what the process has.
pub fn plan(asked: &Asked, limit: Limit) -> Plan {
    let own = RESERVED
        + asked.listeners as u64
        + asked.workers as u64 * PER_WORKER
        + asked.checked as u64;
    // Both sides of a connection; a quarter of all connections holding a pipe is more than splicing needs at once.
    let quarters = if asked.splice { 10 } else { 8 };
    let for_connections = |n: usize| (n as u64).saturating_mul(quarters) / 4;
    let by_memory = asked.memory.map(|megabytes| {
        let bytes = megabytes.saturating_mul(1 << 20);
        let bytes = bytes.saturating_sub(TLS_CACHE_BYTES) / 100 * MEMORY_USABLE;
        let handshake = if asked.tls_sides > 0 {
            TLS_HANDSHAKE_BYTES
        } else {
            0
        };
        let tls = asked.tls_sides * TLS_SESSION_BYTES + handshake;
        let each = STATE_BYTES + 2 * asked.buffer as u64 + tls;
        let most = usize::try_from(bytes / each).unwrap_or(usize::MAX);
        two_digits(most).max(MAXCONN_LEAST)
    });
    let maxconn = if asked.maxconn > 0 {
        asked.maxconn
    } else {
        let ceiling = [asked.ulimit_n, asked.hard_limit, limit.hard]
            .into_iter()
            .flatten()
            .min();
        let free = ceiling.map(|ceiling| ceiling.saturating_sub(own) * 4 / quarters);
        free.map_or(MAXCONN_UNLIMITED, |free| {
            usize::try_from(free).unwrap_or(MAXCONN_UNLIMITED)
        })
        .clamp(MAXCONN_LEAST, MAXCONN_UNLIMITED)
    };
    let maxconn = by_memory.map_or(maxconn, |most| maxconn.min(most));
    let descriptors = own + for_connections(maxconn);
    Plan {
        maxconn,
        descriptors: asked.ulimit_n.map_or(descriptors, |n| n.max(descriptors)),
    }
}

/// A number with all but its first two digits zero.
fn two_digits(number: usize) -> usize {
    let unit = 10_usize.pow(number.max(1).ilog10().saturating_sub(1));
    number / unit * unit
}

/// Raises the limit of the process to what the plan needs. Where the kernel refuses, the answer is the sentence to print,
/// and the connections that can be had all the same.
pub fn apply(plan: &Plan, asked: &Asked) -> Result<(), (String, Plan)> {
    let limit = limits::descriptors();
    let enough = |limit: Option<u64>| limit.is_none_or(|n| n >= plan.descriptors);
    if enough(limit.soft) {
        return Ok(());
    }
    let raised = Limit {
        soft: Some(plan.descriptors),
        hard: if enough(limit.hard) {
            limit.hard
        } else {
            Some(plan.descriptors)
        },
    };
    if limits::set_descriptors(raised).is_ok() {
        return Ok(());
    }
    let _ = limits::set_descriptors(Limit {
        soft: limit.hard,
        ..limit
    });
    let have = limits::descriptors().soft.unwrap_or(u64::MAX);
    let less = Asked {
        maxconn: 0,
        ulimit_n: Some(have),
        ..*asked
    };
    let sentence = format!(
        "[sluice.main()] FD limit ({have}) too low for maxconn={}/maxsock={need}. Please raise 'ulimit-n' to {need} or more to avoid any trouble.",
        plan.maxconn,
        need = plan.descriptors,
    );
    let now = Limit {
        soft: Some(have),
        hard: Some(have),
    };
    Err((sentence, self::plan(&less, now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked {
        maxconn: 0,
        ulimit_n: None,
        hard_limit: None,
        memory: None,
        tls_sides: 0,
        buffer: 16_384,
        listeners: 2,
        workers: 2,
        checked: 0,
        splice: false,
    };

    fn machine(n: u64) -> Limit {
        Limit {
            soft: Some(1024),
            hard: Some(n),
        }
    }

    #[test]
    fn unsaid_connections_fill_what_the_machine_allows() {
        let plan = plan(&ASKED, machine(10_000));
        assert!(plan.descriptors <= 10_000 && plan.descriptors > 9_990);
        assert_eq!(plan.maxconn, (10_000 - 64 - 2 - 16) / 2);
    }

    #[test]
    fn said_connections_decide_the_descriptors() {
        let asked = Asked {
            maxconn: 50_000,
            ..ASKED
        };
        let settled = plan(&asked, machine(1024));
        assert_eq!(settled.maxconn, 50_000);
        assert!(settled.descriptors > 100_000);
    }

    #[test]
    fn hard_limits_and_memory_bound_what_is_unsaid() {
        let hard = Asked {
            hard_limit: Some(2_000),
            ..ASKED
        };
        assert!(plan(&hard, machine(1_000_000)).descriptors <= 2_000);
        let small = Asked {
            memory: Some(50),
            ..ASKED
        };
        let settled = plan(&small, machine(1_000_000));
        assert_eq!(settled.maxconn, 1_300);
        let tiny = Asked {
            memory: Some(1),
            ..ASKED
        };
        assert_eq!(plan(&tiny, machine(1_000_000)).maxconn, MAXCONN_LEAST);
        let endless = Limit {
            soft: None,
            hard: None,
        };
        assert_eq!(plan(&ASKED, endless).maxconn, MAXCONN_UNLIMITED);
    }

    #[test]
    fn what_suffices_is_left_alone() {
        let little = Plan {
            maxconn: 10,
            descriptors: 20,
        };
        assert_eq!(apply(&little, &ASKED), Ok(()));
    }
}
