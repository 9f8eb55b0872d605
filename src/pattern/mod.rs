//! Pattern matching: sets of strings, networks, numbers and regular expressions.
