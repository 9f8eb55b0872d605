//! `bind` lines and the parameters that `stats socket` shares with them.

use super::{parameters, protocol};
use crate::addr::{Accepts, Written, items};
use crate::config::catalog;
use crate::config::draft::BindDraft;
use crate::lang::{Cursor, Diag, Keyword, Sections, Unit, Word, quantity};
use crate::site::{Level, SeverityOutput};

/// Reads a `bind` line.
///
/// # Errors
/// An address or a parameter is refused.
pub(crate) fn line(cur: &mut Cursor<'_>, section: &str) -> Result<BindDraft, Diag> {
    let what = "{<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.";
    let word = cur.address(what)?;
    let mut line = BindDraft {
        span: cur.line_span(),
        addresses: addresses(&word, "bind")?,
        ..BindDraft::default()
    };
    parameters(cur, &catalog::BIND, Sections::BIND, &mut line).map_err(|diag| {
        diag.within(&format!(
            "'bind {}' in section '{section}' : ",
            word.shown()
        ))
    })?;
    Ok(line)
}

/// Reads a comma list of addresses to listen on; `keyword` is for messages.
///
/// # Errors
/// An address is malformed.
pub(crate) fn addresses(word: &Word, keyword: &str) -> Result<Vec<(Word, Written)>, Diag> {
    let text = word.text()?;
    let mut list = Vec::new();
    let mut at = 0;
    for item in text.split(',') {
        let part = Word::new(item, word.part(at, at + item.len()));
        at += item.len() + 1;
        if item.is_empty() {
            continue;
        }
        let written = Written::parse(item, "", &Accepts::BIND)
            .map_err(|message| Diag::alert(part.span, format!("'{keyword}' : {message}")))?;
        list.push((part, written));
    }
    if items(text).next().is_none() {
        return Err(Diag::alert(
            word.span,
            format!("'{keyword}' : missing address in '{text}'"),
        ));
    }
    Ok(list)
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<BindDraft>] = &[
    Keyword {
        name: "accept-netscaler-cip",
        sections: Sections::BIND,
        usage: "<magic number>",
        doc: "Expects NetScaler's client address header on each connection.",
        parse: |cur, b| {
            b.accept_netscaler_cip = Some(cur.integer(1..=u32::MAX)?);
            Ok(())
        },
    },
    Keyword {
        name: "accept-proxy",
        sections: Sections::BIND,
        usage: "",
        doc: "Expects a PROXY protocol header on each connection.",
        parse: |_, b| {
            b.accept_proxy = true;
            Ok(())
        },
    },
    Keyword {
        name: "backlog",
        sections: Sections::BIND,
        usage: "<conns>",
        doc: "How many connections the system queues before they are accepted.",
        parse: |cur, b| {
            b.backlog = Some(cur.integer(0..=i32::MAX.cast_unsigned())?);
            Ok(())
        },
    },
    Keyword {
        name: "defer-accept",
        sections: Sections::BIND,
        usage: "",
        doc: "Accepts a connection once it has sent data.",
        parse: |_, b| {
            b.defer_accept = true;
            Ok(())
        },
    },
    Keyword {
        name: "proto",
        sections: Sections::BIND,
        usage: "{ h1 | none }",
        doc: "The protocol that clients speak, where it is not negotiated.",
        parse: |cur, _| protocol(cur, &["h1", "none"]),
    },
    Keyword {
        name: "severity-output",
        sections: Sections::BIND,
        usage: "{ none | number | string }",
        doc: "How serious the answers of commands are, shown before them.",
        parse: |cur, b| {
            const FORMS: [(&str, SeverityOutput); 3] = [
                ("none", SeverityOutput::None),
                ("number", SeverityOutput::Number),
                ("string", SeverityOutput::Word),
            ];
            b.severity = cur.choice("'none', 'number' or 'string'", &FORMS)?;
            Ok(())
        },
    },
    Keyword {
        name: "expose-fd",
        sections: Sections::BIND,
        usage: "listeners",
        doc: "Lets a new process fetch the listening sockets here.",
        parse: |cur, b| {
            b.expose_fd = cur.choice("'listeners'", &[("listeners", true)])?;
            Ok(())
        },
    },
    Keyword {
        name: "gid",
        sections: Sections::BIND,
        usage: "<gid>",
        doc: "The group of a unix socket, by number.",
        parse: |cur, b| {
            b.unix.gid = Some(cur.integer(0..=u32::MAX)?);
            Ok(())
        },
    },
    Keyword {
        name: "group",
        sections: Sections::BIND,
        usage: "<group>",
        doc: "The group of a unix socket, by name.",
        parse: |cur, b| {
            b.unix.group = Some(cur.expect("a group name")?.clone());
            Ok(())
        },
    },
    Keyword {
        name: "guid-prefix",
        sections: Sections::BIND,
        usage: "<prefix>",
        doc: "What the listeners' own names begin with.",
        parse: |cur, b| {
            b.guid_prefix = Some(cur.expect("an argument")?.clone());
            Ok(())
        },
    },
    Keyword {
        name: "id",
        sections: Sections::BIND,
        usage: "<id>",
        doc: "The listener's number in statistics.",
        parse: |cur, b| {
            b.id = Some(cur.integer(1..=i32::MAX.cast_unsigned())?);
            Ok(())
        },
    },
    Keyword {
        name: "interface",
        sections: Sections::BIND,
        usage: "<interface>",
        doc: "Listens on one network interface only.",
        parse: |cur, b| {
            b.interface = Some(cur.expect("an interface name")?.text()?.to_string());
            Ok(())
        },
    },
    Keyword {
        name: "level",
        sections: Sections::BIND,
        usage: "{ user | operator | admin }",
        doc: "What users of a stats socket may do.",
        parse: |cur, b| {
            b.level = cur.choice(
                "'user', 'operator', or 'admin'",
                &[
                    ("user", Level::User),
                    ("operator", Level::Operator),
                    ("admin", Level::Admin),
                ],
            )?;
            Ok(())
        },
    },
    Keyword {
        name: "maxconn",
        sections: Sections::BIND,
        usage: "<maxconn>",
        doc: "How many connections these addresses have at once.",
        parse: |cur, b| {
            b.maxconn = cur.integer(0..=i32::MAX.cast_unsigned())?;
            Ok(())
        },
    },
    Keyword {
        name: "mode",
        sections: Sections::BIND,
        usage: "<mode>",
        doc: "The octal mode of a unix socket.",
        parse: |cur, b| {
            b.unix.mode = Some(octal(cur)?);
            Ok(())
        },
    },
    Keyword {
        name: "mss",
        sections: Sections::BIND,
        usage: "<maxseg>",
        doc: "The largest segment announced to clients.",
        parse: |cur, b| {
            b.mss = Some(cur.integer(1..=65535_u16)?);
            Ok(())
        },
    },
    Keyword {
        name: "name",
        sections: Sections::BIND,
        usage: "<name>",
        doc: "The listener's name in statistics.",
        parse: |cur, b| {
            b.name = Some(cur.expect("a name")?.text()?.to_string());
            Ok(())
        },
    },
    Keyword {
        name: "nice",
        sections: Sections::BIND,
        usage: "<nice>",
        doc: "The priority of these connections in HAProxy's scheduler, which sluice has not.",
        parse: |cur, _| cur.integer::<i32>(-1024..=1024).map(drop),
    },
    Keyword {
        name: "process",
        sections: Sections::BIND,
        usage: "<process-set>[/<thread-set>]",
        doc: "Removed in 2.5: every thread serves every listener.",
        parse: |cur, _| process(cur),
    },
    Keyword {
        name: "thread",
        sections: Sections::BIND,
        usage: "[<thread-group>/]<thread-set>",
        doc: "Which threads take connections; sluice gives each to the least loaded.",
        parse: |cur, _| process(cur),
    },
    Keyword {
        name: "shards",
        sections: Sections::BIND,
        usage: "{ <number> | by-thread | by-group }",
        doc: "How many sockets share the address.",
        parse: shards,
    },
    Keyword {
        name: "tcp-ss",
        sections: Sections::BIND,
        usage: "{ 0 | 1 | 2 }",
        doc: "Keeps the first packet of each connection for fc_saved_syn: 1 from its IP header on, 2 with the frame around it.",
        parse: |cur, b| {
            b.save_syn = cur.integer(0..=2_u8)?;
            Ok(())
        },
    },
    Keyword {
        name: "tcp-ut",
        sections: Sections::BIND,
        usage: "<delay>",
        doc: "How long sent data may stay unacknowledged.",
        parse: |cur, b| {
            b.tcp_user_timeout = Some(cur.millis(Unit::Millis)?);
            Ok(())
        },
    },
    Keyword {
        name: "tfo",
        sections: Sections::BIND,
        usage: "",
        doc: "Accepts data in the first packet (TCP fast open).",
        parse: |_, b| {
            b.fast_open = true;
            Ok(())
        },
    },
    Keyword {
        name: "transparent",
        sections: Sections::BIND,
        usage: "",
        doc: "Binds even to an address the host does not have.",
        parse: |_, b| {
            b.transparent = true;
            Ok(())
        },
    },
    Keyword {
        name: "uid",
        sections: Sections::BIND,
        usage: "<uid>",
        doc: "The owner of a unix socket, by number.",
        parse: |cur, b| {
            b.unix.uid = Some(cur.integer(0..=u32::MAX)?);
            Ok(())
        },
    },
    Keyword {
        name: "user",
        sections: Sections::BIND,
        usage: "<user>",
        doc: "The owner of a unix socket, by name.",
        parse: |cur, b| {
            b.unix.user = Some(cur.expect("a user name")?.clone());
            Ok(())
        },
    },
    Keyword {
        name: "v4v6",
        sections: Sections::BIND,
        usage: "",
        doc: "An IPv6 socket takes IPv4 connections too.",
        parse: |_, b| {
            b.v6only = Some(false);
            Ok(())
        },
    },
    Keyword {
        name: "v6only",
        sections: Sections::BIND,
        usage: "",
        doc: "An IPv6 socket takes no IPv4 connections.",
        parse: |_, b| {
            b.v6only = Some(true);
            Ok(())
        },
    },
];

