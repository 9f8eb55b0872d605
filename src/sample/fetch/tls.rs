//! What TLS settled, on the client's side (`ssl_fc_*`) and the server's (`ssl_bc_*`).

use crate::codec::{hash, hex};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, TlsFacts};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::hello::{self, ClientHello};
use Source::{ClientConnection, ServerConnection};

const FILTER: Spec = Spec::opt(&[Wants::Int]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_fc",
        Kind::Bool,
        ClientConnection,
        client::is_tls,
        "Whether the connection speaks TLS.",
    ),
    Fetch::once(
        "ssl_fc_alg_keysize",
        Kind::Int,
        ClientConnection,
        client::alg_keysize,
        "The key size of the cipher, bits.",
    ),
    Fetch::once(
        "ssl_fc_alpn",
        Kind::Str,
        ClientConnection,
        client::alpn,
        "The protocol ALPN settled.",
    ),
    Fetch::once(
        "ssl_fc_cipher",
        Kind::Str,
        ClientConnection,
        client::cipher,
        "The cipher suite.",
    ),
    Fetch::once(
        "ssl_fc_client_early_traffic_secret",
        Kind::Str,
        ClientConnection,
        client::early_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_client_handshake_traffic_secret",
        Kind::Str,
        ClientConnection,
        client::client_handshake,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_client_random",
        Kind::Bin,
        ClientConnection,
        client::client_random,
        "The client's random bytes.",
    ),
    Fetch::once(
        "ssl_fc_client_traffic_secret_0",
        Kind::Str,
        ClientConnection,
        client::client_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_curve",
        Kind::Str,
        ClientConnection,
        client::curve,
        "The key exchange group.",
    ),
    Fetch::once(
        "ssl_fc_early_exporter_secret",
        Kind::Str,
        ClientConnection,
        client::early_exporter,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_err",
        Kind::Int,
        ClientConnection,
        client::error,
        "The handshake's failure as a number.",
    ),
    Fetch::once(
        "ssl_fc_err_str",
        Kind::Str,
        ClientConnection,
        client::error_words,
        "The handshake's failure in words.",
    ),
    Fetch::once(
        "ssl_fc_exporter_secret",
        Kind::Str,
        ClientConnection,
        client::exporter,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_is_resumed",
        Kind::Bool,
        ClientConnection,
        client::is_resumed,
        "Whether the session was resumed.",
    ),
    Fetch::once(
        "ssl_fc_protocol",
        Kind::Str,
        ClientConnection,
        client::protocol,
        "The version of TLS.",
    ),
    Fetch::once(
        "ssl_fc_server_handshake_traffic_secret",
        Kind::Str,
        ClientConnection,
        client::server_handshake,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_server_random",
        Kind::Bin,
        ClientConnection,
        client::server_random,
        "The server's random bytes.",
    ),
    Fetch::once(
        "ssl_fc_server_traffic_secret_0",
        Kind::Str,
        ClientConnection,
        client::server_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_fc_sni",
        Kind::Str,
        ClientConnection,
        client::sni,
        "The server name that was asked for.",
    ),
    Fetch::once(
        "ssl_fc_use_keysize",
        Kind::Int,
        ClientConnection,
        client::use_keysize,
        "The key bits in use.",
    ),
    Fetch::once(
        "ssl_bc",
        Kind::Bool,
        ServerConnection,
        server::is_tls,
        "Whether the connection speaks TLS.",
    ),
    Fetch::once(
        "ssl_bc_alg_keysize",
        Kind::Int,
        ServerConnection,
        server::alg_keysize,
        "The key size of the cipher, bits.",
    ),
    Fetch::once(
        "ssl_bc_alpn",
        Kind::Str,
        ServerConnection,
        server::alpn,
        "The protocol ALPN settled.",
    ),
    Fetch::once(
        "ssl_bc_cipher",
        Kind::Str,
        ServerConnection,
        server::cipher,
        "The cipher suite.",
    ),
    Fetch::once(
        "ssl_bc_client_early_traffic_secret",
        Kind::Str,
        ServerConnection,
        server::early_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_client_handshake_traffic_secret",
        Kind::Str,
        ServerConnection,
        server::client_handshake,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_client_random",
        Kind::Bin,
        ServerConnection,
        server::client_random,
        "The client's random bytes.",
    ),
    Fetch::once(
        "ssl_bc_client_traffic_secret_0",
        Kind::Str,
        ServerConnection,
        server::client_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_curve",
        Kind::Str,
        ServerConnection,
        server::curve,
        "The key exchange group.",
    ),
    Fetch::once(
        "ssl_bc_early_exporter_secret",
        Kind::Str,
        ServerConnection,
        server::early_exporter,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_err",
        Kind::Int,
        ServerConnection,
        server::error,
        "The handshake's failure as a number.",
    ),
    Fetch::once(
        "ssl_bc_err_str",
        Kind::Str,
        ServerConnection,
        server::error_words,
        "The handshake's failure in words.",
    ),
    Fetch::once(
        "ssl_bc_exporter_secret",
        Kind::Str,
        ServerConnection,
        server::exporter,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_is_resumed",
        Kind::Bool,
        ServerConnection,
        server::is_resumed,
        "Whether the session was resumed.",
    ),
    Fetch::once(
        "ssl_bc_protocol",
        Kind::Str,
        ServerConnection,
        server::protocol,
        "The version of TLS.",
    ),
    Fetch::once(
        "ssl_bc_server_handshake_traffic_secret",
        Kind::Str,
        ServerConnection,
        server::server_handshake,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_server_random",
        Kind::Bin,
        ServerConnection,
        server::server_random,
        "The server's random bytes.",
    ),
    Fetch::once(
        "ssl_bc_server_traffic_secret_0",
        Kind::Str,
        ServerConnection,
        server::server_traffic,
        "The secret of this name, in hexadecimal.",
    ),
    Fetch::once(
        "ssl_bc_sni",
        Kind::Str,
        ServerConnection,
        server::sni,
        "The server name that was asked for.",
    ),
    Fetch::once(
        "ssl_bc_use_keysize",
        Kind::Int,
        ServerConnection,
        server::use_keysize,
        "The key bits in use.",
    ),
    Fetch::once(
        "ssl_fc_cipherlist_bin",
        Kind::Bin,
        ClientConnection,
        ciphers,
        "The cipher suites the client offered.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_cipherlist_hex",
        Kind::Str,
        ClientConnection,
        ciphers_hex,
        "The same in hexadecimal.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_cipherlist_str",
        Kind::Str,
        ClientConnection,
        ciphers_named,
        "The same by their names.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_cipherlist_xxh",
        Kind::Int,
        ClientConnection,
        ciphers_hashed,
        "The hash of the same.",
    ),
    Fetch::once(
        "ssl_fc_crtname",
        Kind::Str,
        ClientConnection,
        own_name,
        "The name of the certificate that was shown.",
    ),
    Fetch::once(
        "ssl_fc_early_rcvd",
        Kind::Bool,
        ClientConnection,
        early,
        "Whether early data was received.",
    ),
    Fetch::once(
        "ssl_fc_ecformats_bin",
        Kind::Bin,
        ClientConnection,
        point_formats,
        "The point formats the client offered.",
    ),
    Fetch::once(
        "ssl_fc_eclist_bin",
        Kind::Bin,
        ClientConnection,
        groups,
        "The groups the client offered.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_extlist_bin",
        Kind::Bin,
        ClientConnection,
        extensions,
        "The types of the client's extensions.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_has_crt",
        Kind::Bool,
        ClientConnection,
        has_certificate,
        "Whether the client showed a certificate on this connection.",
    ),
    Fetch::once(
        "ssl_fc_has_early",
        Kind::Bool,
        ClientConnection,
        early,
        "Whether early data was received before the handshake ended.",
    ),
    Fetch::once(
        "ssl_fc_has_sni",
        Kind::Bool,
        ClientConnection,
        has_sni,
        "Whether the client asked for a server name.",
    ),
    Fetch::once(
        "ssl_fc_protocol_hello_id",
        Kind::Int,
        ClientConnection,
        hello_version,
        "The version of the client's hello.",
    ),
    Fetch::once(
        "ssl_fc_sigalgs_bin",
        Kind::Bin,
        ClientConnection,
        signatures,
        "The signature algorithms the client offered.",
    )
    .with(FILTER),
    Fetch::once(
        "ssl_fc_supported_versions_bin",
        Kind::Bin,
        ClientConnection,
        versions,
        "The versions the client offered.",
    )
    .with(FILTER),
];

