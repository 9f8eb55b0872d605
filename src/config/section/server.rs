//! `server`, `default-server` and `server-template` lines.

use std::net::IpAddr;

use super::parameters;
use crate::addr::{Accepts, Place, Written};
use crate::config::catalog;
use crate::config::draft::{InitAddr, ServerDraft};
use crate::lang::{Cursor, Diag, Keyword, Sections, Shape, Unit, Word, check_name, suggest};

/// How many servers one template makes at most.
const TEMPLATE_MAX: usize = 10_000;

/// Reads a `server` line; it begins with what `default-server` said.
///
/// # Errors
/// The name, the address or a parameter is refused.
pub(crate) fn line(
    cur: &mut Cursor<'_>,
    backend: &str,
    defaults: &ServerDraft,
) -> Result<ServerDraft, Diag> {
    let name = cur.expect(EXPECTS)?;
    check_name(name, "server")?;
    let address = cur.address(EXPECTS)?;
    let origin = origin(cur, defaults).map_err(|diag| about(diag, backend, name.str()))?;
    let mut line = ServerDraft {
        span: cur.line_span(),
        name: name.text()?.to_string(),
        name_span: name.span,
        address: Some(written(address, &Accepts::ANY_SERVER)?),
        id: None,
        guid: None,
        ..origin
    };
    parameters(cur, &catalog::SERVER, Sections::SERVER, &mut line)
        .map_err(|diag| about(diag, backend, &line.name))?;
    Ok(line)
}

const EXPECTS: &str = "<name> and <addr>[:<port>] as arguments.";

/// Reads a `default-server` line into what servers begin with.
///
/// # Errors
/// A parameter is refused.
pub(crate) fn defaults(cur: &mut Cursor<'_>, defaults: &mut ServerDraft) -> Result<(), Diag> {
    *defaults = origin(cur, defaults).map_err(|diag| diag.with_shape(Shape::Server))?;
    parameters(cur, &catalog::SERVER, Sections::SERVER, defaults)
        .map_err(|diag| diag.with_shape(Shape::Server))
}

/// What a line begins with: `from none` leaves out what `default-server` said.
fn origin(cur: &mut Cursor<'_>, defaults: &ServerDraft) -> Result<ServerDraft, Diag> {
    if !cur.take("from") {
        return Ok(defaults.clone());
    }
    cur.choice("'none'", &[("none", ())])?;
    Ok(ServerDraft::default())
}

/// An error of a server's parameter, in HAProxy's form.
fn about(diag: Diag, backend: &str, name: &str) -> Diag {
    diag.within(&format!("'server {backend}/{name}' : "))
        .with_shape(Shape::Server)
}

/// Reads a `server-template` line into the servers it stands for.
///
/// # Errors
/// The prefix, the numbers, the address or a parameter is refused.
pub(crate) fn template(
    cur: &mut Cursor<'_>,
    backend: &str,
    defaults: &ServerDraft,
) -> Result<Vec<ServerDraft>, Diag> {
    let what = "<prefix> <nb | range> <addr>[:<port>] as arguments.";
    let prefix = cur.expect(what)?;
    check_name(prefix, "server-template")?;
    let numbers = cur.expect(what)?;
    let bounds = match numbers.str().split_once('-') {
        None => numbers.str().parse().ok().map(|last| (1, last)),
        Some((first, last)) => first.parse().ok().zip(last.parse().ok()),
    };
    let (first, last): (usize, usize) = bounds
        .filter(|(first, last)| first <= last && last - first < TEMPLATE_MAX)
        .ok_or_else(|| {
            cur.alert(format!(
                "invalid number or range '{}' in 'server-template'.",
                numbers.shown()
            ))
        })?;
    let address = cur.address(what)?;
    let origin = origin(cur, defaults).map_err(|diag| about(diag, backend, prefix.str()))?;
    let mut model = ServerDraft {
        span: cur.line_span(),
        name_span: prefix.span,
        address: Some(written(address, &Accepts::ANY_SERVER)?),
        id: None,
        ..origin
    };
    let prefix = prefix.text()?;
    parameters(cur, &catalog::SERVER, Sections::SERVER, &mut model)
        .map_err(|diag| about(diag, backend, prefix))?;
    let named = |number| ServerDraft {
        name: format!("{prefix}{number}"),
        id: model.id.filter(|_| number == first),
        ..model.clone()
    };
    Ok((first..=last).map(named).collect())
}

