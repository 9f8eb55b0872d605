//! Threads and their polls.
//!
//! A [`Worker`] is one thread with its own poll, timers, buffers and streams. The [`Office`] is what all of them share: mailboxes,
//! how many clients each serves, and the limits of the process. A connection stays on the worker that was given it. Workers never block and
//! take no lock across a system call; decisions about traffic are the stream's.

mod accept;
mod activity;
mod clock;
mod crew;
mod doors;
mod inners;
mod mailbox;
mod office;
mod token;
mod turn;

pub use accept::Listening;
pub use activity::{Activity, Cell};
pub use clock::Moment;
pub use crew::Crew;
pub use inners::Inners;
pub use mailbox::{Client, Mail, Mailbox};
pub use office::Office;
pub use turn::Worker;
