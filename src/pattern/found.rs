//! What a look-up found.

use std::sync::Arc;

use super::lines::Lines;

/// One line of a list that matched.
#[derive(Debug, Clone)]
pub enum Found<'a> {
    /// A line of a list that lives as long as the configuration.
    Kept(&'a Lines, u32),
    /// A line of a list that an edit made.
    Edited(Arc<Lines>, u32),
}

impl<'a> Found<'a> {
    /// The line's key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Found::Kept(lines, row) => lines.key(*row),
            Found::Edited(lines, row) => lines.key(*row),
        }
    }

    /// The line's value.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        match self {
            Found::Kept(lines, row) => lines.value(*row),
            Found::Edited(lines, row) => lines.value(*row),
        }
    }

    /// The value, borrowed when the list allows it.
    #[must_use]
    pub fn into_value(self) -> std::borrow::Cow<'a, [u8]> {
        match self {
            Found::Kept(lines, row) => lines.value(row).into(),
            Found::Edited(lines, row) => lines.value(row).to_vec().into(),
        }
    }

    /// The key, borrowed when the list allows it.
    #[must_use]
    pub fn into_key(self) -> std::borrow::Cow<'a, [u8]> {
        match self {
            Found::Kept(lines, row) => lines.key(row).into(),
            Found::Edited(lines, row) => lines.key(row).to_vec().into(),
        }
    }

    /// The number of the line, unique in its list.
    #[must_use]
    pub fn id(&self) -> u32 {
        match self {
            Found::Kept(lines, row) => lines.row(*row).id,
            Found::Edited(lines, row) => lines.row(*row).id,
        }
    }
}
