//! What comes before the first byte: the PROXY protocol, which says whom a connection is for or from, and TLS.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Kit;
use super::engine::Engine;
use super::front::{Front, Held, Peers, Role};
use super::mishap::Mishap;
use crate::mux::Fill;
use crate::proto::netscaler;
use crate::proto::proxy::{Command, Header, Parsed, parse};
use crate::sample::TlsFacts;
use crate::site::Listener;
use crate::slab::Key;
use crate::tls::{Opened, Session, Verdict};
use crate::wire::{Tls, Wire};

/// What has to come before a client's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing, or it has come.
    #[default]
    Done,
    /// NetScaler's header, and perhaps a PROXY header behind it.
    Netscaler {
        /// Whether a PROXY header follows.
        proxy: bool,
    },
    /// A PROXY header.
    Proxy,
    /// A TLS handshake.
    Tls,
}

impl Greeting {
    /// The header that has to come first, for the listener or because rules ask for one.
    pub(super) fn header(listener: &Listener, proxy: bool, netscaler: bool) -> Option<Self> {
        let proxy = proxy || listener.accept_proxy;
        if netscaler || listener.accept_netscaler_cip.is_some() {
            return Some(Self::Netscaler { proxy });
        }
        proxy.then_some(Self::Proxy)
    }

    /// What a listener wants to hear first, and the wire on which it is said.
    pub(super) fn of(listener: &Listener, wire: Wire) -> (Self, Wire) {
        match (Self::header(listener, false, false), &listener.tls) {
            (None, None) => (Self::Done, wire),
            (Some(header), None) => (header, wire),
            (Some(header), Some(_)) => (header, Wire::Tls(Box::new(Tls::later(wire)))),
            (None, Some(acceptor)) => {
                let session = Session::accept(acceptor.clone());
                (Self::Tls, Wire::Tls(Box::new(Tls::new(wire, session))))
            }
        }
    }
}

/// What a header said, and its length.
enum Heard {
    Proxy(Header, usize),
    Netscaler(Peers, usize),
    /// So many more bytes at least.
    More(usize),
}

/// Looks for the awaited header at the beginning of the bytes; one of NetScaler's begins with `magic`.
fn hear(awaited: Greeting, magic: u32, bytes: &[u8]) -> Result<Heard, Mishap> {
    match awaited {
        Greeting::Netscaler { .. } => match netscaler::parse(bytes, magic) {
            Ok(netscaler::Parsed::More { at_least }) => Ok(Heard::More(at_least)),
            Ok(netscaler::Parsed::Header {
                source,
                destination,
                consumed,
            }) => {
                let (src, dst) = (Some(source), Some(destination));
                Ok(Heard::Netscaler(Peers { src, dst }, consumed))
            }
            Err(refused) => Err(Mishap::Netscaler(refused)),
        },
        Greeting::Done | Greeting::Proxy | Greeting::Tls => match parse(bytes) {
            Ok(Parsed::More { at_least }) => Ok(Heard::More(at_least)),
            Ok(Parsed::Header { header, consumed }) => Ok(Heard::Proxy(header, consumed)),
            Err(refused) => Err(Mishap::Proxy(refused)),
        },
    }
}

impl Engine {
    /// Reads the headers that a client's connection has to begin with, and shakes hands. True once all is complete.
    pub(super) fn greet(&mut self, key: Key<Held>) -> bool {
        loop {
            let greeting = |held: &Held| held.front().map(|front| front.greeting);
            match self.kit.conns.get(key).and_then(greeting) {
                Some(Greeting::Done) => return true,
                Some(Greeting::Tls) => return self.shake_hands(key),
                Some(awaited) if self.read_header(key, awaited) => {}
                Some(Greeting::Proxy | Greeting::Netscaler { .. }) | None => return false,
            }
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
                let mishap = match outcome {
                    Some(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                        Mishap::Closed(Greeting::Tls, 0)
                    }
                    Some(_) | None => Mishap::Handshake(opened.and_then(|opened| opened.refusal)),
                };
                self.kit.count_handshake(key, None);
                self.fail_greeting(key, mishap);
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

    /// Reads a header. True once it is complete.
    fn read_header(&mut self, key: Key<Held>, awaited: Greeting) -> bool {
        let header_max = self.kit.pool.buffer_size();
        let site = self.kit.site.clone();
        let mishap = loop {
            let Some((held, lent)) = self.kit.conn(key) else {
                return false;
            };
            let Some(listener) = held.front().map(|front| front.listener) else {
                return false;
            };
            let magic = site.listener(listener).accept_netscaler_cip.unwrap_or(0);
            let pending = held.conn.pending();
            let came = pending.len();
            match hear(awaited, magic, pending) {
                Ok(Heard::More(at_least)) if came + at_least > header_max => {
                    break Mishap::Endless(awaited);
                }
                Ok(Heard::More(_)) => {}
                Ok(heard) => {
                    self.heard(key, awaited, heard);
                    return true;
                }
                Err(mishap) => break mishap,
            }
            let fill = held.conn.fill(lent.pool, lent.now);
            match Mishap::of(fill, awaited, came) {
                Some(mishap) => break mishap,
                None if fill == Fill::Got => {}
                None => return false,
            }
        };
        self.fail_greeting(key, mishap);
        false
    }

    /// Believes a header, and turns to what comes behind it.
    fn heard(&mut self, key: Key<Held>, awaited: Greeting, heard: Heard) {
        let site = self.kit.site.clone();
        let Some((held, lent)) = self.kit.conn(key) else {
            return;
        };
        let Role::Front(front) = &mut held.role else {
            return;
        };
        let consumed = match heard {
            Heard::More(_) => return,
            Heard::Netscaler(peers, consumed) => {
                front.see(peers);
                consumed
            }
            Heard::Proxy(header, consumed) => {
                front.introduce(header);
                consumed
            }
        };
        held.conn.consume(lent.pool, consumed);
        if let Greeting::Netscaler { proxy: true, .. } = awaited {
            front.greeting = Greeting::Proxy;
            return;
        }
        let acceptor = site.listener(front.listener).tls.clone();
        let (Some(acceptor), Some(tls)) = (acceptor, held.conn.wire.tls()) else {
            front.greeting = Greeting::Done;
            front.handshake = lent.now.since(front.waiting_since);
            front.waiting_since = lent.now;
            return;
        };
        front.greeting = Greeting::Tls;
        let received = held.conn.input.take();
        tls.begin(acceptor, received.as_deref().unwrap_or_default());
        if let Some(received) = received {
            lent.pool.give_back(received);
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
