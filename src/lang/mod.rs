//! The language of haproxy.cfg, with no keyword known: words, positions, diagnostics, typed reads.
