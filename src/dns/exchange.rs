//! One exchange with one nameserver: up to two questions (both families) go out, their answers come back.
//!
//! Every exchange has a socket of its own, so its source port is chosen by the kernel and the id at random, and the
//! kernel drops what another address sends. (Names are spelled as asked, not in random case: some servers do not give the
//! spelling back, and neither the host's resolver nor HAProxy's would fail with them.) Anything else that arrives and is not the answer is dropped here, at most
//! [`STRAY_MAX`] datagrams. A truncated or oversized answer is asked for again over TCP, an answer that refuses EDNS
//! is asked for again without. The whole exchange ends at its deadline, however slowly bytes come. hickory's own pool
//! of servers is not used: it prefers the server that is quickest at the moment, where a host asks in the written order.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::message::{NotOurs, Query, Reply};

/// Where and how to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Via {
    /// The nameserver.
    pub server: SocketAddr,
    /// How it is spoken to.
    pub transport: Transport,
    /// The size announced by EDNS; `None` asks without.
    pub payload: Option<u16>,
    /// How long the whole exchange may take.
    pub patience: Duration,
    /// Whether the AD bit is asked for.
    pub trust_ad: bool,
    /// One question after the other.
    pub single_request: bool,
    /// Whether what stays unanswered is sent again before the time is over.
    pub insists: bool,
}

/// The protocol below the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams, and TCP for what does not fit.
    Udp,
    /// A stream from the start.
    Tcp,
}

/// What an exchange brought.
#[derive(Debug, Default)]
pub struct Exchanged {
    /// An answer to each question, in the order of the questions, where one came.
    pub replies: Vec<Option<Reply>>,
    /// How it ended when an answer is missing.
    pub fault: Option<Fault>,
    /// Things seen on the way.
    pub seen: Seen,
}

/// Occurrences of one exchange that counters and explanations tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Questions sent.
    pub sent: u32,
    /// Datagrams that were not the answer.
    pub stray: u32,
    /// Answers marked truncated.
    pub truncated: u32,
    /// Datagrams larger than announced.
    pub too_big: u32,
    /// Whether TCP was used.
    pub tcp: bool,
    /// Whether the server refused EDNS.
    pub without_edns: bool,
}

/// Why an answer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The time was over.
    Timeout,
    /// The server's host says that nobody listens.
    Unreachable,
    /// The question could not be sent.
    Send(io::ErrorKind),
    /// The server sent too much that was no answer, or closed early.
    Nonsense,
}

/// Asks `queries` of one server.
pub(super) async fn exchange(via: &Via, queries: &[Query]) -> Exchanged {
    let deadline = Instant::now() + via.patience;
    let mut done = Exchanged {
        replies: vec![None; queries.len()],
        ..Exchanged::default()
    };
    let mut payload = via.payload;
    for _round in 0..ROUNDS_MAX {
        let result = match via.transport {
            Transport::Udp => over_udp(via, payload, queries, deadline, &mut done).await,
            Transport::Tcp => over_tcp(via, payload, queries, deadline, &mut done).await,
        };
        done.fault = result.err();
        let stumbled = payload.is_some() && done.replies.iter().flatten().any(Reply::refuses_edns);
        if !stumbled {
            break;
        }
        payload = None;
        done.seen.without_edns = true;
        done.replies
            .iter_mut()
            .for_each(|reply| *reply = reply.take().filter(|reply| !reply.refuses_edns()));
    }
    let cut: Vec<usize> = (0..queries.len())
        .filter(|at| done.replies[*at].as_ref().is_some_and(|r| r.truncated))
        .collect();
    if !cut.is_empty() && via.transport == Transport::Udp {
        cut.iter().for_each(|at| done.replies[*at] = None);
        done.fault = over_tcp(via, payload, queries, deadline, &mut done)
            .await
            .err();
    }
    done
}

/// Sends what is unanswered and receives until all is answered. What stays unanswered is sent again after pauses that
/// double: a datagram may be lost on the way, and a whole attempt is long.
async fn over_udp(
    via: &Via,
    payload: Option<u16>,
    queries: &[Query],
    deadline: Instant,
    done: &mut Exchanged,
) -> Result<(), Fault> {
    let socket = timeout_at(deadline, connected(via.server))
        .await
        .map_err(|_| Fault::Timeout)?
        .map_err(send_fault)?;
    // One byte more than was announced shows a datagram that is too large.
    let mut room = vec![0; usize::from(payload.unwrap_or(PLAIN_PAYLOAD).max(PLAIN_PAYLOAD)) + 1];
    let (mut stray, mut pause) = (0, RESEND);
    while done.replies.iter().any(Option::is_none) {
        send_open(&socket, via, payload, queries, done).await?;
        let again = match via.insists {
            true => (Instant::now() + pause).min(deadline),
            false => deadline,
        };
        pause *= 2;
        loop {
            let before = done.replies.iter().flatten().count();
            let Ok(received) = timeout_at(again, socket.recv(&mut room)).await else {
                break;
            };
            let length = received.map_err(receive_fault)?;
            if !take_datagram(&room[..length], length == room.len(), queries, done) {
                done.seen.stray += 1;
                stray += 1;
                if stray > STRAY_MAX {
                    return Err(Fault::Nonsense);
                }
            }
            let after = done.replies.iter().flatten().count();
            if after == queries.len() || (via.single_request && after > before) {
                break;
            }
        }
        if Instant::now() >= deadline && done.replies.iter().any(Option::is_none) {
            return Err(Fault::Timeout);
        }
    }
    Ok(())
}

