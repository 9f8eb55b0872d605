//! Sample fetches and converters.
