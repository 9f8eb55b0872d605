//! Where a request goes: a backend, then a server, then a place in line if the server is full.

use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::http::Status;
use crate::id::{BackendId, ServerId};

impl Stream {
    /// Chooses the backend.
    pub(super) fn route(&mut self, kit: &mut Kit) -> Step {
        let Some(backend) = kit.site.frontend(self.frontend).default_backend else {
            return self.no_server(kit, Cause::ServerFailed, Phase::Connect);
        };
        self.enter_backend(kit, backend);
        Step::Go(Stage::BackendRequest)
    }

    fn enter_backend(&mut self, kit: &mut Kit, backend: BackendId) {
        self.backend = Some(backend);
        kit.site.backend(backend).enter();
        self.held_slots.backend = true;
    }

    /// Chooses the server.
    pub(super) fn pick(&mut self, kit: &mut Kit) -> Step {
        let Some(backend) = self.backend else {
            return self.no_server(kit, Cause::ServerFailed, Phase::Connect);
        };
        let site = kit.site.clone();
        let Some(server) = site.backend(backend).servers.first().copied() else {
            return self.no_server(kit, Cause::ServerFailed, Phase::Connect);
        };
        self.take_server(kit, server);
        self.txn.queue = Some(self.txn.elapsed(kit.now));
        Step::Go(Stage::Connect)
    }

    fn take_server(&mut self, _kit: &mut Kit, server: ServerId) {
        self.server = Some(server);
        self.held_slots.server = true;
    }

    /// Waits in line.
    pub(super) fn queue(&mut self, _kit: &mut Kit) -> Step {
        Step::Wait
    }

    /// Gives back what the stream holds of its server.
    pub(super) fn leave_server(&mut self, _kit: &mut Kit) {
        self.held_slots.server = false;
    }

    /// Gives back what the stream holds of its backend.
    pub(super) fn leave_backend(&mut self, kit: &mut Kit) {
        if std::mem::take(&mut self.held_slots.backend)
            && let Some(backend) = self.backend
        {
            kit.site.backend(backend).leave();
        }
    }

    /// Nobody can answer: 503 in HTTP, the end in TCP.
    pub(super) fn no_server(&mut self, kit: &mut Kit, cause: Cause, phase: Phase) -> Step {
        self.reply(kit, Status::new(503), cause, phase)
    }
}
