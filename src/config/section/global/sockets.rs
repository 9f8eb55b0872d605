//! The sockets of operators, and what all unix sockets have in common.

use super::{MANY, time};
use crate::config::catalog;
use crate::config::draft::{BindDraft, GlobalDraft};
use crate::config::section::{bind, parameters, process_set};
use crate::lang::{Cursor, Diag, Keyword, Sections, suggest};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("stats socket", "{ <path> | [<address>]:<port> } [param...]", "Lets operators look and change at run time.",
        stats_socket),
    Keyword::of_global("stats timeout", "<timeout>", "How long an operator's connection may be inactive.",
        |cur, g| time(cur, &mut g.site.stats_timeout)),
    Keyword::of_global("stats maxconn", "<connections>", "How many operators may be connected at once.",
        stats_maxconn),
    Keyword::of_global("stats bind-process", "{ all | odd | even | <number>[-<number>] }", "Removed in 2.5: there is one process.",
        process_set),
    Keyword::of_global("unix-bind", "[prefix <prefix>] [mode <mode>] [user <user>] [uid <uid>] [group <group>] [gid <gid>]", "What unix sockets begin with.",
        unix_bind),
];

fn stats_socket(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let what = "a path or an address with a port";
    let word = cur.address(what)?;
    let mut line = BindDraft {
        span: cur.line_span(),
        addresses: bind::addresses(&word, "stats socket")?,
        maxconn: STATS_CONNS,
        ..BindDraft::default()
    };
    parameters(cur, &catalog::BIND, Sections::BIND, &mut line)
        .map_err(|diag| diag.within("'stats socket' : "))?;
    global.sockets.push(line);
    Ok(())
}

/// How many operators may be connected at once unless `stats maxconn` says otherwise.
const STATS_CONNS: u32 = 10;

fn stats_maxconn(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let limit = cur.integer(1..=MANY)?;
    for socket in &mut global.sockets {
        socket.maxconn = limit;
    }
    cur.ignore_rest()
}

fn unix_bind(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let unix = &mut global.unix_bind;
    while let Some(word) = cur.parameter() {
        match word.str() {
            "prefix" => unix.prefix = Some(cur.expect("a prefix")?.text()?.to_string()),
            "mode" => unix.mode = Some(bind::octal(cur)?),
            "uid" => unix.uid = Some(cur.integer(0..=u32::MAX)?),
            "gid" => unix.gid = Some(cur.integer(0..=u32::MAX)?),
            "user" => unix.user = Some(cur.expect("a user name")?.clone()),
            "group" => unix.group = Some(cur.expect("a group name")?.clone()),
            text => {
                let known = ["prefix", "mode", "uid", "gid", "user", "group"];
                return Err(cur
                    .alert(
                        "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' \
                         and 'group' options.",
                    )
                    .suggesting(suggest(text, known)));
            }
        }
    }
    Ok(())
}
