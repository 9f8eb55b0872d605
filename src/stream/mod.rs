//! The engine: joins a front lane to a back lane.
//!
//! A stream is one exchange: a request and its response, or one TCP session. It lives on one worker with both its connections,
//! is stepped when one of them is ready, when a timer fires or when a letter came, and goes through the stages of
//! [`Stage`] as far as it can each time. [`Engine`] owns the streams and, in its [`Kit`], all that they share on a worker.
//! Nothing here polls, reads a clock or knows a protocol.

mod account;
mod admit;
mod aftermath;
mod ahead;
mod arrive;
mod bandwidth;
mod body;
mod cached;
mod connect;
mod cookie;
mod crowd;
mod decide;
#[cfg(test)]
mod effects;
mod ending;
mod engine;
mod errand;
mod finish;
mod forward;
mod front;
mod gather;
mod greet;
mod guard;
mod idle;
mod inspect;
mod kernel;
mod kit;
mod leak;
mod leave;
mod letter;
mod log;
mod mishap;
mod observe;
mod own;
mod patience;
mod persist;
mod probe;
mod relay;
mod remark;
mod request;
mod retry;
#[cfg(test)]
mod rig;
mod room;
mod roundup;
mod route;
#[cfg(test)]
mod scenarios;
mod scene;
mod serve;
mod splice;
mod stage;
#[cfg(test)]
mod stalls;
mod stick;
mod takeover;
#[cfg(test)]
mod tests;
mod track;
mod txn;
mod upstream;
mod world;

pub use ending::{Cause, Ending, Phase};
pub use engine::Engine;
pub use front::{Back, Front, Held, Peers, Role};
pub use greet::Greeting;
pub use kit::{Doors, Kit, Timer, Way};
pub use letter::Letter;
pub use probe::Asked;
pub use roundup::{Inquiry, Roundup, Wanted, stream_of};
pub use stage::{Stage, Stream};
pub use txn::Txn;
