//! The keywords of balancing and persistence, and what they leave behind: [`Draft`] of a proxy, [`SeatDraft`] of a
//! server. `config::resolve` turns them into a [`super::Policy`], [`super::Seat`]s and a [`Persist`].

use super::hash::{HashFn, HashType};
use super::key::UriKey;
use super::origin::HashKey;
use super::persist::{Mode, Persist};
use super::policy::{Affinity, Algorithm, KeyKind};
use super::seat::Weight;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Span, Unit, Word};
use crate::time::Millis;

/// What a proxy's lines said about balancing.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `balance`.
    pub balance: Option<Balance>,
    /// `hash-type`.
    pub hash: HashType,
    /// `hash-balance-factor`; zero switches it off.
    pub balance_factor: Option<u32>,
    /// `hash-preserve-affinity`.
    pub affinity: Affinity,
    /// `option allbackups`.
    pub all_backups: bool,
    /// `option persist`.
    pub persist_when_down: bool,
    /// `option prefer-last-server`.
    pub prefer_last_server: bool,
    /// `cookie`.
    pub cookie: Option<Persist>,
    /// `dynamic-cookie-key`.
    pub dynamic_cookie_key: Option<String>,
    /// `persist rdp-cookie`: the name of the cookie that names a client's server.
    pub rdp_cookie: Option<String>,
}

/// `balance`, as written.
#[derive(Clone, Debug)]
pub struct Balance {
    /// How the server is found.
    pub algorithm: Algorithm,
    /// Where the key of a hashed choice comes from.
    pub key: Option<KeySource>,
    /// Where the line stands.
    pub span: Span,
}

/// Where the bytes to hash come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The client's address.
    Source,
    /// The request target.
    Uri(UriKey),
    /// A parameter of the query string, and of a form's body where `in_body` says so.
    UrlParam {
        /// The name of the parameter.
        name: String,
        /// `check_post`: look into the body of a POST too.
        in_body: bool,
    },
    /// A header field.
    Header {
        /// The name of the field.
        name: String,
        /// `use_domain_only`.
        domain_only: bool,
    },
    /// A cookie of the remote desktop protocol.
    RdpCookie(String),
    /// Any sample expression, in its words.
    Expression(Vec<Word>),
    /// The log line itself, through converters if any are written.
    LogLine(Option<Word>),
}

/// What a server line said about its seat.
#[derive(Clone, Debug, Default)]
pub struct SeatDraft {
    /// `weight`.
    pub weight: Option<Weight>,
    /// `backup`.
    pub backup: bool,
    /// `cookie`.
    pub cookie: Option<String>,
    /// `slowstart`.
    pub slow_start: Option<Millis>,
    /// `hash-key`.
    pub hash_key: HashKey,
}

