//! The language of haproxy.cfg, with no keyword known: words, positions, diagnostics, typed reads.
//!
//! Text comes from `config::load`; words go through a [`Cursor`] to the rows of every room that has
//! keywords ([`Keyword`]), and what is wrong comes back as [`Diag`]s. The environment and the
//! version are arguments. Nothing here knows a keyword of HAProxy, opens a file or prints.

mod args;
pub mod blocks;
pub mod cond;
mod cursor;
mod diag;
mod env;
pub mod lexer;
pub mod quantity;
mod row;
mod span;
mod suggest;

pub use args::{ARGS_MAX, Args, args};
pub use cursor::{Cursor, Polarity, check_name};
pub use diag::{Diag, Severity, Shape};
pub use env::Env;
pub use quantity::Unit;
pub use row::{Catalog, Entry, Found, Keyword, Lift, Parse, Sections, Table};
pub use span::{FileId, Files, Span, Word};
pub use suggest::{suggest, suggest_name};
