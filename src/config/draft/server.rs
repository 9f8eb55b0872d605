//! A `server` line as written, and what `default-server` lines amount to.

use std::sync::Arc;

use super::CarriageDraft;
use crate::addr::Written;
use crate::lang::{Span, Word};
use crate::site::{Remembered, Seems, SendProxy, Tells};
use crate::time::Millis;
use crate::{balance, check, dns, queue, tls};

/// A `server` line, or what `default-server` lines amount to.
#[derive(Debug, Clone)]
pub struct ServerDraft {
    /// The whole line.
    pub span: Span,
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The address with variables expanded.
    pub address: Option<(Word, Written)>,
    /// `guid`
    pub guid: Option<Word>,
    /// `id`
    pub id: Option<u32>,
    /// `disabled`
    pub disabled: bool,
    /// Weight and what belongs to it.
    pub seat: balance::SeatDraft,
    /// Limits.
    pub queue: queue::ServerDraft,
    /// Its health.
    pub check: check::ServerDraft,
    /// `redir`
    pub redirect_prefix: Option<Vec<u8>>,
    /// `send-proxy`, `send-proxy-v2`
    pub send_proxy: SendProxy,
    /// `proxy-v2-options`
    pub tells: Tells,
    /// `set-proxy-v2-tlv-fmt`
    pub tellings: Vec<(u8, Option<Word>)>,
    /// `socks4`
    pub socks4: Option<Box<(Word, Written)>>,
    /// `source`
    pub source: Option<Box<SourceDraft>>,
    /// `pool-conn-name`
    pub pool_name: Option<Word>,
    /// `pool-max-conn`
    pub pool_max_conn: Option<u32>,
    /// `pool-purge-delay`
    pub pool_purge_delay: Millis,
    /// `pool-low-conn`
    pub pool_low_conn: usize,
    /// `max-reuse`
    pub max_reuse: Option<u32>,
    /// `shard`
    pub shard: u32,
    /// `cc`, `tcp-md5sig`, `namespace`
    pub carriage: Option<Box<CarriageDraft>>,
    /// `tcp-ut`
    pub tcp_user_timeout: Option<Millis>,
    /// `tfo`
    pub fast_open: bool,
    /// `non-stick`: tables do not learn it.
    pub non_stick: bool,
    /// `log-bufsize`
    pub log_buffer: Option<usize>,
    /// `log-proto octet-count`
    pub log_counted: bool,
    /// `init-addr`
    pub init_addr: Vec<InitAddr>,
    /// What a state file says of it.
    pub remembered: Option<Box<Remembered>>,
    /// `resolvers`, `resolve-…`
    pub resolution: dns::run::wishes::ServerDraft,
    /// `ssl` and what belongs to it: shared with the lines that say the same, for there may be thousands.
    pub tls: Arc<tls::draft::ServerDraft>,
}

impl Default for ServerDraft {
    fn default() -> ServerDraft {
        ServerDraft {
            span: Span::default(),
            name: String::new(),
            name_span: Span::default(),
            address: None,
            id: None,
            guid: None,
            disabled: false,
            seat: balance::SeatDraft::default(),
            queue: queue::ServerDraft::default(),
            check: check::ServerDraft::default(),
            redirect_prefix: None,
            send_proxy: SendProxy::No,
            tells: Tells::default(),
            tellings: Vec::new(),
            socks4: None,
            source: None,
            pool_name: None,
            pool_max_conn: None,
            pool_purge_delay: Millis::seconds(5),
            pool_low_conn: 0,
            max_reuse: None,
            shard: 0,
            carriage: None,
            tcp_user_timeout: None,
            fast_open: false,
            non_stick: false,
            log_buffer: None,
            log_counted: false,
            init_addr: Vec::new(),
            remembered: None,
            resolution: dns::run::wishes::ServerDraft::default(),
            tls: Arc::default(),
        }
    }
}

/// A `source` line or parameter.
#[derive(Debug, Clone)]
pub struct SourceDraft {
    /// Its address.
    pub address: (Word, Written),
    /// `interface`
    pub interface: Option<String>,
    /// `usesrc`
    pub seems: Seems,
}

/// One way of `init-addr` to find a server's first address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitAddr {
    /// `last`: from the state file.
    Last,
    /// `libc`: resolve at the start.
    Resolve,
    /// `none`: start without.
    None,
    /// A fixed address.
    Ip(std::net::IpAddr),
}