macro_rules! side {
    ($side:ident, $facts:ident => $tls:expr, [$($name:ident)*]) => {
        mod $side {
            use super::{Arg, Facts, Sampled};

            $(
                pub(super) fn $name<'a>(_: &'a [Arg], $facts: &'a Facts<'a>) -> Sampled<'a> {
                    super::$name($tls)
                }
            )*
        }
    };
}

side!(client, facts => facts.client.and_then(|c| c.tls.as_deref()), [
    is_tls alg_keysize alpn cipher early_traffic client_handshake client_random client_traffic curve early_exporter error error_words exporter is_resumed protocol server_handshake server_random server_traffic sni use_keysize
]);
side!(server, facts => facts.upstream.and_then(|u| u.tls.as_deref()), [
    is_tls alg_keysize alpn cipher early_traffic client_handshake client_random client_traffic curve early_exporter error error_words exporter is_resumed protocol server_handshake server_random server_traffic sni use_keysize
]);

type Tls<'a> = Option<&'a TlsFacts>;

fn is_tls(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::truth(tls.is_some())
}

fn alg_keysize(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_int(tls.map(|t| i64::from(t.cipher_bits)))
}

fn use_keysize(tls: Tls<'_>) -> Sampled<'_> {
    alg_keysize(tls)
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

fn error(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_int(tls.map(|t| i64::from(t.error)))
}

fn error_words(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::of(tls.map(|t| match t.error {
        0 => Value::str(b"error:00000000:lib(0)::reason(0)"),
        other => Value::string(format!("error:{other:08X}:SSL routines::{}", reason(other))),
    }))
}

/// OpenSSL's words for the reason in the lower bits of a failure's number.
fn reason(number: u32) -> String {
    const LIBRARY_BITS: u32 = 23;
    const REASONS: &[(u32, &str)] = &[
        (101, "no suitable key share"),
        (118, "no suitable signature algorithm"),
        (134, "certificate verify failed"),
        (146, "data length too long"),
        (147, "decryption failed or bad record mac"),
        (156, "http request"),
        (159, "length mismatch"),
        (193, "no shared cipher"),
        (199, "peer did not return a certificate"),
        (234, "callback failed"),
        (235, "no application protocol"),
        (244, "unexpected message"),
        (258, "unsupported protocol"),
        (267, "wrong version number"),
        (1010, "sslv3 alert unexpected message"),
        (1020, "sslv3 alert bad record mac"),
        (1040, "sslv3 alert handshake failure"),
        (1042, "sslv3 alert bad certificate"),
        (1043, "sslv3 alert unsupported certificate"),
        (1044, "sslv3 alert certificate revoked"),
        (1045, "sslv3 alert certificate expired"),
        (1046, "sslv3 alert certificate unknown"),
        (1047, "sslv3 alert illegal parameter"),
        (1048, "tlsv1 alert unknown ca"),
        (1049, "tlsv1 alert access denied"),
        (1050, "tlsv1 alert decode error"),
        (1051, "tlsv1 alert decrypt error"),
        (1070, "tlsv1 alert protocol version"),
        (1071, "tlsv1 alert insufficient security"),
        (1080, "tlsv1 alert internal error"),
        (1112, "tlsv1 unrecognized name"),
        (1116, "tlsv13 alert certificate required"),
        (1120, "tlsv1 alert no application protocol"),
    ];
    let number = number & ((1 << LIBRARY_BITS) - 1);
    match REASONS.iter().find(|(known, _)| *known == number) {
        Some((_, words)) => (*words).to_owned(),
        None => format!("reason({number})"),
    }
}

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

fn client_tls<'a>(facts: &'a Facts<'a>) -> Tls<'a> {
    facts.client?.tls.as_deref()
}

fn own_name<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let name = client_tls(facts).and_then(|t| t.own_name.as_ref());
    Sampled::maybe_str(name.map(|n| n.as_bytes()))
}

fn early<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client_tls(facts).is_some_and(|t| t.early))
}

