//! Wire formats as machines without I/O: bytes in, facts out.
//!
//! Nothing in here reads a socket or a clock, and nothing of a peer's is trusted: every machine has a limit for what it
//! keeps, says "more" as a value, and once faulted repeats its fault.

pub mod h1;
pub mod hello;
pub mod netscaler;
pub mod probe;
pub mod proxy;
