//! `ring` and `log-forward` sections.

use std::sync::Arc;

use super::{Carriage, Logging};
use crate::addr::SockAddr;
use crate::log::Ring;
use crate::time::Millis;
use crate::tls::Connector;

/// A ring and the syslog servers that get its lines.
#[derive(Debug)]
pub struct RingPost {
    /// The ring.
    pub ring: Arc<Ring>,
    /// The servers.
    pub servers: Vec<RingServer>,
}

/// A syslog server that gets a ring's lines.
#[derive(Clone, Debug)]
pub struct RingServer {
    /// Where it listens.
    pub address: SockAddr,
    /// How it is spoken to in TLS.
    pub connector: Option<Arc<Connector>>,
    /// `cc`, `tcp-md5sig`, `namespace`.
    pub carriage: Option<Arc<Carriage>>,
    /// `log-proto octet-count`.
    pub counted: bool,
}

/// A `log-forward` section.
#[derive(Debug)]
pub struct LogForward {
    /// Its name.
    pub name: Arc<str>,
    /// Where its lines go.
    pub logging: Logging,
    /// `maxconn`; zero means none.
    pub maxconn: usize,
    /// `timeout client`
    pub timeout: Option<Millis>,
    /// `dgram-bind` addresses.
    pub datagrams: Vec<SockAddr>,
}
