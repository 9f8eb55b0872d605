//! A desk of the tests with one section, its clock, and its news in words.

use std::sync::Arc;

use super::super::change::Change;
use super::super::draft::Draft;
use super::super::resolution::Verdict;
use super::super::roster::Watched;
use super::super::round::Round;
use super::super::section::{Nameserver, Section, Timing};
use super::super::wishes::Wishes;
use super::super::{News, Ticket};
use super::Desk;
use crate::dns::exchange::Transport;
use crate::dns::hosts::Family;
use crate::dns::message::{Data, Kind, Service};
use crate::id::{BackendId, ServerId};
use crate::lang::Span;
use crate::time::Tick;

/// A desk with one section, its clock and the news in words.
pub(super) struct Rig {
    pub(super) desk: Desk,
    pub(super) now: Tick,
}

impl Rig {
    pub(super) fn new(host: &str, servers: usize) -> Self {
        Self::of(host, servers, Family::Any)
    }

    /// With a server, where addresses of one family alone are wanted.
    pub(super) fn wanting(host: &str, family: Family) -> Self {
        Self::of(host, 1, family)
    }

    fn of(host: &str, servers: usize, family: Family) -> Self {
        let nameserver = Nameserver {
            name: "n".into(),
            address: ([127, 0, 0, 1], 53).into(),
            transport: Transport::Udp,
            span: Span::default(),
        };
        let timing = Timing {
            retries: 0,
            ..Timing::default()
        };
        let draft = Draft {
            nameservers: vec![nameserver],
            timing,
            ..Draft::default()
        };
        let section = Section {
            family,
            ..Section::new("s".into(), &draft, &crate::dns::Root::at("/nonexistent"))
        };
        let watched = |at| Watched {
            server: ServerId::at(at),
            backend: BackendId::at(0),
            section: 0,
            host: Some(host.into()),
            wishes: Wishes::default(),
            ip: None,
        };
        let now = Tick::from_millis(0);
        Self {
            desk: Desk::new(
                vec![Arc::new(section)],
                (0..servers).map(watched).collect(),
                now,
            ),
            now,
        }
    }

    pub(super) fn ask(&mut self, ms: u64) -> Vec<(String, Kind)> {
        self.now = Tick::from_millis(ms);
        let due = self.desk.start_due(self.now, 10);
        due.into_iter()
            .map(|asking| (asking.name.to_string(), asking.kind))
            .collect()
    }

    pub(super) fn say(&mut self, id: usize, verdict: Verdict) -> Option<Kind> {
        self.desk
            .finish(
                id,
                Round {
                    verdict,
                    by: Some(0),
                },
                self.now,
            )
            .map(|asking| asking.kind)
    }

    pub(super) fn question(&mut self, name: &str, key: u64) {
        self.desk
            .ask(0, name, false, Ticket { worker: 0, key }, self.now);
    }

    pub(super) fn news(&mut self) -> Vec<String> {
        let word = |news: News| match news {
            News::Server {
                change: Change::Moved { server, ip, port },
                by,
                ..
            } => {
                format!(
                    "moved {} {ip}{} by {by}",
                    server.index(),
                    port.map(|port| format!(":{port}")).unwrap_or_default()
                )
            }
            News::Server {
                change: Change::Weight { server, weight },
                ..
            } => format!("weight {} {weight}", server.index()),
            News::Server {
                change: Change::Up { server },
                ..
            } => format!("up {}", server.index()),
            News::Server {
                change: Change::Down { server, cause },
                ..
            } => format!("down {} {cause:?}", server.index()),
            News::Answer { ticket, answer } => format!(
                "answer {} {}",
                ticket.key,
                answer.map_or("none".into(), |all| all[0].to_string())
            ),
        };
        self.desk.take_news().into_iter().map(word).collect()
    }
}

pub(super) fn nx() -> Verdict {
    Verdict::Nx
}

pub(super) fn valid(last: &[u8]) -> Verdict {
    Verdict::Valid(
        last.iter()
            .map(|last| Data::Address([10, 0, 0, *last].into()))
            .collect(),
    )
}

pub(super) fn service(target: &str, port: u16) -> Verdict {
    let service = Service {
        priority: 0,
        weight: 5,
        port,
        target: target.into(),
        addresses: vec![],
    };
    Verdict::Valid(vec![Data::Service(service)])
}
