//! The session: its version, cipher, names, and whether it was resumed; of the client's, what it showed and sent early.

use crate::sample::arg::Arg;
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::Kind;

use super::{Tls, client, server};

/// Of both sides.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = both_sides! {
    ""             Bool is_tls,     "Whether the connection speaks TLS.";
    "_alg_keysize" Int  key_bits,   "The key size of the cipher, bits.";
    "_alpn"        Str  alpn,       "The protocol ALPN settled.";
    "_cipher"      Str  cipher,     "The cipher suite.";
    "_curve"       Str  curve,      "The key exchange group.";
    "_is_resumed"  Bool is_resumed, "Whether the session was resumed.";
    "_protocol"    Str  protocol,   "The version of TLS.";
    "_sni"         Str  sni,        "The server name that was asked for.";
    "_use_keysize" Int  key_bits,   "The key bits in use.";
};

/// Of the client's side alone.
pub(in crate::sample::fetch) const CLIENT_ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_fc_crtname",
        Kind::Str,
        Source::ClientConnection,
        own_name,
        "The name of the certificate that was shown.",
    ),
    Fetch::once(
        "ssl_fc_early_rcvd",
        Kind::Bool,
        Source::ClientConnection,
        early,
        "Whether early data was received.",
    ),
    Fetch::once(
        "ssl_fc_has_crt",
        Kind::Bool,
        Source::ClientConnection,
        has_certificate,
        "Whether the client showed a certificate on this connection.",
    ),
    Fetch::once(
        "ssl_fc_has_early",
        Kind::Bool,
        Source::ClientConnection,
        early,
        "Whether early data was received before the handshake ended.",
    ),
    Fetch::once(
        "ssl_fc_has_sni",
        Kind::Bool,
        Source::ClientConnection,
        has_sni,
        "Whether the client asked for a server name.",
    ),
];

fn is_tls(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::truth(tls.is_some())
}

fn key_bits(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_int(tls.map(|t| i64::from(t.cipher_bits)))
}

fn alpn(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_str(tls.and_then(|t| t.alpn.as_deref()))
}

fn cipher(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_str(tls.map(|t| t.cipher.as_bytes()))
}

fn curve(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_str(tls.and_then(|t| t.curve).map(str::as_bytes))
}

fn protocol(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_str(tls.map(|t| t.version.as_bytes()))
}

fn sni(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_str(tls.and_then(|t| t.sni.as_deref()))
}

fn is_resumed(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::truth(tls.is_some_and(|t| t.resumed))
}

fn own_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let name = client(facts).and_then(|t| t.own_name.as_ref());
    Sampled::maybe_str(name.map(|n| n.as_bytes()))
}

fn early<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client(facts).is_some_and(|t| t.early))
}

fn has_certificate<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client(facts).is_some_and(|t| !t.peer_chain.is_empty() && !t.resumed))
}

fn has_sni<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client(facts).is_some_and(|t| t.sni.is_some()))
}

#[cfg(test)]
mod tests {
    use super::super::rig::with_both_sides;
    use crate::sample::rig::{absent, yields, yields_with};

    #[test]
    fn both_sides_tell_what_was_settled() {
        with_both_sides(|facts| {
            for (rest, want) in [
                ("", "1"),
                ("_alg_keysize", "128"),
                ("_use_keysize", "128"),
                ("_alpn", "http/1.1"),
                ("_cipher", "TLS_AES_128_GCM_SHA256"),
                ("_curve", "X25519"),
                ("_is_resumed", "0"),
                ("_protocol", "TLSv1.3"),
                ("_sni", "a.example"),
            ] {
                yields_with(facts, &format!("ssl_fc{rest}"), want);
                yields_with(facts, &format!("ssl_bc{rest}"), want);
            }
        });
        yields("ssl_fc", "0");
        absent("ssl_fc_sni");
    }

    #[test]
    fn the_client_showed_and_was_shown() {
        with_both_sides(|facts| {
            for (text, want) in [
                ("ssl_fc_crtname", "site.pem"),
                ("ssl_fc_early_rcvd", "0"),
                ("ssl_fc_has_early", "0"),
                ("ssl_fc_has_crt", "1"),
                ("ssl_fc_has_sni", "1"),
            ] {
                yields_with(facts, text, want);
            }
        });
    }
}
