//! Second attempts, and clients that do not wait for them.
//!
//! A connection that failed is tried again, after a moment where it would go to the same server; which failures count, and
//! whether another server is taken, is the backend's to say (`retries`, `retry-on`, `option redispatch`). A request that was sent is
//! sent again only where all of it was kept: its head, and a body that was here completely and fits into one buffer.
//!
//! A client that leaves is noticed at every wait: when it does so in the middle of its request, and where `option abortonclose`
//! says so whenever it closes its side or its connection fails. Without that option a request that was sent is served.

use super::observe::Sight;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::buf::Buf;
use crate::http::Status;
use crate::mux::{End, Received};
use crate::site::{Backend, RetryOn};
use crate::stats::Count;
use crate::time::{Millis, Tick};

/// How long a server that refused is left alone, unless `timeout connect` is shorter.
const TURN_AROUND: Millis = Millis::new(1000);

/// What went wrong with a request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server closed without a word.
    Empty,
    /// It said something that is no response.
    Junk,
    /// It said nothing in time.
    Timeout,
    /// It answered with this status.
    Status(u16),
}

impl Failure {
    fn is_listed(self, on: &RetryOn) -> bool {
        match self {
            Failure::Empty => on.empty_response,
            Failure::Junk => on.junk_response,
            Failure::Timeout => on.response_timeout,
            Failure::Status(code) => on.statuses.contains(&code),
        }
    }
}

impl Stream {
    /// Tells what it saw of its server.
    pub(super) fn observe(&self, kit: &mut Kit, sight: Sight) {
        if let Some(server) = self.server {
            kit.observe(server, sight);
        }
    }

    /// How many more attempts there may be.
    fn retries(&self, backend: &Backend) -> u32 {
        self.wishes.retries.unwrap_or(backend.retries)
    }

    /// A connection attempt failed or took too long: another, to another server at the end, or the end.
    pub(super) fn connection_failed(&mut self, kit: &mut Kit) -> Step {
        let timed_out = self.deadline.has_come(kit.now);
        self.observe(kit, Sight::Unreachable);
        self.remember_upstream(kit);
        self.drop_back(kit);
        self.deadline = Tick::NEVER;
        let site = kit.site.clone();
        let backend = self.backend.map(|id| site.backend(id));
        let may = |backend: &&Backend| {
            backend.retry_on.connect && self.txn.retries < self.retries(backend)
        };
        let Some(backend) = backend.filter(may) else {
            let cause = if timed_out {
                Cause::ServerTimeout
            } else {
                Cause::ServerFailed
            };
            return self.no_server(kit, cause, Phase::Connect);
        };
        let next = self.try_again(kit, backend);
        if timed_out || next == Step::Go(Stage::Pick) {
            return next;
        }
        let connect = backend.timeouts.connect.unwrap_or(TURN_AROUND);
        self.deadline = kit.now + connect.min(TURN_AROUND);
        Step::Go(Stage::TurnAround)
    }

    /// Counts another attempt, and says where it begins.
    fn try_again(&mut self, kit: &mut Kit, backend: &Backend) -> Step {
        self.txn.retries += 1;
        let due = is_redispatch(backend.redispatch, self.txn.retries, self.retries(backend));
        if due || self.may_go_elsewhere(backend) {
            self.failed = self.server;
            self.leave_server(kit);
            return Step::Go(Stage::Pick);
        }
        self.count_back(kit, Count::Retries);
        Step::Go(Stage::Connect)
    }

    /// Whether another server is as good at once: requests go to servers in turn, and nothing asked for this one.
    fn may_go_elsewhere(&self, backend: &Backend) -> bool {
        backend.redispatch != 0
            && !self.persistence.directed
            && backend.policy.electable().0 > 1
            && backend.policy.takes_turns()
    }

    /// Waits until the server may be tried again.
    pub(super) fn turn_around(&mut self, kit: &mut Kit) -> Step {
        if self.is_abandoned(kit) {
            return self.abandon(kit, Phase::Connect);
        }
        if !self.deadline.has_come(kit.now) {
            return Step::Wait;
        }
        self.deadline = Tick::NEVER;
        Step::Go(Stage::Connect)
    }

