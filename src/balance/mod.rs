//! Balancing: which server is next.
//!
//! * What this is: the algorithms of `balance`, one file each, behind [`Policy`]; the per-server figures they need
//!   ([`Seat`]); and cookie persistence ([`persist`]) as pure functions.
//! * Where data comes from and goes: the backend of a site owns one `Policy` and lends its servers as [`Seats`]; the
//!   engine asks [`Policy::pick`] once a request and reports [`Policy::took`] and [`Policy::left`].
//! * What is always true: every worker may ask at once; successive answers are HAProxy's sequence whichever worker
//!   asked; the cost grows at most with the logarithm of the number of servers.
//! * What it deliberately does not do: it opens nothing, waits for nothing and knows neither queues nor checks: room
//!   and usability are told to it.

mod draft;
mod first;
mod hash;
pub mod key;
mod leastconn;
mod map;
mod origin;
pub mod persist;
mod policy;
mod random;
pub mod rdp;
mod ring;
mod roundrobin;
mod seat;
mod standing;
mod sticky;

pub use draft::{Balance, Draft, KEYWORDS, KeySource, SEAT_KEYWORDS, SeatDraft};
pub use hash::{HashFn, HashType};
pub use origin::HashKey;
pub use policy::{Affinity, Algorithm, Ask, KeyKind, Policy, Tuning};
pub use roundrobin::AHEAD;
pub use seat::{SHARE_SCALE, Seat, Seats, Share, WEIGHT_MAX, Weight};
