//! Ticks, deadlines, the timer wheel, sliding rates and calendar dates.
//!
//! Nothing here reads a clock: the worker's clock does, once a turn, and hands the tick down as an argument. That is what lets
//! the tests jump from one deadline to the next.

pub mod date;
pub mod rate;
mod tick;
mod wheel;

pub use tick::{Millis, Tick, in_days};
pub use wheel::Wheel;
