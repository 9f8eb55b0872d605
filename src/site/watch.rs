//! What else tells or shares a server's health, beside its checks.

use std::sync::atomic::{AtomicBool, AtomicU32};

use super::Target;
use crate::check::draft::{Layer, OnError};
use crate::id::ServerId;
use crate::live::Live;
use crate::time::Millis;

/// What a server's line says about its health, the checks themselves apart.
#[derive(Debug)]
#[repr(C)]
pub struct Watch {
    /// `observe`.
    pub observe: Option<Layer>,
    /// `on-error`.
    pub on_error: OnError,
    /// `error-limit`.
    pub error_limit: u32,
    /// Errors that were observed in a row.
    pub errors: AtomicU32,
    /// `check-ssl`.
    pub tls: bool,
    /// `check-sni`.
    pub sni: Option<Box<str>>,
    /// Whether checks over TLS ask for the host of their request where nobody says a name: not with `no-check-sni-auto`.
    pub sni_auto: bool,
    /// `check-alpn`.
    pub alpn: Vec<String>,
    /// `check-send-proxy`.
    pub send_proxy: bool,
    /// `check-via-socks4`.
    pub via_socks4: bool,
    /// `on-marked-down shutdown-sessions`.
    pub shut_when_down: bool,
    /// `on-marked-up shutdown-backup-sessions`.
    pub shut_backups_when_up: bool,
    /// `track`: the server whose health counts for this one.
    pub track: Option<ServerId>,
    /// `agent-check`.
    pub agent: Option<Agent>,
}

impl Default for Watch {
    /// Nothing.
    fn default() -> Self {
        Self {
            tls: false,
            sni: None,
            sni_auto: true,
            alpn: Vec::new(),
            send_proxy: false,
            via_socks4: false,
            observe: None,
            on_error: OnError::FailCheck,
            error_limit: ERRORS,
            errors: AtomicU32::new(0),
            shut_when_down: false,
            shut_backups_when_up: false,
            track: None,
            agent: None,
        }
    }
}

/// How many observed errors in a row are too many unless `error-limit` says otherwise.
const ERRORS: u32 = 10;

/// An agent that tells of its server.
#[derive(Debug)]
pub struct Agent {
    /// `agent-inter`, or `inter`.
    pub inter: Millis,
    /// `agent-addr` and `agent-port`.
    pub target: Live<Target>,
    /// `agent-send`.
    pub send: Live<Box<[u8]>>,
    /// Whether it is asked.
    pub enabled: AtomicBool,
}
