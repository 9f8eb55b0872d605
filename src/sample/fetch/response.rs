//! The status line and what is known of the response beside its fields.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use super::request::number;
use Source::{Internal, ResponseHead, ResponseKept, Server};

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "res.cache_hit",
        Kind::Bool,
        Server,
        cache_hit,
        "Whether the response came from a cache.",
    ),
    Fetch::once(
        "res.cache_name",
        Kind::Str,
        Server,
        cache_name,
        "The name of that cache.",
    ),
    Fetch::once(
        "res.comp",
        Kind::Bool,
        ResponseKept,
        compressed,
        "Whether the proxy compresses the response.",
    ),
    Fetch::once(
        "res.comp_algo",
        Kind::Str,
        ResponseKept,
        algorithm,
        "The algorithm it uses.",
    ),
    Fetch::once(
        "res.ver",
        Kind::Str,
        ResponseHead,
        version,
        "The version: `1.0`, `1.1`.",
    ),
    Fetch::once(
        "resp_ver",
        Kind::Str,
        ResponseHead,
        version,
        "As `res.ver`.",
    ),
    Fetch::once(
        "server_status",
        Kind::Int,
        ResponseKept,
        status,
        "The status the server sent.",
    ),
    Fetch::once("status", Kind::Int, ResponseKept, status, "The status."),
    Fetch::once(
        "txn.status",
        Kind::Int,
        Internal,
        sent_status,
        "The status the client is sent.",
    ),
];

fn cache_hit<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(facts.exchange.is_some_and(|x| x.cache.is_some()))
}

fn cache_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(
        facts
            .exchange
            .and_then(|x| x.cache.as_ref())
            .map(|n| n.as_bytes()),
    )
}

fn compressed<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(facts.exchange.is_some_and(|x| x.compression.is_some()))
}

fn algorithm<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(
        facts
            .exchange
            .and_then(|x| x.compression)
            .map(str::as_bytes),
    )
}

fn version<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(facts.response.map(|head| number(head.version())))
}

fn status<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(facts.response.map(|head| i64::from(head.status().code())))
}

fn sent_status<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match facts.exchange.and_then(|x| x.status) {
        Some(code) => Sampled::int(i64::from(code)),
        None => status(args, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::ExchangeFacts;
    use crate::sample::rig::{absent, response, yields_with};

    #[test]
    fn what_is_known_of_the_response() {
        let head = response(404, "");
        let exchange = ExchangeFacts {
            cache: Some("c1".into()),
            compression: Some("gzip"),
            status: Some(503),
            ..ExchangeFacts::default()
        };
        let facts = Facts {
            response: Some(&head),
            exchange: Some(&exchange),
            ..Facts::none()
        };
        for (text, want) in [
            ("status", "404"),
            ("server_status", "404"),
            ("txn.status", "503"),
            ("res.ver", "1.1"),
            ("resp_ver", "1.1"),
            ("res.cache_hit", "1"),
            ("res.cache_name", "c1"),
            ("res.comp", "1"),
            ("res.comp_algo", "gzip"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("status");
    }
}
