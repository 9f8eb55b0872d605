//! An errand: what a request asks of a server connection, whether an idle one serves or a new one is made.
//!
//! Two requests may share a connection only where their errands are alike: the same address, the same name, the same
//! PROXY protocol header, the same client to be seen by the server. So all of that is put together first, and compared with what idle
//! connections were made for. The way to the server is looked up only where none of them serves.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use super::front::{Back, Front, Held, Peers};
use super::kit::Way;
use super::{Kit, Stream};
use crate::addr::SockAddr;
use crate::id::ServerId;
use crate::lang::Env;
use crate::pattern::Library;
use crate::proto::proxy::{Endpoints, Header, SslParts, kind, ssl_flag};
use crate::sample::{Expr, Facts, NoNamedTests, Reader, Sampled, TlsFacts};
use crate::site::{Destination, Port, Seems, SendProxy, Server, Tells};

/// What a request asks of a connection.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) server: ServerId,
    /// The name asked for in TLS.
    pub(super) sni: Option<Box<[u8]>>,
    pub(super) kind: Kind,
}

/// What connections must have in common to serve the same requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Where it leads, where that is for the client to say.
    to: Option<SockAddr>,
    /// `pool-conn-name`, or the name asked for in TLS.
    name: Option<Box<[u8]>>,
    /// Whom the server sees.
    seems: Option<SocketAddr>,
    /// The PROXY protocol header that it begins with.
    pub(super) header: Box<[u8]>,
}

impl Errand {
    /// Whether a connection that stands could be used.
    pub(super) fn fits(&self, back: &Back, placed: u64) -> bool {
        back.server == self.server && back.suits(&self.kind, placed)
    }
}

impl Back {
    /// Whether it was made for the same, and leads to where its server is.
    pub(super) fn suits(&self, kind: &Kind, placed: u64) -> bool {
        self.placed == placed && self.kind == *kind
    }
}

impl Stream {
    /// Puts together what this request asks of a connection to `server`.
    pub(super) fn errand(&mut self, kit: &mut Kit, server: ServerId) -> std::io::Result<Errand> {
        let site = kit.site.clone();
        let configured = site.server(server);
        let to = match configured.follows_client() {
            true => Some(self.destination(kit, configured)?),
            false => None,
        };
        let sni = self.named(kit, configured.sni.as_deref());
        let name = match &configured.pool_name {
            Some(asked) => self.named(kit, Some(asked)),
            None => sni.clone(),
        };
        let header = self.header(kit, configured);
        let seems = self.seems(kit, configured);
        Ok(Errand {
            server,
            sni,
            kind: Kind {
                to,
                name,
                seems,
                header,
            },
        })
    }

    /// The way that a new connection for `errand` takes.
    pub(super) fn way(&self, kit: &mut Kit, errand: &Errand) -> std::io::Result<Way> {
        let site = kit.site.clone();
        let configured = site.server(errand.server);
        let to = match &errand.kind.to {
            Some(to) => to.clone(),
            None => self.destination(kit, configured)?,
        };
        let local_port = configured.source.ports.map(|(first, last)| {
            let count = u32::from(last - first) + 1;
            let offset = kit.chance.next() % count;
            first + u16::try_from(offset).unwrap_or(0)
        });
        Ok(Way {
            to,
            seems: errand.kind.seems,
            local_port,
            mark: self.wishes.packets.bc_mark,
            tos: self.wishes.packets.bc_tos,
            late_ack: site.backend(configured.backend).tcp_smart_connect,
        })
    }

    /// The ends of the client's connection, as rules have set them.
    pub(super) fn peers(&self, kit: &Kit) -> Peers {
        let front = kit.conns.get(self.front).and_then(Held::front);
        let peers = front.map(Front::seen).unwrap_or_default();
        Peers {
            src: self.wishes.src.or(peers.src),
            dst: self.wishes.dst.or(peers.dst),
        }
    }

    fn destination(&self, kit: &Kit, server: &Server) -> std::io::Result<SockAddr> {
        let nowhere = ErrorKind::AddrNotAvailable;
        let Destination::At(endpoint) = &*server.destination.load() else {
            return Err(nowhere.into());
        };
        if endpoint.is_unix() {
            return Ok(endpoint.clone());
        }
        let asked = self.peers(kit).dst;
        // An address of zeros is the one that the client asked for.
        let endpoint = match (endpoint.ip(), asked) {
            (Some(ip), Some(asked)) if ip.is_unspecified() => {
                SockAddr::Inet((asked.ip(), endpoint.port().unwrap_or(0)).into())
            }
            _ => endpoint.clone(),
        };
        let port = match server.port {
            // A service of DNS says its own port.
            _ if endpoint.port().is_some_and(|port| port != 0) => return Ok(endpoint),
            Port::Fixed(port) => port,
            Port::Mapped(offset) => {
                let asked = i64::from(asked.map_or(0, |dst| dst.port())) + i64::from(offset);
                u16::try_from(asked).map_err(|_out_of_range| nowhere)?
            }
        };
        Ok(endpoint.with_port(port))
    }

    /// What an expression about the request says.
    fn named(&mut self, kit: &mut Kit, asked: Option<&Expr>) -> Option<Box<[u8]>> {
        let asked = asked?;
        let name = self.with_scene(kit, true, |scene| {
            let facts = scene.view();
            match asked.eval(&facts) {
                Sampled::Got(value) => Some(Box::<[u8]>::from(&*value.into_text())),
                Sampled::Absent | Sampled::NotYet => None,
            }
        });
        name.flatten().filter(|name| !name.is_empty())
    }

