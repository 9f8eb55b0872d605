//! `timeout …` of proxies.

use crate::lang::{Cursor, Diag, Keyword, Sections, Unit};
use crate::site::Timeouts;
use crate::time::Millis;

/// The rows; a row's usage and time are the same for all.
pub(crate) const KEYWORDS: &[Keyword<Timeouts>] = &[
    row(
        "timeout client",
        Sections::FRONT,
        "How long the client may be inactive.",
        |cur, t| set(cur, &mut t.client),
    ),
    row(
        "timeout client-fin",
        Sections::FRONT,
        "How long the client may be inactive once one direction was shut.",
        |cur, t| set(cur, &mut t.client_fin),
    ),
    row(
        "timeout client-hs",
        Sections::FRONT,
        "How long a client may take to introduce itself: PROXY headers and TLS handshakes.",
        |cur, t| set(cur, &mut t.client_handshake),
    ),
    row(
        "timeout http-request",
        Sections::PROXY,
        "How long a complete request head may take.",
        |cur, t| set(cur, &mut t.http_request),
    ),
    row(
        "timeout http-keep-alive",
        Sections::PROXY,
        "How long to wait for the next request of a connection.",
        |cur, t| set(cur, &mut t.http_keep_alive),
    ),
    row(
        "timeout connect",
        Sections::BACK,
        "How long connecting to a server may take.",
        |cur, t| set(cur, &mut t.connect),
    ),
    row(
        "timeout server",
        Sections::BACK,
        "How long the server may be inactive.",
        |cur, t| set(cur, &mut t.server),
    ),
    row(
        "timeout server-fin",
        Sections::BACK,
        "How long the server may be inactive once one direction was shut.",
        |cur, t| set(cur, &mut t.server_fin),
    ),
    row(
        "timeout queue",
        Sections::BACK,
        "How long a request may wait for a free server.",
        |cur, t| set(cur, &mut t.queue),
    ),
    row(
        "timeout tunnel",
        Sections::BACK,
        "How long both sides of a tunnel may be inactive.",
        |cur, t| set(cur, &mut t.tunnel),
    ),
    row(
        "timeout tarpit",
        Sections::PROXY,
        "How long a tarpitted client is held.",
        |cur, t| set(cur, &mut t.tarpit),
    ),
    row(
        "timeout check",
        Sections::BACK,
        "How long a health check may wait for its answer once connected.",
        |cur, t| set(cur, &mut t.check),
    ),
];

type Parse = fn(&mut Cursor<'_>, &mut Timeouts) -> Result<(), Diag>;

const fn row(
    name: &'static str,
    sections: Sections,
    doc: &'static str,
    parse: Parse,
) -> Keyword<Timeouts> {
    Keyword {
        name,
        sections,
        usage: "<timeout>",
        doc,
        parse,
    }
}

fn set(cur: &mut Cursor<'_>, timeout: &mut Option<Millis>) -> Result<(), Diag> {
    let value = cur.millis(Unit::Millis)?;
    // haproxy: zero is stored and means "no timeout" wherever it is read; here: absent says so.
    *timeout = (!value.is_zero()).then_some(value);
    cur.end()
}
