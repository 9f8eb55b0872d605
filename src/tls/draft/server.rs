//! The rows of `server` lines.

use super::{SERVER_VERIFY, ServerDraft, bound, only, protocols, set, word};
use crate::lang::{Keyword, Parse, Sections};
use crate::tls::offer::Version;

/// The rows of `server` lines.
pub const SERVER_KEYWORDS: &[Keyword<ServerDraft>] = &[
    server(
        "allow-0rtt",
        "",
        "Allows early data, of which none is sent.",
        |_, _| Ok(()),
    ),
    server(
        "alpn",
        "<protocols>",
        "The protocols offered for negotiation, of which sluice speaks HTTP/1.",
        |cur, s| {
            s.alpn = Some(protocols(cur)?);
            Ok(())
        },
    ),
    server(
        "ca-file",
        "<cafile>",
        "The authorities that the server's certificate must come from.",
        |cur, s| word(cur, &mut s.ca_file),
    ),
    server(
        "ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2.",
        |cur, s| word(cur, &mut s.offer.ciphers),
    ),
    server(
        "ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3.",
        |cur, s| word(cur, &mut s.offer.ciphersuites),
    ),
    server(
        "client-sigalgs",
        "<sigalgs>",
        "The ways in which this side may sign.",
        |cur, s| word(cur, &mut s.offer.client_sigalgs),
    ),
    server(
        "crl-file",
        "<crlfile>",
        "The certificates of servers that are no good any more.",
        |cur, s| word(cur, &mut s.crl_file),
    ),
    server(
        "crt",
        "<cert>",
        "The certificate shown to the server.",
        |cur, s| word(cur, &mut s.crt),
    ),
    server(
        "curves",
        "<curves>",
        "The groups for key exchange.",
        |cur, s| word(cur, &mut s.offer.curves),
    ),
    server("force-tlsv12", "", "Speaks TLS 1.2 only.", |_, s| {
        only(&mut s.offer, Version::Tls12)
    }),
    server("force-tlsv13", "", "Speaks TLS 1.3 only.", |_, s| {
        only(&mut s.offer, Version::Tls13)
    }),
    server("no-ssl", "", "Takes back `ssl`.", |_, s| {
        s.ssl = false;
        s.refused = true;
        Ok(())
    }),
    server("no-ssl-reuse", "", "Begins every session anew.", |_, s| {
        s.no_reuse = true;
        Ok(())
    }),
    server(
        "no-sni-auto",
        "",
        "Asks the server for no name where `sni` says none.",
        |_, s| {
            s.no_sni_auto = true;
            Ok(())
        },
    ),
    server("no-sslv3", "", "SSLv3 is never spoken.", |_, _| Ok(())),
    server("no-tlsv10", "", "TLS 1.0 is never spoken.", |_, _| Ok(())),
    server("no-tlsv11", "", "TLS 1.1 is never spoken.", |_, _| Ok(())),
    server(
        "no-tls-tickets",
        "",
        "Resumes TLS 1.2 by session identifiers only.",
        |_, s| set(&mut s.offer.no_tickets, true),
    ),
    server("no-tlsv12", "", "Speaks TLS 1.3 only.", |_, s| {
        set(&mut s.offer.min, Version::Tls13)
    }),
    server("no-tlsv13", "", "Speaks TLS 1.2 only.", |_, s| {
        set(&mut s.offer.max, Version::Tls12)
    }),
    server(
        "sigalgs",
        "<sigalgs>",
        "The ways in which the server may sign.",
        |cur, s| word(cur, &mut s.offer.sigalgs),
    ),
    server(
        "sni",
        "<expression>",
        "The name the server is asked for.",
        |cur, s| word(cur, &mut s.sni),
    ),
    server(
        "sni-auto",
        "",
        "Asks the server for the host of the request where `sni` says none.",
        |_, s| {
            s.no_sni_auto = false;
            Ok(())
        },
    ),
    server("ssl", "", "Speaks TLS with the server.", |_, s| {
        s.ssl = true;
        s.offered = true;
        s.refused = false;
        Ok(())
    }),
    server(
        "ssl-max-ver",
        "<version>",
        "The highest version that is spoken.",
        |cur, s| bound(cur, &mut s.offer.max),
    ),
    server(
        "ssl-min-ver",
        "<version>",
        "The lowest version that is spoken.",
        |cur, s| bound(cur, &mut s.offer.min),
    ),
    server("ssl-reuse", "", "Takes back `no-ssl-reuse`.", |_, s| {
        s.no_reuse = false;
        Ok(())
    }),
    server("tls-tickets", "", "Takes back `no-tls-tickets`.", |_, s| {
        set(&mut s.offer.no_tickets, false)
    }),
    server(
        "verify",
        "{ none | required }",
        "Whether the server's certificate is checked.",
        |cur, s| {
            s.verify = Some(cur.choice("'none' or 'required'", SERVER_VERIFY)?);
            Ok(())
        },
    ),
    server(
        "verifyhost",
        "<name>",
        "The name that the server's certificate must be for.",
        |cur, s| word(cur, &mut s.verify_host),
    ),
];

const fn server(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<ServerDraft>,
) -> Keyword<ServerDraft> {
    Keyword::of(Sections::SERVER, name, usage, doc, parse)
}
