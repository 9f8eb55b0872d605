//! What comes before the first byte: the PROXY protocol, which says whom a connection is for or from, and TLS.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Kit;
use super::engine::Engine;
use super::front::{Front, Held, Peers, Role};
use crate::log::{Dates, Level};
use crate::mux::Fill;
use crate::proto::proxy::{Command, Header, Parsed, parse};
use crate::sample::TlsFacts;
use crate::site::{Listener, Survey};
use crate::slab::Key;
use crate::tls::{Opened, Refusal, Session, Verdict};
use crate::wire::{Tls, Wire};

/// What has to come before a client's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing, or it has come.
    #[default]
    Done,
    /// A PROXY header.
    Proxy,
    /// A TLS handshake.
    Tls,
}

impl Greeting {
    /// What a listener wants to hear first, and the wire on which it is said.
    pub(super) fn of(listener: &Listener, wire: Wire) -> (Self, Wire) {
        match (listener.accept_proxy, &listener.tls) {
            (false, None) => (Self::Done, wire),
            (true, None) => (Self::Proxy, wire),
            (true, Some(_)) => (Self::Proxy, Wire::Tls(Box::new(Tls::later(wire)))),
            (false, Some(acceptor)) => {
                let session = Session::accept(acceptor.clone());
                (Self::Tls, Wire::Tls(Box::new(Tls::new(wire, session))))
            }
        }
    }
}

impl Engine {
    /// Reads the header that a client's connection has to begin with. True once it is complete.
    pub(super) fn greet(&mut self, key: Key<Held>) -> bool {
        let greeting = |held: &Held| held.front().map(|front| front.greeting);
        if self.kit.conns.get(key).and_then(greeting) == Some(Greeting::Proxy)
            && !self.read_header(key)
        {
            return false;
        }
        match self.kit.conns.get(key).and_then(greeting) {
            Some(Greeting::Done) => true,
            Some(Greeting::Tls) => self.shake_hands(key),
            Some(Greeting::Proxy) | None => false,
        }
    }

    /// Goes on with a client's handshake. True once it is complete.
    fn shake_hands(&mut self, key: Key<Held>) -> bool {
        let now = self.kit.now;
        let secs = self.kit.wall.secs;
        let Some(held) = self.kit.conns.get_mut(key) else {
            return false;
        };
        // There is no stream yet whose turn could be caught instead.
        let wire = &mut held.conn.wire;
        let caught = catch_unwind(AssertUnwindSafe(|| wire.tls().map(Tls::handshake)));
        let outcome = caught.unwrap_or_else(|_panic| {
            self.panics += 1;
            None
        });
        match outcome {
            Some(Ok(true)) => {}
            Some(Ok(false)) => return false,
            Some(Err(_)) | None => {
                let opened = held.conn.wire.tls_ref().and_then(|tls| tls.opened(secs));
                let what = match opened.and_then(|opened| opened.refusal) {
                    Some(Refusal::Authority) => "SSL client CA chain cannot be verified",
                    Some(Refusal::Leaf) => "SSL client certificate not trusted",
                    Some(Refusal::Name | Refusal::NameAsked) | None => "SSL handshake failure",
                };
                self.log_failed_handshake(key, what);
                self.kit.count_handshake(key, None);
                self.kit.close(key);
                return false;
            }
        }
        held.conn.ready.readable = held.conn.ready.hangup || held.conn.wire.has_more();
        let opened = held.conn.wire.tls().and_then(|tls| tls.opened(secs));
        if let Role::Front(front) = &mut held.role {
            front.greeting = Greeting::Done;
            front.handshake = now.since(front.waiting_since);
            front.waiting_since = now;
            front.tls = opened.map(|opened| Arc::new(facts(opened)));
            let resumed = front.tls.as_ref().map(|tls| tls.resumed);
            self.kit.count_handshake(key, resumed);
        }
        true
    }

