//! Hash families and text codecs that HAProxy's language defines.
//!
//! Pure functions over bytes: converters, balancing, tables, logs and cookies call them with what they have, and get the
//! numbers and texts HAProxy computes for the same input, so that a fleet may mix both programs. Nothing here knows where bytes come
//! from. Encoders append to a vector the caller owns; decoders answer `None` for what HAProxy refuses.

pub mod aes;
pub mod base64;
pub mod cbor;
pub mod digest;
pub mod hash;
pub mod hex;
pub mod json;
pub mod mask;
pub mod p521;
pub mod percent;
pub mod quote;
pub mod verification;
