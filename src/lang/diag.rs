//! Diagnostics: what is wrong, where, why, and what to write instead.
//!
//! A [`Diag`] is made where the words are in hand and carries HAProxy's sentence, so that tools
//! which search for it find it. [`Diag::render`] adds what HAProxy leaves out: the line itself
//! with a caret, the reason, and the fix. Collecting, ordering and counting belong to
//! `config::load`; printing belongs to `boot`.

use std::fmt::Write as _;

use super::span::{Files, Span};

/// How bad it is. The order is that of growing weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing to somebody who asked for diagnostics (`-dD`).
    Diag,
    /// Information.
    Notice,
    /// Suspicious, but the configuration runs.
    Warning,
    /// The configuration is refused.
    Alert,
}

impl Severity {
    /// The label that starts the line, padded as HAProxy pads it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Severity::Diag => "[DIAG]    ",
            Severity::Notice => "[NOTICE]  ",
            Severity::Warning => "[WARNING] ",
            Severity::Alert => "[ALERT]   ",
        }
    }
}

/// Which of HAProxy's ways to name the place a message uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// `config : parsing [file:line] : …`: said while a keyword was read.
    #[default]
    Parsing,
    /// `config : parsing [file:line]: …`: said by the lexer and about the order of sections.
    Lexing,
    /// `config : [file:line] : …`: said about a server.
    Server,
    /// `config : …`: said after parsing, the place appears below the sentence only.
    Plain,
}

/// One thing to tell the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diag {
    /// How bad it is.
    pub severity: Severity,
    /// HAProxy's sentence.
    pub message: String,
    /// Where it was written, when it has a place.
    pub span: Option<Span>,
    /// Why it matters.
    pub reason: Option<String>,
    /// What to write instead.
    pub fix: Option<String>,
    /// How the sentence names the place.
    pub shape: Shape,
    /// Whether saying it once is enough, however often it applies.
    pub once: bool,
    /// The text to write in place of what stands there, when that settles it.
    pub edit: Option<Box<(Span, String)>>,
}