/// The rows of proxy sections.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "balance",
        sections: Sections::BACK,
        usage: "<algorithm> [<arguments>]",
        doc: "How requests are spread over the servers.",
        parse: balance,
    },
    Keyword {
        name: "hash-type",
        sections: Sections::BACK,
        usage: "<method> [<function> [<modifier>]]",
        doc: "How a hashed key finds its server.",
        parse: hash_type,
    },
    Keyword {
        name: "hash-balance-factor",
        sections: Sections::BACK,
        usage: "<percent>",
        doc: "How much more than the average load a server may have before a consistent hash moves on.",
        parse: hash_balance_factor,
    },
    Keyword {
        name: "hash-preserve-affinity",
        sections: Sections::BACK,
        usage: "{ always | maxconn | maxqueue }",
        doc: "Until when a hashed key stays with its server: for ever, while it has a slot, or while it has a place in line.",
        parse: |cur, d| {
            let ways = [
                ("always", Affinity::Always),
                ("maxconn", Affinity::Slots),
                ("maxqueue", Affinity::Line),
            ];
            d.affinity = cur.choice("'always', 'maxconn' or 'maxqueue'", &ways)?;
            cur.end()
        },
    },
    Keyword {
        name: "cookie",
        sections: Sections::BACK,
        usage: "<name> [rewrite|insert|prefix] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] [domain <domain>]* [maxidle <time>] [maxlife <time>] [dynamic] [attr <value>]*",
        doc: "Keeps a client on its server by a cookie.",
        parse: cookie,
    },
    Keyword {
        name: "dynamic-cookie-key",
        sections: Sections::BACK,
        usage: "<secret>",
        doc: "The secret that cookie values of servers are computed with.",
        parse: |cur, draft| {
            let word = cur.expect("<secret_key> as argument")?;
            draft.dynamic_cookie_key = Some(word.text()?.to_owned());
            cur.end()
        },
    },
    Keyword {
        name: "persist",
        sections: Sections::BACK,
        usage: "rdp-cookie[(<name>)]",
        doc: "Sends a remote desktop client to the server that its cookie names by address and port.",
        parse: super::rdp::parse,
    },
    Keyword {
        name: "option allbackups",
        sections: Sections::BACK,
        usage: "",
        doc: "Spreads requests over all backup servers when no active one is left, instead of the first alone.",
        parse: |cur, draft| flag(cur, &mut draft.all_backups),
    },
    Keyword {
        name: "option persist",
        sections: Sections::BACK,
        usage: "",
        doc: "Sends a client to the server of its cookie even when that server is down.",
        parse: |cur, draft| flag(cur, &mut draft.persist_when_down),
    },
    Keyword {
        name: "option prefer-last-server",
        sections: Sections::BACK,
        usage: "",
        doc: "Keeps the requests of a connection on the server that answered its last one.",
        parse: |cur, draft| flag(cur, &mut draft.prefer_last_server),
    },
];

/// The rows of server lines.
pub const SEAT_KEYWORDS: &[Keyword<SeatDraft>] = &[
    Keyword {
        name: "weight",
        sections: Sections::SERVER,
        usage: "<weight>",
        doc: "The server's part of the load, 0 to 256.",
        parse: weight,
    },
    Keyword {
        name: "backup",
        sections: Sections::SERVER,
        usage: "",
        doc: "Serves only when no other server can.",
        parse: |_, draft| {
            draft.backup = true;
            Ok(())
        },
    },
    Keyword {
        name: "no-backup",
        sections: Sections::SERVER,
        usage: "",
        doc: "Undoes `backup`.",
        parse: |_, draft| {
            draft.backup = false;
            Ok(())
        },
    },
    Keyword {
        name: "cookie",
        sections: Sections::SERVER,
        usage: "<value>",
        doc: "The value of the persistence cookie that stands for this server.",
        parse: |cur, draft| {
            draft.cookie = Some(cur.expect("<value> as argument")?.text()?.to_owned());
            Ok(())
        },
    },
    Keyword {
        name: "hash-key",
        sections: Sections::SERVER,
        usage: "{ id | addr | addr-port }",
        doc: "What the server's place on a consistent ring depends on: its number, its address, or its address and port.",
        parse: |cur, draft| {
            let keys = [
                ("id", HashKey::Id),
                ("addr", HashKey::Address),
                ("addr-port", HashKey::AddressAndPort),
            ];
            draft.hash_key = cur.choice("'id', 'addr' or 'addr-port'", &keys)?;
            Ok(())
        },
    },
    Keyword {
        name: "slowstart",
        sections: Sections::SERVER,
        usage: "<time>",
        doc: "The time over which a server that came back takes up its full weight.",
        parse: |cur, draft| {
            draft.slow_start = Some(cur.millis(Unit::Millis)?);
            Ok(())
        },
    },
];

fn flag(cur: &mut Cursor<'_>, to: &mut bool) -> Result<(), Diag> {
    *to = cur.polarity() == Polarity::Plain;
    cur.end()
}

