//! The keywords of slots and lines.

use crate::lang::{Cursor, Diag, Keyword, Sections};

/// What a backend's lines said.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `fullconn`.
    pub full: Option<u32>,
}

/// What a server line said; zero means no limit.
#[derive(Clone, Debug, Default)]
pub struct ServerDraft {
    /// `maxconn`.
    pub max: u32,
    /// `minconn`.
    pub min: u32,
    /// `maxqueue`.
    pub queue: u32,
    /// `strict-maxconn`.
    pub strict: bool,
}

/// The rows of proxy sections.
pub const KEYWORDS: &[Keyword<Draft>] = &[Keyword {
    name: "fullconn",
    sections: Sections::BACK,
    usage: "<conns>",
    doc: "The load of the backend at which its servers reach their full maxconn.",
    parse: |cur, draft| {
        let conns = cur.integer(0..=u32::MAX)?;
        draft.full = Some(conns.max(1));
        cur.end()
    },
}];

/// The rows of server lines.
pub const SERVER_KEYWORDS: &[Keyword<ServerDraft>] = &[
    Keyword {
        name: "maxconn",
        sections: Sections::SERVER,
        usage: "<conns>",
        doc: "Most requests in service at this server at once; others wait.",
        parse: |cur, draft| number(cur, &mut draft.max),
    },
    Keyword {
        name: "minconn",
        sections: Sections::SERVER,
        usage: "<conns>",
        doc: "The limit that holds while the backend is idle and grows to maxconn with its load.",
        parse: |cur, draft| number(cur, &mut draft.min),
    },
    Keyword {
        name: "maxqueue",
        sections: Sections::SERVER,
        usage: "<requests>",
        doc: "Most requests that wait for this server; others go elsewhere.",
        parse: |cur, draft| number(cur, &mut draft.queue),
    },
    Keyword {
        name: "strict-maxconn",
        sections: Sections::SERVER,
        usage: "",
        doc: "Maxconn bounds the connections to the server as well, those that stand idle among them.",
        parse: |_, draft| {
            draft.strict = true;
            Ok(())
        },
    },
];

fn number(cur: &mut Cursor<'_>, to: &mut u32) -> Result<(), Diag> {
    *to = cur.integer(0..=u32::MAX)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, Span, Word};

    #[test]
    fn numbers_are_read_and_words_refused() {
        let read = |text: &str| {
            let words = [
                Word::new("fullconn", Span::default()),
                Word::new(text, Span::default()),
            ];
            let env = Env::default();
            let mut draft = Draft::default();
            let mut cur = Cursor::after(&words, 1, &env);
            (KEYWORDS[0].parse)(&mut cur, &mut draft).map(|()| draft.full)
        };
        assert_eq!(read("500"), Ok(Some(500)));
        assert_eq!(read("0"), Ok(Some(1)));
        assert!(read("many").is_err());
    }
}
