//! The rows of `global`.

use std::sync::Arc;

use super::{Beside, GlobalDraft, OcspDraft, SERVER_VERIFY, options, whole};
use crate::lang::{Cursor, Diag, Keyword, Unit};
use crate::tls::issuers::Issuers;
use crate::tls::web;

/// The rows of `global`.
pub const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global(
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
    Keyword::of_global(
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
    Keyword::of_global(
        "issuers-chain-path",
        "<dir>",
        "The directory of chains for certificates that come without theirs.",
        |cur, g| {
            let dir = cur.expect("a directory path as an argument.")?;
            let read = Issuers::read(dir.text()?);
            let refused = |text| Diag::alert(dir.span, format!("'issuers-chain-path' : {text}"));
            g.issuers = Arc::new(read.map_err(refused)?);
            cur.end()
        },
    ),
    Keyword::of_global(
        "key-base",
        "<dir>",
        "The directory of keys of `crt-store` sections that are not absolute.",
        |cur, g| {
            let directory = cur.expect("a directory path as an argument.")?;
            g.key_base = Some(directory.text()?.to_owned());
            cur.end()
        },
    ),
    Keyword::of_global(
        "ocsp-update.disable",
        "<on|off>",
        "Whether no answers about certificates are asked for at all.",
        |cur, g| {
            g.ocsp.disabled = cur.choice("'on' or 'off'", &[("on", true), ("off", false)])?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "ocsp-update.httpproxy",
        "<address>[:port]",
        "The HTTP proxy through which issuers are asked about certificates.",
        |cur, g| {
            let word = cur.expect("an address")?;
            let place = web::place(word.text()?);
            let fault = || Diag::alert(word.span, "'ocsp-update.httpproxy' : expects an address.");
            g.ocsp.proxy = Some(place.ok_or_else(fault)?);
            cur.end()
        },
    ),
    Keyword::of_global(
        "ocsp-update.maxdelay",
        "<seconds>",
        "How long at most after an answer about a certificate the next one is asked for.",
        |cur, g| delay(cur, &mut g.ocsp, |ocsp| &mut ocsp.delay_max),
    ),
    Keyword::of_global(
        "ocsp-update.mindelay",
        "<seconds>",
        "How long at least after an answer about a certificate the next one is asked for.",
        |cur, g| delay(cur, &mut g.ocsp, |ocsp| &mut ocsp.delay_min),
    ),
    Keyword::of_global(
        "ocsp-update.mode",
        "<on|off>",
        "Whether answers about certificates are kept fresh where their line is silent.",
        |cur, g| {
            g.ocsp_update = cur.choice("'on' or 'off'", &[("on", true), ("off", false)])?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "ssl-default-bind-ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2 for clients.",
        |cur, g| whole(cur, &mut g.bind.ciphers),
    ),
    Keyword::of_global(
        "ssl-default-bind-ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3 for clients.",
        |cur, g| whole(cur, &mut g.bind.ciphersuites),
    ),
    Keyword::of_global(
        "ssl-default-bind-client-sigalgs",
        "<sigalgs>",
        "The ways in which clients may sign.",
        |cur, g| whole(cur, &mut g.bind.client_sigalgs),
    ),
    Keyword::of_global(
        "ssl-default-bind-curves",
        "<curves>",
        "The groups for key exchange with clients.",
        |cur, g| whole(cur, &mut g.bind.curves),
    ),
    Keyword::of_global(
        "ssl-default-bind-options",
        "<option>...",
        "Options of every `bind … ssl`.",
        |cur, g| options(cur, &mut g.bind),
    ),
    Keyword::of_global(
        "ssl-default-bind-sigalgs",
        "<sigalgs>",
        "The ways in which certificates are signed with towards clients.",
        |cur, g| whole(cur, &mut g.bind.sigalgs),
    ),
    Keyword::of_global(
        "ssl-default-server-ciphers",
        "<ciphers>",
        "The cipher suites of TLS 1.2 for servers.",
        |cur, g| whole(cur, &mut g.server.ciphers),
    ),
    Keyword::of_global(
        "ssl-default-server-ciphersuites",
        "<suites>",
        "The cipher suites of TLS 1.3 for servers.",
        |cur, g| whole(cur, &mut g.server.ciphersuites),
    ),
    Keyword::of_global(
        "ssl-default-server-client-sigalgs",
        "<sigalgs>",
        "The ways in which this side may sign towards servers.",
        |cur, g| whole(cur, &mut g.server.client_sigalgs),
    ),
    Keyword::of_global(
        "ssl-default-server-curves",
        "<curves>",
        "The groups for key exchange with servers.",
        |cur, g| whole(cur, &mut g.server.curves),
    ),
    Keyword::of_global(
        "ssl-default-server-options",
        "<option>...",
        "Options of every `server … ssl`.",
        |cur, g| options(cur, &mut g.server),
    ),
    Keyword::of_global(
        "ssl-default-server-sigalgs",
        "<sigalgs>",
        "The ways in which servers may sign.",
        |cur, g| whole(cur, &mut g.server.sigalgs),
    ),
    Keyword::of_global(
        "ssl-load-extra-del-ext",
        "",
        "Files beside a certificate's are looked for without its '.crt'.",
        |cur, g| {
            g.beside.replaces_crt = true;
            cur.end()
        },
    ),
    Keyword::of_global(
        "ssl-load-extra-files",
        "<type>...",
        "The files beside a certificate's that are looked at.",
        |cur, g| extra_files(cur, &mut g.beside),
    ),
    Keyword::of_global(
        "ssl-server-verify",
        "{ none | required }",
        "Whether servers' certificates are checked where their line is silent.",
        |cur, g| {
            g.server_verify = Some(cur.choice("'none' or 'required'", SERVER_VERIFY)?);
            cur.end()
        },
    ),
    Keyword::of_global(
        "ssl-skip-self-issued-ca",
        "",
        "An issuer that issued itself is not sent along with its only certificate.",
        |cur, g| {
            g.skips_roots = true;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.ssl-ctx-cache-size",
        "<number>",
        "How many certificates made on the fly are kept for a line.",
        |cur, g| {
            g.made_max = Some(cur.integer(0..=SESSIONS_MAX)?);
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.cachesize",
        "<number>",
        "How many sessions are remembered for clients without tickets.",
        |cur, g| {
            g.sessions_max = Some(cur.integer(0..=SESSIONS_MAX)?);
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.capture-buffer-size",
        "<number>",
        "How much of what clients offer is kept for expressions.",
        |cur, g| {
            g.capture_max = cur.integer(0..=CAPTURE_MAX)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.capture-cipherlist-size",
        "<number>",
        "`tune.ssl.capture-buffer-size` in old files.",
        |cur, g| {
            g.capture_max = cur.integer(0..=CAPTURE_MAX)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.default-dh-param",
        "<bits>",
        "Of key exchanges that are never offered.",
        |cur, _| {
            cur.rest();
            Ok(())
        },
    ),
    Keyword::of_global(
        "tune.ssl.ocsp-update.maxdelay",
        "<seconds>",
        "`ocsp-update.maxdelay` in old files.",
        |cur, g| delay(cur, &mut g.ocsp, |ocsp| &mut ocsp.delay_max),
    ),
    Keyword::of_global(
        "tune.ssl.ocsp-update.mindelay",
        "<seconds>",
        "`ocsp-update.mindelay` in old files.",
        |cur, g| delay(cur, &mut g.ocsp, |ocsp| &mut ocsp.delay_min),
    ),
    Keyword::of_global(
        "tune.ssl.hard-maxrecord",
        "<bytes>",
        "The largest record that is ever sent.",
        |cur, g| {
            g.record_bound = record(cur)?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.keylog",
        "{ on | off }",
        "Whether the secrets of sessions are kept for expressions.",
        |cur, g| {
            g.keylog = cur.choice("'on' or 'off'", &[("on", true), ("off", false)])?;
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.lifetime",
        "<timeout>",
        "How long a session may be taken up again.",
        |cur, g| {
            g.lifetime = Some(cur.millis(Unit::Seconds)?.get() / 1000);
            cur.end()
        },
    ),
    Keyword::of_global(
        "tune.ssl.maxrecord",
        "<bytes>",
        "The largest record that is sent.",
        |cur, g| {
            g.record_max = record(cur)?;
            cur.end()
        },
    ),
];

/// The size of a record with its head, from that of what is in it; none is no limit.
fn record(cur: &mut Cursor<'_>) -> Result<Option<usize>, Diag> {
    let bytes: usize = cur.integer(0..=16384)?;
    Ok((bytes > 0).then(|| bytes.max(512) + 5))
}

/// A bound of the time between two questions; the lower one stays below the upper one.
fn delay(
    cur: &mut Cursor<'_>,
    ocsp: &mut OcspDraft,
    bound: fn(&mut OcspDraft) -> &mut u32,
) -> Result<(), Diag> {
    *bound(ocsp) = cur.integer(1..=DELAY_MAX)?;
    if ocsp.delay_min > ocsp.delay_max {
        let text = format!(
            "'{}' : minimum delay {} is longer than maximum delay {}.",
            cur.keyword(),
            ocsp.delay_min,
            ocsp.delay_max
        );
        return Err(cur.alert(text));
    }
    cur.end()
}

/// A year.
const DELAY_MAX: u32 = 366 * 86_400;

/// The most sessions that may be remembered.
const SESSIONS_MAX: usize = 10_000_000;

/// The most that may be kept of a hello.
const CAPTURE_MAX: usize = 1 << 20;

fn extra_files(cur: &mut Cursor<'_>, beside: &mut Beside) -> Result<(), Diag> {
    let mut wanted = Beside {
        kinds: false,
        key: false,
        ocsp: false,
        issuer: false,
        ..*beside
    };
    if cur.is_empty() {
        return Err(cur.alert("'ssl-load-extra-files' : expects types of files, 'none' or 'all'"));
    }
    while let Some(word) = cur.next() {
        match word.str() {
            "none" => {}
            "all" => {
                let replaces_crt = beside.replaces_crt;
                wanted = Beside {
                    replaces_crt,
                    ..Beside::default()
                };
            }
            "bundle" => wanted.kinds = true,
            "key" => wanted.key = true,
            "ocsp" => wanted.ocsp = true,
            "issuer" => wanted.issuer = true,
            // Certificate transparency has no place in what rustls sends.
            "sctl" => {}
            _ => {
                let text = format!(
                    "'ssl-load-extra-files' : unknown extra file type '{}'",
                    word.shown()
                );
                return Err(Diag::alert(word.span, text));
            }
        }
    }
    *beside = wanted;
    Ok(())
}
