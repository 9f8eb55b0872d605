//! What TLS settled, on the client's side (`ssl_fc_*`) and the server's (`ssl_bc_*`).
//!
//! A row of [`both_sides`] is one question about a connection and becomes two fetches, one for either end; what only a
//! client's hello can tell is `offer`'s.

/// Rows for both sides, a line each: what follows `ssl_fc` and `ssl_bc`, the kind, how the connection is looked at, one
/// sentence.
macro_rules! both_sides {
    ($($name:literal $kind:ident $look:ident, $doc:literal;)*) => {
        &[$(
            Fetch::once(
                concat!("ssl_fc", $name),
                Kind::$kind,
                Source::ClientConnection,
                |_, facts| $look(client(facts)),
                $doc,
            ),
            Fetch::once(
                concat!("ssl_bc", $name),
                Kind::$kind,
                Source::ServerConnection,
                |_, facts| $look(server(facts)),
                $doc,
            ),
        )*]
    };
}

pub(super) mod failure;
pub(super) mod offer;
#[cfg(test)]
mod rig;
pub(super) mod secret;
pub(super) mod session;

use crate::sample::facts::{Facts, TlsFacts};

/// A connection that speaks TLS, or none.
type Tls<'a> = Option<&'a TlsFacts>;

fn client<'a>(facts: &'a Facts<'a>) -> Tls<'a> {
    facts.client?.tls
}

fn server<'a>(facts: &'a Facts<'a>) -> Tls<'a> {
    facts.upstream?.tls.as_deref()
}
