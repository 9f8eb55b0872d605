//! What expressions see of the frontend, the backend and the server that an exchange is about.

use std::sync::Arc;

use crate::id::{BackendId, FrontendId, ServerId};

/// What expressions see of a frontend.
#[derive(Debug, Clone, Default)]
pub struct FrontendFacts {
    /// Its key in the census.
    pub key: Option<FrontendId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// Its default backend's name.
    pub default_backend: Option<Arc<str>>,
    /// `timeout client`, milliseconds.
    pub client_timeout_ms: Option<u32>,
    /// `timeout tarpit`, milliseconds.
    pub tarpit_timeout_ms: Option<u32>,
    /// `option http-use-proxy-header`.
    pub use_proxy_header: bool,
}

/// What expressions see of a backend.
#[derive(Debug, Clone, Default)]
pub struct BackendFacts {
    /// Its key in the census.
    pub key: Option<BackendId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
    /// `timeout connect`, milliseconds.
    pub connect_timeout_ms: Option<u32>,
    /// `timeout server`, milliseconds.
    pub server_timeout_ms: Option<u32>,
    /// `timeout tunnel`, milliseconds.
    pub tunnel_timeout_ms: Option<u32>,
    /// `timeout queue`, milliseconds.
    pub queue_timeout_ms: Option<u32>,
    /// `timeout tarpit`, milliseconds.
    pub tarpit_timeout_ms: Option<u32>,
    /// `retries`.
    pub retries: u32,
}

/// What expressions see of a server.
#[derive(Debug, Clone, Default)]
pub struct ServerFacts {
    /// Its key in the census.
    pub key: Option<ServerId>,
    /// The number operators know (`id`, or the position).
    pub id: u32,
    /// Its name.
    pub name: Arc<str>,
}
