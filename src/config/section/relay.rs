//! `ring` and `log-forward` sections: their keywords.

use super::bind;
use super::log::Line;
use super::server;
use crate::config::draft::{BindDraft, ServerDraft};
use crate::lang::{Cursor, Diag, Keyword, Parse, Sections, Span, Unit, suggest};
use crate::log::{Syntax, Target};
use crate::time::Millis;

/// A `ring` section.
#[derive(Debug)]
pub struct RingDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `description`
    pub description: Option<String>,
    /// `format`
    pub syntax: Option<Syntax>,
    /// `maxlen`
    pub line_max: usize,
    /// `size`
    pub size: usize,
    /// `server` lines.
    pub servers: Vec<ServerDraft>,
    /// What `default-server` said so far.
    pub default_server: ServerDraft,
}

/// A `log-forward` section.
#[derive(Debug)]
pub struct ForwardDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `bind` lines.
    pub binds: Vec<BindDraft>,
    /// `dgram-bind` lines.
    pub datagrams: Vec<BindDraft>,
    /// `log` lines.
    pub lines: Vec<Line>,
    /// `maxconn`
    pub maxconn: usize,
    /// `backlog`
    pub backlog: Option<u32>,
    /// `timeout client`
    pub timeout: Option<Millis>,
}

/// haproxy: bytes of a ring, and of a line in it, unless said.
const RING_SIZE: usize = 16_384;
const LINE_MAX: usize = 1_024;
/// The largest ring.
const RING_MAX: usize = 1 << 30;
/// haproxy: connections of a `log-forward` section unless said.
const FORWARD_MAXCONN: usize = 10;

impl RingDraft {
    /// A section of which nothing was read yet.
    pub(crate) fn new(name: &str, span: Span) -> RingDraft {
        RingDraft {
            name: name.to_owned(),
            span,
            description: None,
            syntax: None,
            line_max: LINE_MAX,
            size: RING_SIZE,
            servers: Vec::new(),
            default_server: ServerDraft::default(),
        }
    }
}

impl ForwardDraft {
    /// A section of which nothing was read yet.
    pub(crate) fn new(name: &str, span: Span) -> ForwardDraft {
        ForwardDraft {
            name: name.to_owned(),
            span,
            binds: Vec::new(),
            datagrams: Vec::new(),
            lines: Vec::new(),
            maxconn: FORWARD_MAXCONN,
            backlog: None,
            timeout: None,
        }
    }
}

/// The keywords of `ring` sections.
pub(crate) const RING_KEYWORDS: &[Keyword<RingDraft>] = &[
    ring(
        "default-server",
        "[param...]",
        "What the servers that follow begin with.",
        |cur, draft| server::defaults(cur, &mut draft.default_server),
    ),
    ring(
        "description",
        "<text>",
        "What the ring is for.",
        |cur, draft| {
            let words: Vec<_> = cur
                .rest()
                .iter()
                .map(|word| word.shown().into_owned())
                .collect();
            draft.description = Some(words.join(" "));
            Ok(())
        },
    ),
    ring(
        "format",
        "<format>",
        "How lines look in the ring, where the log line does not say.",
        |cur, draft| {
            let word = cur.expect("a format")?;
            let syntax = Syntax::named(word.str()).ok_or_else(|| {
                let known = Syntax::ALL.iter().map(|(name, _)| *name);
                Diag::alert(word.span, format!("unknown format '{}'.", word.shown()))
                    .suggesting(suggest(word.str(), known))
            })?;
            draft.syntax = Some(syntax);
            cur.end()
        },
    ),
    ring(
        "maxlen",
        "<length>",
        "How long a line may be.",
        |cur, draft| {
            draft.line_max = cur.integer(1..=RING_MAX)?;
            cur.end()
        },
    ),
    ring(
        "server",
        "<name> <address>:<port> [param...]",
        "A syslog server that gets the lines over a stream.",
        |cur, draft| {
            let line = server::line(cur, &draft.name, &draft.default_server)?;
            draft.servers.push(line);
            Ok(())
        },
    ),
    ring(
        "size",
        "<size>",
        "How many bytes of lines are kept.",
        |cur, draft| {
            draft.size = usize::try_from(cur.size()?)
                .unwrap_or(RING_MAX)
                .clamp(1, RING_MAX);
            cur.end()
        },
    ),
    ring(
        "timeout connect",
        "<time>",
        "Read; connecting to a server may take five seconds.",
        timeout,
    ),
    ring(
        "timeout server",
        "<time>",
        "Read; a server may be silent for as long as it likes.",
        timeout,
    ),
];

const fn ring(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<RingDraft>,
) -> Keyword<RingDraft> {
    Keyword::of(Sections::RING, name, usage, doc, parse)
}

fn timeout(cur: &mut Cursor<'_>, _: &mut RingDraft) -> Result<(), Diag> {
    cur.millis(Unit::Millis)?;
    cur.end()
}

/// The keywords of `log-forward` sections.
pub(crate) const FORWARD_KEYWORDS: &[Keyword<ForwardDraft>] = &[
    forward(
        "backlog",
        "<connections>",
        "Connections that may wait to be accepted.",
        |cur, draft| {
            draft.backlog = Some(cur.integer(0..=u32::MAX)?);
            cur.end()
        },
    ),
    forward(
        "bind",
        "[<address>]:<port>[,...] [param...]",
        "Where lines are taken over streams.",
        |cur, draft| {
            draft.binds.push(bind::line(cur, "log-forward")?);
            Ok(())
        },
    ),
    forward(
        "dgram-bind",
        "[<address>]:<port>[,...] [param...]",
        "Where lines are taken as datagrams.",
        |cur, draft| {
            draft.datagrams.push(bind::line(cur, "log-forward")?);
            Ok(())
        },
    ),
    forward(
        "log",
        "{ global | <target> [...] <facility> [<level> [<minlevel>]] }",
        "Where the lines go.",
        |cur, draft| {
            if cur.remaining().len() == 1 && cur.take("global") {
                draft.lines.push(Line::Global);
                return Ok(());
            }
            draft
                .lines
                .push(Line::Target(Box::new(Target::parse(cur)?)));
            Ok(())
        },
    ),
    forward(
        "maxconn",
        "<connections>",
        "Connections at once.",
        |cur, draft| {
            draft.maxconn = cur.integer(0..=usize::from(u16::MAX))?;
            cur.end()
        },
    ),
    forward(
        "timeout client",
        "<time>",
        "How long a sender may be silent.",
        |cur, draft| {
            draft.timeout = Some(cur.millis(Unit::Millis)?);
            cur.end()
        },
    ),
];

const fn forward(
    name: &'static str,
    usage: &'static str,
    doc: &'static str,
    parse: Parse<ForwardDraft>,
) -> Keyword<ForwardDraft> {
    Keyword::of(Sections::LOG_FORWARD, name, usage, doc, parse)
}
