//! What the client offered in its hello: cipher suites, groups, versions, extensions.
//!
//! The hello is kept where the site's `tune.ssl.capture-buffer-size` gives it room; else these fetches yield nothing.

use crate::codec::{hash, hex};
use crate::proto::hello::Hello;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source::ClientConnection;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::client;

const FILTER: Spec = Spec::opt(&[Wants::Int]);

/// Of the client's side.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = &[
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

/// The client's hello, when it was kept.
fn kept<'a>(facts: &'a Facts<'a>) -> Option<Hello<'a>> {
    Hello::read(client(facts)?.hello.as_deref()?)
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
    Sampled::of(numbers(kept(facts).map(|h| h.suites()), args))
}

fn ciphers_hex<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = numbers(kept(facts).map(|h| h.suites()), args);
    Sampled::of(list.map(|list| {
        let mut out = Vec::new();
        hex::encode(list.as_bytes().unwrap_or_default(), &mut out);
        Value::string(out)
    }))
}

fn ciphers_hashed<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = kept(facts).map(|h| h.suites());
    Sampled::maybe_int(list.map(|list| hash::xxh64(list, 0).cast_signed()))
}

fn ciphers_named<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let list = numbers(kept(facts).map(|h| h.suites()), args);
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

fn groups<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(kept(facts).and_then(|h| h.groups()), args))
}

fn signatures<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(kept(facts).and_then(|h| h.signatures()), args))
}

fn point_formats<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let formats = kept(facts).and_then(|h| h.point_formats());
    Sampled::of(formats.map(Value::bin))
}

fn versions<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(numbers(kept(facts).and_then(|h| h.versions()), args))
}

fn extensions<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let types = kept(facts).map(|h| {
        let types = h.extensions().flat_map(|(kind, _)| kind.to_be_bytes());
        types.collect::<Vec<u8>>()
    });
    Sampled::of(types.and_then(|t| {
        let owned = numbers(Some(&t), args)?.into_owned();
        Some(owned)
    }))
}

fn hello_version<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(kept(facts).map(|h| i64::from(h.version())))
}

#[cfg(test)]
mod tests {
    use super::super::rig::with_both_sides;
    use crate::sample::rig::{absent, bytes_of, yields_with};

    #[test]
    fn the_clients_hello() {
        with_both_sides(|facts| {
            for (text, want) in [
                ("ssl_fc_cipherlist_hex", "1301C02F"),
                (
                    "ssl_fc_cipherlist_str",
                    "TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256",
                ),
                ("ssl_fc_protocol_hello_id", "771"),
            ] {
                yields_with(facts, text, want);
            }
            assert_eq!(
                bytes_of(facts, "ssl_fc_cipherlist_bin(1)"),
                [0x13, 1, 0xc0, 0x2f]
            );
            assert_eq!(bytes_of(facts, "ssl_fc_eclist_bin"), [0, 29, 0, 23]);
            assert_eq!(bytes_of(facts, "ssl_fc_sigalgs_bin"), [4, 3]);
            assert_eq!(
                bytes_of(facts, "ssl_fc_supported_versions_bin"),
                [3, 4, 3, 3]
            );
            assert_eq!(bytes_of(facts, "ssl_fc_extlist_bin")[..4], [0, 0, 0, 10]);
        });
        absent("ssl_fc_ecformats_bin");
        absent("ssl_fc_cipherlist_xxh");
    }
}
