//! Data both ways: the request's body up, the response's head and body down.

use super::retry::Failure;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream, Timer};
use crate::http::Status;
use crate::log::Origin;
use crate::mux::{Body, Close, Conn, Eager, End, Lane, Lent, Received, Said, Spliced};
use crate::site::HttpConnections;
use crate::time::{Millis, Tick};

/// Buffers that one direction moves in one step before others get their turn.
const MOVES_MAX: u32 = 8;
/// When an inner endpoint that waits for somebody else is asked again.
const LATER: Millis = Millis::new(5);

/// What became of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Nothing more moves for the moment.
    Still,
    /// The budget is used up, there is more.
    More,
    /// The message has passed completely.
    Passed,
    /// The sender left or failed.
    SourceGone,
    /// The sender sent nonsense.
    SourceBroken,
    /// The receiver failed.
    SinkGone,
}

impl Stream {
    /// Sends the request's body and waits for the response's head.
    pub(super) fn await_response(&mut self, kit: &mut Kit) -> Step {
        if self.awaited.is_some() {
            return self.take_response(kit);
        }
        if self.is_abandoned(kit) {
            return self.abandon(kit, Phase::Headers);
        }
        let up = self.pump_up(kit);
        if let Flow::SourceGone | Flow::SourceBroken = up {
            return self.client_failed(kit, up, Phase::Data);
        }
        if self.inner.is_none() && self.back.and_then(|key| kit.conns.get(key)).is_none() {
            // A connection that failed on the way here may have failed because it had been idle.
            return self.server_closed_early(kit);
        }
        match self.source_down(kit, Eager::Never) {
            _ if self.response.has_head() => self.take_response(kit),
            Received::Progress => Step::Go(Stage::Response),
            Received::Blocked | Received::Full | Received::Starved => {
                if up == Flow::More {
                    return Step::Yield;
                }
                self.listen(kit);
                self.deadline = self.quiet_deadline(kit);
                Step::Wait
            }
            Received::Closed => self.server_closed_early(kit),
            Received::Broken(fault) => {
                self.keep_fault(kit, fault, true);
                if let Some(step) = self.resend(kit, Failure::Junk) {
                    return step;
                }
                self.drop_back(kit);
                self.reply(kit, Status::BAD_GATEWAY, Cause::Malformed, Phase::Headers)
            }
        }
    }

    /// The server left before it answered: on a connection that had served before this may be chance, not failure.
    fn server_closed_early(&mut self, kit: &mut Kit) -> Step {
        if self.attempt.reused && self.is_repeatable() && self.txn.retries == 0 {
            self.txn.retries += 1;
            self.drop_back(kit);
            // What the lane knows of the end belongs to the connection that is gone.
            self.response.clear(&mut kit.pool);
            self.deadline = Tick::NEVER;
            self.txn.connect = None;
            return Step::Go(Stage::Connect);
        }
        let back = self.back.and_then(|key| kit.conns.get(key));
        let failure = match back {
            Some(held) if held.conn.bytes_in > self.attempt.heard => Failure::Junk,
            Some(_) | None => Failure::Empty,
        };
        if let Some(step) = self.resend(kit, failure) {
            return step;
        }
        self.server_failed(kit, Phase::Headers)
    }

    fn take_response(&mut self, kit: &mut Kit) -> Step {
        let Some(head) = self.response.head() else {
            return Step::Go(Stage::Response);
        };
        let status = head.status();
        if status.is_interim() && status != Status::SWITCHING_PROTOCOLS {
            return self.pass_interim(kit);
        }
        if self.back.is_some()
            && let Some(step) = self.resend(kit, Failure::Status(status.code()))
        {
            return step;
        }
        if self.txn.data.is_none() {
            self.txn.status = Some(status);
            self.txn.data = Some(self.txn.elapsed(kit.now));
            self.note_status(kit, status.code());
            self.store_server(kit);
            self.claim_connection(kit);
            self.capture_response(kit);
        }
        if self.shows_page() {
            // haproxy: `http-response` rules pass the statistics page by, `http-after-response` does not; so here.
            self.decide_after(kit);
        } else if let Some(step) = self.decide_response(kit) {
            return step;
        }
        // A rule may have set another status, which is then the one that is told.
        self.txn.status = self.response.head().map(|head| head.status());
        self.filter_response(kit);
        self.write_line_early(kit, Origin::TxnResponse);
        if self.response.announced() == Body::Tunnel {
            self.tunnel = true;
            self.request.reopen();
            if let Some((back, _lent)) = self.back.and_then(|back| kit.conn(back)) {
                back.conn.open_tunnel();
            }
        }
        Step::Go(Stage::Relay)
    }

