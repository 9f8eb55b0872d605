//! Slots and the lines before them.
