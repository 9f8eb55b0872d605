//! Balancing: which server is next.
