//! Bodies that are waited for: by `option http-buffer-request`, and by `wait-for-body` rules of both directions.
//!
//! A body gathers in its lane until enough of it is there, until the lane holds what one buffer may hold, or until its
//! sender's time is over, which is an error: 408 for a client, 504 for a server. A client that waits for permission to send its
//! body gets it here. Small pieces are packed, so that what counts is bytes, not packets.

use super::stage::Step;
use super::{Cause, Kit, Phase, Stream};
use crate::http::{Head, Status, Version};
use crate::mux::{Eager, End, Lane, Received};
use crate::site::Tune;
use crate::time::{Millis, Tick};

/// Whose body is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The client's.
    Request,
    /// The server's.
    Response,
}

/// What reading came to.
enum Came {
    /// More may come.
    Less,
    /// It is enough, or all there will be.
    Enough,
    /// What came is no body.
    Nonsense,
}

impl Stream {
    /// Waits for the request's body; a step while it is not there.
    pub(super) fn await_request_body(
        &mut self,
        kit: &mut Kit,
        span: Option<Millis>,
        at_least: u64,
    ) -> Option<Step> {
        self.awaits_body = true;
        match self.gather_request(kit, at_least) {
            Came::Enough => {
                self.awaited = None;
                self.deadline = Tick::NEVER;
                self.inspected = true;
                None
            }
            Came::Nonsense => {
                self.last = true;
                Some(self.reply(kit, Status::BAD_REQUEST, Cause::Malformed, Phase::Request))
            }
            Came::Less => {
                if self.awaited.replace(Awaited::Request).is_none() {
                    self.await_client(kit, kit.now.after(span));
                    self.invite_body(kit);
                }
                Some(Step::Wait)
            }
        }
    }

    fn gather_request(&mut self, kit: &mut Kit, at_least: u64) -> Came {
        let limit = kit.site.global.tune.body_limit();
        loop {
            self.request.pack(&mut kit.pool);
            if is_enough(&self.request, limit, at_least) {
                return Came::Enough;
            }
            let Some((held, mut lent)) = kit.conn(self.front) else {
                return Came::Enough;
            };
            match held.conn.receive(&mut self.request, &mut lent) {
                Received::Progress => {}
                Received::Blocked | Received::Starved => return Came::Less,
                Received::Full | Received::Closed => return Came::Enough,
                Received::Broken(_) => return Came::Nonsense,
            }
        }
    }

    /// Tells a client that waits for it to send the body; the server is not asked again.
    fn invite_body(&mut self, kit: &mut Kit) {
        let Some((held, mut lent)) = kit.conn(self.front) else {
            return;
        };
        if !held.conn.expects_continue() {
            return;
        }
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::new(100), b"Continue");
        held.conn.send_interim(&head, &mut lent);
        held.conn.body_invited();
        if let Some(head) = self.request.head_mut() {
            head.remove(b"expect");
        }
    }

    /// Waits for the response's body; a step while it is not there.
    pub(super) fn await_response_body(
        &mut self,
        kit: &mut Kit,
        span: Millis,
        at_least: u64,
    ) -> Option<Step> {
        let limit = kit.site.global.tune.body_limit();
        loop {
            self.response.pack(&mut kit.pool);
            if is_enough(&self.response, limit, at_least) {
                self.awaited = None;
                self.deadline = Tick::NEVER;
                return None;
            }
            match self.source_down(kit, Eager::Never) {
                Received::Progress => {}
                Received::Blocked | Received::Starved => {
                    if self.awaited.replace(Awaited::Response).is_none() {
                        self.deadline = kit.now + span;
                    }
                    return Some(Step::Wait);
                }
                Received::Full => {
                    self.awaited = None;
                    return None;
                }
                Received::Closed | Received::Broken(_) => {
                    self.awaited = None;
                    self.txn.status = None;
                    return Some(self.server_failed(kit, Phase::Headers));
                }
            }
        }
    }

    /// The body that was waited for has not come in time.
    pub(super) fn body_is_late(&mut self, kit: &mut Kit, awaited: Awaited) -> Step {
        self.awaited = None;
        self.last = true;
        let (status, cause, phase) = match awaited {
            Awaited::Request => (408, Cause::ClientTimeout, Phase::Request),
            Awaited::Response => (504, Cause::ServerTimeout, Phase::Headers),
        };
        self.reply(kit, Status::new(status), cause, phase)
    }
}

fn is_enough(lane: &Lane, limit: usize, at_least: u64) -> bool {
    let there = lane.queued();
    lane.end() != End::Open || there >= limit || at_least > 0 && there as u64 >= at_least
}

impl Tune {
    /// How many bytes of a body are waited for at most.
    pub(super) fn body_limit(&self) -> usize {
        self.buffer_size.saturating_sub(self.max_rewrite).max(1)
    }
}

#[cfg(test)]
mod tests {
    use crate::site::Mode;
    use crate::stream::rig::{Dialed, Rig};
    use crate::stream::tests::{OK, site};

    const HEAD: &[u8] = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n";

    fn rig() -> Rig {
        let mut site = site(Mode::Http);
        site.frontends[0].options.buffer_request = true;
        Rig::new(site, |dialed: &mut Dialed| {
            if dialed.seen.ends_with(b"body") {
                dialed.seen.clear();
                dialed.script.send(OK.as_bytes());
            }
        })
    }

    #[test]
    fn the_server_sees_a_request_with_its_whole_body() {
        let mut rig = rig();
        let client = rig.client();
        client.send(HEAD);
        for byte in b"bod" {
            client.send(&[*byte]);
            rig.run();
        }
        assert_eq!(rig.dials(), 0);
        client.send(b"y");
        rig.run();
        assert_eq!(client.take(), OK.as_bytes());
        client.end();
        rig.run();
        rig.assert_at_rest();
    }

    #[test]
    fn a_body_that_does_not_come_is_a_408_and_one_cut_short_a_400() {
        for (ends, status) in [(false, "HTTP/1.1 408 "), (true, "HTTP/1.1 400 ")] {
            let mut rig = rig();
            let client = rig.client();
            client.send(HEAD);
            client.send(b"bo");
            if ends {
                client.end();
            }
            rig.run();
            rig.run_out(11_000);
            assert!(client.take().starts_with(status.as_bytes()), "{status}");
            assert_eq!(rig.dials(), 0);
            rig.run_out(11_000);
            rig.assert_at_rest();
        }
    }

    #[test]
    fn a_client_that_asks_first_is_told_to_send_and_the_server_is_not_asked() {
        let mut rig = rig();
        let client = rig.client();
        client.send(
            b"POST /x HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n",
        );
        rig.run();
        assert_eq!(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n");
        client.send(b"body");
        rig.run();
        assert_eq!(client.take(), OK.as_bytes());
    }
}