    /// `source … usesrc`: whom the server is to see.
    fn seems(&mut self, kit: &mut Kit, server: &Server) -> Option<SocketAddr> {
        let client = || self.peers(kit).src;
        match &server.source.seems {
            Seems::Proxy => None,
            Seems::ClientIp => client().map(|src| SocketAddr::new(src.ip(), 0)),
            Seems::Client => client(),
            Seems::At(address) => Some(*address),
            Seems::Field(name, occ) => {
                let head = self.request.head().or(self.request_head.as_deref())?;
                let text = std::str::from_utf8(head.value_at(name, *occ)?).ok()?;
                let ip = text.trim().parse::<IpAddr>().ok()?;
                Some(SocketAddr::new(ip, 0))
            }
        }
    }

    /// The PROXY protocol header for `server`; empty where none is sent.
    fn header(&mut self, kit: &mut Kit, server: &Server) -> Box<[u8]> {
        if server.send_proxy == SendProxy::No {
            return Box::default();
        }
        let mut header = match self.peers(kit) {
            Peers {
                src: Some(src),
                dst: Some(dst),
            } => Header::proxied(Endpoints::between(src, dst)),
            Peers { .. } => Header::local(),
        };
        let mut bytes = Vec::with_capacity(HEADER_HINT);
        if server.send_proxy == SendProxy::V1 {
            header.write_v1(&mut bytes);
            return bytes.into();
        }
        self.tell(kit, server, &mut header);
        if header.write_v2(server.tells.checksum, &mut bytes).is_err() {
            // Longer than the format can say: the addresses alone are told.
            let plain = Header::proxied(header.endpoints().clone());
            bytes.clear();
            let _ = plain.write_v2(server.tells.checksum, &mut bytes);
        }
        bytes.into()
    }

    /// Adds what `proxy-v2-options` and `set-proxy-v2-tlv-fmt` ask for; a value that is too long is left out.
    fn tell(&mut self, kit: &mut Kit, server: &Server, header: &mut Header) {
        let tls = kit
            .conns
            .get(self.front)
            .and_then(|held| held.front()?.tls.clone());
        for telling in &server.tellings {
            let text = telling.text.as_ref().map(|format| {
                self.with_scene(kit, true, |scene| scene.text(format))
                    .unwrap_or_default()
            });
            let _ = header.push(telling.kind, &text.unwrap_or_default());
        }
        if let Some(alpn) = tls.as_ref().and_then(|tls| tls.alpn.as_deref()) {
            let _ = header.push(kind::ALPN, alpn);
        }
        let tells = server.tells;
        let name = tls.as_ref().and_then(|tls| tls.sni.as_deref());
        if let Some(name) = name.filter(|_| tells.authority) {
            let _ = header.push(kind::AUTHORITY, name);
        }
        if let Some(id) = self.txn.unique_id.as_deref().filter(|_| tells.unique_id) {
            let _ = header.push(kind::UNIQUE_ID, id);
        }
        if tells.tls {
            self.with_scene(kit, true, |scene| {
                tell_tls(tells, tls.as_deref(), &scene.view(), header);
            });
        }
    }
}

/// What certificates say, as expressions say it: the client's name, and how the certificate it was shown is made.
static CERTIFICATES: LazyLock<[Option<Expr>; 3]> = LazyLock::new(|| {
    let library = Library::new(Box::new(|_| Err(ErrorKind::NotFound.into())));
    let reader = Reader {
        library: &library,
        named: &NoNamedTests,
        env: &Env::default(),
    };
    ["ssl_c_s_dn(CN)", "ssl_f_sig_alg", "ssl_f_key_alg"]
        .map(|text| Expr::parse_text(text, reader).ok())
});

/// Adds what TLS said about the client; that it does not speak TLS is told too.
fn tell_tls(tells: Tells, tls: Option<&TlsFacts>, facts: &Facts<'_>, header: &mut Header) {
    let Some(tls) = tls else {
        let _ = header.push_ssl(&SslParts::default());
        return;
    };
    let flags = match tls.peer_chain.first() {
        Some(_) if tls.resumed => ssl_flag::SSL | ssl_flag::CERT_SESS,
        Some(_) => ssl_flag::SSL | ssl_flag::CERT_CONN | ssl_flag::CERT_SESS,
        None => ssl_flag::SSL,
    };
    let said = |at: usize, wanted: bool| match CERTIFICATES[at].as_ref()?.eval(facts) {
        Sampled::Got(value) if wanted => String::from_utf8(value.into_text().to_vec()).ok(),
        Sampled::Got(_) | Sampled::Absent | Sampled::NotYet => None,
    };
    let (common_name, sig_alg, key_alg) = (
        said(0, tells.common_name),
        said(1, tells.cert_signature),
        said(2, tells.cert_key),
    );
    let _ = header.push_ssl(&SslParts {
        flags,
        verify: u32::from(tls.verify),
        version: Some(tls.version),
        common_name: common_name.as_deref(),
        cipher: tells.cipher.then_some(tls.cipher),
        sig_alg: sig_alg.as_deref(),
        key_alg: key_alg.as_deref(),
    });
}

/// Room for a header without TLVs in either version.
const HEADER_HINT: usize = 108;
