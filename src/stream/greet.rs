//! The PROXY protocol at both ends: whom a client's connection is for, and whom a server's is from.

use super::engine::Engine;
use super::front::{Front, Held, Peers, Role};
use super::{Kit, Stream};
use crate::mux::Fill;
use crate::proto::proxy::{Command, Endpoints, Header, Parsed, parse};
use crate::site::SendProxy;
use crate::slab::Key;

/// What has to come before a client's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing, or it has come.
    #[default]
    Done,
    /// A PROXY header.
    Proxy,
}

impl Engine {
    /// Reads the header that a client's connection has to begin with. True once it is complete.
    pub(super) fn greet(&mut self, key: Key<Held>) -> bool {
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
            self.peers = Peers {
                src: header.source(),
                dst: header.destination(),
            };
        }
        self.proxied = Some(Box::new(header));
    }
}

impl Stream {
    /// Says at the head of a new server connection whom it is for.
    pub(super) fn introduce(&self, kit: &mut Kit, back: Key<Held>) {
        let Some(server) = self.server else { return };
        let version = kit.site.server(server).send_proxy;
        if version == SendProxy::No {
            return;
        }
        let peers = kit
            .conns
            .get(self.front)
            .and_then(Held::front)
            .map(|front| front.peers);
        let header = match peers {
            Some(Peers {
                src: Some(src),
                dst: Some(dst),
            }) => Header::proxied(Endpoints::between(src, dst)),
            Some(_) | None => Header::local(),
        };
        let Some((held, lent)) = kit.conn(back) else {
            return;
        };
        held.conn
            .output
            .write_with(lent.pool, HEADER_HINT, |tail| match version {
                SendProxy::No => {}
                SendProxy::V1 => header.write_v1(tail),
                SendProxy::V2 => header
                    .write_v2(false, tail)
                    .expect("a header without TLVs is short"),
            });
    }
}

/// Room for a header without TLVs in either version.
const HEADER_HINT: usize = 108;
