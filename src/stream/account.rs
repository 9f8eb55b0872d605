//! What an exchange adds to the books of everyone who took part.
//!
//! Counting follows from outcomes: each fact is counted where it becomes true once, and the end of an exchange is
//! counted by one function of its [`Ending`].

use std::sync::atomic::Ordering::Relaxed;

use super::front::{self, Held};
use super::{Cause, Ending, Kit, Phase, Stream};
use crate::id::{FrontendId, ListenerId, ServerId};
use crate::slab::Key;
use crate::stats::{self, Count, Pace, Role};
use crate::tls::Happening;

impl Kit {
    /// A client's connection was accepted.
    pub(super) fn count_connection(&self, listener: ListenerId, frontend: FrontendId) {
        let (worker, now) = (self.worker, self.now);
        let frontend = self.site.frontend(frontend);
        let at_once = u32::try_from(frontend.connections.load(Relaxed)).unwrap_or(u32::MAX);
        for tally in [&frontend.tally, &self.site.tally] {
            tally.count(worker, Count::Connections);
            tally.beat(worker, Pace::Connections, now);
            tally.begin(worker, at_once, now);
        }
        let listener = self.site.listener(listener);
        if listener.tls.is_some() {
            self.site.tls.count(Happening::Client, now);
        }
        if frontend.socket_stats {
            let at_once = u32::try_from(listener.connections.load(Relaxed)).unwrap_or(u32::MAX);
            listener.tally.count(worker, Count::Connections);
            listener.tally.begin(worker, at_once, now);
        }
    }

    /// A handshake ended: a session opened, resumed or not, or it failed.
    pub(super) fn count_handshake(&self, key: Key<Held>, resumed: Option<bool>) {
        let Some(held) = self.conns.get(key) else {
            return;
        };
        let (parties, keys) = match &held.role {
            front::Role::Front(front) => {
                let listener = self.site.listener(front.listener);
                let frontend = self.site.frontend_of(front.listener);
                let frontend = frontend.map(|id| &self.site.frontend(id).tally);
                ([frontend, Some(&listener.tally)], Happening::ClientKeys)
            }
            front::Role::Back(back) => {
                let server = self.site.server(back.server);
                let backend = &self.site.backend(server.backend).tally;
                ([Some(backend), Some(&server.tally)], Happening::ServerKeys)
            }
            front::Role::Probe(_) => return,
        };
        let what = match resumed {
            None => Count::TlsFailed,
            Some(_) => Count::TlsSessions,
        };
        for tally in parties.into_iter().flatten() {
            tally.count(self.worker, what);
            if resumed == Some(true) {
                tally.count(self.worker, Count::TlsResumed);
            }
        }
        if resumed == Some(false) {
            self.site.tls.count(keys, self.now);
        }
    }

    /// A server was given a request.
    pub(super) fn count_server(&self, server: ServerId, balanced: bool) {
        let server = self.site.server(server);
        let in_use = server.slots.in_use();
        if in_use > server.need.load(Relaxed) {
            server.need.fetch_max(in_use, Relaxed);
        }
        server.tally.begin(self.worker, in_use, self.now);
        if balanced {
            server.tally.count(self.worker, Count::Balanced);
            self.site
                .backend(server.backend)
                .tally
                .count(self.worker, Count::Balanced);
        }
    }
}

impl Stream {
    /// A request's head is complete.
    pub(super) fn count_request(&self, kit: &Kit) {
        for tally in [&kit.site.frontend(self.frontend).tally, &kit.site.tally] {
            tally.count(kit.worker, Count::Requests);
            tally.beat(kit.worker, Pace::Requests, kit.now);
        }
    }

    /// The request entered its backend.
    pub(super) fn count_backend(&self, kit: &Kit) {
        let Some(backend) = self.backend.map(|backend| kit.site.backend(backend)) else {
            return;
        };
        backend.tally.begin(kit.worker, backend.load(), kit.now);
        if self.http {
            backend.tally.count(kit.worker, Count::Requests);
            backend.tally.beat(kit.worker, Pace::Requests, kit.now);
        }
    }

