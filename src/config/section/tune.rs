//! `tune.*` of `global`.

use crate::lang::{Cursor, Diag, Keyword};
use crate::site::Tune;

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<Tune>] = &[
    Keyword::of_global(
        "tune.bufsize",
        "<size>",
        "The size of a buffer, and of what is looked at of a message.",
        |cur, t| bytes(cur, &mut t.buffer_size, 1024),
    ),
    Keyword::of_global(
        "tune.maxrewrite",
        "<size>",
        "The room left in a buffer for what rules add to a head.",
        |cur, t| bytes(cur, &mut t.max_rewrite, 0),
    ),
    Keyword::of_global(
        "tune.http.maxhdr",
        "<number>",
        "How many fields a head may have.",
        |cur, t| {
            t.max_headers = cur.integer(1..=32_767_usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.vars.global-max-size",
        "<size>",
        "How many bytes variables of all scopes may take.",
        |cur, t| bytes(cur, &mut t.variables.global, 0),
    ),
    Keyword::of_global(
        "tune.vars.proc-max-size",
        "<size>",
        "How many bytes variables of the process may take, with those of connections.",
        |cur, t| bytes(cur, &mut t.variables.process, 0),
    ),
    Keyword::of_global(
        "tune.vars.sess-max-size",
        "<size>",
        "How many bytes variables of a client's connection may take, with those of its exchange.",
        |cur, t| bytes(cur, &mut t.variables.session, 0),
    ),
    Keyword::of_global(
        "tune.vars.txn-max-size",
        "<size>",
        "How many bytes variables of an exchange may take, with those of its messages.",
        |cur, t| bytes(cur, &mut t.variables.exchange, 0),
    ),
    Keyword::of_global(
        "tune.vars.reqres-max-size",
        "<size>",
        "How many bytes variables of a request and its response may take.",
        |cur, t| bytes(cur, &mut t.variables.messages, 0),
    ),
    Keyword::of_global(
        "tune.vars.check-max-size",
        "<size>",
        "How many bytes variables of a health check may take.",
        |cur, t| bytes(cur, &mut t.variables.check, 0),
    ),
    Keyword::of_global(
        "tune.http.cookielen",
        "<number>",
        "How much of a captured cookie is logged.",
        |cur, t| {
            t.cookie_len = cur.integer(2..=65_535_usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.http.logurilen",
        "<number>",
        "How much of a request's target is logged.",
        |cur, t| {
            t.log_uri_len = cur.integer(1..=65_535_usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.maxaccept",
        "<number>",
        "How many connections are accepted in one go.",
        |cur, t| {
            let count = cur.integer(-1..=i32::MAX)?;
            t.max_accept = usize::try_from(count)
                .ok()
                .filter(|c| *c > 0)
                .unwrap_or(usize::MAX);
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.maxpollevents",
        "<number>",
        "How many events are taken from the system in one go.",
        |cur, t| {
            t.max_poll_events = cur.integer(1..=1_000_000_usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.idle-pool.shared",
        "{ on | off }",
        "Whether threads take idle server connections over from one another.",
        |cur, t| {
            t.idle_pool_shared = cur.switch()?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.pool-high-fd-ratio",
        "<percent>",
        "From how many of all descriptors on an idle server connection gives way to each new one; without it, when all are taken.",
        |cur, t| ratio(cur, &mut t.idle_high),
    ),
    Keyword::of_global(
        "tune.pool-low-fd-ratio",
        "<percent>",
        "From how many of all descriptors on no more server connections are kept idle; without it, they are while there are some.",
        |cur, t| ratio(cur, &mut t.idle_low),
    ),
    Keyword::of_global(
        "tune.buffers.limit",
        "<number>",
        "How many buffers a thread may hold; 0 means any number.",
        |cur, t| {
            t.buffers_limit = cur.integer(0..=u32::MAX as usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.buffers.reserve",
        "<number>",
        "How many buffers are kept for getting out of a shortage.",
        |cur, t| {
            t.buffers_reserve = cur.integer(2..=u32::MAX as usize)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.pipesize",
        "<size>",
        "The size of the pipes that splicing uses.",
        |cur, t| bytes(cur, &mut t.pipe_size, 0),
    ),
    Keyword::of_global(
        "tune.rcvbuf.client",
        "<size>",
        "The system's receive buffer of client sockets.",
        |cur, t| socket(cur, &mut t.client_rcvbuf),
    ),
    Keyword::of_global(
        "tune.rcvbuf.server",
        "<size>",
        "The system's receive buffer of server sockets.",
        |cur, t| socket(cur, &mut t.server_rcvbuf),
    ),
    Keyword::of_global(
        "tune.sndbuf.client",
        "<size>",
        "The system's send buffer of client sockets.",
        |cur, t| socket(cur, &mut t.client_sndbuf),
    ),
    Keyword::of_global(
        "tune.sndbuf.server",
        "<size>",
        "The system's send buffer of server sockets.",
        |cur, t| socket(cur, &mut t.server_sndbuf),
    ),
    Keyword::of_global(
        "tune.notsent-lowat.client",
        "<size>",
        "How many bytes may wait unsent in the system for a client.",
        |cur, t| socket(cur, &mut t.client_unsent),
    ),
    Keyword::of_global(
        "tune.notsent-lowat.server",
        "<size>",
        "How many bytes may wait unsent in the system for a server.",
        |cur, t| socket(cur, &mut t.server_unsent),
    ),
    Keyword::of_global(
        "tune.rcvbuf.frontend",
        "<size>",
        "The system's receive buffer of sockets that take datagrams.",
        |cur, t| socket(cur, &mut t.datagram_rcvbuf),
    ),
    Keyword::of_global(
        "tune.comp.maxlevel",
        "<number>",
        "The highest level of compression.",
        |cur, t| {
            t.compression_level = cur.integer(0..=9_u8)?;
            cur.end()
        },
    ),
];

fn bytes(cur: &mut Cursor<'_>, size: &mut usize, least: u32) -> Result<(), Diag> {
    let read = cur.size()?;
    if !(least..=SIZE_MAX).contains(&read) {
        return Err(cur.alert(format!(
            "'{}' expects a size between {least} and {SIZE_MAX}.",
            cur.keyword()
        )));
    }
    *size = read as usize;
    cur.end()
}

/// The largest buffer: HAProxy's lengths inside a buffer have 28 bits.
const SIZE_MAX: u32 = (1 << 28) - 1;

fn ratio(cur: &mut Cursor<'_>, percent: &mut Option<u8>) -> Result<(), Diag> {
    *percent = Some(cur.integer(0..=100)?);
    cur.end()
}

fn socket(cur: &mut Cursor<'_>, size: &mut Option<usize>) -> Result<(), Diag> {
    *size = Some(cur.size()? as usize).filter(|size| *size > 0);
    cur.end()
}
