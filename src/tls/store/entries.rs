//! Lists of certificates (`crt-list`): on each line a certificate, options in brackets, and the names it is for.

use std::sync::Arc;

use crate::lang::{Env, Word};
use crate::tls::draft::{self, BindDraft};
use crate::tls::files;

/// Lines of a list.
const LINES_MAX: usize = 1_000_000;

/// What a line says.
#[derive(Clone, Debug)]
pub(in crate::tls) struct Line {
    /// The certificate.
    pub(in crate::tls) crt: Arc<str>,
    /// Where it stands in the file; 0 for one that the stats socket added.
    pub(in crate::tls) number: usize,
    /// The options as they were written.
    pub(in crate::tls) options: String,
    /// What they say.
    pub(in crate::tls) draft: Arc<BindDraft>,
    /// The names, those with `!` for names it is not for.
    pub(in crate::tls) filters: Vec<String>,
}

/// The lines of a list.
#[derive(Clone, Debug, Default)]
pub(in crate::tls) struct Entries {
    pub(in crate::tls) lines: Vec<Line>,
}

impl Entries {
    /// Reads a file.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(name: &str, base: Option<&str>) -> Result<Self, String> {
        let text = files::content(name.as_ref())
            .map_err(|error| format!("cannot open file '{name}' : {}.", files::words(&error)))?;
        let text = String::from_utf8_lossy(&text);
        let mut entries = Entries::default();
        for (at, line) in text.lines().enumerate() {
            if entries.lines.len() == LINES_MAX {
                return Err(format!("too many lines in '{name}'."));
            }
            let parsed = Line::parse(line, at + 1, base);
            let parsed = parsed.map_err(|why| format!("'{name}' line {} : {why}", at + 1))?;
            entries.lines.extend(parsed);
        }
        Ok(entries)
    }
}

impl Line {
    /// Reads a line; an empty one and a comment are none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(
        text: &str,
        number: usize,
        base: Option<&str>,
    ) -> Result<Option<Self>, String> {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (crt, rest) = text
            .split_once(|letter: char| letter.is_whitespace() || letter == '[')
            .map_or((text, ""), |(crt, _)| (crt, &text[crt.len()..]));
        let (options, names) = match rest.trim_start().strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("missing ']'.")?,
            None => ("", rest),
        };
        let words: Vec<Word> = options
            .split_whitespace()
            .map(|word| Word::new(word, Default::default()))
            .collect();
        let draft = draft::entry(&words, &Env::default())?;
        let mut filters: Vec<String> = names
            .split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        filters.dedup();
        let shown: Vec<&str> = options.split_whitespace().collect();
        Ok(Some(Line {
            crt: draft::under(base, crt).into(),
            number,
            options: shown.join(" "),
            draft: Arc::new(draft),
            filters,
        }))
    }

    /// As `show ssl crt-list` shows it.
    pub(super) fn shown(&self, numbered: bool) -> String {
        let mut text = self.crt.to_string();
        if numbered {
            text.push_str(&format!(":{}", self.number));
        }
        if !self.options.is_empty() {
            text.push_str(&format!(" [{}]", self.options));
        }
        for filter in &self.filters {
            text.push(' ');
            text.push_str(filter);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Line>, String> {
        Line::parse(text, 7, Some("/base"))
    }

    #[test]
    fn lines_with_options_and_names() {
        let line = parse(" a.pem [alpn http/1.1  verify none] *.X.test !y.x.test # no")
            .expect("well written")
            .expect("a line");
        assert_eq!(&*line.crt, "/base/a.pem");
        assert_eq!(line.filters, ["*.x.test", "!y.x.test"]);
        assert_eq!(
            line.shown(true),
            "/base/a.pem:7 [alpn http/1.1 verify none] *.x.test !y.x.test"
        );
        assert!(line.draft.verify.is_some());
        let bare = parse("/abs/b.pem").expect("well written").expect("a line");
        assert_eq!(bare.shown(false), "/abs/b.pem");
    }

    #[test]
    fn what_is_no_line() {
        for text in ["", "   ", "# all of it"] {
            assert!(parse(text).expect("nothing wrong").is_none());
        }
        assert!(parse("a.pem [verify none").is_err());
        assert!(parse("a.pem [verify what]").is_err());
        assert!(parse("a.pem [crt-list x]").is_err());
    }
}