    fn pass_interim(&mut self, kit: &mut Kit) -> Step {
        let Some(head) = self.response.take_head() else {
            return Step::Go(Stage::Response);
        };
        if let Some((front, mut lent)) = kit.conn(self.front) {
            front.conn.send_interim(&head, &mut lent);
        }
        kit.heads.give_back(head);
        Step::Go(Stage::Response)
    }

    /// Moves data until both directions have passed or cannot go on.
    pub(super) fn relay(&mut self, kit: &mut Kit) -> Step {
        let up = if self.back.is_some() || self.inner.is_some() {
            self.pump_up(kit)
        } else {
            Flow::Passed
        };
        let down = self.pump_down(kit);
        self.return_pipes(kit);
        let up = match up {
            Flow::Still if self.back.is_none() && self.inner.is_none() => Flow::Passed,
            Flow::Still
                if self.inner.is_some() && self.request.room() && self.is_front_readable(kit) =>
            {
                Flow::More
            }
            Flow::Still
            | Flow::More
            | Flow::Passed
            | Flow::SourceGone
            | Flow::SourceBroken
            | Flow::SinkGone => up,
        };
        if self.http && !self.tunnel && down == Flow::Passed {
            return self.hear_rest(kit, up);
        }
        match (up, down) {
            (_, Flow::SinkGone) | (Flow::SourceGone | Flow::SourceBroken, _) => {
                self.client_failed(kit, up, Phase::Data)
            }
            (_, Flow::SourceGone | Flow::SourceBroken) => self.server_failed(kit, Phase::Data),
            (Flow::Passed | Flow::SinkGone, Flow::Passed) => Step::Go(Stage::Finish),
            (Flow::SinkGone, _) if !self.http => self.server_failed(kit, Phase::Data),
            (Flow::More, _) | (_, Flow::More) => Step::Yield,
            (Flow::Still | Flow::Passed | Flow::SinkGone, Flow::Still | Flow::Passed) => {
                let awaits = self.http && !self.tunnel && self.back.is_some();
                if awaits && self.is_abandoned(kit) {
                    return self.client_failed(kit, up, Phase::Data);
                }
                self.listen(kit);
                self.deadline = self.quiet_deadline(kit);
                Step::Wait
            }
        }
    }

    /// The response has passed. A server that answered early still reads the request: the rest of it goes there, and the next
    /// request comes behind it.
    fn hear_rest(&mut self, kit: &mut Kit, up: Flow) -> Step {
        let heard = self.request.end() == End::Complete && self.request.is_drained();
        if heard || self.last || self.back.is_none() {
            return Step::Go(Stage::Finish);
        }
        match up {
            Flow::Passed => Step::Go(Stage::Finish),
            Flow::SourceGone | Flow::SourceBroken => self.client_failed(kit, up, Phase::Data),
            Flow::SinkGone => self.server_failed(kit, Phase::Data),
            Flow::More => Step::Yield,
            Flow::Still => {
                self.listen(kit);
                self.deadline = self.quiet_deadline(kit);
                Step::Wait
            }
        }
    }

    fn is_front_readable(&self, kit: &Kit) -> bool {
        let front = kit.conns.get(self.front).map(|held| &held.conn);
        front.is_some_and(|conn| conn.ready.readable && !conn.shut.read)
    }

    fn pump_up(&mut self, kit: &mut Kit) -> Flow {
        if self.is_request_sent(kit) {
            return Flow::Passed;
        }
        for _ in 0..MOVES_MAX {
            let eager = self.eager_up(kit);
            let Some((front, mut lent)) = kit.conn(self.front) else {
                return Flow::SourceGone;
            };
            let received = source(&mut front.conn, &mut self.request, eager, &mut lent);
            let sink = self.sink_up(kit);
            match (received, sink) {
                (_, Flow::SinkGone) => return Flow::SinkGone,
                // An aborted lane runs dry too: that is no message that passed.
                (Received::Closed, _) => return Flow::SourceGone,
                (_, Flow::Passed) => return Flow::Passed,
                (Received::Broken(_), _) => return Flow::SourceBroken,
                (Received::Progress, _) | (_, Flow::More) => {}
                (Received::Full | Received::Blocked | Received::Starved, _) => return Flow::Still,
            }
        }
        Flow::More
    }

    /// Whether a request without an end of its own to tell has passed: the common case, asked again with each event.
    #[inline]
    fn is_request_sent(&self, kit: &Kit) -> bool {
        self.http
            && !self.tunnel
            && self.request.end() == End::Complete
            && self.request.is_drained()
            && self
                .back
                .and_then(|back| kit.conns.get(back))
                .is_some_and(|back| back.conn.output.is_empty() && !back.conn.shut.failed)
    }

