//! Servers that operators add and take away, streams they end, frontends they close.

use std::sync::atomic::Ordering::Relaxed;

use super::Face;
use crate::cli::operator::FrontendChange;
use crate::config;
use crate::id::{BackendId, FrontendId, ServerId, WorkerId};
use crate::site::Aftermath;
use crate::stream::{Asked, Cause, Letter, stream_of};
use crate::worker::Mail;

type Answer = Result<Option<String>, String>;

impl Face<'_> {
    pub(super) fn add_server(&self, backend: BackendId, name: &str, words: &[&str]) -> Answer {
        let site = self.site();
        if !site.backend(backend).policy.takes_newcomers() {
            let sentence = "Backend must use a dynamic load balancing to support dynamic servers.";
            return Err(sentence.to_owned());
        }
        let (server, mut notes) = config::newcomer(site, backend, name, words)?;
        let taken = || {
            let members = site.backend(backend).servers.iter();
            members.map(|id| site.server(*id))
        };
        if taken().any(|other| other.name == server.name) {
            return Err("Already exists a server with the same name in backend.".to_owned());
        }
        if let Some(other) = taken().find(|other| other.uuid == server.uuid) {
            let (uuid, other) = (server.uuid, &other.name);
            return Err(format!(
                "custom id {uuid} already used for server '{other}'"
            ));
        }
        site.admit_server(server, self.now)
            .ok_or("Cannot attach server : no place is left for servers added at run time.")?;
        notes.push("New server registered.".to_owned());
        Ok(Some(notes.join("\n")))
    }

    pub(super) fn delete_server(&self, id: ServerId) -> Answer {
        let site = self.site();
        site.dismiss_server(id)
            .map_err(|needed| needed.sentence().to_owned())?;
        if let Some(connector) = &site.server(id).check_tls {
            connector.retire();
        }
        let closed = Aftermath {
            idle_closed: vec![id],
            ..Aftermath::default()
        };
        self.carry_out(closed);
        // Its checks end when they look again.
        for asked in [Asked::Service(id), Asked::Agent(id)] {
            let worker = id.index() % self.office.workers().max(1);
            self.office
                .post(WorkerId::at(worker), Mail::Letter(Letter::Check(asked)));
        }
        Ok(Some("Server deleted.".to_owned()))
    }

    pub(super) fn kill_stream(&self, number: u64) -> Answer {
        let (worker, stream) = stream_of(number);
        if worker >= self.office.workers() {
            return Err("No such session (use 'show sess').".to_owned());
        }
        let letter = Letter::Kill { stream };
        self.office.post(WorkerId::at(worker), Mail::Letter(letter));
        Ok(None)
    }

    pub(super) fn kill_streams(&self, server: ServerId) -> Answer {
        for worker in (0..self.office.workers()).map(WorkerId::at) {
            let letter = Letter::shut(server, Cause::Killed);
            self.office.post(worker, Mail::Letter(letter));
        }
        Ok(None)
    }

    pub(super) fn limit_process(&self, limit: u32) -> Answer {
        let site = self.site();
        let configured = site.global.maxconn;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if configured > 0 && limit > configured {
            return Err("Value out of range.".to_owned());
        }
        site.maxconn_now.store(limit, Relaxed);
        self.office.resume();
        Ok(None)
    }

    pub(super) fn change_frontend(&self, id: FrontendId, change: FrontendChange) -> Answer {
        let frontend = self.site().frontend(id);
        let (shut, paused) = (frontend.closed.load(Relaxed), frontend.paused.load(Relaxed));
        let refused = match (change, shut, paused) {
            (FrontendChange::MaxConn(_), ..) => None,
            (FrontendChange::Enable, true, _) => {
                Some("Frontend was previously shut down, cannot enable.")
            }
            (FrontendChange::Enable, false, false) => Some("All sockets are already enabled."),
            (FrontendChange::Disable, true, _) => {
                Some("Frontend was previously shut down, cannot disable.")
            }
            (FrontendChange::Disable, false, true) => Some("All sockets are already disabled."),
            (FrontendChange::Shutdown, true, _) => Some("Frontend was already shut down."),
            (FrontendChange::Enable | FrontendChange::Disable | FrontendChange::Shutdown, ..) => {
                None
            }
        };
        if let Some(sentence) = refused {
            return Err(sentence.to_owned());
        }
        let open = match change {
            FrontendChange::MaxConn(limit) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                frontend.maxconn_now.store(limit, Relaxed);
                self.office.resume();
                return Ok(None);
            }
            FrontendChange::Enable => true,
            FrontendChange::Disable => false,
            FrontendChange::Shutdown => {
                frontend.closed.store(true, Relaxed);
                false
            }
        };
        frontend.paused.store(!open, Relaxed);
        for worker in (0..self.office.workers()).map(WorkerId::at) {
            self.office.post(worker, Mail::Frontend(id, open));
        }
        Ok(None)
    }
}
