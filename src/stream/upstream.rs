//! What expressions see of the connection to the server, and of the one that failed.
//!
//! A connection that stands is asked itself; what a failed one came to is kept with the exchange, for its log line.

use std::sync::Arc;

use super::front::{Held, Peers, Role};
use super::greet::facts;
use super::{Kit, Stream};
use crate::sample::{TlsFacts, UpstreamFacts};
use crate::slab::Key;
use crate::tls::Refusal;

/// A handshake failed: `fc_err`, `bc_err`.
const HANDSHAKE: u16 = 34;

/// Why a handshake failed, by HAProxy's number of connection errors.
pub(super) fn failure(refusal: Option<Refusal>) -> u16 {
    match refusal {
        Some(Refusal::Authority) => 30,
        Some(Refusal::Leaf) => 31,
        Some(Refusal::Name) => 32,
        Some(Refusal::NameAsked) => 33,
        None => HANDSHAKE,
    }
}

/// What the handshake of a server's connection came to, and the error it failed by; the peer that was refused counts as a failed
/// handshake where the server was refused by us for its chain.
fn settled(kit: &Kit, key: Key<Held>) -> Option<(Arc<TlsFacts>, u16)> {
    let secs = kit.wall.secs;
    let opened = kit.conns.get(key)?.conn.wire.tls_ref()?.opened(secs)?;
    let error = match (opened.error, opened.refusal) {
        (0, _) => 0,
        (_, refusal @ Some(Refusal::Name | Refusal::NameAsked)) => failure(refusal),
        _ => HANDSHAKE,
    };
    Some((Arc::new(facts(opened)), error))
}

/// Notes what a handshake that is complete has settled.
pub(super) fn note(kit: &mut Kit, key: Key<Held>) {
    let tls = settled(kit, key).map(|(tls, _)| tls);
    let resumed = tls.as_ref().map(|tls| tls.resumed);
    if let Some(held) = kit.conns.get_mut(key)
        && let Role::Back(back) = &mut held.role
    {
        back.tls = tls;
    }
    if resumed.is_some() {
        kit.count_handshake(key, resumed);
    }
}

impl Stream {
    /// What expressions see of the server's side.
    pub(super) fn upstream(&self, kit: &Kit) -> Option<UpstreamFacts> {
        let back = self.back.and_then(|key| kit.conns.get(key)?.back());
        let Some(back) = back.filter(|back| back.connected) else {
            return self.reached.as_deref().cloned();
        };
        let Peers { src, dst } = back.peers;
        Some(UpstreamFacts {
            src,
            dst,
            tls: back.tls.clone(),
            reused: self.attempt.reused,
            http_major: 1,
            ..UpstreamFacts::default()
        })
    }

    /// Keeps what a connection came to that is about to be given up.
    pub(super) fn remember_upstream(&mut self, kit: &Kit) {
        let mut facts = self.upstream(kit).unwrap_or_default();
        let dialed = self.back.and_then(|key| kit.conns.get(key)?.back());
        facts.dst = dialed.and_then(|back| back.peers.dst).or(facts.dst);
        if let Some((tls, error)) = self.back.and_then(|key| settled(kit, key)) {
            (facts.tls, facts.error) = (Some(tls), error);
        }
        self.reached = Some(Box::new(facts));
    }
}
