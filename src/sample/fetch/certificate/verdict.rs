//! What became of verifying the client's certificate.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source::ClientConnection;
use crate::sample::row::Fetch;
use crate::value::Kind;

use super::client;

/// Of the client's certificate.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_c_ca_err",
        Kind::Int,
        ClientConnection,
        ca_err,
        "The first error above the client's certificate.",
    ),
    Fetch::once(
        "ssl_c_ca_err_depth",
        Kind::Int,
        ClientConnection,
        ca_err_depth,
        "The depth of that error.",
    ),
    Fetch::once(
        "ssl_c_err",
        Kind::Int,
        ClientConnection,
        leaf_err,
        "The error of the client's certificate itself.",
    ),
    Fetch::once(
        "ssl_c_used",
        Kind::Bool,
        ClientConnection,
        used,
        "Whether the client showed a certificate, on this connection or a resumed one.",
    ),
    Fetch::once(
        "ssl_c_verify",
        Kind::Int,
        ClientConnection,
        verify,
        "The result of verifying the client's certificate; 0 is good.",
    ),
];

fn used<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client(facts).is_some_and(|t| !t.peer_chain.is_empty()))
}

fn verify<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client(facts).map(|t| i64::from(t.verify)))
}

fn leaf_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client(facts).map(|t| i64::from(t.leaf_error)))
}

fn ca_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client(facts).map(|t| i64::from(t.ca_error)))
}

fn ca_err_depth<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client(facts).map(|t| i64::from(t.ca_error_depth)))
}

#[cfg(test)]
mod tests {
    use super::super::example::with_certificates;
    use crate::sample::rig::yields_with;

    #[test]
    fn the_result_is_told_by_number() {
        with_certificates(|facts| {
            for (text, want) in [
                ("ssl_c_used", "1"),
                ("ssl_c_verify", "18"),
                ("ssl_c_err", "18"),
                ("ssl_c_ca_err", "20"),
                ("ssl_c_ca_err_depth", "1"),
            ] {
                yields_with(facts, text, want);
            }
        });
    }
}