    /// Counts `what` for the backend and the server at hand.
    pub(super) fn count_back(&self, kit: &Kit, what: Count) {
        if let Some(server) = self.server {
            kit.site.server(server).tally.count(kit.worker, what);
        }
        if let Some(backend) = self.backend {
            kit.site.backend(backend).tally.count(kit.worker, what);
        }
    }

    /// The exchange is over.
    pub(super) fn count_end(&self, kit: &Kit, up: u64, down: u64) {
        let Some(ending) = self.txn.ending else {
            return;
        };
        let txn = &self.txn;
        let counted = stats::Ending {
            cause: cause(ending, self.backend.is_some()),
            status: txn.status.map(|status| status.code()),
            spans: [
                span(txn.queue, txn.request),
                span(txn.connect, txn.queue),
                span(txn.data, txn.connect),
                Some(txn.elapsed(kit.now)),
            ],
            bytes: (up, down),
        };
        let site = &kit.site;
        let listener = kit
            .conns
            .get(self.front)
            .and_then(|held| held.front())
            .map(|front| front.listener);
        let front = &site.frontend(self.frontend);
        let listener = listener
            .filter(|_| front.socket_stats)
            .map(|id| (&site.listener(id).tally, Role::Listener));
        let backend = self
            .backend
            .map(|id| (&site.backend(id).tally, Role::Backend));
        let server = self.server.map(|id| (&site.server(id).tally, Role::Server));
        let parties = [
            Some((&front.tally, Role::Frontend)),
            listener,
            backend,
            server,
        ];
        for (tally, role) in parties.into_iter().flatten() {
            tally.close(kit.worker, role, &counted);
            let failed = u64::from(self.wishes.failed_rewrites);
            if failed > 0 {
                tally.add(kit.worker, Count::FailedRewrites, failed);
            }
        }
        site.tally.add(kit.worker, Count::BytesOut, down);
        if txn.request.is_some() {
            front.tally.count(kit.worker, Count::Exchanges);
        }
        // The other half of a `listen` is where a request would have gone.
        if let Some(twin) = front.twin.filter(|_| self.backend.is_none()) {
            let tally = &site.backend(twin).tally;
            tally.add(kit.worker, Count::BytesIn, up);
            tally.add(kit.worker, Count::BytesOut, down);
        }
    }
}

fn span(end: Option<u32>, begin: Option<u32>) -> Option<u32> {
    Some(end?.saturating_sub(begin.unwrap_or(0)))
}

/// The statistics' name for an ending.
fn cause(ending: Ending, reached_backend: bool) -> stats::Cause {
    match (ending.cause, ending.phase) {
        (Cause::Normal, _) => stats::Cause::Complete,
        (Cause::Local, _) => stats::Cause::Intercepted,
        (Cause::Exhausted | Cause::Internal, _) => stats::Cause::Internal,
        (Cause::Refused, Phase::Request) => stats::Cause::DeniedRequest,
        (_, Phase::Request) => stats::Cause::BadRequest,
        (Cause::Refused, Phase::Headers) => stats::Cause::DeniedResponse,
        (Cause::Refused, _) if !reached_backend => stats::Cause::DeniedRequest,
        (Cause::ClientAborted | Cause::ClientTimeout, _) => stats::Cause::ClientAborted,
        (_, Phase::Queue | Phase::Connect) => stats::Cause::ConnectFailed,
        (_, Phase::Headers) => stats::Cause::BadResponse,
        (Cause::Refused, _) => stats::Cause::DeniedRequest,
        (
            Cause::ServerFailed
            | Cause::Malformed
            | Cause::ServerTimeout
            | Cause::ServerDown
            | Cause::ServerUp
            | Cause::Killed,
            _,
        ) => stats::Cause::ServerAborted,
    }
}
