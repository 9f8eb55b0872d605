//! Stick counters: of what the stream tracks (`sc_*`, `sc0_*` to `sc2_*`) and of the client's
//! address (`src_*`).
//!
//! A tracked counter may be read from another table than the one it is tracked in, by the same
//! key. An entry that does not exist counts zero; a table that does not store the number yields
//! nothing.
//!
//! Each room has one table of rows without their prefix, which every [`Owner`](owner::Owner) takes with its own: the
//! names of a family are the same words behind `sc_`, `sc0_`, `sc1_`, `sc2_` and `src_`.

/// The rows of one owner: its prefix, the method of [`Owner`](owner::Owner) that makes a row and the one that answers it,
/// then a line a row: the rest of the name, what is asked for, one sentence.
macro_rules! rows {
    ($owner:ident, $prefix:literal, $make:ident, $answer:ident;
     $($name:literal $what:expr, $doc:literal;)*) => {
        &[$($owner.$make(
            concat!($prefix, $name),
            |args, facts| $owner.$answer($what, args, facts),
            $doc,
        )),*]
    };
}

mod array;
mod change;
mod number;
mod owner;
#[cfg(test)]
mod rig;
mod tracking;

use crate::sample::row::Fetch;

/// Every table, for every owner that has it.
pub(super) fn all() -> impl Iterator<Item = &'static [Fetch]> {
    let tables = [number::ROWS, change::ROWS, array::ROWS, tracking::ROWS];
    tables.into_iter().flatten().copied()
}
