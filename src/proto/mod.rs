//! Wire formats as machines without I/O.
