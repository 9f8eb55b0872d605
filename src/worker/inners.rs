//! Who answers in place of servers; rooms above set it up and lend it to the workers.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::Office;
use crate::id::ListenerId;
use crate::mux::Inner;
use crate::site::Visit;

/// Makes inner endpoints.
pub trait Inners: Send + Sync {
    /// Who answers an operator that came in by `listener`.
    fn operator(&self, office: &Arc<Office>, listener: ListenerId) -> Box<dyn Inner>;

    /// Who answers somebody at a statistics page.
    fn page(&self, office: &Arc<Office>, visit: Visit) -> Box<dyn Inner>;

    /// An inner service by its name, if there is one.
    fn service(&self, office: &Arc<Office>, name: &str) -> Option<Box<dyn Inner>>;

    /// Takes a stats socket's connection whose client asked for the listening sockets.
    fn surrender(&self, connection: OwnedFd);
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Inners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inners")
    }
}
