//! Typed identities of configured objects.
