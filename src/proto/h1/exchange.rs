//! One request and its response on one connection: who may use the connection again, and what is said about it.
//!
//! Both directions of a connection are one automaton, because each may end the other's hopes: a request that asks to close, a
//! response without a length, a body left unread. The engine keeps an [`Exchange`] per connection: [`Role::Front`] reads
//! requests and writes responses, [`Role::Back`] the other way round. What it learns from a head it removes from the head, so
//! that between the two sides a message carries nothing that is one connection's business; `Connection: upgrade` alone
//! stays, for rules ask for it and the other side has to repeat it.
//!
//! The Connection fields written are HAProxy 2.6's: `keep-alive` where a 1.0 peer has to be told, `close` where a 1.1 peer has.

use super::body::{Body, Framing, request_body, response_body};
use super::fault::{Fault, Reason};
use super::manners::Forgiven;
use crate::codec::{base64, digest::Digest};
use crate::http::{Head, Known, KnownSet, Method, Values, Version, has_token};

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

/// Why a connection cannot carry another exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// The peer said `Connection: close`.
    Asked,
    /// The configuration wants it closed.
    Configured,
    /// The process is leaving.
    Stopping,
    /// An HTTP/1.0 peer that did not ask to keep it.
    OldVersion,
    /// The end of the connection is the end of the body.
    UntilClose,
    /// Content-Length beside Transfer-Encoding (RFC 9112 section 6.3).
    LengthBesideChunked,
    /// Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1).
    ChunkedInOldVersion,
    /// The connection became a tunnel.
    Tunnel,
    /// A half was given up before its end.
    Abandoned,
}

impl Close {
    /// In words, for traces.
    pub fn text(self) -> &'static str {
        match self {
            Close::Asked => "the peer asked to close",
            Close::Configured => "the configuration closes",
            Close::Stopping => "the process is stopping",
            Close::OldVersion => "HTTP/1.0 without keep-alive",
            Close::UntilClose => "the body ends with the connection",
            Close::LengthBesideChunked => "Content-Length beside Transfer-Encoding",
            Close::ChunkedInOldVersion => "Transfer-Encoding in HTTP/1.0",
            Close::Tunnel => "the connection became a tunnel",
            Close::Abandoned => "a message was left unfinished",
        }
    }
}

/// Whether the connection can carry another exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Both messages are whole and nobody objects.
    Now,
    /// Nobody objects so far; a message is unfinished.
    NotYet,
    /// Never, for this reason.
    Never(Close),
}

/// What a response's head turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A 1xx; the answer proper is still to come.
    Interim,
    /// The answer, and its body.
    Final(Body),
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
    /// Back: what Sec-WebSocket-Accept must say for the key that was sent.
    websocket: Option<Box<[u8]>>,
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

    /// Back: the request in `head` is about to be written; `body` says what follows it.
    pub fn send_request(&mut self, head: &mut Head, body: Body) {
        debug_assert_eq!((self.role, self.request), (Role::Back, Half::Expected));
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
            self.websocket = websocket_key(head).map(websocket_accept);
        }
        self.request = if body.is_empty() {
            Half::Whole
        } else {
            Half::Begun
        };
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
            && let Some(expected) = &self.websocket
            && head.get_known(Known::SecWebsocketAccept) != Some(expected)
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
    /// take on this connection: an HTTP/1.0 client gets no chunks.
    pub fn send_response(&mut self, head: &mut Head, body: Body) -> Body {
        debug_assert_eq!(self.role, Role::Front);
        if head.status().is_interim() {
            return Body::None;
        }
        let mut body = body;
        let known = head.known_set();
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

    /// Reads the Connection fields and removes what they mean to this connection. Tells whether `upgrade` was among them; then
    /// the field says that and nothing else.
    fn take_connection(&mut self, head: &mut Head, known: KnownSet) -> bool {
        if known.has_any(&[Known::KeepAlive, Known::ProxyConnection]) {
            head.remove_known(Known::KeepAlive);
            head.remove_known(Known::ProxyConnection);
        }
        let (mut close, mut keep, mut upgrade, mut others) = (false, false, false, false);
        if known.has(Known::Connection) {
            for token in head.all_known(Known::Connection).flat_map(Values::of) {
                match token {
                    token if token.eq_ignore_ascii_case(b"close") => close = true,
                    token if token.eq_ignore_ascii_case(b"keep-alive") => keep = true,
                    token if token.eq_ignore_ascii_case(b"upgrade") => upgrade = true,
                    token => others |= !token.is_empty(),
                }
            }
            if others {
                remove_nominated(head);
            }
        }
        if close {
            self.note(Some(Close::Asked));
        } else if self.version == Version::Http10 && !keep {
            self.note(Some(Close::OldVersion));
        }
        upgrade = upgrade && known.has(Known::Upgrade) && settle_upgrade(head);
        if upgrade
            && (close || keep || others || head.all_known(Known::Connection).nth(1).is_some())
        {
            head.set_known(Known::Connection, b"upgrade");
        }
        upgrade
    }

    /// Writes the Connection field a peer needs to draw our conclusion. One that is there was set on the way, by a rule or by
    /// the other side's distrust: its `close` is obeyed.
    fn say_connection(&mut self, head: &mut Head, known: KnownSet, old: bool) {
        if known.has(Known::Connection) {
            if head
                .all_known(Known::Connection)
                .any(|line| has_token(line, b"close"))
            {
                self.note(Some(Close::Asked));
            }
            head.remove_known(Known::Connection);
        }
        let closes = self.close.is_some() && self.policy != Policy::PretendKeepAlive;
        if !closes && old {
            head.push_known(Known::Connection, b"keep-alive");
        } else if closes && head.version() == Version::Http11 {
            head.push_known(Known::Connection, b"close");
        }
    }
}