/// Reads an address to connect to, or from.
pub(super) fn written(address: Word, accepts: &Accepts) -> Result<(Word, Written), Diag> {
    let text = address.text()?;
    let read = Written::parse(text, "", accepts)
        .map_err(|message| Diag::alert(address.span, format!("'server' : {message}")))?;
    if matches!(read.place, Place::Fd(_) | Place::SockPair(_)) {
        return Err(Diag::alert(
            address.span,
            format!("'server' : '{text}' is no address to connect to"),
        ));
    }
    Ok((address, read))
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<ServerDraft>] = &[
    Keyword {
        name: "disabled",
        sections: Sections::SERVER,
        usage: "",
        doc: "Starts in maintenance.",
        parse: |_, s| on(&mut s.disabled),
    },
    Keyword {
        name: "enabled",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `disabled`.",
        parse: |_, s| off(&mut s.disabled),
    },
    Keyword {
        name: "guid",
        sections: Sections::SERVER,
        usage: "<guid>",
        doc: "A name that stays the server's own whatever else changes.",
        parse: |cur, s| {
            s.guid = Some(cur.expect("an argument")?.clone());
            Ok(())
        },
    },
    Keyword {
        name: "id",
        sections: Sections::SERVER,
        usage: "<id>",
        doc: "The server's number in statistics.",
        parse: |cur, s| {
            s.id = Some(cur.integer(1..=i32::MAX.cast_unsigned())?);
            Ok(())
        },
    },
    Keyword {
        name: "init-addr",
        sections: Sections::SERVER,
        usage: "{ last | libc | none | <ip> },[...]",
        doc: "How the first address is found, ways tried in order.",
        parse: init_addr,
    },
    Keyword {
        name: "log-bufsize",
        sections: Sections::SERVER,
        usage: "<size>",
        doc: "How many bytes of log lines wait for this server at most.",
        parse: |cur, s| {
            s.log_buffer = Some(cur.integer(0..=i32::MAX.cast_unsigned())? as usize);
            Ok(())
        },
    },
    Keyword {
        name: "log-proto",
        sections: Sections::SERVER,
        usage: "{ legacy | octet-count }",
        doc: "Whether log lines to this server end with a line feed, or begin with their length.",
        parse: |cur, s| {
            let ways = [("legacy", false), ("octet-count", true)];
            s.log_counted = cur.choice("'legacy' or 'octet-count'", &ways)?;
            Ok(())
        },
    },
    Keyword {
        name: "max-reuse",
        sections: Sections::SERVER,
        usage: "<count>",
        doc: "How many requests one connection may carry.",
        parse: |cur, s| {
            let count = cur.integer(-1..=i64::from(u32::MAX))?;
            s.max_reuse = u32::try_from(count).ok();
            Ok(())
        },
    },
    Keyword {
        name: "non-stick",
        sections: Sections::SERVER,
        usage: "",
        doc: "Stick tables do not learn who came to this server.",
        parse: |_, s| on(&mut s.non_stick),
    },
    Keyword {
        name: "stick",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `non-stick`.",
        parse: |_, s| off(&mut s.non_stick),
    },
    Keyword {
        name: "pool-low-conn",
        sections: Sections::SERVER,
        usage: "<max>",
        doc: "Up to how many idle connections no thread takes over from another.",
        parse: |cur, s| {
            s.pool_low_conn = cur.integer(0..=i32::MAX as usize)?;
            Ok(())
        },
    },
    Keyword {
        name: "pool-max-conn",
        sections: Sections::SERVER,
        usage: "<max>",
        doc: "How many idle connections are kept; -1 means any number.",
        parse: |cur, s| {
            let count = cur.integer(-1..=i64::from(u32::MAX))?;
            s.pool_max_conn = u32::try_from(count).ok();
            Ok(())
        },
    },
    Keyword {
        name: "pool-purge-delay",
        sections: Sections::SERVER,
        usage: "<delay>",
        doc: "How often half of the unused idle connections are closed.",
        parse: |cur, s| {
            s.pool_purge_delay = cur.millis(Unit::Millis)?;
            Ok(())
        },
    },
    Keyword {
        name: "redir",
        sections: Sections::SERVER,
        usage: "<prefix>",
        doc: "Redirects GET and HEAD requests for this server to a prefix.",
        parse: |cur, s| {
            s.redirect_prefix = Some(cur.expect("a prefix")?.bytes.to_vec());
            Ok(())
        },
    },
    Keyword {
        name: "shard",
        sections: Sections::SERVER,
        usage: "<shard>",
        doc: "In `peers` sections: which part of the tables the member is told of; 0 is all.",
        parse: |cur, s| {
            s.shard = cur.integer(0..=i32::MAX.cast_unsigned())?;
            Ok(())
        },
    },
    Keyword {
        name: "socks4",
        sections: Sections::SERVER,
        usage: "<addr>:<port>",
        doc: "Reaches the server through a SOCKS4 proxy.",
        parse: |cur, s| {
            let address = cur.address("<addr>:<port> as argument.")?;
            s.socks4 = Some(Box::new(written(address, &Accepts::SERVER)?));
            Ok(())
        },
    },
    Keyword {
        name: "tcp-ut",
        sections: Sections::SERVER,
        usage: "<delay>",
        doc: "How long sent data may stay unacknowledged.",
        parse: |cur, s| {
            s.tcp_user_timeout = Some(cur.millis(Unit::Millis)?);
            Ok(())
        },
    },
    Keyword {
        name: "tfo",
        sections: Sections::SERVER,
        usage: "",
        doc: "Sends data in the first packet (TCP fast open).",
        parse: |_, s| on(&mut s.fast_open),
    },
    Keyword {
        name: "no-tfo",
        sections: Sections::SERVER,
        usage: "",
        doc: "Takes back `tfo`.",
        parse: |_, s| off(&mut s.fast_open),
    },
];

fn on(flag: &mut bool) -> Result<(), Diag> {
    *flag = true;
    Ok(())
}

fn off(flag: &mut bool) -> Result<(), Diag> {
    *flag = false;
    Ok(())
}

fn init_addr(cur: &mut Cursor<'_>, line: &mut ServerDraft) -> Result<(), Diag> {
    let word = cur.expect("a comma-delimited list of methods")?;
    let mut ways = Vec::new();
    for way in word.text()?.split(',') {
        ways.push(match way {
            "last" => InitAddr::Last,
            "libc" => InitAddr::Resolve,
            "none" => InitAddr::None,
            text => InitAddr::Ip(text.parse::<IpAddr>().map_err(|_| {
                cur.alert(format!("'init-addr' : unknown init-addr method '{text}'"))
                    .suggesting(suggest(text, ["last", "libc", "none"]))
            })?),
        });
    }
    line.init_addr = ways;
    Ok(())
}
