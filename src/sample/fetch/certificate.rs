//! Certificates: the client's (`ssl_c_*`), the one shown to it (`ssl_f_*`), the server's (`ssl_s_*`).

use crate::codec::digest::Digest;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{Facts, TlsFacts};
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value};

use super::x509::{self, Certificate, Element, Elements};
use Source::{ClientConnection, ServerConnection};

const NAME: Spec = Spec::opt(&[Wants::Str, Wants::Int, Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "ssl_c_chain_der",
        Kind::Bin,
        ClientConnection,
        above_der,
        "The certificates above it that came along.",
    ),
    Fetch::once(
        "ssl_c_der",
        Kind::Bin,
        ClientConnection,
        client::der,
        "The certificate.",
    ),
    Fetch::once(
        "ssl_c_i_dn",
        Kind::Str,
        ClientConnection,
        client::i_dn,
        "The issuer's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_c_key_alg",
        Kind::Str,
        ClientConnection,
        client::key_alg,
        "The algorithm of the key.",
    ),
    Fetch::once(
        "ssl_c_notafter",
        Kind::Str,
        ClientConnection,
        client::notafter,
        "When it stops being valid.",
    ),
    Fetch::once(
        "ssl_c_notbefore",
        Kind::Str,
        ClientConnection,
        client::notbefore,
        "When it begins to be valid.",
    ),
    Fetch::once(
        "ssl_c_s_dn",
        Kind::Str,
        ClientConnection,
        client::s_dn,
        "The subject's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_c_serial",
        Kind::Bin,
        ClientConnection,
        client::serial,
        "The serial number.",
    ),
    Fetch::once(
        "ssl_c_sha1",
        Kind::Bin,
        ClientConnection,
        client::sha1,
        "The certificate's fingerprint.",
    ),
    Fetch::once(
        "ssl_c_sig_alg",
        Kind::Str,
        ClientConnection,
        client::sig_alg,
        "The algorithm of the signature.",
    ),
    Fetch::once(
        "ssl_c_version",
        Kind::Int,
        ClientConnection,
        client::version,
        "The version.",
    ),
    Fetch::once(
        "ssl_f_der",
        Kind::Bin,
        ClientConnection,
        own::der,
        "The certificate.",
    ),
    Fetch::once(
        "ssl_f_i_dn",
        Kind::Str,
        ClientConnection,
        own::i_dn,
        "The issuer's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_f_key_alg",
        Kind::Str,
        ClientConnection,
        own::key_alg,
        "The algorithm of the key.",
    ),
    Fetch::once(
        "ssl_f_notafter",
        Kind::Str,
        ClientConnection,
        own::notafter,
        "When it stops being valid.",
    ),
    Fetch::once(
        "ssl_f_notbefore",
        Kind::Str,
        ClientConnection,
        own::notbefore,
        "When it begins to be valid.",
    ),
    Fetch::once(
        "ssl_f_s_dn",
        Kind::Str,
        ClientConnection,
        own::s_dn,
        "The subject's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_f_serial",
        Kind::Bin,
        ClientConnection,
        own::serial,
        "The serial number.",
    ),
    Fetch::once(
        "ssl_f_sha1",
        Kind::Bin,
        ClientConnection,
        own::sha1,
        "The certificate's fingerprint.",
    ),
    Fetch::once(
        "ssl_f_sig_alg",
        Kind::Str,
        ClientConnection,
        own::sig_alg,
        "The algorithm of the signature.",
    ),
    Fetch::once(
        "ssl_f_version",
        Kind::Int,
        ClientConnection,
        own::version,
        "The version.",
    ),
    Fetch::once(
        "ssl_s_chain_der",
        Kind::Bin,
        ServerConnection,
        server::chain_der,
        "Every certificate of the chain.",
    ),
    Fetch::once(
        "ssl_s_der",
        Kind::Bin,
        ServerConnection,
        server::der,
        "The certificate.",
    ),
    Fetch::once(
        "ssl_s_i_dn",
        Kind::Str,
        ServerConnection,
        server::i_dn,
        "The issuer's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_s_key_alg",
        Kind::Str,
        ServerConnection,
        server::key_alg,
        "The algorithm of the key.",
    ),
    Fetch::once(
        "ssl_s_notafter",
        Kind::Str,
        ServerConnection,
        server::notafter,
        "When it stops being valid.",
    ),
    Fetch::once(
        "ssl_s_notbefore",
        Kind::Str,
        ServerConnection,
        server::notbefore,
        "When it begins to be valid.",
    ),
    Fetch::once(
        "ssl_s_s_dn",
        Kind::Str,
        ServerConnection,
        server::s_dn,
        "The subject's name, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_s_serial",
        Kind::Bin,
        ServerConnection,
        server::serial,
        "The serial number.",
    ),
    Fetch::once(
        "ssl_s_sha1",
        Kind::Bin,
        ServerConnection,
        server::sha1,
        "The certificate's fingerprint.",
    ),
    Fetch::once(
        "ssl_s_sig_alg",
        Kind::Str,
        ServerConnection,
        server::sig_alg,
        "The algorithm of the signature.",
    ),
    Fetch::once(
        "ssl_s_version",
        Kind::Int,
        ServerConnection,
        server::version,
        "The version.",
    ),
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
        "ssl_c_policies",
        Kind::Str,
        ClientConnection,
        policies,
        "The policies of the client's certificate.",
    )
    .with(Spec::opt(&[Wants::Str])),
    Fetch::once(
        "ssl_c_r_dn",
        Kind::Str,
        ClientConnection,
        root_name,
        "The name of the chain's root, whole or one entry of it.",
    )
    .with(NAME)
    .checked(check_name),
    Fetch::once(
        "ssl_c_san",
        Kind::Str,
        ClientConnection,
        san,
        "The other names of the client's certificate.",
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

macro_rules! side {
    ($side:ident, $facts:ident => $der:expr, [$($name:ident)*]) => {
        mod $side {
            use super::{Arg, Facts, Sampled};

            $(
                pub(super) fn $name<'a>(args: &'a [Arg], $facts: &'a Facts<'a>) -> Sampled<'a> {
                    super::$name($der, args)
                }
            )*
        }
    };
}

