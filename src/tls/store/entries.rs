//! Lists of certificates (`crt-list`): on each line a certificate, options in brackets, and the names it is for.

use std::path::Path;
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
    /// Where it stands in the file, or would behind all others; 0 in a directory.
    pub(in crate::tls) number: usize,
    /// The options as they were written.
    pub(in crate::tls) options: String,
    /// What they say.
    pub(in crate::tls) draft: Arc<BindDraft>,
    /// The names, those with `!` for names it is not for.
    pub(in crate::tls) filters: Vec<String>,
}

/// The lines of a list. A directory is one too: of its certificates, without options and names.
#[derive(Clone, Debug, Default)]
pub(in crate::tls) struct Entries {
    pub(in crate::tls) lines: Vec<Line>,
    /// The number that the last line has.
    pub(super) last: usize,
    pub(super) is_directory: bool,
}

impl Entries {
    /// Reads a file, or looks through a directory.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn read(name: &str, base: Option<&str>) -> Result<Self, String> {
        if Path::new(name).is_dir() {
            let files = files::directory(name)?;
            return Ok(Self {
                lines: files.iter().map(|file| Line::bare(file)).collect(),
                last: 0,
                is_directory: true,
            });
        }
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
            entries.last = at + 1;
        }
        Ok(entries)
    }

    /// Whether a directory of this name takes the line; any file does.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub(super) fn admits(&self, name: &str, line: &Line) -> Result<(), String> {
        if !self.is_directory {
            return Ok(());
        }
        if !line.options.is_empty() || !line.filters.is_empty() {
            return Err(
                "this is a directory, SSL configuration and filters are not allowed".into(),
            );
        }
        let inside = line.crt.strip_prefix(name);
        if !inside.is_some_and(|rest| rest.starts_with('/')) {
            return Err(format!(
                "'{name}' is a directory, certificate path '{}' must contain the directory path",
                line.crt
            ));
        }
        if self.lines.iter().any(|known| known.crt == line.crt) {
            return Err("file already exists in this directory!".into());
        }
        Ok(())
    }

    /// Adds a line behind the others.
    pub(super) fn add(&mut self, line: Line) {
        self.last += 1;
        let number = self.last;
        self.lines.push(Line { number, ..line });
    }
}

impl Line {
    /// The line of a certificate about which nothing is said.
    fn bare(crt: &str) -> Self {
        Self {
            crt: crt.into(),
            number: 0,
            options: String::new(),
            draft: Arc::default(),
            filters: Vec::new(),
        }
    }

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
    fn a_directory_takes_its_own_files_once_and_bare() {
        let line = |text: &str| parse(text).expect("well written").expect("a line");
        let mut entries = Entries {
            lines: vec![Line::bare("/d/a.pem")],
            is_directory: true,
            ..Entries::default()
        };
        for refused in [
            "/e/b.pem",
            "/d2/b.pem",
            "/d/a.pem",
            "/d/b.pem x.test",
            "/d/b.pem [verify none]",
        ] {
            assert!(entries.admits("/d", &line(refused)).is_err(), "{refused}");
        }
        assert_eq!(entries.admits("/d", &line("/d/b.pem")), Ok(()));
        entries.add(line("/d/b.pem"));
        let shown: Vec<_> = entries.lines.iter().map(|line| line.shown(true)).collect();
        assert_eq!(shown, ["/d/a.pem:0", "/d/b.pem:1"]);
        entries.is_directory = false;
        assert_eq!(entries.admits("/d", &line("/e/b.pem x.test")), Ok(()));
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
