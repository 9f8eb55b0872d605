//! `option external-check`: a program of the operator's is asked how a server is.
//!
//! It is started when a check is due, with the addresses as arguments and HAProxy's variables as environment, and looked at
//! by the check's timer until it has ended or its time is over. Its exit status is the answer. Always true: a program that
//! nobody waits for any more is killed and taken off the list of children.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::Asked;
use crate::addr::SockAddr;
use crate::check::{Program, Report, Status};
use crate::queue::Limit;
use crate::site::{Destination, Environment, Mode, Server, Site};
use crate::stream::Timer;
use crate::stream::engine::Engine;
use crate::sys::errno;
use crate::time::Millis;

/// Between two looks at a program.
const LOOK: Millis = Millis::new(5);

/// A program that was started.
#[derive(Debug)]
pub(super) struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Neither does anything to one that has ended and was seen to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Engine {
    /// Starts the program of a check; false where the check is a conversation.
    pub(super) fn start_program(&mut self, asked: Asked) -> bool {
        let site = self.kit.site.clone();
        let server = site.server(asked.server());
        let checking = server.checking.as_ref();
        let is_service = matches!(asked, Asked::Service(_));
        let Some(checking) = checking.filter(|_| is_service) else {
            return false;
        };
        let Some(program) = &checking.script.program else {
            return false;
        };
        let now = self.kit.now;
        let started = start(&site, server, program);
        let Some(probe) = self.probe_of(asked) else {
            return true;
        };
        match started {
            Ok(child) => {
                if let Some(timeout) = checking.timeout {
                    probe.deadline = probe.deadline.min(now + timeout);
                }
                probe.program = Some(Started(child));
                self.kit.wheel.insert(now + LOOK, Timer::Check(asked));
            }
            Err(error) => self.conclude(asked, not_started(&error)),
        }
        true
    }

    /// Looks whether the program of a check has ended; false where there is none.
    pub(super) fn look_at_program(&mut self, asked: Asked) -> bool {
        let now = self.kit.now;
        let Some(probe) = self.probe_of(asked) else {
            return false;
        };
        let deadline = probe.deadline;
        let Some(Started(child)) = &mut probe.program else {
            return false;
        };
        match child.try_wait() {
            Ok(None) if deadline.has_come(now) => {
                self.conclude(asked, Report::of(Status::ProgramTimeout));
            }
            Ok(None) => {
                let next = deadline.min(now + LOOK);
                self.kit.wheel.insert(next, Timer::Check(asked));
            }
            Ok(Some(status)) => self.conclude(asked, judge(status)),
            Err(error) => {
                let text = errno::words(&error).to_string();
                self.conclude(asked, Report::with(Status::ProgramError, 1, text));
            }
        }
        true
    }
}

/// What it says that a program does not run: for want of processes or descriptors, nothing of the server.
fn not_started(error: &io::Error) -> Report {
    let text = format!("cannot be started: {}", errno::words(error));
    if errno::is_shortage(error) || error.kind() == io::ErrorKind::WouldBlock {
        return Report::with(Status::SocketError, 0, text);
    }
    Report::with(Status::ProgramError, 1, text)
}

/// What an exit says.
fn judge(status: ExitStatus) -> Report {
    let number = status.code().or(status.signal()).unwrap_or(1);
    let code = u16::try_from(number).unwrap_or(u16::MAX);
    let outcome = match status.success() {
        true => Status::ProgramOk,
        false => Status::ProgramError,
    };
    Report::with(outcome, code, "")
}

fn start(site: &Site, server: &Server, program: &Program) -> io::Result<Child> {
    let backend = site.backend(server.backend);
    let own = backend.twin.and_then(|front| {
        let listeners = &site.frontend(front).listeners;
        listeners.first().map(|id| &site.listener(*id).endpoint)
    });
    let (proxy_address, proxy_port) = own.map_or_else(Default::default, shown);
    let at = match &*server.destination.load() {
        Destination::At(at) => server.address().or_else(|| Some(at.clone())),
        Destination::Unresolved => None,
    };
    let (address, port) = at.as_ref().map_or_else(Default::default, shown);
    let limit = match server.limit(backend.load()) {
        Limit::None => 0,
        Limit::At(limit) => limit,
    };
    let or_none = |text: &str| match text.is_empty() {
        true => "NOT_USED".to_owned(),
        false => text.to_owned(),
    };
    let mut command = Command::new(std::ffi::OsStr::from_bytes(&program.command));
    if site.global.external_check != Some(Environment::Kept) {
        command.env_clear();
    }
    if let Some(path) = &program.path {
        command.env("PATH", std::ffi::OsStr::from_bytes(path));
    }
    let protocol = match backend.mode {
        Mode::Http => "h1",
        Mode::Tcp => "tcp",
        Mode::Log => "syslog",
    };
    command
        .args([or_none(&proxy_address), or_none(&proxy_port)])
        .args([or_none(&address), or_none(&port)])
        .env("HAPROXY_PROXY_NAME", &*backend.name)
        .env("HAPROXY_PROXY_ID", backend.uuid.to_string())
        .env("HAPROXY_PROXY_ADDR", proxy_address)
        .env("HAPROXY_PROXY_PORT", proxy_port)
        .env("HAPROXY_SERVER_NAME", &*server.name)
        .env("HAPROXY_SERVER_ID", server.uuid.to_string())
        .env("HAPROXY_SERVER_ADDR", address)
        .env("HAPROXY_SERVER_PORT", port)
        .env("HAPROXY_SERVER_MAXCONN", limit.to_string())
        .env("HAPROXY_SERVER_CURCONN", server.slots.in_use().to_string())
        .env(
            "HAPROXY_SERVER_SSL",
            u8::from(server.speaks_tls()).to_string(),
        )
        .env("HAPROXY_SERVER_PROTO", protocol)
        .stdin(Stdio::null());
    command.spawn()
}

/// An address and its port, as a program reads them.
fn shown(address: &SockAddr) -> (String, String) {
    match address {
        SockAddr::Inet(at) => (at.ip().to_string(), at.port().to_string()),
        SockAddr::Unix(_) | SockAddr::Abstract(_) => (address.to_string(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_is_the_answer() {
        let report = |raw| {
            let report = judge(ExitStatus::from_raw(raw));
            (report.status, report.code)
        };
        assert_eq!(report(0), (Status::ProgramOk, 0));
        assert_eq!(report(3 << 8), (Status::ProgramError, 3));
        assert_eq!(report(9), (Status::ProgramError, 9));
    }

    #[test]
    fn a_program_that_is_missing_is_not_one_that_there_is_no_room_for() {
        let status = |number| not_started(&io::Error::from_raw_os_error(number)).status;
        let (missing, out_of_processes, out_of_descriptors) = (2, 11, 24);
        assert_eq!(status(missing), Status::ProgramError);
        assert_eq!(status(out_of_processes), Status::SocketError);
        assert_eq!(status(out_of_descriptors), Status::SocketError);
    }
}
