//! Threads and their polls.
