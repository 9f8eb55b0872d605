//! `peers` sections with their ways to reach members.

use std::sync::Arc;

use super::Carriage;
use crate::peer::Section;
use crate::tls::Connector;

/// A section as it runs.
#[derive(Debug)]
pub struct Peers {
    /// The section.
    pub section: Arc<Section>,
    /// By member: how it is spoken to in TLS, where it is.
    pub connectors: Vec<Option<Arc<Connector>>>,
    /// By member: `cc`, `tcp-md5sig`, `namespace` of its line.
    pub carriages: Vec<Option<Arc<Carriage>>>,
}
