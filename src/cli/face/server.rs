//! Orders about one server, carried out.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;

use super::Face;
use crate::addr::SockAddr;
use crate::check::{Admin, AgentState, Standing};
use crate::cli::operator::{AdminState, HealthState, ServerChange};
use crate::id::{BackendId, ServerId, WorkerId};
use crate::live::Live;
use crate::log::Level;
use crate::site::{Aftermath, Agent, Change, Checking, Destination, Notice, Port, Server, Target};
use crate::stream::{Asked, Letter};
use crate::worker::Mail;

/// Who says so, in the sentences about a server.
const CLI: &str = "changed from CLI";
const NO_AGENT: &str = "agent checks are not enabled on this server";
const NO_CHECK: &str = "health checks are not enabled on this server";

type Answer = Result<Option<String>, String>;

impl Face<'_> {
    pub(super) fn change_server(&self, id: ServerId, change: &ServerChange<'_>) -> Answer {
        let server = self.site().server(id);
        match change {
            ServerChange::State(state) => self.administer(id, *state),
            ServerChange::Enable(true) => self.administer(id, AdminState::Ready),
            ServerChange::Enable(false) => self.administer(id, AdminState::Maintenance),
            ServerChange::Weight(weight) => {
                let aftermath = self.site().reweigh(id, *weight)?;
                self.carry_out(aftermath);
            }
            ServerChange::Health(_) if server.watch.track.is_some() => {
                return Err("cannot change health on a tracking server.".to_owned());
            }
            ServerChange::Health(state) => {
                let standing = match state {
                    HealthState::Up => Standing::Running,
                    HealthState::Stopping => Standing::Stopping,
                    HealthState::Down => Standing::Stopped,
                };
                self.happen(id, &Change::Said(standing, CLI));
            }
            ServerChange::Agent(up) => {
                enabled_agent(server).map_err(|text| format!("{text}."))?;
                let state = if *up {
                    AgentState::Up
                } else {
                    AgentState::Down
                };
                self.happen(id, &Change::AgentSaid(state, CLI));
            }
            ServerChange::AgentChecks(on) => return self.switch_agent(id, *on),
            ServerChange::Checks(on) => return self.switch_checks(id, *on),
            ServerChange::Address(ip, port) => return self.move_server(id, *ip, *port),
            ServerChange::CheckPort(port) => aim(&checked(server)?.target, None, Some(*port)),
            ServerChange::CheckAddress(ip, port) => aim(&checked(server)?.target, Some(*ip), *port),
            ServerChange::AgentAddress(ip, port) => {
                aim(&enabled_agent(server)?.target, Some(*ip), *port);
            }
            ServerChange::AgentPort(port) => aim(&enabled_agent(server)?.target, None, Some(*port)),
            ServerChange::AgentSend(text) => enabled_agent(server)
                .map_err(|text| format!("{text}."))?
                .send
                .publish(text.as_bytes().into()),
            ServerChange::Name(name) => return self.rename(id, name),
            ServerChange::Tls(on) => return self.encrypt(id, *on),
            ServerChange::MaxConn(limit) => {
                server.set_limit(*limit);
                let mut aftermath = Aftermath::default();
                self.site().settle(id, &mut aftermath);
                self.carry_out(aftermath);
            }
        }
        Ok(None)
    }

    fn administer(&self, id: ServerId, state: AdminState) {
        let orders = match state {
            AdminState::Ready => [(Admin::Drain, false), (Admin::Maintenance, false)],
            AdminState::Drain => [(Admin::Drain, true), (Admin::Maintenance, false)],
            AdminState::Maintenance => [(Admin::Maintenance, true), (Admin::Drain, false)],
        };
        for (order, on) in orders {
            self.happen(id, &Change::Ordered(order, on));
        }
    }

    fn switch_agent(&self, id: ServerId, on: bool) -> Answer {
        let server = self.site().server(id);
        let Some(agent) = &server.watch.agent else {
            return match on {
                true => Err("Agent was not configured on this server, cannot enable.".to_owned()),
                false => Ok(None),
            };
        };
        agent.enabled.store(on, Relaxed);
        if on {
            self.begin(Asked::Agent(id));
        } else {
            // What a silent agent once said must not keep its server down.
            self.happen(id, &Change::AgentSaid(AgentState::Up, CLI));
        }
        Ok(None)
    }

    fn switch_checks(&self, id: ServerId, on: bool) -> Answer {
        let server = self.site().server(id);
        if server.checking.is_none() {
            let sentence = "Health check was not configured on this server, cannot enable.";
            return if on {
                Err(sentence.to_owned())
            } else {
                Ok(None)
            };
        }
        server.health.set_checked(on);
        if on {
            self.begin(Asked::Service(id));
        }
        Ok(None)
    }

    /// Has the worker that checks a server begin.
    fn begin(&self, asked: Asked) {
        let worker = asked.server().index() % self.office.workers().max(1);
        let letter = Letter::Check(asked);
        self.office.post(WorkerId::at(worker), Mail::Letter(letter));
    }

    fn move_server(&self, id: ServerId, ip: IpAddr, port: Option<u16>) -> Answer {
        let server = self.site().server(id);
        let before = match &*server.destination.load() {
            Destination::At(SockAddr::Inet(before)) => Some(*before),
            Destination::Unresolved => None,
            Destination::At(SockAddr::Unix(_) | SockAddr::Abstract(_)) => {
                let sentence = "Update for the current server address family is only supported \
                                through configuration file.";
                return Ok(Some(sentence.to_owned()));
            }
        };
        let written = match server.port {
            Port::Fixed(port) => port,
            Port::Mapped(_) => 0,
        };
        let old_port = before.map(|before| before.port()).filter(|port| *port != 0);
        let old_port = old_port.unwrap_or(written);
        let new_port = port.unwrap_or(old_port);
        let was = before.map_or_else(|| "(none)".to_owned(), |before| before.ip().to_string());
        let moved = before.map(|before| before.ip()) != Some(ip);
        let mut told = match moved {
            true => format!("IP changed from '{was}' to '{ip}'"),
            false => "no need to change the addr".to_owned(),
        };
        if port.is_some() {
            told.push_str(&match new_port != old_port {
                true => format!(", port changed from '{old_port}' to '{new_port}'"),
                false => ", no need to change the port".to_owned(),
            });
        }
        told.push_str(" by 'stats socket command'");
        if !moved && new_port == old_port {
            return Ok(Some(told));
        }
        let to = SockAddr::Inet(SocketAddr::new(ip, new_port));
        server.move_to(Destination::At(to));
        self.site().rebalance(server.backend);
        let backend = &self.site().backend(server.backend).name;
        self.announce(
            server.backend,
            format!("{backend}/{}: {told}.", server.name),
        );
        Ok(Some(told))
    }

    fn rename(&self, id: ServerId, name: &str) -> Answer {
        let site = self.site();
        let server = site.server(id);
        let followed = site.watched.iter().any(|watched| watched.server == id);
        let refused = |why: &str| format!("set server <b>/<s> fqdn failed because {why}.");
        let Some(resolver) = site.resolver.get().filter(|_| followed) else {
            return Err(refused("no resolution is configured"));
        };
        let before = server.host.load();
        let before = before.as_deref();
        if before.is_some_and(|host| host.starts_with('_')) {
            return Err(refused("SRV resolution is configured"));
        }
        let place = format!("{}/{}", site.backend(server.backend).name, server.name);
        let text = if before == Some(name) {
            "no need to change the FDQN".to_owned()
        } else if !is_host_name(name) {
            format!("invalid fqdn '{name}'")
        } else if resolver.rename(id, name.into()).is_err() {
            format!("could not update {place} FQDN")
        } else {
            let was = before.unwrap_or("(null)");
            let text = format!("{place} changed its FQDN from {was} to {name}");
            server.host.publish(Some(name.into()));
            text
        };
        Ok(Some(format!("{text} by 'stats socket command'")))
    }

    fn encrypt(&self, id: ServerId, on: bool) -> Answer {
        let server = self.site().server(id);
        if server.added {
            return Err("'set server <srv> ssl' not supported on dynamic servers".to_owned());
        }
        if server.tls.is_none() {
            return Err(
                "'set server <srv> ssl' cannot be set.  default-server should define ssl settings"
                    .to_owned(),
            );
        }
        server.encrypts.store(i8::from(on), Relaxed);
        let closed = Aftermath {
            idle_closed: vec![id],
            ..Aftermath::default()
        };
        self.carry_out(closed);
        Ok(Some("server ssl setting updated.".to_owned()))
    }

    /// Notes what happened to a server, and sees to what follows.
    pub(super) fn happen(&self, id: ServerId, change: &Change<'_>) {
        let aftermath = self.site().change_server(id, change, self.now);
        self.carry_out(aftermath);
    }

    /// Mails what follows to those it concerns. One worker writes all the lines, so that they stay in order.
    pub(super) fn carry_out(&self, aftermath: Aftermath) {
        for (worker, letter) in aftermath.letters(WorkerId::at(0), self.office.workers()) {
            self.office.post(worker, Mail::Letter(letter));
        }
    }

    /// Has a sentence logged where a backend logs.
    fn announce(&self, backend: BackendId, text: String) {
        let notice = Notice {
            backend,
            level: Level::Notice,
            text,
        };
        let aftermath = Aftermath {
            notices: vec![notice],
            ..Aftermath::default()
        };
        self.carry_out(aftermath);
    }
}

/// Whether a server may follow `name`; one that begins with `_` would stand for services.
fn is_host_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= HOST_NAME_MAX && !name.starts_with('_') && name.bytes().all(fits)
}

/// The longest name (RFC 1035 §2.3.4).
const HOST_NAME_MAX: usize = 255;

fn enabled_agent(server: &Server) -> Result<&Agent, String> {
    let agent = server.watch.agent.as_ref();
    agent
        .filter(|agent| agent.enabled.load(Relaxed))
        .ok_or_else(|| NO_AGENT.to_owned())
}

fn checked(server: &Server) -> Result<&Checking, String> {
    let checking = server.checking.as_ref();
    checking
        .filter(|_| server.health.is_checked())
        .ok_or_else(|| NO_CHECK.to_owned())
}

/// Changes where checks go; what is not said stays.
fn aim(target: &Live<Target>, ip: Option<IpAddr>, port: Option<u16>) {
    let port = |before: Option<u16>| match port {
        None => before,
        Some(0) => None,
        Some(port) => Some(port),
    };
    target.update(|before| {
        let after = Target {
            ip: ip.or(before.ip),
            port: port(before.port),
        };
        (after, ())
    });
}
