//! Every keyword there is: the rows of every room, lifted into the drafts of whole sections.
//!
//! Rooms come first; after them the keywords that are known by name only ([`super::known`]). The
//! README's table, the manual page, completions and `-dK` read [`rows`], the loader finds a
//! keyword's row by hash.

use std::sync::{Arc, LazyLock};

use super::draft::{BindDraft, GlobalDraft, ProxyDraft, ResolversDraft, ServerDraft};
use super::known::{self, Known, Standing};
use super::section::mailers::{self, MailersDraft};
use super::section::peers::{self, PeersDraft};
use super::section::program::{self, ProgramDraft};
use super::section::relay::{self, ForwardDraft, RingDraft};
use super::section::{
    bind, carriage, counting, global, log, option, proxy, reach, request, server, stats, timeout,
    tune,
};
use crate::lang::{Catalog, Cursor, Diag, Entry, Lift, Sections, Table};
use crate::log::profile;
use crate::{balance, cache, check, dns, filter, queue, rule, stick, tls, users};

/// Keywords that are known by name only.
struct Pending {
    groups: &'static [Known],
    /// Whether the words after the name are counted, as on `bind` and `server` lines; elsewhere
    /// the whole line belongs to the keyword.
    counted: bool,
}

static PENDING_GLOBAL: Pending = Pending {
    groups: known::GLOBAL,
    counted: false,
};
static PENDING_PROXY: Pending = Pending {
    groups: known::PROXY,
    counted: false,
};
static PENDING_BIND: Pending = Pending {
    groups: known::BIND,
    counted: true,
};
static PENDING_SERVER: Pending = Pending {
    groups: known::SERVER,
    counted: true,
};

impl<T> Table<T> for Pending {
    fn entries(&self) -> Vec<Entry> {
        let entry = |group: &Known, name| Entry {
            name,
            sections: group.sections,
            usage: "",
            doc: match group.standing {
                Standing::Silent => "Accepted; there is nothing for it to do here.",
                Standing::NoEffect => "Accepted; concerns nothing that sluice has.",
                Standing::Refused(_) => "Refused: not supported by sluice.",
            },
        };
        self.groups
            .iter()
            .flat_map(|group| group.each().map(move |(name, _)| entry(group, name)))
            .collect()
    }

    fn parse(&self, index: usize, cur: &mut Cursor<'_>, _: &mut T) -> Result<(), Diag> {
        let all = self
            .groups
            .iter()
            .flat_map(|group| group.each().map(move |item| (group.standing, item)));
        let mut all = all.skip(index);
        let Some((standing, (name, count))) = all.next() else {
            return Ok(());
        };
        let span = cur.keyword_span();
        if self.counted {
            for _ in 0..count {
                cur.expect("an argument")?;
            }
        } else {
            cur.rest();
        }
        match standing {
            Standing::Refused(reason) => {
                return Err(
                    Diag::alert(span, format!("'{name}' is not supported by sluice."))
                        .with_reason(reason),
                );
            }
            Standing::Silent => {}
            Standing::NoEffect => {
                let text = format!("'{name}' is accepted and concerns nothing that sluice has.");
                cur.warn(Diag::notice(span, text).said_once());
            }
        }
        Ok(())
    }
}

/// Lifts rows through a lens.
macro_rules! lift {
    ($rows:expr, $lens:expr) => {
        &Lift {
            rows: $rows,
            lens: $lens,
        }
    };
}

type GlobalTable = &'static dyn Table<GlobalDraft>;
type ProxyTable = &'static dyn Table<ProxyDraft>;
type BindTable = &'static dyn Table<BindDraft>;
type ServerTable = &'static dyn Table<ServerDraft>;

const GLOBAL_TABLES: &[GlobalTable] = &[
    lift!(global::limits::KEYWORDS, |g| g),
    lift!(global::threads::KEYWORDS, |g| g),
    lift!(global::birth::KEYWORDS, |g| g),
    lift!(global::identity::KEYWORDS, |g| g),
    lift!(global::succession::KEYWORDS, |g| g),
    lift!(global::traffic::KEYWORDS, |g| g),
    lift!(global::environment::KEYWORDS, |g| g),
    lift!(global::sockets::KEYWORDS, |g| g),
    lift!(global::tokens::KEYWORDS, |g| g),
    lift!(request::GLOBAL_KEYWORDS, |g| g),
    lift!(counting::KEYWORDS, |g| g),
    lift!(tune::KEYWORDS, |g: &mut GlobalDraft| &mut g.site.tune),
    lift!(log::GLOBAL_KEYWORDS, |g| g),
    lift!(tls::draft::KEYWORDS, |g: &mut GlobalDraft| &mut g.tls),
    &PENDING_GLOBAL,
];