/// Sends the questions that have no answer; with `single_request` the first of them alone.
async fn send_open(
    socket: &UdpSocket,
    via: &Via,
    payload: Option<u16>,
    queries: &[Query],
    done: &mut Exchanged,
) -> Result<(), Fault> {
    let open = queries
        .iter()
        .zip(&done.replies)
        .filter(|(_, reply)| reply.is_none());
    let most = if via.single_request { 1 } else { queries.len() };
    for (query, _) in open.take(most) {
        done.seen.sent += 1;
        socket
            .send(&query.encode(payload, via.trust_ad))
            .await
            .map_err(send_fault)?;
    }
    Ok(())
}

/// Puts a datagram where it belongs; false if it answers nothing.
fn take_datagram(bytes: &[u8], too_big: bool, queries: &[Query], done: &mut Exchanged) -> bool {
    for (query, slot) in queries.iter().zip(done.replies.iter_mut()) {
        if slot.is_some() {
            continue;
        }
        match query.read(bytes) {
            Ok(reply) if !too_big => {
                done.seen.truncated += u32::from(reply.truncated);
                *slot = Some(reply);
                return true;
            }
            Ok(_) | Err(NotOurs::Garbage) if too_big => {
                done.seen.too_big += 1;
                *slot = Some(query.oversized());
                return true;
            }
            Ok(_) | Err(NotOurs::Garbage | NotOurs::Id | NotOurs::Question) => {}
        }
    }
    false
}

/// Asks what is unanswered, one question after the other, over one stream.
async fn over_tcp(
    via: &Via,
    payload: Option<u16>,
    queries: &[Query],
    deadline: Instant,
    done: &mut Exchanged,
) -> Result<(), Fault> {
    done.seen.tcp = true;
    let connecting = timeout_at(deadline, TcpStream::connect(via.server))
        .await
        .map_err(|_| Fault::Timeout)?;
    let mut stream = connecting.map_err(receive_fault)?;
    for (query, slot) in queries.iter().zip(done.replies.iter_mut()) {
        if slot.is_some() {
            continue;
        }
        done.seen.sent += 1;
        let asking = ask_stream(
            &mut stream,
            query,
            query.encode(payload, via.trust_ad),
            &mut done.seen,
        );
        *slot = Some(
            timeout_at(deadline, asking)
                .await
                .map_err(|_| Fault::Timeout)??,
        );
    }
    Ok(())
}

/// One question and its answer on a stream (RFC 1035 §4.2.2).
async fn ask_stream(
    stream: &mut TcpStream,
    query: &Query,
    question: Vec<u8>,
    seen: &mut Seen,
) -> Result<Reply, Fault> {
    let length = u16::try_from(question.len()).map_err(|_| Fault::Nonsense)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend(question);
    stream.write_all(&framed).await.map_err(send_fault)?;
    for _ in 0..STRAY_MAX {
        let mut length = [0; 2];
        stream
            .read_exact(&mut length)
            .await
            .map_err(receive_fault)?;
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut bytes).await.map_err(receive_fault)?;
        if let Ok(reply) = query.read(&bytes) {
            return Ok(reply);
        }
        seen.stray += 1;
    }
    Err(Fault::Nonsense)
}

/// A socket that hears `server` alone.
async fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket)
}

fn send_fault(error: io::Error) -> Fault {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Fault::Unreachable;
    }
    Fault::Send(error.kind())
}

fn receive_fault(error: io::Error) -> Fault {
    let unreachable = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
    ];
    if unreachable.contains(&error.kind()) {
        Fault::Unreachable
    } else {
        Fault::Nonsense
    }
}

/// The size that every server may send without EDNS (RFC 1035 §4.2.1).
const PLAIN_PAYLOAD: u16 = 512;
/// What EDNS announces: fits every path without fragments (DNS flag day 2020).
pub(super) const PAYLOAD: u16 = 1232;
/// Datagrams or messages that are no answer, per exchange.
const STRAY_MAX: u32 = 64;
/// How long a question waits before it is sent again to the same server.
const RESEND: Duration = Duration::from_millis(500);
/// With EDNS and once more without.
const ROUNDS_MAX: u32 = 2;
