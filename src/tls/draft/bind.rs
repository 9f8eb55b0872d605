//! The rows of `bind` lines, and those of them that may differ by certificate.

use super::{BindDraft, Verify, bound, only, protocols, set, word};
use crate::lang::{Cursor, Diag, Env, Keyword, Parse, Sections, Word};
use crate::tls::offer::Version;
use crate::tls::verdict::Borne;

/// The rows of `bind` lines.
pub const BIND_KEYWORDS: &[Keyword<BindDraft>] = &[
    bind("allow-0rtt", "", "Takes early data of clients.", |_, b| {
        b.early_data = true;
        Ok(())
    }),
    bind(
        "alpn",
        "<protocols>",
        "The protocols offered for negotiation, of which sluice speaks HTTP/1.",
        |cur, b| {
            b.alpn = Some(protocols(cur)?);
            b.no_alpn = false;
            Ok(())
        },
    ),
    bind(
        "ca-file",
        "<cafile>",
        "The authorities that clients' certificates must come from.",
        |cur, b| word(cur, &mut b.ca_file),
    ),
    bind(
        "ca-ignore-err",
        "[all|<errors>]",
        "Faults of authorities' certificates that are borne.",
        |cur, b| borne(cur, &mut b.ca_borne),
    ),
    bind(
        "ca-sign-file",
        "<cafile>",
        "The certificate and key of the authority that certificates are made by.",
        |cur, b| word(cur, &mut b.sign_file),
    ),
    bind(
        "ca-sign-pass",
        "<passphrase>",
        "The passphrase of that key; sluice reads keys without one only.",
        |cur, _| cur.expect("a passphrase").map(|_| ()),
    ),
    bind(
        "ca-verify-file",
        "<cafile>",
        "More authorities, of whose names clients are not told.",
        |cur, b| word(cur, &mut b.ca_verify_file),
    ),
    bind(
        "ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2.",
        |cur, b| word(cur, &mut b.offer.ciphers),
    ),
    bind(
        "ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3.",
        |cur, b| word(cur, &mut b.offer.ciphersuites),
    ),
    bind(
        "client-sigalgs",
        "<sigalgs>",
        "The ways in which clients may sign.",
        |cur, b| word(cur, &mut b.offer.client_sigalgs),
    ),
    bind(
        "crl-file",
        "<crlfile>",
        "The certificates of clients that are no good any more.",
        |cur, b| word(cur, &mut b.crl_file),
    ),
    bind(
        "crt",
        "<cert>",
        "A certificate with its key, or a directory of them.",
        |cur, b| {
            b.crts.push(cur.expect("certificate location")?.clone());
            Ok(())
        },
    ),
    bind(
        "crt-ignore-err",
        "[all|<errors>]",
        "Faults of clients' certificates that are borne.",
        |cur, b| borne(cur, &mut b.crt_borne),
    ),
    bind(
        "crt-list",
        "<file>",
        "A file that lists certificates and the names they are for.",
        |cur, b| {
            b.lists.push(cur.expect("certificate location")?.clone());
            Ok(())
        },
    ),
    bind(
        "curves",
        "<curves>",
        "The groups for key exchange.",
        |cur, b| word(cur, &mut b.offer.curves),
    ),
    bind(
        "default-crt",
        "<cert>",
        "A certificate for clients that ask for no known name.",
        |cur, b| {
            b.defaults.push(cur.expect("certificate location")?.clone());
            Ok(())
        },
    ),
    bind(
        "ecdhe",
        "<curve>",
        "The group for key exchange; `curves` in old files.",
        |cur, b| word(cur, &mut b.offer.curves),
    ),
    bind("force-tlsv12", "", "Speaks TLS 1.2 only.", |_, b| {
        only(&mut b.offer, Version::Tls12)
    }),
    bind("force-tlsv13", "", "Speaks TLS 1.3 only.", |_, b| {
        only(&mut b.offer, Version::Tls13)
    }),
    bind(
        "generate-certificates",
        "",
        "Makes certificates for names that none is for.",
        |_, b| {
            b.forges = true;
            Ok(())
        },
    ),
    bind("no-alpn", "", "Negotiates no protocol.", |_, b| {
        (b.no_alpn, b.alpn) = (true, None);
        Ok(())
    }),
    bind(
        "no-ca-names",
        "",
        "Tells clients no names of authorities.",
        |_, b| {
            b.no_ca_names = true;
            Ok(())
        },
    ),
    bind("no-strict-sni", "", "Takes back `strict-sni`.", |_, b| {
        b.strict_sni = false;
        Ok(())
    }),
    bind("no-sslv3", "", "SSLv3 is never spoken.", |_, _| Ok(())),
    bind("no-tlsv10", "", "TLS 1.0 is never spoken.", |_, _| Ok(())),
    bind("no-tlsv11", "", "TLS 1.1 is never spoken.", |_, _| Ok(())),
    bind(
        "no-tls-tickets",
        "",
        "Remembers sessions instead of handing out tickets.",
        |_, b| set(&mut b.offer.no_tickets, true),
    ),
    bind("no-tlsv12", "", "Speaks TLS 1.3 only.", |_, b| {
        set(&mut b.offer.min, Version::Tls13)
    }),
    bind("no-tlsv13", "", "Speaks TLS 1.2 only.", |_, b| {
        set(&mut b.offer.max, Version::Tls12)
    }),
    bind(
        "prefer-client-ciphers",
        "",
        "The client's order of cipher suites decides.",
        |_, b| set(&mut b.offer.client_order, true),
    ),
    bind(
        "sigalgs",
        "<sigalgs>",
        "The ways in which certificates are signed with.",
        |cur, b| word(cur, &mut b.offer.sigalgs),
    ),
    bind("ssl", "", "Speaks TLS with clients.", |_, b| {
        b.ssl = true;
        Ok(())
    }),
    bind(
        "ssl-max-ver",
        "<version>",
        "The highest version that is spoken.",
        |cur, b| bound(cur, &mut b.offer.max),
    ),
    bind(
        "ssl-min-ver",
        "<version>",
        "The lowest version that is spoken.",
        |cur, b| bound(cur, &mut b.offer.min),
    ),
    bind(
        "strict-sni",
        "",
        "Refuses clients that ask for a name without a certificate.",
        |_, b| {
            b.strict_sni = true;
            Ok(())
        },
    ),
    bind(
        "tls-ticket-keys",
        "<keyfile>",
        "The keys of tickets, three or more, a line each.",
        |cur, b| word(cur, &mut b.ticket_keys),
    ),
    bind("tls-tickets", "", "Takes back `no-tls-tickets`.", |_, b| {
        set(&mut b.offer.no_tickets, false)
    }),
    bind(
        "verify",
        "{ none | optional | required }",
        "Whether clients have to show a certificate.",
        |cur, b| {
            b.verify = Some(cur.choice("'none', 'optional' or 'required'", BIND_VERIFY)?);
            Ok(())
        },
    ),
];

