//! `program` sections: their keywords.

use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Span, Word};

/// A `program` section.
#[derive(Debug)]
pub struct ProgramDraft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `command`
    pub command: Vec<String>,
    /// `user`
    pub user: Option<Word>,
    /// `group`
    pub group: Option<Word>,
    /// `no option start-on-reload`
    pub stays: bool,
}

impl ProgramDraft {
    /// A section of which nothing was read yet.
    pub(crate) fn new(name: &str, span: Span) -> ProgramDraft {
        ProgramDraft {
            name: name.to_owned(),
            span,
            command: Vec::new(),
            user: None,
            group: None,
            stays: false,
        }
    }
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<ProgramDraft>] = &[
    Keyword {
        name: "command",
        sections: Sections::PROGRAM,
        usage: "<command> [<argument>...]",
        doc: "What the master runs, looked up in PATH unless it names a directory.",
        parse: |cur, p| {
            cur.peek().ok_or_else(|| {
                cur.missing("a command with optional arguments separated in words.")
            })?;
            let words = cur.rest().iter().map(|word| Ok(word.text()?.to_owned()));
            p.command = words.collect::<Result<_, Diag>>()?;
            Ok(())
        },
    },
    Keyword {
        name: "user",
        sections: Sections::PROGRAM,
        usage: "<user name>",
        doc: "The user it runs as.",
        parse: |cur, p| once(cur, "a user name.", &mut p.user),
    },
    Keyword {
        name: "group",
        sections: Sections::PROGRAM,
        usage: "<group name>",
        doc: "The group it runs as.",
        parse: |cur, p| once(cur, "a group name.", &mut p.group),
    },
    Keyword {
        name: "option start-on-reload",
        sections: Sections::PROGRAM,
        usage: "",
        doc: "Has a reload end it and start it anew, which is so unless 'no' stands before.",
        parse: |cur, p| {
            p.stays = cur.polarity() == Polarity::No;
            cur.end()
        },
    },
];

fn once(cur: &mut Cursor<'_>, what: &str, place: &mut Option<Word>) -> Result<(), Diag> {
    let word = cur.expect(what)?;
    if place.is_some() {
        let keyword = cur.keyword();
        let text = format!("{keyword} already specified. Continuing.");
        return Err(Diag::alert(word.span, text));
    }
    *place = Some(word.clone());
    cur.end()
}