/// Removes the fields that Connection declares to be this hop's (RFC 9110 section 7.6.1). Known names are either hop-by-hop
/// and treated by name, or end-to-end, and then nobody may have them removed by naming them.
fn remove_nominated(head: &mut Head) {
    let nominated: Vec<Vec<u8>> = head
        .all_known(Known::Connection)
        .flat_map(Values::of)
        .map(<[u8]>::to_ascii_lowercase)
        .filter(|name| Known::of(name).is_none())
        .take(NOMINATED_MAX)
        .collect();
    head.retain(|name, _| !nominated.iter().any(|nominated| nominated == name));
}

/// Takes `h2c` out of Upgrade: behind it would travel requests that no rule has seen. Tells whether anything is left.
fn settle_upgrade(head: &mut Head) -> bool {
    let harmless = |line: &[u8]| !has_token(line, b"h2c");
    if head.all_known(Known::Upgrade).all(harmless) {
        return true;
    }
    let kept: Vec<&[u8]> = head
        .all_known(Known::Upgrade)
        .flat_map(Values::of)
        .filter(|protocol| !protocol.is_empty() && !protocol.eq_ignore_ascii_case(b"h2c"))
        .collect();
    let kept = kept.join(b", ".as_slice());
    if kept.is_empty() {
        return false;
    }
    head.set_known(Known::Upgrade, &kept);
    true
}

fn asks_websocket(head: &Head) -> bool {
    head.all_known(Known::Upgrade)
        .any(|line| has_token(line, b"websocket"))
}

/// The key of a websocket's opening: 16 bytes in base64 (RFC 6455 section 4.1).
fn websocket_key(head: &Head) -> Option<&[u8]> {
    head.get_known(Known::SecWebsocketKey)
        .filter(|key| key.len() == WEBSOCKET_KEY_LEN)
}

/// What a server that understood `key` answers (RFC 6455 section 4.2.2).
fn websocket_accept(key: &[u8]) -> Box<[u8]> {
    let (mut hash, mut accept) = (Vec::new(), Vec::new());
    Digest::Sha1.of(&[key, WEBSOCKET_GUID].concat(), &mut hash);
    base64::encode(&hash, &mut accept);
    accept.into()
}

/// Of TE only `trailers` concerns the next hop, for no coding but `chunked` is spoken here.
fn settle_te(head: &mut Head) {
    let trailers = head
        .all_known(Known::Te)
        .any(|line| has_token(line, b"trailers"));
    if trailers {
        if head.all_known(Known::Te).ne([b"trailers".as_slice()]) {
            head.set_known(Known::Te, b"trailers");
        }
    } else {
        head.remove_known(Known::Te);
    }
}

