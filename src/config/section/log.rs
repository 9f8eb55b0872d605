//! `log` and what log lines look like.

use std::sync::Arc;

use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Span, Word};
use crate::log::Target;
use crate::site::LineFormat;

/// What a proxy's lines said about logging.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `log` lines in order.
    pub lines: Vec<Line>,
    /// `log-tag`
    pub tag: Option<Arc<str>>,
    /// What a line shows, and where that was said.
    pub format: Option<(LineFormat, Span)>,
    /// The word of `log-format`.
    pub written: Option<Word>,
    /// `error-log-format`
    pub error: Option<Word>,
    /// `log-format-sd`
    pub structured: Option<Word>,
    /// `unique-id-format`
    pub unique_id: Option<Word>,
    /// `unique-id-header`
    pub unique_id_header: Option<Arc<str>>,
}

/// One `log` line of a proxy.
#[derive(Debug, Clone)]
pub enum Line {
    /// `log global`: the targets of the global section.
    Global,
    /// A target of its own.
    Target(Box<Target>),
}

/// The row of `global`.
pub(crate) const GLOBAL_KEYWORDS: &[Keyword<GlobalDraft>] = &[Keyword {
    name: "log",
    sections: Sections::GLOBAL,
    usage: "<target> [len <length>] [format <format>] [sample <ranges>:<size>] [profile <name>] <facility> [<level> [<minlevel>]]",
    doc: "Where log lines go, for every proxy that says `log global`.",
    parse: |cur, g| {
        if cur.polarity() != Polarity::Plain {
            g.logs.clear();
            return cur.end();
        }
        g.logs.push(Target::parse(cur)?);
        Ok(())
    },
}];

/// The rows of proxies.
pub(crate) const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "log",
        sections: Sections::PROXY,
        usage: "{ global | <target> [len <length>] [format <format>] [sample <ranges>:<size>] [profile <name>] <facility> [<level> [<minlevel>]] }",
        doc: "Where log lines go.",
        parse: log,
    },
    Keyword {
        name: "log-tag",
        sections: Sections::PROXY,
        usage: "<string>",
        doc: "The program's name in the syslog headers of this proxy.",
        parse: |cur, d| text(cur, &mut d.tag, "a tag for use in syslog"),
    },
    Keyword {
        name: "log-format",
        sections: Sections::PROXY,
        usage: "<string>",
        doc: "What a log line shows.",
        parse: |cur, d| {
            word(cur, &mut d.written, "an argument")?;
            let text = d.written.as_ref().map_or("", Word::str);
            d.format = Some((LineFormat::Written(text.into()), cur.keyword_span()));
            Ok(())
        },
    },
    Keyword {
        name: "log-format-sd",
        sections: Sections::PROXY,
        usage: "<string>",
        doc: "The structured data of RFC 5424 lines.",
        parse: |cur, d| word(cur, &mut d.structured, "an argument"),
    },
    Keyword {
        name: "error-log-format",
        sections: Sections::PROXY,
        usage: "<string>",
        doc: "What a line about a failed connection shows.",
        parse: |cur, d| word(cur, &mut d.error, "an argument"),
    },
    Keyword {
        name: "option httplog",
        sections: Sections::PROXY,
        usage: "[clf]",
        doc: "Log lines with everything about a request.",
        parse: |cur, d| preset(cur, d, LineFormat::Http, Some(LineFormat::HttpClf)),
    },
    Keyword {
        name: "option httpslog",
        sections: Sections::PROXY,
        usage: "",
        doc: "Log lines with everything about a request and its TLS connection.",
        parse: |cur, d| preset(cur, d, LineFormat::Https, None),
    },
    Keyword {
        name: "option tcplog",
        sections: Sections::PROXY,
        usage: "[clf]",
        doc: "Log lines with everything about a connection.",
        parse: |cur, d| preset(cur, d, LineFormat::Tcp, Some(LineFormat::TcpClf)),
    },
    Keyword {
        name: "unique-id-format",
        sections: Sections::PROXY,
        usage: "<string>",
        doc: "What the unique identity of a request is made of; in a backend, that of a check.",
        parse: |cur, d| word(cur, &mut d.unique_id, "an argument"),
    },
    Keyword {
        name: "unique-id-header",
        sections: Sections::FRONT,
        usage: "<name>",
        doc: "The header that tells servers a request's unique identity.",
        parse: |cur, d| text(cur, &mut d.unique_id_header, "an argument"),
    },
];

fn log(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    if cur.polarity() != Polarity::Plain {
        draft.lines.clear();
        return cur.end();
    }
    if cur.remaining().len() == 1 && cur.take("global") {
        draft.lines.push(Line::Global);
        return Ok(());
    }
    let target = Target::parse(cur)?;
    draft.lines.push(Line::Target(Box::new(target)));
    Ok(())
}

fn word(cur: &mut Cursor<'_>, to: &mut Option<Word>, what: &str) -> Result<(), Diag> {
    let word = cur.expect(what)?;
    word.text()?;
    *to = Some(word.clone());
    cur.ignore_rest()
}

fn text(cur: &mut Cursor<'_>, to: &mut Option<Arc<str>>, what: &str) -> Result<(), Diag> {
    *to = Some(cur.expect(what)?.text()?.into());
    cur.ignore_rest()
}

fn preset(
    cur: &mut Cursor<'_>,
    draft: &mut Draft,
    plain: LineFormat,
    clf: Option<LineFormat>,
) -> Result<(), Diag> {
    if cur.polarity() != Polarity::Plain {
        let option = cur.keyword();
        let option = option.trim_start_matches("option ");
        return Err(Diag::alert(
            cur.keyword_span(),
            format!("negation/default is not supported for option '{option}'."),
        ));
    }
    let format = match clf {
        Some(clf) if cur.take("clf") => clf,
        Some(_) | None => plain,
    };
    draft.format = Some((format, cur.keyword_span()));
    cur.end()
}
