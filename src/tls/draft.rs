//! The keywords of TLS on `bind`, `server` and `global` lines, and the lists of certificates that `crt-list` names.
//!
//! Versions below TLS 1.2 do not exist here: asking for one as the least gives TLS 1.2 with a notice, excluding one says nothing.

use super::acceptor;
use super::offer::{Offer, Version};
use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Word};

/// Whether a peer has to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// It is not asked for one, or not looked at.
    #[default]
    None,
    /// One that is shown must be good.
    Optional,
    /// A good one must be shown.
    Required,
}

/// What `global` says for all lines.
#[derive(Clone, Debug, Default)]
pub struct GlobalDraft {
    /// `crt-base`
    pub crt_base: Option<String>,
    /// `ca-base`
    pub ca_base: Option<String>,
    /// `ssl-default-bind-…`
    pub bind: Offer,
    /// `ssl-default-server-…`
    pub server: Offer,
    /// `ssl-server-verify`
    pub server_verify: Option<Verify>,
    /// `tune.ssl.cachesize`
    pub sessions_max: Option<usize>,
    /// `tune.ssl.maxrecord`
    pub record_max: Option<usize>,
}

/// What a `bind` line says.
#[derive(Clone, Debug, Default)]
pub struct BindDraft {
    /// `ssl`
    pub ssl: bool,
    /// `crt`
    pub crts: Vec<Word>,
    /// `crt-list`
    pub lists: Vec<Word>,
    /// `strict-sni`
    pub strict_sni: bool,
    /// `alpn`
    pub alpn: Option<Vec<Vec<u8>>>,
    /// `ca-file`
    pub ca_file: Option<Word>,
    /// `verify`
    pub verify: Option<Verify>,
    /// Versions, suites, groups.
    pub offer: Offer,
}

/// What a `server` line says.
#[derive(Clone, Debug, Default)]
pub struct ServerDraft {
    /// `ssl`
    pub ssl: bool,
    /// Whether `ssl` was ever written, be it in `default-server`.
    pub offered: bool,
    /// `no-ssl`
    pub refused: bool,
    /// `alpn`
    pub alpn: Option<Vec<Vec<u8>>>,
    /// `ca-file`
    pub ca_file: Option<Word>,
    /// `crt`
    pub crt: Option<Word>,
    /// `verify`
    pub verify: Option<Verify>,
    /// `verifyhost`
    pub verify_host: Option<Word>,
    /// `sni`: an expression.
    pub sni: Option<Word>,
    /// `no-ssl-reuse`
    pub no_reuse: bool,
    /// Versions, suites, groups.
    pub offer: Offer,
}

/// The rows of `global`.
pub const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    global(
        "ca-base",
        "<dir>",
        "The directory of `ca-file`s that are not absolute.",
        |cur, g| {
            g.ca_base = Some(
                cur.expect("a directory path as an argument.")?
                    .text()?
                    .to_owned(),
            );
            cur.end()
        },
    ),
    global(
        "crt-base",
        "<dir>",
        "The directory of `crt` files that are not absolute.",
        |cur, g| {
            g.crt_base = Some(
                cur.expect("a directory path as an argument.")?
                    .text()?
                    .to_owned(),
            );
            cur.end()
        },
    ),
    global(
        "ssl-default-bind-ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2 for clients.",
        |cur, g| whole(cur, &mut g.bind.ciphers),
    ),
    global(
        "ssl-default-bind-ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3 for clients.",
        |cur, g| whole(cur, &mut g.bind.ciphersuites),
    ),
    global(
        "ssl-default-bind-curves",
        "<curves>",
        "The groups for key exchange with clients.",
        |cur, g| whole(cur, &mut g.bind.curves),
    ),
    global(
        "ssl-default-bind-options",
        "<option>...",
        "Options of every `bind … ssl`.",
        |cur, g| options(cur, &mut g.bind),
    ),
    global(
        "ssl-default-server-ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2 for servers.",
        |cur, g| whole(cur, &mut g.server.ciphers),
    ),
    global(
        "ssl-default-server-ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3 for servers.",
        |cur, g| whole(cur, &mut g.server.ciphersuites),
    ),
    global(
        "ssl-default-server-curves",
        "<curves>",
        "The groups for key exchange with servers.",
        |cur, g| whole(cur, &mut g.server.curves),
    ),
    global(
        "ssl-default-server-options",
        "<option>...",
        "Options of every `server … ssl`.",
        |cur, g| options(cur, &mut g.server),
    ),
    global(
        "ssl-server-verify",
        "{ none | required }",
        "Whether servers' certificates are checked where their line is silent.",
        |cur, g| {
            g.server_verify = Some(cur.choice("'none' or 'required'", SERVER_VERIFY)?);
            cur.end()
        },
    ),
    global(
        "tune.ssl.cachesize",
        "<number>",
        "How many sessions are remembered for clients without tickets.",
        |cur, g| {
            g.sessions_max = Some(cur.integer(0..=SESSIONS_MAX)?);
            cur.end()
        },
    ),
    global(
        "tune.ssl.default-dh-param",
        "<bits>",
        "Of key exchanges that are never offered.",
        |cur, _| {
            cur.rest();
            Ok(())
        },
    ),
    global(
        "tune.ssl.maxrecord",
        "<bytes>",
        "The largest record that is sent.",
        |cur, g| {
            let bytes: usize = cur.integer(0..=16384)?;
            g.record_max = (bytes > 0).then(|| bytes.max(512) + 5);
            cur.end()
        },
    ),
];

