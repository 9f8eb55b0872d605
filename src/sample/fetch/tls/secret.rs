//! What was kept of the keys: the random bytes of both hellos and the secrets by their names, for those who decrypt a
//! capture.

use crate::codec::hex;
use crate::sample::expr::Sampled;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::{Tls, client, server};

/// Of both sides.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = both_sides! {
    "_client_random"                   Bin client_random,    "The client's random bytes.";
    "_server_random"                   Bin server_random,    "The server's random bytes.";
    "_client_early_traffic_secret"     Str early_traffic,    "The secret of this name, in hexadecimal.";
    "_client_handshake_traffic_secret" Str client_handshake, "The secret of this name, in hexadecimal.";
    "_client_traffic_secret_0"         Str client_traffic,   "The secret of this name, in hexadecimal.";
    "_early_exporter_secret"           Str early_exporter,   "The secret of this name, in hexadecimal.";
    "_exporter_secret"                 Str exporter,         "The secret of this name, in hexadecimal.";
    "_server_handshake_traffic_secret" Str server_handshake, "The secret of this name, in hexadecimal.";
    "_server_traffic_secret_0"         Str server_traffic,   "The secret of this name, in hexadecimal.";
};

fn client_random(tls: Tls<'_>) -> Sampled<'_> {
    let random = tls.and_then(|t| t.randoms.as_ref());
    Sampled::of(random.map(|(client, _)| Value::bin(client)))
}

fn server_random(tls: Tls<'_>) -> Sampled<'_> {
    let random = tls.and_then(|t| t.randoms.as_ref());
    Sampled::of(random.map(|(_, server)| Value::bin(server)))
}

fn secret<'a>(tls: Tls<'a>, label: &str) -> Sampled<'a> {
    let secrets = tls.map_or(&[][..], |t| &t.secrets);
    let found = secrets.iter().find(|(name, _)| *name == label);
    Sampled::of(found.map(|(_, bytes)| {
        let mut out = Vec::with_capacity(bytes.len() * 2);
        hex::encode_lower(bytes, &mut out);
        Value::string(out)
    }))
}

fn early_traffic(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "CLIENT_EARLY_TRAFFIC_SECRET")
}

fn client_handshake(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
}

fn server_handshake(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "SERVER_HANDSHAKE_TRAFFIC_SECRET")
}

fn client_traffic(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "CLIENT_TRAFFIC_SECRET_0")
}

fn server_traffic(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "SERVER_TRAFFIC_SECRET_0")
}

fn exporter(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "EXPORTER_SECRET")
}

fn early_exporter(tls: Tls<'_>) -> Sampled<'_> {
    secret(tls, "EARLY_EXPORTER_SECRET")
}

#[cfg(test)]
mod tests {
    use super::super::rig::with_both_sides;
    use crate::sample::rig::{absent, bytes_of, yields_with};

    #[test]
    fn what_was_kept_is_told() {
        with_both_sides(|facts| {
            yields_with(facts, "ssl_fc_exporter_secret", "ab");
            yields_with(facts, "ssl_bc_exporter_secret", "ab");
            assert_eq!(bytes_of(facts, "ssl_fc_client_random"), [1; 32]);
            assert_eq!(bytes_of(facts, "ssl_bc_server_random"), [2; 32]);
        });
        absent("ssl_bc_client_traffic_secret_0");
    }
}
