//! Certificates, contexts and ticket keys.
