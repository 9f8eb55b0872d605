//! Filters: what changes bodies on their way.
