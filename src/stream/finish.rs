//! Endings: replies the proxy makes itself, timeouts, the log line, and what becomes of both connections.

use super::front::{Held, Role};
use super::gather::Awaited;
use super::retry::Failure;
use super::scene::put_answer;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::http::Status;
use crate::mux::{End, Received};
use crate::rule;
use crate::time::{Millis, Tick};

/// How long a connection is drained after its last response, so that a reset does not destroy that.
const LINGER: Millis = Millis::new(1000);
/// How many buffers of a body that nobody wants are read before an answer, to keep the connection.
const UNWANTED_MAX: u32 = 4;

impl Stream {
    /// Answers the client in place of a server, with the page of `status`.
    pub(super) fn reply(
        &mut self,
        kit: &mut Kit,
        status: Status,
        cause: Cause,
        phase: Phase,
    ) -> Step {
        self.begin_reply(kit, status, cause, phase);
        if !self.http {
            self.last = true;
            return Step::Go(Stage::Finish);
        }
        let site = kit.site.clone();
        let backend = self.backend.map(|id| &site.backend(id).rules.pages);
        let pages = backend.unwrap_or(&site.frontend(self.frontend).rules.pages);
        let page = pages.page(status.code());
        let made = pages.reply(status.code()).cloned();
        let made = made.and_then(|reply| {
            self.with_scene(kit, true, |scene| reply.answer(scene, rule::Cause::Error))
                .flatten()
        });
        let answer = made.map_or_else(|| page.answer(rule::Cause::Error), |answer| *answer);
        if answer.silent {
            self.last = true;
            return Step::Go(Stage::Finish);
        }
        self.last |= answer.closes;
        put_answer(
            &mut self.response,
            Box::new(answer.head.clone()),
            answer.body.bytes(),
        );
        // Rules see no answer to what never became a request.
        if self.txn.request.is_some() {
            self.decide_after(kit);
        }
        Step::Go(Stage::Relay)
    }

    /// Ends what goes on with servers, before an answer of the proxy's own.
    pub(super) fn begin_reply(
        &mut self,
        kit: &mut Kit,
        status: Status,
        cause: Cause,
        phase: Phase,
    ) {
        self.note_refusal(kit, cause, phase);
        self.txn.end(cause, phase);
        self.deadline = Tick::NEVER;
        self.drop_back(kit);
        self.inner = None;
        self.leave_server(kit);
        self.txn.status = self.http.then_some(status);
        if self.request_head.is_none() {
            self.request_head = self.request.take_head();
        }
        self.response.clear(&mut kit.pool);
        self.end_limits(kit);
        self.pass_over_body(kit);
    }

    /// Takes what has come of a body that nobody wants out of the way. Where the rest is still to come, the client is told that
    /// its connection ends with the answer: it would send its next request behind a body that is not read (RFC 9112, section 9.3).
    fn pass_over_body(&mut self, kit: &mut Kit) {
        if self.last || !self.http {
            return;
        }
        for _ in 0..UNWANTED_MAX {
            while let Some(data) = self.request.take_data() {
                kit.pool.give_back(data);
            }
            if self.request.end() != End::Open {
                return;
            }
            let Some((held, mut lent)) = kit.conn(self.front) else {
                return;
            };
            let received = held.conn.receive(&mut self.request, &mut lent);
            if received != Received::Progress {
                break;
            }
        }
        self.last = self.request.end() == End::Open;
    }

    /// The stage at hand has waited long enough.
    pub(super) fn expire(&mut self, kit: &mut Kit) {
        let awaits_client = self.stage == Stage::Head || self.awaited == Some(Awaited::Request);
        if awaits_client && !self.is_client_late(kit) {
            return;
        }
        if let Some(awaited) = self.awaited {
            if let Step::Go(stage) = self.body_is_late(kit, awaited) {
                self.stage = stage;
            }
            return;
        }
        if matches!(self.stage, Stage::Response | Stage::Relay) {
            if self.inspection_end().has_come(kit.now) {
                self.deadline = Tick::NEVER;
                return;
            }
            self.deadline = self.quiet_deadline(kit);
            if !self.deadline.has_come(kit.now) {
                return;
            }
        }
        let step = match self.stage {
            Stage::Head => self.late(kit, 408, Cause::ClientTimeout, Phase::Request),
            Stage::Queue => {
                self.txn.queue = Some(self.txn.elapsed(kit.now));
                self.late(kit, 503, Cause::ServerTimeout, Phase::Queue)
            }
            Stage::Connect => self.connection_failed(kit),
            // Only where no time is set for the server.
            Stage::Response if self.is_client_silent(kit) => {
                self.drop_back(kit);
                self.silence(kit)
            }
            Stage::Response => match self.resend(kit, Failure::Timeout) {
                Some(step) => step,
                None => self.late(kit, 504, Cause::ServerTimeout, Phase::Headers),
            },
            Stage::Relay => self.silence(kit),
            Stage::Inspect | Stage::Request | Stage::BackendRequest => {
                self.inspected = true;
                self.deadline = Tick::NEVER;
                return;
            }
            Stage::Tarpit | Stage::Takeover | Stage::TurnAround => return,
            Stage::Route | Stage::Pick | Stage::Send | Stage::Finish => {
                self.deadline = Tick::NEVER;
                return;
            }
        };
        if let Step::Go(stage) = step {
            self.stage = stage;
        }
    }