    /// Keeps the request's body for another attempt, where the backend wants one after a request was sent.
    pub(super) fn keep_body(&mut self, kit: &mut Kit) {
        let wanted = self
            .backend
            .is_some_and(|id| kit.site.backend(id).retry_on.after_send());
        let whole = self.request.end() == End::Complete
            && self.request.total() == self.request.queued() as u64
            && !self.request.has_trailers();
        // It is kept as it is sent.
        self.filter_upload(kit);
        self.kept = None;
        if wanted
            && whole
            && !self.wishes.no_l7_retry
            && self.request.queued() <= kit.site.global.tune.body_limit()
        {
            self.kept = Some(self.request.data().collect::<Vec<_>>().concat());
        }
    }

    /// Sends the request once more after `failure`, if it may be and can be; the step that begins it.
    pub(super) fn resend(&mut self, kit: &mut Kit, failure: Failure) -> Option<Step> {
        self.observe(kit, Sight::Answer(failure));
        let site = kit.site.clone();
        let backend = self.backend.map(|id| site.backend(id))?;
        let may = failure.is_listed(&backend.retry_on)
            && self.txn.retries < self.retries(backend)
            && !self.wishes.no_l7_retry;
        let body = self.kept.take().filter(|_| may)?;
        self.drop_back(kit);
        self.response.clear(&mut kit.pool);
        self.request.rewind(&mut kit.pool);
        if !body.is_empty() {
            self.request.put_data(Buf::from_vec(body));
        }
        self.request.complete(None);
        self.deadline = Tick::NEVER;
        self.txn.connect = None;
        Some(self.try_again(kit, backend))
    }

    /// Whether nobody waits for the response any more, or the request will never be whole.
    pub(super) fn is_abandoned(&mut self, kit: &mut Kit) -> bool {
        let Some((held, mut lent)) = kit.conn(self.front) else {
            return true;
        };
        let conn = &mut held.conn;
        let failed = conn.shut.failed || conn.ready.failed;
        if !failed && !conn.ready.hangup && !conn.shut.read {
            return false;
        }
        if !self.http {
            return failed || self.aborts_on_close(kit);
        }
        // Its end may stand behind bytes that nobody has read.
        while self.request.end() == End::Open
            && conn.receive(&mut self.request, &mut lent) == Received::Progress
        {}
        self.request.end() == End::Aborted || self.aborts_on_close(kit)
    }

    /// `option abortonclose`, of the backend that is or may become this request's.
    pub(super) fn aborts_on_close(&self, kit: &Kit) -> bool {
        let backend = self.backend.or(kit.site.frontend(self.frontend).twin);
        backend.is_some_and(|id| kit.site.backend(id).options.abort_on_close)
    }

    /// Ends an exchange whose client has left before the response.
    pub(super) fn abandon(&mut self, kit: &mut Kit, phase: Phase) -> Step {
        self.last = true;
        let conn = kit.conns.get(self.front).map(|held| &held.conn);
        let listens = conn.is_some_and(|conn| !conn.shut.failed && !conn.ready.failed);
        let whole = self.request.end() == End::Complete;
        if phase == Phase::Headers && self.http && whole && listens {
            return self.reply(kit, Status::BAD_REQUEST, Cause::ClientAborted, phase);
        }
        if phase == Phase::Queue {
            self.txn.queue = Some(self.txn.elapsed(kit.now));
        }
        // haproxy: nobody is left to be told, and it counts as data that was cut; so here.
        let phase = if phase == Phase::Headers {
            Phase::Data
        } else {
            phase
        };
        self.txn.end(Cause::ClientAborted, phase);
        self.deadline = Tick::NEVER;
        self.drop_back(kit);
        self.leave_server(kit);
        Step::Go(Stage::Finish)
    }
}

