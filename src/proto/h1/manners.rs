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
}
