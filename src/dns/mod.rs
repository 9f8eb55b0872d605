//! Names to addresses.

pub mod exchange;
pub mod hosts;
pub mod literal;
pub mod message;
pub mod nss;
pub mod resolv_conf;
mod root;
#[cfg(test)]
mod scratch;

pub use nss::{accounts, services};
pub use root::{Root, Stamp};
