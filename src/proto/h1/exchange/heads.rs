//! The heads that pass a connection: what each decides about its body and about the connection.
//!
//! Always true: what a head said of the connection is noted before it is taken out of the head.

use super::super::announce::{announce_request, announce_response};
use super::super::body::{Body, Framing, request_body, response_body};
use super::super::fault::{Fault, Reason};
use super::connection::settle_te;
use super::upgrade::{asks_websocket, websocket_accept, websocket_key};
use super::{Close, Exchange, Half, Role};
use crate::http::{Head, Known, Method, Version};

/// What a response's head turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A 1xx; the answer proper is still to come.
    Interim,
    /// The answer, and its body.
    Final(Body),
}

impl Exchange {
    /// Front: the request in `head` has come. Frames it and takes out what concerns this connection alone.
    pub fn receive_request(&mut self, head: &mut Head) -> Result<Body, Fault> {
        debug_assert_eq!((self.role, self.request), (Role::Front, Half::Expected));
        let known = head.known_set();
        // What the peer sent, before the framing mends it.
        self.version = head.version();
        self.method = head.method();
        let Framing { body, close } = request_body(head)?;
        let is_doubtful = self.version == Version::Http10
            && matches!(self.method, Method::Get | Method::Head | Method::Delete)
            && !body.is_empty();
        if is_doubtful && !self.forgiven.old_payloads {
            return Err(Fault::new(Reason::BodyInOldVersion, head.wire_len()));
        }
        self.note(close);
        self.upgrade =
            self.take_connection(head, known) && body.is_empty() && self.version == Version::Http11;
        if known.has_any(&[Known::Upgrade, Known::Connection]) && !self.upgrade {
            head.remove_known(Known::Upgrade);
            head.remove_known(Known::Connection);
        }
        if self.upgrade && asks_websocket(head) && websocket_key(head).is_none() {
            return Err(Fault::new(Reason::WebsocketKey, 0));
        }
        self.expects_continue = known.has(Known::Expect)
            && !body.is_empty()
            && self.version == Version::Http11
            && head
                .get_known(Known::Expect)
                .is_some_and(|expect| expect.eq_ignore_ascii_case(b"100-continue"));
        self.request = if body.is_empty() {
            Half::Whole
        } else {
            Half::Begun
        };
        Ok(body)
    }

    /// Back: the request in `head` is about to be written; `body` says what follows it. Returns the form that the body must take
    /// on this connection: where rules removed its length, chunks tell its end.
    pub fn send_request(&mut self, head: &mut Head, body: Body) -> Body {
        debug_assert_eq!((self.role, self.request), (Role::Back, Half::Expected));
        let body = announce_request(head, body);
        self.method = head.method();
        self.version = head.version();
        let known = head.known_set();
        self.upgrade = known.has(Known::Upgrade) && known.has(Known::Connection);
        if known.has(Known::Te) {
            settle_te(head);
        }
        if !self.upgrade {
            self.say_connection(head, known, self.version == Version::Http10);
        } else if asks_websocket(head) {
            self.websocket = websocket_key(head).copied().map(Box::new);
        }
        self.request = if body.is_empty() {
            Half::Whole
        } else {
            Half::Begun
        };
        body
    }

    /// Back: a response's head has come. Frames it and takes out what concerns this connection alone.
    pub fn receive_response(&mut self, head: &mut Head) -> Result<Received, Fault> {
        debug_assert_eq!(self.role, Role::Back);
        let known = head.known_set();
        let version = head.version();
        let Framing { body, close } = response_body(head, self.method)?;
        if body == Body::Tunnel && head.status() == 101 && !self.upgrade {
            return Err(Fault::new(Reason::UnaskedUpgrade, 0));
        }
        if head.status() == 101
            && let Some(key) = &self.websocket
            && head.get_known(Known::SecWebsocketAccept) != Some(&websocket_accept(key))
        {
            return Err(Fault::new(Reason::WebsocketKey, 0));
        }
        if head.status().is_interim() {
            head.remove_known(Known::Connection);
            return Ok(Received::Interim);
        }
        self.version = version;
        self.note(close);
        let upgrade = self.take_connection(head, known);
        if known.has(Known::Connection) && !upgrade {
            head.remove_known(Known::Connection);
        }
        if close == Some(Close::ChunkedInOldVersion) {
            // What such a server's response means is doubtful enough to let nothing follow it to the client either.
            head.push_known(Known::Connection, b"close");
        }
        self.begin_response(body);
        Ok(Received::Final(body))
    }