fn has_certificate<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client_tls(facts).is_some_and(|t| !t.peer_chain.is_empty() && !t.resumed))
}

fn has_sni<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client_tls(facts).is_some_and(|t| t.sni.is_some()))
}

/// The client's hello, when it was kept.
fn kept<'a>(facts: &'a Facts<'a>) -> Option<ClientHello<'a>> {
    hello::read(client_tls(facts)?.hello.as_deref()?)
}

/// Numbers of two bytes, without the meaningless ones of RFC 8701 if the argument asks for it.
fn numbers<'a>(list: Option<&'a [u8]>, args: &[Arg]) -> Option<Value<'a>> {
    let list = list?;
    if args.int_or(0, 0) == 0 {
        return Some(Value::bin(list));
    }
    let meant = list
        .chunks_exact(2)
        .filter(|n| n[0] != n[1] || n[0] & 0x0f != 0x0a);
    Some(Value::bytes(meant.flatten().copied().collect::<Vec<u8>>()))
}

fn ciphers<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(kept(facts).map(|h| h.ciphers), args))
}

fn ciphers_hex<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = numbers(kept(facts).map(|h| h.ciphers), args);
    Sampled::of(list.map(|list| {
        let mut out = Vec::new();
        hex::encode(list.as_bytes().unwrap_or_default(), &mut out);
        Value::string(out)
    }))
}