side!(client, facts => super::client_chain(facts), [
    der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version
]);
side!(own, facts => super::own_chain(facts), [
    der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version
]);
side!(server, facts => super::server_chain(facts), [
    chain_der der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version
]);

/// Certificates in DER, the leaf first.
enum Chain<'a> {
    Whole(&'a [Vec<u8>]),
    Leaf(&'a [u8]),
}

impl<'a> Chain<'a> {
    fn leaf(&self) -> Option<&'a [u8]> {
        match self {
            Chain::Whole(chain) => chain.first().map(Vec::as_slice),
            Chain::Leaf(der) => Some(der),
        }
    }
}

fn client_tls<'a>(facts: &'a Facts<'a>) -> Option<&'a TlsFacts> {
    facts.client?.tls.as_deref()
}

fn client_chain<'a>(facts: &'a Facts<'a>) -> Option<Chain<'a>> {
    Some(Chain::Whole(&client_tls(facts)?.peer_chain))
}

fn own_chain<'a>(facts: &'a Facts<'a>) -> Option<Chain<'a>> {
    Some(Chain::Leaf(client_tls(facts)?.own_cert.as_deref()?))
}

fn server_chain<'a>(facts: &'a Facts<'a>) -> Option<Chain<'a>> {
    Some(Chain::Whole(&facts.upstream?.tls.as_deref()?.peer_chain))
}

/// What `look` finds in the leaf.
fn leaf<'a>(
    chain: Option<Chain<'a>>,
    look: impl FnOnce(&Certificate<'a>) -> Option<Value<'a>>,
) -> Sampled<'a> {
    let certificate = chain.and_then(|c| c.leaf()).and_then(x509::read);
    Sampled::of(certificate.and_then(|c| look(&c)))
}

fn der<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    Sampled::of(chain.and_then(|c| c.leaf()).map(Value::bin))
}

fn chain_der<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    match chain {
        Some(Chain::Whole(chain)) if !chain.is_empty() => {
            Sampled::Got(Value::bytes(chain.concat()))
        }
        Some(_) | None => Sampled::Absent,
    }
}

/// What a client shows above its own certificate, which OpenSSL keeps apart on this side of a connection.
fn above_der<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let chain = client_tls(facts).and_then(|t| t.peer_chain.get(1..));
    match chain {
        Some(above) if !above.is_empty() => Sampled::Got(Value::bytes(above.concat())),
        Some(_) | None => Sampled::Absent,
    }
}

fn sha1<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    Sampled::of(chain.and_then(|c| c.leaf()).map(|der| {
        let mut out = Vec::new();
        Digest::Sha1.of(der, &mut out);
        Value::bytes(out)
    }))
}

fn serial<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| {
        let zero = c.serial.len() > 1 && c.serial[0] == 0;
        Some(Value::bin(&c.serial[usize::from(zero)..]))
    })
}

fn version<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::Int(c.version)))
}

fn key_alg<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::string(x509::algorithm(c.key))))
}