    /// Front: the response in `head` is about to be written; `body` says what follows it. Returns the form that the body must
    /// take on this connection: an HTTP/1.0 client gets no chunks, a status without content none of it.
    pub fn send_response(&mut self, head: &mut Head, body: Body) -> Body {
        debug_assert_eq!(self.role, Role::Front);
        let mut body = announce_response(head, body, self.method, self.version);
        let known = head.known_set();
        if head.status().code() < 200 && body != Body::Tunnel {
            // Rules made an answer of it that is none; the client awaits another one.
            self.note(Some(Close::Abandoned));
        }
        if body == Body::Chunked && self.version == Version::Http10 {
            head.remove_known(Known::TransferEncoding);
            body = Body::UntilClose;
        }
        if body == Body::UntilClose {
            self.note(Some(Close::UntilClose));
        }
        if body != Body::Tunnel {
            let old = self.version == Version::Http10 || head.version() == Version::Http10;
            self.say_connection(head, known, old);
        }
        self.begin_response(body);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{back, front, head};
    use super::super::{Policy, Reuse};
    use super::*;
    use crate::proto::h1::Forgiven;

    #[test]
    fn an_old_client_gets_no_chunks() {
        let request = "GET / 1.0\nConnection: keep-alive";
        let (said, body, reuse) = front(
            Policy::KeepAlive,
            request,
            "1.1 200\nTransfer-Encoding: chunked",
            Body::Chunked,
        );
        assert_eq!(
            (said.as_str(), body),
            ("connection: close", Body::UntilClose)
        );
        assert_eq!(reuse, Reuse::Never(Close::UntilClose));
        let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive);
        exchange.receive_request(&mut head(request)).expect("good");
        assert!(!exchange.takes_interim());
    }

    #[test]
    fn responses_decide_over_server_connections() {
        for (response, reuse) in [
            ("1.1 200\nContent-Length: 0", Reuse::Now),
            (
                "1.1 200\nContent-Length: 0\nConnection: close",
                Reuse::Never(Close::Asked),
            ),
            (
                "1.0 200\nContent-Length: 0",
                Reuse::Never(Close::OldVersion),
            ),
            (
                "1.0 200\nContent-Length: 0\nConnection: keep-alive",
                Reuse::Now,
            ),
            ("1.1 200", Reuse::Never(Close::UntilClose)),
            (
                "1.1 200\nContent-Length: 4\nTransfer-Encoding: chunked",
                Reuse::Never(Close::LengthBesideChunked),
            ),
            (
                "1.0 200\nTransfer-Encoding: chunked",
                Reuse::Never(Close::ChunkedInOldVersion),
            ),
        ] {
            let (received, answer, mut exchange) = back(Policy::KeepAlive, "GET / 1.1", response);
            assert!(received.is_ok());
            let doubtful = reuse == Reuse::Never(Close::ChunkedInOldVersion);
            assert_eq!(answer.get(b"connection").is_some(), doubtful);
            exchange.response_done();
            assert_eq!(exchange.reuse(), reuse, "{response}");
        }
        assert_eq!(
            back(Policy::Close, "GET / 1.1", "1.1 204").2.reuse(),
            Reuse::Never(Close::Configured)
        );
    }

    #[test]
    fn interim_responses_leave_the_exchange_open() {
        let mut exchange = Exchange::new(Role::Back, Policy::KeepAlive);
        exchange.send_request(&mut head("POST / 1.1\nContent-Length: 2"), Body::Sized(2));
        for code in ["1.1 100", "1.1 103\nLink: x\nConnection: close"] {
            assert_eq!(
                exchange.receive_response(&mut head(code)),
                Ok(Received::Interim)
            );
            assert!(!exchange.is_answered());
        }
        assert_eq!(
            exchange.receive_response(&mut head("1.1 204")),
            Ok(Received::Final(Body::None))
        );
        assert_eq!(exchange.reuse(), Reuse::NotYet);
        exchange.request_done();
        assert_eq!(exchange.reuse(), Reuse::Now);
    }

    #[test]
    fn go_aheads_are_for_bodies_only() {
        let expects = |text: &str| {
            let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive);
            exchange.receive_request(&mut head(text)).expect("good");
            exchange.expects_continue()
        };
        assert!(expects(
            "POST / 1.1\nExpect: 100-Continue\nContent-Length: 2"
        ));
        assert!(!expects("POST / 1.1\nExpect: 100-continue"));
        assert!(!expects(
            "POST / 1.0\nExpect: 100-continue\nContent-Length: 2"
        ));
        assert!(!expects("POST / 1.1\nExpect: x\nContent-Length: 2"));
    }

    #[test]
    fn bodies_that_old_agents_overlook_are_refused_unless_forgiven() {
        let ask = |request: &str, forgiven: Forgiven| {
            let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive).forgiving(forgiven);
            let received = exchange.receive_request(&mut head(request));
            exchange.request_done();
            (received.map_err(|fault| fault.status().code()), exchange)
        };
        let (none, strict) = (Forgiven::default(), |text| ask(text, Forgiven::default()).0);
        assert_eq!(strict("GET / 1.0\nContent-Length: 3"), Err(413));
        assert_eq!(strict("DELETE / 1.0\nTransfer-Encoding: chunked"), Err(413));
        assert!(strict("GET / 1.0\nContent-Length: 0").is_ok());
        assert!(strict("GET / 1.1\nContent-Length: 3").is_ok());
        assert!(strict("POST / 1.0\nContent-Length: 3").is_ok());
        let all = Forgiven {
            old_payloads: true,
            two_framings: true,
        };
        assert!(ask("GET / 1.0\nContent-Length: 3", all).0.is_ok());
        let both = "POST / 1.1\nContent-Length: 4\nTransfer-Encoding: chunked";
        let closes = |forgiven| ask(both, forgiven).1.close.is_some();
        assert!(closes(none) && !closes(all));
    }
}