fn ciphers_hashed<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = kept(facts).map(|h| h.ciphers);
    Sampled::maybe_int(list.map(|list| hash::xxh64(list, 0).cast_signed()))
}

fn ciphers_named<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = numbers(kept(facts).map(|h| h.ciphers), args);
    Sampled::of(list.map(|list| {
        let numbers = list.as_bytes().unwrap_or_default().chunks_exact(2);
        let names: Vec<String> = numbers
            .map(|n| cipher_name(u16::from_be_bytes([n[0], n[1]])))
            .collect();
        Value::string(names.join(","))
    }))
}

fn cipher_name(number: u16) -> String {
    match CIPHERS.iter().find(|(n, _)| *n == number) {
        Some((_, name)) => (*name).to_string(),
        None => format!("UNKNOWN({number:04x})"),
    }
}

/// Cipher suites by the names OpenSSL gives them.
const CIPHERS: &[(u16, &str)] = &[
    (0x000a, "DES-CBC3-SHA"),
    (0x002f, "AES128-SHA"),
    (0x0033, "DHE-RSA-AES128-SHA"),
    (0x0035, "AES256-SHA"),
    (0x0039, "DHE-RSA-AES256-SHA"),
    (0x003c, "AES128-SHA256"),
    (0x003d, "AES256-SHA256"),
    (0x0067, "DHE-RSA-AES128-SHA256"),
    (0x006b, "DHE-RSA-AES256-SHA256"),
    (0x009c, "AES128-GCM-SHA256"),
    (0x009d, "AES256-GCM-SHA384"),
    (0x009e, "DHE-RSA-AES128-GCM-SHA256"),
    (0x009f, "DHE-RSA-AES256-GCM-SHA384"),
    (0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1304, "TLS_AES_128_CCM_SHA256"),
    (0x5600, "TLS_FALLBACK_SCSV"),
    (0xc009, "ECDHE-ECDSA-AES128-SHA"),
    (0xc00a, "ECDHE-ECDSA-AES256-SHA"),
    (0xc013, "ECDHE-RSA-AES128-SHA"),
    (0xc014, "ECDHE-RSA-AES256-SHA"),
    (0xc023, "ECDHE-ECDSA-AES128-SHA256"),
    (0xc024, "ECDHE-ECDSA-AES256-SHA384"),
    (0xc027, "ECDHE-RSA-AES128-SHA256"),
    (0xc028, "ECDHE-RSA-AES256-SHA384"),
    (0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (0xc02f, "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xc030, "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xcca8, "ECDHE-RSA-CHACHA20-POLY1305"),
    (0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (0xccaa, "DHE-RSA-CHACHA20-POLY1305"),
];

const EXT_GROUPS: u16 = 10;
const EXT_POINT_FORMATS: u16 = 11;
const EXT_SIGNATURES: u16 = 13;
const EXT_VERSIONS: u16 = 43;

fn groups<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(kept(facts).and_then(|h| h.list(EXT_GROUPS)), args))
}

fn signatures<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(
        kept(facts).and_then(|h| h.list(EXT_SIGNATURES)),
        args,
    ))
}

/// The content of an extension after its length of one byte.
fn short_list<'a>(facts: &'a Facts<'a>, kind: u16) -> Option<&'a [u8]> {
    let (len, list) = kept(facts)?.extension(kind)?.split_first()?;
    list.get(..usize::from(*len))
}

