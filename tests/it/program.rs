//! Which program the process tests start.

use std::path::PathBuf;

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
