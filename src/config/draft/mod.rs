//! What was written: the sections of a configuration with spans and names, before they run.
//!
//! The rows of every room write here; `resolve` reads it and makes a `Site`. A `defaults` section
//! is a proxy draft like any other: the sections it applies to begin as its copy, which is all
//! that inheritance is.

mod bind;
mod carriage;
mod global;
mod proxy;
mod server;

use super::section;
use crate::lang::Span;
use crate::{cache, check, dns, log, rule, tls, users};
pub use bind::{BindDraft, UnixBind};
pub use carriage::CarriageDraft;
pub use global::{
    CpuMapDraft, EnvEdit, FamiliesDraft, GlobalDraft, Numbers, Origin, VariableDraft,
};
pub use proxy::{BackDraft, FrontDraft, Heirs, OptionsDraft, ProxyDraft, Remembers};
pub use server::{InitAddr, ServerDraft, SourceDraft};

/// A whole configuration as written.
#[derive(Debug, Default)]
pub struct Draft {
    /// The `global` section.
    pub global: GlobalDraft,
    /// The `defaults` sections.
    pub defaults: Vec<ProxyDraft>,
    /// The `resolvers` sections.
    pub resolvers: Vec<ResolversDraft>,
    /// Frontends, backends and listens in file order.
    pub proxies: Vec<ProxyDraft>,
    /// `cache` sections.
    pub caches: Vec<cache::Draft>,
    /// `healthcheck` sections by name.
    pub healthchecks: Vec<(String, check::Draft)>,
    /// `userlist` sections.
    pub userlists: Vec<users::Draft>,
    /// `ring` sections.
    pub rings: Vec<section::relay::RingDraft>,
    /// `mailers` sections.
    pub mailers: Vec<section::mailers::MailersDraft>,
    /// `log-forward` sections.
    pub forwards: Vec<section::relay::ForwardDraft>,
    /// `log-profile` sections.
    pub log_profiles: Vec<log::profile::Draft>,
    /// `peers` sections.
    pub peers: Vec<section::peers::PeersDraft>,
    /// `program` sections.
    pub programs: Vec<section::program::ProgramDraft>,
    /// `http-errors` sections: names and pages.
    pub http_errors: Vec<(String, rule::Draft)>,
    /// The `crt-store` sections.
    pub stocks: Vec<tls::draft::StockDraft>,
}

/// A `resolvers` section.
#[derive(Debug)]
pub struct ResolversDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// What its lines say.
    pub dns: dns::run::draft::Draft,
}
