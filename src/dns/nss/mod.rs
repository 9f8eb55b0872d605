//! The host's databases as the name service switch orders them: users, groups and services out of files, and the words
//! of `/etc/nsswitch.conf` that say which sources a database has. Host names use the words too; their lookup is `dns::host`.
//!
//! Everything is read from files below a [`Root`](super::Root) at the time of the question, bounded, without the C
//! library: no module is ever loaded, so a static program answers as well as a dynamic one. Sources that would need a
//! module or a daemon are skipped and named.

pub mod accounts;
pub mod services;
pub mod switch;

pub use accounts::{Group, User};
pub use switch::{Action, Database, Source, Status, Switch};

/// The fields of one line of a colon-separated database, without its line end.
fn colon_fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b':')
}

/// The lines of a file, without line ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The most that is read of one database file.
const FILE_BYTES_MAX: usize = 16 << 20;
