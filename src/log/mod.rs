//! Log formats, lines and targets.
