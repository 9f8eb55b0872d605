//! Names to addresses, users to numbers, services to ports: what other programs ask the C library for.
//!
//! *As the host does*: [`Host`] walks the sources of `/etc/nsswitch.conf`; [`startup`] runs it over all names of a configuration
//! at once, [`explain`] tells its steps. *As HAProxy does*: [`run`] follows the names of servers on one thread and answers the
//! questions of rules. [`accounts`] and [`services`] read the host's other databases.
//!
//! Data comes from files below a [`Root`], bounded, and from nameservers, whose every message is taken for hostile until it
//! has proved to answer a question of ours. No call here blocks a worker. hickory-resolver gives the wire format; the
//! order of servers, retries, the search list and lifetimes are our own, because hosts and HAProxy have rules for them that a
//! general resolver does not follow. Not done: DNSSEC, encrypted transports, multicast names, `/etc/gai.conf`.

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
pub mod run;
#[cfg(test)]
mod scratch;
mod snapshot;
pub mod startup;
mod trace;

pub use exchange::{Exchanged, Fault, Seen, Transport};
pub use explain::explain;
pub use host::{Failure, Found, Host};
pub use hosts::Family;
pub use nss::{accounts, services};
pub use order::reaches_v6;
pub use root::{Root, Stamp};
pub use run::{Busy, News, Plan, Question, Resolver, Road, Sink, Ticket};
pub use snapshot::{Files, Snapshot};
pub use trace::{Step, Trace};
