//! `mailers` sections, and the `email-alert` lines of proxies that send to them.

use super::server::written;
use crate::addr::Accepts;
use crate::config::draft::ServerDraft;
use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Unit, Word, check_name};
use crate::log::Level;
use crate::time::Millis;

/// A `mailers` section.
#[derive(Debug)]
pub struct MailersDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `mailer` lines.
    pub mailers: Vec<ServerDraft>,
    /// `timeout mail`
    pub timeout: Millis,
}

/// haproxy: how long a mail may take unless said.
const MAIL_TIME: Millis = Millis::seconds(10);

impl MailersDraft {
    /// A section of which nothing was read yet.
    pub(crate) fn new(name: &str, span: Span) -> MailersDraft {
        MailersDraft {
            name: name.to_owned(),
            span,
            mailers: Vec::new(),
            timeout: MAIL_TIME,
        }
    }
}

/// What a proxy's `email-alert` lines said.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `email-alert mailers`
    pub mailers: Option<Word>,
    /// `email-alert from`
    pub from: Option<Word>,
    /// `email-alert to`
    pub to: Option<Word>,
    /// `email-alert myhostname`
    pub hostname: Option<Word>,
    /// `email-alert level`
    pub level: Option<Level>,
}

/// The keywords of `mailers` sections.
pub(crate) const SECTION_KEYWORDS: &[Keyword<MailersDraft>] = &[
    Keyword {
        name: "mailer",
        sections: Sections::MAILERS,
        usage: "<name> <ip>:<port>",
        doc: "A mail server that takes alerts.",
        parse: |cur, draft| {
            const EXPECTS: &str = "<name> and <addr>[:<port>] as arguments.";
            let name = cur.expect(EXPECTS)?;
            check_name(name, "mailer")?;
            let address = cur.address(EXPECTS)?;
            draft.mailers.push(ServerDraft {
                span: cur.line_span(),
                name: name.text()?.to_owned(),
                name_span: name.span,
                address: Some(written(address, &Accepts::SERVER)?),
                ..ServerDraft::default()
            });
            cur.end()
        },
    },
    Keyword {
        name: "timeout mail",
        sections: Sections::MAILERS,
        usage: "<time>",
        doc: "How long sending a mail may take.",
        parse: |cur, draft| {
            draft.timeout = cur.millis(Unit::Millis)?;
            cur.end()
        },
    },
];

/// The keywords of proxies.
pub(crate) const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword::of_proxies(
        "email-alert from",
        "<emailaddr>",
        "Who sends alerts by mail.",
        |cur, d| word(cur, &mut d.from),
    ),
    Keyword::of_proxies(
        "email-alert to",
        "<emailaddr>",
        "Who gets alerts by mail.",
        |cur, d| word(cur, &mut d.to),
    ),
    Keyword::of_proxies(
        "email-alert mailers",
        "<section>",
        "Which mail servers take alerts.",
        |cur, d| word(cur, &mut d.mailers),
    ),
    Keyword::of_proxies(
        "email-alert myhostname",
        "<hostname>",
        "The name said to mail servers.",
        |cur, d| word(cur, &mut d.hostname),
    ),
    Keyword::of_proxies(
        "email-alert level",
        "<level>",
        "How urgent what is mailed is at least.",
        |cur, d| {
            d.level = Some(cur.choice("a log level", &Level::ALL)?);
            cur.end()
        },
    ),
];

fn word(cur: &mut Cursor<'_>, to: &mut Option<Word>) -> Result<(), Diag> {
    let word = cur.expect("an argument")?;
    word.text()?;
    *to = Some(word.clone());
    cur.end()
}