fn sig_alg<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::string(x509::algorithm(c.signature))))
}

fn notbefore<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::string(x509::date(c.not_before))))
}

fn notafter<'a>(chain: Option<Chain<'a>>, _: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| Some(Value::string(x509::date(c.not_after))))
}

fn s_dn<'a>(chain: Option<Chain<'a>>, args: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| name(c.subject, args))
}

fn i_dn<'a>(chain: Option<Chain<'a>>, args: &[Arg]) -> Sampled<'a> {
    leaf(chain, |c| name(c.issuer, args))
}

fn check_name(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    match args.text_or_empty(2) {
        b"" | b"rfc2253" => Ok(()),
        other => Err(format!(
            "only rfc2253 or a zero-length string are supported, got '{}'",
            String::from_utf8_lossy(other)
        )),
    }
}

/// A name as the arguments ask for it: one entry by its type and number, or the whole.
fn name<'a>(name: Elements<'_>, args: &[Arg]) -> Option<Value<'a>> {
    let parts = x509::parts(name);
    let wanted = args.text_or_empty(0);
    if !wanted.is_empty() {
        let number = args.int_or(1, 1);
        let mut found = parts.iter().filter(|p| p.kind().as_bytes() == wanted);
        let back = usize::try_from(number.unsigned_abs()).ok()?.max(1) - 1;
        let part = if number < 0 {
            found.collect::<Vec<_>>().into_iter().rev().nth(back)
        } else {
            found.nth(back)
        };
        return part.map(|p| Value::string(p.text()));
    }
    let text = |part: &x509::Part<'_>| [part.kind().as_bytes(), b"=", part.text()].concat();
    let texts: Vec<Vec<u8>> = parts.iter().map(text).collect();
    if args.text_or_empty(2) == b"rfc2253" {
        let reversed: Vec<&[u8]> = texts.iter().rev().map(Vec::as_slice).collect();
        return Some(Value::string(reversed.join(&b',')));
    }
    Some(Value::string(
        texts
            .iter()
            .flat_map(|t| [b"/", t.as_slice()].concat())
            .collect::<Vec<u8>>(),
    ))
}

fn root_name<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let chain = client_tls(facts).map_or(&[][..], |t| &t.peer_chain);
    let read: Vec<Certificate<'_>> = chain.iter().filter_map(|der| x509::read(der)).collect();
    let Some(mut top) = read.first() else {
        return Sampled::Absent;
    };
    // What came along need not lead up: each step looks for who issued the last.
    for _ in &read {
        let above = |other: &&Certificate<'_>| {
            other.subject.0 == top.issuer.0 && other.subject.0 != top.subject.0
        };
        match read.iter().find(above) {
            Some(issuer) => top = issuer,
            None => break,
        }
    }
    Sampled::of(name(top.issuer, args))
}

fn used<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(client_tls(facts).is_some_and(|t| !t.peer_chain.is_empty()))
}

fn verify<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client_tls(facts).map(|t| i64::from(t.verify)))
}

fn leaf_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client_tls(facts).map(|t| i64::from(t.leaf_error)))
}

fn ca_err<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client_tls(facts).map(|t| i64::from(t.ca_error)))
}

fn ca_err_depth<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(client_tls(facts).map(|t| i64::from(t.ca_error_depth)))
}

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];

/// One other name as OpenSSL shows it.
fn general_name(name: Element<'_>) -> String {
    let text = String::from_utf8_lossy(name.content);
    match (name.tag & 0x1f, name.content) {
        (1, _) => format!("email:{text}"),
        (2, _) => format!("DNS:{text}"),
        (6, _) => format!("URI:{text}"),
        (7, [a, b, c, d]) => format!("IP Address:{a}.{b}.{c}.{d}"),
        (7, bytes) => {
            let units = bytes
                .chunks_exact(2)
                .map(|c| u16::from_be_bytes([c[0], c[1]]));
            let texts: Vec<String> = units.map(|u| format!("{u:X}")).collect();
            format!("IP Address:{}", texts.join(":"))
        }
        (8, id) => format!("Registered ID:{}", x509::digits(id)),
        _ => "othername:<unsupported>".to_string(),
    }
}

fn san<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    leaf(client_chain(facts), |c| {
        let names = c.extension(SUBJECT_ALT_NAME)?.inner().map(general_name);
        Some(Value::string(names.collect::<Vec<_>>().join(", ")))
    })
}

fn policies<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    leaf(client_chain(facts), |c| {
        let list = c.extension(POLICIES)?.inner();
        let ids = list.filter_map(|p| Some(x509::digits(p.inner().next()?.content)));
        let ids: Vec<Vec<u8>> = ids.map(String::into_bytes).collect();
        Some(Value::string(ids.join(delimiter)))
    })
}