fn balance(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return set(cur, draft, Algorithm::RoundRobin, None);
    };
    let name = word.text()?;
    let (base, argument) = match name.split_once('(') {
        Some((base, rest)) => (base, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (name, None),
    };
    let by = |kind| Algorithm::Hash(kind);
    let (algorithm, key) = match (base, argument) {
        ("roundrobin", None) => (Algorithm::RoundRobin, None),
        ("static-rr", None) => (Algorithm::StaticRr, None),
        ("leastconn", None) => (Algorithm::LeastConn, None),
        ("first", None) => (Algorithm::First, None),
        ("source", None) => (by(KeyKind::Address), Some(KeySource::Source)),
        ("uri", None) => (by(KeyKind::Bytes), Some(KeySource::Uri(uri(cur)?))),
        ("url_param", None) => (by(KeyKind::Bytes), Some(url_param(cur)?)),
        ("hash", None) if cur.is_empty() => {
            return Err(cur.alert("balance hash requires a sample expression."));
        }
        ("hash", None) => {
            let words = cur.rest().to_vec();
            (by(KeyKind::Bytes), Some(KeySource::Expression(words)))
        }
        ("sticky", None) => (Algorithm::Sticky, None),
        ("log-hash", None) => {
            let converters = cur.next().cloned();
            (by(KeyKind::Bytes), Some(KeySource::LogLine(converters)))
        }
        ("hdr", Some(field)) => (by(KeyKind::Bytes), Some(header(cur, name, field)?)),
        ("rdp-cookie", argument) => {
            let cookie = argument.unwrap_or("msts");
            if cookie.is_empty() {
                return Err(cur.alert("balance rdp-cookie : missing cookie name."));
            }
            let source = KeySource::RdpCookie(cookie.to_owned());
            (by(KeyKind::Bytes), Some(source))
        }
        ("random", argument) => (Algorithm::Random(draws(cur, argument)?), None),
        _ => {
            let names = ALGORITHMS.iter().copied();
            let nearest = crate::lang::suggest(name, names);
            return Err(cur.alert(UNKNOWN_ALGORITHM).suggesting(nearest));
        }
    };
    set(cur, draft, algorithm, key)
}

fn set(
    cur: &mut Cursor<'_>,
    draft: &mut Draft,
    algorithm: Algorithm,
    key: Option<KeySource>,
) -> Result<(), Diag> {
    if let Some(extra) = cur.next() {
        cur.warn(
            Diag::warning(
                extra.span,
                format!("argument '{}' of 'balance' has no effect.", extra.shown()),
            )
            .with_reason("this algorithm takes no more arguments; HAProxy ignores them silently"),
        );
        cur.rest();
    }
    draft.balance = Some(Balance {
        algorithm,
        key,
        span: cur.line_span(),
    });
    Ok(())
}

fn draws(cur: &Cursor<'_>, argument: Option<&str>) -> Result<u32, Diag> {
    let text = argument.unwrap_or("");
    if text.is_empty() {
        return Ok(DEFAULT_DRAWS);
    }
    match text.parse::<u32>() {
        Ok(0) => Err(cur.alert("balance random : number of draws must be at least 1.")),
        Ok(draws) => Ok(draws.min(DRAWS_MAX)),
        Err(_) => {
            let at = text.find(|c: char| !c.is_ascii_digit());
            let bad = at.map_or("", |at| &text[at..]);
            Err(cur.alert(format!(
                "balance random : unexpected character '{bad}' after argument."
            )))
        }
    }
}

fn uri(cur: &mut Cursor<'_>) -> Result<UriKey, Diag> {
    let mut key = UriKey::default();
    while let Some(word) = cur.next() {
        match word.str() {
            "len" => key.len = Some(positive(cur, "len")?),
            "depth" => key.depth = Some(positive(cur, "depth")?),
            "whole" => key.whole = true,
            "path-only" => key.path_only = true,
            other => {
                return Err(cur
                    .alert(format!(
                        "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '{other}')."
                    ))
                    .suggesting(crate::lang::suggest(
                        other,
                        ["len", "depth", "path-only", "whole"],
                    )));
            }
        }
    }
    Ok(key)
}