/// Whether `option redispatch interval` takes another server at this retry: every so many, or so many before the last.
fn is_redispatch(interval: i32, retry: u32, retries: u32) -> bool {
    let retry = i64::from(retry);
    match i64::from(interval) {
        0 => false,
        every @ 1.. => retry % every == 0,
        before => retry == i64::from(retries) + 1 + before,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use crate::site::{Mode, RetryOn};
    use crate::stream::rig::{Dialed, Rig};
    use crate::stream::tests::{GET, OK, site};

    const POST: &[u8] = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";
    const FAILURE: &str = "HTTP/1.1 503 Down\r\ncontent-length: 0\r\n\r\n";

    /// A rig whose server does `first` on its first connection and answers on the others.
    fn failing_once(on: RetryOn, first: impl Fn(&mut Dialed) + 'static) -> (Rig, Rc<Cell<usize>>) {
        let mut site = site(Mode::Http);
        site.backends[0].retry_on = on;
        site.backends[0].options.buffer_request = true;
        let sent = Rc::new(Cell::new(0));
        let counted = Rc::clone(&sent);
        let rig = Rig::new(site, move |dialed: &mut Dialed| {
            if dialed.seen.is_empty() {
                return;
            }
            counted.set(counted.get() + 1);
            let whole = std::mem::take(&mut dialed.seen);
            if counted.get() == 1 {
                return first(dialed);
            }
            assert!(whole.ends_with(b"\r\n\r\n") || whole.ends_with(b"body"));
            dialed.script.send(OK.as_bytes());
        });
        (rig, sent)
    }

    fn answered(rig: &mut Rig, request: &[u8]) -> String {
        let client = rig.client();
        client.send(request);
        rig.run();
        rig.run_out(30_000);
        let seen = String::from_utf8_lossy(&client.take()).into_owned();
        client.end();
        rig.run();
        rig.assert_at_rest();
        seen
    }

    #[test]
    fn what_was_sent_is_sent_again_after_listed_failures() {
        let none = RetryOn::default;
        let empty = RetryOn {
            empty_response: true,
            ..none()
        };
        let junk = RetryOn {
            junk_response: true,
            ..none()
        };
        let timeout = RetryOn {
            response_timeout: true,
            ..none()
        };
        let status = RetryOn {
            statuses: vec![503],
            ..none()
        };
        type First = fn(&mut Dialed);
        let cases: [(RetryOn, First); 4] = [
            (empty, |dialed| dialed.script.end()),
            (junk, |dialed| dialed.script.send(b"nonsense\r\n\r\n")),
            (timeout, |_| {}),
            (status, |dialed| dialed.script.send(FAILURE.as_bytes())),
        ];
        for (on, first) in cases {
            for request in [GET, POST] {
                let (mut rig, sent) = failing_once(on.clone(), first);
                assert_eq!(answered(&mut rig, request), OK, "{on:?}");
                assert_eq!(sent.get(), 2);
                let (mut rig, sent) = failing_once(none(), first);
                assert_ne!(answered(&mut rig, request), OK, "{on:?}");
                assert_eq!(sent.get(), 1);
            }
        }
    }

    #[test]
    fn a_server_that_refuses_is_tried_again_after_a_moment() {
        let mut rig = Rig::new(site(Mode::Http), |_: &mut Dialed| {});
        rig.refuse_servers();
        let client = rig.client();
        client.send(GET);
        rig.run();
        assert_eq!((client.take(), rig.dials()), (Vec::new(), 1));
        rig.run_out(4_000);
        assert!(client.take().starts_with(b"HTTP/1.1 503 "));
        assert_eq!(rig.dials(), 4);
    }

    #[test]
    fn a_client_that_closes_is_gone_only_where_the_option_says_so() {
        for (option, line) in [(true, "CH--"), (false, "----")] {
            let mut site = site(Mode::Http);
            site.backends[0].options.abort_on_close = option;
            let mut rig = Rig::new(site, |dialed: &mut Dialed| {
                if !dialed.seen.is_empty() && dialed.seen.len() > 200 {
                    dialed.script.send(OK.as_bytes());
                }
            });
            let client = rig.client();
            client.send(GET);
            rig.run();
            client.end();
            rig.run();
            let ended = rig.engine.streams() == 0;
            assert_eq!(ended, option, "{line}");
            rig.run_out(30_000);
            rig.assert_at_rest();
        }
    }
}
