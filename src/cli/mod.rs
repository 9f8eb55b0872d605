//! The stats socket's commands.
//!
//! A [`Session`] turns the bytes of one connection into commands and their answers into bytes; it
//! knows lines, levels, payloads and prompts. Each command is a row ([`command::rows`]) whose
//! function reads its arguments and asks the [`Operator`]; for the running process that is a view
//! of the [`Desk`], through which an [`Endpoint`] serves a session as an inner endpoint.
//!
//! Always true: a session never blocks; long answers are made piece by piece ([`Dump`]), each
//! piece when the one before it was taken; a line, a payload and a chain of commands have named
//! limits. Sessions hold no socket and no lock between two pieces.

mod aside;
pub mod command;
mod delivery;
mod desk;
mod endpoint;
mod exporter;
mod face;
mod figures;
mod line;
mod operator;
mod page;
mod reply;
#[cfg(test)]
mod rig;
mod session;

pub use command::{descriptors, libraries};
pub use desk::Desk;
pub use endpoint::Endpoint;
pub use exporter::Exporter;
pub use operator::{
    AdminState, FrontendChange, HealthState, Operator, Order, RateLimit, ServerChange, ServerRow,
    SocketRow, WeightChange,
};
pub use page::Page;
pub use reply::{Dump, Message, Piece, Reply};
pub use session::{Modes, Progress, Session, prompt_clock};
