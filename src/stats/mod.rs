//! Counters and how they are shown.
