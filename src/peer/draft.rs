//! What a `peers` section says of its own; `bind` and `server` lines are read by their rows.

use super::Shards;
use crate::lang::Span;
use crate::stick::Written;

/// A section as written.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Members in order: names, and where they were named.
    pub members: Vec<Line>,
    /// `shards`.
    pub shards: Shards,
    /// `table` lines: names and tables.
    pub tables: Vec<(String, Written)>,
}

/// A member as written.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// Its place among the section's servers, where it has an address.
    pub server: Option<usize>,
}
