//! Why the connections of either side failed: HAProxy's numbers, names and sentences.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use Source::{ClientAddress, ServerConnection};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "bc_err",
        Kind::Int,
        ServerConnection,
        bc_err,
        "Why the server's connection failed, as a number.",
    ),
    Fetch::once(
        "bc_err_name",
        Kind::Str,
        ServerConnection,
        bc_err_name,
        "The name of that failure.",
    ),
    Fetch::once(
        "bc_err_str",
        Kind::Str,
        ServerConnection,
        bc_err_str,
        "That failure in words.",
    ),
    Fetch::once(
        "fc_err",
        Kind::Int,
        ClientAddress,
        fc_err,
        "Why the client's connection failed, as a number.",
    ),
    Fetch::once(
        "fc_err_name",
        Kind::Str,
        ClientAddress,
        fc_err_name,
        "The name of that failure.",
    ),
    Fetch::once(
        "fc_err_str",
        Kind::Str,
        ClientAddress,
        fc_err_str,
        "That failure in words.",
    ),
];

/// HAProxy's connection errors: name and words, by number.
const ERRORS: &[(&str, &str)] = &[
    ("", "Success"),
    ("CO_ER_CONF_FDLIM", "Reached configured maxconn value"),
    ("CO_ER_PROC_FDLIM", "Too many sockets on the process"),
    ("CO_ER_SYS_FDLIM", "Too many sockets on the system"),
    ("CO_ER_SYS_MEMLIM", "Out of system buffers"),
    ("CO_ER_NOPROTO", "Protocol or address family not supported"),
    ("CO_ER_SOCK_ERR", "General socket error"),
    ("CO_ER_PORT_RANGE", "Source port range exhausted"),
    ("CO_ER_CANT_BIND", "Can't bind to source address"),
    (
        "CO_ER_FREE_PORTS",
        "Out of local source ports on the system",
    ),
    ("CO_ER_ADDR_INUSE", "Local source address already in use"),
    (
        "CO_ER_PRX_EMPTY",
        "Connection closed while waiting for PROXY protocol header",
    ),
    (
        "CO_ER_PRX_ABORT",
        "Connection error while waiting for PROXY protocol header",
    ),
    (
        "CO_ER_PRX_TIMEOUT",
        "Timeout while waiting for PROXY protocol header",
    ),
    (
        "CO_ER_PRX_TRUNCATED",
        "Truncated PROXY protocol header received",
    ),
    (
        "CO_ER_PRX_NOT_HDR",
        "Received something which does not look like a PROXY protocol header",
    ),
    (
        "CO_ER_PRX_BAD_HDR",
        "Received an invalid PROXY protocol header",
    ),
    (
        "CO_ER_PRX_BAD_PROTO",
        "Received an unhandled protocol in the PROXY protocol header",
    ),
    (
        "CO_ER_CIP_EMPTY",
        "Connection closed while waiting for NetScaler Client IP header",
    ),
    (
        "CO_ER_CIP_ABORT",
        "Connection error while waiting for NetScaler Client IP header",
    ),
    (
        "CO_ER_CIP_TIMEOUT",
        "Timeout while waiting for a NetScaler Client IP header",
    ),
    (
        "CO_ER_CIP_TRUNCATED",
        "Truncated NetScaler Client IP header received",
    ),
    (
        "CO_ER_CIP_BAD_MAGIC",
        "Received an invalid NetScaler Client IP magic number",
    ),
    (
        "CO_ER_CIP_BAD_PROTO",
        "Received an unhandled protocol in the NetScaler Client IP header",
    ),
    ("CO_ER_SSL_EMPTY", "Connection closed during SSL handshake"),
    ("CO_ER_SSL_ABORT", "Connection error during SSL handshake"),
    ("CO_ER_SSL_TIMEOUT", "Timeout during SSL handshake"),
    ("CO_ER_SSL_TOO_MANY", "Too many SSL connections"),
    (
        "CO_ER_SSL_NO_MEM",
        "Out of memory when initializing an SSL connection",
    ),
    (
        "CO_ER_SSL_RENEG",
        "Rejected a client-initiated SSL renegotiation attempt",
    ),
    (
        "CO_ER_SSL_CA_FAIL",
        "SSL client CA chain cannot be verified",
    ),
    ("CO_ER_SSL_CRT_FAIL", "SSL client certificate not trusted"),
    (
        "CO_ER_SSL_MISMATCH",
        "Server presented an SSL certificate different from the configured one",
    ),
    (
        "CO_ER_SSL_MISMATCH_SNI",
        "Server presented an SSL certificate different from the expected one",
    ),
    ("CO_ER_SSL_HANDSHAKE", "SSL handshake failure"),
    (
        "CO_ER_SSL_HANDSHAKE_HB",
        "SSL handshake failure after heartbeat",
    ),
    (
        "CO_ER_SSL_KILLED_HB",
        "Stopped a TLSv1 heartbeat attack (CVE-2014-0160)",
    ),
    (
        "CO_ER_SSL_NO_TARGET",
        "Attempt to use SSL on an unknown target (internal error)",
    ),
    ("CO_ER_SSL_EARLY_FAILED", "Server refused early data"),
];

/// HAProxy's words for a connection's error, by number: `fc_err_str`.
pub fn connection_error(number: u16) -> &'static str {
    ERRORS
        .get(usize::from(number))
        .map_or("", |(_, words)| words)
}

fn error_name<'a>(number: Option<u16>) -> Sampled<'a> {
    let row = number.and_then(|n| ERRORS.get(usize::from(n)));
    Sampled::maybe_str(row.map(|(name, _)| name.as_bytes()))
}

fn error_words<'a>(number: Option<u16>) -> Sampled<'a> {
    let known = number.filter(|n| usize::from(*n) < ERRORS.len());
    Sampled::maybe_str(known.map(|number| connection_error(number).as_bytes()))
}

fn bc_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.upstream.map(|u| i64::from(u.error)))
}

fn bc_err_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    error_name(facts.upstream.map(|u| u.error))
}

fn bc_err_str<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    error_words(facts.upstream.map(|u| u.error))
}

fn fc_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.client.map(|c| i64::from(c.error)))
}

fn fc_err_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    error_name(facts.client.map(|c| c.error))
}

fn fc_err_str<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    error_words(facts.client.map(|c| c.error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, UpstreamFacts};
    use crate::sample::rig::yields_with;

    #[test]
    fn failures_have_haproxys_names() {
        let client = ClientFacts {
            error: 34,
            ..ClientFacts::default()
        };
        let upstream = UpstreamFacts::default();
        let facts = Facts {
            client: Some(&client),
            upstream: Some(&upstream),
            ..Facts::none()
        };
        for (text, want) in [
            ("fc_err", "34"),
            ("fc_err_name", "CO_ER_SSL_HANDSHAKE"),
            ("fc_err_str", "SSL handshake failure"),
            ("bc_err", "0"),
            ("bc_err_str", "Success"),
        ] {
            yields_with(&facts, text, want);
        }
    }
}
