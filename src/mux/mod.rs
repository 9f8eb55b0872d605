//! Bytes to parts and back.