impl Diag {
    /// A message of the given severity.
    pub fn new(
        severity: Severity,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> Diag {
        Diag {
            severity,
            message: message.into(),
            span: span.into(),
            reason: None,
            fix: None,
            shape: Shape::Parsing,
            once: false,
            edit: None,
        }
    }

    /// An error: the configuration is refused.
    pub fn alert(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diag {
        Diag::new(Severity::Alert, span, message)
    }

    /// A warning: the configuration runs.
    pub fn warning(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diag {
        Diag::new(Severity::Warning, span, message)
    }

    /// A piece of information.
    pub fn notice(span: impl Into<Option<Span>>, message: impl Into<String>) -> Diag {
        Diag::new(Severity::Notice, span, message)
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Diag {
        self.fix = Some(fix.into());
        self
    }

    /// Adds the text to write in place of what stands at `span`; it may have lines of its own.
    #[must_use]
    pub fn with_edit(mut self, span: Span, text: impl Into<String>) -> Diag {
        self.edit = Some(Box::new((span, text.into())));
        self
    }

    /// Adds why it matters.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Diag {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a word to write instead, if there is one.
    #[must_use]
    pub fn with_fix_from(self, word: Option<&str>) -> Diag {
        match word {
            Some(word) => self.with_fix(word),
            None => self,
        }
    }

    /// Chooses how the sentence names the place.
    #[must_use]
    pub fn with_shape(mut self, shape: Shape) -> Diag {
        self.shape = shape;
        self
    }

    /// Lets the message be said once, however often it applies.
    #[must_use]
    pub fn said_once(mut self) -> Diag {
        self.once = true;
        self
    }

    /// Gives the message a place unless it has one.
    #[must_use]
    pub fn at(mut self, span: Span) -> Diag {
        self.span.get_or_insert(span);
        self
    }

    /// Moves the message to another place.
    #[must_use]
    pub fn at_span(mut self, span: Span) -> Diag {
        self.span = Some(span);
        self
    }

    /// Puts `context` before the sentence: `error detected while parsing … : ` and the like.
    #[must_use]
    pub fn within(mut self, context: &str) -> Diag {
        self.message.insert_str(0, context);
        self
    }

    /// Appends HAProxy's suggestion to the sentence and the word to the fix.
    #[must_use]
    pub fn suggesting(mut self, word: Option<&str>) -> Diag {
        if let Some(word) = word {
            let _ = write!(self.message, "; did you mean '{word}' maybe ?");
            self.fix.get_or_insert_with(|| word.to_string());
        }
        self
    }

    /// The sentence with its place, as HAProxy words it, without label and process id.
    #[must_use]
    pub fn sentence(&self, files: &Files) -> String {
        let place = self
            .span
            .map(|s| format!("[{}:{}]", files.path(s.file), s.line));
        let message = &self.message;
        match (self.shape, place) {
            (Shape::Parsing, Some(place)) => format!("config : parsing {place} : {message}"),
            (Shape::Lexing, Some(place)) => format!("config : parsing {place}: {message}"),
            (Shape::Server, Some(place)) => format!("config : {place} : {message}"),
            (Shape::Plain, _) | (_, None) => format!("config : {message}"),
        }
    }

    /// The whole text, newline included: label, process id, sentence, then the line with a caret,
    /// the reason and the fix.
    #[must_use]
    pub fn render(&self, files: &Files, pid: u32) -> String {
        let mut out = format!(
            "{} ({pid}) : {}\n",
            self.severity.label(),
            self.sentence(files)
        );
        if let Some(span) = self.span {
            if self.shape == Shape::Plain {
                let (path, line, column) = (files.path(span.file), span.line, span.start + 1);
                let _ = writeln!(out, "        --> {path}:{line}:{column}");
            }
            show_line(&mut out, files, span);
        }
        if let Some(reason) = &self.reason {
            let _ = writeln!(out, "        = why: {reason}");
        }
        if let Some(fix) = &self.fix {
            let _ = writeln!(out, "        = fix: {fix}");
        }
        out
    }
}

/// The longest piece of a line that is shown; longer lines are cut around the span.
const SHOWN_MAX: usize = 120;
/// How much of a cut line stands before the span.
const SHOWN_BEFORE: usize = 40;

fn show_line(out: &mut String, files: &Files, span: Span) {
    let line = files.line(span.file, span.line);
    if line.is_empty() {
        return;
    }
    let start = (span.start as usize).min(line.len());
    let end = (span.end as usize).clamp(start, line.len());
    let (from, to) = if line.len() <= SHOWN_MAX {
        (0, line.len())
    } else {
        let from = start.saturating_sub(SHOWN_BEFORE);
        (from, (from + SHOWN_MAX).min(line.len()))
    };
    let lead = if from > 0 { "..." } else { "" };
    let tail = if to < line.len() { "..." } else { "" };
    let shown = printable(&line[from..to]);
    let _ = writeln!(out, "{:>7} | {lead}{shown}{tail}", span.line);
    let indent = lead.len() + columns(&line[from..start]);
    let carets = columns(&line[start..end.min(to)]).max(1);
    let _ = writeln!(out, "        | {:indent$}{}", "", "^".repeat(carets));
}

/// The bytes as one printable line: a tab takes one blank, so that carets keep their column.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// How many characters the bytes print as.
fn columns(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::FileId;

    fn files(text: &str) -> Files {
        let mut files = Files::default();
        files.add("t.cfg", text.as_bytes().to_vec());
        files
    }

    fn span(line: u32, start: u32, end: u32) -> Span {
        Span {
            file: FileId(0),
            line,
            start,
            end,
        }
    }

    #[test]
    fn the_sentence_is_haproxys_and_the_line_follows() {
        let files = files("global\n  cbproc    4\n");
        let diag = Diag::alert(
            span(2, 2, 8),
            "unknown keyword 'cbproc' in 'global' section",
        )
        .suggesting(Some("nbproc"));
        assert_eq!(
            diag.render(&files, 7),
            "[ALERT]    (7) : config : parsing [t.cfg:2] : unknown keyword 'cbproc' in 'global' \
             section; did you mean 'nbproc' maybe ?\n      2 |   cbproc    4\n        |   ^^^^^^\n        \
             = fix: nbproc\n"
        );
    }

    #[test]
    fn shapes_and_labels() {
        let files = files("x\n");
        let diag = Diag::warning(span(1, 0, 1), "m");
        assert_eq!(diag.sentence(&files), "config : parsing [t.cfg:1] : m");
        let lexing = diag.clone().with_shape(Shape::Lexing);
        assert_eq!(lexing.sentence(&files), "config : parsing [t.cfg:1]: m");
        let server = diag.clone().with_shape(Shape::Server);
        assert_eq!(server.sentence(&files), "config : [t.cfg:1] : m");
        let plain = diag.with_shape(Shape::Plain);
        assert_eq!(plain.sentence(&files), "config : m");
        assert!(plain.render(&files, 1).starts_with("[WARNING]  (1) : "));
        assert!(
            Diag::notice(None, "m")
                .render(&files, 1)
                .starts_with("[NOTICE]   (1) : config : m\n")
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("{}here{}\n", "a".repeat(300), "b".repeat(300));
        let files = files(&text);
        let shown = Diag::alert(span(1, 300, 304), "m").render(&files, 1);
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[2].find('^').expect("a caret is drawn");
        assert_eq!(&lines[1][caret..caret + 4], "here");
        assert!(lines[1].len() < 150);
    }

    #[test]
    fn a_span_beyond_the_line_is_harmless() {
        let files = files("ab\n");
        let shown = Diag::alert(span(1, 90, 95), "m").render(&files, 1);
        assert!(shown.contains("ab\n"));
        assert!(
            !Diag::alert(span(9, 0, 1), "m")
                .render(&files, 1)
                .contains('^')
        );
    }
}
