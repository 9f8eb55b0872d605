//! A `bind` line, and who may use the unix socket that it makes.

use super::CarriageDraft;
use crate::addr::Written;
use crate::lang::{Span, Word};
use crate::site::{Level, SeverityOutput};
use crate::time::Millis;
use crate::tls;

/// A `bind` or `stats socket` line.
#[derive(Debug, Clone, Default)]
pub struct BindDraft {
    /// The whole line.
    pub span: Span,
    /// Its addresses: the text with variables expanded, and where it stands.
    pub addresses: Vec<(Word, Written)>,
    /// `name`
    pub name: Option<String>,
    /// `guid-prefix`
    pub guid_prefix: Option<Word>,
    /// `id`
    pub id: Option<u32>,
    /// `maxconn`
    pub maxconn: u32,
    /// `backlog`
    pub backlog: Option<u32>,
    /// `accept-proxy`
    pub accept_proxy: bool,
    /// `accept-netscaler-cip`
    pub accept_netscaler_cip: Option<u32>,
    /// `v4v6`, `v6only`
    pub v6only: Option<bool>,
    /// `transparent`
    pub transparent: bool,
    /// `tfo`
    pub fast_open: bool,
    /// `defer-accept`
    pub defer_accept: bool,
    /// `interface`
    pub interface: Option<String>,
    /// `mss`
    pub mss: Option<u16>,
    /// `tcp-ut`
    pub tcp_user_timeout: Option<Millis>,
    /// `tcp-ss`
    pub save_syn: u8,
    /// `cc`, `tcp-md5sig`, `namespace`
    pub carriage: CarriageDraft,
    /// `shards`
    pub shards: Option<usize>,
    /// Owner and mode.
    pub unix: UnixBind,
    /// `level`
    pub level: Level,
    /// `severity-output`
    pub severity: SeverityOutput,
    /// `expose-fd listeners`
    pub expose_fd: bool,
    /// `ssl`, `crt` and what belongs to them.
    pub tls: tls::draft::BindDraft,
}

/// Owner and mode of a unix socket, as written.
#[derive(Debug, Clone, Default)]
pub struct UnixBind {
    /// Put before every unix path.
    pub prefix: Option<String>,
    /// `uid`
    pub uid: Option<u32>,
    /// `gid`
    pub gid: Option<u32>,
    /// `user`
    pub user: Option<Word>,
    /// `group`
    pub group: Option<Word>,
    /// `mode`
    pub mode: Option<u32>,
}
