//! Where a request goes: a backend, then a server, then a place in line if the server is full.

use std::net::SocketAddr;

use super::inspect::Upgrade;
use super::stage::Step;
use super::{Cause, Kit, Letter, Phase, Stage, Stream};
use crate::balance::Ask;
use crate::http::{Status, uri};
use crate::id::{BackendId, ServerId};
use crate::mux::End;
use crate::queue::{self, Called, Place, Priority, Ticket, Which};
use crate::site::{Mode, Site};
use crate::stats::Count;
use crate::time::Tick;

/// Where a stream waits for a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    place: Place,
    line: Which,
}

impl Stream {
    /// Chooses the backend.
    pub(super) fn route(&mut self, kit: &mut Kit) -> Step {
        if self.backend.is_some() {
            return Step::Go(Stage::BackendRequest);
        }
        let site = kit.site.clone();
        let Some(backend) = self.choose_backend(kit, &site) else {
            return self.no_server(kit, Cause::ServerFailed, Phase::Connect);
        };
        self.enter_backend(kit, backend);
        if !self.http && site.backend(backend).mode == Mode::Http {
            return self.become_http(kit, Upgrade::Backend);
        }
        Step::Go(Stage::BackendRequest)
    }

    fn enter_backend(&mut self, kit: &mut Kit, backend: BackendId) {
        self.backend = Some(backend);
        kit.site.backend(backend).enter();
        self.held_slots.backend = true;
        self.count_backend(kit);
    }

    /// Chooses the server.
    pub(super) fn pick(&mut self, kit: &mut Kit) -> Step {
        let Some(id) = self.backend else {
            return self.no_server(kit, Cause::ServerFailed, Phase::Connect);
        };
        if self.http && self.request.end() == End::Aborted {
            // The client left while its body was waited for.
            self.last = true;
            let cause = Cause::ClientAborted;
            return self.reply(kit, Status::BAD_REQUEST, cause, Phase::Request);
        }
        let site = kit.site.clone();
        let backend = site.backend(id);
        let lineup = site.lineup(id);
        let forced = self.forced_server(kit, &site, id);
        self.persistence.directed = forced.is_some();
        if let Some(server) = forced {
            return self.ask_for_slot(kit, &site, server, backend.redispatch != 0);
        }
        if let Some(outlet) = backend.outlet {
            if backend.follows_uri && self.txn.retries == 0 && !self.follow_uri() {
                self.last = true;
                return self.reply(kit, Status::BAD_REQUEST, Cause::Malformed, Phase::Request);
            }
            return self.ask_for_slot(kit, &site, outlet, false);
        }
        if let Some(last) = self.last_server(kit, &site, id) {
            return self.ask_for_slot(kit, &site, last, true);
        }
        let key = self.balance_key(kit, backend);
        let avoid = self.failed.and_then(|server| lineup.rank(server));
        let ask = Ask {
            key: key.as_deref(),
            avoid,
        };
        let chosen = backend.policy.pick(&lineup, ask, &mut || kit.chance.next());
        kit.fetch_upcoming(&site, backend);
        match chosen {
            Some(rank) => self.ask_for_slot(kit, &site, backend.servers[rank], false),
            None if backend.policy.electable() == (0, 0) => {
                self.no_server(kit, Cause::ServerFailed, Phase::Connect)
            }
            None => self.join_backend_line(kit, &site, id),
        }
    }

    /// Has the request go to the address that its target names, as that server expects it: without the address. False if it names none.
    fn follow_uri(&mut self) -> bool {
        let Some(head) = self.request.head_mut() else {
            return false;
        };
        let target = head.target();
        let named = uri::scheme(target).and_then(|_| uri::authority(target, false));
        let Some(address) = named.and_then(address_of) else {
            return false;
        };
        let path = uri::path_and_query(target).filter(|path| path.starts_with(b"/"));
        let path = path.unwrap_or(b"/").to_vec();
        head.set_target(&path);
        self.wishes.dst = Some(address);
        true
    }

    /// Takes a slot of `server`, or a place in its line; where that is full, another server may do, or none.
    fn ask_for_slot(
        &mut self,
        kit: &mut Kit,
        site: &Site,
        server: ServerId,
        another_may_do: bool,
    ) -> Step {
        let configured = site.server(server);
        let backend = configured.backend;
        let limit = configured.limit(site.backend(backend).load());
        if configured.line.is_empty() && configured.slots.try_take(limit) {
            self.take_server(kit, site, server);
            self.leave_queue(kit);
            return Step::Go(Stage::Connect);
        }
        let ticket = self.ticket(kit);
        match configured
            .line
            .join(ticket, self.priority(), kit.now, configured.line_max)
        {
            Ok(place) => {
                self.server = Some(server);
                self.wait(
                    kit,
                    Waiting {
                        place,
                        line: Which::Server,
                    },
                );
                kit.call_next(server);
                Step::Go(Stage::Queue)
            }
            Err(_full) if another_may_do => self.join_backend_line(kit, site, backend),
            Err(_full) => self.no_server(kit, Cause::ServerFailed, Phase::Queue),
        }
    }

    fn join_backend_line(&mut self, kit: &mut Kit, site: &Site, id: BackendId) -> Step {
        let backend = site.backend(id);
        let ticket = self.ticket(kit);
        match backend
            .line
            .join(ticket, self.priority(), kit.now, queue::Limit::None)
        {
            Ok(place) => {
                self.wait(
                    kit,
                    Waiting {
                        place,
                        line: Which::Backend,
                    },
                );
                for &server in backend.servers.iter() {
                    kit.call_next(server);
                }
                Step::Go(Stage::Queue)
            }
            Err(_full) => self.no_server(kit, Cause::ServerFailed, Phase::Queue),
        }
    }