const PROXY_TABLES: &[ProxyTable] = &[
    lift!(proxy::KEYWORDS, |p| p),
    lift!(option::KEYWORDS, |p| p),
    lift!(request::KEYWORDS, |p| p),
    lift!(reach::PROXY_KEYWORDS, |p| p),
    lift!(timeout::KEYWORDS, |p: &mut ProxyDraft| &mut p.timeouts),
    lift!(tls::draft::FRONT_KEYWORDS, |p: &mut ProxyDraft| {
        &mut p.front.certificates
    }),
    lift!(balance::KEYWORDS, |p: &mut ProxyDraft| &mut p.back.balance),
    lift!(queue::KEYWORDS, |p: &mut ProxyDraft| &mut p.back.queue),
    lift!(stick::KEYWORDS, |p: &mut ProxyDraft| &mut p.stick),
    lift!(mailers::KEYWORDS, |p: &mut ProxyDraft| &mut p.mail),
    lift!(log::KEYWORDS, |p: &mut ProxyDraft| &mut p.log),
    lift!(stats::KEYWORDS, |p: &mut ProxyDraft| &mut p.stats),
    lift!(filter::KEYWORDS, |p: &mut ProxyDraft| &mut p.filter),
    lift!(check::KEYWORDS, |p: &mut ProxyDraft| &mut p.back.check),
    lift!(check::RULES, |p: &mut ProxyDraft| &mut p.back.check),
    lift!(rule::KEYWORDS, |p: &mut ProxyDraft| &mut p.rule),
    lift!(crate::log::KEYWORDS, |p: &mut ProxyDraft| &mut p.capture),
    &PENDING_PROXY,
];

const BIND_TABLES: &[BindTable] = &[
    lift!(bind::KEYWORDS, |b| b),
    lift!(carriage::BIND_KEYWORDS, |b: &mut BindDraft| &mut b.carriage),
    lift!(tls::draft::BIND_KEYWORDS, |b: &mut BindDraft| &mut b.tls),
    &PENDING_BIND,
];

const SERVER_TABLES: &[ServerTable] = &[
    lift!(server::KEYWORDS, |s| s),
    lift!(reach::KEYWORDS, |s| s),
    lift!(carriage::SERVER_KEYWORDS, |s: &mut ServerDraft| {
        s.carriage.get_or_insert_default()
    }),
    lift!(balance::SEAT_KEYWORDS, |s: &mut ServerDraft| &mut s.seat),
    lift!(queue::SERVER_KEYWORDS, |s: &mut ServerDraft| &mut s.queue),
    lift!(dns::run::wishes::KEYWORDS, |s: &mut ServerDraft| {
        &mut s.resolution
    }),
    lift!(check::SERVER_KEYWORDS, |s: &mut ServerDraft| &mut s.check),
    lift!(tls::draft::SERVER_KEYWORDS, |s: &mut ServerDraft| {
        Arc::make_mut(&mut s.tls)
    }),
    &PENDING_SERVER,
];

const RESOLVERS_TABLES: &[&dyn Table<ResolversDraft>] = &[lift!(
    dns::run::draft::KEYWORDS,
    |r: &mut ResolversDraft| &mut r.dns
)];

/// The keywords of `global`.
pub(crate) static GLOBAL: LazyLock<Catalog<GlobalDraft>> =
    LazyLock::new(|| Catalog::new(GLOBAL_TABLES));