    /// Hands what the request lane holds to the server or the inner endpoint.
    fn sink_up(&mut self, kit: &mut Kit) -> Flow {
        if self.inner.is_some() {
            return Flow::Still;
        }
        self.filter_upload(kit);
        self.limit_up(kit);
        let drops = self
            .backend
            .is_some_and(|id| kit.site.backend(id).options.drop_trailers);
        let Some((back, mut lent)) = self.back.and_then(|back| kit.conn(back)) else {
            return Flow::SinkGone;
        };
        if drops && let Some(trailers) = self.request.take_trailers() {
            lent.heads.give_back(trailers);
        }
        sink(&mut back.conn, &mut self.request, &mut lent)
    }

    fn pump_down(&mut self, kit: &mut Kit) -> Flow {
        for _ in 0..MOVES_MAX {
            let eager = self.eager_down(kit);
            let received = self.source_down(kit, eager);
            if !self.let_down(kit) {
                let closed = received == Received::Closed && self.response.queued() == 0;
                return if self.refused_down || closed {
                    Flow::SourceGone
                } else {
                    Flow::Still
                };
            }
            self.fill_cache(kit);
            self.limit_down(kit);
            self.filter_body(kit);
            self.limit_packed(kit);
            match (received, self.sink_down(kit)) {
                (_, Flow::SinkGone) => return Flow::SinkGone,
                (_, Flow::Passed) if self.outgoing().end() == End::Aborted => {
                    return Flow::SourceGone;
                }
                (_, Flow::Passed) => return Flow::Passed,
                (Received::Broken(_), _) => return Flow::SourceBroken,
                (Received::Progress, _) | (_, Flow::More) => {}
                (Received::Closed, Flow::Still) if self.outgoing().queued() == 0 => {
                    return Flow::SourceGone;
                }
                (Received::Full | Received::Blocked | Received::Starved | Received::Closed, _) => {
                    return Flow::Still;
                }
            }
        }
        Flow::More
    }

    /// Hands what the response's lane holds, filtered or not, to the client.
    fn sink_down(&mut self, kit: &mut Kit) -> Flow {
        let unfinished = self.request.end() == End::Open;
        let key = self.front;
        let mut last = self.last;
        let dismisses = kit.dismisses();
        let options = &kit.site.frontend(self.frontend).options;
        let closes = options.http_connections == HttpConnections::Close;
        let drops = options.drop_trailers;
        let Some((front, mut lent)) = kit.conn(key) else {
            return Flow::SinkGone;
        };
        let lane = self.outgoing();
        if let Some(mut head) = lane.take_head() {
            last |= unfinished && front.conn.expects_continue();
            if last {
                front.conn.close_after(Close::Abandoned);
            }
            if closes {
                front.conn.close_after(Close::Configured);
            }
            Self::end_front(dismisses, &mut front.conn);
            front
                .conn
                .send_response(&mut head, lane.announced(), &mut lent);
            lent.heads.give_back(head);
        }
        if drops && let Some(trailers) = lane.take_trailers() {
            lent.heads.give_back(trailers);
        }
        let flow = sink(&mut front.conn, lane, &mut lent);
        self.last = last;
        flow
    }

    /// Lets the server or the inner endpoint put into the response lane.
    pub(super) fn source_down(&mut self, kit: &mut Kit, eager: Eager) -> Received {
        if let Some(inner) = &mut self.inner {
            let mut lent = kit.lent();
            return match inner.step(&mut self.request, &mut self.response, &mut lent) {
                Said::More if self.response.room() => Received::Progress,
                Said::More => Received::Full,
                Said::Listening => Received::Blocked,
                Said::Later => {
                    kit.wheel.insert(kit.now + LATER, Timer::Conn(self.front));
                    Received::Blocked
                }
                Said::Done => {
                    self.inner = None;
                    Received::Full
                }
                Said::Surrender => {
                    self.inner = None;
                    kit.surrender(self.front);
                    Received::Closed
                }
            };
        }
        match self.back.and_then(|back| kit.conn(back)) {
            Some((back, mut lent)) => source(&mut back.conn, &mut self.response, eager, &mut lent),
            None => Received::Full,
        }
    }

    /// The client left or sent nonsense while data went.
    fn client_failed(&mut self, kit: &mut Kit, flow: Flow, phase: Phase) -> Step {
        self.last = true;
        let answered = self.txn.status.is_some();
        if flow == Flow::SourceBroken && !answered {
            return self.reply(kit, Status::BAD_REQUEST, Cause::Refused, phase);
        }
        self.txn.end(Cause::ClientAborted, phase);
        Step::Go(Stage::Finish)
    }

    /// The server left or sent nonsense.
    pub(super) fn server_failed(&mut self, kit: &mut Kit, phase: Phase) -> Step {
        self.drop_back(kit);
        self.last = true;
        if self.http && self.txn.status.is_none() {
            return self.reply(kit, Status::BAD_GATEWAY, Cause::ServerFailed, phase);
        }
        self.txn.end(Cause::ServerFailed, phase);
        Step::Go(Stage::Finish)
    }