    fn wait(&mut self, kit: &Kit, waiting: Waiting) {
        self.waiting = Some(waiting);
        self.deadline = kit.now.after(self.patience(kit).queue());
    }

    /// Where in a line rules have put it.
    fn priority(&self) -> Priority {
        let class = self.wishes.priority_class.unwrap_or(0);
        Priority {
            class: i16::try_from(class).unwrap_or(0),
            offset: self.wishes.priority_offset.unwrap_or(0),
        }
    }

    fn ticket(&self, kit: &Kit) -> Ticket {
        Ticket {
            worker: kit.worker,
            key: self.key.map_or(u64::MAX, |key| key.to_bits()),
        }
    }

    fn take_server(&mut self, kit: &Kit, site: &Site, server: ServerId) {
        self.note_choice(kit, server);
        self.server = Some(server);
        self.held_slots.server = true;
        kit.count_server(server, true);
        if let Some(backend) = self.backend {
            let lineup = site.lineup(backend);
            if let Some(rank) = lineup.rank(server) {
                site.backend(backend).policy.took(&lineup, rank);
            }
        }
    }

    /// Counts what a choice after a failure came to: the same server once more, or another one.
    fn note_choice(&mut self, kit: &Kit, chosen: ServerId) {
        match self.failed {
            None => {}
            Some(failed) if failed == chosen => self.count_back(kit, Count::Retries),
            Some(_) => {
                self.txn.redispatched = true;
                self.count_back(kit, Count::Redispatches);
            }
        }
    }

    fn leave_queue(&mut self, kit: &Kit) {
        self.waiting = None;
        self.deadline = Tick::NEVER;
        self.txn.queue = Some(self.txn.elapsed(kit.now));
    }

    /// A slot of `server` is this stream's: its turn in line has come. False if it does not wait any more.
    pub(super) fn called(
        &mut self,
        kit: &mut Kit,
        server: ServerId,
        line: Which,
        position: u32,
    ) -> bool {
        if self.stage != Stage::Queue || self.waiting.is_none() {
            return false;
        }
        match line {
            Which::Server => self.txn.server_queue = position,
            Which::Backend => self.txn.backend_queue = position,
        }
        let site = kit.site.clone();
        self.take_server(kit, &site, server);
        self.leave_queue(kit);
        self.stage = Stage::Connect;
        true
    }

    /// Sent away from the line: its server is down, another is chosen.
    pub(super) fn dismissed(&mut self) -> bool {
        if self.stage != Stage::Queue || self.waiting.take().is_none() {
            return false;
        }
        self.failed = self.server.take();
        self.deadline = Tick::NEVER;
        self.stage = Stage::Pick;
        true
    }

    /// Waits in line.
    pub(super) fn queue(&mut self, kit: &mut Kit) -> Step {
        if self.is_abandoned(kit) {
            return self.abandon(kit, Phase::Queue);
        }
        Step::Wait
    }

    /// Leaves the line without a slot.
    pub(super) fn leave_line(&mut self, kit: &mut Kit) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        // A ticket that was called in the meantime finds nobody, and its slot goes to the next.
        let _ = match (waiting.line, self.server, self.backend) {
            (Which::Server, Some(server), _) => kit.site.server(server).line.leave(waiting.place),
            (Which::Backend, _, Some(backend)) => {
                kit.site.backend(backend).line.leave(waiting.place)
            }
            (Which::Server, None, _) | (Which::Backend, _, None) => false,
        };
    }

    /// Gives back what the stream holds of its server, and calls who is next.
    pub(super) fn leave_server(&mut self, kit: &mut Kit) {
        self.leave_line(kit);
        if !std::mem::take(&mut self.held_slots.server) {
            return;
        }
        let (Some(backend), Some(server)) = (self.backend, self.server) else {
            return;
        };
        kit.give_slot_back(server);
        let site = &kit.site;
        let lineup = site.lineup(backend);
        if let Some(rank) = lineup.rank(server) {
            site.backend(backend).policy.left(&lineup, rank);
        }
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

/// The port of requests whose target says none.
const HTTP_PORT: u16 = 80;

/// The address that an authority spells out; names are not looked up.
fn address_of(authority: &[u8]) -> Option<SocketAddr> {
    let (host, port) = uri::split_port(authority);
    let host = std::str::from_utf8(host).ok()?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = match port {
        Some(digits) => std::str::from_utf8(digits).ok()?.parse().ok()?,
        None => HTTP_PORT,
    };
    Some(SocketAddr::new(host.parse().ok()?, port))
}

impl Kit {
    /// Gives a slot of `server` back and calls who waits for it.
    pub(super) fn give_slot_back(&mut self, server: ServerId) {
        self.site.server(server).slots.give_back();
        self.call_next(server);
    }

    /// Calls those who wait while `server` has slots.
    pub(super) fn call_next(&mut self, server: ServerId) {
        let site = self.site.clone();
        let configured = site.server(server);
        let backend = site.backend(configured.backend);
        let shared = configured.seat.is_electable().then_some(&backend.line);
        while let Some(called) = queue::call_next(
            &configured.slots,
            configured.limit(backend.load()),
            &configured.line,
            shared,
        ) {
            self.tell(called, server);
        }
    }

    fn tell(&mut self, called: Called, server: ServerId) {
        let Called {
            ticket,
            line,
            position,
        } = called;
        let letter = Letter::Slot {
            stream: ticket.key,
            server,
            line,
            position,
        };
        if ticket.worker == self.worker {
            self.letters.push_back(letter);
        } else {
            self.doors.post(ticket.worker, letter);
        }
    }
}