/// The keywords of `http-errors`.
pub(crate) static HTTP_ERRORS: LazyLock<Catalog<rule::Draft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<rule::Draft>; 1] = [lift!(rule::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `cache`.
pub(crate) static CACHE: LazyLock<Catalog<cache::Draft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<cache::Draft>; 1] = [lift!(cache::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `userlist`.
pub(crate) static USERLIST: LazyLock<Catalog<users::Draft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<users::Draft>; 1] = [lift!(users::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `ring`.
pub(crate) static RING: LazyLock<Catalog<RingDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<RingDraft>; 1] = [lift!(relay::RING_KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `log-forward`.
pub(crate) static LOG_FORWARD: LazyLock<Catalog<ForwardDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<ForwardDraft>; 1] = [lift!(relay::FORWARD_KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `log-profile`.
pub(crate) static LOG_PROFILE: LazyLock<Catalog<profile::Draft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<profile::Draft>; 1] = [lift!(profile::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `mailers`.
pub(crate) static MAILERS: LazyLock<Catalog<MailersDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<MailersDraft>; 1] = [lift!(mailers::SECTION_KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `peers`.
pub(crate) static PEERS: LazyLock<Catalog<PeersDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<PeersDraft>; 1] = [lift!(peers::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of `program` sections.
pub(crate) static PROGRAM: LazyLock<Catalog<ProgramDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<ProgramDraft>; 1] = [lift!(program::KEYWORDS, |d| d)];
    Catalog::new(&tables)
});
/// The keywords of proxy sections.
pub(crate) static PROXY: LazyLock<Catalog<ProxyDraft>> =
    LazyLock::new(|| Catalog::new(PROXY_TABLES));
/// The parameters of `bind`.
pub(crate) static BIND: LazyLock<Catalog<BindDraft>> = LazyLock::new(|| Catalog::new(BIND_TABLES));
/// The parameters of `server`.
pub(crate) static SERVER: LazyLock<Catalog<ServerDraft>> =
    LazyLock::new(|| Catalog::new(SERVER_TABLES));

/// The keywords of `resolvers`.
pub(crate) static RESOLVERS: LazyLock<Catalog<ResolversDraft>> =
    LazyLock::new(|| Catalog::new(RESOLVERS_TABLES));

/// The keywords of `healthcheck` sections.
pub(crate) static HEALTHCHECKS: LazyLock<Catalog<check::Draft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<check::Draft>; 2] = [
        lift!(check::SECTION_KEYWORDS, |d| d),
        lift!(check::RULES, |d| d),
    ];
    Catalog::new(&tables)
});

/// The keywords of `crt-store`.
pub(crate) static STOCKS: LazyLock<Catalog<tls::draft::StockDraft>> = LazyLock::new(|| {
    let tables: [&'static dyn Table<tls::draft::StockDraft>; 1] =
        [lift!(tls::draft::STOCK_KEYWORDS, |d| d)];
    Catalog::new(&tables)
});

/// The sections, what may stand in them, and whether they have a name.
pub const SECTIONS: &[SectionKind] = &[
    SectionKind::new("global", Sections::GLOBAL, Naming::None),
    SectionKind::new("defaults", Sections::DEFAULTS, Naming::Optional),
    SectionKind::new("frontend", Sections::FRONTEND, Naming::Required),
    SectionKind::new("backend", Sections::BACKEND, Naming::Required),
    SectionKind::new("listen", Sections::LISTEN, Naming::Required),
    SectionKind::new("userlist", Sections::USERLIST, Naming::Required),
    SectionKind::new("resolvers", Sections::RESOLVERS, Naming::Required),
    SectionKind::new("peers", Sections::PEERS, Naming::Required),
    SectionKind::new("mailers", Sections::MAILERS, Naming::Required),
    SectionKind::new("cache", Sections::CACHE, Naming::Required),
    SectionKind::new("http-errors", Sections::HTTP_ERRORS, Naming::Required),
    SectionKind::new("ring", Sections::RING, Naming::Required),
    SectionKind::new("log-forward", Sections::LOG_FORWARD, Naming::Required),
    SectionKind::new("log-profile", Sections::LOG_PROFILE, Naming::Required),
    SectionKind::new("program", Sections::PROGRAM, Naming::Required),
    SectionKind::new("crt-store", Sections::CRT_STORE, Naming::Optional),
    SectionKind::new("healthcheck", Sections::HEALTHCHECK, Naming::Required),
];

/// Sections of HAProxy that sluice refuses, and why.
pub(crate) const REFUSED_SECTIONS: &[(&str, &str)] = &[
    ("fcgi-app", "sluice does not speak FastCGI"),
    ("acme", "sluice fetches no certificates"),
    ("traces", "sluice has no traces of HAProxy's internals"),
    (
        "namespace_list",
        "network namespaces are named on bind and server lines",
    ),
];

/// A kind of section.
#[derive(Debug, Clone, Copy)]
pub struct SectionKind {
    /// The word that begins it.
    pub keyword: &'static str,
    /// What may stand in it.
    pub sections: Sections,
    /// Whether it has a name.
    pub naming: Naming,
}

/// Whether a section has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// It has none.
    None,
    /// It may have one.
    Optional,
    /// It must have one.
    Required,
}

impl SectionKind {
    const fn new(keyword: &'static str, sections: Sections, naming: Naming) -> SectionKind {
        SectionKind {
            keyword,
            sections,
            naming,
        }
    }

    /// The kind that this word begins.
    #[must_use]
    pub fn named(word: &str) -> Option<&'static SectionKind> {
        SECTIONS.iter().find(|kind| kind.keyword == word)
    }
}

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It works.
    Works,
    /// It is accepted and concerns nothing that sluice has.
    None,
    /// It is refused by name.
    Refused,
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The keyword.
    pub entry: Entry,
    /// What becomes of it.
    pub effect: Effect,
}

/// What only `healthcheck` sections have; the rest are rows of proxies.
static OF_HEALTHCHECKS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let only = |entry: &&Entry| Sections::HEALTHCHECK.contains(entry.sections);
    HEALTHCHECKS
        .entries()
        .iter()
        .filter(only)
        .copied()
        .collect()
});

