//! Chains: where the certificates of each side are, and the fetches that yield them whole.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source::{ClientConnection, ServerConnection};
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};
use crate::x509::Certificate;

use super::client;

/// This side's chain is not kept: there is none of `ssl_f_`.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_c_chain_der",
        Kind::Bin,
        ClientConnection,
        above_client,
        "The certificates above it that came along.",
    ),
    Fetch::once(
        "ssl_s_chain_der",
        Kind::Bin,
        ServerConnection,
        whole_of_server,
        "Every certificate of the chain.",
    ),
];

/// Certificates in DER, the leaf first.
pub(super) enum Chain<'a> {
    Whole(&'a [Vec<u8>]),
    Leaf(&'a [u8]),
}

impl<'a> Chain<'a> {
    /// What the client showed.
    pub(super) fn of_client(facts: &'a Facts<'a>) -> Option<Self> {
        Some(Chain::Whole(&client(facts)?.peer_chain))
    }

    /// What the client was shown.
    pub(super) fn of_this_side(facts: &'a Facts<'a>) -> Option<Self> {
        Some(Chain::Leaf(client(facts)?.own_cert.as_deref()?))
    }

    /// What the server showed.
    pub(super) fn of_server(facts: &'a Facts<'a>) -> Option<Self> {
        Some(Chain::Whole(&facts.upstream?.tls.as_deref()?.peer_chain))
    }

    /// The certificate of the side itself.
    pub(super) fn leaf(&self) -> Option<&'a [u8]> {
        match self {
            Chain::Whole(chain) => chain.first().map(Vec::as_slice),
            Chain::Leaf(der) => Some(der),
        }
    }
}

/// What `look` finds in the leaf.
pub(super) fn leaf<'a>(
    chain: Option<Chain<'a>>,
    look: impl FnOnce(&Certificate<'a>) -> Option<Value<'a>>,
) -> Sampled<'a> {
    let certificate = chain.and_then(|c| c.leaf()).and_then(Certificate::read);
    Sampled::of(certificate.and_then(|c| look(&c)))
}

/// What a client shows above its own certificate, which OpenSSL keeps apart on this side of a connection.
fn above_client<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    joined(client(facts).and_then(|t| t.peer_chain.get(1..)))
}

fn whole_of_server<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let tls = facts.upstream.and_then(|u| u.tls.as_deref());
    joined(tls.map(|t| t.peer_chain.as_slice()))
}

fn joined<'a>(chain: Option<&[Vec<u8>]>) -> Sampled<'a> {
    let chain = chain.filter(|chain| !chain.is_empty());
    Sampled::of(chain.map(|chain| Value::bytes(chain.concat())))
}

#[cfg(test)]
mod tests {
    use super::super::example::{example, with_certificates};
    use crate::sample::rig::{absent, absent_with, bytes_of};

    #[test]
    fn a_chain_is_what_came_along() {
        with_certificates(|facts| {
            absent_with(facts, "ssl_c_chain_der");
            assert_eq!(bytes_of(facts, "ssl_s_chain_der"), example());
        });
        absent("ssl_s_chain_der");
    }
}