const fn bind(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<BindDraft>,
) -> Keyword<BindDraft> {
    Keyword::of(Sections::BIND, name, usage, doc, parse)
}

const BIND_VERIFY: &[(&str, Verify)] = &[
    ("none", Verify::None),
    ("optional", Verify::Optional),
    ("required", Verify::Required),
];

fn borne(cur: &mut Cursor<'_>, place: &mut Borne) -> Result<(), Diag> {
    let keyword = cur.keyword();
    let list = cur.expect("error IDs")?;
    *place = Borne::parse(list.text()?).map_err(|part| {
        Diag::alert(
            list.span,
            format!("'{keyword}' : error '{part}' is unknown."),
        )
    })?;
    Ok(())
}

/// What may differ by certificate.
const OF_ENTRIES: &[&str] = &[
    "allow-0rtt",
    "alpn",
    "ca-file",
    "ca-verify-file",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "crl-file",
    "curves",
    "ecdhe",
    "no-alpn",
    "no-ca-names",
    "sigalgs",
    "ssl-max-ver",
    "ssl-min-ver",
    "verify",
];

/// Reads the options of a line in a list of certificates.
///
/// # Errors
/// What is wrong with them.
pub(in crate::tls) fn entry(words: &[Word], env: &Env) -> Result<BindDraft, String> {
    let mut draft = BindDraft::default();
    let mut cur = Cursor::new(words, env);
    while let Some(option) = cur.next() {
        let name = option.str();
        if name == "ocsp-update" {
            draft.ocsp_update = match cur.next().map(Word::str) {
                Some("on") => Some(true),
                Some("off") => Some(false),
                _ => return Err("'ocsp-update' : expects <on|off>.".to_owned()),
            };
            continue;
        }
        let row = BIND_KEYWORDS
            .iter()
            .find(|row| row.name == name && OF_ENTRIES.contains(&row.name))
            .ok_or_else(|| format!("unknown ssl keyword {name}."))?;
        (row.parse)(&mut cur, &mut draft).map_err(|diag| diag.message)?;
    }
    Ok(draft)
}