fn positive(cur: &mut Cursor<'_>, name: &str) -> Result<usize, Diag> {
    let text = cur.next().map_or("", Word::str);
    let number = text.parse().ok().filter(|&number: &usize| number > 0);
    number.ok_or_else(|| {
        cur.alert(format!(
            "balance uri : '{name}' expects a positive integer (got '{text}')."
        ))
    })
}

fn url_param(cur: &mut Cursor<'_>) -> Result<KeySource, Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("balance url_param requires an URL parameter name."));
    };
    let name = word.text()?.to_owned();
    let in_body = cur.take("check_post");
    if in_body && cur.peek().is_some_and(|w| w.str().parse::<u32>().is_ok()) {
        // The number of body bytes to wait for had a meaning up to 1.5; whole buffers are looked at since.
        cur.next();
    }
    Ok(KeySource::UrlParam { name, in_body })
}

fn header(cur: &mut Cursor<'_>, whole: &str, field: &str) -> Result<KeySource, Diag> {
    if field.is_empty() {
        return Err(cur.alert("balance hdr requires an http header field name."));
    }
    let domain_only = cur.take("use_domain_only");
    if !domain_only && let Some(other) = cur.next() {
        return Err(cur
            .alert(format!(
                "balance {whole} only accepts 'use_domain_only' modifier (got '{}').",
                other.shown()
            ))
            .with_fix("use_domain_only"));
    }
    let name = field.to_owned();
    Ok(KeySource::Header { name, domain_only })
}

fn hash_type(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let methods = [("consistent", true), ("map-based", false)];
    let method = cur.next().map_or("", Word::str);
    let Some(&(_, consistent)) = methods.iter().find(|(name, _)| *name == method) else {
        return Err(cur
            .alert("'hash-type' only supports 'consistent' and 'map-based'.")
            .suggesting(crate::lang::suggest(method, methods.map(|(name, _)| name))));
    };
    let Some(word) = cur.next() else {
        // The ring has always stirred its numbers where nothing else was asked for.
        draft.hash = HashType {
            consistent,
            function: HashFn::Sdbm,
            avalanche: consistent,
        };
        return Ok(());
    };
    let Ok(function) = word.str().parse::<HashFn>() else {
        let names = ["sdbm", "djb2", "crc32", "wt6", "none"];
        return Err(cur
            .alert("'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions.")
            .suggesting(crate::lang::suggest(word.str(), names)));
    };
    let avalanche = cur.take("avalanche");
    if !avalanche && !cur.is_empty() {
        cur.next();
        return Err(cur
            .alert("'hash-type' only supports 'avalanche' as a modifier for hash functions.")
            .with_fix("avalanche"));
    }
    draft.hash = HashType {
        consistent,
        function,
        avalanche,
    };
    cur.end()
}

fn hash_balance_factor(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let factor = cur.integer(0..=u32::MAX)?;
    if factor != 0 && factor <= 100 {
        return Err(cur.alert("'hash-balance-factor' must be 0 or greater than 100."));
    }
    draft.balance_factor = Some(factor);
    cur.end()
}

fn weight(cur: &mut Cursor<'_>, draft: &mut SeatDraft) -> Result<(), Diag> {
    let units = cur.integer(0..=i64::MAX)?;
    let weight = u32::try_from(units).ok().and_then(Weight::new);
    let Some(weight) = weight else {
        return Err(cur.alert(format!("weight is not within 0 and 256 ({units}).")));
    };
    draft.weight = Some(weight);
    Ok(())
}

