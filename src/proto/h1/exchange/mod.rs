//! One request and its response on one connection: who may use the connection again, and what is said about it.
//!
//! Both directions of a connection are one automaton, because each may end the other's hopes: a request that asks to close, a
//! response without a length, a body left unread. The engine keeps an [`Exchange`] per connection: [`Role::Front`] reads
//! requests and writes responses, [`Role::Back`] the other way round. What it learns from a head it removes from the head, so
//! that between the two sides a message carries nothing that is one connection's business; `Connection: upgrade` alone
//! stays, for rules ask for it and the other side has to repeat it.
//!
//! The Connection fields written are HAProxy 2.6's: `keep-alive` where a 1.0 peer has to be told, `close` where a 1.1 peer has.

mod close;
mod connection;
mod heads;
#[cfg(test)]
mod rig;
mod upgrade;

use self::upgrade::WebsocketKey;
use super::body::Body;
use super::manners::Forgiven;
use crate::http::{Method, Version};
pub use close::{Close, Reuse};
pub use heads::Received;

/// Which end of the proxy the connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Towards a client.
    Front,
    /// Towards a server.
    Back,
}

/// What the configuration wants of a connection after this exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Use it again if both ends agree.
    #[default]
    KeepAlive,
    /// `option httpclose` on its own side, `option http-server-close` towards servers.
    Close,
    /// `option http-pretend-keepalive`: close it, but do not tell the server.
    PretendKeepAlive,
}

/// How far one direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Expected,
    Begun,
    Whole,
    Abandoned,
}

/// One request and its response on one connection.
#[derive(Clone, Debug)]
pub struct Exchange {
    role: Role,
    policy: Policy,
    request: Half,
    response: Half,
    close: Option<Close>,
    method: Method,
    version: Version,
    upgrade: bool,
    expects_continue: bool,
    forgiven: Forgiven,
    /// Back: the key that was sent, for Sec-WebSocket-Accept to answer.
    websocket: Option<Box<WebsocketKey>>,
}

impl Exchange {
    /// An exchange about to begin.
    pub fn new(role: Role, policy: Policy) -> Exchange {
        let close = match policy {
            Policy::KeepAlive => None,
            Policy::Close | Policy::PretendKeepAlive => Some(Close::Configured),
        };
        Exchange {
            role,
            policy,
            request: Half::Expected,
            response: Half::Expected,
            close,
            method: Method::Other,
            version: Version::Http11,
            upgrade: false,
            expects_continue: false,
            forgiven: Forgiven::default(),
            websocket: None,
        }
    }

    /// The same with what this side forgives.
    pub fn forgiving(mut self, forgiven: Forgiven) -> Self {
        self.forgiven = forgiven;
        self
    }

    /// What this side forgives.
    pub fn forgiven(&self) -> Forgiven {
        self.forgiven
    }

    /// The request's last byte has passed.
    pub fn request_done(&mut self) {
        self.request = Half::Whole;
    }

    /// The response's last byte has passed.
    pub fn response_done(&mut self) {
        self.response = Half::Whole;
    }

    /// One of the messages will never be finished.
    pub fn abandon(&mut self) {
        for half in [&mut self.request, &mut self.response] {
            if *half != Half::Whole {
                *half = Half::Abandoned;
            }
        }
        self.note(Some(Close::Abandoned));
    }

    /// Someone else's reason to close after this exchange.
    pub fn close_after(&mut self, why: Close) {
        self.note(Some(why));
    }

    /// Whether the connection can carry another exchange.
    pub fn reuse(&self) -> Reuse {
        match (self.close, self.request, self.response) {
            (Some(why), ..) => Reuse::Never(why),
            (None, Half::Whole, Half::Whole) => Reuse::Now,
            (None, ..) => Reuse::NotYet,
        }
    }

    /// The method of the request.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether the client asked for another protocol.
    pub fn asks_upgrade(&self) -> bool {
        self.upgrade
    }

    /// Whether the client waits for a go-ahead before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.expects_continue && self.request == Half::Begun && self.response == Half::Expected
    }

    /// Front: the client was told to send its body.
    pub fn body_invited(&mut self) {
        self.expects_continue = false;
    }

    /// Whether the peer understands interim responses; an HTTP/1.0 client must get none (RFC 9110 section 15.2).
    pub fn takes_interim(&self) -> bool {
        self.version == Version::Http11
    }

    /// Whether the response's head has passed.
    pub fn is_answered(&self) -> bool {
        self.response != Half::Expected
    }

    fn note(&mut self, why: Option<Close>) {
        let forgiven = self.forgiven.two_framings && why == Some(Close::LengthBesideChunked);
        self.close = self.close.or(why.filter(|_| !forgiven));
    }

    fn begin_response(&mut self, body: Body) {
        match body {
            Body::None | Body::Sized(0) => self.response = Half::Whole,
            Body::Tunnel => self.note(Some(Close::Tunnel)),
            Body::Sized(_) | Body::Chunked | Body::UntilClose => {}
        }
        if self.response == Half::Expected {
            self.response = Half::Begun;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rig::head;
    use super::*;

    #[test]
    fn an_unfinished_message_ends_the_connection() {
        let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive);
        exchange
            .receive_request(&mut head("POST / 1.1\nContent-Length: 2"))
            .expect("good");
        exchange.send_response(&mut head("1.1 403\nContent-Length: 0"), Body::Sized(0));
        exchange.response_done();
        assert_eq!(exchange.reuse(), Reuse::NotYet);
        exchange.abandon();
        assert_eq!(exchange.reuse(), Reuse::Never(Close::Abandoned));
        exchange.close_after(Close::Stopping);
        assert_eq!(exchange.reuse(), Reuse::Never(Close::Abandoned));
    }
}