const WEBSOCKET_KEY_LEN: usize = 24;
const WEBSOCKET_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How many names one message's Connection fields can have removed.
const NOMINATED_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Status;

    fn head(text: &str) -> Head {
        let mut lines = text.split('\n');
        let line: Vec<&str> = lines.next().unwrap_or("").splitn(3, ' ').collect();
        let version = |text: &str| {
            if text == "1.0" {
                Version::Http10
            } else {
                Version::Http11
            }
        };
        let mut head = Head::new();
        match line[..] {
            [number @ ("1.0" | "1.1"), code] => {
                head.set_response(
                    version(number),
                    Status::new(code.parse().expect("a code")),
                    b"R",
                );
            }
            [method, target, number] => {
                head.set_request(method.as_bytes(), target.as_bytes(), version(number))
            }
            _ => panic!("a start line: {text}"),
        }
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            head.push(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn fields(head: &Head) -> String {
        let line = |(name, value): (&[u8], &[u8])| {
            format!("{}: {}", name.escape_ascii(), value.escape_ascii())
        };
        head.fields().map(line).collect::<Vec<_>>().join("|")
    }

    /// A request and its response on a front connection: what is said about the connection, and whether it lives on.
    fn front(policy: Policy, request: &str, response: &str, body: Body) -> (String, Body, Reuse) {
        let mut exchange = Exchange::new(Role::Front, policy);
        exchange
            .receive_request(&mut head(request))
            .expect("a good request");
        exchange.request_done();
        let mut answer = head(response);
        let body = exchange.send_response(&mut answer, body);
        if body != Body::Tunnel {
            exchange.response_done();
        }
        (fields(&answer), body, exchange.reuse())
    }

    /// What a request looks like to a server.
    fn sent(policy: Policy, request: &str) -> String {
        let mut message = head(request);
        let body = Exchange::new(Role::Front, Policy::KeepAlive)
            .receive_request(&mut message)
            .expect("a good request");
        Exchange::new(Role::Back, policy).send_request(&mut message, body);
        fields(&message)
    }

    fn back(
        policy: Policy,
        request: &str,
        response: &str,
    ) -> (Result<Received, Reason>, Head, Exchange) {
        let mut exchange = Exchange::new(Role::Back, policy);
        exchange.send_request(&mut head(request), Body::None);
        let mut answer = head(response);
        let received = exchange
            .receive_response(&mut answer)
            .map_err(|fault| fault.reason);
        (received, answer, exchange)
    }

    #[test]
    fn clients_are_told_as_haproxy_tells_them() {
        let sized = Body::Sized(2);
        for (request, response, body, said, reuse) in [
            ("GET / 1.1", "1.1 200", sized, "", Reuse::Now),
            (
                "GET / 1.0",
                "1.1 200",
                sized,
                "connection: close",
                Reuse::Never(Close::OldVersion),
            ),
            (
                "GET / 1.0\nConnection: Keep-Alive",
                "1.1 200",
                sized,
                "connection: keep-alive",
                Reuse::Now,
            ),
            (
                "GET / 1.1\nConnection: close",
                "1.1 200",
                sized,
                "connection: close",
                Reuse::Never(Close::Asked),
            ),
            (
                "GET / 1.1",
                "1.0 200",
                sized,
                "connection: keep-alive",
                Reuse::Now,
            ),
            (
                "GET / 1.0",
                "1.0 200",
                sized,
                "",
                Reuse::Never(Close::OldVersion),
            ),
            (
                "GET / 1.1",
                "1.1 200",
                Body::UntilClose,
                "connection: close",
                Reuse::Never(Close::UntilClose),
            ),
            (
                "GET / 1.0\nConnection: keep-alive",
                "1.1 200",
                Body::UntilClose,
                "connection: close",
                Reuse::Never(Close::UntilClose),
            ),
            ("GET / 1.1", "1.1 204", Body::None, "", Reuse::Now),
        ] {
            assert_eq!(
                front(Policy::KeepAlive, request, response, body),
                (said.into(), body, reuse),
                "{request} {response}"
            );
        }
        assert_eq!(
            front(Policy::Close, "GET / 1.1", "1.1 200", sized).0,
            "connection: close"
        );
    }

    #[test]
    fn a_close_set_on_the_way_is_obeyed() {
        let (said, _, reuse) = front(
            Policy::KeepAlive,
            "GET / 1.1",
            "1.1 200\nConnection: x, Close",
            Body::Sized(2),
        );
        assert_eq!(
            (said.as_str(), reuse),
            ("connection: close", Reuse::Never(Close::Asked))
        );
        let (_, doubtful, _) = back(
            Policy::KeepAlive,
            "GET / 1.1",
            "1.0 200\nTransfer-Encoding: chunked",
        );
        assert_eq!(doubtful.get(b"connection"), Some(b"close".as_slice()));
    }

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
    fn servers_are_told_as_haproxy_tells_them() {
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1"), "");
        assert_eq!(
            sent(Policy::KeepAlive, "GET / 1.0"),
            "connection: keep-alive"
        );
        assert_eq!(
            sent(Policy::Close, "GET / 1.1\nConnection: keep-alive"),
            "connection: close"
        );
        assert_eq!(sent(Policy::Close, "GET / 1.0"), "");
        assert_eq!(sent(Policy::PretendKeepAlive, "GET / 1.1"), "");
        assert_eq!(
            sent(Policy::PretendKeepAlive, "GET / 1.0"),
            "connection: keep-alive"
        );
    }

    #[test]
    fn hop_by_hop_fields_stay_on_their_hop() {
        let request = "GET / 1.1\nConnection: close, X-Foo, cookie, x-forwarded-for\nX-Foo: 1\nKeep-Alive: 3\nProxy-Connection: x\nCookie: c\nX-Forwarded-For: 1\nTE: trailers, gzip";
        assert_eq!(
            sent(Policy::KeepAlive, request),
            "cookie: c|x-forwarded-for: 1|te: trailers"
        );
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1\nTE: trailers;q=0.5"), "");
        assert_eq!(
            sent(Policy::KeepAlive, "GET / 1.1\nTE: trailers"),
            "te: trailers"
        );
        assert_eq!(sent(Policy::KeepAlive, "GET / 1.1\nUpgrade: foo"), "");
    }

    #[test]
    fn upgrades_pass_and_tunnel() {
        let request = "GET / 1.1\nConnection: keep-alive, Upgrade\nUpgrade: foo";
        assert_eq!(
            sent(Policy::Close, request),
            "upgrade: foo|connection: upgrade"
        );
        let (received, answer, exchange) = back(
            Policy::KeepAlive,
            "GET / 1.1\nConnection: upgrade\nUpgrade: foo",
            "1.1 101\nUpgrade: foo\nConnection: Upgrade",
        );
        assert_eq!(received, Ok(Received::Final(Body::Tunnel)));
        assert_eq!(exchange.reuse(), Reuse::Never(Close::Tunnel));
        assert_eq!(fields(&answer), "upgrade: foo|connection: Upgrade");
        let (said, _, reuse) = front(
            Policy::KeepAlive,
            request,
            "1.1 101\nUpgrade: foo\nConnection: upgrade",
            Body::Tunnel,
        );
        assert_eq!(
            (said.as_str(), reuse),
            (
                "upgrade: foo|connection: upgrade",
                Reuse::Never(Close::Tunnel)
            )
        );
    }

    #[test]
    fn websockets_show_their_keys() {
        let opening = "GET / 1.1\nConnection: upgrade\nUpgrade: websocket";
        let mut exchange = Exchange::new(Role::Front, Policy::KeepAlive);
        let refused = exchange
            .receive_request(&mut head(opening))
            .map_err(|fault| fault.reason);
        assert_eq!(refused, Err(Reason::WebsocketKey));
        let keyed = format!("{opening}\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
        let answer = |accept: &str| {
            let text = format!(
                "1.1 101\nUpgrade: websocket\nConnection: upgrade\nSec-WebSocket-Accept: {accept}"
            );
            back(Policy::KeepAlive, &keyed, &text).0
        };
        assert_eq!(
            answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Ok(Received::Final(Body::Tunnel))
        );
        assert_eq!(
            answer("c3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Err(Reason::WebsocketKey)
        );
        assert_eq!(
            back(Policy::KeepAlive, &keyed, "1.1 101\nUpgrade: websocket").0,
            Err(Reason::WebsocketKey)
        );
    }

    #[test]
    fn upgrades_that_do_not() {
        for request in [
            "POST / 1.1\nConnection: upgrade\nUpgrade: foo\nContent-Length: 2",
            "GET / 1.0\nConnection: upgrade\nUpgrade: foo",
            "GET / 1.1\nConnection: upgrade, http2-settings\nUpgrade: h2c\nHTTP2-Settings: AAA",
            "GET / 1.1\nConnection: upgrade",
        ] {
            assert!(
                !sent(Policy::KeepAlive, request).contains("upgrade"),
                "{request}"
            );
            assert!(
                !sent(Policy::KeepAlive, request).contains("http2"),
                "{request}"
            );
        }
        let mixed = sent(
            Policy::KeepAlive,
            "GET / 1.1\nConnection: upgrade\nUpgrade: h2c, foo",
        );
        assert_eq!(mixed, "connection: upgrade|upgrade: foo");
        assert_eq!(
            back(Policy::KeepAlive, "GET / 1.1", "1.1 101\nUpgrade: x").0,
            Err(Reason::UnaskedUpgrade)
        );
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