    /// When the side that is waited for has been silent too long.
    pub(super) fn quiet_deadline(&self, kit: &Kit) -> Tick {
        let (client, server) = self.quiet_timeouts(kit);
        let front = self.front_active(kit);
        let back = self
            .back
            .and_then(|back| kit.conns.get(back))
            .map_or(front, |held| {
                held.conn.last_active.max(self.filters.held_until)
            });
        if self.tunnel || !self.http {
            let latest = front.max(back);
            let (asks, answers) = self.silent_since(kit, (latest, latest));
            let quiet = asks.after(client).min(answers.after(server));
            return quiet.min(self.inspection_end());
        }
        let (_, answers) = self.silent_since(kit, (front, back.max(front)));
        let client = if self.waits_for_client(kit) {
            self.client_since(kit).after(client)
        } else {
            Tick::NEVER
        };
        let server = if self.waits_for_server() {
            answers.after(server)
        } else {
            Tick::NEVER
        };
        client.min(server)
    }

    /// Since when the client is waited for.
    fn client_since(&self, kit: &Kit) -> Tick {
        let front = self.front_active(kit);
        if self.request.end() == End::Open {
            self.silent_since(kit, (front, front)).0
        } else {
            front
        }
    }

    /// When the client was last heard or written to, or was not because of a limit.
    fn front_active(&self, kit: &Kit) -> Tick {
        let front = kit.conns.get(self.front);
        front.map_or(Tick::NEVER, |held| {
            held.conn.last_active.max(self.filters.held_until)
        })
    }

    fn waits_for_client(&self, kit: &Kit) -> bool {
        let unsent = kit
            .conns
            .get(self.front)
            .is_some_and(|held| !held.conn.output.is_empty());
        if self.tunnel || !self.http {
            return unsent || self.request.end() == End::Open;
        }
        // haproxy: a client that stalls in its upload uses up the server's time, its own begins with the end of the response or
        // where the server has no limit; so here.
        let alone = !self.waits_for_server() || self.patience(kit).server().is_none();
        unsent || alone && self.request.end() == End::Open
    }

    fn waits_for_server(&self) -> bool {
        self.back.is_some() && self.response.end() == End::Open
    }

    /// The silence allowed to the client and to the server.
    fn quiet_timeouts(&self, kit: &Kit) -> (Option<Millis>, Option<Millis>) {
        let patience = self.patience(kit);
        let Some(backend) = self.backend else {
            return (patience.client(), None);
        };
        let is_tunnel = self.tunnel || !self.http;
        let front = &kit.site.frontend(self.frontend).timeouts;
        let back = &kit.site.backend(backend).timeouts;
        let (asks, answers) = (
            self.request.end() == End::Open,
            self.response.end() == End::Open,
        );
        match (asks, answers) {
            _ if !is_tunnel => (patience.client(), patience.server()),
            (true, true) => (
                patience.tunnel().or(patience.client()),
                patience.tunnel().or(patience.server()),
            ),
            // Who has said that nothing more comes is not waited for.
            (false, true) => (None, back.server_fin.or(patience.server())),
            (true, false) => (front.client_fin.or(patience.client()), None),
            (false, false) => (patience.client(), patience.server()),
        }
    }

    /// Whether the silence at this moment is the client's.
    pub(super) fn is_client_silent(&self, kit: &Kit) -> bool {
        let (client, _) = self.quiet_timeouts(kit);
        self.waits_for_client(kit) && self.client_since(kit).after(client).has_come(kit.now)
    }
}

/// Lets `conn` put into `lane` what comes.
fn source(conn: &mut Conn, lane: &mut Lane, eager: Eager, lent: &mut Lent<'_>) -> Received {
    match conn.receive_spliced(lane, eager, lent) {
        Spliced::No => conn.receive(lane, lent),
        Spliced::Moved(_) => Received::Progress,
        Spliced::Else(received) => received,
    }
}

/// Lets `conn` send what `lane` holds.
fn sink(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Flow {
    let before = lane.queued();
    loop {
        let (waiting, had_room) = (lane.queued(), conn.has_room());
        conn.send(lane, lent);
        // What waited in the connection may have left in one write, without a would-block: then no event will say that
        // there is room for the rest of the lane.
        let refused = had_room && lane.queued() == waiting;
        if refused || lane.queued() == 0 || !conn.has_room() || conn.shut.failed {
            break;
        }
    }
    if conn.shut.failed {
        return Flow::SinkGone;
    }
    if lane.is_drained() && conn.output.is_empty() {
        if lane.end() == End::Complete {
            conn.finish_message();
        }
        return Flow::Passed;
    }
    if lane.queued() < before {
        Flow::More
    } else {
        Flow::Still
    }
}
