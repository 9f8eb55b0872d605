//! The program under test and all that starting it takes: a folder and ports of its own, patience until it does what is waited for,
//! and an end that comes with the test's.
//!
//! A test starts [`Running`] on a configuration, or a [`Process`] by a command of its own where the command is what it is about;
//! whichever way the test ends, so does the program. What `-c` says of a configuration is [`check`]'s. What a theme asks of its
//! program, and the lines that all its configurations have, stay in the theme's module.

mod checked;
mod ports;
mod running;
mod scratch;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) use checked::{check, refuses};
pub(crate) use ports::{free_port, free_ports, free_row, with_ports};
pub(crate) use running::{Process, Running, silent};
pub(crate) use scratch::Scratch;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two looks at what is waited for.
const PAUSE: Duration = Duration::from_millis(5);

/// The program under test: the static release build where `make test` names it by
/// `SLUICE_PROGRAM`, else the one that cargo built for this test run.
pub(crate) fn path() -> PathBuf {
    std::env::var_os("SLUICE_PROGRAM").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_sluice")),
        PathBuf::from,
    )
}

/// Whether [`path`] is the static release build.
pub(crate) fn is_release() -> bool {
    std::env::var_os("SLUICE_PROGRAM").is_some()
}

/// Looks until `it` holds.
pub(crate) fn await_that(what: &str, it: impl FnMut() -> bool) {
    await_within(PATIENCE, what, it);
}

/// Looks until `it` holds, for at most this long.
pub(crate) fn await_within(patience: Duration, what: &str, mut it: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !it() {
        assert!(begun.elapsed() < patience, "in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}
