//! The stats socket's commands.
//!
//! A [`Session`] is an inner endpoint: lines of a client in, answers out. Each command is one row in `command/`, found by its words;
//! what a command may touch is the [`Desk`] that the process sets up once. Sessions know no socket, keep no worker busy beyond
//! one command, and never hold up the end of the process.

pub mod command;
mod desk;
mod session;

pub use desk::Desk;
pub use session::Session;
