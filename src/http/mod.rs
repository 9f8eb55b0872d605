//! HTTP messages as values: heads and their edits, methods, statuses, targets, cookies.
