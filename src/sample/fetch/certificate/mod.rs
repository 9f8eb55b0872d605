//! Certificates: the client's (`ssl_c_*`), the one shown to it (`ssl_f_*`), the server's (`ssl_s_*`).
//!
//! They come as they were exchanged, in DER, and each fetch that looks inside reads anew. Whether a certificate is good
//! was settled by TLS; `verdict` tells the result.

/// Rows for each of the three, a line each: what makes the row, then what follows the prefix, the kind, how the chain
/// is looked at, one sentence.
macro_rules! each_certificate {
    ($make:path; $($name:literal $kind:ident $look:ident, $doc:literal;)*) => {
        &[$(
            $make(
                concat!("ssl_c_", $name),
                Kind::$kind,
                Source::ClientConnection,
                |args, facts| $look(Chain::of_client(facts), args),
                $doc,
            ),
            $make(
                concat!("ssl_f_", $name),
                Kind::$kind,
                Source::ClientConnection,
                |args, facts| $look(Chain::of_this_side(facts), args),
                $doc,
            ),
            $make(
                concat!("ssl_s_", $name),
                Kind::$kind,
                Source::ServerConnection,
                |args, facts| $look(Chain::of_server(facts), args),
                $doc,
            ),
        )*]
    };
}

pub(super) mod chain;
#[cfg(test)]
pub(super) mod example;
pub(super) mod extension;
pub(super) mod name;
pub(super) mod part;
pub(super) mod verdict;

use crate::sample::facts::{Facts, TlsFacts};

fn client<'a>(facts: &'a Facts<'a>) -> Option<&'a TlsFacts> {
    facts.client?.tls
}
