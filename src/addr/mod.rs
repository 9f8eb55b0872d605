//! Addresses as HAProxy spells them.