    /// Logs a client that never came to a first byte.
    pub(super) fn log_failed_handshake(&mut self, key: Key<Held>, what: &str) {
        let site = self.kit.site.clone();
        let Some(front) = self.kit.conns.get(key).and_then(Held::front) else {
            return;
        };
        let listener = site.listener(front.listener);
        let Some(frontend) = site.frontend_of(front.listener) else {
            return;
        };
        let frontend = site.frontend(frontend);
        let mut text = match front.seen().src {
            Some(src) => format!("{}:{} [", src.ip(), src.port()).into_bytes(),
            None => b"unix:1 [".to_vec(),
        };
        let survey = Survey {
            site: &site,
            now: self.kit.now,
            worker: self.kit.worker.index(),
            random: 0,
        };
        let date = front.accept_date;
        Dates::default().with_millis(&mut text, date, &survey);
        let (name, own) = (&frontend.name, &listener.name);
        text.extend_from_slice(format!("] {name}/{own}: {what}").as_bytes());
        self.kit
            .log(&site, &frontend.logging, Level::Info, &[], &text);
    }

    /// Reads a PROXY header. True once it is complete.
    fn read_header(&mut self, key: Key<Held>) -> bool {
        let site = self.kit.site.clone();
        loop {
            let Some((held, lent)) = self.kit.conn(key) else {
                return false;
            };
            let parsed = parse(held.conn.pending());
            match parsed {
                Ok(Parsed::Header { header, consumed }) => {
                    held.conn.consume(lent.pool, consumed);
                    let Role::Front(front) = &mut held.role else {
                        return false;
                    };
                    front.greeting = Greeting::Done;
                    front.introduce(header);
                    let acceptor = site.listener(front.listener).tls.clone();
                    if let (Some(acceptor), Some(tls)) = (acceptor, held.conn.wire.tls()) {
                        front.greeting = Greeting::Tls;
                        let received = held.conn.input.take();
                        tls.begin(acceptor, received.as_deref().unwrap_or_default());
                        if let Some(received) = received {
                            lent.pool.give_back(received);
                        }
                    }
                    return true;
                }
                Ok(Parsed::More { .. }) => {}
                Err(_refused) => {
                    self.kit.close(key);
                    return false;
                }
            }
            match held.conn.fill(lent.pool, lent.now) {
                Fill::Got => {}
                Fill::Blocked | Fill::Starved => return false,
                Fill::Ended | Fill::Failed => {
                    self.kit.close(key);
                    return false;
                }
            }
        }
    }
}

impl Front {
    /// Believes a header; one that speaks for the proxy itself changes nothing.
    fn introduce(&mut self, header: Header) {
        if header.command() == Command::Proxy {
            self.see(Peers {
                src: header.source(),
                dst: header.destination(),
            });
        }
        self.proxied = Some(Box::new(header));
    }
}

impl Kit {
    /// Says at the head of a new server connection whom it is for.
    pub(super) fn introduce(&mut self, key: Key<Held>) {
        let Some((held, lent)) = self.conn(key) else {
            return;
        };
        let Role::Back(back) = &held.role else { return };
        let header = &back.kind.header;
        if header.is_empty() {
            return;
        }
        match held.conn.wire.tls() {
            Some(tls) => tls.preface(header),
            None => held
                .conn
                .output
                .write_with(lent.pool, header.len(), |tail| {
                    tail.extend_from_slice(header);
                }),
        }
    }
}

/// What expressions see of a handshake.
pub(super) fn facts(opened: Opened) -> TlsFacts {
    let Verdict {
        result,
        leaf_error,
        ca_error,
        ca_depth,
    } = opened.verdict;
    let (own_cert, own_name) = opened.own.unzip();
    TlsFacts {
        version: opened.version,
        cipher: opened.cipher,
        cipher_bits: opened.bits,
        sni: opened.sni,
        alpn: opened.alpn,
        curve: opened.curve,
        resumed: opened.resumed,
        early: opened.early,
        peer_chain: opened.peer,
        own_cert,
        own_name,
        verify: result,
        leaf_error,
        ca_error,
        ca_error_depth: ca_depth,
        error: opened.error,
        hello: opened.hello,
        randoms: opened.randoms,
        secrets: opened.secrets,
    }
}