fn cookie(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let name = cur.expect("<cookie_name> as argument")?.text()?;
    let mut persist = Persist::named(name);
    let mut modes = 0;
    while let Some(word) = cur.next() {
        match word.str() {
            "rewrite" => {
                persist.mode = Mode::Rewrite;
                modes += 1;
            }
            "insert" => {
                persist.mode = Mode::Insert;
                modes += 1;
            }
            "prefix" => {
                persist.mode = Mode::Prefix;
                modes += 1;
            }
            "indirect" => persist.indirect = true,
            "nocache" => persist.no_cache = true,
            "postonly" => persist.post_only = true,
            "preserve" => persist.preserve = true,
            "httponly" => persist.http_only = true,
            "secure" => persist.secure = true,
            "dynamic" => persist.dynamic = true,
            "domain" => domain(cur, &mut persist)?,
            "maxidle" => persist.max_idle = Some(age(cur, "'maxidle' expects <idletime>")?),
            "maxlife" => persist.max_life = Some(age(cur, "'maxlife' expects <lifetime>")?),
            "attr" => attribute(cur, &mut persist)?,
            other => {
                return Err(cur
                    .alert(UNKNOWN_COOKIE_OPTION)
                    .suggesting(crate::lang::suggest(other, COOKIE_OPTIONS.iter().copied())));
            }
        }
    }
    if modes > 1 {
        return Err(cur.alert("cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."));
    }
    if persist.mode == Mode::Rewrite && persist.indirect {
        return Err(cur.alert("cookie 'rewrite' and 'indirect' modes are incompatible."));
    }
    if persist.preserve && persist.mode != Mode::Insert && !persist.indirect {
        return Err(cur.alert("cookie 'preserve' requires at least 'insert' or 'indirect'."));
    }
    draft.cookie = Some(persist);
    Ok(())
}

fn domain(cur: &mut Cursor<'_>, persist: &mut Persist) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("'domain' expects <domain> as argument."));
    };
    let domain = word.text()?;
    if !domain.get(1..).is_some_and(|rest| rest.contains('.')) {
        cur.warn(Diag::warning(
            word.span,
            format!(
                "domain '{domain}' contains no embedded dot, this configuration may not work properly (see RFC6265#5.2.3)."
            ),
        ));
    }
    persist.attributes.push(format!("domain={domain}"));
    Ok(())
}

fn age(cur: &mut Cursor<'_>, expects: &str) -> Result<u32, Diag> {
    if cur.is_empty() {
        return Err(cur.alert(format!("{expects} in seconds as argument.")));
    }
    cur.seconds()
}

fn attribute(cur: &mut Cursor<'_>, persist: &mut Persist) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("'attr' expects <value> as argument."));
    };
    let bad = word
        .bytes
        .iter()
        .position(|&b| b == b';' || b < b' ' || b == 127);
    if let Some(at) = bad {
        return Err(Diag::alert(
            word.part(at, at + 1),
            format!(
                "character '%x{:02X}' is not permitted in attribute value.",
                word.bytes[at]
            ),
        ));
    }
    persist.later_attributes.push(word.text()?.to_owned());
    Ok(())
}

/// Draws of `random` where none are asked for.
const DEFAULT_DRAWS: u32 = 2;
/// More draws than this only cost time.
const DRAWS_MAX: u32 = 256;

const ALGORITHMS: &[&str] = &[
    "roundrobin",
    "static-rr",
    "leastconn",
    "first",
    "source",
    "uri",
    "url_param",
    "hash",
    "hdr",
    "rdp-cookie",
    "random",
    "log-hash",
    "sticky",
];

const UNKNOWN_ALGORITHM: &str = "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.";

const COOKIE_OPTIONS: &[&str] = &[
    "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly",
    "secure", "domain", "maxidle", "maxlife", "dynamic", "attr",
];

