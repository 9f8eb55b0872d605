//! How a peer is treated that does not keep to the standard.

use std::sync::Arc;

use super::Spelling;

/// What one side of a proxy forgives its peers, and how it writes to them.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// `option accept-unsafe-violations-in-http-…`
    pub relaxed: bool,
    /// `option h1-case-adjust-bogus-…`
    pub spelling: Option<Arc<Spelling>>,
    /// What it forgives in the framing of bodies.
    pub forgiven: Forgiven,
}

/// Framings that are forgiven although another agent on the way might read them differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgiven {
    /// `h1-accept-payload-with-any-method`: bodies of GET, HEAD and DELETE in HTTP/1.0.
    pub old_payloads: bool,
    /// `h1-do-not-close-on-insecure-transfer-encoding`: a length beside chunks does not end the connection.
    pub two_framings: bool,
}