/// A certificate for tests.
#[cfg(test)]
pub(super) fn example() -> Vec<u8> {
    let text = "MIICMTCCAdagAwIBAgIUICR7qBI+R/7pV7BICF50zDWKjdkwCgYIKoZIzj0EAwIwUDELMAkGA1UEBhMCRlIxEDAOBg\
        NVBAoMB0V4YW1wbGUxCjAIBgNVBAsMAWExCjAIBgNVBAsMAWIxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMB4XDTI2\
        MTEyMjAwMzkwM1oXDTM2MTExOTAwMzkwM1owUDELMAkGA1UEBhMCRlIxEDAOBgNVBAoMB0V4YW1wbGUxCjAIBgNVBA\
        sMAWExCjAIBgNVBAsMAWIxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\
        PEB5KFmir19FEAiO0ZzJmP53hDoUZZiZjuHj/vq7m60v135Ma1rRSJpddXYnXt6MnOTwSD9GdN+v4+FTzL8M26OBjT\
        CBijAdBgNVHQ4EFgQUR/z8kLSER4paw9Lr/VUc0Ylve98wHwYDVR0jBBgwFoAUR/z8kLSER4paw9Lr/VUc0Ylve98w\
        DwYDVR0TAQH/BAUwAwEB/zAlBgNVHREEHjAcgglhLmV4YW1wbGWCCWIuZXhhbXBsZYcECgAAATAQBgNVHSAECTAHMA\
        UGAyoDBDAKBggqhkjOPQQDAgNJADBGAiEAjvzRzch6wvJObZowmlKDOWG5vxoIfmws0dj7UdjJY1gCIQC3KDmjm6QL\
        dxe/0o1myai+nbnfcATmbh4Q15mUKtVdkA==";
    crate::codec::base64::decode(text.as_bytes()).expect("base 64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{ClientFacts, UpstreamFacts};
    use crate::sample::rig::{absent, absent_with, bytes_of, refused, yields_with};

    #[test]
    fn certificates_of_every_side() {
        let tls = TlsFacts {
            peer_chain: vec![example()],
            own_cert: Some(example().into()),
            verify: 18,
            leaf_error: 18,
            ca_error: 20,
            ca_error_depth: 1,
            ..TlsFacts::default()
        };
        let client = ClientFacts {
            tls: Some(std::sync::Arc::new(tls.clone())),
            ..ClientFacts::default()
        };
        let upstream = UpstreamFacts {
            tls: Some(std::sync::Arc::new(tls)),
            ..UpstreamFacts::default()
        };
        let facts = Facts {
            client: Some(&client),
            upstream: Some(&upstream),
            ..Facts::none()
        };
        for side in ["c", "f", "s"] {
            for (rest, want) in [
                ("s_dn", "/C=FR/O=Example/OU=a/OU=b/CN=client.example"),
                ("s_dn(CN)", "client.example"),
                ("s_dn(OU,2)", "b"),
                ("s_dn(OU,-2)", "a"),
                (
                    "i_dn(,0,rfc2253)",
                    "CN=client.example,OU=b,OU=a,O=Example,C=FR",
                ),
                ("key_alg", "id-ecPublicKey"),
                ("sig_alg", "ecdsa-with-SHA256"),
                ("notbefore", "261122003903Z"),
                ("notafter", "361119003903Z"),
                ("version", "3"),
                ("serial,hex", "20247BA8123E47FEE957B048085E74CC358A8DD9"),
                ("sha1,hex", "D0AE560DFC42B18DFED532F7B3BC9A42421A3F57"),
            ] {
                yields_with(&facts, &format!("ssl_{side}_{rest}"), want);
            }
            assert_eq!(bytes_of(&facts, &format!("ssl_{side}_der")), example());
        }
        absent_with(&facts, "ssl_c_chain_der");
        for (text, want) in [
            ("ssl_c_used", "1"),
            ("ssl_c_verify", "18"),
            ("ssl_c_err", "18"),
            ("ssl_c_ca_err", "20"),
            ("ssl_c_ca_err_depth", "1"),
            (
                "ssl_c_san",
                "DNS:a.example, DNS:b.example, IP Address:10.0.0.1",
            ),
            ("ssl_c_policies", "1.2.3.4"),
            ("ssl_c_r_dn(CN)", "client.example"),
        ] {
            yields_with(&facts, text, want);
        }
        absent("ssl_c_s_dn");
        refused("ssl_c_s_dn(CN,1,foo)", "only rfc2253");
    }
}