fn point_formats<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(short_list(facts, EXT_POINT_FORMATS).map(Value::bin))
}

fn versions<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(short_list(facts, EXT_VERSIONS), args))
}

fn extensions<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let types = kept(facts).map(|h| {
        let types = h.each().flat_map(|(kind, _)| kind.to_be_bytes());
        types.collect::<Vec<u8>>()
    });
    Sampled::of(types.and_then(|t| {
        let owned = numbers(Some(&t), args)?.into_owned();
        Some(owned)
    }))
}

fn hello_version<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(kept(facts).map(|h| {
        let (major, minor) = h.version;
        i64::from(major) << 8 | i64::from(minor)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, UpstreamFacts};
    use crate::sample::rig::{absent, bytes_of, yields, yields_with};

    fn settled() -> std::sync::Arc<TlsFacts> {
        std::sync::Arc::new(TlsFacts {
            version: "TLSv1.3",
            cipher: "TLS_AES_128_GCM_SHA256",
            cipher_bits: 128,
            sni: Some(b"a.example".to_vec()),
            alpn: Some(b"http/1.1".to_vec()),
            curve: Some("X25519"),
            resumed: false,
            peer_chain: vec![vec![1]],
            own_name: Some("site.pem".into()),
            hello: hello::example().get(9..).map(<[u8]>::to_vec),
            randoms: Some(([1; 32], [2; 32])),
            secrets: vec![("EXPORTER_SECRET", vec![0xab])],
            ..TlsFacts::default()
        })
    }

    #[test]
    fn both_sides() {
        let client = ClientFacts {
            tls: Some(settled()),
            ..ClientFacts::default()
        };
        let upstream = UpstreamFacts {
            tls: Some(settled()),
            ..UpstreamFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            upstream: Some(&upstream),
            ..Facts::none()
        };
        for (rest, want) in [
            ("", "1"),
            ("_alg_keysize", "128"),
            ("_use_keysize", "128"),
            ("_alpn", "http/1.1"),
            ("_cipher", "TLS_AES_128_GCM_SHA256"),
            ("_curve", "X25519"),
            ("_err", "0"),
            ("_err_str", "error:00000000:lib(0)::reason(0)"),
            ("_exporter_secret", "ab"),
            ("_is_resumed", "0"),
            ("_protocol", "TLSv1.3"),
            ("_sni", "a.example"),
        ] {
            yields_with(&facts, &format!("ssl_fc{rest}"), want);
            yields_with(&facts, &format!("ssl_bc{rest}"), want);
        }
        assert_eq!(bytes_of(&facts, "ssl_fc_client_random"), [1; 32]);
        assert_eq!(bytes_of(&facts, "ssl_bc_server_random"), [2; 32]);
        yields("ssl_fc", "0");
        absent("ssl_fc_sni");
        absent("ssl_bc_client_traffic_secret_0");
    }

    #[test]
    fn the_clients_hello() {
        let client = ClientFacts {
            tls: Some(settled()),
            ..ClientFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            ..Facts::none()
        };
        for (text, want) in [
            ("ssl_fc_cipherlist_hex", "1301C02F"),
            (
                "ssl_fc_cipherlist_str",
                "TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256",
            ),
            ("ssl_fc_crtname", "site.pem"),
            ("ssl_fc_early_rcvd", "0"),
            ("ssl_fc_has_early", "0"),
            ("ssl_fc_has_crt", "1"),
            ("ssl_fc_has_sni", "1"),
            ("ssl_fc_protocol_hello_id", "771"),
        ] {
            yields_with(&facts, text, want);
        }
        assert_eq!(
            bytes_of(&facts, "ssl_fc_cipherlist_bin(1)"),
            [0x13, 1, 0xc0, 0x2f]
        );
        assert_eq!(bytes_of(&facts, "ssl_fc_eclist_bin"), [0, 29, 0, 23]);
        assert_eq!(bytes_of(&facts, "ssl_fc_sigalgs_bin"), [4, 3]);
        assert_eq!(
            bytes_of(&facts, "ssl_fc_supported_versions_bin"),
            [3, 4, 3, 3]
        );
        assert_eq!(bytes_of(&facts, "ssl_fc_extlist_bin")[..4], [0, 0, 0, 10]);
        absent("ssl_fc_ecformats_bin");
        absent("ssl_fc_cipherlist_xxh");
    }
}
