//! `peers` sections: the line that begins one, and its keywords.

use crate::config::draft::{BindDraft, ServerDraft};
use crate::lang::{Cursor, Diag, Keyword, Sections, Span};
use crate::peer::{self, Shards};
use crate::stick::Written;

use super::{bind, server};

/// A `peers` section.
#[derive(Debug)]
pub struct PeersDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `bind` lines.
    pub binds: Vec<BindDraft>,
    /// `server` and `peer` lines that have an address.
    pub servers: Vec<ServerDraft>,
    /// What `default-server` said so far.
    pub default_server: ServerDraft,
    /// Members and tables.
    pub own: peer::Draft,
    /// `disabled`
    pub disabled: bool,
}

impl PeersDraft {
    /// A section of which nothing was read yet.
    pub(crate) fn new(name: &str, span: Span) -> PeersDraft {
        PeersDraft {
            name: name.to_owned(),
            span,
            binds: Vec::new(),
            servers: Vec::new(),
            default_server: ServerDraft::default(),
            own: peer::Draft::default(),
            disabled: false,
        }
    }
}

/// The keywords of `peers` sections.
pub(crate) const KEYWORDS: &[Keyword<PeersDraft>] = &[
    Keyword {
        name: "bind",
        sections: Sections::PEERS,
        usage: "[<address>]:<port>[,...] [param...]",
        doc: "Where this process listens for its peers.",
        parse: |cur, draft| {
            draft.binds.push(bind::line(cur, "peers")?);
            Ok(())
        },
    },
    Keyword {
        name: "default-server",
        sections: Sections::PEERS,
        usage: "[param...]",
        doc: "What the members that follow begin with.",
        parse: |cur, draft| server::defaults(cur, &mut draft.default_server),
    },
    Keyword {
        name: "disabled",
        sections: Sections::PEERS,
        usage: "",
        doc: "Switches the section off.",
        parse: |cur, draft| {
            draft.disabled = true;
            cur.end()
        },
    },
    Keyword {
        name: "enabled",
        sections: Sections::PEERS,
        usage: "",
        doc: "Switches the section on again.",
        parse: |cur, draft| {
            draft.disabled = false;
            cur.end()
        },
    },
    Keyword {
        name: "peer",
        sections: Sections::PEERS,
        usage: "<name> <address>:<port> [param...]",
        doc: "A member, and where it listens.",
        parse: member,
    },
    Keyword {
        name: "server",
        sections: Sections::PEERS,
        usage: "<name> [<address>:<port>] [param...]",
        doc: "A member, and where it listens; this process itself needs no address beside a `bind` line.",
        parse: member,
    },
    Keyword {
        name: "shards",
        sections: Sections::PEERS,
        usage: "<shards>",
        doc: "In how many parts tables are told to the members whose lines say `shard`.",
        parse: |cur, draft| {
            draft.own.shards = Shards::of(cur.integer(1..=i32::MAX.cast_unsigned())?);
            cur.end()
        },
    },
    Keyword {
        name: "table",
        sections: Sections::PEERS,
        usage: "<name> type <type> [len <length>] size <size> [expire <time>] [nopurge] [store <data>[,<data>]*]*",
        doc: "A table that the members share, named <section>/<name> elsewhere.",
        parse: |cur, draft| {
            let name = cur.expect("a table name")?.text()?.to_owned();
            let written = Written::read(cur)?;
            draft.own.tables.push((name, written));
            Ok(())
        },
    },
];

fn member(cur: &mut Cursor<'_>, draft: &mut PeersDraft) -> Result<(), Diag> {
    let has_address = cur.remaining().len() > 1;
    let name = cur.peek().ok_or_else(|| cur.missing("<name>"))?;
    let (text, span) = (name.text()?.to_owned(), name.span);
    if draft.own.members.iter().any(|member| member.name == text) {
        let message = format!("peers '{}': member '{text}' is named twice.", draft.name);
        return Err(Diag::alert(span, message));
    }
    let server = if has_address {
        let line = server::line(cur, &draft.name, &draft.default_server)?;
        draft.servers.push(line);
        Some(draft.servers.len() - 1)
    } else {
        cur.rest();
        None
    };
    draft.own.members.push(peer::Line {
        name: text,
        span,
        server,
    });
    Ok(())
}