/// Every keyword of `global`, of proxy sections, of `bind` and of `server` lines, each once a place,
/// in the order of the rooms.
pub fn rows() -> impl Iterator<Item = Row> {
    let lists = [
        (GLOBAL.entries(), known::GLOBAL),
        (PROXY.entries(), known::PROXY),
        (BIND.entries(), known::BIND),
        (SERVER.entries(), known::SERVER),
        (RESOLVERS.entries(), &[]),
        (CACHE.entries(), &[]),
        (PEERS.entries(), &[]),
        (MAILERS.entries(), &[]),
        (RING.entries(), &[]),
        (LOG_FORWARD.entries(), &[]),
        (LOG_PROFILE.entries(), &[]),
        (PROGRAM.entries(), &[]),
        (USERLIST.entries(), &[]),
        (STOCKS.entries(), &[]),
        (&OF_HEALTHCHECKS, &[]),
    ];
    lists
        .into_iter()
        .flat_map(|(entries, known)| listed(entries, known))
}

fn listed(entries: &'static [Entry], known: &'static [Known]) -> Vec<Row> {
    let (working, _) = parted(entries, known);
    let effects = known.iter().flat_map(|group| {
        let effect = match group.standing {
            Standing::Silent | Standing::NoEffect => Effect::None,
            Standing::Refused(_) => Effect::Refused,
        };
        group.each().map(move |_| effect)
    });
    let effects = std::iter::repeat_n(Effect::Works, working.len()).chain(effects);
    let rows = entries.iter().zip(effects);
    rows.map(|(&entry, effect)| Row { entry, effect }).collect()
}

/// The rows of rooms, and behind them the names that nothing carries out.
fn parted<'a>(entries: &'a [Entry], known: &[Known]) -> (&'a [Entry], &'a [Entry]) {
    let pending: usize = known.iter().map(|group| group.each().count()).sum();
    entries.split_at(entries.len() - pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_keyword_works_once_a_place() {
        let mut seen = HashSet::new();
        for row in rows().filter(|row| row.effect == Effect::Works) {
            assert!(
                seen.insert((row.entry.name, row.entry.sections)),
                "{} has two rows",
                row.entry.name
            );
            assert!(row.entry.doc.ends_with('.'), "{}", row.entry.name);
        }
        assert!(seen.len() > 150);
    }

    #[test]
    fn what_a_room_has_is_not_pending() {
        let warned = |name| rows().any(|r| r.entry.name == name && r.effect != Effect::Works);
        assert!(!warned("balance") && !warned("maxconn"));
        assert!(rows().any(|r| r.entry.name == "lua-load" && r.effect == Effect::Refused));
    }

    #[test]
    fn a_name_is_known_only_until_a_room_has_its_row() {
        let mut dead = Vec::new();
        for (entries, known) in [
            (GLOBAL.entries(), known::GLOBAL),
            (PROXY.entries(), known::PROXY),
            (BIND.entries(), known::BIND),
            (SERVER.entries(), known::SERVER),
        ] {
            let (working, pending) = parted(entries, known);
            let is_dead = |name: &&Entry| {
                let mut rows = working.iter().filter(|row| row.name == name.name);
                rows.any(|row| row.sections.meets(name.sections))
            };
            dead.extend(
                pending
                    .iter()
                    .filter(is_dead)
                    .map(|entry| (entry.name, entry.sections)),
            );
        }
        assert_eq!(dead, [], "delete them from known.rs");
    }
}
