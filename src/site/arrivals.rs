//! Servers that operators add and take away.
//!
//! Always true: a server that was taken away keeps its identity, so that whoever still holds it finds what it knew; nobody who
//! looks for servers finds it any more.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Server, Site};
use crate::check::Script;
use crate::id::{BackendId, ServerId};
use crate::lang::Word;
use crate::sample::ServerFacts;
use crate::stats::Tally;
use crate::time::Tick;

use super::Source;

/// What a backend gives to servers that are added to it.
#[derive(Clone, Debug)]
pub struct Admission {
    /// How they are checked.
    pub script: Arc<Script>,
    /// Whether that script speaks TLS somewhere.
    pub checks_in_tls: bool,
    /// `source` of the section.
    pub source: Source,
    /// The words of its `default-server` lines, for `from` on the line of a server that is added.
    pub defaults: Arc<[Vec<Word>]>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            script: Arc::new(crate::check::agent_script(&[])),
            checks_in_tls: false,
            source: Source::default(),
            defaults: Arc::default(),
        }
    }
}

/// Why a server cannot be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Something else names it; that does not change.
    Named,
    /// It is not in maintenance.
    Serving,
    /// Somebody uses it at this moment.
    InUse,
}

impl Needed {
    /// HAProxy's sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Named => {
                "This server cannot be removed at runtime due to other configuration elements \
                 pointing to it."
            }
            Self::Serving => "Only servers in maintenance mode can be deleted.",
            Self::InUse => "Server still has connections attached to it, cannot remove it.",
        }
    }
}

impl Site {
    /// Takes a server in; none when there is no place left.
    pub fn admit_server(&self, server: Server, now: Tick) -> Option<ServerId> {
        let (backend, workers) = (server.backend, self.global.threads.max(1));
        server.health.begin(now);
        if let Some(tracked) = server.watch.track {
            self.server(tracked).is_named.store(true, Relaxed);
        }
        let seated = |place: usize| Server {
            facts: ServerFacts {
                key: Some(ServerId::at(place)),
                id: server.uuid,
                name: Arc::clone(&server.name),
            },
            tally: Tally::new(workers),
            ..server
        };
        let id = ServerId::at(self.servers.add(seated).ok()?);
        let home = self.backend(backend);
        home.servers.join(id).ok()?;
        home.policy.settle(&self.lineup(backend));
        Some(id)
    }

    /// Whether a server can be taken away.
    ///
    /// # Errors
    /// Why not.
    pub fn is_removable(&self, id: ServerId) -> Result<(), Needed> {
        let server = self.server(id);
        if server.is_named.load(Relaxed) {
            return Err(Needed::Named);
        }
        if !server.health.is_in_maintenance() {
            return Err(Needed::Serving);
        }
        if server.slots.in_use() > 0 || !server.line.is_empty() {
            return Err(Needed::InUse);
        }
        Ok(())
    }

    /// Takes a server away.
    ///
    /// # Errors
    /// It is needed.
    pub fn dismiss_server(&self, id: ServerId) -> Result<(), Needed> {
        self.is_removable(id)?;
        let server = self.server(id);
        server.gone.store(true, Relaxed);
        server.seat.set_usable(false);
        self.backend(server.backend).servers.leave(id);
        let home: BackendId = server.backend;
        self.backend(home).policy.settle(&self.lineup(home));
        Ok(())
    }
}
