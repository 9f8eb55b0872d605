//! The first stages: the client's bytes become a request, and the rules decide what becomes of it.

use super::stage::Step;
use super::{Cause, Held, Kit, Phase, Stage, Stream};
use crate::http::Status;
use crate::log::Origin;
use crate::mux::Received;
use crate::proto::h1::Fault;
use crate::site::Captured;
use crate::stick::Event;

impl Stream {
    /// Waits for a complete head.
    pub(super) fn head(&mut self, kit: &mut Kit) -> Step {
        let now = kit.now;
        let Some((held, mut lent)) = kit.conn(self.front) else {
            return Step::Go(Stage::Finish);
        };
        let received = held.conn.receive(&mut self.request, &mut lent);
        if self.txn.idle.is_none() && (self.request.has_head() || !held.conn.pending().is_empty()) {
            self.txn.idle = Some(self.txn.elapsed(now).saturating_sub(self.txn.handshake));
            self.txn.number = kit.next_number();
        }
        if self.request.has_head() {
            return self.note_request(kit);
        }
        match received {
            Received::Broken(fault) => self.refuse_request(kit, fault),
            Received::Closed if self.is_between_requests(kit) || self.is_probe(kit) => {
                kit.close(self.front);
                Step::Done
            }
            Received::Closed => {
                self.last = true;
                let cause = Cause::ClientAborted;
                self.reply(kit, Status::BAD_REQUEST, cause, Phase::Request)
            }
            Received::Progress => Step::Go(Stage::Head),
            Received::Blocked | Received::Full | Received::Starved => Step::Wait,
        }
    }

    /// Whether the client has got an answer before and has not begun to ask again: leaving then is its right.
    fn is_between_requests(&self, kit: &Kit) -> bool {
        let front = kit.conns.get(self.front).and_then(Held::front);
        self.txn.idle.is_none() && front.is_some_and(|front| front.requests > 1)
    }

    /// `option http-ignore-probes`: whether the client only wanted to know that there is a connection to be had.
    fn is_probe(&self, kit: &Kit) -> bool {
        self.txn.idle.is_none() && kit.site.frontend(self.frontend).ignore_probes
    }

    fn note_request(&mut self, kit: &mut Kit) -> Step {
        let Some(head) = self.request.head() else {
            return Step::Wait;
        };
        let line = &mut self.txn.request_line;
        for part in [
            head.method_bytes(),
            b" ",
            head.target(),
            b" ",
            head.version().text().as_bytes(),
        ] {
            line.extend_from_slice(part);
        }
        line.truncate(kit.site.global.tune.log_uri_len);
        self.txn.request = Some(self.txn.elapsed(kit.now));
        self.count_request(kit);
        self.note(kit, Event::Request);
        self.write_step(kit, Origin::TxnAccept);
        self.capture_request(kit);
        self.write_step(kit, Origin::TxnRequest);
        self.deadline = crate::time::Tick::NEVER;
        Step::Go(Stage::Inspect)
    }

    fn refuse_request(&mut self, kit: &mut Kit, fault: Fault) -> Step {
        self.txn.request_line.extend_from_slice(b"<BADREQ>");
        self.last = true;
        self.keep_fault(kit, fault, false);
        self.note(kit, Event::Request);
        self.reply(kit, fault.status(), Cause::Malformed, Phase::Request)
    }

    /// Keeps a malformed message for `show errors`.
    pub(super) fn keep_fault(&self, kit: &Kit, fault: Fault, response: bool) {
        let site = &kit.site;
        let sender = if response {
            self.back
        } else {
            Some(self.front)
        };
        let Some(held) = sender.and_then(|key| kit.conns.get(key)) else {
            return;
        };
        let proxy = match self.backend.filter(|_| response) {
            Some(id) => (site.backend(id).name.to_string(), site.backend(id).uuid),
            None => {
                let frontend = site.frontend(self.frontend);
                (frontend.name.to_string(), frontend.uuid)
            }
        };
        let server = self.server.filter(|_| response);
        let date = kit.wall;
        site.faults.keep(Captured {
            proxy,
            server: server.map(|id| site.server(id).name.to_string()),
            response,
            src: self.peers(kit).src,
            date: (date.secs, date.micros / 1000),
            reason: fault.reason.text(),
            at: fault.at,
            bytes: held.conn.pending().to_vec(),
        });
    }

    /// Whether the exchange may be repeated: the method is idempotent and no body byte has left yet.
    pub(super) fn is_repeatable(&self) -> bool {
        let head = self.request_head.as_deref().or(self.request.head());
        let idempotent = head.is_some_and(|head| head.method().is_idempotent());
        idempotent && self.request.total() == 0
    }

    /// Whether the exchange may be repeated whenever its connection fails before the response: there is no body that could
    /// leave, and no rule forbids it.
    pub(super) fn is_bare(&self) -> bool {
        let empty = self.request.announced().is_empty();
        empty && self.is_repeatable() && !self.wishes.no_l7_retry
    }
}
