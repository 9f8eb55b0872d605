//! `tune.*` of `global`.

use crate::lang::{Cursor, Diag, Keyword, Sections};
use crate::site::Tune;

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<Tune>] = &[
    Keyword {
        name: "tune.bufsize",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The size of a buffer, and of what is looked at of a message.",
        parse: |cur, t| bytes(cur, &mut t.buffer_size, 1024),
    },
    Keyword {
        name: "tune.maxrewrite",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The room left in a buffer for what rules add to a head.",
        parse: |cur, t| bytes(cur, &mut t.max_rewrite, 0),
    },
    Keyword {
        name: "tune.http.maxhdr",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How many fields a head may have.",
        parse: |cur, t| {
            t.max_headers = cur.integer(1..=32_767_usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.vars.global-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of all scopes may take.",
        parse: |cur, t| bytes(cur, &mut t.variables.global, 0),
    },
    Keyword {
        name: "tune.vars.proc-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of the process may take, with those of connections.",
        parse: |cur, t| bytes(cur, &mut t.variables.process, 0),
    },
    Keyword {
        name: "tune.vars.sess-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of a client's connection may take, with those of its exchange.",
        parse: |cur, t| bytes(cur, &mut t.variables.session, 0),
    },
    Keyword {
        name: "tune.vars.txn-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of an exchange may take, with those of its messages.",
        parse: |cur, t| bytes(cur, &mut t.variables.exchange, 0),
    },
    Keyword {
        name: "tune.vars.reqres-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of a request and its response may take.",
        parse: |cur, t| bytes(cur, &mut t.variables.messages, 0),
    },
    Keyword {
        name: "tune.vars.check-max-size",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes variables of a health check may take.",
        parse: |cur, t| bytes(cur, &mut t.variables.check, 0),
    },
    Keyword {
        name: "tune.http.cookielen",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How much of a captured cookie is logged.",
        parse: |cur, t| {
            t.cookie_len = cur.integer(2..=65_535_usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.http.logurilen",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How much of a request's target is logged.",
        parse: |cur, t| {
            t.log_uri_len = cur.integer(1..=65_535_usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.maxaccept",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How many connections are accepted in one go.",
        parse: |cur, t| {
            let count = cur.integer(-1..=i32::MAX)?;
            t.max_accept = usize::try_from(count)
                .ok()
                .filter(|c| *c > 0)
                .unwrap_or(usize::MAX);
            cur.end()
        },
    },
    Keyword {
        name: "tune.maxpollevents",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How many events are taken from the system in one go.",
        parse: |cur, t| {
            t.max_poll_events = cur.integer(1..=1_000_000_usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.idle-pool.shared",
        sections: Sections::GLOBAL,
        usage: "{ on | off }",
        doc: "Whether threads take idle server connections over from one another.",
        parse: |cur, t| {
            t.idle_pool_shared = cur.switch()?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.buffers.limit",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How many buffers a thread may hold; 0 means any number.",
        parse: |cur, t| {
            t.buffers_limit = cur.integer(0..=u32::MAX as usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.buffers.reserve",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "How many buffers are kept for getting out of a shortage.",
        parse: |cur, t| {
            t.buffers_reserve = cur.integer(2..=u32::MAX as usize)?;
            cur.end()
        },
    },
    Keyword {
        name: "tune.pipesize",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The size of the pipes that splicing uses.",
        parse: |cur, t| bytes(cur, &mut t.pipe_size, 0),
    },
    Keyword {
        name: "tune.rcvbuf.client",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The system's receive buffer of client sockets.",
        parse: |cur, t| socket(cur, &mut t.client_rcvbuf),
    },
    Keyword {
        name: "tune.rcvbuf.server",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The system's receive buffer of server sockets.",
        parse: |cur, t| socket(cur, &mut t.server_rcvbuf),
    },
    Keyword {
        name: "tune.sndbuf.client",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The system's send buffer of client sockets.",
        parse: |cur, t| socket(cur, &mut t.client_sndbuf),
    },
    Keyword {
        name: "tune.sndbuf.server",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The system's send buffer of server sockets.",
        parse: |cur, t| socket(cur, &mut t.server_sndbuf),
    },
    Keyword {
        name: "tune.notsent-lowat.client",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes may wait unsent in the system for a client.",
        parse: |cur, t| socket(cur, &mut t.client_unsent),
    },
    Keyword {
        name: "tune.notsent-lowat.server",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "How many bytes may wait unsent in the system for a server.",
        parse: |cur, t| socket(cur, &mut t.server_unsent),
    },
    Keyword {
        name: "tune.rcvbuf.frontend",
        sections: Sections::GLOBAL,
        usage: "<size>",
        doc: "The system's receive buffer of sockets that take datagrams.",
        parse: |cur, t| socket(cur, &mut t.datagram_rcvbuf),
    },
    Keyword {
        name: "tune.comp.maxlevel",
        sections: Sections::GLOBAL,
        usage: "<number>",
        doc: "The highest level of compression.",
        parse: |cur, t| {
            t.compression_level = cur.integer(0..=9_u8)?;
            cur.end()
        },
    },
];

fn bytes(cur: &mut Cursor<'_>, size: &mut usize, least: u32) -> Result<(), Diag> {
    let read = cur.size()?;
    if !(least..=SIZE_MAX).contains(&read) {
        return Err(cur.alert(format!(
            "'{}' expects a size between {least} and {SIZE_MAX}.",
            cur.keyword()
        )));
    }
    *size = read as usize;
    cur.end()
}

/// The largest buffer: HAProxy's lengths inside a buffer have 28 bits.
const SIZE_MAX: u32 = (1 << 28) - 1;

fn socket(cur: &mut Cursor<'_>, size: &mut Option<usize>) -> Result<(), Diag> {
    *size = Some(cur.size()? as usize).filter(|size| *size > 0);
    cur.end()
}
