//! The keywords of balancing and persistence, and what they leave behind: [`Draft`] of a proxy, [`SeatDraft`] of a
//! server. `config::resolve` turns them into a [`super::Policy`], [`super::Seat`]s and a [`super::Persist`].

mod balance;
mod cookie;
mod hash_type;
mod seat;

use super::hash::HashType;
use super::persist::Persist;
use super::policy::Affinity;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections};
use balance::balance;
pub use balance::{Balance, KeySource};
use cookie::cookie;
use hash_type::{hash_balance_factor, hash_type};
pub use seat::{SEAT_KEYWORDS, SeatDraft};

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
    /// `max-keep-alive-queue`; absent means no limit.
    pub keep_alive_queue: Option<u32>,
    /// `cookie`.
    pub cookie: Option<Persist>,
    /// `dynamic-cookie-key`.
    pub dynamic_cookie_key: Option<String>,
    /// `persist rdp-cookie`: the name of the cookie that names a client's server.
    pub rdp_cookie: Option<String>,
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
    Keyword {
        name: "max-keep-alive-queue",
        sections: Sections::BACK,
        usage: "<requests>",
        doc: "Most requests that wait for the last server before another is chosen; -1 for no limit.",
        parse: |cur, draft| {
            draft.keep_alive_queue = u32::try_from(cur.integer(-1..=i32::MAX)?).ok();
            cur.end()
        },
    },
];

fn flag(cur: &mut Cursor<'_>, to: &mut bool) -> Result<(), Diag> {
    *to = cur.polarity() == Polarity::Plain;
    cur.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, Span, Word};

    pub(super) fn read<D: Default>(rows: &[Keyword<D>], line: &str) -> Result<(D, usize), String> {
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

    pub(super) fn refused(line: &str) -> String {
        read(KEYWORDS, line).expect_err(line)
    }
}