const UNKNOWN_COOKIE_OPTION: &str = "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', 'maxidle', 'dynamic', 'maxlife' and 'attr' options.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Env;

    fn read<D: Default>(rows: &[Keyword<D>], line: &str) -> Result<(D, usize), String> {
        let words: Vec<Word> = line
            .split(' ')
            .map(|text| Word::new(text, Span::default()))
            .collect();
        let row = rows
            .iter()
            .filter(|row| format!("{line} ").starts_with(&format!("{} ", row.name)))
            .max_by_key(|row| row.name.len())
            .ok_or("no such row")?;
        let env = Env::default();
        let mut cur = Cursor::after(&words, row.name.split(' ').count(), &env);
        let mut draft = D::default();
        match (row.parse)(&mut cur, &mut draft) {
            Ok(()) => Ok((draft, cur.into_warnings().len())),
            Err(diag) => Err(diag.message),
        }
    }

    fn refused(line: &str) -> String {
        read(KEYWORDS, line).expect_err(line)
    }

    #[test]
    fn every_algorithm_is_read() {
        let algorithm = |line: &str| {
            let (draft, warnings) = read(KEYWORDS, line).expect(line);
            assert_eq!(warnings, 0, "{line}");
            draft.balance.expect("set").algorithm
        };
        assert_eq!(algorithm("balance roundrobin"), Algorithm::RoundRobin);
        assert_eq!(algorithm("balance"), Algorithm::RoundRobin);
        assert_eq!(algorithm("balance static-rr"), Algorithm::StaticRr);
        assert_eq!(algorithm("balance leastconn"), Algorithm::LeastConn);
        assert_eq!(algorithm("balance first"), Algorithm::First);
        assert_eq!(algorithm("balance random"), Algorithm::Random(2));
        assert_eq!(algorithm("balance random(3)"), Algorithm::Random(3));
        let bytes = Algorithm::Hash(KeyKind::Bytes);
        assert_eq!(algorithm("balance uri whole len 8 depth 2"), bytes);
        assert_eq!(algorithm("balance hdr(Host) use_domain_only"), bytes);
        assert_eq!(algorithm("balance url_param u check_post 64"), bytes);
        assert_eq!(algorithm("balance rdp-cookie"), bytes);
        assert_eq!(algorithm("balance hash src,ipmask(24)"), bytes);
        let source = Algorithm::Hash(KeyKind::Address);
        assert_eq!(algorithm("balance source"), source);
    }

    #[test]
    fn mistakes_are_refused_in_haproxys_words() {
        assert!(refused("balance foo").starts_with("balance only supports"));
        assert!(refused("balance none").starts_with("balance only supports"));
        assert!(refused("balance hdr").starts_with("balance only supports"));
        assert_eq!(
            refused("balance hdr(host) foo"),
            "balance hdr(host) only accepts 'use_domain_only' modifier (got 'foo')."
        );
        assert_eq!(
            refused("balance uri len 0"),
            "balance uri : 'len' expects a positive integer (got '0')."
        );
        assert_eq!(
            refused("balance random(0)"),
            "balance random : number of draws must be at least 1."
        );
        assert_eq!(
            refused("hash-balance-factor 50"),
            "'hash-balance-factor' must be 0 or greater than 100."
        );
        assert_eq!(
            refused("cookie C insert rewrite"),
            "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."
        );
        assert_eq!(
            refused("cookie C prefix preserve"),
            "cookie 'preserve' requires at least 'insert' or 'indirect'."
        );
        assert_eq!(
            refused("cookie C insert attr a;b"),
            "character '%x3B' is not permitted in attribute value."
        );
        assert!(read(SEAT_KEYWORDS, "weight 257").is_err());
    }

    #[test]
    fn the_ring_is_stirred_unless_a_function_is_named() {
        let hash = |line: &str| read(KEYWORDS, line).expect(line).0.hash;
        assert!(hash("hash-type consistent").avalanche);
        assert!(!hash("hash-type map-based").avalanche);
        assert!(!hash("hash-type consistent wt6").avalanche);
        assert!(hash("hash-type map-based djb2 avalanche").avalanche);
    }

    #[test]
    fn warnings_tell_what_has_no_effect() {
        assert_eq!(read(KEYWORDS, "balance leastconn 3").map(|(_, w)| w), Ok(1));
        let dotless = read(KEYWORDS, "cookie C insert domain xy");
        assert_eq!(dotless.map(|(_, w)| w), Ok(1));
    }
}
