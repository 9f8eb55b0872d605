//! What expressions see of the connections: the client's, the server's, and what TLS and the kernel say of them.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::time::Tick;

use super::time::Wall;

/// The client's connection, lent with every evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientFacts<'a> {
    /// The source address as the socket or the PROXY header says; `None` on a UNIX socket.
    pub src: Option<SocketAddr>,
    /// The destination address likewise.
    pub dst: Option<SocketAddr>,
    /// When it was accepted.
    pub accepted: Tick,
    /// The same on the wall clock.
    pub accept_date: Wall,
    /// The number of the listening socket (`id` of the bind line or its position).
    pub listener_id: u32,
    /// The name of the bind line.
    pub listener_name: Option<&'a str>,
    /// The major version of HTTP spoken on it, 1 unless negotiated otherwise.
    pub http_major: u8,
    /// A PROXY header was received.
    pub proxied: bool,
    /// The type-length-value part of the PROXY v2 header, as received.
    pub tlvs: &'a [u8],
    /// What TLS settled; `None` on a clear connection.
    pub tls: Option<&'a TlsFacts>,
    /// Why the connection failed, 0 while it did not.
    pub error: u16,
    /// How the peer bent the protocol without breaking it, counted.
    pub glitches: u32,
    /// How long the handshakes took, in milliseconds.
    pub handshake_ms: u32,
    /// Whether this is the connection's first request.
    pub first_request: bool,
}

/// The connection to the server.
#[derive(Debug, Clone, Default)]
pub struct UpstreamFacts {
    /// The address of this side.
    pub src: Option<SocketAddr>,
    /// The server's address.
    pub dst: Option<SocketAddr>,
    /// What TLS settled.
    pub tls: Option<Arc<TlsFacts>>,
    /// The connection was taken from the pool.
    pub reused: bool,
    /// Why it failed, 0 while it did not.
    pub error: u16,
    /// The major version of HTTP spoken on it.
    pub http_major: u8,
}

/// What a TLS handshake settled.
#[derive(Debug, Clone, Default)]
pub struct TlsFacts {
    /// `TLSv1.2`, `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by OpenSSL's name.
    pub cipher: &'static str,
    /// The key bits of the cipher.
    pub cipher_bits: u32,
    /// The server name the client asked for, or that was sent to the server.
    pub sni: Option<Vec<u8>>,
    /// The protocol ALPN settled.
    pub alpn: Option<Vec<u8>>,
    /// The key exchange group by OpenSSL's name.
    pub curve: Option<&'static str>,
    /// The session was resumed.
    pub resumed: bool,
    /// Early data was received.
    pub early: bool,
    /// The peer's certificate and its chain, DER, leaf first.
    pub peer_chain: Vec<Vec<u8>>,
    /// The certificate this side showed, DER.
    pub own_cert: Option<Arc<[u8]>>,
    /// The file or name the shown certificate was loaded from.
    pub own_name: Option<Arc<str>>,
    /// The result of verifying the peer's certificate, OpenSSL's number; 0 is good.
    pub verify: u16,
    /// The same for the first error of the leaf itself.
    pub leaf_error: u16,
    /// The same for the first error above the leaf.
    pub ca_error: u16,
    /// The depth of that error.
    pub ca_error_depth: u8,
    /// The handshake's failure, OpenSSL's number; 0 is none.
    pub error: u32,
    /// The body of the ClientHello (without its handshake header) as received, when the
    /// configuration asks for it to be kept.
    pub hello: Option<Vec<u8>>,
    /// The secrets of the session by the labels of key logs, when the configuration asks for them
    /// to be kept.
    pub secrets: Vec<(&'static str, Vec<u8>)>,
    /// The random bytes of the hellos: client, server.
    pub randoms: Option<([u8; 32], [u8; 32])>,
}

/// The kernel's measurements of the connections at hand, taken when they are asked for.
pub trait Kernel: std::fmt::Debug {
    /// Of the client's connection.
    fn client(&self) -> TcpFacts;

    /// Of the server's.
    fn upstream(&self) -> TcpFacts;

    /// Our end of the server's connection: the kernel chose it.
    fn connecting(&self) -> Option<SocketAddr>;

    /// The packet that began the client's connection, where the listener had it kept. The kernel gives it away once.
    fn first_packet(&self) -> Option<Vec<u8>> {
        None
    }
}

/// No connection to measure.
#[derive(Debug, Clone, Copy)]
pub struct NoKernel;

impl Kernel for NoKernel {
    fn client(&self) -> TcpFacts {
        TcpFacts::default()
    }

    fn upstream(&self) -> TcpFacts {
        TcpFacts::default()
    }

    fn connecting(&self) -> Option<SocketAddr> {
        None
    }
}

/// The kernel's measurements of a TCP connection; `None` when it was not asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpFacts {
    /// Smoothed round trip, microseconds.
    pub rtt_us: Option<u32>,
    /// Its variance, microseconds.
    pub rttvar_us: Option<u32>,
    /// Segments sent and not acknowledged.
    pub unacked: Option<u32>,
    /// Segments selectively acknowledged.
    pub sacked: Option<u32>,
    /// Segments thought lost.
    pub lost: Option<u32>,
    /// Segments retransmitted.
    pub retrans: Option<u32>,
    /// Forward acknowledged segments.
    pub fackets: Option<u32>,
    /// Reordering events.
    pub reordering: Option<u32>,
}