/// The most sessions that may be remembered.
const SESSIONS_MAX: usize = 10_000_000;

const SERVER_VERIFY: &[(&str, Verify)] = &[("none", Verify::None), ("required", Verify::Required)];

const BIND_VERIFY: &[(&str, Verify)] = &[
    ("none", Verify::None),
    ("optional", Verify::Optional),
    ("required", Verify::Required),
];

type Parse<D> = fn(&mut Cursor<'_>, &mut D) -> Result<(), Diag>;

const fn global(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<GlobalDraft>,
) -> Keyword<GlobalDraft> {
    Keyword {
        name,
        sections: Sections::GLOBAL,
        usage,
        doc,
        parse,
    }
}

const fn bind(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<BindDraft>,
) -> Keyword<BindDraft> {
    Keyword {
        name,
        sections: Sections::BIND,
        usage,
        doc,
        parse,
    }
}

const fn server(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<ServerDraft>,
) -> Keyword<ServerDraft> {
    Keyword {
        name,
        sections: Sections::SERVER,
        usage,
        doc,
        parse,
    }
}

/// The rows of `bind` lines.
pub const BIND_KEYWORDS: &[Keyword<BindDraft>] = &[
    bind(
        "alpn",
        "<protocols>",
        "The protocols offered for negotiation, of which sluice speaks HTTP/1.",
        |cur, b| {
            b.alpn = Some(protocols(cur)?);
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
        "crt",
        "<cert>",
        "A certificate with its key, or a directory of them.",
        |cur, b| {
            b.crts.push(cur.expect("certificate location")?.clone());
            Ok(())
        },
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

/// The rows of `server` lines.
pub const SERVER_KEYWORDS: &[Keyword<ServerDraft>] = &[
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
        "sni",
        "<expression>",
        "The name the server is asked for.",
        |cur, s| word(cur, &mut s.sni),
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

fn set<T>(place: &mut Option<T>, value: T) -> Result<(), Diag> {
    *place = Some(value);
    Ok(())
}

fn only(offer: &mut Offer, version: Version) -> Result<(), Diag> {
    (offer.min, offer.max) = (Some(version), Some(version));
    Ok(())
}

fn word(cur: &mut Cursor<'_>, place: &mut Option<Word>) -> Result<(), Diag> {
    *place = Some(cur.expect("an argument")?.clone());
    Ok(())
}

fn whole(cur: &mut Cursor<'_>, place: &mut Option<Word>) -> Result<(), Diag> {
    word(cur, place)?;
    cur.end()
}

/// A bound of versions; one below TLS 1.2 is TLS 1.2.
fn bound(cur: &mut Cursor<'_>, place: &mut Option<Version>) -> Result<(), Diag> {
    let keyword = cur.keyword();
    let name = cur.expect("a TLS version")?;
    *place = Some(match name.str() {
        "TLSv1.2" => Version::Tls12,
        "TLSv1.3" => Version::Tls13,
        "SSLv3" | "TLSv1.0" | "TLSv1.1" => {
            let text = format!(
                "'{keyword} {}' : TLSv1.2 is the least that sluice speaks.",
                name.shown()
            );
            cur.warn(Diag::notice(name.span, text));
            Version::Tls12
        }
        _ => {
            return Err(cur.alert(format!(
                "'{keyword}' : unknown version '{}' (expects 'TLSv1.2' or 'TLSv1.3')",
                name.shown()
            )));
        }
    });
    Ok(())
}

/// The options of `ssl-default-bind-options` and its twin.
fn options(cur: &mut Cursor<'_>, offer: &mut Offer) -> Result<(), Diag> {
    while let Some(word) = cur.next() {
        match word.str() {
            "ssl-min-ver" => bound(cur, &mut offer.min)?,
            "ssl-max-ver" => bound(cur, &mut offer.max)?,
            "no-sslv3" | "no-tlsv10" | "no-tlsv11" => {}
            "no-tlsv12" => offer.min = Some(Version::Tls13),
            "no-tlsv13" => offer.max = Some(Version::Tls12),
            "force-tlsv12" => only(offer, Version::Tls12)?,
            "force-tlsv13" => only(offer, Version::Tls13)?,
            "no-tls-tickets" => offer.no_tickets = Some(true),
            "tls-tickets" => offer.no_tickets = Some(false),
            "prefer-client-ciphers" => offer.client_order = Some(true),
            "force-sslv3" | "force-tlsv10" | "force-tlsv11" => {
                return Err(cur
                    .alert(format!("'{}' is not supported by sluice.", word.shown()))
                    .with_reason("sluice speaks TLS 1.2 and 1.3 only"));
            }
            _ => {
                return Err(cur.alert(format!(
                    "unknown option '{}' on global statement '{}'.",
                    word.shown(),
                    cur.keyword()
                )));
            }
        }
    }
    Ok(())
}

/// A comma list of ALPN names without what sluice does not speak.
fn protocols(cur: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, Diag> {
    let list = cur.expect("a comma-delimited list of protocols")?;
    let mut names = Vec::new();
    for name in list.text()?.split(',').filter(|name| !name.is_empty()) {
        if name.len() > usize::from(u8::MAX) {
            return Err(cur.alert("'alpn' : the protocol name is too long."));
        }
        if name == "h2" || name == "h3" {
            let text = format!("'alpn' : sluice does not speak '{name}'; HTTP/1.1 is negotiated.");
            cur.warn(Diag::notice(list.span, text).said_once());
        } else {
            names.push(name.as_bytes().to_vec());
        }
    }
    if names.is_empty() && !list.is("") {
        names.push(b"http/1.1".to_vec());
    }
    Ok(names)
}

/// Entries of a `crt-list` file.
const ENTRIES_MAX: usize = 1_000_000;

/// Reads a `crt-list`: each line a certificate, options in brackets, and the names it is for.
///
/// # Errors
/// The file cannot be read, or has too many lines.
pub(super) fn read_list(
    file: &Word,
    base: Option<&str>,
    notes: &mut Vec<Diag>,
) -> Result<Vec<(Span, String, Vec<String>)>, Diag> {
    let name = file.text()?;
    let text = std::fs::read_to_string(name).map_err(|error| {
        let why = super::bundle::words(&error);
        Diag::alert(file.span, format!("cannot open file '{name}' : {why}."))
    })?;
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if entries.len() == ENTRIES_MAX {
            return Err(Diag::alert(
                file.span,
                format!("too many lines in '{name}'."),
            ));
        }
        let (line, options) = match line.split_once('[') {
            Some((crt, rest)) => match rest.split_once(']') {
                Some((options, names)) => (format!("{crt} {names}"), options),
                None => {
                    let text = format!("'{name}' line {} : missing ']'.", at + 1);
                    return Err(Diag::alert(file.span, text));
                }
            },
            None => (line.to_owned(), ""),
        };
        if !options.trim().is_empty() {
            let text = format!(
                "'{name}' line {} : the options '[{options}]' have no effect.",
                at + 1
            );
            notes.push(Diag::warning(file.span, text));
        }
        let mut words = line.split_whitespace();
        let Some(crt) = words.next() else { continue };
        let negative = words.clone().any(|name| name.starts_with('!'));
        let names: Vec<String> = words
            .filter(|name| !name.starts_with('!'))
            .map(str::to_ascii_lowercase)
            .collect();
        if negative && names.is_empty() {
            let text = format!(
                "'{name}' line {} : names to leave out have no effect without names.",
                at + 1
            );
            notes.push(Diag::warning(file.span, text));
        }
        let path = acceptor::under(base, crt);
        entries.push((file.span, path.to_string_lossy().into_owned(), names));
    }
    Ok(entries)
}
