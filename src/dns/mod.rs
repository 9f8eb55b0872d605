//! Names to addresses.

mod cache;
mod clock;
mod exchange;
mod explain;
mod host;
pub mod hosts;
pub mod literal;
pub mod message;
mod my_hostname;
pub mod nss;
mod order;
pub mod resolv_conf;
mod root;
#[cfg(test)]
mod scratch;
mod snapshot;
pub mod startup;
mod trace;

pub use clock::Clock;
pub use exchange::{Exchanged, Fault, Seen, Transport};
pub use explain::explain;
pub use host::{Failure, Found, Host};
pub use hosts::Family;
pub use nss::{accounts, services};
pub use root::{Root, Stamp};
pub use snapshot::{Files, Snapshot};
pub use trace::{Step, Trace};