/// Reads an octal file mode.
///
/// # Errors
/// It is none.
pub(crate) fn octal(cur: &mut Cursor<'_>) -> Result<u32, Diag> {
    let word = cur.expect("a valid octal mode")?;
    let mode = u32::from_str_radix(word.str(), 8).ok();
    mode.filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        cur.alert(format!(
            "'{}' : missing or invalid mode '{}' (octal integer expected)",
            cur.keyword(),
            word.shown()
        ))
    })
}

fn process(cur: &mut Cursor<'_>) -> Result<(), Diag> {
    let word = cur.expect("a process or thread set")?;
    let sets = word.str().split('/');
    let mut whole = true;
    for set in sets {
        match super::numbers(set) {
            None => {
                return Err(cur.alert(format!(
                    "'{}' : '{}' is not a set of numbers.",
                    cur.keyword(),
                    word.shown()
                )));
            }
            Some(set) => whole &= set.holds(1) || set == crate::config::draft::Numbers::All,
        }
    }
    if !whole {
        let said = Diag::warning(
            cur.last_span(),
            format!(
                "'{}' has no effect: any thread may take any connection.",
                cur.keyword()
            ),
        );
        cur.warn(said);
    }
    Ok(())
}

fn shards(cur: &mut Cursor<'_>, line: &mut BindDraft) -> Result<(), Diag> {
    let word = cur.expect("a number, 'by-thread' or 'by-group'")?;
    line.shards = match word.str() {
        "by-thread" => Some(SHARDS_BY_THREAD),
        "by-group" => Some(1),
        text => match quantity::size(text.as_bytes()) {
            Ok(count @ 1..=1000) => Some(count as usize),
            _ => {
                return Err(cur.alert(format!(
                    "'shards' : invalid number '{}', it must be between 1 and 1000.",
                    word.shown()
                )));
            }
        },
    };
    Ok(())
}

/// Stands for as many shards as there are threads until they are counted.
pub(crate) const SHARDS_BY_THREAD: usize = usize::MAX;
