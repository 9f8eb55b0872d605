//! Carriers of bytes.