    /// Answers for whom was waited for in vain. A client that was heard in full may go on after a server's silence.
    fn late(&mut self, kit: &mut Kit, status: u16, cause: Cause, phase: Phase) -> Step {
        self.last |= cause == Cause::ClientTimeout;
        self.reply(kit, Status::new(status), cause, phase)
    }

    fn silence(&mut self, kit: &mut Kit) -> Step {
        let cause = if self.is_client_silent(kit) {
            Cause::ClientTimeout
        } else {
            Cause::ServerTimeout
        };
        self.txn.end(cause, Phase::Data);
        self.deadline = Tick::NEVER;
        self.last = true;
        Step::Go(Stage::Finish)
    }

    /// Settles everything and lets the stream go.
    pub(super) fn finish(&mut self, kit: &mut Kit) -> Step {
        self.txn.end(Cause::Normal, Phase::Done);
        self.sum_up(kit);
        self.settle_tracks(kit);
        // haproxy: a line at the end counts the connections that go on (`%bc`, `%sc`), its own not among them.
        self.leave_server(kit);
        self.leave_backend(kit);
        self.write_line(kit);
        self.settle_back(kit);
        if let Some(head) = self.request_head.take() {
            kit.heads.give_back(head);
        }
        self.end_limits(kit);
        self.filters.release(&mut kit.encoders);
        self.settle_front(kit);
        Step::Done
    }

    /// Counts what was carried, and counts the end.
    fn sum_up(&mut self, kit: &mut Kit) {
        if let Some(held) = kit.conns.get(self.front) {
            // What comes after a request is another's; without requests all that came is this stream's.
            let unread = match self.http {
                true => held.conn.pending().len() as u64,
                false => 0,
            };
            let (before_in, before_out) = self.txn.carried;
            self.txn.bytes_up = held
                .conn
                .bytes_in
                .saturating_sub(unread)
                .saturating_sub(before_in);
            self.txn.bytes_down = held.conn.bytes_out.saturating_sub(before_out);
        }
        self.tell_sent(kit);
        self.count_end(kit, self.txn.bytes_up, self.txn.bytes_down);
        self.count_spliced(kit);
    }

    /// Tells the worker what went to the client since it was told last.
    pub(super) fn tell_sent(&mut self, kit: &mut Kit) {
        let Some(held) = kit.conns.get(self.front) else {
            return;
        };
        let sent = held.conn.bytes_out.saturating_sub(self.txn.carried.1);
        kit.sent += sent.saturating_sub(self.txn.told);
        self.txn.told = sent;
    }

    fn settle_back(&mut self, kit: &mut Kit) {
        let Some(key) = self.back.take() else { return };
        let reusable = kit.conns.get(key).is_some_and(|held| {
            // A server that has hung up behind its response would not hear another request.
            let serves = held.conn.is_reusable() && !held.conn.ready.hangup;
            self.http && serves && !held.back().is_some_and(|back| back.is_worn(&kit.site))
        });
        if reusable && kit.leaving.is_none() {
            kit.put_idle(self.front, key)
        } else {
            kit.close(key)
        }
    }

    fn settle_front(&mut self, kit: &mut Kit) {
        let unread = self.request.end() == End::Open;
        let Some(held) = kit.conns.get_mut(self.front) else {
            return;
        };
        let Role::Front(front) = &mut held.role else {
            return;
        };
        front.stream = None;
        front.waiting_since = kit.now;
        let failed = held.conn.shut.failed;
        let keep = !self.last && !failed && self.http && held.conn.is_reusable();
        if keep {
            held.conn.next_exchange();
            return;
        }
        let answered =
            self.http && self.txn.status.is_some() && !failed && held.conn.output.is_empty();
        if answered
            && !self.txn.silent
            && !held.conn.shut.read
            && (unread || held.conn.ready.readable)
        {
            held.conn.shutdown_write();
            front.lingers_until = kit.now + LINGER;
            kit.arm(self.front, kit.now + LINGER);
            return;
        }
        if !self.http {
            kit.hear_out(self.front);
        }
        kit.close(self.front);
    }
}

impl Held {
    /// Whether the connection is only drained before it is closed.
    pub(super) fn lingers(&self) -> bool {
        self.front()
            .is_some_and(|front| front.lingers_until.is_set())
    }
}
